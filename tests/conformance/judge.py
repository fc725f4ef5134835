"""The verdict on one schema: are all its valid instances accepted and all its invalid ones not?

An instance is a value, and structgen writes each value in one order of members. So where a valid instance is not
accepted as it stands, its members are put into the schema's order and it is tried again; after that, object by object,
the orders of which most of the text can be read are tried. What is accepted so counts as right, and is counted.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from types import FrameType
from typing import Any

from conformance.recogniser import furthest, recognises
from conformance.suites import Group
from structgen.errors import StructgenError
from structgen.grammar import Grammar
from structgen.sources.json_schema import JsonSchema

# From worst to best. "slow" is neither right nor refused within the limit.
RANKS = ("accepts", "crash", "slow", "rejects", "refused", "reordered", "right")
LIMIT = 20  # seconds of computing for one schema
PATIENCE = 300.0  # seconds of the clock that a busy machine may take for them

FEW = 4  # members of which all orders are tried
MOST_TRIED = 200_000  # characters of the texts of one value that are tried

Accepts = Callable[[str], bool]


@dataclass(frozen=True)
class Verdict:
    """One of RANKS, and why."""

    rank: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.rank}: {self.reason}" if self.reason else self.rank


def source_of(group: Group) -> JsonSchema:
    """The schema as JSON Schema means it: silence allows everything, unknown words are annotations."""
    return JsonSchema(group.schema, additional="open", unknown="annotations", resources=group.resources)


def by_grammar(group: Group) -> Accepts:
    """Acceptance by the grammar itself, read without an automaton."""
    return _ByGrammar(source_of(group).lower())


@dataclass(frozen=True, eq=False)
class _ByGrammar:
    grammar: Grammar

    def __call__(self, text: str) -> bool:
        return recognises(self.grammar, text)


def by_automaton(group: Group) -> Accepts:
    """Acceptance by the automaton over bytes."""
    from structgen.constraint import compile

    return compile(source_of(group), seconds=PATIENCE).accepts


class ByTokens:
    """Acceptance of token ids by the automaton over the tokens of a real vocabulary, whole answers."""

    def __init__(self, tokenizer: Path):
        from structgen.vocabulary import Vocabulary

        self.vocabulary = Vocabulary.from_file(tokenizer)

    def __call__(self, group: Group) -> Accepts:
        from structgen.constraint import compile

        constraint = compile(source_of(group), self.vocabulary, seconds=PATIENCE)
        encode = self.vocabulary.encode
        return lambda text: constraint.accepts_ids(encode(text))


def judge(group: Group, compiled: Callable[[Group], Accepts] = by_grammar, limit: float = LIMIT) -> Verdict:
    """The verdict on the schema of a group; `limit` in seconds of computing."""
    try:
        with limited(limit):
            return _judged(group, compiled(group))
    except TimeoutError:
        return Verdict("slow")
    except StructgenError as error:
        return Verdict("refused", f"{getattr(error, 'keyword', None)}: {error}"[:200])
    except Exception as error:
        return Verdict("crash", repr(error)[:200])


def _judged(group: Group, accepts: Accepts) -> Verdict:
    orders = list(_orders(group.schema))
    rejected, reordered = None, False
    for value, valid in group.instances:
        accepted = accepts(json.dumps(value, ensure_ascii=False))
        if accepted and not valid:
            return Verdict("accepts", json.dumps(value)[:200])
        if valid and not accepted:
            arranged = _ordered(value, orders)
            if accepts(json.dumps(arranged, ensure_ascii=False)) or (
                isinstance(accepts, _ByGrammar) and in_some_order(accepts.grammar, arranged, orders)
            ):
                reordered = True
            else:
                rejected = value
    if rejected is not None:
        return Verdict("rejects", json.dumps(rejected)[:200])
    return Verdict("reordered" if reordered else "right")


def _orders(schema: Any) -> Iterator[list[str]]:
    """The orders in which a document lists members."""
    if isinstance(schema, dict):
        for value in schema.values():
            yield from _orders(value)
        if isinstance(schema.get("properties"), dict):
            yield list(schema["properties"])
        if isinstance(schema.get("const"), dict):
            yield list(schema["const"])
        for key, needed in (schema.get("dependentRequired") or {}).items():
            yield [key, *(needed if isinstance(needed, list) else ())]
    elif isinstance(schema, list):
        for value in schema:
            yield from _orders(value)


def _ordered(value: Any, orders: list[list[str]]) -> Any:
    """The value with the members of each object in the order that fits it best, others behind."""
    if isinstance(value, dict):
        best = max(orders, key=lambda order: (len(value.keys() & set(order)), -len(order)), default=[])
        return {key: _ordered(value[key], orders) for key in _sorted(value, best)}
    return [_ordered(item, orders) for item in value] if isinstance(value, list) else value


def in_some_order(grammar: Grammar, value: Any, orders: list[list[str]]) -> bool:
    """Whether the value is accepted once each object, from left to right, has the order that reads the furthest."""
    left = MOST_TRIED
    for number in range(len(list(_objects(value)))):
        path = list(_objects(value))[number]  # those before it keep their places
        best, far = value, -1
        for changed in _rearranged(value, path, orders):
            text = json.dumps(changed, ensure_ascii=False)
            left -= len(text)
            if left < 0:
                return False
            reached = furthest(grammar, text)
            if reached > len(text):
                return True
            if reached > far:
                best, far = changed, reached
        value = best
    return False


def _objects(value: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """The places of the objects in a value, outer ones first, as indices into members and items."""
    if isinstance(value, dict):
        yield path
    if isinstance(value, dict | list):
        for index, item in enumerate(value.values() if isinstance(value, dict) else value):
            yield from _objects(item, (*path, index))


def _rearranged(value: Any, path: tuple[int, ...], orders: list[list[str]]) -> Iterator[Any]:
    """The value with the object at `path` in other orders: all of a few members, else those that the schema names."""
    if path:
        items = list(value.values() if isinstance(value, dict) else value)
        for changed in _rearranged(items[path[0]], path[1:], orders):
            parts = [*items[: path[0]], changed, *items[path[0] + 1 :]]
            yield dict(zip(value, parts, strict=True)) if isinstance(value, dict) else parts
    elif len(value) <= FEW:
        yield from (dict(items) for items in permutations(value.items()))
    else:
        for keys in dict.fromkeys(tuple(_sorted(value, order)) for order in [list(value), *orders]):
            yield {key: value[key] for key in keys}


def _sorted(keys: Iterable[str], order: list[str]) -> list[str]:
    """The keys in an order, others behind."""
    place = {key: index for index, key in enumerate(order)}
    return sorted(keys, key=lambda key: place.get(key, len(order)))


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after so many seconds of computing."""

    def expire(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, expire)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)  # again where a destructor swallowed it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
