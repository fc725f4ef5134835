"""The verdict on one schema: are all its valid instances accepted and all its invalid ones not?

With the product's own options silence allows nothing, so a valid instance whose members or types the schema does not
mention is not accepted: "undeclared", if nothing else keeps it out.

An instance is a value, and structgen writes each value in one order of members. So where a valid instance is not
accepted as it stands, its members are put into the schema's order and it is tried again; after that, object by object,
the orders of which most of the text can be read are tried. What is accepted so counts as right, and is counted.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from types import FrameType
from typing import Any

from conformance.recogniser import furthest, recognises
from conformance.suites import Group
from structgen.errors import StructgenError
from structgen.grammar import Grammar
from structgen.sources.json_schema import JsonSchema, Terms

# From worst to best. "slow" is neither right nor refused within the limit.
RANKS = ("accepts", "crash", "slow", "rejects", "undeclared", "refused", "reordered", "right")
LIMIT = 20  # seconds of computing for one schema
PATIENCE = 300.0  # seconds of the clock that a busy machine may take for them

FEW = 4  # members of which all orders are tried
MOST_TRIED = 200_000  # characters of the texts of one value that are tried
LONG_TRIED = 60  # texts of a long value that are tried where reading stops

Accepts = Callable[[str], bool]
Compiled = Callable[[Group, Terms], Accepts]

# As JSON Schema means schemas: silence allows everything, unknown words are annotations.
SPECIFIED = Terms(additional="open", unknown="annotations")


@dataclass(frozen=True)
class Verdict:
    """One of RANKS, and why."""

    rank: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.rank}: {self.reason}" if self.reason else self.rank


@dataclass(frozen=True)
class Order:
    """An order of members that a schema names, and the member (or "") under which that schema stands."""

    place: str
    keys: tuple[str, ...]

    def fit(self, value: Mapping[str, Any], place: str) -> tuple[int, bool, int]:
        """The greater, the better this order fits an object under a member called `place`."""
        return len(value.keys() & set(self.keys)), place == self.place, -len(self.keys)


def source_of(group: Group, terms: Terms = SPECIFIED) -> JsonSchema:
    """The schema of a group on these terms."""
    return JsonSchema.under(group.schema, replace(terms, resources=group.resources))


def by_grammar(group: Group, terms: Terms = SPECIFIED) -> Accepts:
    """Acceptance by the grammar itself, read without an automaton."""
    return _ByGrammar(source_of(group, terms).lower())


@dataclass(frozen=True, eq=False)
class _ByGrammar:
    grammar: Grammar

    def __call__(self, text: str) -> bool:
        return recognises(self.grammar, text)


def by_automaton(group: Group, terms: Terms = SPECIFIED) -> Accepts:
    """Acceptance by the automaton over bytes."""
    from structgen.compiler.constraint import compile

    return compile(source_of(group, terms), seconds=PATIENCE).accepts


class ByTokens:
    """Acceptance of token ids by the automaton over the tokens of a real vocabulary, whole answers."""

    def __init__(self, tokenizer: Path):
        from structgen.tokens.vocabulary import Vocabulary

        self.vocabulary = Vocabulary.from_file(tokenizer)

    def __call__(self, group: Group, terms: Terms = SPECIFIED) -> Accepts:
        from structgen.compiler.constraint import compile

        constraint = compile(source_of(group, terms), self.vocabulary, seconds=PATIENCE)
        encode = self.vocabulary.encode
        return lambda text: constraint.accepts_ids(encode(text))


def judge(
    group: Group, compiled: Compiled = by_grammar, limit: float = LIMIT, terms: Terms = SPECIFIED
) -> Verdict:
    """The verdict on the schema of a group; `limit` in seconds of computing."""
    try:
        with limited(limit):
            return _judged(group, compiled, terms)
    except TimeoutError:
        return Verdict("slow")
    except StructgenError as error:
        return Verdict("refused", f"{getattr(error, 'keyword', None)}: {error}"[:200])
    except Exception as error:
        return Verdict("crash", repr(error)[:200])


def _judged(group: Group, compiled: Compiled, terms: Terms) -> Verdict:
    accepts, orders = compiled(group, terms), list(_orders(group.schema))
    rejected, reordered = [], False
    for value, valid in group.instances:
        accepted = accepts(json.dumps(value, ensure_ascii=False))
        if accepted and not valid:
            return Verdict("accepts", json.dumps(value)[:200])
        if valid and not accepted:
            if _arranged(accepts, value, orders):
                reordered = True
            else:
                rejected.append(value)
    if not rejected:
        return Verdict("reordered" if reordered else "right")
    open_ = _open(group, compiled, terms) if terms.additional == "declared" else None
    left = [value for value in rejected if open_ is None or not _allowed(open_, value, orders)]
    return Verdict("rejects" if left else "undeclared", json.dumps((left or rejected)[-1])[:200])


def _open(group: Group, compiled: Compiled, terms: Terms) -> Accepts | None:
    """Acceptance if silence allows everything; None if the schema is refused so."""
    try:
        return compiled(group, replace(terms, additional="open"))
    except StructgenError:
        return None


def _allowed(accepts: Accepts, value: Any, orders: list[Order]) -> bool:
    return accepts(json.dumps(value, ensure_ascii=False)) or _arranged(accepts, value, orders)


def _arranged(accepts: Accepts, value: Any, orders: list[Order]) -> bool:
    """Whether the value is accepted with its members in some order."""
    arranged = _ordered(value, orders)
    if accepts(json.dumps(arranged, ensure_ascii=False)):
        return True
    return isinstance(accepts, _ByGrammar) and in_some_order(accepts.grammar, arranged, orders)


def _orders(schema: Any, place: str = "") -> Iterator[Order]:
    """The orders in which a document lists members."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties" and isinstance(value, dict):
                for name, part in value.items():
                    yield from _orders(part, name)
            else:
                yield from _orders(value, place)
        if isinstance(schema.get("properties"), dict):
            yield Order(place, tuple(schema["properties"]))
        if isinstance(schema.get("const"), dict):
            yield Order(place, tuple(schema["const"]))
        for key, needed in (schema.get("dependentRequired") or {}).items():
            yield Order(place, (key, *(needed if isinstance(needed, list) else ())))
    elif isinstance(schema, list):
        for value in schema:
            yield from _orders(value, place)


