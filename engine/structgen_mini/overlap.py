"""How much of each of several options a text has, by words of the same or a similar meaning.

Every word of an option is matched with the nearest word of the text (as BERTScore does with tokens, Zhang et al. 2020;
here with static vectors), and words that fewer options have count more. This lets a model that is too small to have
learnt what requests mean tell a currency converter from a calendar.

Axes: W words of an option, T words of the text, D numbers of a vector.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from structgen_mini.lexicon import UNKNOWN, Lexicon


class Overlap:
    """A measure of shared words; vectors [K, D] are those of the lexicon's words.

    A word outside the lexicon matches only itself.
    """

    def __init__(self, lexicon: Lexicon, vectors: Tensor) -> None:
        self.lexicon, self.vectors = lexicon, vectors

    def __call__(self, text: str, options: Sequence[str]) -> list[float]:
        """For each option from 0, if the text has nothing of it, to 1, if it has all of it."""
        told = self.lexicon.words(text)
        asked = [self.lexicon.words(option) for option in options]
        having = Counter(word for words in asked for word in set(words))
        return [self._taken(words, told, having, len(options)) for words in asked]

    def _taken(
        self, words: Sequence[bytes], told: Sequence[bytes], having: Counter[bytes], count: int
    ) -> float:
        if not words or not told:
            return 0.0
        likeness = self._rows(words) @ self._rows(told).T  # [W, T]
        known = set(told)
        same = torch.tensor([word in known for word in words])
        best = likeness.amax(1).clamp(0.0, 1.0).masked_fill(same, 1.0)
        weight = torch.tensor([math.log((count + 1) / having[word]) for word in words])
        return float((best * weight).sum() / weight.sum())

    def _rows(self, words: Sequence[bytes]) -> Tensor:
        """Unit vectors [W, D], zeros for unknown words."""
        index = torch.tensor([self.lexicon.index.get(word, UNKNOWN) for word in words])
        return F.normalize(self.vectors[index.to(self.vectors.device)].float().cpu(), dim=-1)
