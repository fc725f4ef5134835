"""DiffusionGemma as a denoiser: its logits are the library's, and what is decoded with it is always accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

import structgen as sg
from structgen_engine.decoding.loop import decode
from structgen_engine.decoding.options import DecodingOptions, Finish, Schedule
from structgen_engine.decoding.policy import EntropyBound
from structgen_engine.models.diffusion_gemma import (
    DiffusionGemmaDenoiser,
    NotLoadable,
    Sampling,
    check_quantization,
)
from tiny_gemma import CANVAS, HEAD, gemma4_tokenizer, small_tokenizer, tiny_model

PROMPTS = [[2, 7, 30, 41, 52, 60], [2, 7, 90]]
SOURCES = [
    sg.Regex(r"[a-z]{3,40}-(yes|no)"),
    ["red", "green", "a much longer answer that needs a second canvas"],
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 12},
            "age": {"type": "integer", "maximum": 150},
        },
        "required": ["name", "age"],
        "additionalProperties": False,
    },
]


@pytest.fixture(scope="module")
def denoiser() -> DiffusionGemmaDenoiser:
    return DiffusionGemmaDenoiser(tiny_model())


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> sg.Vocabulary:
    file = small_tokenizer(tmp_path_factory.mktemp("small") / "tokenizer.json")
    return sg.Vocabulary.from_file(file).narrowed(HEAD)


def canvases(rows: int) -> Tensor:
    return torch.randint(0, HEAD, (rows, CANVAS), generator=torch.Generator().manual_seed(rows))


def near(x: Tensor, y: Tensor) -> bool:
    return x.shape == y.shape and torch.allclose(x, y, atol=1e-3)


def forward(denoiser: DiffusionGemmaDenoiser, prompt: list[int], canvas: Tensor, **more: Any) -> Tensor:
    """Logits [N, V] of one canvas by one call of the library's model."""
    with torch.inference_mode():
        output = denoiser.model(input_ids=torch.tensor([prompt]), decoder_input_ids=canvas[None], **more)
    return output.logits[0]


class TestLogits:
    """What the denoiser says is what the library's model says."""

    def test_of_a_prompt(self, denoiser: DiffusionGemmaDenoiser) -> None:
        canvas = canvases(1)
        assert near(
            denoiser(denoiser.start(PROMPTS[:1]), canvas)[0], forward(denoiser, PROMPTS[0], canvas[0])
        )

    def test_of_a_shorter_prompt_beside_a_longer_one(self, denoiser: DiffusionGemmaDenoiser) -> None:
        canvas = canvases(2)
        both = denoiser(denoiser.start(PROMPTS), canvas)
        assert not both.isnan().any()
        for row, prompt in enumerate(PROMPTS):
            assert near(both[row], forward(denoiser, prompt, canvas[row]))

    def test_after_committed_canvases(self, denoiser: DiffusionGemmaDenoiser) -> None:
        """Three canvases: more than the sliding window of the first layer."""
        canvas, context, read = canvases(1), denoiser.start(PROMPTS[:1]), list(PROMPTS[0])
        for seed in range(3):
            block = canvases(seed + 2)[:1]
            context, read = denoiser.extend(context, block), read + block[0].tolist()
        assert near(denoiser(context, canvas)[0], forward(denoiser, read, canvas[0]))

    def test_with_beliefs(self, denoiser: DiffusionGemmaDenoiser) -> None:
        canvas, beliefs = canvases(1), torch.rand(1, CANVAS, HEAD).pow(8)
        beliefs[..., ::2] = 0  # what a constraint refuses
        beliefs /= beliefs.sum(-1, keepdim=True)
        told = denoiser(denoiser.start(PROMPTS[:1]), canvas, beliefs.log())[0]
        assert near(told, forward(denoiser, PROMPTS[0], canvas[0], self_conditioning_logits=beliefs.log()))
        assert not near(told, forward(denoiser, PROMPTS[0], canvas[0]))

    def test_of_selected_rows(self, denoiser: DiffusionGemmaDenoiser) -> None:
        canvas, context = canvases(2), denoiser.start(PROMPTS)
        whole = denoiser(context, canvas)
        for order in ([1, 0], [1, 1, 0]):
            rows = torch.tensor(order)
            assert near(denoiser(context.select(rows), canvas[rows]), whole[rows])


def test_a_context_is_never_written_to(denoiser: DiffusionGemmaDenoiser) -> None:
    canvas, context = canvases(2), denoiser.start(PROMPTS)
    before = denoiser(context, canvas)
    denoiser.extend(context, canvas)
    denoiser.extend(context.select(torch.tensor([1])), canvas[:1])
    assert torch.equal(denoiser(context, canvas), before)


def test_a_prompt_of_no_tokens_is_refused(denoiser: DiffusionGemmaDenoiser) -> None:
    with pytest.raises(ValueError, match="at least one token"):
        denoiser.start([[]])


