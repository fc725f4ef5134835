"""Damaged answers through projection and through json_repair: valid, equal to the value they come from, and fast."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from conformance.damage import Damaged, _valid
from structgen.compiler.constraint import compile
from structgen.errors import StructgenError


@dataclass
class Tally:
    """The answers of one kind: how many, valid, with the value recovered by us and by json_repair, seconds of each."""

    count: int = 0
    valid: int = 0
    recovered: int = 0
    repaired: int = 0
    valid_repaired: int = 0
    seconds: list[float] = field(default_factory=list)
    distances: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        share = f"{self.recovered} of {self.count} recovered (json_repair: {self.repaired})"
        return f"{self.valid} valid (json_repair: {self.valid_repaired}), {share}"


def judged(cases: Iterable[Damaged]) -> Iterator[tuple[Damaged, Tally, str]]:
    """Each case with its tally of one, and a line about it if its value was not recovered."""
    compile({"enum": ["ab"]}).project('"ac"')  # the kernels are compiled or loaded once
    for case in cases:
        one, text = Tally(1), ""
        begun = time.process_time()
        try:
            found = case.constraint.project(case.answer)
            one.seconds = [time.process_time() - begun]
            text, value = found.text, json.loads(found.text)
            one.distances = [found.distance]
            one.valid = int(_valid(value, case.schema) and case.constraint.accepts(text))
            one.recovered = int(same(value, case.value))
        except StructgenError as error:
            one.seconds = [time.process_time() - begun]
            text = f"{type(error).__name__}: {error}"
        repaired = by_json_repair(case)
        one.repaired = int(same(repaired, case.value))
        one.valid_repaired = int(repaired is not None and _valid(repaired, case.schema))
        yield case, one, "" if one.recovered else text


def by_json_repair(case: Damaged) -> Any:
    """What json_repair makes of an answer with the schema; None if it gives up."""
    import json_repair

    try:
        return json_repair.loads(case.answer, schema=case.schema)
    except Exception:  # whatever it raises is no value
        return None


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal; True is not 1, but 1 is 1.0."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def percentile(seconds: list[float], share: int) -> float:
    """The time, in milliseconds, within which a share (in percent) of the answers were projected."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, len(seconds) * share // 100)]


def merged(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies."""
    total = Tally()
    for one in tallies:
        for name in ("count", "valid", "recovered", "repaired", "valid_repaired", "seconds", "distances"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
    return total
