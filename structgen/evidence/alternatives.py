"""The distinct best answers to one request: what else the last step could have written, the likeliest first.

Two answers are distinct if they mean different things: JSON texts by their value, any other text by its characters. An
answer's probability is that of its last block, summed over the divisions of each text into tokens and over the texts
of its value, given the blocks before it and the logits of the block's last step.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from structgen.errors import Rejected
from structgen.evidence.looks import blocks
from structgen.evidence.tokens import ways
from structgen.evidence.values import key
from structgen.generation.request import Request
from structgen.generation.runtime import Runtime
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.decoding.loop import Decoded
from structgen_engine.decoding.probe import probed
from structgen_engine.decoding.ranking import Group, LastLook, ranked
from structgen_engine.lattice.lattice import OPEN


def distinct(runtime: Runtime, asked: Request, written: Decoded, most: int) -> list[Decoded]:
    """Up to `most` distinct answers whose values no Python validator refuses, the likeliest first.

    A model that commits position by position may leave few answers open in its last step. Then those follow that it
    finds likeliest with the whole block hidden.
    written: with the look of its last step. Raises Rejected if validators refuse all answers that were found.
    """
    assert written.look is not None
    reading, length = _Reading(asked.constraint.vocabulary, asked), len(written.look.settled)
    before, block = written.ids[:-length].tolist(), written.ids[-length:]
    found = reading.ranked(written.look, before, block, most)
    if len(found) < most and not written.scaffold:
        look, block = _hidden(runtime, asked, written)
        before = written.ids[: (len(written.ids) - 1) // len(block) * len(block)].tolist()
        known = {group.key for _, group in found}
        more = reading.ranked(look, before, block, most + len(found))
        found += [(ids, replace(group, certified=False)) for ids, group in more if group.key not in known]
    if not found and reading.refused:
        raise reading.refused[0]
    certain = written.dropped == 0.0
    return [
        replace(
            written, ids=torch.tensor(ids), log_prob=group.log_prob, certified=group.certified and certain
        )
        for ids, group in found[:most]
    ]


@dataclass(frozen=True, eq=False)
class _Reading:
    """How the strings of a block are read for a request. refused: what validators said of their values"""

    vocabulary: Vocabulary
    asked: Request
    refused: list[Rejected] = field(default_factory=list)

    def ranked(
        self, look: LastLook, before: Sequence[int], block: Tensor, most: int
    ) -> list[tuple[list[int], Group]]:
        """Up to `most` groups of the answers that a look leaves open, each with the ids of a whole answer.

        before: the ids of the blocks before; block: the ids of an accepted block
        """
        lattice, vocabulary = look.lattice(block), self.vocabulary

        def meaning(spelled: _Text) -> Hashable | None:
            return self._meant(vocabulary.decode([*before, *spelled.ids]).decode())

        def log_prob(spelled: _Text) -> float:
            return lattice.log_prob(spelled.ways(vocabulary))

        groups = ranked(lattice, lambda ids: _Text.of(ids, vocabulary), meaning, log_prob, most)
        return [([*before, *group.ids], group) for group in groups]

    def _meant(self, text: str) -> Hashable | None:
        """What an answer means: its value if it is JSON, None if a validator refuses it."""
        try:
            self.asked.constraint.parse(text)
        except Rejected as error:
            error.text = text
            self.refused.append(error)
            return None
        try:
            return key(json.loads(text))
        except ValueError:
            return text


def _hidden(runtime: Runtime, asked: Request, written: Decoded) -> tuple[LastLook, Tensor]:
    """A look at the last block [N] with all its positions hidden, and its ids."""
    denoiser, name = written.denoiser, runtime.vocabulary.pad
    assert denoiser is not None
    pad = 0 if name is None else runtime.vocabulary.special[name]
    *_, block = blocks(denoiser, asked, written.ids, pad)
    canvas, everywhere = block.ids[None], torch.ones_like(block.ids, dtype=torch.bool)[None]
    canvas = denoiser.noise.hidden(canvas, everywhere, torch.Generator().manual_seed(asked.seed))
    settled = torch.full_like(canvas, OPEN)
    logits = probed(denoiser, block.context, [block.part], canvas, settled)
    return LastLook(block.part, logits[0], settled[0], 1.0), block.ids


@dataclass(frozen=True)
class _Text:
    """What the ids of a block spell, the first of them up to the end of a thought; equal if they spell the same.

    head: the ids of the thought; text: the bytes that follow
    """

    head: tuple[int, ...]
    text: bytes
    ids: Sequence[int] = ()

    @classmethod
    def of(cls, ids: Sequence[int], vocabulary: Vocabulary) -> _Text:
        """What ids spell."""
        preface = vocabulary.preface
        close = -1 if preface is None else vocabulary.special[preface.close]
        behind = [*ids].index(close) + 1 if close in ids else 0
        return cls(tuple(ids[:behind]), vocabulary.decode(ids[behind:]), ids)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Text) and (self.head, self.text) == (other.head, other.text)

    def __hash__(self) -> int:
        return hash((self.head, self.text))

    def ways(self, vocabulary: Vocabulary) -> list[Mapping[int, int]]:
        """Every division of the text into tokens, followed by the end token and padding."""
        before = len(self.head)
        found: list[dict[int, int]] = [{token: k + 1} for k, token in enumerate(self.head)]
        found += [{token: before + at for token, at in one.items()} for one in ways(vocabulary, self.text)]
        if vocabulary.end is not None:
            found[-1][vocabulary.special[vocabulary.end]] = len(found)
            found.append({})
        if vocabulary.pad is not None:
            found[-1][vocabulary.special[vocabulary.pad]] = len(found) - 1
        return list(found)
