"""What an automaton generates is valid: random texts of real schemas, judged by jsonschema with format checks on."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any

import jsonschema
from jsonschema import _keywords, _legacy_keywords, _utils
from jsonschema.validators import validator_for

from conformance.judge import limited, source_of
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


def drawn(group: Group, samples: int) -> Drawn | None:
    """`samples` texts: half from the automata, half from the grammar, which reaches more of a large one."""
    try:
        with limited(SECONDS):
            grammar = source_of(group).lower()
            rng = random.Random(group.name)
            walker, sampler = Walker(grammar, rng), Sampler(grammar, rng)
            texts = [walker.text() for _ in range(samples - samples // 2)]
            texts += [sampler.text() for _ in range(samples // 2)]
            validator = _validator(group.schema)
            return Drawn(len(texts), [text for text in texts if not validator.is_valid(json.loads(text))])
    except (StructgenError, TimeoutError):
        return None


def _validator(schema: Any) -> Any:
    kind = validator_for(schema, jsonschema.Draft202012Validator)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


@contextmanager
def ecma_patterns() -> Iterator[None]:
    """JSON Schema's patterns are ECMA's: \\w and \\d know ASCII only, no line ends in a dot, $ is the very end."""
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


@cache
def _ecma(pattern: str) -> str:
    """The pattern as Python spells it; what stands in brackets or behind a backslash is the same in both."""
    parts = re.findall(r"\\.|\[\^?(?:\\.|[^\]\\])*\]|.", pattern, re.DOTALL)
    spelled = {".": r"[^\n\r\u2028\u2029]", "$": r"\Z"}
    return "".join(spelled.get(str(part), str(part)) for part in parts)
