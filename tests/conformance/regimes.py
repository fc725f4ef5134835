"""The same schema compiled again and again: three times here, and once in a process that has compiled nothing.

What comes of a schema (its regime, its states, the tokens that suffice, or why it is refused) may depend on the schema
alone. So here each is compiled behind all that came before, and once more in a fork of a process that has loaded its
kernels and no schema, and in which strings hash differently. Only what the clock decides may differ: whether there was
time enough.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from structgen import JsonSchema, compile
from structgen.errors import StructgenError
from structgen.limits.budget import OverLimit

TIMES = 3
PATIENCE = 600  # seconds that a process may take to start


@dataclass(frozen=True)
class Outcome:
    """What a schema compiles to; `refusal` is empty where it compiles."""

    regime: str = ""
    states: int = 0
    min_tokens: int = 0
    refusal: str = ""


OUT_OF_TIME = Outcome(refusal="out of time or memory")


def outcome(schema: Any) -> Outcome:
    """What comes of compiling a schema here and now, for single bytes."""
    try:
        info = compile(JsonSchema(schema)).info()
    except OverLimit:
        return OUT_OF_TIME
    except StructgenError as error:
        first = str(error).split("; also refused")[0]  # how many others are found depends on the clock
        return Outcome(refusal=f"{type(error).__name__}: {first}")
    return Outcome(info.regime, info.states, info.min_tokens)


class Fresh:
    """A process that forks another for each schema."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,))
        with _environment({"PYTHONHASHSEED": "1"}):
            self.process.start()
        theirs.close()
        if not self.pipe.poll(PATIENCE):
            raise TimeoutError("a process for fresh compilations does not start")
        self.pipe.recv()

    def outcome(self, schema: Any) -> Outcome:
        """What comes of the schema in a process that has compiled no other."""
        self.pipe.send(schema)
        return self.pipe.recv()

    def close(self) -> None:
        """End the process."""
        self.pipe.close()
        self.process.join()


def differing(schemas: Mapping[str, Any], fresh: Fresh) -> Iterator[tuple[str, list[Outcome]]]:
    """Schema by schema its name and all different outcomes: one where it is as it should be."""
    with _environment({"STRUCTGEN_CACHE": ""}):
        for name, schema in schemas.items():
            found = [fresh.outcome(schema), *(outcome(schema) for _ in range(TIMES))]
            yield name, list(dict.fromkeys(found))


def _serve(pipe: Connection) -> None:
    os.environ["STRUCTGEN_CACHE"] = ""
    compile(JsonSchema({"const": 1}))  # loads the kernels
    pipe.send("ready")
    while True:
        try:
            schema = pipe.recv()
        except EOFError:
            return
        child = os.fork()
        if not child:
            pipe.send(outcome(schema))
            os._exit(0)
        os.waitpid(child, 0)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _tagged(keyword: str, count: int) -> dict[str, Any]:
    parts = [
        {
            "type": "object",
            "properties": {"kind": {"const": f"k{i}"}, f"v{i}": {"type": "integer"}},
            "required": ["kind"],
        }
        for i in range(count)
    ]
    return {keyword: parts}


def _members(count: int, value: str) -> dict[str, Any]:
    return {"type": "object", "properties": {f"p{i}": {"type": value} for i in range(count)}}


def _dependent(pairs: int) -> dict[str, Any]:
    members = {f"{side}{i}": {"type": "integer"} for i in range(pairs) for side in "ab"}
    return {
        "type": "object",
        "properties": members,
        "dependentRequired": {f"a{i}": [f"b{i}"] for i in range(pairs)},
        "additionalProperties": False,
    }


def _numbered(count: int) -> dict[str, Any]:
    return {"enum": [f"item {i * i * 7919 % 1_000_003:06d}" for i in range(count)]}


# Small schemas of which much comes, if only on the way.
EXPLOSIONS: Mapping[str, Any] = {
    "an enum of 5,000": _numbered(5_000),
    "an enum of 10,000": _numbered(10_000),
    "anyOf of 200 tagged objects": _tagged("anyOf", 200),
    "oneOf of 200 tagged objects": _tagged("oneOf", 200),
    "10 dependent members": _dependent(10),
    "15 dependent members": _dependent(15),
    "multiples of 997": {"type": "integer", "multipleOf": 997},
    "multiples of 9973": {"type": "integer", "multipleOf": 9_973},
    "counts in counts": {"type": "string", "pattern": "^(a{1,100}){1,100}$"},
    "counts of either": {"type": "string", "pattern": "^(a{1,100}|b){1,100}$"},
    "four short keys": {
        "type": "object",
        "patternProperties": {"^.{1,3}$": {"type": "integer"}},
        "additionalProperties": False,
        "minProperties": 4,
    },
    "500 members": _members(500, "string"),
    "2,000 members": _members(2_000, "string"),
}
