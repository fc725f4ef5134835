"""Blocks of lazy automata: exact where nothing is dropped, within the reported share where something is."""

from __future__ import annotations

import math
import random
import time
from itertools import product

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from oracle import Enumeration
from pushdowns import accepts, answers, pushdowns, spelled
from structgen.automata.pushdown.automaton import Pushdown
from structgen.compiler.constraint import compile as compile_constraint
from structgen.compiler.lazy import LazyAutomaton
from structgen.grammar import EMPTY, Expr, Grammar, alt, any_of, literal, ref, separated, seq, star
from structgen.sources import Regex
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.finishing import fewest
from structgen_engine.decoding.blocks import nonempty
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.jacobi import JacobiNoise
from structgen_engine.decoding.loop import StepEvent, decode
from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_engine.decoding.options import DecodingOptions, Finish
from structgen_engine.decoding.row import BudgetTooSmall
from structgen_engine.kernels import Backend, cpu, reference
from structgen_engine.lattice.beam import Beam
from structgen_engine.lattice.lattice import BlockLattice, EmptyLattice
from structgen_engine.lattice.pruning import Overlong, Pruning

IMPOSSIBLE = float("-inf")
NEAR = 1e-5
SMALL = Vocabulary.from_tokens([b"a", b"b", b"c", b"ab", b"bca", b"cc", "<e>", None])
WORDS = Vocabulary.from_tokens(
    ["<pad>", "<eos>", b"a", b"b", b"[", b"]", b",", b"[a", b"]]", b"],[", b"a,b", b"ab", b'"', b"aa", b',"']
)

Problem = tuple[Pushdown, Tensor, Tensor, int]
backends = st.sampled_from([cpu, reference])


def rules() -> list[Expr]:
    """Bodies of a rule v: nested, left recursive, centre recursive and nullable, ambiguous, with strings inside."""
    v = ref("v")
    return [
        alt(literal("a"), seq(literal("["), separated(v, literal(",")), literal("]"))),
        alt(seq(v, literal("a")), literal("b"), seq(literal("["), v, literal("]"))),
        alt(EMPTY, seq(literal("a"), v, literal("b"))),
        alt(
            literal("a"),
            seq(literal("["), v, v, literal("]")),
            seq(literal('"'), star(any_of("ab")), literal('"')),
        ),
        alt(literal("a"), seq(literal("a"), v), seq(literal("["), v, literal("]"), v)),
    ]


def lazy_of(body: Expr) -> LazyAutomaton:
    return LazyAutomaton.of(Grammar(ref("v"), {"v": body}), WORDS)


def truth_of(automaton: Pushdown, logits: Tensor, settled: Tensor, remaining: int = 0) -> Enumeration:
    """Accepted blocks by definition, weighed one by one: beginnings of answers of up to `remaining` tokens more."""
    N, V = logits.shape
    found = {s[:N] for more in range(remaining + 1) for s in answers(automaton, SMALL, N + more)}
    strings = [
        s for s in sorted(found) if all(p in (-1, v) for p, v in zip(settled.tolist(), s, strict=True))
    ]
    table = torch.tensor(strings, dtype=torch.int64).reshape(-1, N)
    scores = logits.double().masked_fill((settled >= 0)[:, None], 0.0)
    weights = scores[torch.arange(N), table].sum(-1)
    alive = weights > IMPOSSIBLE
    return Enumeration(table[alive], weights[alive], V)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Pushdown, Tensor, Tensor, int]:
    """A pushdown, logits [N, V + 1], settled [N], and the tokens of budget left after the block."""
    automaton, total = draw(pushdowns(("<e>",))), draw(st.integers(1, 4))
    N = draw(st.integers(1, total))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 999)))
    logits = torch.randn(N, SMALL.size + 1, generator=generator) * draw(st.sampled_from([1.0, 3.0, 100.0]))
    if draw(st.booleans()):
        logits[torch.rand(logits.shape, generator=generator) < 0.1] = IMPOSSIBLE
    settled = [draw(st.integers(0, 6)) if draw(st.integers(0, 7)) == 7 else -1 for _ in range(N)]
    return automaton, logits, torch.tensor(settled), total - N


