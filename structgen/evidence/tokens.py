"""The tokens that hold a value, and every division of a text into tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from structgen.tokens.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Spelled:
    """The ids of an answer, and the bytes of its text that each spells."""

    ids: Sequence[int]
    vocabulary: Vocabulary

    @cached_property
    def ends(self) -> Sequence[int]:
        """[T + 1] the bytes before each token; negative before the answer's text begins."""
        before = list(accumulate((len(self.vocabulary.written(one)) for one in self.ids), initial=0))
        text = len(self.vocabulary.decode(self.ids))
        return [at - (before[-1] - text) for at in before]

    @property
    def null(self) -> int:
        """The id of the zero-width token, −1 if the vocabulary has none."""
        name = self.vocabulary.null
        return -1 if name is None else self.vocabulary.special[name]

    def tokens(self, start: int, end: int) -> tuple[int, int]:
        """The tokens first … last − 1 that spell bytes start … end − 1, with the zero-width ones beside them."""
        held = [k for k in range(len(self.ids)) if self.ends[k] < end and self.ends[k + 1] > start]
        if not held:
            return 0, 0
        first, last = held[0], held[-1] + 1
        while first > 0 and self.ids[first - 1] == self.null:
            first -= 1
        while last < len(self.ids) and self.ids[last] == self.null:
            last += 1
        return first, last

    def inside(self, first: int, last: int) -> bytes:
        """What tokens first … last − 1 spell."""
        return b"".join(map(self.vocabulary.written, self.ids[first:last]))


def ways(vocabulary: Vocabulary, text: bytes) -> list[Mapping[int, int]]:
    """Every division of a text into tokens: for each byte, the tokens that may begin there and the byte behind them."""
    null = {} if vocabulary.null is None else {vocabulary.special[vocabulary.null]: 0}
    return [
        {
            **dict.fromkeys(null, at),
            **{token: at + size for token, size in _beginning(vocabulary, text[at:])},
        }
        for at in range(len(text) + 1)
    ]


def _beginning(vocabulary: Vocabulary, text: bytes) -> Iterator[tuple[int, int]]:
    """The tokens that a text begins with, and their lengths in bytes."""
    trie = vocabulary.trie
    ids, at = trie.tokens
    node = 0
    for size, byte in enumerate(text, 1):
        child = node + 1
        while child < trie.end[node] and trie.symbol[child] != byte:
            child = int(trie.end[child])
        if child >= trie.end[node]:
            return
        node = child
        for token in ids[at[node] : at[node + 1]].tolist():
            yield token, size
