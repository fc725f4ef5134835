"""The laws of a lattice: every backend agrees with enumeration."""

from __future__ import annotations

import math
import random
import re
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from oracle import Enumeration, enumerate_blocks, total_variation
from strategies import Case, cases
from structgen_engine.automata.dfa import Alphabet, BlockAutomaton, Dfa, block
from structgen_engine.kernels import Backend, backend_for, cpu, reference
from structgen_engine.lattice.lattice import BlockLattice, EmptyLattice, feasible, forced

IMPOSSIBLE = float("-inf")
NEAR = 1e-5


def close(x: Tensor | float, y: Tensor | float, tolerance: float = NEAR) -> bool:
    """Equal within a tolerance relative to what is above 1; infinities equal themselves."""
    a, b = torch.as_tensor(x, dtype=torch.float64), torch.as_tensor(y, dtype=torch.float64)
    return bool(((a == b) | ((a - b).abs() <= tolerance * b.abs().clamp_min(1))).all())


def lattice_of(backend: Backend, *rows: Case) -> BlockLattice:
    """The rows' lattice, with the logits' type that the backend is checked with."""
    return BlockLattice(
        [row.automaton for row in rows],
        torch.stack([row.logits for row in rows]).to(TYPES[backend]),
        settled=torch.stack([row.settled for row in rows]),
        temperature=rows[0].temperature,
        backend=backend,
    )


def truth_of(row: Case) -> Enumeration:
    return enumerate_blocks(row.automaton, row.logits, row.settled, row.temperature)


TYPES = {reference: torch.float64, cpu: torch.float32}
every_backend = pytest.mark.parametrize("backend", TYPES, ids=["reference", "cpu"])


