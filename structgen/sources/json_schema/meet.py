"""What two shapes have in common, and whether two shapes surely have nothing in common."""

from __future__ import annotations

from ...grammar import NOTHING, Expr
from ..languages import contains, intersect, strings_of
from .shape import NEVER, Arrays, Extras, Member, Objects, Shape, anything


def meet(left: Shape, right: Shape) -> Shape:
    """The values that both shapes allow. A type stays implied only if neither shape has spoken about it."""
    return Shape(
        null=left.null and right.null,
        booleans=left.booleans & right.booleans,
        numbers=tuple(n for a in left.numbers for b in right.numbers if (n := a.meet(b)) is not None),
        strings=intersect(left.strings, right.strings),
        arrays=tuple(m for a in left.arrays for b in right.arrays if (m := _arrays(a, b)) is not None),
        objects=tuple(m for a in left.objects for b in right.objects if (m := _objects(a, b)) is not None),
        implied=left.implied & right.implied,
    )


def _optional(left: Shape | None, right: Shape | None) -> Shape | None:
    """`meet`, where None is any value."""
    if left is None or right is None:
        return right if left is None else left
    return meet(left, right)


def _least(a: int | None, b: int | None) -> int | None:
    return min((n for n in (a, b) if n is not None), default=None)


def _arrays(a: Arrays, b: Arrays) -> Arrays | None:
    low, high = max(a.low, b.low), _least(a.high, b.high)
    if high is not None and low > high:
        return None
    length = max(len(a.prefix), len(b.prefix))
    prefix = [_optional(a.item(i), b.item(i)) for i in range(length)]
    filled = tuple(anything(a.origin) if shape is None else shape for shape in prefix)
    return Arrays(filled, _optional(a.items, b.items), low, high, _origin(a, b))


def _origin(a: Arrays | Objects, b: Arrays | Objects) -> str:
    """The deeper pointer is the more telling one."""
    return max(a.origin, b.origin, key=len)


def _objects(a: Objects, b: Objects) -> Objects | None:
    low, high = max(a.low, b.low), _least(a.high, b.high)
    if high is not None and low > high:
        return None
    members: dict[str, Member] = {}
    for key in _names(a, b):
        shape = _optional(_value_at(a, key), _value_at(b, key))
        named = [objects.members[key] for objects in (a, b) if key in objects.members]
        required = any(member.required for member in named)
        if required and shape is not None and not shape.kinds():
            return None
        members[key] = Member(
            anything(a.origin) if shape is None else shape, required, any(m.declared for m in named)
        )
    extras = tuple(
        Extras(keys, _optional(x.shape, y.shape))
        for x in a.extras
        for y in b.extras
        if (keys := intersect(x.keys, y.keys)) is not NOTHING
    )
    return Objects(members, extras, low, high, _origin(a, b))


def _names(a: Objects, b: Objects) -> list[str]:
    """The members of both, in order: first those that properties declare, then those that are only required."""
    members = [item for objects in (a, b) for item in objects.members.items()]
    return list(
        dict.fromkeys(key for declared in (True, False) for key, m in members if m.declared == declared)
    )


def _value_at(objects: Objects, key: str) -> Shape | None:
    """The shape of the member called `key`: None for any value, NEVER where it may not be there."""
    if key in objects.members:
        return objects.members[key].shape
    for extras in objects.extras:
        if contains(extras.keys, key):
            return extras.shape
    return NEVER


def disjoint(left: Shape, right: Shape) -> bool:
    """Whether the shapes surely share no value; False where that cannot be told."""
    both = meet(left, right)
    return not both.null and not both.booleans and not both.numbers and (
        _disjoint_strings(left.strings, right.strings)
        and all(_disjoint_arrays(a, b) for a in left.arrays for b in right.arrays)
        and all(_disjoint_objects(a, b) for a in left.objects for b in right.objects)
    )  # fmt: skip


def _disjoint_strings(left: Expr, right: Expr) -> bool:
    for finite, other in ((left, right), (right, left)):
        strings = strings_of(finite)
        if strings is not None:
            return not any(contains(other, text) for text in strings)
    return False


def _disjoint_arrays(a: Arrays, b: Arrays) -> bool:
    if _arrays(a, b) is None:
        return True
    return any(_disjoint_values(a.item(i), b.item(i)) for i in range(min(max(a.low, b.low), 100)))


def _disjoint_objects(a: Objects, b: Objects) -> bool:
    needed = {key for objects in (a, b) for key, member in objects.members.items() if member.required}
    return any(_disjoint_values(_value_at(a, key), _value_at(b, key)) for key in needed)


def _disjoint_values(left: Shape | None, right: Shape | None) -> bool:
    """For a value that is there: disjoint, or forbidden on one side."""
    if left is not None and right is not None:
        return disjoint(left, right)
    known = right if left is None else left
    return known is not None and not known.kinds()
