"""The formats of pydantic's types, as languages of string values that pydantic reads.

Some formats generate fewer strings than pydantic reads. URLs have a host (or are mailto:, tel: or urn:). Networks have
no bits set behind their mask, and IPv6 networks elide the zeros at their end. Patterns have no nested groups. Colours
are names or hexadecimal digits. Byte sizes have a unit. Text in base64 is ASCII. Durations stay within timedelta's
range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from structgen.grammar import Expr, alt, literal, repeat, seq

from ..json_schema import Rules
from ..json_schema import formats as rfc
from ..json_schema.temporal import temporal
from ..regex import fullmatch_expr
from ..regex.dialect import Dialect
from .emails import email, name_email

_LOCAL = rf"{rfc.CLOCK}(?:{rfc.OFFSET})?"  # pydantic also reads times without a zone
_SECONDS = r"\d{1,6}(?:\.\d{1,6})?S"
_CLOCK_SPAN = rf"T(?:\d{{1,6}}H(?:\d{{1,6}}M(?:{_SECONDS})?)?|\d{{1,6}}M(?:{_SECONDS})?|{_SECONDS})"

_HOST = rf"(?:(?:[A-Za-z0-9](?:[_-]?[A-Za-z0-9])*\.)*[A-Za-z](?:[_-]?[A-Za-z0-9])*|{rfc.IPV4}|\[{rfc.IPV6}\])"
_CHAR = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_PATH = rf"(?:/{_CHAR}*)*"
_QUERY = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*"
_PORT = r"(?::(?:[1-9]\d{0,3}|[1-5]\d{4}))?"
_TAIL = rf"{_PATH}(?:\?{_QUERY})?(?:#{_QUERY})?"
_USER = r"(?:[A-Za-z0-9._~+-]+(?::[A-Za-z0-9._~+-]*)?@)?"

_UNIT = "(?:[Bb]|[KMGTPEkmgtpe][Bb]?|[KMGTPEkmgtpe]i[Bb])"
_REAL = r"(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,2})?"

_ESCAPE = r"\\[dDwWsS.\\/()\[\]{}+*?|^$-]"
_CLASS = r"\[\^?(?:[A-Za-z0-9_ .,:;@%#/]|a-z|A-Z|0-9|\\[dDwWsS.-])+\]"
_PIECE = rf"(?:[A-Za-z0-9_ .,:;@%#/<>=!'\"-]|{_ESCAPE}|{_CLASS})"
_REPEATED = rf"{_PIECE}(?:[*+?]\??|\{{[1-9]\d?\}}|\{{\d,\}}|\{{[0-4],[5-9]\d?\}})?"
_PATTERN = rf"(?:{_REPEATED})*"
_GROUPED = rf"\((?:\?:)?{_PATTERN}(?:\|{_PATTERN})*\)[*+?]?"
_REGEX = rf"\^?(?:{_REPEATED}|{_GROUPED})*\$?"


def _uuid(version: int) -> str:
    return rf"[0-9a-f]{{8}}-[0-9a-f]{{4}}-{version}[0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}"


def _encoded_ascii(last: str) -> str:
    """Base64 of ASCII text, where the first bit of each byte is zero; `last`: the last two digits of the alphabet."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + last

    def without(bits: int) -> str:
        return "[" + "".join(re.escape(digit) for value, digit in enumerate(digits) if not value & bits) + "]"

    whole = without(0b100000) + without(0b001000) + without(0b000010) + without(0)
    rest = f"{without(0b100000)}(?:{without(0b001000)}{without(0b000011)}=|{without(0b001111)}==)"
    return f"(?:{whole})*(?:{rest})?"


_PREFIX_4, _PREFIX_6 = r"/(?:[12]?\d|3[0-2])", r"/(?:[1-9]?\d|1[01]\d|12[0-8])"
_PATTERNS = {
    "date-time": rf"{rfc.DATE}T{_LOCAL}",
    "time": _LOCAL,
    "base64": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
    "base64-canonical": r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?",
    "base64-text": _encoded_ascii("+/"),
    "base64url-text": _encoded_ascii("-_"),
    "base64url": r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?",
    "hex": "(?:[0-9a-f]{2})*",
    **{f"uuid{version}": _uuid(version) for version in range(1, 9)},
    "ipvanyaddress": rf"(?:{rfc.IPV4}|{rfc.IPV6})",
    "ipv4interface": rf"{rfc.IPV4}(?:{_PREFIX_4})?",
    "ipv6interface": rf"{rfc.IPV6}(?:{_PREFIX_6})?",
    "ipvanyinterface": rf"(?:{rfc.IPV4}(?:{_PREFIX_4})?|{rfc.IPV6}(?:{_PREFIX_6})?)",
    "byte-size": rf"\d{{1,12}}(?:\.\d{{1,6}})? ?{_UNIT}|\d{{1,18}}",
    "fraction": r"-?\d{1,30}(?:/0{0,3}[1-9]\d{0,30})?",
    "complex": rf"[+-]?{_REAL}(?:[+-](?:{_REAL})?j)?|[+-]?(?:{_REAL})?j",
    "regex": _REGEX,
}


