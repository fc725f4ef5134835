"""Context-free grammars in EBNF, in the notation of llama.cpp (GBNF), XGrammar and vLLM.

    root ::= "SELECT " column (", " column)* " FROM " [a-z_]{1,20}    # a comment
    column ::= "name" | "age"

A grammar is rules `name ::= body`; the text is what `root` derives. A body is alternatives `|` of sequences of
"literals" (with JSON's escapes, and \\xHH), [sets] of characters or [^all others], `.` for any character, names of
rules and (groups), each optionally followed by `?`, `*`, `+`, `{n}`, `{n,}` or `{n,m}`. A body ends at the next rule.

Of llama.cpp's tokens there are `<name>`, `<[7]>` and `!<[7]>`, any other one. Of XGrammar's macros there are
`Substring("one", "two")`, neighbouring pieces, `Regex("…")`, `Token(7, 8)` and `ExcludeToken(7)`; of its attributes, as
in `name[lazy] ::= body`, there are `lazy`, `max_tokens`, `max_chars` and `capture`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from structgen.errors import InvalidSource, Unsatisfiable
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

from .lark.captures import by_name, captures
from .lark.lowering import Delimited
from .macros import attributed, macro, special
from .place import Place, encodable
from .productive import productive
from .reading import Capture

RULE_NAME = r"[A-Za-z_][A-Za-z0-9_-]*"
MACRO_NAMES = "Substring|Regex|Token|ExcludeToken|TagDispatch|TokenTagDispatch"
TOKEN = re.compile(
    rf"""(?P<skipped>\s+|\#[^\n]*) | (?P<rule>{RULE_NAME})\s*(?P<attributes>\[[^\]\n]*\])?\s*::=
    | (?P<macro>{MACRO_NAMES})\( | (?P<name>{RULE_NAME}) | (?P<special>!?<[^<>\s]+>) | (?P<ahead>\(=)
    | "(?P<literal>(?:[^"\\\n]|\\.)*)" | \[(?P<set>(?:[^\]\\]|\\.)+)\]
    | \{{\s*(?P<count>\d+\s*(?:,\s*\d*\s*)?)\}} | (?P<sign>[|()?*+.]) | (?P<argument>[,=]|\d+)""",
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

    @cached_property
    def _lowered(self) -> tuple[Grammar, dict[str, Delimited]]:
        reader = _GrammarReader(encodable(self.text))
        rules = reader.rules()
        for name, token in reader.named.items():
            if name not in rules:
                raise InvalidSource(
                    f"line {token.line} of the grammar names {name}, for which there is no rule\n{token.at.excerpt}"
                )
        if self.root not in rules:
            raise InvalidSource(f"the grammar has no rule {self.root!r}, where it would begin")
        if self.root not in productive(rules):
            raise Unsatisfiable(
                f"the rule {self.root} of the grammar derives no string: every way through it is endless"
            )
        return Grammar(ref(self.root), rules), reader.regions

    def lower(self) -> Grammar:
        """The texts that the root derives."""
        return self._lowered[0]

    def captures(self, text: str) -> dict[str, list[Capture]]:
        """What the rules with `capture` stand for in a text, by name; none if the grammar does not derive the text."""
        return by_name(self.captured(text))

    def captured(self, text: str) -> list[tuple[str, Capture]]:
        """The same as pairs, in the order in which the pieces end."""
        return captures(*self._lowered, text)

    def parse(self, text: str) -> str:
        """The text itself."""
        return text


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: Place
    attributes: str = ""

    @property
    def line(self) -> int:
        """Its line."""
        return self.at.line

    @property
    def column(self) -> int:
        """Its first character in the line."""
        return self.at.column


class _GrammarReader:
    """A recursive-descent parser over the tokens of a grammar.

    named: the rules that it refers to, and where; regions: those with attributes
    """

    def __init__(self, text: str) -> None:
        self._tokens = [
            *_tokens(text),
            _Token("end", "the end of the grammar", Place(text, len(text))),
        ]
        self._at = 0
        self.named: dict[str, _Token] = {}
        self.regions: dict[str, Delimited] = {}

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
            if rule.attributes:
                self._attributed(rule, rules)
            if self._next.kind not in ("rule", "end"):
                raise _wrong(self._next, "this sign closes no group and repeats nothing; remove it")
        return rules

    def _attributed(self, rule: _Token, rules: dict[str, Expr]) -> None:
        """Give a rule its attributes; what it stands for has the name of the rule and an exclamation mark."""
        body, capture = attributed(rule.attributes, rule.text, rules[rule.text], rule.at)
        self.regions[f"{rule.text}!"] = Delimited(capture, body)
        rules[f"{rule.text}!"], rules[rule.text] = body, ref(f"{rule.text}!")

    def _alternatives(self) -> Expr:
        options = [self._sequence()]
        while self._next.text == "|" and self._next.kind == "sign":
            self._take()
            options.append(self._sequence())
        return alt(*options)

    def _sequence(self) -> Expr:
        parts = []
        while self._next.kind in ("name", "literal", "set", "special", "macro", "ahead") or self._is_sign(
            "(."
        ):
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
            self.named.setdefault(item.text, item)
            return ref(item.text)
        if item.kind == "literal":
            return literal("".join(_characters(item)))
        if item.kind == "set":
            return _set(item)
        if item.kind == "special":
            return special(item.text, item.at)
        if item.kind == "macro":
            return macro(item.text, [*self._arguments(item)], item.at)
        if item.kind == "ahead":
            raise _wrong(item, "look-ahead is not supported; write what must follow as part of the rules")
        if item.text == ".":
            return ANY_CHAR
        body = self._alternatives()
        if not self._is_sign(")"):
            raise _wrong(self._next, "a group is not closed")
        self._take()
        return body

    def _arguments(self, opening: _Token) -> Iterator[str | int]:
        """The strings and numbers up to the closing parenthesis."""
        while not self._is_sign(")"):
            item = self._take()
            if item.kind == "name" and self._next.text == "=":
                raise _wrong(item, f"{opening.text}() does not accept named arguments")
            if item.kind == "literal":
                yield "".join(_characters(item))
            elif item.kind == "argument" and item.text.isdigit():
                yield int(item.text)
            else:
                raise _wrong(item, f"{opening.text}() arguments must be strings or numbers")
            if self._next.text == "," and self._next.kind == "argument":
                self._take()
            elif not self._is_sign(")"):
                raise _wrong(self._next, f"{opening.text}( is not closed")
        self._take()

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
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            place, shown = Place(text, at), text[at : at + 20].splitlines()[0]
            raise InvalidSource(
                f"line {place.line} of the grammar cannot be read from {shown!r} on; a rule is name ::= body"
                f"\n{place.excerpt}"
            )
        kind = "rule" if match["rule"] else match.lastgroup or ""
        if kind != "skipped":
            yield _Token(kind, match[kind], Place(text, at), match["attributes"] or "")
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
        f"line {token.line} of the grammar, column {token.column}, at {token.text!r:.40}: {what}\n{token.at.excerpt}"
    )
