"""What an automaton generates is valid: random texts of real schemas, judged by jsonschema with format checks on."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import referencing.jsonschema
from jsonschema import _keywords, _legacy_keywords, _utils
from jsonschema.validators import validator_for

from conformance.judge import limited, source_of
from conformance.recogniser import passes
from conformance.sampler import Sampler
from conformance.suites import Group
from conformance.walker import Walker
from structgen.errors import StructgenError

SECONDS = 120.0  # of computing for one schema


@dataclass(frozen=True)
class Drawn:
    """The texts drawn from one schema and those that are not valid; None of them where it is refused."""

    count: int
    wrong: list[str]


@dataclass(eq=False)
class Tally:
    """What has been drawn so far, by schema: how many texts and how many are not valid; None if it was refused."""

    seen: dict[str, tuple[int, int] | None] = field(default_factory=dict)

    @classmethod
    def resumed(cls, state: Path | None) -> Tally:
        """What a file says that an earlier run has done."""
        tally = cls()
        for line in state.read_text().splitlines() if state and state.exists() else ():
            name, counts = json.loads(line)
            tally.seen[name] = counts and tuple(counts)
        return tally

    def add(self, name: str, found: Drawn | None, state: Path | None) -> None:
        """Count one schema, and note it in the file."""
        self.seen[name] = found and (found.count, len(found.wrong))
        if state:
            with state.open("a") as lines:
                lines.write(json.dumps([name, self.seen[name]]) + "\n")

    @property
    def schemas(self) -> int:
        """How many were not refused."""
        return sum(counts is not None for counts in self.seen.values())

    def __str__(self) -> str:
        counts = [counts for counts in self.seen.values() if counts]
        texts, wrong = sum(c for c, _ in counts), sum(w for _, w in counts)
        refused = len(self.seen) - len(counts)
        return f"{len(counts)} schemas, {texts} texts, {wrong} not valid, {refused} schemas refused"


def drawn(group: Group, samples: int) -> Drawn | None:
    """`samples` texts: half from the automata, half from the grammar, which reaches more of a large one."""
    try:
        with limited(SECONDS):
            grammar = source_of(group).lower()
            rng = random.Random(group.name)
            walker, sampler = Walker(grammar, rng), Sampler(grammar, rng)
            texts = [walker.text() for _ in range(samples - samples // 2)]
            texts += [sampler.text() for _ in range(samples // 2)]
            texts = [
                text for text in texts if passes(grammar, text)
            ]  # what fails is drawn again when generating
            validator = validator_of(group)
            return Drawn(len(texts), [text for text in texts if not validator.is_valid(json.loads(text))])
    except (StructgenError, TimeoutError):
        return None


def validator_of(group: Group) -> Any:
    """Jsonschema's judge of a group's schema: with format checks, exact about multiples, with the group's resources."""
    kind = validator_for(group.schema, jsonschema.Draft202012Validator)
    exact = jsonschema.validators.extend(kind, {"multipleOf": _multiple_of})
    dialect = referencing.jsonschema.specification_with(kind.META_SCHEMA.get("$schema", ""))
    known = ((uri, dialect.create_resource(document)) for uri, document in group.resources.items())
    registry = jsonschema.validators.SPECIFICATIONS.with_resources(known)
    return exact(group.schema, format_checker=kind.FORMAT_CHECKER, registry=registry)


def _multiple_of(
    validator: Any, step: Any, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    """multipleOf of what was written: by the division of doubles 4.6 would be no multiple of 0.01."""
    if validator.is_type(instance, "number") and Fraction(repr(instance)) % Fraction(repr(step)):
        yield jsonschema.ValidationError(f"{instance!r} is not a multiple of {step}")


class NotJudged(Exception):
    """What jsonschema cannot judge: a schema that refers to itself for the same value, a pattern Python cannot read."""


@contextmanager
def judging() -> Iterator[None]:
    """Raise NotJudged where jsonschema fails: a RecursionError in its Rust parts is a panic, which is no Exception."""
    try:
        yield
    except BaseException as error:
        if isinstance(error, RecursionError | re.error) or type(error).__name__ == "PanicException":
            raise NotJudged(type(error).__name__) from None
        raise


@contextmanager
def ecma_patterns() -> Iterator[None]:
    """JSON Schema's patterns are ECMA's: \\w and \\d know ASCII only, no line ends in a dot, $ is the very end,
    \\s has every space of Unicode."""
    ecma = SimpleNamespace(
        search=lambda pattern, text: re.search(_ecma(pattern), text, re.ASCII), escape=re.escape
    )
    modules: list[Any] = [m for m in (_keywords, _legacy_keywords, _utils) if hasattr(m, "re")]
    for module in modules:
        module.re = ecma
    try:
        yield
    finally:
        for module in modules:
            module.re = re


SPACES = r"\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


@cache
def _ecma(pattern: str) -> str:
    """The pattern as Python spells it; but for white space, what stands in brackets is the same in both."""
    parts = re.findall(r"\\.|\[\^?(?:\\.|[^\]\\])*\]|.", pattern, re.DOTALL)
    spelled = {".": r"[^\n\r\u2028\u2029]", "$": r"\Z", r"\s": f"[{SPACES}]", r"\S": f"[^{SPACES}]"}
    return "".join(spelled.get(str(part), _spaced(str(part))) for part in parts)


def _spaced(part: str) -> str:
    """A set of characters that says which ones \\s is."""
    if not part.startswith("["):
        return part
    return re.sub(r"\\(.)", lambda escape: SPACES if escape[1] == "s" else escape[0], part, flags=re.DOTALL)
