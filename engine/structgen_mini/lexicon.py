"""Which word each token of a prompt belongs to, so that the model can use vectors of whole words.

The tokens are pieces of words, and the model knows of them only what its own small training taught it. A vector of the
whole word says that Rotterdam is a place and that a vendor is a supplier. A word is a run of letters, or a part of one
in camel case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

WORDS = "words.txt"
UNKNOWN = 0  # the index of anything that is not a known word

_WORD = re.compile(rb"[A-Z]?[a-z\x80-\xff]+|[A-Z\x80-\xff]+(?![a-z\x80-\xff])|[A-Z]+")


class Lexicon:
    """The known words, and the bytes that each token stands for.

    words: in lower case, as UTF-8; the first has index 1. pieces: bytes by token id
    """

    def __init__(self, words: Sequence[bytes], pieces: Sequence[bytes]) -> None:
        self.index: Mapping[bytes, int] = dict(zip(words, range(1, len(words) + 1), strict=True))
        self.pieces = pieces

    @classmethod
    def read(cls, folder: Path) -> Lexicon:
        """Read a folder with words.txt and the tokenizer.json of a byte-level BPE."""
        words = (folder / WORDS).read_bytes().split()
        model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
        tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
        return cls(words, [token.translate(_BYTES).encode("latin-1") for token in tokens])

    def words(self, text: str) -> list[bytes]:
        """The words of a text, known or not, in lower case."""
        return [_lower(match.group()) for match in _WORD.finditer(text.encode("utf-8", "replace"))]

    def of(self, ids: Sequence[int]) -> list[int]:
        """For each token the index of the word in which it begins, UNKNOWN if that is no known word."""
        pieces = [self.pieces[one] for one in ids]
        text = b"".join(pieces)
        at_byte = [UNKNOWN] * len(text)
        for match in _WORD.finditer(text):
            index = self.index.get(_lower(match.group()))
            if index is not None:
                start, end = match.span()
                at_byte[start:end] = [index] * (end - start)
        found, at = [], 0
        for piece in pieces:
            found.append(at_byte[at] if piece else UNKNOWN)
            at += len(piece)
        return found


def _lower(word: bytes) -> bytes:
    return word.lower() if word.isascii() else word.decode("utf-8", "replace").lower().encode()


class _Bytes(dict[int, int]):
    """The byte that each printable character of byte-level BPE (GPT-2) stands for, 0 for any other character."""

    def __init__(self) -> None:
        plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(256) if byte not in plain]
        super().__init__({byte: byte for byte in plain} | {256 + at: byte for at, byte in enumerate(others)})

    def __missing__(self, character: int) -> int:
        return 0


_BYTES = _Bytes()
