"""The decoding loop: every output is accepted, closes within its budget, and depends on the seed alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from oracle import enumerate_blocks
from strategies import padded_dfas
from structgen_engine.automata.dfa import Alphabet, Dfa, block
from structgen_engine.decoding.cohort import Task
from structgen_engine.decoding.denoiser import Denoiser, RandomContext, RandomDenoiser
from structgen_engine.decoding.loop import Loop, StepEvent, decode
from structgen_engine.decoding.noise import Absorbing, Noise, Uniform
from structgen_engine.decoding.options import DecodingOptions, Finish, Schedule, StoppingRule
from structgen_engine.decoding.policy import EntropyBound, Policy, TopK
from structgen_engine.decoding.row import BudgetTooSmall, Decoded
from structgen_engine.lattice.lattice import EmptyLattice

policies = st.sampled_from([EntropyBound(), EntropyBound(2.0), TopK(1), TopK(3)])
noises = st.sampled_from(["absorbing", "uniform"])


def noise_of(name: str, V: int) -> Noise:
    return Absorbing(V) if name == "absorbing" else Uniform(0, V)


def denoiser_of(name: str, dfa: Dfa, block_length: int, scale: float = 3.0) -> RandomDenoiser:
    """The mask token, where there is one, is the first id that the automaton does not know."""
    V = len(dfa.alphabet.class_of)
    return RandomDenoiser(noise_of(name, V), block_length, V + 1, seed=3, scale=scale)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def verbatim(length: int) -> Dfa:
    """Token 2, `length` times, with 3 allowed in its place; then the end token 1, then padding 0."""
    class_of = torch.tensor([1, 2, 3, 3], dtype=torch.int32)
    delta = torch.zeros(length + 3, 4, dtype=torch.int32)
    for s in range(1, length + 1):
        delta[s, 3] = s + 1
    delta[length + 1, 2], delta[length + 2, 1] = length + 2, length + 2
    accepting = torch.zeros(length + 3, dtype=torch.bool)
    accepting[-1] = True
    return Dfa(Alphabet(class_of, 4), delta, accepting, 1)


@given(dfa=padded_dfas(), name=noises, block_length=st.integers(1, 4), cold=st.sampled_from([0.0, 1e-6]))
def test_at_temperature_0_one_step_is_the_best_block(
    dfa: Dfa, name: str, block_length: int, cold: float
) -> None:
    length = max(block_length, int(dfa.distance[dfa.start]))
    assume(length < 5)
    denoiser, events = denoiser_of(name, dfa, length, 3.0), list[StepEvent]()
    (row,) = decode(
        denoiser,
        [[1]],
        [dfa],
        max_tokens=length,
        generators=[seeded()],
        on_step=events.append,
        options=DecodingOptions(steps=1, temperature=cold, finish=Finish.SAMPLE),
    )
    canvas = torch.full((1, length), len(dfa.alphabet.class_of))
    if name == "absorbing":
        truth = enumerate_blocks(block(dfa), denoiser(denoiser.start([[1]]), canvas)[0])
        best = truth.strings[truth.log_probs.argmax()]
        assert row.ids.tolist() == best.tolist()
        assert row.log_prob == pytest.approx(float(truth.log_probs.max()), abs=1e-4)
    assert events[0].certified is not None
    assert events[0].certified.all()


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="from 0 on"):
        decode(
            denoiser_of("uniform", verbatim(2), 4),
            [[1]],
            [verbatim(2)],
            max_tokens=4,
            generators=[seeded()],
            options=DecodingOptions(temperature=temperature),
        )


@given(
    dfa=padded_dfas(),
    name=noises,
    policy=policies,
    steps=st.integers(1, 6),
    block_length=st.integers(1, 5),
    spare=st.integers(0, 6),
    temperature=st.sampled_from([0.5, 2.0]),
    finish=st.sampled_from(Finish),
    scale=st.sampled_from([1.0, 200.0]),
)
def test_every_output_is_accepted_and_within_budget(
    dfa: Dfa,
    name: str,
    policy: Policy,
    steps: int,
    block_length: int,
    spare: int,
    temperature: float,
    finish: Finish,
    scale: float,
) -> None:
    denoiser, needed = denoiser_of(name, dfa, block_length, scale), max(1, int(dfa.distance[dfa.start]))
    rows = decode(
        denoiser,
        [[1], [2, 3]],
        [dfa, dfa],
        max_tokens=needed + spare,
        generators=[seeded()] * 2,
        options=DecodingOptions(steps=steps, policy=policy, temperature=temperature, finish=finish),
    )
    for row in rows:
        assert dfa.accepts(row.ids)
        assert needed <= len(row.ids) <= needed + spare
        assert row.steps <= steps * row.blocks
        assert row.log_prob <= 1e-9


@given(dfa=padded_dfas(), name=noises, block_length=st.integers(1, 4))
@settings(max_examples=40)
def test_the_least_budget_completes_and_one_token_less_is_refused(
    dfa: Dfa, name: str, block_length: int
) -> None:
    denoiser, needed = denoiser_of(name, dfa, block_length), int(dfa.distance[dfa.start])
    (row,) = decode(
        denoiser,
        [[]],
        [dfa],
        max_tokens=needed,
        generators=[seeded()],
        options=DecodingOptions(steps=2),
    )
    assert dfa.accepts(row.ids)
    assert len(row.ids) == needed
    with pytest.raises(BudgetTooSmall) as refusal:
        decode(
            denoiser,
            [[]],
            [dfa],
            max_tokens=needed - 1,
            generators=[seeded()],
            options=DecodingOptions(steps=2),
        )
    assert refusal.value.min_tokens == needed
    assert str(needed) in str(refusal.value)


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
def test_what_spans_many_blocks_closes_in_the_middle_of_one(name: str) -> None:
    dfa = verbatim(9)
    (row,) = decode(
        denoiser_of(name, dfa, 4),
        [[5]],
        [dfa],
        max_tokens=15,
        generators=[seeded()],
        options=DecodingOptions(steps=3),
    )
    assert row.ids[9:].tolist() == [1, 0, 0]
    assert row.blocks == 3


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
def test_rows_that_end_at_different_blocks_keep_their_own_contexts(name: str) -> None:
    dfas = [verbatim(2), verbatim(9), verbatim(5)]
    spy = Spy(denoiser_of(name, dfas[0], 4))
    rows = decode(
        spy,
        [[7], [8], [9]],
        dfas,
        max_tokens=12,
        generators=[seeded()] * 3,
        options=DecodingOptions(steps=3),
    )
    assert [row.blocks for row in rows] == [1, 3, 2]
    assert all(dfa.accepts(row.ids) for dfa, row in zip(dfas, rows, strict=True))
    assert spy.seen == {
        (7,),
        (8,),
        (9,),
        (8, *rows[1].ids[:4].tolist()),
        (9, *rows[2].ids[:4].tolist()),
        (8, *rows[1].ids[:8].tolist()),
    }


@dataclass
class Spy:
    """Passes everything on and remembers the contexts that were asked about."""

    inner: RandomDenoiser
    seen: set[tuple[int, ...]] = field(default_factory=set)
    self_conditioning = False
    unconditioned_start = False

    def __post_init__(self) -> None:
        self.noise, self.block_length = self.inner.noise, self.inner.block_length
        self.vocabulary_size = self.inner.vocabulary_size

    def start(self, prompts: Sequence[Sequence[int]]) -> RandomContext:
        return self.inner.start(prompts)

    def __call__(self, context: RandomContext, canvas: Tensor) -> Tensor:
        assert canvas.shape == (len(context.tokens), self.block_length)
        self.seen.update(context.tokens)
        return self.inner(context, canvas)

    def extend(self, context: RandomContext, block: Tensor) -> RandomContext:
        return self.inner.extend(context, block)


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
def test_the_result_depends_on_the_seed_alone(name: str) -> None:
    dfa = verbatim(9)

    def run(seed: int) -> list[Decoded]:
        torch.rand(seed + 1)  # the global generator is neither read nor moved
        before = torch.get_rng_state()
        rows = decode(
            denoiser_of(name, dfa, 4),
            [[1], [2]],
            [dfa, dfa],
            max_tokens=12,
            generators=[seeded(seed)] * 2,
            options=DecodingOptions(steps=4, temperature=2.0),
        )
        assert torch.equal(torch.get_rng_state(), before)
        return rows

    one, again, other = run(0), run(0), run(1)
    assert [row.ids.tolist() for row in one] == [row.ids.tolist() for row in again]
    assert [row.log_prob for row in one] == [row.log_prob for row in again]
    assert [row.ids.tolist() for row in one] != [row.ids.tolist() for row in other]


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
def test_one_step_commits_the_best_block_or_follows_the_distribution(name: str) -> None:
    dfa = verbatim(3)
    denoiser = denoiser_of(name, dfa, 4, scale=1.0)
    (best,) = decode(
        denoiser,
        [[1]],
        [dfa],
        max_tokens=4,
        generators=[seeded()],
        options=DecodingOptions(steps=1, temperature=1.0),
    )
    canvas = denoiser.noise.start((1, 4), seeded())
    truth = enumerate_blocks(block(dfa), denoiser(denoiser.start([[1]]), canvas)[0, :, :4])
    assert best.ids.tolist() == truth.strings[truth.log_probs.argmax()].tolist()
    assert best.log_prob == pytest.approx(float(truth.log_probs.max()), abs=1e-5)


def test_the_steps_of_an_absorbing_chain_multiply_to_its_probability() -> None:
    """With logits that ignore the canvas, settling in any order draws from the one-step distribution."""
    dfa = verbatim(3)
    denoiser = Blind(denoiser_of("absorbing", dfa, 4, scale=1.0))
    truth = enumerate_blocks(block(dfa), denoiser(denoiser.start([[1]]), torch.zeros(1, 4).long())[0, :, :4])
    for seed in range(5):
        (row,) = decode(
            denoiser,
            [[1]],
            [dfa],
            max_tokens=4,
            generators=[seeded(seed)],
            options=DecodingOptions(steps=4, policy=TopK(1), temperature=1.0, finish=Finish.SAMPLE),
        )
        at = (truth.strings == row.ids).all(-1)
        assert row.log_prob == pytest.approx(float(truth.log_probs[at]), abs=1e-5)


class Blind(Spy):
    """A denoiser that sees only zeros."""

    def __call__(self, context: RandomContext, canvas: Tensor) -> Tensor:
        return super().__call__(context, torch.zeros_like(canvas))


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
def test_a_model_that_excludes_what_the_automaton_needs_is_overruled(name: str) -> None:
    class Excluding(Spy):
        def __call__(self, context: RandomContext, canvas: Tensor) -> Tensor:
            logits = super().__call__(context, canvas)
            logits[..., 1] = float("-inf")  # the end token
            return logits

    dfa = verbatim(5)
    (row,) = decode(
        Excluding(denoiser_of(name, dfa, 4)),
        [[1]],
        [dfa],
        max_tokens=8,
        generators=[seeded()],
        options=DecodingOptions(steps=3),
    )
    assert dfa.accepts(row.ids)


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
def test_overruling_one_row_leaves_what_the_model_excludes_in_another_excluded(name: str) -> None:
    class Excluding(Spy):
        def __call__(self, context: RandomContext, canvas: Tensor) -> Tensor:
            logits = super().__call__(context, canvas)
            for row, (prompt, *_) in zip(logits, context.tokens, strict=True):
                row[:, 1 if prompt == 0 else 3] = float("-inf")  # the end token, or one of two ways to go
            return logits

    dfa, events = verbatim(3), list[StepEvent]()
    decode(
        Excluding(denoiser_of(name, dfa, 4)),
        [[0], [9]],
        [dfa, dfa],
        max_tokens=4,
        generators=[seeded()] * 2,
        on_step=events.append,
        options=DecodingOptions(steps=3),
    )
    assert events[0].beliefs.free.tolist() == [[True, True, True, False], [False] * 4]


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
def test_a_scaffold_is_honoured_as_a_whole_or_dropped_and_reported(name: str) -> None:
    dfa = verbatim(3)

    def run(wish: list[int] | None, max_tokens: int = 4) -> Decoded:
        scaffold = [None if wish is None else torch.tensor(wish)]
        return decode(
            denoiser_of(name, dfa, 4),
            [[1]],
            [dfa],
            max_tokens=max_tokens,
            generators=[seeded()],
            scaffold=scaffold,
            options=DecodingOptions(steps=3),
        )[0]

    assert run(None).scaffold is None
    for wish in ([2, -1, 3, -1], [3, 3], [-1, -1, -1, 1]):
        row = run(wish)
        assert row.scaffold is True
        assert all(w in (-1, i) for w, i in zip(wish, row.ids.tolist(), strict=False))
    for wish in ([1, -1, -1, -1], [2, 2, 2, 2], [3, -1, -1, 99], [2, 2, 2, 1, 0]):
        row = run(wish)
        assert row.scaffold is False
        assert dfa.accepts(row.ids)


def test_a_watcher_sees_accepted_blocks_and_positions_that_stay() -> None:
    dfa, events = verbatim(7), []
    decode(
        denoiser_of("absorbing", dfa, 8),
        [[1]],
        [dfa],
        max_tokens=8,
        generators=[seeded()],
        on_step=events.append,
        options=DecodingOptions(steps=5),
    )
    assert [event.step for event in events] == list(range(len(events)))
    assert all(dfa.accepts(event.ids[0]) for event in events)
    for early, late in pairwise(events):
        assert (late.accepted | ~early.accepted).all()
        assert torch.equal(late.canvas[early.accepted], early.ids[early.accepted])
    assert events[-1].accepted.all()
    assert isinstance(events[0], StepEvent)


def test_a_certain_model_stops_early_and_an_uncertain_one_does_not() -> None:
    dfa = verbatim(7)

    def steps(scale: float, sure: float = 0.0) -> int:
        denoiser = Blind(denoiser_of("uniform", dfa, 8, scale=scale))
        return decode(
            denoiser,
            [[1]],
            [dfa],
            max_tokens=8,
            generators=[seeded()],
            options=DecodingOptions(steps=12, stop=StoppingRule(sure=sure)),
        )[0].steps

    assert steps(1000.0) == 2
    assert steps(1.0) == 12
    assert steps(1000.0, sure=0.01) == 1
    assert steps(1.0, sure=0.01) == 12


@pytest.mark.parametrize("blocks", [1, 2, 3])
def test_a_fully_forced_canvas_ends_in_two_steps_whatever_the_model_says(blocks: int) -> None:
    """The first step knows the only block, the second finds it unchanged."""
    dfa = verbatim(4 * blocks - 2)  # then the end token; the last position is padding
    only_2 = torch.tensor([1, 2, 3, 0], dtype=torch.int32)  # token 3 is refused
    forced = Dfa(Alphabet(only_2, 4), dfa.delta, dfa.accepting, dfa.start)
    denoiser = RandomDenoiser(Uniform(0, 4), 4, 5, seed=3, scale=3.0)
    (row,) = decode(
        denoiser,
        [[1]],
        [forced],
        max_tokens=4 * blocks,
        generators=[seeded()],
        options=DecodingOptions(steps=48),
    )
    assert row.ids.tolist() == [2] * (4 * blocks - 2) + [1, 0]
    assert (row.blocks, row.steps) == (blocks, 2 * blocks)


def test_automata_that_cannot_be_decoded_are_refused() -> None:
    dfa = verbatim(2)
    with pytest.raises(ValueError, match="2 automata for 1 prompts"):
        decode(
            denoiser_of("uniform", dfa, 4),
            [[]],
            [dfa, dfa],
            max_tokens=4,
            generators=[seeded()],
        )
    short = Dfa(dfa.alphabet, torch.where(dfa.delta == 4, 0, dfa.delta), dfa.accepting, 1)
    with pytest.raises(EmptyLattice, match="accepts nothing"):
        decode(
            denoiser_of("uniform", dfa, 4),
            [[]],
            [short],
            max_tokens=4,
            generators=[seeded()],
        )
    delta = dfa.delta.clone()
    delta[4, 1] = 0
    unpadded = Dfa(dfa.alphabet, delta, dfa.accepting, 1)
    with pytest.raises(ValueError, match="cannot be followed by padding"):
        decode(
            denoiser_of("uniform", dfa, 4),
            [[]],
            [unpadded],
            max_tokens=4,
            generators=[seeded()],
        )


def test_the_schedule_falls_linearly_from_its_start() -> None:
    heat = [Schedule(0.8, 0.4).at(step, 4) for step in range(4)]
    assert heat == pytest.approx([0.8, 0.7, 0.6, 0.5])


@pytest.mark.parametrize("steps", [1, 3, 4])
def test_a_pace_keeps_at_least_its_share_of_the_free_positions(steps: int) -> None:
    dfa, seen = verbatim(6), []
    decode(
        denoiser_of("uniform", dfa, 12),
        [[0]],
        [dfa],
        max_tokens=12,
        generators=[seeded()],
        on_step=seen.append,
        options=DecodingOptions(
            steps=steps, pace=Schedule(0.0, 1.0), policy=EntropyBound(0.0), stop=StoppingRule(entropy=0.0)
        ),
    )
    assert len(seen) == steps
    for step, event in enumerate(seen):
        free = event.beliefs.free
        assert (event.accepted & free).sum() >= free.sum() * (step + 1) / steps


@dataclass
class Told:
    """A random denoiser that notes the beliefs it is told."""

    inner: RandomDenoiser
    heard: list[Tensor] = field(default_factory=list)
    self_conditioning = True

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def __call__(self, context: RandomContext, canvas: Tensor, beliefs: Tensor) -> Tensor:
        self.heard.append(beliefs.clone())
        return self.inner(context, canvas)


def test_a_self_conditioned_denoiser_is_told_what_is_forced_and_then_the_marginals() -> None:
    dfa = verbatim(2)
    denoiser = Told(RandomDenoiser(Uniform(0, 4), 6, 4, seed=3))
    decode(
        denoiser,
        [[]],
        [dfa],
        max_tokens=6,
        generators=[seeded()],
        options=DecodingOptions(steps=3, stop=StoppingRule(0.0, 9)),
    )
    first, *later = [beliefs.exp() for beliefs in denoiser.heard]
    assert first[0, 2:].argmax(-1).tolist() == [1, 0, 0, 0]
    torch.testing.assert_close(first[0, :2], torch.full((2, 4), 0.25))
    assert len(later) == 2
    for beliefs in later:
        torch.testing.assert_close(beliefs.sum(-1), torch.ones(1, 6))
        assert not beliefs[0, :2, :2].any()  # what the automaton refuses
        assert (beliefs[0, :2, 2:] > 0).all()


def task(
    name: str, dfa: Dfa, seed: int, *, budget: int = 12, scaffold: Tensor | None = None, steps: int = 4
) -> Task:
    options = DecodingOptions(steps=steps, temperature=1.0, finish=Finish.SAMPLE, policy=EntropyBound(0.3))
    return Task([seed, 7], dfa, seeded(seed), budget, options, scaffold=scaffold)


def same(one: Decoded, other: Decoded) -> bool:
    facts = [(row.ids.tolist(), row.log_prob, row.steps, row.blocks, row.scaffold) for row in (one, other)]
    return facts[0] == facts[1]


def company(name: str, dfas: Sequence[Dfa], joins: Sequence[int], **options: bool) -> None:
    """Rows that join before the given steps come out as they do alone."""
    inner = denoiser_of(name, dfas[0], 4)
    denoiser = Hinted(inner, **options) if options else inner

    def tasks() -> list[Task]:
        wish = torch.tensor([2, -1])
        return [
            task(name, dfa, seed, budget=9 + seed, scaffold=wish if seed % 2 else None, steps=3 + seed % 2)
            for seed, dfa in enumerate(dfas)
        ]

    alone = [_ended(denoiser, one)[0] for one in tasks()]
    loop, together, waiting, step = (
        Loop(denoiser),
        dict[int, Decoded](),
        list(zip(joins, tasks(), strict=True)),
        0,
    )
    while loop.busy or waiting:
        ready = [one for join, one in waiting if join <= step]
        loop.start(ready)
        waiting, step = waiting[len(ready) :], step + 1
        together |= loop.step()
    assert all(same(row, together[number]) for number, row in enumerate(alone))


def _ended(denoiser: Denoiser, *tasks: Task) -> dict[int, Decoded]:
    loop, finished = Loop(denoiser), dict[int, Decoded]()
    loop.start(tasks)
    while loop.busy:
        finished |= loop.step()
    return finished


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
@given(
    lengths=st.lists(st.integers(1, 7), min_size=2, max_size=4),
    waits=st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
@settings(max_examples=25)
def test_a_row_in_company_that_joins_late_equals_the_row_decoded_alone(
    name: str, lengths: list[int], waits: list[int]
) -> None:
    joins = [sum(waits[: k + 1]) for k in range(len(lengths))]
    company(name, [verbatim(length) for length in lengths], joins)


@pytest.mark.parametrize("unconditioned", [False, True])
def test_rows_that_hear_beliefs_equal_themselves_in_company_too(unconditioned: bool) -> None:
    dfas = [verbatim(length) for length in (6, 2, 7, 3)]
    company("uniform", dfas, [0, 1, 1, 4], self_conditioning=True, unconditioned_start=unconditioned)


@dataclass(frozen=True)
class Hinted:
    """A random denoiser whose logits depend on the beliefs that it hears."""

    inner: RandomDenoiser
    self_conditioning: bool
    unconditioned_start: bool

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def __call__(self, context: RandomContext, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
        logits = self.inner(context, canvas)
        return logits if beliefs is None else logits + beliefs.exp() * 2


@pytest.mark.parametrize("name", ["absorbing", "uniform"])
def test_a_row_that_is_cancelled_leaves_and_the_others_are_as_they_were(name: str) -> None:
    dfas = [verbatim(7), verbatim(6)]
    denoiser, (one,) = denoiser_of(name, dfas[0], 4), [task(name, dfas[1], 1)]
    loop, finished = Loop(denoiser), dict[int, Decoded]()
    loop.start([task(name, dfas[0], 0), task(name, dfas[1], 1)])
    finished |= loop.step()
    loop.cancel(0)
    while loop.busy:
        finished |= loop.step()
    assert list(finished) == [1]
    assert same(finished[1], _ended(denoiser, one)[0])


def test_none_of_several_rows_joins_where_one_cannot_be_decoded() -> None:
    dfa = verbatim(6)
    loop = Loop(denoiser_of("uniform", dfa, 4))
    with pytest.raises(BudgetTooSmall, match="row 1"):
        loop.start([task("uniform", dfa, 0), task("uniform", dfa, 1, budget=3)])
    assert not loop.busy
    assert loop.step() == {}
