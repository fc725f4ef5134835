"""Reasons to doubt a value: the constraint excluded another one, the document does not state it, or it is cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from structgen.compiler.constraint import Constraint
from structgen.evidence.looks import HiddenValue
from structgen.evidence.tokens import Spelled
from structgen.evidence.values import key, replaced
from structgen.generation.leaves import MISSING, Answer, Leaf
from structgen.generation.result import AnswerWarning
from structgen.reading.copying import Copying
from structgen.reading.stated import Stated
from structgen.report.proof import percent
from structgen.sources.json_schema.pointers import steps

PRESSED = 0.5  # share of probability taken away from which on another value was preferred
ANY_TEXTS = (
    '"Ab"',
    '"Word, 12 or so words of any text at all"',
)  # of which a pattern or a format refuses one
CHOSEN = ("enum", "const", "boolean")  # kinds of values that a document need not state word by word


def excluded(
    look: HiddenValue,
    leaf: Leaf,
    answer: Answer,
    spelled: Spelled,
    constraint: Constraint[Any],
    stated: Stated | None,
) -> AnswerWarning | None:
    """A warning if the model preferred a value that the constraint rules out, and the document, if any, states it.

    What the model preferred is the likeliest token of each hidden position.
    """
    share = look.inner.lattice.pressure
    if share < PRESSED:
        return None
    spelling = b"".join(map(spelled.vocabulary.spelling, look.inner.lattice.open_best()))
    text = replaced(answer, look.inner, spelling, spelled)
    value = answer.value(text, leaf.pointer)
    if value is MISSING or key(value) == key(leaf.value) or constraint.accepts(text):
        return None
    if stated is not None and not stated.places(value):
        return None
    detail = (
        f"excluded: the model preferred {value!r}, which the constraint rules out "
        f"(it took away {percent(share)} of the probability of this value)"
    )
    return AnswerWarning("excluded", leaf.pointer, detail)


def narrowed(leaf: Leaf, answer: Answer, constraint: Constraint[Any], stated: Stated) -> bool:
    """Whether the constraint refuses some word or number of the document in the place of a text or number.

    The generating automaton is asked: the one that reads other spellings would have to be compiled first.
    """
    if isinstance(leaf.value, bool) or not isinstance(leaf.value, str | int | float):
        return False
    probes = ANY_TEXTS if isinstance(leaf.value, str) else stated.extremes(whole=isinstance(leaf.value, int))
    before, after = answer.text[: leaf.start], answer.text[leaf.end :]
    texts = (f"{before}{probe}{after}".encode() for probe in probes)
    return not all(map(constraint.compiled.accepts, texts))


def unstated(leaf: Leaf, outlines: Sequence[Mapping[str, Any]], stated: Stated) -> AnswerWarning | None:
    """A warning if a text or number is not in the document, or only as the beginning of a longer word."""
    if isinstance(leaf.value, bool | dict | list) or leaf.value is None or leaf.value == "":
        return None
    if stated.places(leaf.value) or any(chosen(outline, leaf.pointer) for outline in outlines):
        return None
    whole = stated.whole(str(leaf.value))
    if whole is not None and not _equal(whole, leaf.value):
        detail = f"shortened: the document has {whole!r}, the answer has {leaf.value!r}"
        return AnswerWarning("shortened", leaf.pointer, detail)
    if any(stated.copies(str(leaf.value), one) for one in copied(outlines, leaf.pointer)):
        return None
    detail = f"not stated: the document does not contain {leaf.value!r} in any known spelling"
    return AnswerWarning("not stated", leaf.pointer, detail)


def _equal(words: str, value: Any) -> bool:
    """Whether words of the document are a number and the value is the same one: 45.0 cuts nothing off 45.00."""
    try:
        return not isinstance(value, str) and Decimal(words) == Decimal(str(value))
    except InvalidOperation:
        return False


def chosen(outline: Mapping[str, Any], pointer: str) -> bool:
    """Whether the value at a pointer is one of the schema's own values, which a document need not state."""
    return any(kind in CHOSEN for kind in kinds(outline, steps(pointer)))


def copied(outlines: Iterable[Mapping[str, Any]], pointer: str) -> list[Copying]:
    """Which pieces of the document the value at a pointer may be, if it is verbatim."""
    found = (one for outline in outlines for one in at_path(outline, steps(pointer)))
    return [one["copied"] for one in found if "copied" in one]


def declared(outline: Mapping[str, Any], pointer: str) -> bool:
    """Whether the schema names every member on the way to a value; others may come twice, and the last one counts."""
    return _declared(outline, steps(pointer))


def _declared(outline: Mapping[str, Any], path: Sequence[str]) -> bool:
    if not path:
        return True
    if outline["kind"] == "union":
        holders = [one for one in outline["options"] if one["kind"] in ("object", "array", "union", "any")]
        named = [one for one in holders if one["kind"] != "object" or not _lacks(one, path[0])]
        return bool(named) and all(_declared(one, path) for one in named)
    if outline["kind"] == "array":
        return outline["item"] is not None and _declared(outline["item"], path[1:])
    return any(
        field["name"] == path[0] and _declared(field["value"], path[1:]) for field in outline["fields"]
    )


def _lacks(outline: Mapping[str, Any], name: str) -> bool:
    """Whether an object has members, but none of this name."""
    return bool(outline["fields"]) and all(field["name"] != name for field in outline["fields"])


def kinds(outline: Mapping[str, Any], path: Sequence[str]) -> Iterator[str]:
    """The kinds of value that an outline has at a path."""
    return (one["kind"] for one in at_path(outline, path))


def at_path(outline: Mapping[str, Any], path: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The outlines at a path of an outline."""
    if outline["kind"] == "union":
        for one in outline["options"]:
            yield from at_path(one, path)
    elif not path:
        yield outline
    elif outline["kind"] in ("array", "map") and outline["item"] is not None:
        yield from at_path(outline["item"], path[1:])
    else:
        for field in outline["fields"]:
            if field["name"] == path[0]:
                yield from at_path(field["value"], path[1:])
