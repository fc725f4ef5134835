"""Structgen's own keywords in the schemas of classes, for constraints that JSON Schema cannot express.

    x-set       repeated elements become one (beside uniqueItems); "alike" if elements are repeated only if equal in
    JSON x-text      the string holds the JSON text of a value of this schema
    x-quoted    the number may also stand in quotes
    x-regex     whose rules `pattern` follows: "python", "python-ascii"
    x-minimum, x-maximum, x-zone    inclusive bounds of dates, times and durations, and the allowed zones
    x-language  the string is one of those that a source describes, which is the keyword's value (see annotation)
    x-elsewhere further names under which fields are looked up, so that no other member may have them
    x-refused   why values cannot be generated, and the remedy

They have this meaning only in such schemas (`Rules.own`); elsewhere they are annotations like any other x- keyword.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from structgen.grammar import NOTHING, Expr, alt

from ..annotation import LANGUAGE
from ..languages import intersect
from ..regex.dialect import Dialect
from .formats import INSTANTS, small_too
from .formula import NO_VALUE, Formula
from .held import meet_texts, scalar_texts
from .node import Node
from .objects import Member, Objects
from .temporal import temporal
from .value_set import ValueSet

TEXT, QUOTED, REGEX, REFUSED = "x-text", "x-quoted", "x-regex", "x-refused"
ELSEWHERE = "x-elsewhere"
MINIMUM, MAXIMUM, ZONE = "x-minimum", "x-maximum", "x-zone"
OWN = frozenset({"x-set", TEXT, QUOTED, REGEX, REFUSED, ELSEWHERE, MINIMUM, MAXIMUM, ZONE, LANGUAGE})
_DIALECTS = {"python": Dialect.PYTHON_UNICODE, "python-ascii": Dialect.PYTHON}


def formats(node: Node, usual: Mapping[str, Expr | None]) -> Mapping[str, Expr | None]:
    """The languages of formats; the bounds fully define a format with bounds."""
    return {node.value["format"]: None} if _is_bounded(node) else usual


def _is_bounded(node: Node) -> bool:
    return any(keyword in node for keyword in (MINIMUM, MAXIMUM, ZONE))


def dialect(node: Node, usual: Dialect) -> Dialect:
    """The dialect of the pattern of a schema."""
    return _DIALECTS[node.value[REGEX]] if REGEX in node else usual


def refined(
    node: Node,
    value_set: ValueSet,
    formula: Callable[[Node], Formula],
    read: Callable[[Formula], ValueSet],
    reading: bool,
) -> ValueSet:
    """The value set of JSON Schema's keywords, changed by structgen's own keywords; `reading` as in Rules."""
    if REFUSED in node:
        why, instead = node.child(REFUSED).strings()
        node.unsupported(why, "type", instead)
    if TEXT in node:
        inner = formula(node.child(TEXT))
        texts = scalar_texts(read(inner))
        whole = ValueSet(texts=(inner,)) if texts is None else ValueSet(strings=texts)
        return replace(
            value_set, strings=intersect(value_set.strings, whole.strings), texts=meet_texts(value_set, whole)
        )
    if QUOTED in node:
        numbers = scalar_texts(value_set.only(frozenset({"number"})))
        return replace(value_set, strings=alt(value_set.strings, numbers or NOTHING))
    if LANGUAGE in node:
        return replace(value_set, strings=intersect(node.value[LANGUAGE].strings, value_set.strings))
    if ELSEWHERE in node:
        return _without_members(value_set, node.child(ELSEWHERE).strings())
    if _is_bounded(node):
        name, low, high, zone = (node.value.get(keyword) for keyword in ("format", MINIMUM, MAXIMUM, ZONE))
        moments = temporal(name, low, high, zone)
        moments = small_too(moments) if reading and name in INSTANTS else moments
        return replace(value_set, strings=intersect(moments, value_set.strings))
    return value_set


def _without_members(value_set: ValueSet, names: list[str]) -> ValueSet:
    """The values without objects that have members of these names."""
    absent = Objects({name: Member(NO_VALUE, silent=True) for name in names})
    objects = (part.meet(absent) for part in value_set.objects)
    closed = None if value_set.closed is None else _without_members(value_set.closed, names)
    return replace(value_set, objects=tuple(part for part in objects if part is not None), closed=closed)
