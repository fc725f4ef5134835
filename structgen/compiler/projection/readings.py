"""What the pieces of a damaged answer may stand for: other spellings of them, and pieces that may be left out.

Each reading is a piece of the answer, the bytes that may be written for it, and a weight. `True` may stand for `true`,
`“` for `"`, `1,200` for `1200`, a comment for nothing. None of this is decided here: the search takes the readings that
lead to the nearest text.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from structgen.compiler.projection import weights as w
from structgen.sources.canonical import canonical


class Respelling(NamedTuple):
    """Bytes start … end − 1 of the answer may be written as `text`, at a weight."""

    start: int
    end: int
    text: bytes
    weight: int


MEANINGS = {
    b"true": [b"True", b"TRUE", b"yes", b"Yes", b"YES"],
    b"false": [b"False", b"FALSE", b"no", b"No", b"NO"],
    b"null": [b"None", b"NULL", b"Null", b"nil", b"undefined", b"NaN", b"N/A", b"n/a"],
}
_WORD = re.compile(
    rb"(?<![\w/])(?:"
    + b"|".join(re.escape(one) for ones in MEANINGS.values() for one in ones)
    + rb")(?![\w/])"
)
_MEANT = {one: word for word, ones in MEANINGS.items() for one in ones}
_EMPTY = [b"null", b'""', b"[]", b"{}"]
_VALUE = re.compile(rb'(?<=[:\[,\s])(?:null|""|\[\s*\]|\{\s*\})(?=\s*[,}\]\r\n]|\s*$)')
_FLAG = re.compile(rb"(?<![\w.\"'-])(?:true|false|[01])(?![\w.\"'])")
_FLAGS = {b"true": b"1", b"false": b"0", b"1": b"true", b"0": b"false"}
_NUMBER = re.compile(rb"(?<![\w.,])[-+]?(?:\d[\d,.'_]*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")
_THOUSANDS = re.compile(rb"[-+]?\d{1,3}(?:[,'_]\d{3})+(?:\.\d+)?")
_EUROPEAN = re.compile(rb"[-+]?\d{1,3}(?:[.']\d{3})*,\d+")
_PLAIN = re.compile(rb"[-+]?\d*\.?\d*(?:[eE][-+]?\d+)?")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[/'\"\\nrt])"
)
_ENCODED = re.compile(r'[{\[](?:\s|\\[nrt])*\\"')
_ESCAPED = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_LITERAL = {b"\n": b"\\n", b"\r": b"\\r", b"\t": b"\\t"}
_BEYOND = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_ALIKE = {
    "“": b'"',
    "”": b'"',
    "„": b'"',
    "«": b'"',
    "»": b'"',
    "‘": b'"',
    "’": b'"',
    "\u00a0": b" ",
    "–": b"-",
    "—": b"-",
    "：": b":",
    "，": b",",
}
_APOSTROPHES = {"‘": b"'", "’": b"'"}
_COMMENT = re.compile(rb"(?<![:\w\"'])//[^\n]*|/\*.*?\*/|<!--.*?-->|(?:(?<=\s)|^)#[^\n]*", re.DOTALL)
_ELLIPSIS = re.compile(rb",?\s*(?:\.\.\.|\xe2\x80\xa6)")
LONGEST_NUMBER = 40  # characters of a number that is read in other ways
_STRING = rb'"(?:[^"\\\n]|\\.)*"'
_OUTSIDE = re.compile(_STRING + rb"|'[^'\n]*'|([:\[,\s])([-+.\d]+)")
_SCALAR = rb"(?:[-+]?[\d.,]+(?:[eE][-+]?\d+)?|[Tt]rue|[Ff]alse|null|None)"
_LOOSE = rb"\s*" + _SCALAR + rb"|[-+$]?\d[^\"\\]{0,30}|yes|no|Yes|No"
_SCALAR_IN_QUOTES = re.compile(rb'"(?:' + _LOOSE + rb")\s*\"|'" + _SCALAR + rb"'")
_BARE_SCALAR = re.compile(rb"(?<=[:\[,\s])" + _SCALAR + rb"(?=\s*[,}\]\n]|\s*$)")
_BARE_KEY = re.compile(rb"(?<=[{,\s])[A-Za-z_$][\w$-]*(?=\s*:)")
_BARE = rb"[A-Za-z][^\"'\n,:{}\[\]]{0,80}(?=\s*[,}\]\n])"
_BARE_TEXT = re.compile(rb"(?<=[:,\[] )" + _BARE + rb"|(?<=[:,\[])" + _BARE)
_ARRAY_OF_ONE = re.compile(rb"\[\s*(?:" + _STRING + rb"|'[^'\n]*'|" + _SCALAR + rb"|\{[^{}\[\]]*\})\s*\]")
_MEMBER_STRING = re.compile(rb":\s*(" + _STRING + rb")(?=\s*[,}\]])")
_MEMBER_SCALAR = re.compile(rb"(?<=[:\s])" + _SCALAR + rb"(?=\s*[,}\n])")
_PYTHON, _JSON = re.compile(rb"[{\[]\s*'"), re.compile(rb'[{\[]\s*"[^"]*"\s*:')
_PYTHON_WORD = re.compile(rb"(?<=[:\[,\s])(?:True|False|None)(?=\s*[,}\]])")
_PYTHON_QUOTE = re.compile(rb"(?<=[{\[,:])'|(?<=[,:] )'|'(?=\s*[:,}\]])")
_TRAILING = re.compile(rb",(?=\s*(?:[}\]]|$|```))")
_SIGNS = {b"'": b'"', b"`": b'"', b'"': b"'", b"=": b":", b";": b",", b"(": b"[", b")": b"]"}
_WEIGHT_OF_SIGN = {b"'": w.QUOTE, b"`": w.QUOTE, b'"': w.SIGN}
_SEPARATORS = b" _-"


def readings(answer: bytes) -> Iterator[Respelling]:
    """The readings of an answer; those that are written as nothing are left out."""
    yield from _signs(answer)
    yield from _python(answer)
    yield from _escapes(answer)
    yield from _quotes(answer)
    yield from _singles(answer)
    yield from _words(answer)
    yield from _numbers(answer)
    for pattern, weight in ((_COMMENT, w.COMMENT), (_ELLIPSIS, w.ELLIPSIS), (_TRAILING, w.TRAILING)):
        yield from _each(pattern, answer, lambda found: b"", weight)
    yield from _members(answer)


def decoded(answer: str) -> Iterator[str]:
    """The text that an answer spells, if it is written as a string of JSON, with or without the quotes around it."""
    found = _ENCODED.search(answer)
    if found is not None:
        text = answer[found.start() :].rstrip().removesuffix('"')
        yield _ESCAPED.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    try:
        return json.loads(f'"{found[0]}"')
    except ValueError:
        return found[0]


def _each(
    pattern: re.Pattern[bytes], answer: bytes, written: Callable[[bytes], bytes | None], weight: int
) -> Iterator[Respelling]:
    for match in pattern.finditer(answer):
        text = written(match[0])
        if text is not None and match[0]:
            yield Respelling(*match.span(), text, weight)


def keeping(answer: bytes) -> dict[int, int]:
    """The weight of keeping a byte as it is, where that is not 0: an apostrophe that is a quote of Python."""
    return {match.start(): w.APOSTROPHE for match in _PYTHON_QUOTE.finditer(answer) if _is_python(answer)}


def _is_python(answer: bytes) -> bool:
    """Whether keys and strings are in single quotes."""
    return bool(_PYTHON.search(answer)) and not _JSON.search(answer)


def _python(answer: bytes) -> Iterator[Respelling]:
    """Quotes and words of Python, which cost nothing where all are of Python."""
    if _is_python(answer):
        for match in _PYTHON_QUOTE.finditer(answer):
            yield Respelling(*match.span(), b'"', 0)
        yield from _each(_PYTHON_WORD, answer, _MEANT.get, 0)


def _signs(answer: bytes) -> Iterator[Respelling]:
    """Single characters: letters in the other case, quotes, separators, and characters beyond ASCII."""
    for at in range(len(answer)):
        one = answer[at : at + 1]
        if one.isalpha():
            yield Respelling(at, at + 1, one.swapcase(), w.CASE)
        elif one in _SIGNS:
            yield Respelling(at, at + 1, _SIGNS[one], _WEIGHT_OF_SIGN.get(one, w.SIMILAR))
        elif one in b" _-":
            for other in (b" ", b"_", b"-"):
                if other != one:
                    yield Respelling(at, at + 1, other, w.SIMILAR)
    for match in _BEYOND.finditer(answer):
        sign = match[0].decode(errors="ignore")
        plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore")
        yield Respelling(*match.span(), b"", w.ONE)
        if sign in _ALIKE:
            yield Respelling(*match.span(), _ALIKE[sign], w.SPELLING)
        if sign in _APOSTROPHES:
            yield Respelling(*match.span(), _APOSTROPHES[sign], w.SPELLING)
        elif plain and sign not in _ALIKE:
            yield Respelling(*match.span(), plain, w.ACCENT)


def _escapes(answer: bytes) -> Iterator[Respelling]:
    """Escapes as the characters that they mean, and characters that JSON has escapes for."""
    for match in _ESCAPE.finditer(answer):
        kind = match[0][1:2]
        if kind == b"u":
            meant = json.loads(b'"' + match[0] + b'"').encode(errors="ignore")
            if len(meant) > 1 or (meant >= b" " and meant not in b'"\\'):
                yield Respelling(*match.span(), meant, w.RESPELLED)
        else:
            plain = {b"n": b"", b"r": b"", b"t": b""}.get(kind, kind)
            yield Respelling(*match.span(), plain, w.RESPELLED if kind == b"/" else w.SPELLING)
    for sign, escape in _LITERAL.items():
        yield from _each(re.compile(sign), answer, lambda found, escape=escape: escape, w.SPELLING)


def _quotes(answer: bytes) -> Iterator[Respelling]:
    """Values that gain or lose their quotes."""
    for match in _SCALAR_IN_QUOTES.finditer(answer):
        yield Respelling(match.start(), match.start() + 1, b"", w.UNQUOTED)
        yield Respelling(match.end() - 1, match.end(), b"", w.UNQUOTED)
    for pattern, weight in ((_BARE_KEY, w.KEY), (_BARE_SCALAR, 2 * w.UNQUOTED), (_BARE_TEXT, w.BARE)):
        yield from _each(pattern, answer, lambda found: b'"' + found + b'"', weight)


def _singles(answer: bytes) -> Iterator[Respelling]:
    """A value as an array of it, and an array of one value as the value."""
    for match in _ARRAY_OF_ONE.finditer(answer):
        yield Respelling(match.start(), match.start() + 1, b"", w.SINGLE)
        yield Respelling(match.end() - 1, match.end(), b"", w.SINGLE)
    for match in _MEMBER_STRING.finditer(answer):
        start, end = match.span(1)
        yield Respelling(start, start + 1, b"[" + answer[start : start + 1], w.SINGLE)
        yield Respelling(end - 1, end, answer[end - 1 : end] + b"]", w.SINGLE)
    for match in _MEMBER_SCALAR.finditer(answer):
        yield Respelling(*match.span(), b"[" + match[0] + b"]", 2 * w.SINGLE)


def _words(answer: bytes) -> Iterator[Respelling]:
    """Python's and other languages' words for true, false and null, and values that are empty in another way."""
    yield from _each(_WORD, answer, _MEANT.get, w.FOREIGN)
    for match in _VALUE.finditer(answer):
        for other in _EMPTY:
            if other != b"".join(match[0].split()):
                yield Respelling(*match.span(), other, w.EMPTINESS)
    yield from _each(_FLAG, answer, _FLAGS.get, w.FLAG)


def _numbers(answer: bytes) -> Iterator[Respelling]:
    """Numbers in the canonical spelling, as integers and with a fraction, without separators of thousands."""
    outside = {match.start(2) for match in _OUTSIDE.finditer(answer) if match[2]}
    for match in _NUMBER.finditer(answer):
        found, start = match[0].rstrip(b",.'_") or match[0], match.start()
        plain = found
        if _THOUSANDS.fullmatch(found):
            plain = re.sub(rb"[,'_]", b"", found)
        elif _EUROPEAN.fullmatch(found):
            plain = re.sub(rb"[.']", b"", found).replace(b",", b".")
        if not _PLAIN.fullmatch(plain) or len(plain) > LONGEST_NUMBER:
            continue
        more = (0 if start in outside else 1) + (0 if plain == found else w.NUMBERS)
        for text, weight in _spellings(plain):
            if text != found:
                yield Respelling(start, start + len(found), text, weight + more)


def _spellings(plain: bytes) -> Iterator[tuple[bytes, int]]:
    """The canonical spellings of a number, which may be written in ways that JSON forbids."""
    digits = plain.lstrip(b"+")
    sign, body = (b"-", digits[1:]) if digits.startswith(b"-") else (b"", digits)
    body = body.lstrip(b"0") if body.lstrip(b"0")[:1].isdigit() else b"0" + body.lstrip(b"0")
    body = body.rstrip(b".") if b"." in body and not re.search(rb"[eE]", body) else body
    spelled = canonical((sign + body).decode())
    if spelled is None or not spelled.strip("-")[:1].isdigit():
        return
    weight = (
        w.RESPELLED if re.fullmatch(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", plain) else w.SPELLING
    )
    yield spelled.encode(), weight
    if "." not in spelled:
        yield spelled.encode() + b".0", w.NUMBERS
    elif spelled.endswith(".0"):
        yield spelled.encode()[:-2], w.NUMBERS


_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|[{}\[\],:]|[^\s{}\[\],:"\']+', re.DOTALL)
_KEY = re.compile(rb'["\'\w$@.-]')
_NO_VALUE = re.compile(rb"(?:null|None|undefined|\"\"|''|\[\s*\]|\{\s*\})")


def _members(answer: bytes) -> Iterator[Respelling]:
    """Members of objects, with the comma after or before them, as pieces that may be left out."""
    open_: list[
        list[int]
    ] = []  # of each bracket: where its present item begins, its colon, the comma before it
    for match in _TOKEN.finditer(answer):
        token, at = match[0], match.start()
        if token in (b"{", b"["):
            open_.append([match.end(), -1, -1])
        elif token in (b"}", b"]"):
            if open_:
                yield from _member(answer, open_.pop(), at, at)
        elif token == b"," and open_:
            begin, colon, comma = open_[-1]
            yield from _member(answer, [begin, colon, comma], at, match.end())
            open_[-1] = [match.end(), -1, at]
        elif token == b":" and open_ and open_[-1][1] < 0:
            open_[-1][1] = match.end()


def _member(answer: bytes, item: list[int], end: int, past: int) -> Iterator[Respelling]:
    begin, colon, comma = item
    if colon < 0 or not answer[begin:end].strip():
        return
    empty = _NO_VALUE.fullmatch(answer[colon:end].strip())
    weight = w.EMPTY_MEMBER if empty else w.MEMBER + w.MEMBER_BYTE * (end - begin)
    yield Respelling(begin, past, b"", weight)
    if past == end and comma >= 0:
        yield Respelling(comma, end, b"", weight)
