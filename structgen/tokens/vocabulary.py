"""A vocabulary: the bytes that each token id spells, and the special tokens.

A `Vocabulary` is read from a tokenizer.json (`tokenizer_file`). Every id either spells bytes or is a special token
with a name. Special and reserved tokens never spell bytes.

Axes: V token ids, L bytes of all tokens together, M nodes of the trie.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from structgen.cache import cached_arrays
from structgen.errors import InvalidVocabulary
from structgen.tokens.tokenizer_file import pack, read

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from structgen.tokens.plain import Plain
    from structgen.tokens.trie import Trie


# Models' names for the token that ends an answer, and for the one that pads after it, most specific first.
END_NAMES = (
    "<turn|>",
    "<end_of_turn>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|eot|>",
    "<eos>",
    "</s>",
    "<|endoftext|>",
)
PAD_NAMES = ("<pad>", "<|pad|>", "<|endoftext|>", "<|finetune_right_pad_id|>", "<|end_of_text|>")
NULL_NAMES = ("<null>",)

PREFACE = ("<|channel>", "thought\n", "<channel|>")  # Gemma 4's, if the vocabulary has its names


@dataclass(frozen=True)
class Preface:
    """The part of a model's output before the text of an answer: a thought between two special tokens.

    open, close: names of the special tokens; label: the text directly after `open`
    thinking: whether any text may follow the label; otherwise the thought is empty
    """

    open: str
    label: str
    close: str
    thinking: bool = False


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Token ids and the bytes they spell.

    buffer: [L] uint8 and offsets: [V + 1] int64: id v spells buffer[offsets[v]:offsets[v + 1]], nothing if special
    special: ids of special tokens by name
    end, pad, null: names of the tokens that end an answer, pad after it, and are zero-width; None if there is none
    source: the tokenizer.json that `encode` reads, if any
    preface: the thought before the text of an answer, None if there is none
    shown: names of special tokens that are part of the text of an answer, where their names stand for them
    """

    buffer: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    special: Mapping[str, int]
    end: str | None = None
    pad: str | None = None
    null: str | None = None
    source: Path | None = None
    preface: Preface | None = None
    shown: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        named = {role: getattr(self, role) for role in ("end", "pad", "null")}
        if self.preface is not None:
            named |= {"preface.open": self.preface.open, "preface.close": self.preface.close}
        for role, name in named.items():
            if name is not None and name not in self.special:
                known = ", ".join(list(self.special)[:8]) or "none"
                raise InvalidVocabulary(
                    f"{role}={name!r} is no special token of this vocabulary; it has {known}"
                )
        for name, index in self.special.items():
            if not 0 <= index < self.size or self.offsets[index] != self.offsets[index + 1]:
                raise InvalidVocabulary(f"the special token {name!r} has the id {index}, which is no free id")

    def __repr__(self) -> str:
        name = "" if self.source is None else f", {str(self.source)!r}"
        return f"Vocabulary({self.size:,} tokens{name})"

    @classmethod
    def from_file(cls, path: str | Path, *, end: str | None = None, pad: str | None = None) -> Vocabulary:
        """Read a tokenizer.json; the result is kept in the cache folder, keyed by the file's content.

        end, pad: names of the special tokens that end an answer and pad after it (default: by known names).
        Raises InvalidVocabulary if the file is missing, corrupt or of another kind.
        """
        if not isinstance(path, str | os.PathLike):
            raise InvalidVocabulary(
                f"a tokenizer file is named by a string or a path, not {type(path).__name__}"
            )
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InvalidVocabulary(f"cannot read the tokenizer file {path}: {error.strerror}") from None
        key = hashlib.blake2b(content, digest_size=16).hexdigest()
        arrays = cached_arrays("vocabulary", key, lambda: read(path, content))
        special = json.loads(bytes(arrays["special"]).decode())
        return cls.from_arrays(arrays["buffer"], arrays["offsets"], special, end=end, pad=pad, source=path)

    @classmethod
    def from_arrays(
        cls,
        buffer: NDArray[np.uint8],
        offsets: NDArray[np.int64],
        special: Mapping[str, int],
        *,
        end: str | None = None,
        pad: str | None = None,
        source: Path | None = None,
    ) -> Vocabulary:
        """A vocabulary from arrays; roles that are not given are found by name."""
        end = _first(END_NAMES, special) if end is None else end
        pad = _first(PAD_NAMES, special) or end if pad is None else pad
        return cls(buffer, offsets, special, end, pad, _first(NULL_NAMES, special), source)

    @classmethod
    def from_tokens(cls, tokens: Sequence[bytes | str | None], **roles: str | None) -> Vocabulary:
        """A handwritten vocabulary: bytes are text, a str names a special token, None is an id that is never used."""
        spelled = [token if isinstance(token, bytes) else b"" for token in tokens]
        special = {token: index for index, token in enumerate(tokens) if isinstance(token, str)}
        return cls.from_arrays(*pack(spelled), special, **roles)  # type: ignore[arg-type]

    def narrowed(self, size: int) -> Vocabulary:
        """The vocabulary of the ids below `size`, because tokenizer files may hold ids that a model's head lacks."""
        if size >= self.size:
            return self
        offsets, special = self.offsets[: size + 1], {k: v for k, v in self.special.items() if v < size}
        return replace(self, buffer=self.buffer[: offsets[-1]], offsets=offsets, special=special)

    def prefaced(self, prompt: str = "", *, thinking: bool = False) -> Vocabulary:
        """The vocabulary of a model whose answers begin with a thought, an empty one unless `thinking`.

        prompt: the text before an answer; if it already ends with a thought, the answer has none
        Raises InvalidVocabulary if the vocabulary has no special tokens for thoughts.
        """
        preface = Preface(*PREFACE, thinking)
        return self._with(preface=None if prompt.rstrip().endswith(preface.close) else preface)

    def preceded(self, preface: Preface | None) -> Vocabulary:
        """The vocabulary with this thought before its answers, or none."""
        return self if preface == self.preface else self._with(preface=preface)

    def showing(self, names: Iterable[str]) -> Vocabulary:
        """The vocabulary for texts in which these special tokens, if it has them, stand by their names."""
        shown = self.special.keys() & set(names)
        return self if shown == self.shown else self._with(shown=frozenset(shown))

    def _with(self, **changed: Any) -> Vocabulary:
        """The vocabulary with other fields; the cached properties of the spelled bytes stay the same."""
        other = replace(self, **changed)
        kept = ("trie", "plain") if "preface" in changed else ("trie", "plain", "fingerprint")
        other.__dict__.update({name: self.__dict__[name] for name in kept if name in self.__dict__})
        return other

    @cached_property
    def spelled_out(self) -> Vocabulary:
        """The vocabulary in which the shown tokens are no special tokens, but spell their names."""
        if not self.shown:
            return self
        pieces = [self.written(index) for index in range(self.size)]
        special = {name: index for name, index in self.special.items() if name not in self.shown}
        return Vocabulary.from_arrays(*pack(pieces), special, end=self.end, pad=self.pad)

    @property
    def size(self) -> int:
        """V, the number of ids."""
        return len(self.offsets) - 1

    @cached_property
    def longest(self) -> int:
        """The most bytes that one token spells."""
        return int(np.diff(self.offsets).max(initial=1))

    @cached_property
    def fingerprint(self) -> str:
        """A digest of everything that compilation depends on."""
        digest = hashlib.blake2b(self.buffer.tobytes(), digest_size=16)
        digest.update(self.offsets.tobytes())
        digest.update(
            json.dumps([dict(self.special), self.end, self.pad, self.null], sort_keys=True).encode()
        )
        if self.preface is not None:
            digest.update(repr(self.preface).encode())
        return digest.hexdigest()

    @cached_property
    def trie(self) -> Trie:
        """The prefix tree of the spelled tokens."""
        from structgen.tokens.trie import Trie, build_trie

        arrays = cached_arrays(
            "trie", self.fingerprint, lambda: asdict(build_trie(self.buffer, self.offsets))
        )
        return Trie(**arrays)

    @cached_property
    def plain(self) -> Plain:
        """The spelled tokens, divided into those of plain characters and others."""
        from structgen.tokens.plain import plain_tokens

        return plain_tokens(self.buffer, self.offsets, self.trie)

    def spelling(self, token_id: int) -> bytes:
        """The bytes of one id; empty for a special token."""
        return self.buffer[self.offsets[token_id] : self.offsets[token_id + 1]].tobytes()

    def written(self, token_id: int) -> bytes:
        """What one id adds to the text of an answer: its bytes, or the name of a shown token."""
        return self._names_shown.get(token_id) or self.spelling(token_id)

    @cached_property
    def _names_shown(self) -> dict[int, bytes]:
        return {self.special[name]: name.encode() for name in self.shown}

    def decode(self, ids: Iterable[int]) -> bytes:
        """The text of the ids, from after the preface, if any, up to the end token."""
        end = self.special[self.end] if self.end is not None else -1
        close = self.special[self.preface.close] if self.preface is not None else -1
        pieces: list[bytes] = []
        for token_id in ids:
            if token_id == end:
                break
            if token_id == close:
                pieces, close = [], -1
            pieces.append(self.written(token_id))
        return b"".join(pieces)

    def encode(self, text: str, *, special: bool = False) -> list[int]:
        """The ids of a text according to the tokenizer file; single bytes if the vocabulary has no file.

        special: whether the name of a special token in the text means that token; otherwise it is plain text
        """
        if self.source is not None:
            tokenizer = self._tokenizer if special else self._plain_tokenizer
            return tokenizer.encode(text, add_special_tokens=False).ids
        if not special or not self.special:
            return self._bytewise(text)
        names = "|".join(map(re.escape, sorted(self.special, key=len, reverse=True)))
        ids: list[int] = []
        for piece in re.split(f"({names})", text):
            ids += [self.special[piece]] if piece in self.special else self._bytewise(piece)
        return ids

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return _unlimited(self.source)

    @cached_property
    def _plain_tokenizer(self) -> Tokenizer:
        """The tokenizer that reads names of special tokens as text, whether the file flags them or not."""
        from tokenizers import AddedToken

        tokenizer = _unlimited(self.source)
        added = tokenizer.get_added_tokens_decoder().values()
        names = {token.content for token in added} & self.special.keys()
        tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
        tokenizer.encode_special_tokens = True
        return tokenizer

    def _bytewise(self, text: str) -> list[int]:
        by_byte = self._ids_of_bytes
        try:
            return [by_byte[byte] for byte in text.encode()]
        except KeyError as missing:
            raise InvalidVocabulary(f"no token of this vocabulary spells the byte {missing}") from None

    @cached_property
    def _ids_of_bytes(self) -> dict[int, int]:
        lengths = np.diff(self.offsets)
        return {int(self.buffer[self.offsets[v]]): int(v) for v in np.flatnonzero(lengths == 1)[::-1]}


def _first(names: Iterable[str], special: Mapping[str, int]) -> str | None:
    return next((name for name in names if name in special), None)


def _unlimited(path: Path | None) -> Tokenizer:
    """The tokenizer of a file, without the truncation and padding that some files request."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


BYTES = Vocabulary.from_tokens([bytes([byte]) for byte in range(256)])
