"""Shape to expression: the JSON texts of the values that a shape allows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from ...errors import Unsupported
from ...grammar import Expr, alt, literal
from .arrays import spell_arrays
from .decimals import spell_numbers
from .layout import Layout
from .objects import ObjectSpeller
from .shape import Objects, Shape
from .strings import spell_strings

Additional = Literal["declared", "open"]


@dataclass(frozen=True, eq=False)
class Writer:
    """Spells shapes as JSON, each once.

    With additional="declared" silence allows nothing: types that a schema does not mention beside those it does,
    and members beside the declared ones, are not written. With "open" they are.
    """

    layout: Layout
    additional: Additional
    known: dict[Shape, Expr] = field(default_factory=dict)

    def text(self, shape: Shape) -> Expr:
        """The texts of the values that `shape` allows."""
        if shape not in self.known:
            self.known[shape] = self._text(shape)
        return self.known[shape]

    def _text(self, shape: Shape) -> Expr:
        spoken = shape.kinds() - shape.implied
        if self.additional == "declared" and spoken:
            shape = shape.only(spoken)
        speller = ObjectSpeller(self.text, self._anything, self.layout)
        return alt(
            *(literal("null") for _ in range(shape.null)),
            *(literal("true" if value else "false") for value in sorted(shape.booleans)),
            *map(spell_numbers, shape.numbers),
            spell_strings(shape.strings),
            *(spell_arrays(arrays, self.text, self._anything, self.layout) for arrays in shape.arrays),
            *(speller.text(self._closed(objects)) for objects in shape.objects),
        )

    def _closed(self, objects: Objects) -> Objects:
        """Without the members that only silence allows, where some are spoken about."""
        spoken = tuple(extras for extras in objects.extras if extras.shape is not None)
        if self.additional == "declared" and (objects.members or spoken):
            return replace(objects, extras=spoken)
        return objects

    def _anything(self, origin: str) -> Expr:
        raise Unsupported(
            "any JSON value at all may stand here, nested without end",
            pointer=origin,
            remedy="give a type with properties or items",
        )
