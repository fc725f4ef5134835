"""Mutated grammars, in Lark's notation, in EBNF and as structural tags: each is read or refused with its place.

What is read is compiled under the limits of `compile`, some of it only, because that takes longer.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import structgen as sg
from conformance.mutated_tags import mutated_tag
from structgen.errors import StructgenError, Unsatisfiable, Unsupported

ROOT = Path(__file__).parents[2]
BITS = (
    *'"/()[]{}|&~:%<>@.,=*+?!-\\\n\r\x00 aZ1_ä😀',
    "::=",
    "->",
    "%ignore ",
    "%json {",
    "{2,",
    "[lazy]",
    "start",
    "root",
)
SOURCES: dict[str, Callable[[Any], Any]] = {"lark": sg.Lark, "ebnf": sg.Ebnf, "tags": sg.StructuralTag}
PLACED = ("line ", "no rule 'root'", "(at /")
SLOW = 10.0  # seconds
EVERY = 20  # of the grammars that are read, each so-manieth is compiled


def seeds() -> dict[str, list[str]]:
    """The grammars of the page about grammars and of the library, by notation."""
    page = (ROOT / "docs" / "grammars.md").read_text(encoding="utf-8")
    cells = [cell.replace("\\|", "|").replace(" ⏎ ", "\n") for cell in re.findall(r"\| `(.*?)` \|", page)]
    lark = [cell for cell in cells if "start" in cell]
    ebnf = [cell for cell in cells if "::=" in cell]
    for path in sorted((ROOT / "grammars").iterdir()):
        if path.suffix in (".lark", ".ebnf"):
            (lark if path.suffix == ".lark" else ebnf).append(path.read_text(encoding="utf-8"))
    return {"lark": lark, "ebnf": ebnf}


def mutated(draw: random.Random, known: list[str]) -> str:
    """A grammar with one to three changes: a piece inserted, dropped, doubled or taken from another grammar."""
    text, other = draw.choice(known), draw.choice(known)
    for _ in range(draw.randint(1, 3)):
        at, length = draw.randint(0, len(text)), draw.choice((0, 0, 1, 2, 5, 40))
        begin = draw.randint(0, len(other))
        new = draw.choice(
            (draw.choice(BITS), draw.choice(BITS), "", other[begin : begin + 30], text[at : at + length] * 2)
        )
        text = text[:at] + new + text[at + length :]
    return text


def outcomes(count: int, first: int) -> Iterator[tuple[str, Any]]:
    """A word to count for each mutated grammar, and the grammar if it is a fault."""
    known = seeds()
    tally = Counter[str]()
    for number in range(first, first + count):
        draw = random.Random(number)
        notation = draw.choice(["lark", "ebnf", "tags"])
        source = mutated_tag(draw) if notation == "tags" else mutated(draw, known[notation])
        begun = time.process_time()
        word = _outcome(notation, source, tally)
        if time.process_time() - begun > SLOW:
            word = f"FAULT {notation}: slow"
        yield word, source


def _outcome(notation: str, source: Any, tally: Counter[str]) -> str:
    made = SOURCES[notation](source)
    try:
        made.lower()
    except StructgenError as error:
        said = str(error)
        placed = any(word in said for word in PLACED) or isinstance(error, Unsatisfiable)
        return f"{notation}: refused" if placed else f"FAULT {notation}: refused without a place ({error})"
    except Exception as error:  # whatever it is, it is a fault
        return f"FAULT {notation}: {type(error).__name__}: {error}"
    tally[notation] += 1
    if tally[notation] % EVERY:
        return f"{notation}: read"
    try:
        sg.compile(made, seconds=SLOW, gigabytes=2)
    except (Unsupported, Unsatisfiable):
        return f"{notation}: read, refused by a limit or for want of a text"
    except StructgenError as error:
        needed = "no special token" in str(error)  # the vocabulary is of bytes
        return f"{notation}: read, needs a vocabulary" if needed else f"FAULT {notation}: {error}"
    except Exception as error:
        return f"FAULT {notation}: compile: {type(error).__name__}: {error}"
    return f"{notation}: read and compiled"
