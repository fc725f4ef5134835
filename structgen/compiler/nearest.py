"""The nearest accepted text to an answer that is not accepted: what a constraint does with `projection`."""

from __future__ import annotations

import json
from functools import cached_property
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from structgen.collector import paused
from structgen.errors import Rejected

if TYPE_CHECKING:
    from structgen.compiler.constraint import Constraint
    from structgen.compiler.projection import Projection, Projector

SHORT = Repr()  # of an answer in a message
SHORT.maxstring = 120


class Projecting:
    """The part of a constraint that mends answers."""

    def project(self: Constraint[Any], answer: str, *, most: float | None = None) -> Projection:  # type: ignore[misc]
        """The accepted text nearest to an answer that is damaged, wrapped in prose or cut off, with distance and edits.

        Nearest is exact, under weights that make wrapping, quotes, commas, types and the end of a text cheap (see
        `structgen.compiler.projection`); replacing a letter counts 1. Strings and numbers get their canonical spelling.
        most: the largest distance; raises Rejected if no text is within it
        """
        with paused():
            return projected(self, answer, most)

    @cached_property
    def projector(self) -> Projector:
        """The projector onto the texts that `accepts` reads."""
        from structgen.compiler.projection import Projector

        return Projector(self.over_bytes)  # type: ignore[attr-defined]


def projected(constraint: Constraint[Any], answer: str, most: float | None = None) -> Projection:
    """The accepted text nearest to an answer; see `Constraint.project`.

    Where elements have to differ in a way that no automaton decides, a repeated one is left out, at the weight of a
    member; the text is then valid, but not surely the nearest.
    """
    from structgen.compiler.projection import Edit, Projection
    from structgen.compiler.projection import weights as w

    if constraint.accepts(answer):
        return Projection(answer, 0.0)
    found, text = constraint.projector.nearest(answer, most), answer
    while found is not None and constraint.rule is not None:
        detour = constraint.rule(found.text)
        if detour is None:
            break
        element, text = _without(found.text, detour.place)
        again = constraint.projector.nearest(text, most)
        spent = found.distance + (w.MEMBER + w.MEMBER_BYTE * len(element)) / w.ONE
        at = max(answer.rfind(element), 0)
        left_out = Edit(at, at + len(element), element, "")
        found = again and Projection(
            again.text, spent + again.distance, (*found.edits, left_out, *again.edits)
        )
    if found is None or (most is not None and found.distance > most):
        limit = "" if most is None else f" within a distance of {most:g}"
        raise Rejected(f"no valid text is near this answer{limit}: {SHORT.repr(answer)}", text=answer)
    return found


def _without(text: str, place: tuple[str | int, ...]) -> tuple[str, str]:
    """The first repeated element of an array in a JSON text, as text, and the text without it."""
    value = array = json.loads(text)
    for step in place:
        array = array[step]
    repeated = (at for at, element in enumerate(array) if element in array[:at])
    element = json.dumps(array.pop(next(repeated, -1)), ensure_ascii=False)
    return element, json.dumps(value, ensure_ascii=False)
