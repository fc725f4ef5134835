"""Every block of Python on a page of the documentation runs, in the order of its page, with the embedded model."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import structgen

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.S | re.M)
ELSEWHERE = {
    "grammars.md": "tests/test_grammars_page.py runs it",
    "mcp.md": "tests/mcp runs it",
    "server.md": "a server: tests/outside runs it",
    "pipelines.md": "tests/batch runs it",
    "diffusiongemma.md": "the released weights, or vLLM",
    "clients.md": "a server and its clients: tests/outside runs it",
    "langextract.md": "LangExtract: tests/outside runs it",
}
HOST = "https://host/"  # stands for somebody's endpoint, which no test asks
BLOCKS = {
    str(path.relative_to(DOCS)): found
    for path in sorted(DOCS.rglob("*.md"))
    if (found := BLOCK.findall(path.read_text(encoding="utf-8")))
}


@pytest.mark.parametrize("page", [page for page in BLOCKS if page not in ELSEWHERE])
def test_every_block_of_the_page_runs(page: str, loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structgen, "load", loader.load)
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {"__name__": page}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", structgen.AnswerWarning)
        for block in (block for block in BLOCKS[page] if HOST not in block):
            exec(compile(block, page, "exec", dont_inherit=True), names)


def test_pages_that_are_run_elsewhere_exist() -> None:
    assert ELSEWHERE.keys() <= BLOCKS.keys()


def test_the_site_shows_every_page() -> None:
    shown = set(re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.M))
    assert shown == {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
