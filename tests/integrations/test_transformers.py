"""transformers' own `generate` with constraints: what it commits is accepted, what is unconstrained is as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import structgen as sg
from structgen.integrations.transformers import constrain, jointly, read, vocabulary_of
from structgen_engine.decoding.options import Finish
from tiny_gemma import CANVAS, HEAD, SPECIAL, needs_transformers

PROMPT = torch.randint(len(SPECIAL), HEAD, (4, 7), generator=torch.Generator().manual_seed(0))
Constraints = list[sg.Constraint[Any]]


def generate(model: Any, rows: int, *, seed: int = 1, **arguments: Any) -> Tensor:
    """New tokens [rows, T] of the stock library."""
    torch.manual_seed(seed)
    return model.generate(PROMPT[:rows], **arguments).sequences[:, PROMPT.shape[1] :]


@pytest.mark.parametrize("finish", list(Finish))
@pytest.mark.parametrize("canvases", [2, 3])
@pytest.mark.parametrize("rows", [1, 4])
def test_every_constrained_row_is_accepted(
    model: Any, constraints: Constraints, finish: Finish, canvases: int, rows: int
) -> None:
    mixed = [*constraints, None][-rows:] if rows > 1 else constraints[:1]
    arguments = constrain(model, mixed, max_new_tokens=canvases * CANVAS, finish=finish, seed=canvases)
    ids = generate(model, rows, seed=canvases, **arguments)
    for row, constraint in zip(ids, mixed, strict=True):
        if constraint is not None:
            assert constraint.accepts_ids(row.tolist())
            assert constraint.accepts(constraint.vocabulary.decode(row.tolist()))
            read(constraint, row)


def test_unconstrained_rows_are_bit_identical_to_the_stock_librarys(
    model: Any, constraints: Constraints
) -> None:
    stock = generate(model, 4, max_new_tokens=2 * CANVAS)
    for mixed in ([None] * 4, [constraints[0], None, constraints[2], None], [None, *constraints]):
        ids = generate(model, 4, **constrain(model, mixed, max_new_tokens=2 * CANVAS))
        free = [row for row, constraint in enumerate(mixed) if constraint is None]
        assert torch.equal(ids[free], stock[free])


def test_a_canvas_that_stops_early_is_committed_all_the_same(model: Any, constraints: Constraints) -> None:
    """Every step is stable and confident enough, so the first one is the last."""
    calls: list[int] = []

    class Count:
        def __call__(self, input_ids: Tensor, scores: Tensor, cur_step: Any) -> Tensor:
            calls.append(int(cur_step))
            return scores

    arguments = constrain(model, constraints, max_new_tokens=3 * CANVAS, logits_processor=[Count()])
    ids = generate(model, 3, stability_threshold=0, confidence_threshold=1e6, **arguments)
    assert set(calls) == {4}
    assert all(c.accepts_ids(row.tolist()) for c, row in zip(constraints, ids, strict=True))


def test_the_marginals_are_those_at_the_temperature_of_the_step(model: Any, checkpoint: Path) -> None:
    """Two answers of two tokens: their odds are what the host's temperature makes of their scores."""
    vocabulary = sg.Vocabulary.from_file(checkpoint / "tokenizer.json").narrowed(HEAD)
    hook = constrain(model, [sg.compile(["ab", "cd"], vocabulary)], max_new_tokens=CANVAS)["logits_processor"]
    generation = needs_transformers().models.diffusion_gemma.generation_diffusion_gemma
    hook.append(
        generation.LinearTemperatureScheduleLogitsProcessor(t_min=0.4, t_max=0.8, max_denoising_steps=4)
    )
    scores = torch.randn(1, CANVAS, HEAD, generator=torch.Generator().manual_seed(0))
    (a, b), (c, d) = vocabulary.encode("ab"), vocabulary.encode("cd")
    for step, temperature in ((4, 0.8), (1, 0.5)):
        table = hook(PROMPT[:1], scores, cur_step=torch.tensor(step)).softmax(-1)[0]
        margin = scores[0, 0, a] + scores[0, 1, b] - scores[0, 0, c] - scores[0, 1, d]
        assert float((table[0, a] / table[0, c]).log()) == pytest.approx(
            float(margin) / temperature, abs=1e-4
        )
        assert float(table[0, [a, c]].sum()) == pytest.approx(1)


