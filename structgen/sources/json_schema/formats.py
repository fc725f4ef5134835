"""The `format`s that are asserted, as languages of string values.

Every generated value is valid under the RFC of its format. Some formats generate less than their RFC allows:

* date, date-time, time (RFC 3339): real days, years from 0001, and no leap seconds, because dates in Python have
neither a
  year 0 nor a second 60; T and Z are generated as capitals, because many readers accept no others, and read as small
  letters as well.
* email (RFC 5321), hostname (RFC 1123): an unquoted local part of at most 64 characters at a host name of at most
  63; host names have up to three labels of any length up to 63, or of 63 characters in all.
* uri, uri-reference (RFC 3986, future addresses with a small v); iri, iri-reference (RFC 3987, without its private-use
  query characters); uuid;
  ipv4, ipv6 (RFC 4291, no zones); duration (RFC 3339 appendix A); json-pointer and relative-json-pointer (RFC 6901).

* uri-template (RFC 6570): prefixes of up to three digits, names that begin with a letter, digit or underscore.
* idn-hostname and idn-email (see `idn`), regex (see `pattern_format`).

Formats that only hint at a use or at the width of a number do not constrain strings and map to None.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from structgen.grammar import (
    ANY_CHAR,
    Alt,
    And,
    Bytes,
    Chars,
    Expr,
    Repeat,
    Seq,
    alt,
    any_of,
    both,
    literal,
    repeat,
    seq,
)

from ..regex import fullmatch_expr
from .idn import idn_email, idn_hostname
from .pattern_format import regular_expressions

LEAP = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
YEAR = r"(?:000[1-9]|00[1-9]\d|0[1-9]\d\d|[1-9]\d{3})"
DATE = (
    rf"(?:{YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])"
    rf"|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|{LEAP}-02-29)"
)
CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
OFFSET = r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"

_TIME_SPAN = r"T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S)"
_DAY_SPAN = r"(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)"
DURATION = rf"P(?:\d+W|{_DAY_SPAN}(?:{_TIME_SPAN})?|{_TIME_SPAN})"

BYTE = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
IPV4 = rf"{BYTE}(?:\.{BYTE}){{3}}"

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
LABELS = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"

# Characters of RFC 3987's ucschar beyond those of RFC 3986.
UCS = (
    r"\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF"
    + "".join(rf"\U{plane:04X}0000-\U{plane:04X}FFFD" for plane in range(1, 14)).replace("\\U000E0000", "\\U000E1000")
)  # fmt: skip


def _ipv6() -> str:
    """RFC 3986's IPv6address: eight groups, optionally an IPv4 address as the last two and one run of zeros elided."""
    group, last = "[0-9A-Fa-f]{1,4}", rf"(?:[0-9A-Fa-f]{{1,4}}:[0-9A-Fa-f]{{1,4}}|{IPV4})"
    forms = [rf"(?:{group}:){{6}}{last}"]
    for after in range(5, -1, -1):  # groups between the elision and the last two
        before = 5 - after
        head = rf"(?:(?:{group}:){{0,{before - 1}}}{group})?" if before else ""
        forms.append(rf"{head}::(?:{group}:){{{after}}}{last}")
    forms.append(rf"(?:(?:{group}:){{0,5}}{group})?::{group}")
    forms.append(rf"(?:(?:{group}:){{0,6}}{group})?::")
    return "(?:" + "|".join(forms) + ")"


IPV6 = _ipv6()


def _uri(more: str, *, relative: bool) -> str:
    """RFC 3986's URI or URI-reference; `more`: further characters that a segment may have."""
    unreserved = rf"A-Za-z0-9._~\-{more}"
    sub = r"!$&'()*+,;="
    percent = r"%[0-9A-Fa-f]{2}"
    pchar = rf"(?:[{unreserved}{sub}:@]|{percent})"
    no_colon = rf"(?:[{unreserved}{sub}@]|{percent})"
    future = rf"v[0-9A-Fa-f]+\.[{unreserved}{sub}:]+"
    host = rf"(?:\[(?:{IPV6}|{future})\]|(?:[{unreserved}{sub}]|{percent})*)"
    authority = rf"(?:(?:[{unreserved}{sub}:]|{percent})*@)?{host}(?::\d*)?"
    rooted = rf"//{authority}(?:/{pchar}*)*|/(?:{pchar}+(?:/{pchar}*)*)?"
    tail = rf"(?:\?(?:{pchar}|[/?])*)?(?:\#(?:{pchar}|[/?])*)?"
    absolute = rf"[A-Za-z][A-Za-z0-9+.-]*:(?:{rooted}|{pchar}+(?:/{pchar}*)*|){tail}"
    if not relative:
        return absolute
    return rf"(?:{absolute}|(?:{rooted}|{no_colon}+(?:/{pchar}*)*|){tail})"


