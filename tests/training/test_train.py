"""Stopping and going on gives the losses of a run that never stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from structgen_mini import Lexicon, MiniConfig, load_mini, mini_denoiser, mini_folder
from training.config import TrainConfig, read_config
from training.export import export, stored
from training.train import start, train
from training.vectors import VECTORS, read_vectors

FILES = Path(train.__code__.co_filename).parent
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


def test_two_runs_with_one_seed_agree(tmp_path: Path) -> None:
    assert train(TINY, tmp_path / "one") == train(TINY, tmp_path / "two")
    assert train(TINY, tmp_path / "one") == []  # it is at its end


ENDLESS = replace(TINY, max_steps=400, save_every=0.0)
RUN = """
import sys
from pathlib import Path
from test_train import ENDLESS
from training.train import train
train(ENDLESS, Path(sys.argv[1]))
"""


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path / "killed")], env={**os.environ, "PYTHONPATH": path}
    )
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "killed" / "checkpoint.pt").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
    done = torch.load(tmp_path / "killed" / "checkpoint.pt", weights_only=False)["step"]
    rest = train(ENDLESS, tmp_path / "killed", stop_after=3)
    assert rest == train(ENDLESS, tmp_path / "whole", stop_after=done + 3)[done:]


def test_a_grown_model_computes_what_its_parent_did(tmp_path: Path) -> None:
    train(replace(TINY, max_steps=2), tmp_path)
    export(tmp_path / "checkpoint.pt", tmp_path / "out")
    larger = replace(
        TINY, model=replace(TINY.model, encoder_layers=3, decoder_layers=2), grow=str(tmp_path / "out")
    )
    prompt, canvas = torch.randint(2, 4096, (2, 9)), torch.randint(2, 4096, (2, 7))
    parent, child = load_mini(tmp_path / "out"), start(larger).model
    torch.testing.assert_close(
        child.logits(child.encode(prompt), canvas), parent.logits(parent.encode(prompt), canvas)
    )


def test_weights_survive_eight_bits(tmp_path: Path) -> None:
    weights = {"matrix": torch.randn(5, 300) * torch.logspace(-3, 3, 5)[:, None], "vector": torch.randn(9)}
    kept = stored(weights)
    back = kept["matrix"].float() * kept["matrix.scale"].float()[:, None]
    assert kept["matrix"].dtype == torch.int8
    assert ((back - weights["matrix"]).abs().amax(1) <= weights["matrix"].abs().amax(1) / 200).all()
    torch.testing.assert_close(kept["vector"].float(), weights["vector"], atol=1e-2, rtol=1e-3)


def test_an_exported_checkpoint_loads(tmp_path: Path) -> None:
    train(replace(TINY, max_steps=2), tmp_path)
    assert export(tmp_path / "checkpoint.pt", tmp_path / "out") == 2
    model = load_mini(tmp_path / "out")
    assert model.config == TINY.model
    assert json.loads((tmp_path / "out" / "config.json").read_text())["null_id"] == 2


@pytest.mark.parametrize("name", ["mini.toml", "gpu.toml"])
def test_the_shipped_runs_can_be_read(name: str) -> None:
    assert read_config(FILES / name).grow is not None


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("minuets = 3\n")
    with pytest.raises(ValueError, match="minuets"):
        read_config(tmp_path / "run.toml")


def test_workers_make_the_same_batches_again(tmp_path: Path) -> None:
    several = replace(TINY, workers=2, max_steps=2)
    assert train(several, tmp_path / "one") == train(several, tmp_path / "two")


def test_the_log_and_the_export_are_written(tmp_path: Path) -> None:
    lines: list[dict] = []
    train(replace(TINY, log_every=2), tmp_path / "run", lines.append, exported=tmp_path / "weights")
    assert [line["step"] for line in lines] == [2, 4]
    assert load_mini(tmp_path / "weights").config == TINY.model


def test_word_vectors_are_used_and_stay_as_they_are(tmp_path: Path) -> None:
    known = len(Lexicon.read(mini_folder()).index) + 1
    save_file({"words": torch.randn(known, 8)}, tmp_path / VECTORS)
    knowing = replace(TINY, model=replace(TINY.model, words=known, word_width=8), vectors=str(tmp_path))
    train(knowing, tmp_path)
    export(tmp_path / "checkpoint.pt", tmp_path / "out")
    denoiser = mini_denoiser(tmp_path / "out")  # with the lexicon beside the weights
    assert denoiser.model.meaning.weight.abs().max() > 0
    torch.testing.assert_close(denoiser.model.words, read_vectors(tmp_path), atol=0.05, rtol=0.02)
    assert torch.equal(read_vectors(tmp_path / "out"), denoiser.model.words)