@every_backend
class TestLaws:
    """What holds for every backend."""

    @given(row=cases())
    def test_log_partition_sums_every_accepted_block(self, backend: Backend, row: Case) -> None:
        assert close(lattice_of(backend, row).log_partition(), truth_of(row).log_partition)

    @given(row=cases())
    def test_marginals_and_mask_equal_enumeration(self, backend: Backend, row: Case) -> None:
        lattice, truth = lattice_of(backend, row), truth_of(row)
        assert torch.equal(lattice.mask()[0], truth.mask())
        assert close(lattice.marginals()[0], truth.marginals())

    @given(row=cases())
    def test_log_marginals_are_those_of_the_marginals_and_may_replace_the_logits(
        self, backend: Backend, row: Case
    ) -> None:
        every, lattice = truth_of(row), lattice_of(backend, row)
        truth, never = every.marginals(), ~every.mask()  # a marginal of e^-800 is no zero
        apart = lattice.log_marginals(least=-1e4)[0]
        assert close(apart.exp(), truth)
        assert (apart[never] == -1e4).all()
        found = lattice.log_marginals_()[0]
        assert close(found.exp(), truth)
        assert (found[never] == IMPOSSIBLE).all()
        assert found.data_ptr() == lattice._logits.data_ptr()

    @given(row=cases())
    def test_class_marginals_sum_the_marginals_of_their_tokens(self, backend: Backend, row: Case) -> None:
        alphabet = row.automaton.dfa.alphabet
        summed = torch.zeros(len(row.logits), alphabet.size, dtype=torch.float64)
        summed.index_add_(1, alphabet.class_of.long(), truth_of(row).marginals())
        assert close(classes_of(lattice_of(backend, row))[0], summed)

    @given(row=cases())
    def test_beliefs_describe_the_marginals(self, backend: Backend, row: Case) -> None:
        beliefs, truth = lattice_of(backend, row).beliefs(), truth_of(row)
        marginals = truth.marginals()
        assert close(beliefs.entropy[0], torch.special.entr(marginals).sum(-1))
        assert close(beliefs.top_probability[0], marginals.amax(-1))
        assert torch.equal(beliefs.free[0], truth.mask().sum(-1) > 1)

    @given(row=cases())
    def test_best_block_is_accepted_and_no_path_is_heavier(self, backend: Backend, row: Case) -> None:
        truth = truth_of(row)
        assume(len(truth.strings) and (row.automaton.entry > IMPOSSIBLE).sum() == 1)
        best = lattice_of(backend, row).argmax()
        assert tuple(best.ids[0].tolist()) in set(map(tuple, truth.strings.tolist()))
        assert close(best.log_prob[0], truth.log_probs.max())

    @given(row=cases())
    def test_log_prob_is_that_of_each_block_and_normalised(self, backend: Backend, row: Case) -> None:
        truth = truth_of(row)
        assume(len(truth.strings))
        lattice = lattice_of(backend, row)
        found = torch.cat([lattice.log_prob(string[None]) for string in truth.strings])
        assert close(found, truth.log_probs)
        assert close(found.exp().sum(), 1.0)

    @given(row=cases())
    def test_log_prob_sums_out_what_is_not_named(self, backend: Backend, row: Case) -> None:
        truth = truth_of(row)
        assume(len(truth.strings))
        part = truth.strings[0].clone()
        part[::2] = -1
        agree = ((truth.strings == part) | (part < 0)).all(-1)
        assert close(
            lattice_of(backend, row).log_prob(part[None])[0], torch.logsumexp(truth.log_probs[agree], 0)
        )

    @given(row=cases())
    def test_samples_are_accepted(self, backend: Backend, row: Case) -> None:
        truth, generator = truth_of(row), torch.Generator().manual_seed(0)
        assume(len(truth.strings))
        lattice, accepted = lattice_of(backend, row), set(map(tuple, truth.strings.tolist()))
        assert all(tuple(lattice.sample(generator)[0].tolist()) in accepted for _ in range(5))

    @given(row=cases())
    def test_an_empty_lattice_says_so(self, backend: Backend, row: Case) -> None:
        assume(not len(truth_of(row).strings))
        lattice = lattice_of(backend, row)
        assert lattice.log_partition()[0] == IMPOSSIBLE
        assert not lattice.mask().any()
        assert not lattice.marginals().any()
        for ask in (lattice.argmax, lambda: lattice.sample(torch.Generator())):
            with pytest.raises(EmptyLattice, match="rows \\[0\\] accept no block"):
                ask()

    @given(row=cases())
    @settings(max_examples=40)
    def test_settling_is_conditioning(self, backend: Backend, row: Case) -> None:
        truth, open_ = truth_of(row), torch.full_like(row.settled, -1)
        free = Case(row.automaton, row.logits, open_, row.temperature)
        whole = truth_of(free)
        agree = ((whole.strings == row.settled) | (row.settled < 0)).all(-1)
        assume(agree.any() and len(truth.strings) == agree.sum())  # a settled token of −inf has no condition
        assert close(truth.log_probs, whole.log_probs[agree] - torch.logsumexp(whole.log_probs[agree], 0))

    @given(one=cases(), two=cases())
    @settings(max_examples=40)
    def test_a_batch_of_different_automata_is_each_alone(
        self, backend: Backend, one: Case, two: Case
    ) -> None:
        N, V = min(len(one.logits), len(two.logits)), max(one.logits.shape[1], two.logits.shape[1])

        def fitted(row: Case) -> Case:
            logits = torch.nn.functional.pad(row.logits[:N], (0, V - row.logits.shape[1]), value=3.0)
            return Case(row.automaton, logits, row.settled[:N], 0.7)

        rows = [fitted(one), fitted(two), fitted(one)]
        together, alone = lattice_of(backend, *rows), [lattice_of(backend, row) for row in rows]
        assert close(together.log_partition(), torch.cat([a.log_partition() for a in alone]), 1e-12)
        assert close(together.marginals(), torch.cat([a.marginals() for a in alone]), 1e-12)
        assert close(together.beliefs().entropy, torch.cat([a.beliefs().entropy for a in alone]), 1e-6)

    @given(row=cases())
    @settings(max_examples=40)
    def test_columns_beyond_the_alphabet_are_refused(self, backend: Backend, row: Case) -> None:
        wide = Case(row.automaton, torch.nn.functional.pad(row.logits, (0, 3), value=500.0), row.settled, 1.0)
        lattice, V = lattice_of(backend, wide), row.logits.shape[1]
        assert not lattice.mask()[..., V:].any()
        assert not lattice.marginals()[..., V:].any()
        assert close(
            lattice.log_partition(), truth_of(Case(row.automaton, row.logits, row.settled, 1.0)).log_partition
        )

    def test_samples_follow_the_distribution(self, backend: Backend) -> None:
        """Over M strings the expected total variation of n draws is at most sqrt(M / n) / 2."""
        row, n = choices(), 6000
        truth = enumerate_blocks(row, LOGITS)
        lattice = BlockLattice(row, LOGITS.to(TYPES[backend]).expand(n, -1, -1), backend=backend)
        draws = lattice.sample(torch.Generator().manual_seed(1))
        assert len(truth.strings) > 20
        assert total_variation(draws, truth) < math.sqrt(len(truth.strings) / n)

    def test_samples_inside_one_large_class_follow_its_scores(self, backend: Backend) -> None:
        """4,000 tokens of one class fill four chunks; the draws are compared by chunk and by parity."""
        V, n = 4000, 3000
        logits = torch.randn(1, 1, V, generator=torch.Generator().manual_seed(3)) * 2
        lattice = BlockLattice(one_class(V), logits.to(TYPES[backend]).expand(n, -1, -1), backend=backend)
        ids = lattice.sample(torch.Generator().manual_seed(4))[:, 0]
        truth = logits[0, 0].double().softmax(0)
        for bins in (torch.arange(V) // 500, torch.arange(V) % 7, (logits[0, 0] > 3).long()):
            expected = torch.zeros(int(bins.max()) + 1, dtype=torch.float64).index_add_(0, bins, truth)
            found = torch.bincount(bins[ids], minlength=len(expected)) / n
            assert float((found - expected).abs().sum()) / 2 < math.sqrt(len(expected) / n)

    @pytest.mark.parametrize("gap", [700.0, 746.0, 2000.0, 1e5])
    def test_a_chunk_far_below_the_best_of_its_class_is_never_drawn(
        self, backend: Backend, gap: float
    ) -> None:
        """3,000 tokens of one class fill three chunks; the shares of two of them are too small for a float64."""
        for best in (0, 1500, 2999):
            logits = torch.randn(2, 3, 3000, generator=torch.Generator().manual_seed(best)) / 100
            logits[..., best] = gap * 0.0107 + 1
            logits[1, 1, :] = torch.where(torch.arange(3000) // 1024 == best // 1024, 0.0, -gap)
            lattice = BlockLattice(
                one_class(3000), logits.to(TYPES[backend]), temperature=0.0107, backend=backend
            )
            for seed in range(5):
                ids = lattice.sample(torch.Generator().manual_seed(seed))
                ids[1, 1] = best if ids[1, 1] // 1024 == best // 1024 else -1
                assert (ids == best).all()

    @given(row=cases(), generator=st.randoms(use_true_random=False))
    def test_logits_of_any_magnitude_are_those_within_the_limit(
        self, backend: Backend, row: Case, generator: random.Random
    ) -> None:
        """As masks that hosts write: ±1e30, and the least and the largest float of any type."""
        least = torch.finfo(torch.float32).min
        extreme = torch.tensor([1e30, -1e30, least, -least, torch.finfo(torch.bfloat16).min, -65504.0, -1e9])
        logits = row.logits.clone()
        for i, v in product(*map(range, logits.shape)):
            if generator.random() < 0.4:
                logits[i, v] = generator.choice(extreme.tolist())
        row = Case(row.automaton, logits, row.settled, row.temperature)
        truth, lattice = truth_of(row), lattice_of(backend, row)
        assert close(lattice.log_partition(), truth.log_partition)
        assert torch.equal(lattice.mask()[0], truth.mask())
        assert close(lattice.marginals()[0], truth.marginals(), 1e-4)
        assert close(lattice.beliefs().entropy[0], torch.special.entr(truth.marginals()).sum(-1), 1e-4)
        if not len(truth.strings):
            return
        found = torch.cat([lattice.log_prob(string[None]) for string in truth.strings])
        assert close(found.exp(), truth.log_probs.exp(), 1e-4)
        accepted = set(map(tuple, truth.strings.tolist()))
        assert tuple(lattice.sample(torch.Generator().manual_seed(0))[0].tolist()) in accepted
        if (row.automaton.entry > IMPOSSIBLE).sum() == 1:
            best = lattice.argmax()
            assert tuple(best.ids[0].tolist()) in accepted
            assert close(best.log_prob[0], truth.log_probs.max(), 1e-4)

    def test_blocks_of_masked_tokens_alone_are_even(self, backend: Backend) -> None:
        for masked in (-1e30, torch.finfo(torch.float32).min, 1e30):
            lattice = BlockLattice(
                one_class(5), torch.full((1, 256, 5), masked, dtype=TYPES[backend]), backend=backend
            )
            assert close(lattice.marginals(), 0.2, 1e-6)
            assert close(lattice.beliefs().entropy, math.log(5), 1e-6)

    def test_a_masked_token_loses_to_every_other_and_the_highest_wins(self, backend: Backend) -> None:
        logits = torch.tensor([[[-1e30, 0.0, 2.0, -200.0, 0.0], [0.0, 1e30, 3.0, -1e4, 2e30]]])
        lattice = BlockLattice(one_class(5), logits.to(TYPES[backend]), backend=backend)
        marginals = lattice.marginals()[0]
        assert marginals[0, 0] == 0
        assert close(marginals[0, 1:], torch.tensor([0.0, 2.0, -200.0, 0.0]).softmax(0))
        assert close(marginals[1, [1, 4]].sum(), 1.0)
        assert lattice.argmax().ids.tolist() == [[2, 4]]

    def test_peaks_of_200_nats_over_256_positions_never_look_impossible(self, backend: Backend) -> None:
        """Path weights span 50,000 nats, where normalised float32 products underflow to a false Z = 0."""
        generator, automaton = torch.Generator().manual_seed(5), wide_automaton()
        for scale in (3.0, 200.0) if backend is cpu else (200.0,):
            logits = torch.randn(1, 256, 200, generator=generator) * scale
            truth = BlockLattice(automaton, logits.double(), backend=reference)
            lattice = BlockLattice(automaton, logits.to(TYPES[backend]), backend=backend)
            assert (lattice.log_partition() > IMPOSSIBLE).all()
            assert close(lattice.log_partition(), truth.log_partition(), 1e-7)
            assert close(classes_of(lattice), classes_of(truth))
            assert close(classes_of(lattice).sum(-1), 1.0, 1e-9)
            assert close(lattice.beliefs().entropy, truth.beliefs().entropy)
            assert close(lattice.argmax().log_prob, truth.argmax().log_prob, 1e-7)
            ids = lattice.sample(generator)
            assert all(automaton.dfa.accepts(row) for row in ids)
            assert close(lattice.log_prob(ids), truth.log_prob(ids), 1e-6)

    def test_a_forced_path_of_minus_200_nats_a_token_survives_beside_a_free_one(
        self, backend: Backend
    ) -> None:
        """A finished tail weighs 1; the one block that goes the long way weighs exp(−51,200) and is still exact."""
        delta = torch.zeros(4, 3, dtype=torch.int32)
        delta[1, 1], delta[2, 1], delta[1, 2], delta[3, 2] = 2, 2, 3, 3  # 1* or 2*
        accepting = torch.tensor([False, False, True, False])  # only the 1s are accepted
        dfa = Dfa(Alphabet(torch.tensor([0, 1, 2], dtype=torch.int32), 3), delta, accepting, 1)
        logits = torch.tensor([0.0, -200.0, 0.0]).expand(1, 256, 3).to(TYPES[backend])
        assert BlockLattice(block(dfa), logits, backend=backend).log_partition().item() == -51200.0


def classes_of(lattice: BlockLattice) -> Tensor:
    """Class marginals [1, N, K] of a lattice of one row."""
    return lattice._runs[0].posterior.classes


class TestCpuKernels:
    """What the numba kernels promise beyond the laws."""

    @pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
    def test_half_precision_logits_are_read_as_they_are(self, dtype: torch.dtype) -> None:
        logits = (torch.randn(2, 6, 4100, generator=torch.Generator().manual_seed(0)) * 8).to(dtype)
        logits[0, :, ::3], logits[1, 2, 7] = IMPOSSIBLE, 1e-7
        narrow = BlockLattice(one_class(4100), logits, temperature=0.6)
        wide = BlockLattice(one_class(4100), logits.float(), temperature=0.6)
        assert close(
            narrow.log_partition(), wide.log_partition(), 1e-7
        )  # the compiler may order the sums differently
        assert close(narrow.beliefs().entropy, wide.beliefs().entropy, 1e-6)
        assert torch.equal(narrow.argmax().ids, wide.argmax().ids)
        assert narrow.marginals().dtype == dtype
        assert close(narrow.marginals(), wide.marginals(), torch.finfo(dtype).eps)
        draws = [lattice.sample(torch.Generator().manual_seed(2)) for lattice in (narrow, wide)]
        assert torch.equal(*draws)

    def test_messages_equal_the_reference(self) -> None:
        automaton, generator = wide_automaton(), torch.Generator().manual_seed(6)
        weights = torch.randn(2, 30, 20, generator=generator, dtype=torch.float64) * 100
        start, end = automaton.entry.double().expand(2, -1), automaton.exit.double().expand(2, -1)
        for name, edge in (("backward", end), ("forward", start)):
            fast, slow = (
                getattr(cpu, name)(weights, automaton.dfa, edge),
                getattr(reference, name)(weights, automaton.dfa, edge),
            )
            assert close(cpu.nats(fast), slow, 1e-11)

    def test_class_scores_equal_the_reference(self) -> None:
        logits = torch.randn(2, 3, 200, generator=torch.Generator().manual_seed(8)) * 30
        logits[0, 1, :50] = IMPOSSIBLE
        alphabet = wide_automaton().dfa.alphabet
        fast, slow = (
            b.class_scores(logits, alphabet, settled=None, temperature=0.3) for b in (cpu, reference)
        )
        for name in ("log_sum", "entropy", "peak"):
            assert close(getattr(fast, name), getattr(slow, name), 1e-6), name
        assert torch.equal(fast.count, slow.count)

    def test_views_are_read_in_place_and_nothing_is_changed(self) -> None:
        whole = torch.randn(2, 8, 250, generator=torch.Generator().manual_seed(9))
        before, view = whole.clone(), whole[:, 2:6, 20:220]
        lattice, copy = (BlockLattice(wide_automaton(), x) for x in (view, view.contiguous()))
        assert torch.equal(lattice.marginals(), copy.marginals())
        assert torch.equal(whole, before)

    def test_the_number_of_threads_changes_nothing(self) -> None:
        logits, threads = (
            torch.randn(3, 8, 200, generator=torch.Generator().manual_seed(9)),
            torch.get_num_threads(),
        )
        try:
            results = []
            for count in (1, 2):
                torch.set_num_threads(count)
                lattice = BlockLattice(wide_automaton(), logits)
                results.append((lattice.beliefs().entropy, lattice.sample(torch.Generator().manual_seed(0))))
        finally:
            torch.set_num_threads(threads)
        assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_the_cpu_backend_is_chosen_for_cpu_tensors() -> None:
    assert backend_for("cpu") is cpu


def test_a_vocabulary_that_is_too_small_names_both_numbers() -> None:
    with pytest.raises(ValueError, match="knows 200 tokens but the logits have only 150"):
        BlockLattice(wide_automaton(), torch.zeros(1, 4, 150))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": torch.zeros(1, 0, 5)}, "no positions"),
        ({"settled": torch.tensor([[-1, -2, -1]])}, "settled holds -2"),
        ({"settled": torch.tensor([[-1.0, 2.0, -1.0]])}, "whole numbers"),
        ({"temperature": 0.0}, "at least 0.001, not 0.0; for the best block"),
        ({"temperature": -1.0}, "at least 0.001"),
        ({"temperature": float("nan")}, "at least 0.001"),
        ({"temperature": float("inf")}, "at least 0.001"),
    ],
)
def test_what_is_no_block_is_refused(change: dict[str, Any], message: str) -> None:
    given = {"logits": LOGITS[None], **change}
    with pytest.raises(ValueError, match=re.escape(message)):
        BlockLattice(choices(), given.pop("logits"), **given)


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_diverged_denoiser_is_reported(poison: float) -> None:
    logits = torch.zeros(1, 4, 200)
    logits[0, 2, int((wide_automaton().dfa.alphabet.class_of == 3).nonzero()[0])] = poison
    for backend in (cpu, reference):
        with pytest.raises(ValueError, match="NaN or"):
            BlockLattice(wide_automaton(), logits, backend=backend).log_partition()


