"""Every small value that a schema's own words make, judged by the jsonschema package alone.

The judge reads the schema, never what structgen has made of it, and what is judged is the compiled automaton: with
silence allowing everything and members in any order, a text is to be accepted if and only if its value is valid.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, islice, product
from typing import Any

from conformance.judge import limited, source_of
from conformance.samples import NotJudged, ecma_patterns, judging, validator_of
from conformance.suites import Group
from structgen.compiler.constraint import compile
from structgen.errors import StructgenError
from structgen.sources import Terms

TERMS = Terms(additional="open", unknown="annotations", order="any")
SCALARS = (None, True, False, 0, 1, 1.5, -1, "", "a", "ab")
FOREIGN = "other"  # a key that schemas do not name
KEYS, ITEMS = 3, 3  # that an object or array has at most
WORDS = 6  # constants, and as many keys, that are taken from a schema
MOST = 600  # values of one schema
SECONDS = 20.0


@dataclass(frozen=True)
class Compared:
    """The texts on which structgen and jsonschema differ.

    valid, invalid: how many were compared; refused: why none were
    """

    valid: int = 0
    invalid: int = 0
    accepted: tuple[str, ...] = ()  # though not valid
    rejected: tuple[str, ...] = ()  # though valid
    refused: str = ""


def compared(group: Group, terms: Terms = TERMS) -> Compared:
    """All small values of a group's schema, and its own instances, by jsonschema and by the automaton."""
    try:
        valid = judged(group)
        with limited(SECONDS):
            constraint = compile(source_of(group, terms))
            differing = [text for text, right in valid.items() if constraint.accepts(text) != right]
    except (StructgenError, TimeoutError, NotJudged) as error:
        return Compared(refused=f"{type(error).__name__}: {error}")
    return Compared(
        sum(valid.values()),
        len(valid) - sum(valid.values()),
        tuple(text for text in differing if not valid[text]),
        tuple(text for text in differing if valid[text]),
    )


def judged(group: Group) -> dict[str, bool]:
    """Texts of values, and whether jsonschema takes the values for valid."""
    validator = validator_of(group)
    with ecma_patterns(), judging():
        drawn = [*values(group.schema), *(value for value, _ in group.instances)]
        try:
            return {json.dumps(value, ensure_ascii=False): validator.is_valid(value) for value in drawn}
        except (
            TypeError
        ) as error:  # referencing looks for "$id" in the true and false that draft 4 has as values
            raise NotJudged(f"jsonschema cannot read the schema: {error}") from None


def values(schema: Any) -> Iterator[Any]:
    """Scalars, arrays and objects of them, and some with one more level; evenly thinned out where they are many."""
    keys = [*islice(dict.fromkeys(_keys(schema)), WORDS), FOREIGN]
    scalars = _distinct([*islice(_constants(schema), WORDS), *SCALARS])
    few = scalars[:: max(1, len(scalars) // 5)]
    flat = [*_arrays(few), *_objects(keys, few)]
    inner = [*scalars[:2], *flat[:: max(1, len(flat) // 6)]]
    found = [*scalars, *flat, *_arrays(inner), *_objects(keys, inner)]
    yield from found[:: -(-len(found) // MOST)]


def _arrays(items: Sequence[Any]) -> Iterator[list[Any]]:
    return map(list, chain.from_iterable(product(items, repeat=count) for count in range(ITEMS + 1)))


def _objects(keys: Sequence[str], items: Sequence[Any]) -> Iterator[dict[str, Any]]:
    for count in range(KEYS + 1):
        for chosen in chain(combinations(keys, count), combinations(keys[::-1], count) if count == 2 else ()):
            for members in product(items[: 5 - count], repeat=count):
                yield dict(zip(chosen, members, strict=True))


def _keys(schema: Any) -> Iterator[str]:
    """The names of members that a schema mentions, in its order."""
    if isinstance(schema, Mapping):
        for keyword in ("properties", "dependentRequired", "dependentSchemas", "dependencies"):
            yield from schema[keyword] if isinstance(schema.get(keyword), Mapping) else ()
        required = schema.get("required")
        yield from (name for name in required if isinstance(name, str)) if isinstance(required, list) else ()
    for part in _parts(schema):
        yield from _keys(part)


def _constants(schema: Any) -> Iterator[Any]:
    """Constants of a schema, and numbers at its bounds and beside them."""
    if isinstance(schema, Mapping):
        yield from [schema["const"]] if "const" in schema else []
        yield from schema["enum"] if isinstance(schema.get("enum"), list) else ()
        for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
            bound = schema.get(keyword)
            if isinstance(bound, int | float) and not isinstance(bound, bool):
                yield from (bound, bound + 1, bound - 1)
        for keyword in ("minLength", "maxLength"):
            length = schema.get(keyword)
            if isinstance(length, int) and length < 20:
                yield from ("é" * length, "é" * (length + 1), "é" * max(0, length - 1))
    for part in _parts(schema):
        yield from _constants(part)


def _parts(schema: Any) -> Iterator[Any]:
    if isinstance(schema, Mapping):
        yield from (part for keyword, part in schema.items() if keyword not in ("const", "enum"))
    elif isinstance(schema, list):
        yield from schema


def _distinct(found: Sequence[Any]) -> list[Any]:
    """Values whose JSON differs."""
    return list({json.dumps(value, sort_keys=True): value for value in reversed(found)}.values())[::-1]
