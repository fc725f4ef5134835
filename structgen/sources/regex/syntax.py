"""Reading a regular expression: interegular's parser for the structure, our own reading of what it gets wrong.

interegular (unmaintained, character sets as frozensets) knows neither anchors nor positions nor dialects, and
misreads some classes: `[\\W\\D]`, a leading `]`, octal and `\\u` escapes, `{,n}`, comments. So the grammar of
alternation and the scanning come from it, and every leaf is read here. Parts without assertions come out as
plain expressions; assertions stay as nodes (`regex_nodes`) that `regex` works out, as they depend on what surrounds
them.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from functools import lru_cache
from typing import NoReturn, cast

from interegular.patterns import Pattern, _Concatenation, _ParsePattern  # pyright: ignore[reportPrivateUsage]

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import EMPTY, NOTHING, Expr, Repeat, char_ranges, chars_except, literal

from . import char_classes as classes
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


class Dialect(Enum):
    """Whose rules a pattern follows. Only PYTHON and ECMA have ASCII meanings of \\w, \\d and \\b."""

    PYTHON = "Python's re with re.ASCII"
    PYTHON_UNICODE = "Python's re"
    ECMA = "ECMA-262"
    RUST = "Rust's regex"  # pydantic's


@lru_cache(maxsize=1000)
def parse(pattern: str, dialect: Dialect, pointer: str | None = None) -> Node:
    """The structure of `pattern`, or InvalidSource / Unsupported that quotes it with the position.

    `pointer` says where in a schema the pattern stands, for those messages.
    """
    return settled(_Parser(pattern, dialect, pointer).read())


DIGITS, OCTAL, HEX = "0123456789", "01234567", "0123456789abcdefABCDEF"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
FLAGS = {
    Dialect.PYTHON_UNICODE: "imsxau",
    Dialect.PYTHON: "imsxau",
    Dialect.ECMA: "imsau",
    Dialect.RUST: "imsxuU",
}
RUST_PLACES = {
    "b{start-half}": "none_before",
    "b{end-half}": "none_ahead",
    "b{start}": "start",
    "b{end}": "end",
    "<": "start",
    ">": "end",
}
CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class _Parser(_ParsePattern):
    """interegular's recursive descent with leaves that are expressions; refusals carry the position."""

    def __init__(self, pattern: str, dialect: Dialect, pointer: str | None):
        super().__init__(pattern)
        self.pointer = pointer
        self.dialect = dialect
        self.python = dialect in (Dialect.PYTHON_UNICODE, Dialect.PYTHON)
        self.ecma = dialect is Dialect.ECMA
        self.rust = dialect is Dialect.RUST
        self.negated = False  # inside [^...]
        self.flags = frozenset("a" if dialect is Dialect.PYTHON else "")
        self.flagged = 0  # the end of the flags that stand at the start of the pattern

    def read(self) -> Node:
        node = self.structure()
        if self.index < len(self.data):
            self._invalid('an unmatched ")"')
        return node

    # Structure -----------------------------------------------------------------------------------------

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

    def _skip(self) -> None:
        """White space and comments do not count under (?x)."""
        if "x" in self.flags:
            spaces = r"[ \t\n\r\f\v]" if self.python else r"[ \t\n\r\f\v\x85\u200e\u200f\u2028\u2029]"
            self.index = _end(rf"(?:{spaces}|#[^\n]*)*", self.data, self.index)

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
            remedy = (
                "use regex_engine='python-re' in the model's configuration, or write the pattern without it"
            )
            self._unsupported("a look-around, which Rust's regex does not have,", start, remedy)
        body = self._closed()
        least, most = width(body)
        if kind is Behind and self.python and least != most:
            self._invalid("a look-behind whose alternatives differ in length", start)
        return self.repetition(kind(body, negate))

    def _atomic_group(self, start: int) -> Node:
        if not self.python:
            self._invalid(f"an atomic group, which {self.dialect.value} does not have,", start)
        return self.repetition(self._atomic(self._closed(), "an atomic group", start))

    def _atomic(self, body: Node, what: str, start: int) -> Node:
        """`body`, never taken back; refused where what it matches first is not known for sure."""
        for part in inside(body):
            if isinstance(part, Repeat | Repeated) and part.high != 1 and width(part.body)[0] == 0:
                remedy = "let each round read at least one character"
                self._unsupported(f"{what} that repeats what may be empty", start, remedy)
        least, most = width(body)
        return body if least == most else Atomic(body)  # whatever is matched first, it ends at the same place

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

    # Leaves --------------------------------------------------------------------------------------------

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

    def _newline(self) -> Expr:
        return classes.ECMA_NEWLINE if self.ecma else classes.NEWLINE

    def _line_anchor(self, char: str) -> Node:
        if "m" in self.flags:
            return line_start(self._newline()) if char == "^" else line_end(self._newline())
        if char == "^":
            return Anchor.START
        return Anchor.LAST_LINE if self.python else Anchor.END

    def _cased(self, expr: Expr) -> Expr:
        if "i" not in self.flags:
            return expr
        if not self.python:
            return classes.simple_case(expr)
        return classes.ascii_case(expr) if "a" in self.flags else classes.python_case(expr)

    def _cased_text(self, expr: Expr) -> Expr:
        """A single character becomes a literal, so that runs of them are one literal; classes know their cases."""
        if _single(expr) is None:
            return expr
        cased = self._cased(expr)
        code = _single(cased)
        return cased if code is None else literal(chr(code))

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

    def escaped(self, inner: bool = False) -> Expr:  # type: ignore[override]
        """One character or class after the backslash; `inner` when inside a class."""
        start = self.index - 1
        if self.index >= len(self.data):
            self._invalid("a backslash at the end", start)
        named = self._class_escape()
        if named is not None:
            return named
        code = self._code_escape(start)
        if code is not None:
            return self._one(chr(code), start)
        char = self.any()
        if char in CONTROLS and not (self.ecma and char == "a"):
            return literal_char(CONTROLS[char])
        if inner and char == "b" and not self.rust:
            return literal_char("\b")
        if char in DIGITS:
            octal = self._octal_in_class(start) if inner else None
            if octal is None:
                self._invalid(f"\\{char}, which is no octal number", start)
            return literal_char(chr(octal))
        if char in LETTERS:
            self._invalid(f"\\{char}, which is no escape of {self.dialect.value},", start)
        return self._one(char, start)

    def _class_escape(self) -> Expr | None:
        """\\d, \\w, \\s, \\p{…} and their opposites, in both cases where case is ignored."""
        for letter in "dws":
            if self.static_b(letter):
                return self._class(letter, wide=self.negated)
            if self.static_b(letter.upper()):
                return chars_except(self._class(letter, wide=not self.negated))
        start = self.index - 1
        for opening, negate in (("p", False), ("P", True)):
            if not self.python and self.static_b(opening):
                return self._property(negate, start)
        return None

    def _property(self, negate: bool, start: int) -> Expr:
        """\\p{…}; characters that Python does not know may have any property by now, so they are in no class."""
        end = self.index + 1
        if self.static_b("{"):
            end = self.data.find("}", self.index)
        elif self.ecma:
            self._invalid("\\p without a name in braces", start)
        name = self.data[self.index : end] if end >= 0 else ""
        expr = classes.category(name)
        if expr is None:
            self._unsupported(f"the property {name!r}", start, "use a general category such as \\p{Lu}")
        self.index = end + (self.data[end : end + 1] == "}")
        expr = self._cased(expr)
        if negate != self.negated:
            expr = classes.union(expr, classes.unassigned())
        return chars_except(expr) if negate else expr

    def _class(self, letter: str, *, wide: bool) -> Expr:
        """What \\d, \\w or \\s stands for; `wide` where more of it means fewer texts.

        Rust's database is newer than Python's: what Python does not know may be a word's character or a digit.
        """
        if self.rust:
            whole = classes.rust_class(letter)
            return classes.union(whole, classes.unassigned()) if wide and letter != "s" else whole
        if self.python and "a" not in self.flags:
            return classes.python_class(letter)
        space = classes.ECMA_SPACE if self.ecma else classes.ASCII_SPACE
        found = {"d": classes.DIGIT, "w": classes.WORD, "s": space}[letter]
        return self._cased(found) if self.ecma else found

    def _code_escape(self, start: int) -> int | None:
        """\\xHH, \\uXXXX (a surrogate pair is one character), \\UXXXXXXXX, \\u{…}, \\cX, \\N{…}, octal."""
        if (self.ecma and self.static_b("u{")) or (self.rust and self.anyof_b("x{", "u{", "U{")):
            code = int(self._hex(1, 6, start), 16)
            if not self.static_b("}"):
                self._invalid("a \\u{…} that is never closed", start)
            return code
        if self.static_b("x"):
            return int(self._hex(2, 2, start), 16)
        if self.static_b("u"):
            return self._paired(int(self._hex(4, 4, start), 16), start)
        if not self.ecma and self.static_b("U"):
            return int(self._hex(8, 8, start), 16)
        if self.ecma and self.static_b("c"):
            return ord(self._control(start)) % 32
        if self.python and self.static_b("N{"):
            return self._by_name(start)
        return self._octal()

    def _control(self, start: int) -> str:
        letter = self.data[self.index : self.index + 1]
        if not letter or letter not in LETTERS:
            self._invalid("\\c without a letter", start)
        self.index += 1
        return letter

    def _by_name(self, start: int) -> int:
        end = self.data.find("}", self.index)
        try:
            char = unicodedata.lookup(self.data[self.index : end]) if end >= 0 else ""
        except KeyError:
            char = ""
        if len(char) != 1:
            self._invalid("the name of no character", start)
        self.index = end + 1
        return ord(char)

    def _paired(self, high: int, start: int) -> int:
        if 0xD800 <= high < 0xDC00 and self.ecma and self.static_b("\\u"):
            low = int(self._hex(4, 4, start), 16)
            if 0xDC00 <= low < 0xE000:
                return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
        return high

    def _hex(self, least: int, most: int, start: int) -> str:
        digits = self.multiple(HEX, 0, most)
        if len(digits) < least:
            self._invalid(f"an escape with fewer than {least} hexadecimal digits", start)
        return digits

    def _octal(self) -> int | None:
        """Python's octal escapes: \\0, \\0d, \\0dd and \\ddd; ECMA-262 has \\0 alone."""
        text = self.data[self.index : self.index + 3]
        if not self.python:
            length = 1 if text[:1] == "0" and text[1:2] not in set(DIGITS) else 0
        elif text[:1] == "0":
            length = next(n for n in (3, 2, 1) if len(text) >= n and set(text[:n]) <= set(OCTAL))
        else:
            length = 3 if len(text) == 3 and text[0] in "123" and set(text) <= set(OCTAL) else 0
        self.index += length
        return int(text[:length], 8) if length else None

    def _octal_in_class(self, start: int) -> int | None:
        """Inside a class Python reads \\d to \\ddd as octal; `index` stands after the first digit."""
        self.index -= 1
        digits = self.multiple(OCTAL, 0, 3) if self.python else ""
        return int(digits, 8) if digits and int(digits, 8) <= 0o377 else None

    def chargroup(self) -> Expr:  # type: ignore[override]
        """A class, after its opening bracket."""
        opened = self.index - 1
        negate = self.static_b("^")
        self.negated = negate
        parts: list[Expr] = []
        first = not self.ecma  # Python and Rust read a bracket that comes first as a character
        while self._skip_in_class() or first or not self.static_b("]"):
            if self.index >= len(self.data):
                self._invalid("a class that is never closed", opened)
            if self.rust and self.data.startswith(("[", "&&", "--", "~~"), self.index):
                self._unsupported("a set operation in a class", self.index, "write the class without it")
            parts.append(self.chargroup_inner())
            first = False
        self.negated = False
        whole = classes.union(*parts)
        if negate and self.rust and "i" in self.flags:  # a newer database may have other cases for them
            whole = classes.union(whole, classes.unassigned())
        return chars_except(whole) if negate else whole

    def _skip_in_class(self) -> None:
        """Rust's (?x) skips white space in classes too."""
        if self.rust:
            self._skip()

    def chargroup_inner(self) -> Expr:  # type: ignore[override]
        """One member of a class: a character, a class escape, or a range."""
        start = self.index
        low = self._class_member(start)
        if self.data[self.index : self.index + 1] != "-" or self.data[self.index + 1 : self.index + 2] in (
            "]",
            "",
        ):
            return self._member_cased(low)
        self.index += 1
        high = self._class_member(self.index)
        ends = [_single(low), _single(high)]
        if None in ends and self.ecma:  # Annex B: a class cannot bound a range, so the hyphen is itself
            return classes.union(self._member_cased(low), literal_char("-"), self._member_cased(high))
        if None in ends or ends[0] > ends[1]:  # type: ignore[operator]
            self._invalid(f"the range {self.data[start : self.index]}", start)
        return self._cased(char_ranges([(ends[0], ends[1])]))  # type: ignore[list-item]

    def _member_cased(self, expr: Expr) -> Expr:
        return expr if _single(expr) is None else self._cased(expr)

    def _class_member(self, start: int) -> Expr:
        char = self.any()
        return self.escaped(inner=True) if char == "\\" else self._one(char, start)

    def _one(self, char: str, start: int) -> Expr:
        if 0xD800 <= ord(char) < 0xE000:
            self._unsupported("a lone surrogate", start, "write the whole character")
        return literal_char(char)

    # Refusals ------------------------------------------------------------------------------------------

    def _invalid(self, what: str, position: int | None = None) -> NoReturn:
        message = f"the pattern {self.data!r} has {what} at position {self._at(position)}"
        raise InvalidSource(message, pointer=self.pointer)

    def _unsupported(self, what: str, position: int, remedy: str) -> NoReturn:
        message = (
            f"the pattern {self.data!r} has {what} at position {self._at(position)}, which is not supported"
        )
        raise Unsupported(message, keyword="pattern", pointer=self.pointer, remedy=remedy)

    def _at(self, position: int | None) -> int:
        return self.index if position is None else position


def _end(pattern: str, text: str, start: int) -> int:
    """Where a match of `pattern` that begins at `start` ends."""
    found = re.compile(pattern).match(text, start)
    return found.end() if found else start


def literal_char(char: str) -> Expr:
    """One character as a class, so that classes can be joined and folded."""
    return char_ranges([(ord(char), ord(char))])


def _single(expr: Expr) -> int | None:
    ranges = getattr(expr, "ranges", ())
    return ranges[0][0] if len(ranges) == 1 and ranges[0][0] == ranges[0][1] else None
