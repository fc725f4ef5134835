"""One tiny DiffusionGemma checkpoint for all of these tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import structgen as sg
from structgen.integrations.answers import vocabulary_of
from tiny_gemma import SPECIAL, needs_transformers, save_checkpoint, small_tokenizer, tiny_model

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 150}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as it is published: weights, configuration, tokenizer and chat template."""
    needs_transformers()
    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer = small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")
    ends = [SPECIAL.index("<eos>"), SPECIAL.index("<turn|>")]
    return save_checkpoint(folder, tiny_model(), tokenizer, eos_token_id=ends, max_denoising_steps=4)


@pytest.fixture(scope="session")
def tokenizer(checkpoint: Path) -> Any:
    return needs_transformers().AutoTokenizer.from_pretrained(checkpoint)


@pytest.fixture(scope="session")
def model(checkpoint: Path) -> Any:
    return needs_transformers().DiffusionGemmaForBlockDiffusion.from_pretrained(checkpoint).eval()


@pytest.fixture(scope="session")
def vocabulary(model: Any, tokenizer: Any) -> sg.Vocabulary:
    return vocabulary_of(model, tokenizer)


@pytest.fixture(scope="session")
def constraints(vocabulary: sg.Vocabulary) -> list[sg.Constraint[Any]]:
    """A regex, a choice, an object: answers of one to three canvases."""
    sources = [sg.Regex(r"[a-z]{3,60}-(yes|no)"), ["red", "a longer answer of two canvases"], PERSON]
    return [sg.compile(source, vocabulary) for source in sources]
