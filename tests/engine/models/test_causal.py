"""A causal model as a denoiser: its logits are those of one plain forward, and decoding is greedy, token by token."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import BPE
from torch import Tensor

from strategies import cases, padded_dfas
from structgen_engine.automata.dfa import BlockAutomaton, Dfa, block
from structgen_engine.decoding.denoiser import RandomContext, RandomDenoiser
from structgen_engine.decoding.jacobi import JacobiNoise, greedy, gumbel
from structgen_engine.decoding.loop import StepEvent, decode
from structgen_engine.decoding.options import DecodingOptions
from structgen_engine.decoding.row import Decoded
from structgen_engine.decoding.sampling import Stability
from structgen_engine.models.causal import CausalContext, CausalDenoiser

IMPOSSIBLE = float("-inf")
VOCABULARY = 12
DRAWS = 4000
PROMPTS = [[5, 3, 8, 1, 1, 9], [7], [2, 10, 4]]


@pytest.fixture(scope="module")
def llama() -> Any:
    """A Llama of random weights."""
    transformers = pytest.importorskip("transformers", reason="needs the extra structgen-dlm[transformers]")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    return transformers.LlamaForCausalLM(config).eval()


@pytest.fixture(scope="module")
def denoiser(llama: Any) -> CausalDenoiser:
    return CausalDenoiser(llama, block_length=5)


def canvases(rows: int, length: int = 5) -> Tensor:
    return torch.randint(0, VOCABULARY, (rows, length), generator=torch.Generator().manual_seed(rows))


def near(x: Tensor, y: Tensor) -> bool:
    return x.shape == y.shape and torch.allclose(x, y, atol=1e-4)


def plain(llama: Any, prompt: list[int], canvas: Tensor) -> Tensor:
    """Logits [N, V] of each canvas position by one forward over prompt and canvas."""
    ids = torch.tensor([[*prompt, *canvas.tolist()]])
    with torch.inference_mode():
        return llama(input_ids=ids).logits[0, len(prompt) - 1 : -1]


@dataclass(frozen=True)
class RandomCausal(RandomDenoiser):
    """Normal logits that depend on the tokens before each position alone."""

    def __call__(self, context: RandomContext, canvas: Tensor) -> Tensor:
        rows = zip(context.tokens, canvas.tolist(), strict=True)
        return torch.stack([self._after(before, row) for before, row in rows])

    def _after(self, before: tuple[int, ...], row: list[int]) -> Tensor:
        return torch.stack([self._row((*before, *row[:i]), 1)[0] for i in range(len(row))])


def token_by_token(denoiser: RandomCausal, prompt: list[int], dfa: Dfa, max_tokens: int) -> list[int]:
    """Greedy decoding under the constraint: the likeliest token after which the rest of the budget suffices."""
    ids: list[int] = []
    state = dfa.start
    for left in reversed(range(max_tokens)):
        scores = denoiser._row((*prompt, *ids), 1)[0]
        after = dfa.delta[state, dfa.alphabet.class_of.long()]
        fits = dfa.distance[after.long()] <= left
        ids.append(int(scores[: len(after)].masked_fill(~fits, IMPOSSIBLE).argmax()))
        state = dfa.run(ids[-1:], state)
    return ids


def settle(
    denoiser: Any,
    dfas: list[Dfa],
    prompts: list[list[int]],
    max_tokens: int,
    *,
    steps: int = 16,
    on_step: Callable[[StepEvent], None] | None = None,
) -> list[Decoded]:
    generator = torch.Generator().manual_seed(3)
    return decode(
        denoiser,
        prompts,
        dfas,
        max_tokens=max_tokens,
        generators=[generator] * len(prompts),
        options=DecodingOptions(steps=steps),
        on_step=on_step,
    )


class TestGreedy:
    """Reading a block from left to right."""

    @given(row=cases())
    def test_each_token_is_the_likeliest_that_can_be_completed(self, row: Any) -> None:
        blocks = accepted(row.automaton, row.settled)
        assume(int((row.automaton.entry > IMPOSSIBLE).sum()) == 1 and blocks)
        ids = greedy([row.automaton], row.logits[None], row.settled[None]).ids[0].tolist()
        for i, token in enumerate(ids):
            could_follow = {known[i] for known in blocks if known[:i] == ids[:i]}
            assert token in could_follow
            best = max(float(row.logits[i, other]) for other in could_follow)
            assert float(row.logits[i, token]) == pytest.approx(best, abs=1e-30)

    @settings(max_examples=25)
    @given(dfa=padded_dfas(), seed=st.integers(0, 99), blocks=st.integers(1, 3))
    def test_the_fixed_point_is_greedy_decoding_token_by_token(
        self, dfa: Dfa, seed: int, blocks: int
    ) -> None:
        size = len(dfa.alphabet.class_of)
        denoiser = RandomCausal(JacobiNoise(0, size), 4, size, seed)
        budget = max(4 * blocks - 1, int(dfa.distance[dfa.start]))
        done = settle(denoiser, [dfa], [[1]], budget, steps=4)[0]
        assert done.ids.tolist() == token_by_token(denoiser, [1], dfa, budget)[: len(done.ids)]
        assert dfa.accepts(done.ids)
        assert done.log_prob <= 0

    @settings(max_examples=25)
    @given(dfa=padded_dfas(), seed=st.integers(0, 99))
    def test_each_step_makes_one_more_token_right(self, dfa: Dfa, seed: int) -> None:
        size, budget = len(dfa.alphabet.class_of), max(6, int(dfa.distance[dfa.start]))
        denoiser, events = RandomCausal(JacobiNoise(0, size), budget, size, seed), list[StepEvent]()
        settle(denoiser, [dfa], [[1]], budget, steps=budget, on_step=events.append)
        right = token_by_token(denoiser, [1], dfa, budget)
        for event in events:
            assert event.ids[0, : event.step + 1].tolist() == right[: event.step + 1]
            assert dfa.accepts(event.ids[0])


def accepted(automaton: BlockAutomaton, settled: Tensor) -> list[list[int]]:
    """All blocks that the automaton and the settled positions admit, whatever their weight."""
    size, length = len(automaton.dfa.alphabet.class_of), len(settled)
    state = int(automaton.entry.argmax())
    blocks = [list(ids) for ids in itertools.product(range(size), repeat=length)]
    agree = [
        ids
        for ids in blocks
        if all(pin in (-1, token) for pin, token in zip(settled.tolist(), ids, strict=True))
    ]
    return [ids for ids in agree if automaton.exit[automaton.dfa.run(ids, state)] > IMPOSSIBLE]


class TestModel:
    """A transformers model behind the Denoiser protocol."""

    def test_logits_are_those_of_one_forward_over_prompt_and_canvas(
        self, llama: Any, denoiser: CausalDenoiser
    ) -> None:
        canvas = canvases(1)
        logits = denoiser(denoiser.start(PROMPTS[:1]), canvas)
        assert near(logits[0], plain(llama, PROMPTS[0], canvas[0]))

    def test_rows_of_different_lengths_are_as_each_alone(self, llama: Any, denoiser: CausalDenoiser) -> None:
        canvas = canvases(len(PROMPTS))
        logits = denoiser(denoiser.start(PROMPTS), canvas)
        for b, prompt in enumerate(PROMPTS):
            assert near(logits[b], plain(llama, prompt, canvas[b]))

    def test_a_pass_leaves_the_context_as_it_was(self, denoiser: CausalDenoiser) -> None:
        context, canvas = denoiser.start(PROMPTS), canvases(len(PROMPTS))
        before = keys(context)
        first = denoiser(context, canvas)
        denoiser(context, canvas.flip(1))
        denoiser.extend(context, canvas)
        assert all(torch.equal(x, y) for x, y in zip(before, keys(context), strict=True))
        assert torch.equal(denoiser(context, canvas), first)

    def test_extending_equals_reading_anew(self, denoiser: CausalDenoiser) -> None:
        canvas, committed = canvases(len(PROMPTS)), canvases(len(PROMPTS), 8)
        context = denoiser.extend(denoiser.start(PROMPTS), committed[:, :5])
        context = denoiser.extend(context, committed[:, 5:])
        whole = denoiser.start([[*p, *c] for p, c in zip(PROMPTS, committed.tolist(), strict=True)])
        assert near(denoiser(context, canvas), denoiser(whole, canvas))

    def test_selected_rows_read_on_alone(self, denoiser: CausalDenoiser) -> None:
        context, canvas = denoiser.start(PROMPTS), canvases(len(PROMPTS))
        whole = denoiser(context, canvas)
        for order in ([2, 0], [0, 0, 1]):
            rows = torch.tensor(order)
            assert near(denoiser(context.select(rows), canvas[rows]), whole[rows])
        assert near(denoiser(context, canvas), whole)

    def test_a_canvas_of_one_token_needs_no_pass(self, llama: Any, denoiser: CausalDenoiser) -> None:
        logits = denoiser(denoiser.start([[4, 2]]), torch.tensor([[0]]))
        assert near(logits[0], plain(llama, [4, 2], torch.tensor([0])))

    def test_an_empty_prompt_is_refused(self, denoiser: CausalDenoiser) -> None:
        with pytest.raises(ValueError, match="at least one token"):
            denoiser.start([[1], []])

    def test_decoding_equals_greedy_token_by_token(self, llama: Any, denoiser: CausalDenoiser) -> None:
        dfa = pairs()
        outputs = settle(denoiser, [dfa] * len(PROMPTS), PROMPTS, 15)
        for prompt, done in zip(PROMPTS, outputs, strict=True):
            assert dfa.accepts(done.ids)
            ids: list[int] = []
            state = dfa.start
            for left in reversed(range(len(done.ids))):
                scores = plain(llama, [*prompt, *ids], torch.tensor([0]))[0]
                after = dfa.delta[state, dfa.alphabet.class_of.long()]
                fits = dfa.distance[after.long()] <= left + 15 - len(done.ids)
                ids.append(int(scores.masked_fill(~fits, IMPOSSIBLE).argmax()))
                state = dfa.run(ids[-1:], state)
            assert done.ids.tolist() == ids
            assert done.steps <= 5 * done.blocks

    def test_a_folder_of_weights_brings_its_tokenizer_and_chat_template(
        self, llama: Any, tmp_path: Path
    ) -> None:
        transformers = pytest.importorskip("transformers")
        pieces = {piece: index for index, piece in enumerate(["<s>", *"abcdefghijk"])}
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=Tokenizer(BPE(pieces, [])))
        tokenizer.chat_template = "{% for m in messages %}<s>{{ m['content'] }}{% endfor %}"
        llama.save_pretrained(tmp_path)
        tokenizer.save_pretrained(tmp_path)
        read, file, template = CausalDenoiser.from_pretrained(tmp_path, tmp_path / "unused", device="cpu")
        assert (file, template, read.prompt_limit) == (tmp_path / "tokenizer.json", "<s>{}", 48)
        canvas = canvases(1)
        assert near(read(read.start(PROMPTS[:1]), canvas)[0], plain(llama, PROMPTS[0], canvas[0]))


def keys(context: CausalContext) -> list[Tensor]:
    return [tensor.clone() for layer in context.cache.layers for tensor in (layer.keys, layer.values)]


def pairs() -> Dfa:
    """Any number of pairs of an odd and an even token, then token 0, then 0 for ever."""
    from structgen_engine.automata.dfa import Alphabet

    label = torch.tensor([1, *(2 + v % 2 for v in range(1, VOCABULARY))], dtype=torch.int32)
    delta = torch.tensor([[0, 0, 0, 0], [0, 3, 0, 2], [0, 0, 1, 0], [0, 3, 0, 0]], dtype=torch.int32)
    return Dfa(Alphabet(label, 4), delta, torch.tensor([False, False, False, True]), 1)


def test_a_missing_package_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'transformers>=5.17' accelerate"):
        CausalDenoiser.from_pretrained(tmp_path, tmp_path / "tokenizer")


def test_blocks_of_a_dfa_close_within_the_budget() -> None:
    """The reading honours exits: with nothing left after the block only finished blocks are read."""
    automaton = block(pairs(), remaining=0)
    logits = torch.zeros(1, 4, VOCABULARY)
    logits[..., 1] = logits[..., 2] = 5.0
    reading = greedy([automaton], logits, torch.full((1, 4), -1))
    assert reading.ids.tolist() == [[1, 2, 0, 0]]


def test_a_draw_is_distributed_as_text_written_token_by_token() -> None:
    """Pairs of an odd and an even token: the second is drawn among those that fit the first, by their own scores."""
    automaton, settled = block(pairs(), remaining=0), torch.full((1, 4), -1)
    logits = torch.randn(1, 4, VOCABULARY, generator=torch.Generator().manual_seed(2))
    counted: Counter[tuple[int, ...]] = Counter()
    for seed in range(DRAWS):
        noise = gumbel(seeded(logits, seed))
        counted[tuple(greedy([automaton], logits, settled, noise).ids[0, :2].tolist())] += 1
    even = logits[0, 1, 2::2].softmax(0)
    first = torch.cat([logits[0, 0, :1], logits[0, 0, 1::2]]).softmax(0)  # token 0 ends the text
    for (one, other), wanted in {
        (1, 2): first[1] * even[0],
        (5, 8): first[3] * even[3],
        (0, 0): first[0],
    }.items():
        assert counted[one, other] / DRAWS == pytest.approx(float(wanted), abs=4 * (0.25 / DRAWS) ** 0.5)


def test_the_noise_of_a_draw_is_the_same_in_all_steps_of_a_block() -> None:
    view = seeded(torch.zeros(1, 4, VOCABULARY), 3)
    assert torch.equal(gumbel(view)[0], gumbel(view)[0])
    assert not torch.equal(gumbel(view)[0], gumbel(seeded(view.logits, 4))[0])


def seeded(logits: Tensor, seed: int) -> Any:
    """What the noise of a row is drawn from."""
    return SimpleNamespace(
        logits=logits, generators=[torch.Generator().manual_seed(seed)], stability=[Stability()]
    )
