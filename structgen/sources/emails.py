"""E-mail addresses as email-validator reads them for pydantic: ASCII and international, with or without a name.

* A local part of at most 64 characters, or 32 where some are not ASCII, before a host name of at most 63 characters,
  whose top-level domain has letters alone and is not set aside for special use.
* One label of the domain may be international: up to 12 letters of a left-to-right script, so that its ASCII form
  surely fits a label; or the ASCII form itself (RFC 3492) of a Latin word with one accented letter.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from pydantic.networks import validate_email

from ..grammar import ANY_CHAR, Expr, alt, both, char_ranges, chars, literal, optional, repeat, seq
from .json_schema import formats as rfc
from .regex import fullmatch_expr

# Blocks of scripts that are written left to right and whose letters stand for themselves.
_BLOCKS = (
    (0xDF, 0x24F),
    (0x370, 0x3FF),
    (0x400, 0x52F),
    (0x3041, 0x3096),
    (0x30A1, 0x30FA),
    (0x4E00, 0x9FA5),
    (0xAC00, 0xD7A3),
)
_SPECIAL = ("arpa", "invalid", "local", "localhost", "onion", "test")
_LABEL = r"[A-Za-z0-9](?:-?[A-Za-z0-9])*"
_ACCENTED = (*range(0xDF, 0xF7), *range(0xF8, 0x100))  # Latin letters that a word in ASCII form has one of
_MOST_INTERNATIONAL = 12  # letters of a label
_MOST_PLAIN = 15  # ASCII letters beside an accented one


@cache
def email() -> Expr:
    """Addresses."""
    return seq(_local(), literal("@"), alt(_plain_domain(), _international_domain()))


@cache
def name_email() -> Expr:
    """Addresses, or names of up to 32 letters and digits and addresses in angle brackets."""
    letter, joint = (_cased(), r"[ .'-]|\. ") if _reads_any_name() else (chars("az", "AZ", "09"), "[ '-]")
    names = seq(letter, repeat(seq(optional(fullmatch_expr(joint)), letter), 0, 31))
    return alt(email(), seq(names, literal(" <"), email(), literal(">")))


def _reads_any_name() -> bool:
    """Whether this version of pydantic reads names with points and letters beyond ASCII."""
    try:
        return bool(validate_email("J. Ö <a@b.com>"))
    except (ValueError, ImportError):
        return False


def _local() -> Expr:
    plain = both(fullmatch_expr(rf"{rfc.ATOM}(?:\.{rfc.ATOM})*"), repeat(ANY_CHAR, 1, 64))
    joint = optional(fullmatch_expr("[._+-]"))
    return alt(plain, seq(_cased(), repeat(seq(joint, _cased()), 0, 15)))


def _cased() -> Expr:
    return alt(chars("az", "AZ", "09"), char_ranges(_letters(cased=True)))


def _top() -> Expr:
    try:
        from email_validator import SPECIAL_USE_DOMAIN_NAMES as special
    except ImportError:  # pydantic reads no addresses then
        special = _SPECIAL
    names = "|".join(name for name in special if name.isalpha())
    return fullmatch_expr(rf"(?!(?i:{names})$)[A-Za-z]{{2,24}}")


def _plain_domain() -> Expr:
    return both(seq(fullmatch_expr(rf"(?:{_LABEL}\.)+"), _top()), repeat(ANY_CHAR, 1, 63))


def _international_domain() -> Expr:
    before = optional(fullmatch_expr(r"[A-Za-z0-9]{1,20}\."))
    letter = alt(chars("az", "09"), char_ranges(_letters(cased=False)))
    label = seq(letter, repeat(seq(optional(literal("-")), letter), 0, _MOST_INTERNATIONAL // 2 - 1))
    return seq(before, alt(label, _encoded()), literal("."), _top())


def _encoded() -> Expr:
    """ASCII forms: xn--, the ASCII letters, a hyphen, and where which letter stands among them."""
    ways = []
    for count in range(1, _MOST_PLAIN + 1):
        words = (
            "a" * place + chr(code) + "a" * (count - place)
            for code in _ACCENTED
            for place in range(count + 1)
        )
        tails = {word.encode("punycode").decode().rpartition("-")[2] for word in words}
        ways.append(seq(repeat(chars("az"), count, count), literal("-"), alt(*map(literal, sorted(tails)))))
    return seq(literal("xn--"), alt(*ways))


@cache
def _letters(*, cased: bool) -> tuple[tuple[int, int], ...]:
    """Letters of the blocks that IDNA keeps as they are (RFC 5892), or with `cased` also their capitals."""
    found = [c for low, high in _BLOCKS for c in range(low, high + 1) if _stands(chr(c), cased)]
    return tuple((c, c) for c in found)


def _stands(char: str, cased: bool) -> bool:
    if unicodedata.category(char) not in (("Ll", "Lo", "Lu") if cased else ("Ll", "Lo")):
        return False
    folded = char.lower() if cased else char.casefold()
    return char in "ßς" or unicodedata.normalize("NFKC", folded) == folded == (folded if cased else char)
