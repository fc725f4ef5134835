"""E-mail addresses as email-validator reads them for pydantic: ASCII and international, with or without a name.

* The local part has at most 64 characters, or 32 if some are not ASCII. The domain has up to five labels before the
  top-level one, two of them of up to 40 characters and the others of up to 12. The top-level label has only letters and
  is not reserved for special use. So no part is too long, and each character is counted once, from the beginning of its
  label.
* One label may be international: up to 12 letters of a left-to-right script, so that its ASCII form always fits into a
  label; or the ASCII form itself (RFC 3492) of a Latin word with one accented letter.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from pydantic.networks import validate_email

from structgen.grammar import (
    ANY_CHAR,
    Expr,
    alt,
    both,
    char_ranges,
    chars,
    literal,
    optional,
    repeat,
    seq,
    star,
)

from ..json_schema import formats as rfc
from ..regex import fullmatch_expr

# Blocks of scripts that are written from left to right and whose letters stand for themselves.
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
_SHORT, _LONG = 12, 40  # characters of a label
_ACCENTED = (*range(0xDF, 0xF7), *range(0xF8, 0x100))  # accented Latin letters; an encoded word has one
_MOST_PLAIN = 15  # ASCII letters beside an accented one, in ASCII form
_DIGIT_OR_LETTER = chars("az", "AZ", "09")


@cache
def email() -> Expr:
    """E-mail addresses."""
    plain = both(fullmatch_expr(rf"{rfc.ATOM}(?:\.{rfc.ATOM})*"), repeat(ANY_CHAR, 1, 64))
    local = alt(plain, _joined(_cased(), "[._+-]", 32))
    return seq(local, literal("@"), alt(_plain_labels(), _international_labels()), _top())


@cache
def name_email() -> Expr:
    """Addresses, or names of up to 48 characters followed by an address in angle brackets."""
    names = _joined(_cased(), r"[ .'-]", 48) if _reads_any_name() else _joined(_DIGIT_OR_LETTER, "[ '-]", 48)
    return alt(email(), seq(names, literal(" <"), email(), literal(">")))


def _reads_any_name() -> bool:
    """Whether this version of pydantic reads names with points and letters beyond ASCII."""
    try:
        return bool(validate_email("J.Ö <a@b.com>"))
    except (ValueError, ImportError):
        return False


def _joined(letter: Expr, joint: str, most: int) -> Expr:
    """Letters with single joints between them."""
    return both(seq(letter, star(seq(optional(fullmatch_expr(joint)), letter))), repeat(ANY_CHAR, 1, most))


def _cased() -> Expr:
    return alt(_DIGIT_OR_LETTER, char_ranges(_letters(cased=True)))


def _top() -> Expr:
    try:
        from email_validator import SPECIAL_USE_DOMAIN_NAMES as special
    except ImportError:  # without email-validator, pydantic reads no addresses
        special = _SPECIAL
    names = "|".join(name for name in special if name.isalpha())
    return fullmatch_expr(rf"(?!(?i:{names})$)[A-Za-z]{{2,24}}")


def _plain_labels() -> Expr:
    short, long = (seq(_joined(_DIGIT_OR_LETTER, "-", most), literal(".")) for most in (_SHORT, _LONG))
    return seq(repeat(short, 0, 3), repeat(long, 1, 2))


def _international_labels() -> Expr:
    before = optional(seq(_joined(_DIGIT_OR_LETTER, "-", _SHORT), literal(".")))
    label = _joined(alt(_DIGIT_OR_LETTER, char_ranges(_letters(cased=False))), "-", _SHORT)
    return seq(before, alt(label, _encoded()), literal("."))


def _encoded() -> Expr:
    """ASCII forms: xn--, the ASCII letters, a hyphen, and a code for the accented letter and its position."""
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
    """Letters of the blocks that IDNA keeps as they are (RFC 5892); with `cased`, their capitals as well."""
    found = [c for low, high in _BLOCKS for c in range(low, high + 1) if _stands(chr(c), cased)]
    return tuple((c, c) for c in found)


def _stands(char: str, cased: bool) -> bool:
    if unicodedata.category(char) not in (("Ll", "Lo", "Lu") if cased else ("Ll", "Lo")):
        return False
    folded = char.lower() if cased else char.casefold()
    return char in "ßς" or unicodedata.normalize("NFKC", folded) == folded == (folded if cased else char)
