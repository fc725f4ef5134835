"""What a grammar in Lark's notation consists of, as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ..place import Place


@dataclass(frozen=True)
class Written:
    """A part of a body, and where it begins."""

    at: Place


@dataclass(frozen=True)
class NamedPart(Written):
    """A rule or terminal by name."""

    name: str


@dataclass(frozen=True)
class Quoted(Written):
    """A string; `fold`: ASCII letters may be in either case."""

    text: str
    fold: bool


@dataclass(frozen=True)
class Slashed(Written):
    """A regular expression and its flags."""

    pattern: str
    flags: str


@dataclass(frozen=True)
class CharRange(Written):
    """One character between two, both included."""

    low: str
    high: str


@dataclass(frozen=True)
class Json(Written):
    """A JSON Schema."""

    schema: Any


@dataclass(frozen=True)
class Pieces(Written):
    """A run of neighbouring pieces of a text."""

    pieces: tuple[str, ...]


@dataclass(frozen=True)
class Inner(Written):
    """A grammar inside the grammar, with names of its own."""

    tree: LarkTree


@dataclass(frozen=True)
class Given(Written):
    """A grammar that was given by name."""

    name: str


@dataclass(frozen=True)
class SpecialToken(Written):
    """One special token, by name."""

    name: str


@dataclass(frozen=True)
class TokenIds(Written):
    """One token by id: of some ranges or, if `negated`, outside them."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool


@dataclass(frozen=True)
class OneOf(Written):
    """Any of the options."""

    options: tuple[Written, ...]


@dataclass(frozen=True)
class InOrder(Written):
    """The parts in order."""

    parts: tuple[Written, ...]


@dataclass(frozen=True)
class Times(Written):
    """The body a number of times; high None: without limit."""

    body: Written
    low: int
    high: int | None


@dataclass(frozen=True)
class AllOf(Written):
    """What all parts describe."""

    parts: tuple[Written, ...]


@dataclass(frozen=True)
class Complement(Written):
    """All text that the body does not describe."""

    body: Written


@dataclass(frozen=True)
class EndMarker:
    """Where a region ends: after the first text of `body`, which `stop` leaves out of every value around it."""

    kind: Literal["suffix", "stop"]
    body: Written
    capture: str | None = None


@dataclass(frozen=True)
class Attributes:
    """What stands in brackets after the name of a rule."""

    capture: str | None = None
    max_tokens: int | None = None
    lazy: bool = False
    marker: EndMarker | None = None


@dataclass(frozen=True)
class LarkDefinition:
    """A rule or a terminal."""

    at: Place
    name: str
    body: Written
    attributes: Attributes = Attributes()

    @property
    def is_terminal(self) -> bool:
        """Whether the name is that of a terminal."""
        return is_terminal(self.name)


@dataclass(frozen=True)
class LarkTree:
    """A whole grammar. initial_skip: whether what is ignored may also stand before the first lexeme."""

    at: Place
    definitions: dict[str, LarkDefinition]
    ignored: tuple[Written, ...]
    initial_skip: bool = False


def is_terminal(name: str) -> bool:
    """Whether a name is that of a terminal: its first letter is upper case."""
    return name.lstrip("_")[:1].isupper()
