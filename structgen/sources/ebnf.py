"""Context-free grammars in EBNF, in the notation of llama.cpp (GBNF), XGrammar and vLLM.

    root ::= "SELECT " column (", " column)* " FROM " [a-z_]{1,20}    # a comment
    column ::= "name" | "age"

A grammar is rules `name ::= body`; the text is what `root` derives. A body is alternatives `|` of sequences of
"literals" (with JSON's escapes, and \\xHH), [sets] of characters or [^all others], `.` for any character, names of
rules and (groups), each optionally followed by `?`, `*`, `+`, `{n}`, `{n,}` or `{n,m}`. A body ends at the next rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from structgen.errors import InvalidSource
from structgen.grammar import (
    ANY_CHAR,
    Combines,
    Expr,
    Grammar,
    alt,
    char_ranges,
    chars_except,
    literal,
    optional,
    ref,
    repeat,
    seq,
    star,
)

RULE_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
TOKEN = re.compile(
    rf"""(?P<skipped>\s+|\#[^\n]*) | (?P<rule>{RULE_NAME})\s*::= | (?P<name>{RULE_NAME})
    | "(?P<literal>(?:[^"\\\n]|\\.)*)" | \[(?P<set>(?:[^\]\\]|\\.)+)\]
    | \{{\s*(?P<count>\d+\s*(?:,\s*\d*\s*)?)\}} | (?P<sign>[|()?*+.])""",
    re.VERBOSE,
)
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|(.)", re.DOTALL)
SHORT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": "\0"}
MOST_COPIES = 10_000  # copies of one repetition


@dataclass(frozen=True)
class Ebnf(Combines):
    """Text that the grammar's rule `root` derives; parsing returns the text.

    `text` is the grammar. Errors name the line and column.
    """

    text: str
    root: str = "root"

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise InvalidSource(f"a grammar is a string, not {type(self.text).__name__}")

    def lower(self) -> Grammar:
        """The texts that the root derives."""
        reader = _GrammarReader(self.text)
        rules = reader.rules()
        for name, line in reader.named.items():
            if name not in rules:
                raise InvalidSource(f"line {line} of the grammar names {name}, for which there is no rule")
        if self.root not in rules:
            raise InvalidSource(f"the grammar has no rule {self.root!r}, where it would begin")
        return Grammar(ref(self.root), rules)

    def parse(self, text: str) -> str:
        """The text itself."""
        return text


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    line: int
    column: int = 1


class _GrammarReader:
    """A recursive-descent parser over the tokens of a grammar. named: the rules that it refers to, and their lines"""

    def __init__(self, text: str) -> None:
        self._tokens = [
            *_tokens(text),
            _Token("end", "the end of the grammar", text.count("\n") + 1, len(text) - text.rfind("\n")),
        ]
        self._at = 0
        self.named: dict[str, int] = {}

    def rules(self) -> dict[str, Expr]:
        """The body of each rule."""
        rules: dict[str, Expr] = {}
        while self._next.kind != "end":
            rule = self._take()
            if rule.kind != "rule":
                raise _wrong(rule, "a rule, name ::= body, begins here")
            if rule.text in rules:
                raise _wrong(rule, "this rule is already defined; give it another name")
            rules[rule.text] = self._alternatives()
            if self._next.kind not in ("rule", "end"):
                raise _wrong(self._next, "this sign closes no group and repeats nothing; remove it")
        return rules

    def _alternatives(self) -> Expr:
        options = [self._sequence()]
        while self._next.text == "|" and self._next.kind == "sign":
            self._take()
            options.append(self._sequence())
        return alt(*options)

    def _sequence(self) -> Expr:
        parts = []
        while self._next.kind in ("name", "literal", "set") or self._is_sign("(."):
            self._check_no_range()
            parts.append(self._repeated(self._item()))
        return seq(*parts)

    def _check_no_range(self) -> None:
        """Refuse "a".."z", a range in other dialects of EBNF: here it would mean any two characters in between."""
        around = self._tokens[max(0, self._at - 1) : self._at + 3]
        if [token.text for token in around[1:3]] != [".", "."] or around[2].column != around[1].column + 1:
            return
        low, high = around[0], around[-1]
        if all(end.kind == "literal" and len([*_characters(end)]) == 1 for end in (low, high)):
            dots = replace(around[1], text="..")
            shown = f"[{_in_set(low)}-{_in_set(high)}]"
            raise _wrong(dots, f"write the range as {shown}, or any two characters as . .")

    def _item(self) -> Expr:
        item = self._take()
        if item.kind == "name":
            self.named.setdefault(item.text, item.line)
            return ref(item.text)
        if item.kind == "literal":
            return literal("".join(_characters(item)))
        if item.kind == "set":
            return _set(item)
        if item.text == ".":
            return ANY_CHAR
        body = self._alternatives()
        if not self._is_sign(")"):
            raise _wrong(self._next, "a group is not closed")
        self._take()
        return body

    def _repeated(self, body: Expr) -> Expr:
        while self._next.kind == "count" or self._is_sign("?*+"):
            sign = self._take()
            if sign.kind == "count":
                low, _, high = sign.text.partition(",")
                body = _counted(sign, body, int(low), high.strip() if "," in sign.text else low)
            else:
                body = {"?": optional, "*": star, "+": lambda expr: repeat(expr, 1)}[sign.text](body)
        return body

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _is_sign(self, signs: str) -> bool:
        return self._next.kind == "sign" and self._next.text in signs

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            shown = text[at : at + 20].splitlines()[0]
            raise InvalidSource(
                f"line {line} of the grammar cannot be read from {shown!r} on; a rule is name ::= body"
            )
        kind = match.lastgroup or ""
        if kind != "skipped":
            yield _Token(kind, match[kind], line, at - text.rfind("\n", 0, at))
        line += match[0].count("\n")
        at = match.end()


def _counted(sign: _Token, body: Expr, low: int, high: str) -> Expr:
    most = int(high) if high else None
    if most is not None and most < low:
        raise _wrong(sign, "the upper bound is below the lower bound")
    if max(low, most or 0) > MOST_COPIES:
        raise _wrong(sign, f"a repetition may have {MOST_COPIES:,} copies at most")
    return repeat(body, low, most)


def _characters(item: _Token) -> Iterator[str]:
    """The characters of a literal or set, with escapes resolved."""
    for match in ESCAPE.finditer(item.text):
        *codes, short, plain = match.groups()
        code = next((digits for digits in codes if digits is not None), None)
        if code is None:
            yield SHORT.get(short, short) if plain is None else plain
        elif int(code, 16) > 0x10FFFF or 0xD800 <= int(code, 16) <= 0xDFFF:
            raise _wrong(item, f"U+{code} is not a character")
        else:
            yield chr(int(code, 16))


def _set(item: _Token) -> Expr:
    """[a-z0-9_] and [^…]; a hyphen that is escaped, or the first or last character, stands for itself."""
    negated = item.text.startswith("^")
    pieces = [match[0] for match in ESCAPE.finditer(item.text[1:] if negated else item.text)]
    values = [next(_characters(replace(item, text=piece))) for piece in pieces]
    ranges, at = list[tuple[int, int]](), 0
    while at < len(pieces):
        through = at + 2 < len(pieces) and pieces[at + 1] == "-"
        low, high = ord(values[at]), ord(values[at + 2 if through else at])
        if high < low:
            raise _wrong(item, f"{values[at]}-{chr(high)} is an empty range")
        ranges.append((low, high))
        at += 3 if through else 1
    return chars_except(char_ranges(ranges)) if negated else char_ranges(ranges)


def _in_set(end: _Token) -> str:
    """The spelling, inside a set, of a one-character literal."""
    return f"\\{end.text}" if end.text in ("]", "^", "-") else end.text


def _wrong(token: _Token, what: str) -> InvalidSource:
    return InvalidSource(
        f"line {token.line} of the grammar, column {token.column}, at {token.text!r:.40}: {what}"
    )
