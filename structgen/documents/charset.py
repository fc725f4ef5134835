"""Bytes to text: by the encoding that the caller gives, a byte order mark, or what the document declares; else UTF-8.

Nothing is guessed and nothing replaced: a byte that the encoding does not have is an error with its offset.
"""

from __future__ import annotations

import codecs

from structgen.errors import InvalidDocument, InvalidOption
from structgen.surface import option

MARKS = {  # UTF-32 before UTF-16, whose mark it begins with
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
WIDER = {  # as browsers and mail programs do (WHATWG Encoding): old names are used for the wider sets
    "iso8859-1": "cp1252",
    "ascii": "utf-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}


def decoded(content: bytes, shown: str, *, encoding: str | None = None, declared: str | None = None) -> str:
    """The text of these bytes, without its byte order mark.

    encoding: as the caller says; declared: as the document says; shown: the document in a sentence
    Raises InvalidDocument with the offset of a byte that is not in the encoding, or of a zero byte.
    """
    mark = next((mark for mark in MARKS if content.startswith(mark)), b"")
    name = _codec(encoding) if encoding else MARKS.get(mark) or _wider(declared, shown)
    try:
        text = content[len(mark) if MARKS.get(mark) == name else 0 :].decode(name)
    except LookupError:
        raise InvalidOption(f"encoding names an encoding of text, not {encoding!r}") from None
    except UnicodeError as error:
        raise _undecodable(content, shown, name, error) from None
    if (at := text.find("\0")) >= 0:
        raise InvalidDocument(
            f"{shown} is binary (a zero byte at offset {len(text[:at].encode(name))}): convert it to text first"
        )
    return text


def _codec(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError, TypeError):
        raise InvalidOption(
            f"there is no encoding {encoding!r}: name one as Python does, cp1252 say"
        ) from None


def _wider(declared: str | None, shown: str) -> str:
    if not declared:
        return "utf-8"
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        raise InvalidDocument(
            f"{shown} declares the encoding {declared[:40]!r}, which does not exist: "
            f"give the right one with {option('encoding', 'utf-8')}"
        ) from None
    return WIDER.get(name, name)


def _undecodable(content: bytes, shown: str, name: str, error: UnicodeError) -> InvalidDocument:
    where = ""
    if isinstance(error, UnicodeDecodeError):
        at = error.start + len(content) - len(error.object)
        where = f" (byte 0x{content[at]:02x} at offset {at})"
    called = name.upper() if name.startswith("utf") else name
    other = "cp1252" if name != "cp1252" else "utf-8"
    return InvalidDocument(
        f"{shown} is not {called} text{where}: give its encoding with {option('encoding', other)}, "
        "or convert it to text first"
    )
