"""Members that require other members, while an object is written member by member.

Little has to be remembered about the members so far: which later members they require, and which of them later members
require. If a member and the one that it requires are neighbours, this is forgotten at once, so any number of such pairs
costs no more than one. Separate cases for each pair would double the object for every pair.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from structgen.errors import Unsupported

from .formula import NO_VALUE
from .objects import Link, Objects

MOST_CASES = 64  # objects without links that replace one with links

Noted = frozenset[int]  # j: member j must still come; ~j: member j has come, and a later one requires it


@dataclass(frozen=True)
class Links:
    """The links of an object: which members require which, by number; None is a member that cannot be present.

    pairs: (i, j) where member i requires member j
    """

    pairs: tuple[tuple[int, int | None], ...]

    @classmethod
    def of(cls, keys: Sequence[str], links: Iterable[Link]) -> Links:
        """The links among members in this order."""
        at = {key: index for index, key in enumerate(keys)}
        return cls(tuple((at[link.key], at.get(link.then)) for link in links if link.key in at))

    def written(self, index: int, noted: Noted) -> Noted | None:
        """The notes after a member; None if the member is not allowed because a member that it requires is missing."""
        asked = [then for key, then in self.pairs if key == index]
        if any(then is None or (then < index and ~then not in noted) for then in asked):
            return None
        later = {then for then in asked if then is not None and then > index}
        return self.passed(index, noted.difference({index}) | later | {~index})

    def passed(self, index: int, noted: Noted) -> Noted:
        """The notes after a member, omitted or written: without those that no later member needs."""
        wanted = {then for key, then in self.pairs if key > index and then is not None}
        return frozenset(note for note in noted if note >= 0 or ~note in wanted)

    def kept(self, missing: Collection[int]) -> bool:
        """Whether an object may omit these members."""
        return all(key in missing or (then is not None and then not in missing) for key, then in self.pairs)


def cases(objects: Objects) -> list[Objects]:
    """The same objects without links: for each link, the objects without its member, and those with both members."""
    found = [objects]
    while any(case.links for case in found):
        found = [less for case in found for less in _split(case)]
        if len(found) > MOST_CASES:
            raise Unsupported(
                f"{len(objects.links)} members that depend on others, in any order: they are more than "
                f"{MOST_CASES} cases, and that many can be told apart",
                keyword="dependentRequired",
                pointer=objects.origin,
                remedy='pass order="declared", or put some members into an object of their own',
            )
    return found


def _split(objects: Objects) -> Iterator[Objects]:
    if not objects.links:
        yield objects
        return
    link, *others = objects.links
    first, second = objects.members[link.key], objects.members[link.then]
    without = {link.key: replace(first, value=NO_VALUE)}
    both = {link.key: replace(first, required=True), link.then: replace(second, required=True)}
    for members in (both,) if first.required else (without, both):
        case = replace(objects, members={**objects.members, **members}, links=tuple(others)).possible()
        if case is not None:
            yield case
