"""Server-sent events: one line of data each, and a last one if something fails after the first byte."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse

from structgen.server.problems import Problem, internal

HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}  # proxies pass each event on at once


def event(data: Any, name: str | None = None) -> str:
    """One event."""
    said = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {said}\n\n" if name else f"data: {said}\n\n"


def streamed(events: AsyncIterator[str]) -> StreamingResponse:
    """The response that sends events as they come."""
    return StreamingResponse(_closed(events), media_type="text/event-stream", headers=HEADERS)


async def _closed(events: AsyncIterator[str]) -> AsyncIterator[str]:
    """The events, and an error in their place if they break off."""
    try:
        async for one in events:
            yield one
    except Problem as problem:
        yield event(problem.body)
    except Exception:
        yield event(internal().body)
        raise
