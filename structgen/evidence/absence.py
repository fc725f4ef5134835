"""Values that the document states, but not for the field that has them: what the field asks for is probably absent.

A model that must fill a field takes words of the document even if none are meant for it. Three things tell: with the
value hidden, the model does not expect it there, or a model that reads the document for its fields does not find it
there (its *support* is low); another field has the same words, with as much support or more; and no word of the field's
name, in any language, stands in front of the value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from structgen.generation.leaves import Leaf
from structgen.generation.result import AnswerWarning
from structgen.reading.stated import Place, Stated
from structgen.sources.json_schema.pointers import steps

UNFOUND = -4.0  # nats, below which a place is as unlikely as any other
FOUND = -0.5  # nats, above which a reader is sure of a place, whatever the model expects there


@dataclass(frozen=True)
class Doubt:
    """When a value is doubted; fitted for a model to documents of which one fact has been left out.

    least: the support, in nats a token, below which a value is doubted
    margin: the nats a token by which a value must be better supported than another with the same words
    reading: how many nats of support a nat of a finding adds
    """

    least: float
    margin: float
    reading: float = 0.0

    def supported(self, support: float, found: float | None) -> float:
        """A value's support by the model and by what was read of the document, the log-probability of its places.

        Each knows what the other does not: where the reader is sure, the value is.
        """
        if found is None:
            return support
        return 0.0 if found >= FOUND else support + self.reading * max(found, UNFOUND)


@dataclass(frozen=True)
class Claim:
    """A value, the support of it in nats a token, and the places of the document that state it."""

    leaf: Leaf
    support: float
    places: Sequence[Place]


def named(leaf: Leaf, places: Sequence[Place], stated: Stated) -> bool:
    """Whether a word of a value's name stands in front of it on a line."""
    return any(stated.named(place, steps(leaf.pointer)) for place in places)


def listed(pointer: str) -> bool:
    """Whether a value belongs to an item of a list, which is there because the document has it."""
    return any(step.isdigit() for step in steps(pointer))


def shared(leaves: Sequence[Leaf], stated: Stated) -> set[str]:
    """The pointers of values that have words in common."""
    first = {one.pointer: stated.places(one.value, steps(one.pointer))[0] for one in leaves}
    return {
        at
        for at, (start, end) in first.items()
        for other, (low, high) in first.items()
        if at != other and low < end and start < high
    }


def absent(claims: Mapping[str, Claim], stated: Stated, doubt: Doubt) -> dict[str, AnswerWarning]:
    """Warnings about values that no words of the document seem to be meant for, by pointer.

    claims: of all values that are compared; those that are named keep their places and are not doubted
    """
    found = {}
    for pointer, claim in claims.items():
        if not claim.places or named(claim.leaf, claim.places, stated):
            continue
        rivals = [one for one in claims.values() if _takes(one, claim, stated, doubt.margin)]
        if rivals or claim.support < doubt.least:
            found[pointer] = AnswerWarning("absent", pointer, _detail(claim, rivals))
    return found


def _takes(one: Claim, other: Claim, stated: Stated, margin: float) -> bool:
    """Whether a value has all the words of another one, with no less support or with its name in front of them."""
    if one.leaf.pointer == other.leaf.pointer or not one.places:
        return False
    start, end = one.places[0]
    more = one.support + margin > other.support or named(one.leaf, one.places[:1], stated)
    return more and all(low < end and start < high for low, high in other.places)


def _detail(claim: Claim, rivals: Sequence[Claim]) -> str:
    if rivals:
        best = max(rivals, key=lambda one: one.support)
        return f"absent: the document has {claim.leaf.value!r}, and {best.leaf.pointer} has the same words"
    share = math.exp(claim.support)
    return (
        f"absent: the document has {claim.leaf.value!r}, but probably not for this field "
        f"(the model expects it there with {share:.2g} a token)"
    )
