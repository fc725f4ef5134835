"""Reading a tokenizer.json (Hugging Face format): what each id spells, and which ids are special tokens.

Two kinds are read: SentencePiece-style BPE with byte fallback (Gemma, Llama 2) and byte-level BPE (Qwen, Llama 3,
GPT). Special and reserved tokens never spell bytes, whatever the file's flags say: an added token counts as text only
if it is white space or an HTML tag, such as Gemma's runs of spaces and `<table>`; `<mask>`, `<unused7>`, `[multimodal]`
and `<think>` are not text, although their files do not flag them as special.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structgen.errors import InvalidVocabulary

HTML_TAG = re.compile(
    r"</?(a|b|bbox|blockquote|body|br|button|caption|code|col|colgroup|dd|div|dl|dt|em|footer|form|h[1-6]|head|header|hr|html"
    r"|i|iframe|img|input|label|li|link|main|meta|nav|ol|option|p|path|pre|s|script|section|select|small|span|strong"
    r"|style|sub|sup|svg|table|tbody|td|textarea|tfoot|th|thead|title|tr|u|ul|video)>"
)
BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")
SPACE_PIECE = "▁"
MAX_SIZE = 1 << 24  # ids; the largest vocabularies in use have 2^18


def pack(spelled: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of all ids as one array, and the offset at which each id's bytes begin."""
    offsets = np.zeros(len(spelled) + 1, np.int64)
    offsets[1:] = np.cumsum([len(piece) for piece in spelled])
    return np.frombuffer(b"".join(spelled), np.uint8).copy(), offsets


def read(path: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a tokenizer file, ready for the cache."""
    try:
        tokenizer = json.loads(content)
        model, added = tokenizer["model"], tokenizer.get("added_tokens") or []
        kind, pieces = model.get("type", "BPE"), model["vocab"]
        named = {str(entry["content"]): (entry["id"], bool(entry.get("special"))) for entry in added}
        ids = [*(pieces.values() if kind == "BPE" else ()), *(index for index, _ in named.values())]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidVocabulary(
            f"{path} is not a tokenizer.json: no model.vocab could be read from it"
        ) from None
    spell = _speller(tokenizer)
    if kind != "BPE" or spell is None:
        raise InvalidVocabulary(
            f"{path} is a {kind} tokenizer: only BPE, byte-level or with byte fallback, spells bytes"
        )
    if not ids or not all(type(index) is int and 0 <= index < MAX_SIZE for index in ids):
        raise InvalidVocabulary(
            f"{path} gives ids to no tokens, or ids that are no whole numbers below {MAX_SIZE:,}"
        )
    try:
        spelled, special = _spelled(pieces, named, model.get("unk_token"), spell, 1 + max(ids))
    except (ValueError, KeyError) as error:
        raise InvalidVocabulary(f"{path} has a token that spells no bytes: {error}") from None
    buffer, offsets = pack(spelled)
    names = np.frombuffer(json.dumps(special).encode(), np.uint8)
    return {"buffer": buffer, "offsets": offsets, "special": names}


def _spelled(
    pieces: Mapping[str, int],
    named: Mapping[str, tuple[int, bool]],
    unknown: str | None,
    spell: Callable[[str], bytes],
    size: int,
) -> tuple[list[bytes], dict[str, int]]:
    """The bytes of every id, and the ids of special tokens by name. Special tokens spell nothing."""
    spelled, special = [b""] * size, {}
    for piece, index in pieces.items():
        if piece == unknown and piece not in named:  # <unk> may be listed only among the ordinary pieces
            special[piece] = index
        elif piece not in named:
            spelled[index] = spell(piece)
    for name, (index, flagged) in named.items():
        if flagged or not _is_text(name):
            special[name] = index
        else:
            spelled[index] = name.replace(SPACE_PIECE, " ").encode()
    for index in special.values():
        spelled[index] = b""
    return spelled, special


def _is_text(name: str) -> bool:
    """Whether an added token that is not flagged as special is plain text."""
    return not name.strip(SPACE_PIECE + " \t\r\n") or HTML_TAG.fullmatch(name) is not None


def _speller(tokenizer: Mapping[str, Any]) -> Callable[[str], bytes] | None:
    """The function from this tokenizer's pieces to bytes; None if they do not spell bytes."""
    stages = str(tokenizer.get("decoder")) + str(tokenizer.get("pre_tokenizer"))
    if "ByteLevel" in stages:
        table = _byte_level_alphabet()
        return lambda piece: bytes(table[char] for char in piece)
    if tokenizer["model"].get("byte_fallback") or "ByteFallback" in stages:
        return _sentencepiece
    return None


def _sentencepiece(piece: str) -> bytes:
    byte = BYTE_PIECE.fullmatch(piece)
    return bytes([int(byte[1], 16)]) if byte else piece.replace(SPACE_PIECE, " ").encode()


def _byte_level_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-ins: visible Latin-1 bytes stand for themselves, the others move to U+0100 …"""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {chr(b): b for b in visible} | {chr(0x100 + i): b for i, b in enumerate(hidden)}