@given(problem=problems(), backend=backends)
@settings(max_examples=500)
def test_with_nothing_dropped_a_block_equals_enumeration(problem: Problem, backend: Backend) -> None:
    automaton, logits, settled, remaining = problem
    lazy, truth = LazyAutomaton(automaton, SMALL), truth_of(automaton, logits, settled, remaining)
    explored = Beam(lazy, lazy.start, remaining, Pruning(0.0, 1 << 62)).explore(
        logits, settled=settled, backend=backend
    )
    lattice = BlockLattice([explored], logits[None], settled=settled[None], backend=backend)
    log_z = float(lattice.log_partition()[0])
    assert log_z == pytest.approx(truth.log_partition, rel=NEAR, abs=NEAR)
    assert torch.allclose(lattice.marginals()[0].double(), truth.marginals(), atol=NEAR)
    assert lattice.dropped()[0] == 0
    if len(truth.strings):
        best = lattice.argmax()
        assert float(best.log_prob[0]) == pytest.approx(float(truth.log_probs.max()), abs=1e-4)
        assert best.certified is not None
        assert best.certified[0]


@given(
    problem=problems(),
    epsilon=st.sampled_from([0.0, 1e-7, 1e-2, 0.3]),
    width=st.sampled_from([1, 3, 100]),
    total=st.sampled_from([1, 6, 100]),
    effort=st.sampled_from([0, 1, 3, 100]),
)
@settings(max_examples=120)
def test_what_is_dropped_is_within_the_reported_share(
    problem: Problem, epsilon: float, width: int, total: int, effort: int
) -> None:
    automaton, logits, _, remaining = problem
    truth = truth_of(automaton, logits, torch.full((len(logits),), -1), remaining)
    assume(len(truth.strings))
    lazy = LazyAutomaton(automaton, SMALL)
    pruning = Pruning(epsilon, width, total, effort)
    explored = Beam(lazy, lazy.start, remaining, pruning).explore(logits)
    lattice = BlockLattice([explored], logits[None])
    found, share = float(lattice.log_partition()[0]), float(lattice.dropped()[0])
    assert 1 - math.exp(min(0.0, found - truth.log_partition)) <= share + NEAR
    if found > IMPOSSIBLE:
        best = lattice.argmax()
        assert best.certified is not None
        if best.certified[0]:
            weight = float(best.log_prob[0]) + found
            assert weight == pytest.approx(float(truth.weights.max()), rel=NEAR, abs=NEAR)


@given(index=st.integers(0, 4), N=st.integers(1, 8), spare=st.integers(0, 6), seed=st.integers(0, 99))
def test_what_begins_within_budget_never_runs_out_of_ways(index: int, N: int, spare: int, seed: int) -> None:
    lazy = lazy_of(rules()[index])
    logits = torch.randn(N, WORDS.size, generator=torch.Generator().manual_seed(seed)) * 100
    remaining = max(0, int(lazy.distance_upper[lazy.start]) - N) + spare
    explored = Beam(lazy, lazy.start, remaining, Pruning(0.5, 1)).explore(logits)
    assert float(BlockLattice([explored], logits[None]).log_partition()[0]) > IMPOSSIBLE


def test_a_block_holds_what_a_token_across_returns_can_finish() -> None:
    """Each "a" but the last calls once more, and one "bbb" closes three calls at once."""
    vocabulary = Vocabulary.from_tokens([b"a", b"b", b"aa", b"bbb", b"bbbb", "<eos>"])
    nested = Grammar(ref("v"), {"v": alt(seq(literal("a"), ref("v"), literal("b")), literal("a"))})
    lazy, logits = LazyAutomaton.of(nested, vocabulary), torch.zeros(3, vocabulary.size)
    pieces = ["a", "b", "aa", "bbb", "bbbb"]
    blocks = {
        (*ids, 5)[:3]
        for length in range(2, 5)
        for ids in product(range(5), repeat=length)
        if (text := "".join(pieces[v] for v in ids)) == "a" * (n := text.count("a")) + "b" * (n - 1)
    }
    for effort in (None, 0):
        explored = Beam(lazy, lazy.start, 2, Pruning(0.0, effort=effort)).explore(logits)
        lattice = BlockLattice([explored], logits[None])
        missing = 1 - math.exp(lattice.log_partition()[0]) / len(blocks)
        assert (missing > 0.1) is (effort == 0)
        assert missing - 1e-9 <= lattice.dropped()[0] <= (effort == 0)
        lazy = LazyAutomaton.of(nested, vocabulary)