def test_feasible_ignores_scores_and_honours_settled_positions() -> None:
    row = choices()
    assert feasible(row, torch.tensor([-1, -1, -1]))
    assert feasible(row, torch.tensor([0, -1, -1]))
    assert not feasible(row, torch.tensor([4, -1, -1]))
    assert not feasible(row, torch.tensor([-1, 9, -1]))  # a token that the automaton does not know


def test_feasible_takes_no_edge_of_a_class_without_tokens() -> None:
    """The one way to acceptance is by class 2, which no token has; by class 1 everything stays where it is."""
    delta = torch.tensor([[0, 0, 0], [0, 1, 2], [0, 2, 0]], dtype=torch.int32)
    dfa = Dfa(
        Alphabet(torch.tensor([1, 1], dtype=torch.int32), 3), delta, torch.tensor([False, False, True]), 1
    )
    assert not feasible(BlockAutomaton(dfa, *entry_and_exit(dfa, 1, 2)), torch.tensor([-1, -1]))
    assert feasible(BlockAutomaton(dfa, *entry_and_exit(dfa, 2, 2)), torch.tensor([-1, 0]))


@given(row=cases())
def test_feasible_says_whether_any_block_is_accepted_whatever_the_logits(row: Case) -> None:
    even = enumerate_blocks(row.automaton, torch.zeros_like(row.logits), row.settled, 1.0)
    assert feasible(row.automaton, row.settled) == (len(even.strings) > 0)


