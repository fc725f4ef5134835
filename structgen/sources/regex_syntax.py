"""Reading a regular expression: interegular's parser for the structure, our own reading of what it gets wrong.

interegular (unmaintained, character sets as frozensets) knows neither anchors nor positions nor dialects, and
misreads some classes: `[\\W\\D]`, a leading `]`, octal and `\\u` escapes, `{,n}`, comments. So the grammar of
alternation and the scanning come from it, and every leaf is read here. Parts without assertions come out as
plain expressions; assertions stay as nodes for `regex` to work out, because they depend on what surrounds them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NoReturn, cast

from interegular.patterns import Pattern, _Concatenation, _ParsePattern  # pyright: ignore[reportPrivateUsage]

from ..errors import InvalidSource, Unsupported
from ..grammar import EMPTY, NOTHING, Expr, alt, char_ranges, chars_except, literal, repeat, seq
from . import char_classes as classes


class Dialect(Enum):
    """Whose rules a pattern follows."""

    PYTHON = "Python's re with re.ASCII"
    ECMA = "ECMA-262"
    PYTHON_UNICODE = "Python's re"
    RUST = "Rust's regex"  # pydantic's


class Anchor(Enum):
    """A place in the text rather than a piece of it."""

    START = "start of text"
    END = "end of text"
    LAST_LINE = "end of text, or before a newline that ends it"


@dataclass(frozen=True)
class Look:
    """A look-ahead: `body` must (or must not) match here; nothing is read."""

    body: Node
    negate: bool


@dataclass(frozen=True)
class Concat:
    """Parts in order, at least one of them with an assertion inside."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Options:
    """Any of the parts, at least one of them with an assertion inside."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Repeated:
    """`body`, which has an assertion inside, `low` to `high` times."""

    body: Node
    low: int
    high: int | None


Node = Expr | Anchor | Look | Concat | Options | Repeated


@lru_cache(maxsize=1000)
def parse(pattern: str, dialect: Dialect, pointer: str | None = None) -> Node:
    """The structure of `pattern`, or InvalidSource / Unsupported that quotes it with the position.

    `pointer` says where in a schema the pattern stands, for those messages.
    """
    return _Parser(pattern, dialect, pointer).read()


def _concat(parts: list[Node]) -> Node:
    plain = [part for part in parts if isinstance(part, Expr)]
    if len(plain) == len(parts):
        return seq(*plain)
    return parts[0] if len(parts) == 1 else Concat(tuple(parts))


def _options(parts: list[Node]) -> Node:
    plain = [part for part in parts if isinstance(part, Expr)]
    if len(plain) == len(parts):
        return alt(*plain)
    return parts[0] if len(parts) == 1 else Options(tuple(parts))


DIGITS, OCTAL, HEX = "0123456789", "01234567", "0123456789abcdefABCDEF"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class _Parser(_ParsePattern):
    """interegular's recursive descent with leaves that are expressions; refusals carry the position."""

    def __init__(self, pattern: str, dialect: Dialect, pointer: str | None):
        super().__init__(pattern)
        self.pointer = pointer
        self.dialect = dialect
        self.rust = dialect is Dialect.RUST
        self.ecma = self.rust or dialect is Dialect.ECMA  # Rust's syntax is close to ECMA-262's
        self.negated = False  # inside [^...]
        self.ignore_case = False
        self.dot_all = False

    def read(self) -> Node:
        node = self.structure()
        if self.index < len(self.data):
            self._invalid("a ) without its (")
        return node

    # Structure -----------------------------------------------------------------------------------------

    def structure(self) -> Node:
        """interegular's `pattern`: its alternatives, as one node."""
        tree: Pattern = self.pattern()
        return _options([_concat(list(cast(_Concatenation, option).parts)) for option in tree.options])  # type: ignore

    def conc(self) -> _Concatenation:
        parts: list[Node] = []
        while self.index < len(self.data) and self.data[self.index] not in "|)":
            parts.append(cast(Node, self.obj()))
        return _Concatenation(tuple(parts))  # type: ignore[arg-type]

    def group(self) -> Node:
        if self.static_b("?"):
            return self.extension_group()
        return self.repetition(self._closed())

    def _closed(self) -> Node:
        """The rest of a group: its alternatives and the closing parenthesis. Flags end with the group."""
        opened, flags = self.index, (self.ignore_case, self.dot_all)
        node = self.structure()
        if not self.static_b(")"):
            self._invalid("a group that is never closed", opened - 1)
        self.ignore_case, self.dot_all = flags
        return node

    def extension_group(self) -> Node:
        start = self.index - 2
        for opening, negate in (("=", False), ("!", True)):
            if self.static_b(opening):
                return self.repetition(Look(self._closed(), negate))
        if self.static_b(":"):
            return self.repetition(self._closed())
        if self.static_b("#") and not self.ecma:
            end = self.data.find(")", self.index)
            if end < 0:
                self._invalid("a comment that is never closed", start)
            self.index = end + 1
            return EMPTY
        if self.anyof_b("<=", "<!"):
            self._unsupported("look-behind", start, "use a look-ahead, or spell the alternatives out")
        if self.static_b(">"):
            self._unsupported("an atomic group", start, "use (?:…), if no backtracking trick was meant")
        if self.static_b("("):
            self._unsupported("a conditional group", start, "spell the alternatives out")
        if self.anyof_b("P=", "P>"):
            self._unsupported("a reference to a group", start, "repeat the group's pattern")
        if self.static_b("<" if self.ecma else "P<") or (self.ecma and self.static_b("P<")):
            return self._named(start)
        return self._flags(start)

    def _named(self, start: int) -> Node:
        end = self.data.find(">", self.index)
        if end < 0 or not self.data[self.index : end].isidentifier():
            self._invalid("a group name that is not an identifier", start)
        self.index = end + 1
        return self.repetition(self._closed())

    def _flags(self, start: int) -> Node:
        """(?i) at the start, (?i:…) and (?-i:…) anywhere."""
        added = self.multiple(LETTERS, 0, None)
        removed = self.multiple(LETTERS, 0, None) if self.static_b("-") else ""
        scoped = self.static_b(":")
        if not scoped and (removed or not added or not self.static_b(")")):
            self._invalid("an unknown kind of group", start)
        if not scoped and start != 0:
            self._invalid("flags for the whole pattern that do not stand at its start", start)
        for flag in added + removed:
            if flag not in "iasm":
                self._unsupported(f"the flag {flag}", start, "write the pattern without it")
        if "m" in added:
            self._unsupported("multi-line anchors, (?m),", start, "spell the lines out")
        if "a" in removed:
            self._invalid("a flag that cannot be switched off", start)
        before = self.ignore_case, self.dot_all
        self.ignore_case = ("i" in added or self.ignore_case) and "i" not in removed
        self.dot_all = ("s" in added or self.dot_all) and "s" not in removed
        if not scoped:
            return EMPTY
        node = self._closed()
        self.ignore_case, self.dot_all = before
        return self.repetition(node)

    def repetition(self, base: Node) -> Node:  # type: ignore[override]
        start = self.index
        bounds = self._quantifier()
        if bounds is None:
            return base
        low, high = bounds
        if high is not None and low > high:
            self._invalid("a repetition whose least number exceeds its greatest", start)
        if not self.static_b("?") and not self.ecma and self.static_b("+"):
            self._unsupported(
                "a possessive repetition", start, "drop the +, if no backtracking trick was meant"
            )
        after = self.index
        if self._quantifier() is not None:
            self._invalid("a repetition of a repetition", after)
        if isinstance(base, Anchor):
            self._invalid("a repetition of an anchor", start)
        if isinstance(base, Look):  # reading nothing twice is reading nothing once
            return base if low else EMPTY
        return repeat(base, low, high) if isinstance(base, Expr) else Repeated(base, low, high)

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
        if not low and self.ecma:
            self._unsupported("{,n}, which ECMA-262 reads as plain text,", start, "write {0,n} or \\{,n}")
        return int(low or 0), int(high) if high else None

    # Leaves --------------------------------------------------------------------------------------------

    def atom(self) -> Node:
        start = self.index
        char = self.any()
        if char == "[":
            return self.repetition(self._cased(self.chargroup()))
        if char == "\\":
            return self.repetition(self._escape_or_anchor(start))
        if char == ".":
            newline = classes.ECMA_NEWLINE if self.ecma else classes.NEWLINE
            return self.repetition(chars_except(NOTHING if self.dot_all else newline))
        if char in "^$":
            end = Anchor.END if self.ecma else Anchor.LAST_LINE
            return self.repetition(Anchor.START if char == "^" else end)
        if char == "{":
            self.index = start
            if self._braces() is not None:
                self._invalid("a repetition of nothing", start)
            self.index = start + 1
        if char in "*+?":
            self._invalid("a repetition of nothing", start)
        return self.repetition(self._cased_text(self._one(char, start)))

    def _cased(self, expr: Expr) -> Expr:
        return classes.ignore_case(expr) if self.ignore_case else expr

    def _cased_text(self, expr: Expr) -> Expr:
        """A single character becomes a literal, so that runs of them are one literal."""
        cased = self._cased(expr)
        code = _single(cased)
        return cased if code is None else literal(chr(code))

    def _escape_or_anchor(self, start: int) -> Node:
        if self.anyof_b("b", "B"):
            self._unsupported("a word boundary", start, "name the characters that may stand there")
        if self.dialect is not Dialect.ECMA and self.static_b("A"):
            return Anchor.START
        if self.dialect is not Dialect.ECMA and self.static_b("z" if self.rust else "Z"):
            return Anchor.END
        if self._is_reference():
            self._unsupported("a reference to a group", start, "repeat the group's pattern")
        return self._cased_text(self.escaped())

    def _is_reference(self) -> bool:
        """Whether a digit or ECMA-262's \\k follows the backslash without being an octal number."""
        start, char = self.index, self.data[self.index : self.index + 1]
        octal = self._octal()
        self.index = start
        return octal is None and char != "" and char in ("k123456789" if self.ecma else "123456789")

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
        if inner and char == "b":
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
        for letter in "dws":
            if self.static_b(letter):
                return self._class(letter, wide=self.negated)
            if self.static_b(letter.upper()):
                return chars_except(self._class(letter, wide=not self.negated))
        start = self.index - 1
        if self.ecma and self.anyof_b("p{", "P{"):
            negate, end = self.data[self.index - 2] == "P", self.data.find("}", self.index)
            name = self.data[self.index : end] if end >= 0 else ""
            expr = classes.category(name)
            if expr is None:
                self._unsupported(f"the property {name!r}", start, "use a general category such as \\p{Lu}")
            self.index = end + 1
            return chars_except(expr) if negate else expr
        return None

    def _class(self, letter: str, *, wide: bool) -> Expr:
        """What \\d, \\w or \\s stands for; `wide` where more of it means fewer texts, so Rust's must be whole."""
        if self.rust:
            return classes.perhaps(letter) if wide else classes.surely(letter)
        if self.dialect is Dialect.PYTHON_UNICODE:
            return classes.python_class(letter)
        space = classes.ECMA_SPACE if self.dialect is Dialect.ECMA else classes.ASCII_SPACE
        return {"d": classes.DIGIT, "w": classes.WORD, "s": space}[letter]

    def _code_escape(self, start: int) -> int | None:
        """\\xHH, \\uXXXX (a surrogate pair is one character), \\UXXXXXXXX, \\u{…}, \\cX, \\N{…}, octal."""
        if self.ecma and self.static_b("u{"):
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
        if not self.ecma and self.static_b("N{"):
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
        if self.ecma:
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
        digits = "" if self.ecma else self.multiple(OCTAL, 0, 3)
        return int(digits, 8) if digits and int(digits, 8) <= 0o377 else None

    def chargroup(self) -> Expr:  # type: ignore[override]
        """A class, after its opening bracket."""
        opened = self.index - 1
        negate = self.static_b("^")
        self.negated = negate
        parts: list[Expr] = []
        first = not self.ecma  # Python reads a bracket that comes first as a character
        while first or not self.static_b("]"):
            if self.index >= len(self.data):
                self._invalid("a class that is never closed", opened)
            if self.rust and self.data.startswith(("[", "&&", "--", "~~"), self.index):
                self._unsupported("a set operation in a class", self.index, "write the class without it")
            parts.append(self.chargroup_inner())
            first = False
        self.negated = False
        whole = classes.union(*parts)
        if negate and self.ignore_case and self.dialect in (Dialect.RUST, Dialect.PYTHON_UNICODE):
            return chars_except(classes.every_case(whole))
        return chars_except(self._cased(whole)) if negate else self._cased(whole)

    def chargroup_inner(self) -> Expr:  # type: ignore[override]
        """One member of a class: a character, a class escape, or a range."""
        start = self.index
        low = self._class_member(start)
        if self.data[self.index : self.index + 1] != "-" or self.data[self.index + 1 : self.index + 2] in (
            "]",
            "",
        ):
            return low
        self.index += 1
        high = self._class_member(self.index)
        ends = [_single(low), _single(high)]
        if None in ends and self.ecma:  # Annex B: a class cannot bound a range, so the hyphen is itself
            return classes.union(low, literal_char("-"), high)
        if None in ends or ends[0] > ends[1]:  # type: ignore[operator]
            self._invalid(f"the range {self.data[start : self.index]}", start)
        return char_ranges([(ends[0], ends[1])])  # type: ignore[list-item]

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


def literal_char(char: str) -> Expr:
    """One character as a class, so that classes can be joined and folded."""
    return char_ranges([(ord(char), ord(char))])


def _single(expr: Expr) -> int | None:
    ranges = getattr(expr, "ranges", ())
    return ranges[0][0] if len(ranges) == 1 and ranges[0][0] == ranges[0][1] else None
