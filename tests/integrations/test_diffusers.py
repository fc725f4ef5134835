"""DiffusionGemmaPipeline of diffusers with a constrained scheduler."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import structgen as sg
from structgen.integrations.diffusers import ConstrainedScheduler, mismatch, read
from tiny_gemma import CANVAS

Constraints = list[sg.Constraint[Any]]
PROMPTS = ["Who is it?", "Yes or no", "Red? Green", "Say: it"]


@pytest.fixture(scope="module")
def diffusers() -> Any:
    """The package, which is imported by no other worker than the one that runs these tests."""
    diffusers = pytest.importorskip("diffusers", reason="needs diffusers")
    if fault := mismatch():
        pytest.skip(fault)
    return diffusers


@pytest.fixture(scope="module")
def pipeline(diffusers: Any, model: Any, tokenizer: Any) -> Any:
    pipeline = diffusers.DiffusionGemmaPipeline(
        model=model, scheduler=diffusers.EntropyBoundScheduler(), processor=tokenizer
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def run(pipeline: Any, constraints: Any, *, canvases: int = 3, seed: int = 1, **options: Any) -> Tensor:
    """New tokens [rows, T]; constraints None for the stock scheduler."""
    import diffusers

    scheduler, rows = diffusers.EntropyBoundScheduler(), 4 if constraints is None else len(constraints)
    if constraints is not None:
        scheduler = ConstrainedScheduler(
            scheduler, constraints, canvas_length=CANVAS, gen_length=canvases * CANVAS, seed=seed
        )
    pipeline.scheduler = scheduler
    return pipeline(
        prompt=[prompt.ljust(12) for prompt in PROMPTS[:rows]],  # of one length: the pipeline pads nothing
        gen_length=canvases * CANVAS,
        generator=torch.Generator().manual_seed(seed),
        output_type="seq",
        **{"num_inference_steps": 4, **options},
    ).sequences


@pytest.mark.parametrize("canvases", [2, 3])
@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("threshold", [None, 0.005])
def test_every_constrained_row_is_accepted(
    pipeline: Any, constraints: Constraints, canvases: int, rows: int, threshold: float | None
) -> None:
    mixed = [*constraints, None][-rows:] if rows > 1 else constraints[:1]
    ids = run(pipeline, mixed, canvases=canvases, seed=canvases, confidence_threshold=threshold)
    for row, constraint in zip(ids, mixed, strict=True):
        if constraint is not None:
            assert constraint.accepts_ids(row.tolist())
            read(constraint, row)


def test_rows_that_the_pipeline_ends_early_are_accepted(pipeline: Any, vocabulary: sg.Vocabulary) -> None:
    """Nearly certain constraints make rows stable at different steps; one scheduler serves several calls."""
    constraints = [
        sg.compile(source, vocabulary)
        for source in (["no"], ["on", "no"], sg.Regex("[ab]{30}"), sg.Regex("(a|b)[a-z]{0,40}c"))
    ]
    steps: list[int] = []
    for seed in range(3):
        ids = run(
            pipeline,
            constraints,
            seed=seed,
            num_inference_steps=8,
            confidence_threshold=0.5,
            callback_on_step_end=lambda pipe, step, timestep, more: steps.append(timestep) or {},
        )
        assert all(c.accepts_ids(row.tolist()) for c, row in zip(constraints, ids, strict=True))
    assert len(steps) < 3 * 3 * 8


def test_unconstrained_rows_are_bit_identical_to_the_stock_pipelines(
    pipeline: Any, constraints: Constraints
) -> None:
    stock = run(pipeline, None)
    for mixed in ([None] * 4, [constraints[0], None, constraints[2], None]):
        ids = run(pipeline, mixed)
        free = [row for row, constraint in enumerate(mixed) if constraint is None]
        assert torch.equal(ids[free], stock[free])


def test_more_canvases_than_the_constraints_were_told_are_refused(
    diffusers: Any, pipeline: Any, constraints: Constraints
) -> None:
    pipeline.scheduler = ConstrainedScheduler(
        diffusers.EntropyBoundScheduler(), constraints[:1], canvas_length=CANVAS, gen_length=2 * CANVAS
    )
    with pytest.raises(sg.InvalidOption, match="more blocks are generated"):
        pipeline(prompt="Who?", gen_length=3 * CANVAS, num_inference_steps=2, output_type="seq")


def test_a_scheduler_without_an_entropy_bound_is_refused(diffusers: Any, constraints: Constraints) -> None:
    with pytest.raises(sg.InvalidOption, match="DiscreteDDIMScheduler has no entropy bound"):
        ConstrainedScheduler(diffusers.DiscreteDDIMScheduler(), constraints)
