"""What a step asks of a GPU, counted on meta tensors: launches, waits, passes over the logits, memory."""

from __future__ import annotations

import pytest
import torch

from gpu_cases import random_dfa
from gpu_counts import counted
from structgen_engine.automata.dfa import Alphabet, BlockAutomaton, Dfa, block
from structgen_engine.kernels import gpu
from structgen_engine.kernels.gpu import Step
from structgen_engine.kernels.gpu.layout import Tile
from structgen_engine.kernels.gpu.pool import Pool
from structgen_engine.lattice.lattice import BlockLattice

N, V = 256, 262_144
META = torch.device("meta")
WHOLE = {"_chunks": (1, 0), "_weigh": (1, 1)}  # passes that read and write each [N, V] table, by kernel


def row(seed: int, states: int) -> BlockAutomaton:
    """An automaton over the whole vocabulary: three transitions from each state, some hundred classes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.ones(V, dtype=torch.int32)
    labels[: 20 * 200] = torch.arange(200, dtype=torch.int32).repeat_interleave(20) + 2
    delta = torch.zeros(states, 202, dtype=torch.int32)
    for _ in range(3):
        at = torch.randint(1, 202, (states,), generator=generator)
        delta[torch.arange(states), at] = torch.randint(
            1, states, (states,), generator=generator, dtype=torch.int32
        )
    delta[0], accepting = 0, torch.ones(states, dtype=torch.bool)
    accepting[0] = False
    return block(Dfa(Alphabet(labels, 202), delta, accepting, 1))


@pytest.mark.parametrize("rows", [1, 8, 32])
def test_a_step_of_different_schemas_takes_few_launches_and_no_wait(rows: int) -> None:
    automata = [row(seed, 100 + seed) for seed in range(min(rows, 4))]
    automata = [BlockAutomaton(automata[k % 4].dfa, *ends(automata[k % 4])) for k in range(rows)]
    logits = torch.empty(rows, N, V, dtype=torch.bfloat16, device=META)
    table = torch.empty(rows, N, V, dtype=torch.bfloat16, device=META)
    pool = Pool(META)
    Step.of(automata, positions=N, device=META, pool=pool)  # writes the tables
    with counted() as counts:
        step = Step.of(automata, positions=N, device=META, pool=pool)
        step.run(logits)
        step.spread(logits, table)
    assert not counts.waits
    assert counts.sent == 1
    assert counts.total <= 12, counts
    assert not counts.other
    assert step.nbytes / rows <= 50e6


def test_a_lattice_waits_for_what_the_host_reads_and_for_its_draw() -> None:
    """Log Z, beliefs and the best block come in one copy, the draw in another."""
    rows = [row(seed, 100 + seed) for seed in range(3)]
    logits = torch.empty(3, N, V, dtype=torch.bfloat16, device=META)
    settled = torch.full((3, N), -1)
    with counted() as counts:
        lattice = BlockLattice(rows, logits, settled=settled, temperature=[0.5, 1.0, 2.0], backend=gpu)
        lattice.log_partition(), lattice.beliefs(), lattice.dropped(), lattice.argmax()
        assert counts.waits.total() == 1
        lattice.sample(torch.Generator()).cpu()
    assert counts.waits.total() == 2, counts.waits


def ends(row: BlockAutomaton) -> tuple[torch.Tensor, torch.Tensor]:
    return row.entry.clone(), row.exit.clone()


def test_the_pool_writes_a_table_once_for_all_batches_and_blocks() -> None:
    pool, first, second = Pool(META), row(0, 50), row(1, 60)
    with counted() as counts:
        for positions, batch in ((4, [first, second]), (9, [second]), (256, [second, first, first])):
            Step.of(batch, positions=positions, device=META, pool=pool)
    assert len(pool) == 4  # two alphabets and two automata
    assert counts.sent == 4 + 3


def test_the_pool_drops_what_was_unused_for_longest() -> None:
    rows = [row(seed, 50) for seed in range(3)]
    pool = Pool(META, most_bytes=1)
    for one in rows:
        Step.of([one], positions=4, device=META, pool=pool)
        assert len(pool) == 1
    pool = Pool(META)
    for one in rows:
        Step.of([one], positions=4, device=META, pool=pool)
    pool.most_bytes = pool.nbytes
    Step.of([rows[0]], positions=4, device=META, pool=pool)
    Step.of([row(3, 50)], positions=4, device=META, pool=pool)
    with counted() as counts:
        Step.of([rows[0]], positions=4, device=META, pool=pool)
    assert counts.sent == 1
    assert pool.nbytes <= pool.most_bytes


def test_automata_of_all_sizes_take_four_tiles() -> None:
    tiles = {Tile.holding(rows) for rows in range(1, 3000)}
    assert len(tiles) == 4
    assert Tile.holding(64).whole
    assert not Tile.holding(513).whole


def test_every_size_takes_at_most_four_variants_of_a_kernel() -> None:
    variants: dict[str, set[object]] = {}
    for states in (5, 60, 150, 700, 3000):
        one = random_dfa(1, states=states, classes=40, tokens=400, live=0.05)
        logits = torch.empty(1, N, 400, dtype=torch.bfloat16, device=META)
        with counted() as counts:
            step = Step.of([block(one)], positions=N, device=META, pool=Pool(META))
            step.run(logits)
            step.spread(logits, logits)
        for name, found in counts.variants.items():
            variants.setdefault(name, set()).update(found)
    assert max(map(len, variants.values())) <= 4