def test_log_prob_of_a_refused_token_is_impossible_whatever_its_logit() -> None:
    for poison in (float("nan"), float("inf")):
        logits = LOGITS.clone()
        logits[1, 4] = poison
        for backend in (cpu, reference):
            lattice = BlockLattice(choices(), logits[None], backend=backend)
            assert lattice.log_prob(torch.tensor([[0, 4, 0]])).item() == IMPOSSIBLE


LOGITS = torch.tensor(
    [[0.0, 1.0, -1.0, 2.0, 0.5], [1.0, IMPOSSIBLE, 0.3, 0.0, 1.0], [-2.0, 0.0, 1.5, 0.2, 0.1]]
)


def choices() -> BlockAutomaton:
    """Three tokens: after 0 or 1 anything but 4, after 2 only 2s, after 3 a 3 in the middle."""
    alphabet = Alphabet(torch.tensor([1, 1, 2, 3, 0], dtype=torch.int32), 4)
    delta = torch.tensor(
        [[0, 0, 0, 0], [0, 2, 3, 4], [0, 2, 2, 2], [0, 0, 3, 0], [0, 0, 0, 2]], dtype=torch.int32
    )
    return block(Dfa(alphabet, delta, torch.tensor([False, False, True, True, False]), 1))


def entry_and_exit(dfa: Dfa, entry: int, exit_: int) -> tuple[Tensor, Tensor]:
    """The weights of entering in one state and ending in one."""
    one_hot = torch.nn.functional.one_hot(torch.tensor([entry, exit_]), dfa.states)
    start, end = one_hot.float().log()
    return start, end