@pytest.mark.parametrize("poison", [(0, 6), (4, 0)])
def test_inputs_that_are_no_block_are_refused(poison: tuple[int, int]) -> None:
    lazy = lazy_of(rules()[0])
    with pytest.raises(ValueError, match=r"no positions|knows 15 tokens"):
        Beam(lazy, lazy.start, 4).explore(torch.zeros(*poison))


def test_settled_positions_below_minus_one_are_refused() -> None:
    lazy = lazy_of(rules()[0])
    explorer, settled = Beam(lazy, lazy.start, 4), torch.tensor([-1, -2])
    for ask in (
        lambda: explorer.explore(torch.zeros(2, WORDS.size), settled=settled),
        lambda: explorer.ahead(settled),
    ):
        with pytest.raises(ValueError, match="settled holds -2"):
            ask()


def test_what_the_model_excludes_is_not_written_while_something_else_is_accepted() -> None:
    """ "a" carries all the weight at first and cannot end; "bc" and "cc", which can, weigh e^-20 as much."""
    vocabulary = Vocabulary.from_tokens(["<pad>", "<eos>", b"a", b"b", b"c"])
    constraint = compile_constraint(Regex("a|bc|c{2}"), vocabulary, regime="lazy")
    logits = torch.zeros(1, 3, 5)
    logits[0, 0, 2], logits[0, 1, 1] = 20.0, IMPOSSIBLE
    part = Beam(constraint.automaton, constraint.automaton.start, 0)
    lattice = nonempty([part], logits)
    assert lattice.dropped()[0] == 0
    assert float(lattice.log_partition()[0]) == pytest.approx(math.log(2))
    assert {tuple(lattice.sample(torch.Generator().manual_seed(s))[0].tolist()) for s in range(20)} == {
        (3, 4, 1),
        (4, 4, 1),
    }
    logits[0, 2, 1] = IMPOSSIBLE  # now nothing that the model allows is accepted
    assert nonempty([part], logits).argmax().ids[0].tolist() == [2, 1, 0]


@given(problem=problems(), epsilon=st.sampled_from([1e-7, 0.3]), width=st.sampled_from([1, 3]))
@settings(max_examples=40)
def test_an_excluded_token_is_written_only_where_no_block_is_without(
    problem: Problem, epsilon: float, width: int
) -> None:
    automaton, logits, _, remaining = problem
    logits = logits.where(logits.abs() > logits.abs().median(), IMPOSSIBLE)
    allowed = truth_of(automaton, logits, torch.full((len(logits),), -1), remaining)
    possible = truth_of(automaton, torch.zeros_like(logits), torch.full((len(logits),), -1), remaining)
    lazy = LazyAutomaton(automaton, SMALL)
    assume(len(possible.strings) and lazy.padded)
    lattice = nonempty([Beam(lazy, lazy.start, remaining, Pruning(epsilon, width))], logits[None])
    ids = lattice.argmax().ids[0]
    assert ids.tolist() in possible.strings.tolist()
    assert not len(allowed.strings) or (logits[torch.arange(len(ids)), ids] > IMPOSSIBLE).all()


def test_the_share_left_out_of_an_output_is_the_largest_of_its_steps() -> None:
    lazy, events = lazy_of(rules()[3]), list[StepEvent]()
    rows = decode(
        RandomDenoiser(Uniform(0, WORDS.size), 8, WORDS.size, scale=1.0),
        [[1], [2]],
        [lazy, lazy],
        max_tokens=16,
        generators=[torch.Generator().manual_seed(0)] * 2,
        on_step=events.append,
        options=DecodingOptions(steps=3, pruning=Pruning(0.1, 2)),
    )
    for number, row in enumerate(rows):
        shares = [
            float(event.dropped[event.rows.tolist().index(number)])
            for event in events
            if event.dropped is not None and number in event.rows
        ]
        assert row.dropped == max(shares) > 0