def _ordered(value: Any, orders: list[Order], place: str = "") -> Any:
    """The value with the members of each object in the order that fits it best, others behind."""
    if isinstance(value, dict):
        best = max(orders, key=lambda order: order.fit(value, place), default=Order(place, ()))
        return {key: _ordered(value[key], orders, key) for key in _sorted(value, best.keys)}
    return [_ordered(item, orders, place) for item in value] if isinstance(value, list) else value


def _mended(grammar: Grammar, value: Any, orders: list[Order]) -> bool:
    """Whether the value is accepted once objects in which reading stops have an order that reads further."""
    text = json.dumps(value, ensure_ascii=False)
    left = max(MOST_TRIED, LONG_TRIED * len(text))
    reached = furthest(grammar, text)
    while reached <= len(text):
        for changed in _likely(value, text[:reached], orders):
            tried = json.dumps(changed, ensure_ascii=False)
            if tried == text:
                continue
            left -= len(tried)
            if left < 0:
                return False
            far = furthest(grammar, tried)
            if far > reached:
                value, text, reached = changed, tried, far
                break
        else:
            return False
    return True


def _likely(value: Any, read: str, orders: list[Order]) -> Iterator[Any]:
    """The value with one of the objects in which reading stops in another order, inner objects first."""
    paths = list(_objects(value))
    for number in _open_objects(read):
        yield from _rearranged(value, paths[number], orders)


def _open_objects(text: str) -> list[int]:
    """The numbers of the objects, in order of their beginnings, that a text leaves open; the innermost first."""
    opened: list[int] = []
    count = 0
    for brace in re.sub(r'"(?:[^"\\]|\\.)*"?|[^{}"]+', "", text):
        if brace == "{":
            opened.append(count)
            count += 1
        elif opened:
            opened.pop()
    return opened[::-1]


def in_some_order(grammar: Grammar, value: Any, orders: list[Order]) -> bool:
    """Whether the value is accepted in some order of its members, looked for object by object.

    First where reading stops, then in each object from left to right: the order that reads the furthest.
    """
    if _mended(grammar, value, orders):
        return True
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


def _rearranged(value: Any, path: tuple[int, ...], orders: list[Order]) -> Iterator[Any]:
    """The value with the object at `path` in other orders: all of a few members, else those that the schema names."""
    if path:
        items = list(value.values() if isinstance(value, dict) else value)
        for changed in _rearranged(items[path[0]], path[1:], orders):
            parts = [*items[: path[0]], changed, *items[path[0] + 1 :]]
            yield dict(zip(value, parts, strict=True)) if isinstance(value, dict) else parts
    elif len(value) <= FEW:
        yield from (dict(items) for items in permutations(value.items()))
    else:
        for keys in dict.fromkeys(
            tuple(_sorted(value, keys))
            for keys in [list(value), *(order.keys for order in _fitting(orders, value))]
        ):
            yield {key: value[key] for key in keys}


def _fitting(orders: list[Order], value: Mapping[str, Any]) -> list[Order]:
    """The orders, those that fit an object best first."""
    return sorted(orders, key=lambda order: order.fit(value, ""), reverse=True)


def _sorted(keys: Iterable[str], order: Sequence[str]) -> list[str]:
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
