"""The page about grammars: every block runs, every example is read or refused as the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import structgen as sg
from structgen.errors import StructgenError

PAGE = (Path(__file__).parents[1] / "docs" / "grammars.md").read_text(encoding="utf-8")
GIVEN = {"digit": sg.Regex("[0-9]"), "circle": "start: @circle"}


def examples(title: str) -> Iterator[str]:
    """The second cell of each row of the table below a title."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| .*", section, re.MULTILINE)[1:]:
        cell = re.split(r"(?<!\\)\|", row)[2].strip()
        yield cell.strip("`").replace("\\|", "|").replace(" ⏎ ", "\n")


@pytest.mark.parametrize("source", [*examples("Lark: what is read")])
def test_what_is_read(source: str) -> None:
    sg.Lark(source, grammars=GIVEN).lower()


@pytest.mark.parametrize("source", [*examples("Lark: what is refused")])
def test_what_is_refused(source: str) -> None:
    with pytest.raises(StructgenError, match=r"^line "):
        sg.Lark(source, grammars=GIVEN).lower()


@pytest.mark.parametrize("source", [*examples("EBNF")])
def test_ebnf(source: str) -> None:
    sg.Ebnf(source).lower()


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_every_block_runs(block: str) -> None:
    code = compile(block, "the page", "exec", dont_inherit=True)  # its annotations are values
    exec(code, {"sg": sg, "__name__": "__main__"})


def test_the_tables_are_found() -> None:
    assert [len([*examples(title)]) for title in ("Lark: what is read", "Lark: what is refused", "EBNF")] == [
        22,
        16,
        5,
    ]
