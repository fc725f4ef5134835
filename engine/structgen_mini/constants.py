"""The constants of the embedded model's rules, read from the file weights.toml that lies beside the weights.

The weights say what the model believes; these numbers say how far the rules around it go: what a value costs that is no
copy of the document, how long a slot is. The file names the unit and the source of each.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

CONSTANTS = "weights.toml"


@dataclass(frozen=True)
class SlotSizes:
    """The tokens kept for a value of each kind; a digit is one token, and so is the space between two words.

    item_string, item_integer: for values inside an array; nullable: added to the kind's own size, because a string's
    quotes are in its slot then; items: how many items an array has room for; nested_items: the same for an array
    inside an array
    """

    string: int
    item_string: int
    integer: int
    item_integer: int
    number: int
    boolean: int
    date: int
    time: int
    date_time: int
    email: int
    any: int
    nullable: int
    items: int
    nested_items: int


@dataclass(frozen=True)
class Slots:
    """Slot sizes for two situations: usual, and snug for an answer whose usual slots do not fit the block."""

    usual: SlotSizes
    snug: SlotSizes


@dataclass(frozen=True)
class Layouts:
    """How layouts are counted and grown.

    canvases: noisy canvases that are averaged to count items; growth: how many times longer a full slot gets;
    attempts: layouts that are filled at most
    """

    canvases: int
    growth: int
    attempts: int


@dataclass(frozen=True)
class Copies:
    """What copies of the document are offered, and what it costs to differ from them, in nats.

    penalty: for a text that is no copy
    over: for a text that runs over the end of a line, for each line end
    crowding: for copying a piece more often than the document has it
    away: for a piece that stands outside the words that describe the rest of its record
    unstated: for an option that the document does not name although it names another
    line, gap, word: for a record that goes on past the end of a line, past an empty line, by one more word
    record_words: the most words that describe one record
    choices: the most copies that are offered to one slot
    short: options of at most so many characters are matched with their capitals
    """

    penalty: float
    over: float
    crowding: float
    away: float
    unstated: float
    line: float
    gap: float
    word: float
    record_words: int
    choices: int
    short: int


@dataclass(frozen=True)
class ReadingNats:
    """How much the reader's opinion counts beside the model's.

    span, option: nats for each nat of a span's, of an option's log-probability; most: nats against any choice
    offered: the likeliest spans that are offered to a text slot
    absent: the probability of "not stated" up to which an optional member is laid out as one that the document states
    """

    span: float
    option: float
    most: float
    offered: int
    absent: float


@dataclass(frozen=True)
class Counting:
    """How the document and the model together say how many items an array has.

    whole, alone: nats for an item of several fields that one place of the document describes, for an item of one value
    torn: nats against an item that no place describes
    certainty: the share of the model's own nats that counts
    least: nats below the model's best number of items, beyond which a number is only just possible
    """

    whole: float
    alone: float
    torn: float
    certainty: float
    least: float


@dataclass(frozen=True)
class Listings:
    """How an array is found to be a list of the document.

    likely, likely_map: the share of the items found at first that must lie in the list, of a map's members
    named: nats for a column whose head has a word of a member's name
    part, cell: nats for a value that is no copy from its own part of the list, from its own cell of the table
    read: the probability by the reader with which items must begin in the parts of a list, for it to be the array
    absent: the probability by the reader that no field of an array's items is stated, beyond which the array is empty
    item: of the probability of an item's likeliest beginning, the share that another item's beginning must have
    """

    likely: float
    likely_map: float
    named: float
    part: float
    cell: float
    read: float
    absent: float
    item: float


@dataclass(frozen=True)
class Alternatives:
    """How the alternatives of a union are told apart.

    keenness: nats between a description whose words are all in the text and one with none in it
    """

    keenness: float


@dataclass(frozen=True)
class Confidence:
    """How the probability of a value becomes the probability that the value is right.

    temperature: the log-odds of a value are divided by it
    shift: is added to them then, for copies and readings say more of a value than the model alone
    """

    temperature: float
    shift: float


@dataclass(frozen=True)
class Doubting:
    """When a value is doubted although the document has its words: they may be meant for something else.

    Its support is the mean log-probability of its tokens, in nats, and a share of the log-probability that the reader
    gives to its places.

    least: the support below which it is doubted
    margin: nats by which its support must be larger than that of another value with the same words
    reading: that share
    """

    least: float
    margin: float
    reading: float


@dataclass(frozen=True)
class Constants:
    """All constants of a model of this kind, one part for each table of its weights.toml."""

    slots: Slots
    layouts: Layouts
    copies: Copies
    reading: ReadingNats
    counting: Counting
    listings: Listings
    alternatives: Alternatives
    confidence: Confidence
    doubt: Doubting

    @classmethod
    def read(cls, folder: Path) -> Constants:
        """The constants in a model's folder.

        Raises ValueError, which names the file and the key, where one is missing, unknown or no number.
        """
        path = folder / CONSTANTS
        if not path.exists():
            raise ValueError(f"{path} is missing: export the model again, or copy that of the embedded model")
        return _read(cls, tomllib.loads(path.read_text(encoding="utf-8")), path, "")


def _read(kind: type, table: Any, path: Path, at: str) -> Any:
    """A dataclass from a table of the file; `at` is the table's dotted name and a point."""
    if not isinstance(table, Mapping):
        raise ValueError(f"{path}: {at.rstrip('.')} must be a table")
    names = [field.name for field in fields(kind)]
    for problem, keys in (
        ("lacks", [name for name in names if name not in table]),
        ("has the unknown key", [key for key in table if key not in names]),
    ):
        if keys:
            raise ValueError(f"{path} {problem} {at}{keys[0]}")
    types = get_type_hints(kind)
    return kind(**{name: _value(types[name], table[name], path, at + name) for name in names})


def _value(kind: type, value: Any, path: Path, at: str) -> Any:
    if is_dataclass(kind):
        return _read(kind, value, path, f"{at}.")
    wanted = (int, float) if kind is float else (int,)
    if isinstance(value, bool) or not isinstance(value, wanted):
        what = "a number" if kind is float else "a whole number"
        raise ValueError(f"{path}: {at} must be {what}, not {value!r}")
    return kind(value)
