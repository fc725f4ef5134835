"""A diffusers that cannot run DiffusionGemma on the installed transformers is named before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

import structgen as sg
from structgen.integrations.diffusers import ConstrainedScheduler, mismatch
from tiny_gemma import needs_transformers


@pytest.fixture
def diffusers() -> Any:
    return pytest.importorskip("diffusers", reason="needs diffusers")


@pytest.fixture
def renamed(diffusers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers as it is from 5.24 on, with diffusers 0.42."""
    needs_transformers()
    from transformers.models.diffusion_gemma import modeling_diffusion_gemma as modeling

    def masks(config: Any, inputs_embeds: Any, cache: Any, decoder_attention_mask: Any = None) -> None: ...

    decoder = modeling.DiffusionGemmaDecoderModel
    monkeypatch.setattr(decoder, "create_diffusion_decoder_attention_mask", staticmethod(masks))
    monkeypatch.setattr(diffusers, "__version__", "0.42.1")


def test_the_pair_known_to_be_broken_is_refused_with_the_remedy(renamed: None, diffusers: Any) -> None:
    assert "pip install 'transformers<5.24'" in str(mismatch())
    with pytest.raises(sg.StructgenError, match=r"diffusers 0\.42\.1 does not run on transformers"):
        ConstrainedScheduler(diffusers.EntropyBoundScheduler(), [])


def test_a_later_diffusers_is_trusted(renamed: None, diffusers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffusers, "__version__", "0.43.0")
    assert mismatch() is None
