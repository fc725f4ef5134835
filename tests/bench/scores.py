"""Scores of extracted values: fields that are right, exactly or but for their form, and how honest confidences are.

A field is a scalar at its JSON pointer; an empty container counts as one. It is *exact* if it is the gold value, type
and all (1 and 1.0 are one number), and *alike* if it is the same but for its form: case, white space and punctuation
at the end of a text do not count, numbers are compared by value and dates by day, written as text or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bench.clock import Seconds

BINS = 10
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%Y/%m/%d")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


def leaves(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The scalars of a JSON value by pointer; empty containers count as leaves."""
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from leaves(part, f"{pointer}/{name}")
    elif isinstance(value, list) and value:
        for index, part in enumerate(value):
            yield from leaves(part, f"{pointer}/{index}")
    else:
        yield pointer, value


def same(left: Any, right: Any) -> bool:
    """JSON equality: 1 and 1.0 are one number, true is no number."""
    return normal(left) == normal(right)


def alike(left: Any, right: Any) -> bool:
    """Equality of two leaves but for their form."""
    return folded(left) == folded(right)


def normal(value: Any) -> Any:
    """A value whose equality is JSON's."""
    if isinstance(value, Mapping):
        return {name: normal(part) for name, part in value.items()}
    if isinstance(value, list):
        return [normal(part) for part in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    return ("number", float(value))


def folded(value: Any) -> Any:
    """A leaf without its form: a number, a day, or a text in lower case single spaces, no punctuation behind."""
    if not isinstance(value, str):
        return normal(value)
    text = " ".join(value.split())
    with suppress(InvalidOperation):
        if NUMBER.fullmatch(text):
            return ("number", float(Decimal(text)))
    for form in DATES:
        with suppress(ValueError):
            return ("date", datetime.strptime(text, form).date())
    with suppress(ValueError):
        return ("date", datetime.fromisoformat(text).date())
    return ("str", text.casefold().rstrip(".,;:!? "))


@dataclass(frozen=True)
class Answer:
    """What one way of decoding made of a problem.

    value: None if the text is not JSON; valid: whether it satisfies the schema; steps: forward passes
    tokens: that spell the text; confidences: of leaves by JSON pointer, those that are known
    """

    value: Any
    valid: bool
    steps: int
    tokens: int
    seconds: Seconds
    confidences: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Tally:
    """Sums over the answers of one way of decoding on one split."""

    fields: int = 0
    exact: int = 0
    alike: int = 0
    documents: int = 0
    objects: int = 0
    valid: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    judged: list[tuple[float, bool]] = field(
        default_factory=list
    )  # confidence of a field, and whether it is right

    def add(self, gold: Any, answer: Answer) -> None:
        """Count one answer."""
        wanted, got = dict(leaves(gold)), dict(leaves(answer.value))
        right = {name for name, leaf in wanted.items() if name in got and same(got[name], leaf)}
        self.fields += len(wanted)
        self.exact += len(right)
        self.alike += sum(name in got and alike(got[name], leaf) for name, leaf in wanted.items())
        self.documents += 1
        self.objects += same(answer.value, gold)
        self.valid += answer.valid
        self.steps += answer.steps
        self.tokens += answer.tokens
        self.seconds += answer.seconds.wall
        self.cpu += answer.seconds.cpu
        self.judged += [(belief, name in right) for name, belief in answer.confidences.items()]

    def figures(self) -> dict[str, Any]:
        """The shares and means, by name."""
        return {
            "documents": self.documents,
            "fields": self.fields,
            "exact": self.exact / self.fields,
            "alike": self.alike / self.fields,
            "objects": self.objects / self.documents,
            "valid": self.valid / self.documents,
            "steps": self.steps / self.documents,
            "seconds_per_document": self.seconds / self.documents,
            "cpu_seconds_per_document": self.cpu / self.documents,
            "tokens_per_second": self.tokens / self.seconds,
            "ece": calibration_error(self.judged) if self.judged else None,
            "mean_confidence": sum(belief for belief, _ in self.judged) / len(self.judged)
            if self.judged
            else None,
        }


def calibration_error(judged: Sequence[tuple[float, bool]], bins: int = BINS) -> float:
    """Expected calibration error: |mean confidence − share right| of each of `bins` equal bins, weighted by its size.

    Guo et al. 2017, "On calibration of modern neural networks".
    """
    filled: dict[int, list[tuple[float, bool]]] = {}
    for belief, right in judged:
        filled.setdefault(min(int(belief * bins), bins - 1), []).append((belief, right))
    gaps = (abs(sum(belief for belief, _ in one) - sum(right for _, right in one)) for one in filled.values())
    return sum(gaps) / len(judged)
