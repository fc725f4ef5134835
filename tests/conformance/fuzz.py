"""Random schemas with random values, judged by the jsonschema package.

The schemas use every keyword with few words (the same four keys, a handful of constants), so that keywords meet: what
is hard is not one keyword but two about the same member. Values are as small, and are written with their members in
every order, for structgen writes each value in one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, permutations, product
from typing import Any

import jsonschema

from conformance.judge import in_some_order, limited
from conformance.recogniser import recognises
from conformance.samples import NotJudged, judging
from structgen.errors import StructgenError
from structgen.grammar import Grammar
from structgen.sources.json_schema import JsonSchema, Order

KEYS = ["a", "b", "c", "ab"]
SCALARS = [None, True, False, 0, 1, 2, -1, 0.5, 1.0, 3, 6, "", "a", "b", "ab", "aa"]
TYPES = [
    "object",
    "array",
    "string",
    "integer",
    "number",
    ["object", "array"],
    ["integer", "string"],
    ["null", "object"],
]
LEAVES = [
    True, False, {"type": "integer"}, {"type": "string"}, {"type": "null"}, {"type": "boolean"}, {"type": "number"},
    {"type": ["string", "null"]}, {"minimum": 1}, {"maxLength": 1}, {"pattern": "^a"}, {"multipleOf": 2},
    {"$ref": "#/$defs/x"}, {"$ref": "#/$defs/y"},
]  # fmt: skip
NAMES = [{"pattern": "^a"}, {"maxLength": 1}, {"enum": ["a", "b"]}, {"not": {"const": "c"}}]
ORDERS = 2000  # of the members of one value, before the likeliest is looked for
FEW = 24  # of these, where all must be right
SECONDS = 20.0


@dataclass(frozen=True)
class Outcome:
    """What came of one schema: "right", "refused", "accepts", "rejects", "crash" or "slow", and for which value."""

    kind: str
    schema: Any
    detail: str = ""


class Maker:
    """Draws schemas and values."""

    def __init__(self, seed: int):
        self.rng = random.Random(seed)

    def document(self) -> dict[str, Any]:
        """A schema with two definitions, one perhaps recursive."""
        schema = self.schema(3)
        schema = schema if isinstance(schema, dict) else {"allOf": [schema]}
        inner: dict[str, Any] = {"x": self.schema(2), "y": self.schema(1)}
        if self.rng.random() < 0.3:
            rest = self.rng.choice([{}, {"additionalProperties": False}, {"type": "object"}])
            inner["x"] = {"properties": {"a": {"$ref": "#/$defs/x"}, "b": self.schema(1)}, **rest}
        return {**schema, "$defs": inner}

    def value(self, depth: int = 3) -> Any:
        """A JSON value."""
        kind = self.rng.random()
        if depth == 0 or kind < 0.5:
            return self.rng.choice(SCALARS)
        if kind < 0.72:
            return [self.value(depth - 1) for _ in range(self.rng.randint(0, 3))]
        return {key: self.value(depth - 1) for key in self.rng.sample(KEYS, self.rng.randint(0, 3))}

    def schema(self, depth: int) -> Any:
        """A schema of at most so many levels."""
        if depth <= 0 or self.rng.random() < 0.12:
            constant = self.rng.choice([{"const": self.value(0)}, {"enum": [self.value(0), self.value(0)]}])
            return self.rng.choice([*LEAVES, constant])
        schema: dict[str, Any] = {}
        for _ in range(self.rng.choice([1, 1, 2, 2, 3])):
            schema.update(self.rng.choice(_KEYWORDS)(self, depth - 1))
        return schema

    def schemas(self, depth: int, most: int = 3) -> list[Any]:
        """A few schemas."""
        return [self.schema(depth) for _ in range(self.rng.randint(1, most))]

    def keys(self, least: int = 1, most: int = 2) -> list[str]:
        """A few keys."""
        return self.rng.sample(KEYS, self.rng.randint(least, most))

    def contains(self, depth: int) -> dict[str, Any]:
        """`contains`, perhaps with counts."""
        found = {"contains": self.schema(depth)}
        for keyword in ("minContains", "maxContains"):
            if self.rng.random() < 0.4:
                found[keyword] = self.rng.randint(0, 2)
        return found

    def condition(self, depth: int) -> dict[str, Any]:
        """`if`, with `then` or `else` or both."""
        found = {"if": self.schema(depth)}
        for keyword in ("then", "else"):
            if self.rng.random() < 0.75:
                found[keyword] = self.schema(depth)
        return found


_KEYWORDS: list[Callable[[Maker, int], dict[str, Any]]] = [
    lambda m, d: {"type": m.rng.choice(TYPES)},
    lambda m, d: {"properties": {key: m.schema(d) for key in m.keys(1, 3)}},
    lambda m, d: {"properties": {key: m.schema(d) for key in m.keys(1, 3)}},
    lambda m, d: {"required": m.keys()},
    lambda m, d: {"additionalProperties": m.rng.choice([False, m.schema(d)])},
    lambda m, d: {"patternProperties": {m.rng.choice(["^a", "b$", "^[ab]*$"]): m.schema(d)}},
    lambda m, d: {"propertyNames": m.rng.choice(NAMES)},
    lambda m, d: {"minProperties": m.rng.randint(0, 2)},
    lambda m, d: {"maxProperties": m.rng.randint(0, 3)},
    lambda m, d: {"dependentRequired": {m.rng.choice(KEYS): m.keys(1, 1)}},
    lambda m, d: {"dependentSchemas": {m.rng.choice(KEYS): m.schema(d)}},
    lambda m, d: {"items": m.schema(d)},
    lambda m, d: {"prefixItems": m.schemas(d, 2)},
    lambda m, d: {"minItems": m.rng.randint(0, 2)},
    lambda m, d: {"maxItems": m.rng.randint(0, 3)},
    Maker.contains,
    lambda m, d: {"items": {"enum": [1, "a", None]}, "uniqueItems": True},
    *(lambda m, d, k=keyword: {k: m.schemas(d)} for keyword in ("allOf", "anyOf", "oneOf")),
    lambda m, d: {"not": m.schema(d)},
    Maker.condition,
    lambda m, d: {m.rng.choice(["minimum", "exclusiveMinimum"]): m.rng.choice([0, 1, 0.5])},
    lambda m, d: {m.rng.choice(["maximum", "exclusiveMaximum"]): m.rng.choice([0, 1, 2.5])},
    lambda m, d: {"multipleOf": m.rng.choice([2, 3, 0.5, 1])},
    lambda m, d: {m.rng.choice(["minLength", "maxLength"]): m.rng.randint(0, 2)},
    lambda m, d: {"const": m.value(1)},
    lambda m, d: {"enum": [m.value(1), m.value(1)]},
    lambda m, d: {"unevaluatedProperties": m.rng.choice([False, m.schema(d)])},
    lambda m, d: {"unevaluatedItems": m.rng.choice([False, m.schema(d)])},
    lambda m, d: {"$ref": m.rng.choice(["#/$defs/x", "#/$defs/y"])},
]


def outcome(seed: int, values: int = 16, order: Order = "declared") -> Outcome:
    """Draw a schema and some values, and compare structgen with jsonschema.

    A valid value must be accepted in one order of its members, or where `order` is "any" in all.
    """
    maker = Maker(seed)
    schema = maker.document()
    validator = jsonschema.Draft202012Validator(schema)
    drawn = [*(maker.value() for _ in range(values)), *islice(_constants(schema), 6)]
    try:
        with judging():
            truth = [(value, validator.is_valid(value)) for value in drawn]
    except NotJudged:
        return Outcome("refused", schema, "the schema refers to itself for the same value")
    try:
        with limited(SECONDS):
            grammar = JsonSchema(schema, additional="open", unknown="annotations", order=order).lower()
            return next(
                (o for value, valid in truth if (o := _wrong(grammar, value, valid, schema, order))), None
            ) or Outcome("right", schema)
    except StructgenError as error:
        return Outcome("refused", schema, str(error))
    except TimeoutError:
        return Outcome("slow", schema)
    except Exception as error:
        return Outcome("crash", schema, repr(error))


def _wrong(grammar: Grammar, value: Any, valid: bool, schema: Any, order: Order) -> Outcome | None:
    most = FEW if order == "any" else ORDERS if valid else 1
    accepted = (recognises(grammar, json.dumps(v)) for v in islice(_orders(value), most))
    if (all(accepted) if valid and order == "any" else any(accepted)) == valid:
        return None
    if valid and order == "declared" and in_some_order(grammar, value, []):
        return None
    return Outcome("rejects" if valid else "accepts", schema, json.dumps(value))


def _orders(value: Any) -> Iterator[Any]:
    """The value with its members in every order."""
    if isinstance(value, dict):
        inner = [list(_orders(item)) for item in value.values()]
        for order in permutations(range(len(value))):
            for chosen in product(*inner):
                yield {list(value)[index]: chosen[index] for index in order}
    elif isinstance(value, list):
        yield from map(list, product(*(list(_orders(item)) for item in value)))
    else:
        yield value


def _constants(schema: Any) -> Iterator[Any]:
    if isinstance(schema, dict):
        if "const" in schema:
            yield schema["const"]
        yield from schema.get("enum", ())
        for value in schema.values():
            yield from _constants(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _constants(value)