def test_a_step_with_very_many_configurations_keeps_some_and_says_so() -> None:
    """(a|b)*a(a|b){16} has 131,072 of them, and random scores make all alike."""
    lazy = compile_constraint(Regex("(a|b)*a(a|b){16}"), regime="lazy").automaton
    logits, begun = torch.randn(256, 256, generator=torch.Generator().manual_seed(0)), time.thread_time()
    explored = Beam(lazy, lazy.start, 64).explore(logits)
    assert len(explored.configurations) <= 2048 + 256
    assert time.thread_time() - begun < 10  # about 1 on a machine of its own
    lattice = BlockLattice([explored], logits[None])
    assert float(lattice.log_partition()[0]) > IMPOSSIBLE
    assert 0 < lattice.dropped()[0] <= 1


def test_a_step_that_takes_too_long_is_refused() -> None:
    lazy = lazy_of(rules()[3])
    with pytest.raises(Overlong, match=r"more than 0 seconds of CPU: position 0 of the block"):
        Beam(lazy, lazy.start, 4, Pruning(seconds=0.0)).explore(torch.zeros(8, WORDS.size))


def test_steps_that_meet_nothing_new_use_the_same_tables() -> None:
    lazy = lazy_of(rules()[0])
    explorer = Beam(lazy, lazy.start, 6)
    logits = torch.randn(6, WORDS.size, generator=torch.Generator().manual_seed(0))
    first, second = explorer.explore(logits), explorer.explore(logits * 0.9)
    assert second.automaton is first.automaton


@pytest.mark.parametrize("index", range(5))
@pytest.mark.parametrize("noise", ["absorbing", "uniform", "guess"])
def test_every_output_is_accepted_closed_and_within_budget(index: int, noise: str) -> None:
    lazy = lazy_of(rules()[index])
    needed, V = int(lazy.distance_upper[lazy.start]), WORDS.size
    blocks = 0
    for seed in range(12):
        draw, events = random.Random(seed), list[StepEvent]()
        length = draw.randint(2, 10)
        kind = {"absorbing": Absorbing(V), "uniform": Uniform(0, V), "guess": JacobiNoise(0, V)}[noise]
        budget = needed + draw.randint(0, 3 * length)
        rows = decode(
            RandomDenoiser(kind, length, V + 1, seed, draw.choice([1.0, 3.0, 200.0])),
            [[1], [2]],
            [lazy, lazy],
            max_tokens=budget,
            generators=[torch.Generator().manual_seed(seed)] * 2,
            on_step=events.append,
            options=DecodingOptions(steps=draw.randint(1, 4), finish=draw.choice(list(Finish))),
        )
        for row in rows:
            symbols = spelled(lazy.pushdown, WORDS, tuple(row.ids.tolist()))
            assert symbols is not None
            assert accepts(lazy.pushdown, symbols)
            assert len(row.ids) <= budget
            blocks += row.blocks
        assert all(0 <= float(share) <= 1 for e in events if e.dropped is not None for share in e.dropped)
    assert blocks > 24


def test_a_batch_may_mix_tables_and_growing_automata() -> None:
    lazy = lazy_of(rules()[0])
    table = compile_constraint(["a", "b"], WORDS).dfa
    rows = decode(
        RandomDenoiser(Uniform(0, WORDS.size), 6, WORDS.size),
        [[1], [2], [3]],
        [lazy, table, lazy],
        max_tokens=12,
        generators=[torch.Generator().manual_seed(0)] * 3,
        options=DecodingOptions(steps=2),
    )
    assert table.accepts(rows[1].ids)
    assert all(lazy.accepts_ids(rows[k].ids.tolist()) for k in (0, 2))