def _uri_template() -> str:
    """RFC 6570: literal characters and expressions in braces; its reserved operators are omitted."""
    percent = r"%[0-9A-Fa-f]{2}"
    literal = rf"(?:[!\#$&(-;=?-\[\]_a-z~{UCS}\uE000-\uF8FF]|{percent})"
    name = rf"\w(?:\.?(?:\w|{percent}))*"
    variable = rf"{name}(?:\*|:[1-9]\d{{0,2}})?"
    return rf"(?:{literal}|\{{[+#./;?&]?{variable}(?:,{variable})*\}})*"


_POINTER = r"(?:/(?:[^~/]|~[01])*)*"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

_PATTERNS = {
    "date": DATE,
    "time": CLOCK + OFFSET,
    "date-time": rf"{DATE}T{CLOCK}{OFFSET}",
    "duration": DURATION,
    "uuid": _UUID,
    "ipv4": IPV4,
    "ipv6": IPV6,
    "uri": _uri("", relative=False),
    "uri-reference": _uri("", relative=True),
    "iri": _uri(UCS, relative=False),
    "iri-reference": _uri(UCS, relative=True),
    "uri-template": _uri_template(),
    "json-pointer": rf"(?s){_POINTER}",
    "relative-json-pointer": rf"(?s)(?:0|[1-9]\d*)(?:\#|{_POINTER})",
}


def _hostname() -> Expr:
    short = both(fullmatch_expr(LABELS), repeat(ANY_CHAR, 1, 63))
    return alt(fullmatch_expr(rf"{LABEL}(?:\.{LABEL}){{0,2}}"), short)


def _email() -> Expr:
    local = both(fullmatch_expr(rf"{ATOM}(?:\.{ATOM})*"), repeat(ANY_CHAR, 1, 64))
    return seq(local, literal("@"), both(fullmatch_expr(LABELS), repeat(ANY_CHAR, 1, 63)))


def _idn_email() -> Expr:
    return idn_email(_email(), UCS)


_BUILT = {
    "hostname": _hostname,
    "email": _email,
    "idn-hostname": idn_hostname,
    "idn-email": _idn_email,
    "regex": regular_expressions,
}

# These name a use, an encoding of bytes or a width of numbers; no validator asserts them on strings.
_HINTS = ("password", "binary", "byte", "int32", "int64", "float", "double", "textarea", "color", "path")


@cache
def _language(name: str) -> Expr:
    return _BUILT[name]() if name in _BUILT else fullmatch_expr(_PATTERNS[name])


class _Formats(Mapping[str, "Expr | None"]):
    """The languages by format name; each is built on first use."""

    def __getitem__(self, name: str) -> Expr | None:
        if name in _HINTS:
            return None
        if name not in _BUILT and name not in _PATTERNS:
            raise KeyError(name)
        return _language(name)

    def __iter__(self) -> Iterator[str]:
        return iter([*_PATTERNS, *_BUILT, *_HINTS])

    def __len__(self) -> int:
        return len(list(iter(self)))


INSTANTS = ("time", "date-time")


@dataclass(frozen=True, eq=False)
class Read(Mapping[str, "Expr | None"]):
    """Formats as they are read: T and Z of times may be small letters (RFC 3339, section 5.6)."""

    formats: Mapping[str, Expr | None]

    def __getitem__(self, name: str) -> Expr | None:
        language = self.formats[name]
        return small_too(language) if name in INSTANTS and language is not None else language

    def __iter__(self) -> Iterator[str]:
        return iter(self.formats)

    def __len__(self) -> int:
        return len(self.formats)


@lru_cache(maxsize=10_000)
def small_too(times: Expr) -> Expr:
    """The times, with each T and Z also as a small letter. `times` has none, so intersections are preserved."""
    match times:
        case Bytes(value):
            return seq(*(any_of(c + c.lower()) if c in "TZ" else literal(c) for c in value.decode()))
        case Chars(ranges):
            return alt(times, *(literal(c.lower()) for c in "TZ" if any(a <= ord(c) <= b for a, b in ranges)))
        case Seq(parts):
            return seq(*map(small_too, parts))
        case Alt(parts):
            return alt(*map(small_too, parts))
        case And(parts):
            return both(*map(small_too, parts))
        case Repeat(body, low, high):
            return repeat(small_too(body), low, high)
    raise TypeError(f"{type(times).__name__} in a language of times")


FORMATS: Mapping[str, Expr | None] = _Formats()
