"""The Berkeley Function Calling Leaderboard's questions: their tools as JSON Schema, and its AST rule of what is right.

The rule is written after bfcl-eval's `ast_checker` (Apache-2.0): the right tool, every required argument, no argument
that the answer does not know, and each value of the declared type among the accepted ones; an argument whose accepted
values include "" may be left out. Texts are compared without spaces, case and the signs , . / - _ * ^.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATEGORIES = {"simple": "simple_python", "multiple": "multiple"}
TYPES = {"dict": "object", "float": "number", "tuple": "array"}
KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "float": (float, int),
    "boolean": bool,
    "array": list,
    "tuple": list,
    "dict": dict,
    "any": str,
}
ABSENT = ""  # among the accepted values: the argument may be left out
SIGNS = re.compile(r"[ ,./\-_*^]")


@dataclass(frozen=True)
class Item:
    """A question. functions: as BFCL spells them; accepted: the right function's name and its arguments' values."""

    name: str
    messages: list[dict[str, Any]]
    functions: list[dict[str, Any]]
    accepted: tuple[str, Mapping[str, Sequence[Any]]]

    @property
    def tools(self) -> list[dict[str, Any]]:
        """The functions as OpenAI's API has tools."""
        return [
            {
                "type": "function",
                "function": {**function, "parameters": as_json_schema(function["parameters"])},
            }
            for function in self.functions
        ]

    def names_right(self, name: str) -> bool:
        """Whether this is the function to call."""
        return name == self.accepted[0]

    def is_right(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Whether a call is right by the AST rule."""
        if not self.names_right(name):
            return False
        function = next(function for function in self.functions if function["name"] == name)
        return arguments_right(arguments, self.accepted[1], function["parameters"])


def items(file: Path, category: str) -> Iterator[Item]:
    """The questions of a category that have one right call."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            if entry["category"] == CATEGORIES[category] and len(entry["ground_truth"]) == 1:
                (accepted,) = entry["ground_truth"][0].items()
                yield Item(entry["id"], entry["question"][0], entry["function"], accepted)


def as_json_schema(parameters: Any) -> Any:
    """A schema with JSON Schema's names for types; "any" is any value, and `optional`, which it does not know, goes."""
    if isinstance(parameters, list):
        return [as_json_schema(part) for part in parameters]
    if not isinstance(parameters, Mapping):
        return parameters
    schema = {}
    for keyword, part in parameters.items():
        if keyword == "properties":
            schema[keyword] = {name: as_json_schema(one) for name, one in part.items()}
        elif keyword == "type" and part != "any":
            schema[keyword] = TYPES.get(part, part)
        elif keyword in ("default", "enum", "const"):
            schema[keyword] = part
        elif keyword not in ("type", "optional"):
            schema[keyword] = as_json_schema(part)
    return schema


def arguments_right(
    arguments: Mapping[str, Any], accepted: Mapping[str, Sequence[Any]], parameters: Mapping[str, Any]
) -> bool:
    """Whether the arguments are right; parameters: the function's, in BFCL's spelling."""
    declared = parameters["properties"]
    if any(name not in arguments for name in parameters.get("required", ())):
        return False
    if any(name not in arguments and ABSENT not in values for name, values in accepted.items()):
        return False
    return all(
        name in declared and name in accepted and value_right(value, accepted[name], declared[name])
        for name, value in arguments.items()
    )


def value_right(value: Any, accepted: Sequence[Any], declared: Mapping[str, Any]) -> bool:
    """Whether one argument is of its declared type, or of its accepted values' type, and among the accepted values."""
    kinds = [KINDS[declared["type"]], *[type(one) for one in accepted if one != ABSENT][:1]]
    if not any(_is_of(value, kind) for kind in kinds):
        return False
    if isinstance(value, Mapping):
        return any(one != ABSENT and _object_right(value, one) for one in accepted)
    if isinstance(value, list) and declared.get("items", {}).get("type") == "dict":
        return any(one != ABSENT and _objects_right(value, one) for one in accepted)
    return standard(value) in [standard(one) for one in accepted]


def standard(value: Any) -> Any:
    """A value whose equality is the rule's: texts without spaces, case and signs, also inside lists."""
    if isinstance(value, str):
        return SIGNS.sub("", value).lower().replace("'", '"')
    return [standard(part) for part in value] if isinstance(value, list) else value


def _is_of(value: Any, kind: type | tuple[type, ...]) -> bool:
    """Python's isinstance, but that true and false are no numbers."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _object_right(value: Mapping[str, Any], accepted: Mapping[str, Sequence[Any]]) -> bool:
    missing = (name for name in accepted if name not in value)
    return all(ABSENT in accepted[name] for name in missing) and all(
        name in accepted and standard(part) in [standard(one) for one in accepted[name]]
        for name, part in value.items()
    )


def _objects_right(values: Sequence[Any], accepted: Sequence[Mapping[str, Any]]) -> bool:
    """Objects in the order of the accepted ones."""
    return len(values) == len(accepted) and all(map(_object_right, values, accepted))
