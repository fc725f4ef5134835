"""/live: a page that runs a request and shows the canvas after each of its steps; it loads nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import HTMLResponse

router = APIRouter()


@router.get("/live", include_in_schema=False)
async def live() -> HTMLResponse:
    """The page, which may run and apply what stands in it, and ask this server."""
    page, policy = _page()
    return HTMLResponse(page, headers={"content-security-policy": policy, "referrer-policy": "no-referrer"})


@cache
def _page() -> tuple[str, str]:
    """The page and its content security policy."""
    page = files("structgen.server.routes").joinpath("live.html").read_text(encoding="utf-8")
    own = {f"{name}-src": _hash(page, name) for name in ("script", "style")}
    allowed = {
        "default-src": "'none'",
        **own,
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return page, "; ".join(
        f"{name} {value}" for name, value in {**allowed, "frame-ancestors": "'none'"}.items()
    )


def _hash(page: str, element: str) -> str:
    """The source of a policy that allows the content of this element alone."""
    found = re.search(rf"<{element}>(.*)</{element}>", page, re.DOTALL)
    assert found is not None
    return f"'sha256-{base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()}'"
