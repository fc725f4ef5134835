"""A schema and its twin, put together in other ways, are asked, prompted and answered alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import structgen as sg
from minis import filler
from sources.test_outline import twins
from structgen.generation.options import Options
from structgen.generation.writer import read, write
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts
from structgen.verbs.extract import extraction
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Uniform
from structgen_mini import mini_folder

DOCUMENT = "Tea 3.10 from Acme Ltd, 2026-03-04"


@pytest.fixture(scope="module")
def model() -> Model:
    vocabulary = sg.Vocabulary.from_file(mini_folder() / "tokenizer.json")
    return filler(RandomDenoiser(Uniform(2, vocabulary.size), 128, vocabulary.size), vocabulary)


@settings(max_examples=200, deadline=None)
@given(twins())
def test_twins_are_prompted_alike(pair: tuple[Any, Any]) -> None:
    sources = [sg.JsonSchema(schema) for schema in pair]
    first, second = (OutlinePrompts().extraction(source, DOCUMENT) for source in sources)
    assert first == second


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(twins())
def test_twins_are_answered_alike(model: Model, pair: tuple[Any, Any]) -> None:
    options = Options(steps=1, max_tokens=1024)
    first, second = (extraction(model, DOCUMENT, schema, options) for schema in pair)
    assert first.prompt == second.prompt
    assert first.kinds == second.kinds
    answers = [read(model, one.constraint, write(model, one)).text for one in (first, second)]
    assert answers[0] == answers[1]