class TestDecoding:
    """The loop of structgen with this model."""

    @pytest.mark.parametrize("finish", list(Finish))
    @pytest.mark.parametrize("thinking", [False, True])
    def test_every_output_is_accepted_over_one_to_three_canvases(
        self, denoiser: DiffusionGemmaDenoiser, vocabulary: sg.Vocabulary, finish: Finish, thinking: bool
    ) -> None:
        prefaced = vocabulary.prefaced(thinking=thinking)
        constraints = [sg.compile(source, prefaced) for source in (*SOURCES, SOURCES[0])]
        prompts = [*PROMPTS, PROMPTS[0] * 2, PROMPTS[1]]
        for canvases in (2, 3):
            done = decode(
                denoiser,
                prompts,
                [constraint.dfa for constraint in constraints],
                max_tokens=canvases * CANVAS,
                generators=[torch.Generator().manual_seed(canvases)] * len(prompts),
                options=DecodingOptions(steps=3, finish=finish),
            )
            for written, constraint in zip(done, constraints, strict=True):
                assert constraint.accepts_ids(written.ids.tolist())
                text = prefaced.decode(written.ids.tolist()).decode()
                assert constraint.accepts(text)
                assert written.blocks <= canvases

    def test_the_first_step_of_a_canvas_is_unconditioned_and_the_others_know_the_marginals(
        self, denoiser: DiffusionGemmaDenoiser, vocabulary: sg.Vocabulary
    ) -> None:
        told: list[Tensor | None] = []
        steps: list[int] = []

        class Watched(DiffusionGemmaDenoiser):
            def __call__(self, context: Any, canvas: Tensor, beliefs: Tensor | None = None) -> Tensor:
                told.append(None if beliefs is None else beliefs.exp())
                return super().__call__(context, canvas, beliefs)

        constraint = sg.compile(sg.Regex("[a-z]{40}"), vocabulary)
        decode(
            Watched(denoiser.model),
            PROMPTS[:1],
            [constraint.dfa],
            max_tokens=2 * CANVAS,
            generators=[torch.Generator().manual_seed(0)] * len(PROMPTS[:1]),
            on_step=lambda event: steps.append(event.step),
            options=DecodingOptions(steps=3),
        )
        assert [beliefs is None for beliefs in told] == [step == 0 for step in steps]
        assert steps[:4] == [0, 1, 2, 0]
        letters = [vocabulary.encode(letter)[0] for letter in "Q7 "]
        for beliefs in told:
            if beliefs is not None:
                assert torch.allclose(beliefs.sum(-1), torch.ones(1, CANVAS), atol=1e-4)
                assert not beliefs[..., letters].any()

    def test_a_row_that_is_certain_ends_before_its_neighbour(
        self, denoiser: DiffusionGemmaDenoiser, vocabulary: sg.Vocabulary
    ) -> None:
        forced, free = sg.compile(["no"], vocabulary), sg.compile(SOURCES[0], vocabulary)
        done = decode(
            denoiser,
            PROMPTS,
            [forced.dfa, free.dfa],
            max_tokens=2 * CANVAS,
            generators=[torch.Generator().manual_seed(0)] * len(PROMPTS),
            options=DecodingOptions(steps=6),
        )
        assert forced.accepts_ids(done[0].ids.tolist())
        assert free.accepts_ids(done[1].ids.tolist())
        assert done[0].steps < done[1].steps


def test_the_real_vocabulary(tokenizer_file: Callable[[str], Path], tmp_path: Path) -> None:
    """Gemma 4's names on Gemma 3's pieces; the tokenizer has one id more than the head."""
    model = tiny_model(vocabulary=262_144, canvas=40, hidden=16)
    vocabulary = sg.Vocabulary.from_file(gemma4_tokenizer(tokenizer_file("gemma3"), tmp_path / "gemma4.json"))
    assert vocabulary.size == 262_145
    prefaced = vocabulary.narrowed(262_144).prefaced()
    constraint = sg.compile(SOURCES[2], prefaced)
    from structgen.generation.options import Options
    from structgen.generation.prompts import ChatPrompts
    from structgen.generation.runtime import Runtime
    from structgen.generation.writer import request, write

    prompts = ChatPrompts("<bos><|turn>user\n{}<turn|>\n<|turn>model\n")
    runtime = Runtime("tiny", DiffusionGemmaDenoiser(model), prefaced, prompts)
    asked = request(runtime, prompts.plain("Who?"), constraint, Options(max_tokens=80, steps=2))
    written = write(runtime, asked)
    ids = written.ids.tolist()
    assert constraint.accepts_ids(ids)
    assert ids[:4] == [100, 45518, 107, 101]
    assert ids[ids.index(106) :] == [106, *[0] * (len(ids) - ids.index(106) - 1)]
    assert constraint.parse(prefaced.decode(ids).decode()).keys() == {"name", "age"}


class TestCheckpoint:
    """What is read of a checkpoint's configuration."""

    def test_what_generation_config_recommends(self) -> None:
        model = tiny_model()
        assert DiffusionGemmaDenoiser(model).sampling == Sampling()
        config = model.generation_config
        config.t_max, config.t_min, config.max_denoising_steps = 0.7, 0.2, 12
        config.sampler_config = SimpleNamespace(entropy_bound=0.3)
        expected = Sampling(12, Schedule(0.7, 0.2), EntropyBound(0.3))
        assert DiffusionGemmaDenoiser(model).sampling == expected

    @pytest.mark.parametrize("form", [dict, lambda **fields: SimpleNamespace(**fields)])
    def test_a_quantisation_that_nobody_here_reads_is_refused(self, form: Callable[..., Any]) -> None:
        transformers = pytest.importorskip(
            "transformers", reason="needs the extra structgen-dlm[transformers]"
        )
        packed = SimpleNamespace(quantization_config=form(quant_method="modelopt"))
        with pytest.raises(NotLoadable, match="quantised with 'modelopt'"):
            check_quantization(transformers, packed)
        for method in ("fp8", "compressed-tensors", "bitsandbytes"):
            check_quantization(transformers, SimpleNamespace(quantization_config=form(quant_method=method)))
        check_quantization(transformers, SimpleNamespace())
