"""A page in the making: its random generator, its side of the splits, and the names it has used."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from training.pools import held_out
from training.samples import Fragment
from training.values import Pool, Written

NAME_SHARE = 5  # one name or label in so many is held out
PHRASE_SHARE = 8


@dataclass
class Page:
    """What one document is drawn from."""

    rng: random.Random
    pool: Pool
    split: str
    language: str
    style: str  # of the layout
    casing: str = "snake"  # of identifiers
    used: set[str] = field(default_factory=set)  # names of this object's fields
    shown: set[str] = field(default_factory=set)  # surfaces on the page

    @property
    def words(self) -> list[str]:
        return self.pool["word"]

    def allowed(self, choices: Sequence[str], share: int = PHRASE_SHARE) -> list[str]:
        """The choices on this split's side; everything where a side is empty."""
        wanted = self.split == "names"
        return [one for one in choices if held_out(one, share) == wanted] or list(choices)

    def strictly(self, choices: Sequence[str], share: int = PHRASE_SHARE) -> list[str]:
        """The choices on this split's side, perhaps none."""
        wanted = self.split == "names"
        return [one for one in choices if held_out(one, share) == wanted]

    def phrase(self, choices: Sequence[str]) -> str:
        """One of the phrases on this split's side."""
        return self.rng.choice(self.allowed(choices))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def cased(self, name: str) -> str:
        """A name in the page's own style of identifiers; most pages write snake_case."""
        if self.casing == "camel" and "_" in name:
            head, *tail = name.split("_")
            name = head + "".join(part.capitalize() for part in tail)
        elif self.casing == "pascal":
            name = "".join(part.capitalize() for part in name.split("_"))
        elif self.casing == "kebab":
            name = name.replace("_", "-")
        return name

    def take(self, names: Sequence[str]) -> str | None:
        """A name that no field of this object has yet."""
        free = [name for name in names if self.cased(name) not in self.used]
        if not free:
            return None
        name = self.cased(self.rng.choice(free))
        self.used.add(name)
        return name

    def coined(self) -> str:
        """A name of one or two random words."""
        rng = self.rng
        for _ in range(20):
            name = "_".join(rng.choices(self.words, k=1 if rng.random() < 0.5 else 2)).lower()
            if self.cased(name) not in self.used:
                break
        else:
            name = f"{rng.choice(self.words)}_{len(self.used) + rng.randint(2, 99)}"
        name = self.cased(name)
        self.used.add(name)
        return name


@dataclass(frozen=True)
class Field:
    """A named value in a document; `pointer` is None for a distractor."""

    name: str
    kind: str
    label: str
    written: Written
    pointer: str | None

    def under(self, parent: str) -> Field:
        """The same field, asked for inside the object at `parent`."""
        return replace(self, pointer=f"{parent}/{self.name}")


def spaced(name: str) -> str:
    """dueDate, due_date, due-date → due date."""
    return re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).replace("_", " ").replace("-", " ").lower()


_SLOT = re.compile(r"\{(\w+)(?::([^}]*))?\}")


def expand(template: str, fields: dict[str, Field], label: str = "") -> Fragment:
    """{key} is the field's value, {K} the label, and {key:words} words from which the value is read (* the label)."""
    fragment: Fragment = []
    at = 0
    for found in _SLOT.finditer(template):
        if found.start() > at:
            fragment.append((template[at : found.start()], None))
        at = found.end()
        key, words = found.groups()
        if key == "K":
            fragment.append((label, None))
        elif words is not None:
            fragment.append((words.replace("*", label), fields[key].pointer))
        else:
            fragment += cell(fields[key])
            if template[at : at + 1] == "x" and fragment[-1][0].isalpha():
                fragment.append((" ", None))  # three x, but 3x
    if at < len(template):
        fragment.append((template[at:], None))
    return fragment


def cell(one: Field) -> Fragment:
    """A value with what stands around it ("€ 12")."""
    before, after = one.written.around.split("{}")
    kept: Fragment = [(before, None), (one.written.surface, one.pointer), (after, None)]
    return [part for part in kept if part[0] or part[1] is not None]