def test_a_scaffold_is_honoured_as_a_whole_or_dropped() -> None:
    lazy = lazy_of(rules()[0])
    for noise in (Absorbing(WORDS.size), Uniform(0, WORDS.size)):
        for wish, honoured in (
            ([4, -1, -1, 5, -1, -1], True),
            ([5, -1, -1, -1, -1, -1], False),
            ([-1] * 5 + [4], False),
        ):
            (row,) = decode(
                RandomDenoiser(noise, 6, WORDS.size + 1),
                [[1]],
                [lazy],
                max_tokens=6,
                scaffold=[torch.tensor(wish)],
                generators=[torch.Generator().manual_seed(0)],
                options=DecodingOptions(steps=3),
            )
            assert row.scaffold is honoured
            assert lazy.accepts_ids(row.ids.tolist())
            assert not honoured or all(w in (-1, v) for w, v in zip(wish, row.ids.tolist(), strict=True))


def test_a_budget_too_small_is_refused_with_what_it_takes() -> None:
    lazy = LazyAutomaton.of(Grammar(seq(literal("["), ref("v"), literal("]")), {"v": rules()[0]}), WORDS)
    with pytest.raises(BudgetTooSmall) as refusal:
        decode(
            RandomDenoiser(Uniform(0, WORDS.size), 6, WORDS.size),
            [[1]],
            [lazy],
            max_tokens=2,
            generators=[torch.Generator().manual_seed(0)],
        )
    assert refusal.value.min_tokens == int(lazy.distance_upper[lazy.start])
    assert refusal.value.exact


def test_a_budget_that_a_token_across_returns_meets_is_enough() -> None:
    """a^n b^n from n = 3 on, whose shortest tokens "aaa", "bbb", "<eos>" return three times in one."""
    vocabulary = Vocabulary.from_tokens(["<pad>", "<eos>", b"a", b"b", b"aaa", b"bbb"])
    rule = alt(seq(literal("a"), ref("w"), literal("b")), seq(literal("a"), ref("v"), literal("b")))
    inner = {"w": seq(literal("a"), ref("u"), literal("b")), "u": literal("ab")}
    grammar = Grammar(ref("v"), {"v": rule, **inner})
    for budget in range(3, 7):
        (row,) = decode(
            RandomDenoiser(Uniform(0, 6), 2, 6),
            [[1]],
            [LazyAutomaton.of(grammar, vocabulary)],
            max_tokens=budget,
            generators=[torch.Generator().manual_seed(0)],
        )
        text = b"".join(map(vocabulary.spelling, row.ids.tolist())).decode()
        assert text == "a" * (n := len(text) // 2) + "b" * n
        assert n >= 3
        assert len(row.ids) <= budget
    assert fewest(LazyAutomaton.of(grammar, vocabulary)) == (3, True)
    with pytest.raises(
        BudgetTooSmall, match="the shortest output that satisfies the constraint takes 3 tokens"
    ):
        decode(
            RandomDenoiser(Uniform(0, 6), 2, 6),
            [[1]],
            [LazyAutomaton.of(grammar, vocabulary)],
            max_tokens=2,
            generators=[torch.Generator().manual_seed(0)],
        )


def test_a_refusal_that_no_search_made_certain_says_so() -> None:
    lazy = lazy_of(rules()[4])
    error = BudgetTooSmall(0, 9, 4, exact=False)
    assert "a search found no output of up to 4 tokens, and 9 suffice" in str(error)
    assert "the shortest output" in str(BudgetTooSmall(0, 9, 4))
    assert fewest(lazy)[1]


def test_logits_that_exclude_everything_are_an_empty_lattice() -> None:
    lazy = lazy_of(rules()[0])
    logits = torch.full((4, WORDS.size), IMPOSSIBLE)
    explored = Beam(lazy, lazy.start, 4).explore(logits)
    with pytest.raises(EmptyLattice):
        BlockLattice([explored], logits[None]).argmax()


def test_numbers_that_have_left_the_reals_are_refused() -> None:
    lazy = lazy_of(rules()[0])
    with pytest.raises(ValueError, match="diverged"):
        Beam(lazy, lazy.start, 4).explore(torch.full((4, WORDS.size), float("nan")))
