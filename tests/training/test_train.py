"""Stopping and going on gives the losses of a run that never stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from structgen_engine.models.mini import MiniConfig, load_mini
from training.export import export
from training.train import TrainConfig, train

TINY = TrainConfig(
    max_steps=4,
    warmup=2,
    compile=False,
    steps_as_clock=True,
    pool_size=200,
    model=MiniConfig(width=16, heads=2, encoder_layers=1, decoder_layers=1),
)


def test_resuming_reproduces_the_loss_curve(tmp_path: Path) -> None:
    whole = train(TINY, tmp_path / "whole")
    first = train(TINY, tmp_path / "parts", stop_after=2)
    rest = train(TINY, tmp_path / "parts")
    assert first + rest == whole
    assert len(first) == 2


def test_an_exported_checkpoint_loads(tmp_path: Path) -> None:
    train(replace(TINY, max_steps=2), tmp_path)
    assert export(tmp_path / "checkpoint.pt", tmp_path / "out") == 2
    model = load_mini(tmp_path / "out")
    assert model.config == TINY.model
    assert json.loads((tmp_path / "out" / "config.json").read_text())["null_id"] == 2
