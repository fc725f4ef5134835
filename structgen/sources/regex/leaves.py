"""The leaves of a regular expression: characters, escapes and classes, each as an expression.

interegular misreads some of them (`[\\W\\D]`, a leading `]`, octal and `\\u` escapes), so this module reads all of
them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NoReturn

from interegular.patterns import _ParsePattern  # pyright: ignore[reportPrivateUsage]

from structgen.errors import InvalidSource, Unsupported
from structgen.grammar import Expr, char_ranges, chars_except, literal

from . import char_classes as classes
from .dialect import Dialect

DIGITS, OCTAL, HEX = "0123456789", "01234567", "0123456789abcdefABCDEF"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class Leaves(_ParsePattern):
    """A reader of the leaves of a pattern; its errors carry the position."""

    def __init__(self, pattern: str, dialect: Dialect, pointer: str | None):
        super().__init__(pattern)
        self.pointer = pointer
        self.dialect = dialect
        self.python = dialect in (Dialect.PYTHON_UNICODE, Dialect.PYTHON)
        self.ecma = dialect is Dialect.ECMA
        self.lark = dialect is Dialect.LARK
        self.rust = dialect in (Dialect.RUST, Dialect.LARK)
        self.negated = False  # inside [^...]
        self.flags = frozenset("a" if dialect is Dialect.PYTHON else "")
        self.flagged = 0  # the end of the flags at the start of the pattern

    def _skip(self) -> None:
        """Skip white space and comments under (?x)."""
        if "x" in self.flags:
            spaces = r"[ \t\n\r\f\v]" if self.python else r"[ \t\n\r\f\v\x85\u200e\u200f\u2028\u2029]"
            self.index = _end(rf"(?:{spaces}|#[^\n]*)*", self.data, self.index)

    def _newline(self) -> Expr:
        return classes.ECMA_NEWLINE if self.ecma else classes.NEWLINE

    def _cased(self, expr: Expr) -> Expr:
        if "i" not in self.flags:
            return expr
        if self.lark:
            return classes.ascii_case(expr)
        if not self.python:
            return classes.simple_case(expr)
        return classes.ascii_case(expr) if "a" in self.flags else classes.python_case(expr)

    def _cased_text(self, expr: Expr) -> Expr:
        """`expr` in all its cases; a single character becomes a literal, so that runs of them are one literal."""
        if single(expr) is None:
            return expr
        cased = self._cased(expr)
        code = single(cased)
        return cased if code is None else literal(chr(code))

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
        """\\d, \\w, \\s, \\p{…} and their opposites, in both cases if case is ignored."""
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
        """\\p{…}; characters unknown to Python may have any property in newer databases, so they are in no class."""
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
        """What \\d, \\w or \\s stands for; `wide`: a larger class means fewer texts.

        Rust's database is newer than Python's: a character unknown to Python may be a word character or a digit.
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
        if (self.ecma or self.lark) and self.static_b("c"):
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
        """An octal escape of Python inside a class, \\d to \\ddd; `index` is after the first digit."""
        self.index -= 1
        digits = self.multiple(OCTAL, 0, 3) if self.python else ""
        return int(digits, 8) if digits and int(digits, 8) <= 0o377 else None

    def chargroup(self) -> Expr:  # type: ignore[override]
        """A class, after its opening bracket."""
        opened = self.index - 1
        negate = self.static_b("^")
        self.negated = negate
        parts: list[Expr] = []
        first = not self.ecma  # Python and Rust read a leading bracket as a character
        while self._skip_in_class() or first or not self.static_b("]"):
            if self.index >= len(self.data):
                self._invalid("a class that is never closed", opened)
            if self.rust and self.data.startswith(("[", "&&", "--", "~~"), self.index):
                self._unsupported("a set operation in a class", self.index, "write the class without it")
            parts.append(self.chargroup_inner())
            first = False
        self.negated = False
        whole = classes.union(*parts)
        if negate and self.rust and "i" in self.flags:  # a newer database may give them other cases
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
        ends = [single(low), single(high)]
        if None in ends and self.ecma:  # Annex B: a class cannot bound a range, so the hyphen is literal
            return classes.union(self._member_cased(low), literal_char("-"), self._member_cased(high))
        if None in ends or ends[0] > ends[1]:  # type: ignore[operator]
            self._invalid(f"the range {self.data[start : self.index]}", start)
        return self._cased(char_ranges([(ends[0], ends[1])]))  # type: ignore[list-item]

    def _member_cased(self, expr: Expr) -> Expr:
        return expr if single(expr) is None else self._cased(expr)

    def _class_member(self, start: int) -> Expr:
        char = self.any()
        return self.escaped(inner=True) if char == "\\" else self._one(char, start)

    def _one(self, char: str, start: int) -> Expr:
        if 0xD800 <= ord(char) < 0xE000:
            self._unsupported("a lone surrogate", start, "write the whole character")
        return literal_char(char)

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
    """The end of the match of `pattern` that begins at `start`."""
    found = re.compile(pattern).match(text, start)
    return found.end() if found else start


def literal_char(char: str) -> Expr:
    """One character as a class, so that classes can be joined and folded."""
    return char_ranges([(ord(char), ord(char))])


def single(expr: Expr) -> int | None:
    """The code point of a set of one character, None for any other expression."""
    ranges = getattr(expr, "ranges", ())
    return ranges[0][0] if len(ranges) == 1 and ranges[0][0] == ranges[0][1] else None