def _networks_4() -> Expr:
    """IPv4 networks; the bits behind the mask are zero."""
    forms = [rfc.IPV4]
    for length in range(33):
        whole, bits = divmod(length, 8)
        octets = [rfc.BYTE] * whole
        if whole < 4:
            octets.append("(?:" + "|".join(str(n) for n in range(0, 256, 1 << (8 - bits))) + ")")
        forms.append(r"\.".join([*octets, *["0"] * (4 - len(octets))]) + f"/{length}")
    return fullmatch_expr("|".join(forms))


def _networks_6() -> Expr:
    """IPv6 networks: some groups, the zeros elided, and a mask that covers at least the groups."""
    group = "[0-9A-Fa-f]{1,4}"
    forms = [rfc.IPV6, rf"{group}(?::{group}){{7}}/128"]
    for count in range(8):
        groups = ":".join([group] * count)
        lengths = "|".join(map(str, range(16 * count, 129)))
        forms.append(f"{groups}::/(?:{lengths})")
    return fullmatch_expr("|".join(forms))


def _colours() -> Expr:
    from pydantic.color import COLORS_BY_NAME

    return alt(fullmatch_expr("#(?:[0-9a-f]{3}|[0-9a-f]{6})"), *map(literal, COLORS_BY_NAME))


def _zones() -> Expr:
    from zoneinfo import available_timezones

    return alt(*map(literal, sorted(available_timezones())))


def _durations() -> Expr:
    steps = fullmatch_expr(rf"P(?:\d{{1,4}}W|\d{{1,6}}D(?:{_CLOCK_SPAN})?|{_CLOCK_SPAN})")
    return alt(steps, temporal("duration", None, None, None))


def _urls() -> Expr:
    """URLs of any scheme; file URLs are written without a host, and some schemes never have one."""
    schemes = r"(?!(?:file|mailto|tel|urn|data|javascript|blob):)[a-z][a-z0-9+.-]{0,30}://"
    files = rf"file://(?:/{_CHAR}*)+"
    return fullmatch_expr(f"{schemes}{_USER}{_HOST}{_PORT}{_TAIL}|{files}|{_HOSTLESS}")


_HOSTLESS = r"mailto:[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+|tel:\+?\d+|urn:[A-Za-z0-9]+:[A-Za-z0-9._~:-]+"


def _multi_host_urls() -> Expr:
    """URLs of databases: one to four hosts, each with an optional port."""
    hosts = fullmatch_expr(_HOST + _PORT)
    start = fullmatch_expr(rf"[a-z][a-z0-9+.-]{{0,30}}://{_USER}")
    return seq(start, hosts, repeat(seq(literal(","), hosts), 0, 3), fullmatch_expr(_TAIL))


_BUILT: dict[str, Callable[[], Expr]] = {
    "email": email,
    "name-email": name_email,
    "duration": _durations,
    "ipv4network": _networks_4,
    "ipv6network": _networks_6,
    "ipvanynetwork": lambda: alt(_networks_4(), _networks_6()),
    "color": _colours,
    "zoneinfo": _zones,
    "uri": _urls,
    "multi-host-uri": _multi_host_urls,
}


@cache
def _language(name: str) -> Expr:
    return _BUILT[name]() if name in _BUILT else fullmatch_expr(_PATTERNS[name])


class _PydanticFormats(Mapping[str, "Expr | None"]):
    """The formats by name: pydantic's own, and the RFCs' for all others; each is built on first use."""

    def __getitem__(self, name: str) -> Expr | None:
        return _language(name) if name in _BUILT or name in _PATTERNS else rfc.FORMATS[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*_PATTERNS, *_BUILT, *rfc.FORMATS]))

    def __len__(self) -> int:
        return len(list(iter(self)))


FORMATS: Mapping[str, Expr | None] = _PydanticFormats()
PYDANTIC = Rules(formats=FORMATS, dialect=Dialect.RUST, pointed=False, own=True)
