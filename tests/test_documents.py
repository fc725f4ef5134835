"""What the documentation says to type exists: commands and their options, make targets, files that links name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.main import get_command

import architecture
from structgen import Regex, Vocabulary, compile
from structgen_engine.automata.dfa import block
from structgen_engine.lattice.lattice import BlockLattice

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
)
BENCHMARKS = sorted((ROOT / "docs" / "benchmarks").glob("*.md"))
TYPED = re.compile(r"^ {4}(?:\.venv/bin/)?((?:python -m (?:bench|conformance)|structgen|make) .*)$", re.M)
QUOTED = re.compile(r"`((?:python -m (?:bench|conformance)|structgen|make) [^`]*)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
TARGET = re.compile(r"^([a-z-]+):", re.M)


def commands(page: Path) -> Iterator[str]:
    """What the page shows as a command; columns of two spaces or more set an explanation off."""
    text = page.read_text(encoding="utf-8")
    for found in (*TYPED.findall(text), *QUOTED.findall(text)):
        yield re.split(r"\s{2,}|\s#", found)[0].strip()


def program(words: list[str]) -> tuple[Any, list[str]]:
    """The command line application that words begin with, and the words for it."""
    if words[0] == "structgen":
        from structgen.cli import app

        return get_command(app), words[1:]
    if words[2] == "bench":
        from bench.__main__ import app
    else:
        from conformance.__main__ import app
    return get_command(app), words[3:]


def check(words: list[str]) -> None:
    """Assert that the command and its options exist."""
    command, rest = program(words)
    while (inner := getattr(command, "commands", None)) and rest and not rest[0].startswith("-"):
        name, *rest = rest
        assert name in inner, f"{' '.join(words)}: no command {name}"
        command = inner[name]
    options = {
        option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = [word for word in rest if word.startswith("-") and word != "-" and word not in options]
    assert not unknown, f"{' '.join(words)}: {unknown}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_exists(page: Path) -> None:
    targets = set(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    for line in commands(page):
        words = shlex.split(line)
        if words[0] == "make":
            assert {word for word in words[1:] if "=" not in word} <= targets, line
        else:
            check(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", BENCHMARKS, ids=lambda page: page.stem)
def test_every_benchmark_page_has_a_command_and_is_linked(page: Path) -> None:
    assert list(commands(page))
    assert f"(benchmarks/{page.name})" in (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", architecture.pages(), ids=lambda page: page.name)
def test_the_tables_of_modules_are_up_to_date(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == architecture.pages()[page], "run `python -m architecture`"


def test_the_worked_example_is_what_the_lattice_computes() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    vocabulary = Vocabulary.from_tokens(["<pad>", "<eos>", b"a", b"b", b"ab", b"ba"])
    rows = re.findall(r"^\| position \d \| (.*) \|$", text, re.M)
    shown = torch.tensor([[float(cell.strip("* ")) for cell in row.split("|")] for row in rows])
    scores = shown[:, [5, 4, 0, 1, 2, 3]].log()  # the columns in the order of the ids
    lattice = BlockLattice([block(compile(Regex("ab|b"), vocabulary).dfa)], scores[None])
    assert lattice.log_partition().exp().item() == pytest.approx(0.06725)
    assert lattice.argmax().ids.tolist() == [[3, 1, 0]]
    marginals = lattice.marginals()[0]
    assert marginals[0, 2:5].tolist() == pytest.approx([0.297, 0.468, 0.234], abs=5e-4)
    assert marginals[1, [3, 1]].tolist() == pytest.approx([0.297, 0.703], abs=5e-4)
    assert all(figure in text for figure in ("0.06725", "0.297", "0.468", "0.234", "0.703"))


def test_the_picture_of_the_worked_example_is_what_the_lattice_computes() -> None:
    from bench.lattice import picture

    shown = (ROOT / "docs" / "images" / "lattice.svg").read_text(encoding="utf-8")
    assert shown == picture(), "run `make plots`"