def test_the_hosts_own_processors_come_first(model: Any, vocabulary: sg.Vocabulary) -> None:
    """Even one that forbids everything: then the constraint decides alone."""
    constraint = sg.compile(["red", "green"], vocabulary)
    never = vocabulary.encode("g")[0]

    def no_g(input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.index_fill(-1, torch.tensor([never]), float("-inf"))

    def nothing(input_ids: Tensor, scores: Tensor) -> Tensor:
        return torch.full_like(scores, float("-inf"))

    for seed in range(3):
        arguments = constrain(model, [constraint], max_new_tokens=CANVAS, logits_processor=[no_g])
        assert read(constraint, generate(model, 1, seed=seed, **arguments)[0]) == "red"
    arguments = constrain(model, [constraint], max_new_tokens=CANVAS, logits_processor=[nothing])
    assert read(constraint, generate(model, 1, **arguments)[0]) in ("red", "green")


def test_a_max_length_of_the_configuration_does_not_cut_the_budget(
    model: Any, constraints: Constraints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """transformers lets it override a max_new_tokens of 256, which is the default."""
    monkeypatch.setattr(model.generation_config, "max_length", CANVAS)
    ids = generate(model, 1, **constrain(model, constraints[:1]))
    assert constraints[0].accepts_ids(ids[0].tolist())


def test_a_static_cache_changes_nothing(model: Any, constraints: Constraints) -> None:
    def hooks() -> dict[str, Any]:
        return constrain(model, constraints, max_new_tokens=2 * CANVAS)

    dynamic = generate(model, 3, **hooks())
    static = generate(model, 3, cache_implementation="static", disable_compile=True, **hooks())
    assert all(c.accepts_ids(row.tolist()) for c, row in zip(constraints, static, strict=True))
    assert torch.equal(dynamic, static)


def test_thoughts_may_precede_an_answer(model: Any, tokenizer: Any) -> None:
    constraint = sg.compile(sg.Regex("(yes|no)"), vocabulary_of(model, tokenizer, thinking=True))
    ids = generate(model, 1, **constrain(model, [constraint], max_new_tokens=2 * CANVAS))[0].tolist()
    assert constraint.accepts_ids(ids)
    assert read(constraint, ids) in ("yes", "no")
    assert len(constraint.vocabulary.spelling(ids[3])) > 0  # something was thought


def test_a_budget_that_cannot_hold_an_answer_is_refused_before_generation(
    model: Any, vocabulary: sg.Vocabulary
) -> None:
    constraint = sg.compile(sg.Regex("x{90}"), vocabulary)
    with pytest.raises(
        sg.Unsatisfiable, match=r"row 1: the budget of 64 tokens .* takes \d+ tokens"
    ) as refusal:
        constrain(model, [None, constraint], max_new_tokens=40)
    assert refusal.value.min_tokens == constraint.min_tokens
    constrain(model, [None, constraint], max_new_tokens=constraint.min_tokens)


def test_an_answer_that_the_host_would_cut_is_refused(
    model: Any, constraints: Constraints, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = constraints[0].vocabulary.encode("a")[0]
    monkeypatch.setattr(model.generation_config, "eos_token_id", [1, letter])
    with pytest.raises(sg.Unsupported, match="generate pads everything behind"):
        constrain(model, constraints)


def test_a_batch_of_another_size_is_refused(model: Any, constraints: Constraints) -> None:
    with pytest.raises(sg.InvalidOption, match="3 constraints for a batch of 2 rows"):
        generate(model, 2, **constrain(model, constraints))


def test_arguments_serve_one_call(model: Any, constraints: Constraints) -> None:
    arguments = constrain(model, constraints[:1], max_new_tokens=3 * CANVAS)
    generate(model, 1, **arguments)
    with pytest.raises(sg.InvalidOption, match="have served another call"):
        generate(model, 1, **arguments)


def test_recursive_constraints_are_met_without_a_table(model: Any, vocabulary: sg.Vocabulary) -> None:
    """JSON of any kind, nested as deep as the canvases hold."""
    constraint = sg.compile({"type": "array", "minItems": 1, "maxItems": 3}, vocabulary)
    with pytest.raises(sg.Unsupported, match="recursive"):
        _ = constraint.dfa
    ids = generate(model, 2, **constrain(model, [constraint, None], max_new_tokens=2 * CANVAS))[0]
    assert constraint.accepts_ids(ids.tolist())
    assert 1 <= len(read(constraint, ids)) <= 3


def test_a_vocabulary_is_read_from_a_tokenizer_or_its_file(
    model: Any, tokenizer: Any, checkpoint: Path
) -> None:
    by_file = vocabulary_of(model, checkpoint / "tokenizer.json")
    by_object = vocabulary_of(model, tokenizer)
    assert by_file.fingerprint == by_object.fingerprint
    assert by_file.size == HEAD
    with pytest.raises(sg.InvalidVocabulary, match="a fast tokenizer is needed"):
        vocabulary_of(model, object())


class TestJointly:
    """A view of the model whose constrained rows draw jointly and stop by their free positions."""

    def test_every_constrained_row_is_accepted_and_the_others_are_the_stock_librarys(
        self, model: Any, constraints: Constraints
    ) -> None:
        mixed = [*constraints, None]
        for cache in ({}, {"cache_implementation": "static", "disable_compile": True}):
            stock = generate(model, 4, max_new_tokens=3 * CANVAS, **cache)
            arguments = constrain(model, mixed, max_new_tokens=3 * CANVAS)
            ids = generate(jointly(model, arguments), 4, **arguments, **cache)
            assert torch.equal(ids[3], stock[3])
            for row, constraint in zip(ids, constraints, strict=False):
                assert constraint.accepts_ids(row.tolist())

    def test_what_a_step_accepts_comes_from_one_accepted_block(
        self, model: Any, constraints: Constraints
    ) -> None:
        """With no bound on entropy a whole joint draw is accepted at every step."""
        seen: list[list[int]] = []

        class Watch:
            def __call__(self, input_ids: Tensor, scores: Tensor, cur_step: Any) -> Tensor:
                steps.append(int(cur_step))
                return scores

        steps: list[int] = []
        arguments = constrain(model, constraints[:1], max_new_tokens=3 * CANVAS, logits_processor=[Watch()])
        view = jointly(model, arguments)
        forward = model.forward

        def record(*positional: Any, **named: Any) -> Any:
            seen.append(named["decoder_input_ids"][0].tolist())
            return forward(*positional, **named)

        view.forward = record
        sampler = needs_transformers().models.diffusion_gemma.generation_diffusion_gemma
        bound = sampler.EntropyBoundSamplerConfig(entropy_bound=1e9)
        generate(view, 1, sampler_config=bound, **arguments)
        automaton = constraints[0].automaton
        refined = [canvas for canvas, step in zip(seen, steps, strict=True) if step < 4]
        first = refined[: steps.index(4, 1) - 1] if 4 in steps[1:] else refined
        assert len(first) == 3
        assert all(automaton.run(canvas) != 0 for canvas in first)

    def test_forced_positions_do_not_end_a_canvas_early(self, model: Any, vocabulary: sg.Vocabulary) -> None:
        """Scores that say nothing: the free positions' mean entropy is above the threshold, that of all is below."""
        constraint = sg.compile(sg.Regex("[ab]"), vocabulary)
        steps: list[int] = []

        class Flat:
            def __call__(self, input_ids: Tensor, scores: Tensor, cur_step: Any) -> Tensor:
                steps.append(int(cur_step))
                return torch.zeros_like(scores)

        def hooks() -> dict[str, Any]:
            return constrain(model, [constraint], max_new_tokens=CANVAS, logits_processor=[Flat()])

        rows = hooks()["logits_processor"].rows
        rows.constrained(torch.zeros(1, CANVAS, HEAD))
        entropy, free = rows.beliefs().entropy[0], rows.beliefs().free[0]
        diluted, own = float(entropy.mean()), float(entropy[free].mean())
        between = (diluted * own) ** 0.5
        assert diluted < between < own

        def taken(*, joint: bool, threshold: float) -> int:
            steps.clear()
            arguments = hooks()
            view = jointly(model, arguments) if joint else model
            generate(view, 1, confidence_threshold=threshold, stability_threshold=1, **arguments)
            return len(steps)

        assert taken(joint=False, threshold=between) == 2
        assert taken(joint=True, threshold=between) == 4
        assert taken(joint=True, threshold=2 * own) == 2

    @pytest.mark.parametrize("joint", [False, True])
    def test_a_fully_forced_canvas_ends_in_two_steps(self, model: Any, checkpoint: Path, joint: bool) -> None:
        """One answer with one tokenization: the second step finds what the first did."""
        vocabulary = sg.Vocabulary.from_file(checkpoint / "tokenizer.json").narrowed(HEAD)
        steps: list[int] = []

        class Count:
            def __call__(self, input_ids: Tensor, scores: Tensor, cur_step: Any) -> Tensor:
                steps.append(int(cur_step))
                return scores

        constraint = sg.compile(["xyz"], vocabulary)
        arguments = constrain(model, [constraint], max_new_tokens=CANVAS, logits_processor=[Count()])
        view = jointly(model, arguments) if joint else model
        generate(
            view,
            1,
            confidence_threshold=0.005,
            stability_threshold=1,
            max_denoising_steps=48,
            **arguments,
        )
        assert len(steps) == 2

    def test_the_model_itself_is_not_touched(self, model: Any, constraints: Constraints) -> None:
        before, kind = dict(vars(model)), type(model)
        arguments = constrain(model, constraints, max_new_tokens=3 * CANVAS)
        view = jointly(model, arguments)
        generate(view, 3, **arguments)
        assert vars(model).keys() == before.keys()
        assert type(model) is kind
        assert view.lm_head is model.lm_head

    def test_a_library_without_these_methods_is_refused(self, constraints: Constraints) -> None:
        with pytest.raises(sg.Unsupported, match="has no _prepare_sampler"):
            jointly(object(), {})
