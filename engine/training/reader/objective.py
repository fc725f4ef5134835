"""What the reader is to learn: to point at the first and the last piece of each value, and to choose among options.

Axes: B batch, T tokens, D width.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from structgen_mini.reader.net import MASKED, ReaderNet
from structgen_mini.reader.pages import ReaderPage
from structgen_mini.reader.pieces import PieceVocabulary
from structgen_mini.reader.reading import means
from training.reader.lessons import Lesson, Target

MOST_ENDS = 3  # of a list's values, those whose ends are learnt in one step
PADDING = 1  # the piece behind the last one


def states_of(reader: ReaderNet, pieces: PieceVocabulary, lessons: Sequence[Lesson]) -> Tensor:
    """States [B, T, D] float32 of the lessons' pages."""
    longest, device = max(len(one.page.ids) for one in lessons), reader.line.device
    ids, lines = (
        torch.tensor(
            [[*row, *[PADDING] * (longest - len(row))] for row in rows], dtype=torch.int64, device=device
        )
        for rows in ([one.page.ids for one in lessons], [one.page.lines for one in lessons])
    )
    lengths = torch.tensor([len(one.page.ids) for one in lessons], device=device)
    padding = torch.arange(longest, device=device) >= lengths[:, None]
    with torch.autocast(device.type, dtype=torch.bfloat16):
        return reader.states(pieces.embed(ids), lines, padding).float()


def loss_of(reader: ReaderNet, states: Tensor, lesson: Lesson, rng: random.Random) -> tuple[Tensor, int]:
    """The sum of the cross-entropies of a page with states [T, D], in nats, and of how many fields it is."""
    page, length, device = lesson.page, len(lesson.page.ids), states.device
    states = states[:length]
    fields = reader.asked(states, means(page.fields, length).to(device))
    places = reader.place(states)
    total, count = states.new_zeros(()), 0
    begun = (reader.starts(fields, places) + _outside(page, device)).log_softmax(-1)
    pairs: list[tuple[int, int, int, float]] = []  # field, first piece, last piece, weight
    for at, one in enumerate(lesson.targets):
        if one is None:
            continue
        count += 1
        if one.option >= 0:
            total = total - _options(reader, states, page, fields[at], at).log_softmax(-1)[one.option]
            continue
        starts = begun[at, [first for first, _ in one.spans]]
        total = total - (starts.mean() if one.every else starts.logsumexp(0))
        chosen = rng.sample(list(one.spans), min(len(one.spans), MOST_ENDS if one.every else 1))
        pairs += [(at, first, last, 1 / len(chosen)) for first, last in chosen if first]
    if pairs:
        ats, firsts, lasts, weights = (torch.tensor(one, device=device) for one in zip(*pairs, strict=True))
        scores = reader.ends(fields[ats], states[firsts], places) + _outside(page, device)
        scores = scores.masked_fill(torch.arange(length, device=device) < firsts[:, None], MASKED)
        total = total + (F.cross_entropy(scores, lasts, reduction="none") * weights).sum()
    return total, count


def _outside(page: ReaderPage, device: torch.device) -> Tensor:
    """[T] nats against the tokens that no value begins or ends at."""
    nats = torch.full((len(page.ids),), MASKED, device=device)
    nats[page.base : -1] = 0.0
    nats[0] = 0.0
    return nats


def _options(reader: ReaderNet, states: Tensor, page: ReaderPage, field: Tensor, at: int) -> Tensor:
    """Scores [O + 1] of a field's options, and of none of them."""
    options = means(page.options[at], len(page.ids)).to(states.device) @ states
    return reader.options(field, torch.cat([options, states[:1]]))


@torch.no_grad()
def examined(reader: ReaderNet, pieces: PieceVocabulary, lessons: Sequence[Lesson]) -> dict[str, str]:
    """How many targets of each kind a reader gets right, by its best token alone."""
    tally = defaultdict[str, list[bool]](list)
    for lesson in lessons:
        states = states_of(reader, pieces, [lesson])[0]
        for at, one in enumerate(lesson.targets):
            if one is not None:
                tally[_kind(lesson.page, at, one)].append(_is_right(reader, states, lesson.page, at, one))
    return {kind: f"{sum(found)}/{len(found)}" for kind, found in sorted(tally.items())}


def _kind(page: ReaderPage, at: int, one: Target) -> str:
    if one.option >= 0:
        return "booleans" if len(page.options[at]) == 2 else "options"
    return "absent" if one.spans[0][0] == 0 else "lists" if one.every else "spans"


def _is_right(reader: ReaderNet, states: Tensor, page: ReaderPage, at: int, one: Target) -> bool:
    length, outside = len(page.ids), _outside(page, states.device)
    field = reader.asked(states, means([page.fields[at]], length).to(states.device))
    if one.option >= 0:
        return int(_options(reader, states, page, field[0], at).argmax()) == one.option
    places = reader.place(states)
    first = int((reader.starts(field, places)[0] + outside).argmax())
    if first == 0 or one.spans[0][0] == 0:
        return first == one.spans[0][0]
    ends = reader.ends(field, states[[first]], places)[0] + outside
    ends[:first] = MASKED
    return (first, int(ends.argmax())) in one.spans
