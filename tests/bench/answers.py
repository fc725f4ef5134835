"""What the model answers, kept and compared: a change that should change no answer is held to this.

A file has, for each held-out document and for each tool question, the ids that were generated. Documents are those of
`python -m bench extract`, questions those of `python -m bench tools`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console

import structgen as sg
from bench.bfcl import CATEGORIES, items
from bench.problems import SPLITS, problems
from structgen.model import Model
from structgen.verbs.call import call
from structgen.verbs.extract import extract

Ids = Sequence[int] | str


def run(model: Model, console: Console, *, documents: int, questions: int, data: Path) -> dict[str, Ids]:
    """The ids of each answer by the name of its question; the message of an error instead."""
    found = dict[str, Ids]()
    with console.status("answers"):
        for name, answer in _answers(model, documents, questions, data):
            found[name] = answer
    console.print(f"{len(found)} answers")
    return found


def compared(now: Mapping[str, Ids], kept: Path, console: Console) -> int:
    """Print how many answers are those of a kept file; how many are not."""
    before = json.loads(kept.read_text(encoding="utf-8"))
    shared = sorted(now.keys() & before.keys())
    other = [name for name in shared if json.dumps(now[name]) != json.dumps(before[name])]
    console.print(f"{len(shared) - len(other)} of {len(shared)} answers are the same as in {kept.name}")
    for name in other[:20]:
        console.print(f"  not the same: {name}")
    return len(other)


def _answers(model: Model, documents: int, questions: int, data: Path) -> Iterator[tuple[str, Ids]]:
    for split in SPLITS:
        for number, problem in enumerate(problems(split, documents, model)):
            yield f"{split} {number}", _ids(extract, model, problem.document, problem.schema)
    for category in CATEGORIES if data.exists() else ():
        for item in islice(items(data, category), questions):
            for choice in ("auto", "required"):
                yield (
                    f"{item.name} {choice}",
                    _ids(call, model, item.messages, item.tools, tool_choice=choice),
                )


def _ids(verb: Any, *arguments: Any, **options: Any) -> Ids:
    try:
        return list(verb(*arguments, **options).ids)
    except sg.StructgenError as error:
        return f"{type(error).__name__}: {error}"