def one_class(V: int) -> BlockAutomaton:
    """Any token, any number of times."""
    alphabet = Alphabet(torch.ones(V, dtype=torch.int32), 2)
    return block(
        Dfa(alphabet, torch.tensor([[0, 0], [0, 1]], dtype=torch.int32), torch.tensor([False, True]), 1)
    )


def wide_automaton() -> BlockAutomaton:
    """40 states, 20 classes, 200 tokens, drawn once."""
    generator = torch.Generator().manual_seed(7)
    delta = torch.randint(1, 40, (40, 20), generator=generator, dtype=torch.int32)
    delta[torch.rand(40, 20, generator=generator) < 0.6] = 0
    delta[0], delta[:, 0] = 0, 0
    accepting = torch.rand(40, generator=generator) < 0.2
    accepting[0] = False
    labels = torch.randint(0, 20, (200,), generator=generator, dtype=torch.int32)
    return block(Dfa(Alphabet(labels, 20), delta, accepting, 1))


@given(row=cases())
@settings(max_examples=60)
def test_what_is_forced_is_told_before_any_model_speaks(row: Case) -> None:
    width = row.logits.shape[1]
    possible = enumerate_blocks(row.automaton, torch.zeros_like(row.logits), row.settled, 1.0).mask()
    told = forced([row.automaton], row.settled[None], width)[0]
    for position, tokens in enumerate(possible):
        flat = torch.full((width,), 1 / width)
        assert close(told[position].exp(), tokens.float() if tokens.sum() == 1 else flat, 1e-6)
