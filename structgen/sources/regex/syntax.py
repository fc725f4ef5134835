"""Reading a regular expression: interegular's parser for the structure, and our own for what it gets wrong.

interegular (unmaintained, character sets as frozensets) supports no anchors, positions or dialects, and misreads
comments, `{,n}` and many leaves. Only the grammar of alternation and the scanning come from it. Groups, repetitions and
places are read here, and every leaf in `leaves`. Parts without assertions become plain expressions. Assertions remain
`nodes`, which the package compiles later because they depend on their surroundings.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

from interegular.patterns import Pattern, _Concatenation  # pyright: ignore[reportPrivateUsage]

from structgen.grammar import EMPTY, NOTHING, Repeat, chars_except

from .dialect import FLAGS, Dialect
from .leaves import DIGITS, LETTERS, Leaves
from .nodes import (
    Anchor,
    Atomic,
    Behind,
    Look,
    Node,
    Repeated,
    Words,
    concat,
    inside,
    line_end,
    line_start,
    options,
    repeated,
    settled,
    width,
)


@lru_cache(maxsize=1000)
def parse(pattern: str, dialect: Dialect, pointer: str | None = None) -> Node:
    """The structure of `pattern`. Raises InvalidSource or Unsupported, which quote it with the position.

    pointer: the place of the pattern in its schema, for these messages
    """
    return settled(_Parser(pattern, dialect, pointer).read())


RUST_PLACES = {
    "b{start-half}": "none_before",
    "b{end-half}": "none_ahead",
    "b{start}": "start",
    "b{end}": "end",
    "<": "start",
    ">": "end",
}


class _Parser(Leaves):
    """interegular's recursive-descent parser with expressions as leaves; its errors carry the position."""

    def read(self) -> Node:
        node = self.structure()
        if self.index < len(self.data):
            self._invalid('an unmatched ")"')
        return node

    def structure(self) -> Node:
        """interegular's `pattern`: its alternatives, as one node."""
        tree: Pattern = self.pattern()
        return options(*(concat(*cast(_Concatenation, option).parts) for option in tree.options))  # type: ignore

    def conc(self) -> _Concatenation:
        parts: list[Node] = []
        self._skip()
        while self.index < len(self.data) and self.data[self.index] not in "|)":
            parts.append(cast(Node, self.obj()))
            self._skip()
        return _Concatenation(tuple(parts))  # type: ignore[arg-type]

    def group(self) -> Node:
        if self.static_b("?"):
            return self.extension_group()
        return self.repetition(self._closed())

    def _closed(self) -> Node:
        """The rest of a group: its alternatives and the closing parenthesis. Flags end with the group."""
        opened, flags = self.index, self.flags
        node = self.structure()
        if not self.static_b(")"):
            self._invalid("a group that is never closed", opened - 1)
        self.flags = flags
        return node

    def extension_group(self) -> Node:
        start = self.index - 2
        for kind, opening, negate in (
            (Look, "=", False),
            (Look, "!", True),
            (Behind, "<=", False),
            (Behind, "<!", True),
        ):
            if self.static_b(opening):
                return self._look(kind, negate, start)
        if self.static_b(":"):
            return self.repetition(self._closed())
        if self.static_b("#") and self.python:
            end = self.data.find(")", self.index)
            if end < 0:
                self._invalid("a comment that is never closed", start)
            self.index = end + 1
            return EMPTY
        if self.static_b(">"):
            return self._atomic_group(start)
        if self.static_b("("):
            self._unsupported("a conditional group", start, "spell the alternatives out")
        if self.anyof_b("P=", "P>"):
            self._unsupported("a reference to a group", start, "repeat the group's pattern")
        if self.static_b("P<") or (not self.python and self.static_b("<")):
            return self._named(start)
        return self._flags(start)

    def _look(self, kind: type[Look | Behind], negate: bool, start: int) -> Node:
        if self.rust:
            engine = "" if self.lark else "use regex_engine='python-re' in the model's configuration, or "
            remedy = f"{engine}write the pattern without it"
            self._unsupported(f"a look-around, which is not part of {self.dialect.value},", start, remedy)
        body = self._closed()
        least, most = width(body)
        if kind is Behind and self.python and least != most:
            self._invalid("a look-behind whose alternatives differ in length", start)
        return self.repetition(kind(body, negate))

    def _atomic_group(self, start: int) -> Node:
        if not self.python:
            self._invalid(f"an atomic group, which is not part of {self.dialect.value},", start)
        return self.repetition(self._atomic(self._closed(), "an atomic group", start))

    def _atomic(self, body: Node, what: str, start: int) -> Node:
        """`body` as an atomic group; refused if its first match is not certain."""
        for part in inside(body):
            if isinstance(part, Repeat | Repeated) and part.high != 1 and width(part.body)[0] == 0:
                remedy = "let each round read at least one character"
                self._unsupported(f"{what} that repeats what may be empty", start, remedy)
        least, most = width(body)
        return body if least == most else Atomic(body)  # every match ends at the same place

    def _named(self, start: int) -> Node:
        end = self.data.find(">", self.index)
        if end < 0 or not self.data[self.index : end].isidentifier():
            self._invalid("a group name that is not an identifier", start)
        self.index = end + 1
        return self.repetition(self._closed())

    def _flags(self, start: int) -> Node:
        """(?i) at the start, (?i:…) and (?-i:…) anywhere; in Rust (?i) anywhere, for the rest of its group."""
        added = self.multiple(LETTERS, 0, None)
        removed = self.multiple(LETTERS, 0, None) if self.static_b("-") else ""
        scoped = self.static_b(":")
        if not scoped and not ((added or removed) and self.static_b(")")):
            self._invalid("an unknown kind of group", start)
        if not scoped and not self.rust and removed:
            self._invalid("flags that are switched off for the whole pattern", start)
        if not scoped and not self.rust and start != self.flagged:
            self._invalid("flags for the whole pattern that do not stand at its start", start)
        self._check_flags(added, removed, start)
        flags = (self.flags | set(added)) - set(removed)
        if "u" in added:
            flags -= {"a"}
        if not scoped:
            self.flags, self.flagged = flags, self.index
            return EMPTY
        before, self.flags = self.flags, flags
        node = self._closed()
        self.flags = before
        return self.repetition(node)

    def _check_flags(self, added: str, removed: str, start: int) -> None:
        for flag in added + removed:
            if flag not in FLAGS[self.dialect]:
                self._unsupported(f"the flag {flag}", start, "write the pattern without it")
        if set(added) & set(removed):
            self._invalid("a flag that is switched both on and off", start)
        if {"a", "u"} <= set(added):
            self._invalid("the flags a and u, which exclude each other,", start)
        if set("au") & set(removed):
            if self.rust:
                self._unsupported("the flag u switched off", start, "name the ASCII characters: [0-9A-Za-z_]")
            self._invalid("a flag that cannot be switched off", start)

    def repetition(self, base: Node, *, anchor: bool = False) -> Node:  # type: ignore[override]
        self._skip()
        start = self.index
        bounds = self._quantifier()
        if bounds is None:
            return base
        low, high = bounds
        if high is not None and low > high:
            self._invalid("a repetition whose upper bound is below its lower bound", start)
        if anchor and not self.rust:
            self._invalid("a repetition of an anchor", start)
        lazy = self.static_b("?")
        if not lazy and self.python and self.static_b("+"):
            once = self._atomic(base, "a possessive repetition", start)
            node = self._atomic(repeated(once, low, high), "a possessive repetition", start)
        else:
            node = self._repeated(base, low, high, lazy)
        if self.rust:
            return self.repetition(node)
        self._skip()
        after = self.index
        if self._quantifier() is not None:
            self._invalid("a repetition of a repetition", after)
        return node

    def _repeated(self, base: Node, low: int, high: int | None, lazy: bool) -> Node:
        if isinstance(base, Anchor):  # reading nothing twice is reading nothing once
            return base if low else EMPTY
        return repeated(base, low, high, lazy=lazy != ("U" in self.flags))

    def _quantifier(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.static_b(sign):
                return bounds
        return self._braces()

    def _braces(self) -> tuple[int, int | None] | None:
        """{m}, {m,}, {m,n} and Python's {,n}; any other brace is a literal, and None is returned."""
        start = self.index
        if not self.static_b("{"):
            return None
        low = self.multiple(DIGITS, 0, None)
        comma = self.static_b(",")
        high = self.multiple(DIGITS, 0, None) if comma else low
        if not self.static_b("}") or not (low or comma):
            self.index = start
            return None
        if not low and not self.python:
            other = f"{{,n}}, which {self.dialect.value} reads as plain text,"
            self._unsupported(other, start, "write {0,n} or \\{,n}")
        return int(low or 0), int(high) if high else None

    def atom(self) -> Node:
        start = self.index
        char = self.any()
        if char == "[":
            return self.repetition(self.chargroup())
        if char == "\\":
            return self._escape_or_anchor(start)
        if char == ".":
            return self.repetition(chars_except(NOTHING if "s" in self.flags else self._newline()))
        if char in "^$":
            return self.repetition(self._line_anchor(char), anchor=True)
        if char == "{":
            self.index = start
            if self._braces() is not None:
                self._invalid("a repetition of nothing", start)
            self.index = start + 1
        if char in "*+?":
            self._invalid("a repetition of nothing", start)
        return self.repetition(self._cased_text(self._one(char, start)))

    def _line_anchor(self, char: str) -> Node:
        if "m" in self.flags:
            return line_start(self._newline()) if char == "^" else line_end(self._newline())
        if char == "^":
            return Anchor.START
        return Anchor.LAST_LINE if self.python else Anchor.END

    def _escape_or_anchor(self, start: int) -> Node:
        place = self._place()
        if place is not None:
            return self.repetition(place, anchor=True)
        if self._is_reference():
            self._unsupported("a reference to a group", start, "repeat the group's pattern")
        return self.repetition(self._cased_text(self.escaped()))

    def _place(self) -> Node | None:
        """An escape that stands for a place in the text."""
        if not self.ecma and self.static_b("A"):
            return Anchor.START
        if not self.ecma and self.static_b("z" if self.rust else "Z"):
            return Anchor.END
        if self.rust:
            for name, place in RUST_PLACES.items():
                if self.static_b(name):
                    return getattr(self._words(), place)
        if self.static_b("b"):
            return self._words().boundary
        if self.static_b("B"):
            return self._words().inside_or_outside(empty=not self.python or re.search(r"\B", "") is not None)
        return None

    def _words(self) -> Words:
        return Words(self._class("w", wide=False), chars_except(self._class("w", wide=True)))

    def _is_reference(self) -> bool:
        """Whether a digit or ECMA-262's \\k follows the backslash without being an octal number."""
        start, char = self.index, self.data[self.index : self.index + 1]
        octal = self._octal()
        self.index = start
        return octal is None and char != "" and char in ("123456789" if self.python else "k123456789")
