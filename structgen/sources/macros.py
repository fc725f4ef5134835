"""What llama.cpp's and XGrammar's EBNF have beyond rules and characters: tokens, macros and attributes of rules."""

from __future__ import annotations

import re
from typing import NoReturn

from structgen.errors import StructgenError
from structgen.grammar import ANY_CHAR, Expr, both, budget, repeat, token, token_set

from .lark.terminals import run_of, shortest
from .place import Place
from .regex import fullmatch_expr
from .regex.dialect import Dialect

ATTRIBUTE = re.compile(
    r'\s*(lazy|max_tokens|max_chars|capture)\s*(?:=\s*(?:(\d{1,6})|"([A-Za-z0-9_.-]+)"))?\s*(?:,|$)'
)
MOST_BUDGET = 100_000


def special(text: str, at: Place) -> Expr:
    """<name>, <[7]> or !<[7]> of llama.cpp."""
    ids = re.fullmatch(r"(!?)<\[(\d{1,9})\]>", text)
    if ids:
        return token_set([(int(ids[2]), int(ids[2]))], negated=bool(ids[1]))
    if text.startswith("!"):
        raise at.invalid("any token but a named one cannot be told", "name the token by id, as in !<[7]>")
    return token(text)


def macro(name: str, arguments: list[str | int], at: Place) -> Expr:
    """A macro of XGrammar with its arguments."""
    texts = [one for one in arguments if isinstance(one, str)]
    ids = [one for one in arguments if isinstance(one, int)]
    if name == "Substring":
        if ids:
            raise at.invalid("Substring() arguments must be strings", 'write Substring("one", "two")')
        return run_of(tuple(text for text in texts if text))
    if name == "Regex":
        if ids or len(texts) != 1:
            raise at.invalid("Regex() takes one string", 'write Regex("[0-9]+")')
        return _pattern(texts[0], at)
    if name in ("Token", "ExcludeToken"):
        if texts or not ids:
            raise at.invalid(f"{name}() takes ids of tokens", f"write {name}(7, 8)")
        return token_set([(one, one) for one in ids], negated=name == "ExcludeToken")
    raise at.unsupported(f"{name}() is not supported", "write the text before a tag and the tags as rules")


def _pattern(pattern: str, at: Place) -> Expr:
    try:
        return fullmatch_expr(pattern, Dialect.ECMA)
    except StructgenError as error:
        raise at.invalid(f"Regex() cannot be read: {error}") from None


def attributed(attributes: str, rule: str, body: Expr, at: Place) -> tuple[Expr, str | None]:
    """The body of a rule with its attributes, and the name under which it is captured."""
    inside, read, capture = attributes[1:-1], 0, None
    given: dict[str, int] = {}
    while read < len(inside):
        match = ATTRIBUTE.match(inside, read)
        if match is None:
            _refuse(inside[read:], at)
        read = match.end()
        name, count, text = match.groups()
        if name == "capture" and not count:
            capture = text or rule
        elif (name == "lazy") == (count is None) and not text and name not in given and name != "capture":
            given[name] = int(count or 1)
        else:
            _refuse(match[0], at)
    if not 0 < given.get("max_tokens", 1) <= MOST_BUDGET:
        _refuse("max_tokens", at)
    if "lazy" in given:
        body = shortest(body)
    if "max_chars" in given:
        body = both(body, repeat(ANY_CHAR, 0, given["max_chars"]))
    return budget(body, given["max_tokens"]) if "max_tokens" in given else body, capture


def _refuse(what: str, at: Place) -> NoReturn:
    known = "the attributes are lazy, max_tokens=100, max_chars=100 and capture"
    raise at.invalid(f"attribute {what.strip()!r} is not supported", known)
