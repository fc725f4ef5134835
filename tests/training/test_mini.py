"""The embedded model's laws: distributions, indifference to padding, a loss that agrees with its logits."""

from __future__ import annotations

import pytest
import torch

from structgen_engine.models.mini import Mini, MiniConfig

CONFIG = MiniConfig(vocabulary=50, width=32, heads=2, encoder_layers=2, decoder_layers=2)


@pytest.fixture
def model() -> Mini:
    torch.manual_seed(0)
    return Mini(CONFIG).eval()


@pytest.fixture
def prompt() -> torch.Tensor:
    return torch.randint(3, 50, (2, 11), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def canvas() -> torch.Tensor:
    return torch.randint(2, 50, (2, 17), generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def test_log_probs_are_normalised(model: Mini, prompt: torch.Tensor, canvas: torch.Tensor) -> None:
    scores = model.logits(model.encode(prompt), canvas)
    assert scores.shape == (2, 17, 50)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores.logsumexp(-1), torch.zeros(2, 17), atol=1e-5, rtol=0)


@torch.inference_mode()
def test_padding_the_prompt_changes_nothing(model: Mini, prompt: torch.Tensor, canvas: torch.Tensor) -> None:
    padded = torch.nn.functional.pad(prompt, (0, 9))
    torch.testing.assert_close(
        model.logits(model.encode(padded), canvas),
        model.logits(model.encode(prompt), canvas),
        atol=1e-5,
        rtol=1e-5,
    )


@torch.inference_mode()
def test_training_and_serving_see_one_distribution(
    model: Mini, prompt: torch.Tensor, canvas: torch.Tensor
) -> None:
    memory, targets = model.encode(prompt), canvas.flip(1)
    gathered = model.logits(memory, canvas).gather(2, targets[..., None])[..., 0]
    torch.testing.assert_close(
        model.target_log_probs(memory, canvas, targets), gathered, atol=1e-4, rtol=1e-4
    )


@torch.inference_mode()
def test_rows_do_not_see_each_other(model: Mini, prompt: torch.Tensor, canvas: torch.Tensor) -> None:
    both = model.logits(model.encode(prompt), canvas)
    alone = model.logits(model.encode(prompt[1:]), canvas[1:])
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-5)
