"""One tiny DiffusionGemma checkpoint for all of these tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import structgen as sg
from structgen.integrations.answers import vocabulary_of
from tiny_gemma import needs_transformers

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 150}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


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
