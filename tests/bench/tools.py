"""Tool calls on BFCL's questions: how many are valid, call the right tool, and are right by the AST rule.

Shares are of all questions asked: one that is refused (its tools use what structgen cannot enforce, or the prompt is
too long) counts as wrong, and is listed with the reason. Only `valid` is of those answered; jsonschema judges it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from rich.console import Console
from rich.table import Table

import structgen as sg
from bench.autoregressive import Greedy
from bench.bfcl import CATEGORIES, Item, items
from bench.clock import Seconds, now, since
from bench.schemas import closed
from structgen.generation.options import Options
from structgen.generation.writer import prompt_ids
from structgen.model import Model
from structgen.sources.tools import Tools
from structgen.verbs.call import call, conversation

REFUSALS = (sg.StructgenError, ValueError)  # ours, and llguidance's
Caller = Callable[
    [Item], tuple[str, int]
]  # the text of the answer to a question, and the forward passes it took


@dataclass
class Tally:
    """Counts over the answers of one way of decoding on one category."""

    items: int = 0
    answered: int = 0
    valid: int = 0
    named: int = 0
    right: int = 0
    steps: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    refused: dict[str, str] = field(default_factory=dict)  # reasons by question

    def add(self, item: Item, text: str, steps: int, seconds: Seconds) -> None:
        """Count one answer."""
        self.answered += 1
        self.steps += steps
        self.seconds += seconds.wall
        self.cpu += seconds.cpu
        try:
            call = json.loads(text)
        except ValueError:
            return
        if Draft202012Validator(Tools(item.tools, "required").schema).is_valid(call):
            self.valid += 1
            self.named += item.names_right(call["name"])
            self.right += item.is_right(call["name"], call["arguments"])

    def figures(self) -> dict[str, Any]:
        """The shares and means, by name."""
        answered = self.answered or 1
        return {
            "items": self.items,
            "refused": len(self.refused),
            "valid": self.valid / answered,
            "name_right": self.named / self.items,
            "right": self.right / self.items,
            "right_of_answered": self.right / answered,
            "steps": self.steps / answered,
            "seconds_per_item": self.seconds / answered,
            "cpu_seconds_per_item": self.cpu / answered,
            "refusals": self.refused,
        }


def run(
    model: Model,
    data: Path,
    console: Console,
    *,
    items: int = 100,
    steps: int | None = None,
    causal: Path | None = None,
    causal_items: int = 20,
) -> dict[str, Any]:
    """Print the table and why questions were refused; returns the figures."""
    rows = measured({model.name: _diffusion(model, steps)}, data, items, console)
    if causal is not None:
        baseline = sg.load(causal, device="cpu")
        callers = {
            f"{Path(baseline.name).stem}, {name}": caller for name, caller in _causal(baseline).items()
        }
        rows += measured(callers, data, causal_items, console)
    console.print(table(rows))
    for reason, count in _reasons(rows).most_common():
        console.print(f"refused {count} ×: {reason}", style="dim", highlight=False, markup=False)
    return {"rows": rows}


def measured(callers: Mapping[str, Caller], data: Path, count: int, console: Console) -> list[dict[str, Any]]:
    """A row for each category and way, over the first `count` questions."""
    rows = []
    for category in CATEGORIES:
        asked = list(islice(items(data, category), count))
        for name, caller in callers.items():
            with console.status(f"{category}: {name}"):
                with suppress(*REFUSALS):
                    caller(asked[0])  # before the clock starts: kernels, caches
                counts = tally(caller, asked)
            rows.append({"category": category, "decoding": name, **counts.figures()})
    return rows


def tally(caller: Caller, asked: Sequence[Item]) -> Tally:
    """Counts over the answers."""
    counts = Tally()
    for item in asked:
        counts.items += 1
        begun = now()
        try:
            text, steps = caller(item)
        except REFUSALS as error:
            counts.refused[item.name] = str(error)
            continue
        counts.add(item, text, steps, since(begun))
    return counts


def _diffusion(model: Model, steps: int | None) -> Caller:
    def answer(item: Item) -> tuple[str, int]:
        done = call(
            model, item.messages, item.tools, Options(steps=steps), tool_choice="required", form="json"
        )
        return done.text, done.steps

    return answer


def _causal(model: Model) -> dict[str, Caller]:
    """Token by token with llguidance's masks, and in blocks through our lattice; both read the same prompt."""
    greedy = Greedy(model)

    def masked(item: Item) -> tuple[str, int]:
        source = Tools(item.tools, "required")
        prompt = prompt_ids(model, model.prompts.calls(source, conversation(item.messages)))
        written = greedy(prompt, closed(source.schema))
        return written.text, written.steps

    return {"token by token, llguidance": masked, "in blocks, our lattice": _diffusion(model, None)}


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The rows, their shares in per cent."""
    shares = ("valid", "name_right", "right", "right_of_answered")
    titles = ("valid", "name right", "right", "right of answered", "passes", "s/item", "CPU s/item")
    made = Table("category", "decoding", "items", "refused", *titles)
    for row in rows:
        cells = [row["category"], row["decoding"], str(row["items"]), str(row["refused"])]
        cells += [f"{row[name]:.1%}" for name in shares]
        made.add_row(
            *cells,
            f"{row['steps']:.1f}",
            f"{row['seconds_per_item']:.2f}",
            f"{row['cpu_seconds_per_item']:.2f}",
        )
    return made


def _reasons(rows: Sequence[Mapping[str, Any]]) -> Counter[str]:
    """How often each reason was given, whatever the tool and the place in it."""
    told = (reason for row in rows for reason in row["refusals"].values())
    return Counter(reason.partition("': ")[2].partition(" (at ")[0] or reason for reason in told)
