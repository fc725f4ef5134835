"""The possible blocks of a row, for automata in tables and for lazy ones alike, and the lattice over them.

Axes: b rows, n positions in play, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from structgen_engine.automata.dfa import IMPOSSIBLE, BlockAutomaton
from structgen_engine.decoding.automaton import TokenAutomaton
from structgen_engine.kernels.scores import largest
from structgen_engine.lattice.beam import Beam, PrunedBlock
from structgen_engine.lattice.lattice import OPEN, BlockLattice, example, feasible
from structgen_engine.lattice.pruning import Pruning

Block = BlockAutomaton | Beam  # the possible blocks of one row


def first_block(automaton: TokenAutomaton, remaining: int = 0, pruning: Pruning | None = None) -> Block:
    """The possible first blocks."""
    return automaton.block(automaton.start, remaining, pruning)


def nonempty(
    parts: Sequence[Block],
    logits: Tensor,
    *,
    settled: Tensor | None = None,
    temperature: float | Sequence[float] = 1.0,
) -> BlockLattice:
    """The lattice of a step. A logit of −inf is the model's opinion, so it is raised if no block is accepted otherwise.

    Before that, lazy automata are explored again with almost nothing left out.
    logits: [b, n, ≥ V]; settled: [b, n] int64, −1 where open; temperature: one for all rows, or one per row
    """
    temperatures = [temperature] * len(parts) if isinstance(temperature, (int, float)) else list(temperature)
    if settled is None:
        settled = torch.full(logits.shape[:2], OPEN, dtype=torch.int64)
    rows = opened(parts, logits, settled, temperatures)
    lattice = BlockLattice(rows, logits, settled=settled, temperature=temperatures)
    empty = lattice.log_partition() == IMPOSSIBLE
    if not empty.any():
        return lattice
    rows = widened(parts, rows, logits, settled, temperatures, empty)
    lattice = BlockLattice(rows, logits, settled=settled, temperature=temperatures)
    empty = lattice.log_partition() == IMPOSSIBLE
    if not empty.any():
        return lattice
    bounds = torch.tensor([largest(value) for value in temperatures], device=logits.device)
    floor = torch.where(empty.to(logits.device), -bounds.clamp_max(torch.finfo(logits.dtype).max), IMPOSSIBLE)
    logits = logits.maximum(floor.to(logits)[:, None, None])
    return BlockLattice(
        opened(parts, logits, settled, temperatures), logits, settled=settled, temperature=temperatures
    )


def admits(part: Block, settled: Tensor) -> bool:
    """Whether some accepted block has these tokens at the settled positions [n], −1 where open.

    For a lazy automaton the search is bounded, so it may miss such a block; one that it finds becomes the witness.
    """
    if isinstance(part, BlockAutomaton):
        return feasible(part, settled)
    found = example(part.ahead(settled), settled)
    part.witness = None if found is None else found.tolist()
    return found is not None


def pinned(parts: Sequence[Block], settled: Tensor) -> None:
    """Give the beams a witness, an accepted block with the ids settled [b, n]; all parts must start alike."""
    found: dict[tuple[int, ...], Sequence[int] | None] = {}
    for part, pins in zip(parts, settled, strict=True):
        if isinstance(part, Beam):
            key = tuple(pins.tolist())
            if key not in found:
                admits(part, pins)
                found[key] = part.witness
            part.witness = found[key]


def opened(
    parts: Sequence[Block], logits: Tensor, settled: Tensor, temperatures: Sequence[float]
) -> list[BlockAutomaton | PrunedBlock]:
    """The rows of the lattice: tables as they are, beams explored with these logits [b, n, V]; settled [b, n]."""
    rows = zip(parts, logits, settled, temperatures, strict=True)
    return [
        part
        if isinstance(part, BlockAutomaton)
        else part.explore(scores, settled=pins, temperature=temperature)
        for part, scores, pins, temperature in rows
    ]


def widened(
    parts: Sequence[Block],
    rows: Sequence[BlockAutomaton | PrunedBlock],
    logits: Tensor,
    settled: Tensor,
    temperature: Sequence[float],
    empty: Tensor,
) -> list[BlockAutomaton | PrunedBlock]:
    """The rows, with incomplete ones among the `empty` [b] explored again with almost nothing left out."""
    found = list(rows)
    for k in empty.nonzero().flatten().tolist():
        part, row = parts[k], rows[k]
        if isinstance(part, Beam) and isinstance(row, PrunedBlock) and row.dropped > IMPOSSIBLE:
            given = {"settled": settled[k], "temperature": temperature[k]}
            found[k] = part.explore(logits[k], **given, pruning=part.pruning.wider())
    return found


def tables(parts: Sequence[Block], settled: Tensor) -> list[BlockAutomaton]:
    """The possible blocks as tables, before any logits are known; settled [b, n]."""
    rows = zip(parts, settled, strict=True)
    return [part if isinstance(part, BlockAutomaton) else part.ahead(pins) for part, pins in rows]


def remember(parts: Sequence[Block], ids: Tensor) -> None:
    """Make these accepted blocks [b, n] the witnesses of their beams: later positions are settled from them."""
    for part, row in zip(parts, ids.tolist(), strict=True):
        if isinstance(part, Beam):
            part.witness = row
