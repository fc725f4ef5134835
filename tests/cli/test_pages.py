"""Every block of Python on a page about a verb runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import structgen

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```python\n(.*?)```", re.S)


@pytest.mark.parametrize("page", ["mcp.md", "templates.md", "tools.md", "verbatim.md"])
def test_every_block_of_the_page_runs(page: str, loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structgen, "load", loader.load)
    names: dict[str, Any] = {"__name__": page}
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec", dont_inherit=True), names)
