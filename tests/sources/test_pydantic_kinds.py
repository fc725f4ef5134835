"""What is compiled of pydantic's types is what pydantic takes: a table of kinds, with pydantic as the judge."""

from __future__ import annotations

import random

import pytest
from pydantic import ValidationError

from conformance.recogniser import recognises
from conformance.sampler import Sampler
from sources.pydantic_kinds import KINDS, REFUSED, Even
from structgen.errors import Rejected, Unsupported
from structgen.sources import TypeSource, as_source

pytestmark = pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20")  # colours, cards

TEXTS = 60  # random accepted texts of each kind


@pytest.mark.parametrize("name", KINDS)
def test_what_is_accepted_is_read_back(name: str):
    model = as_source(KINDS[name].type_)
    sampler = Sampler(model.lower(), random.Random(name))
    if "validator" in KINDS[name].told:
        return _read_or_rejected(model, sampler)
    for _ in range(TEXTS):
        model.adapter.validate_json(sampler.text())


def _read_or_rejected(model: TypeSource, sampler: Sampler) -> None:
    """Validators in Python may refuse a text, and then as Rejected, which keeps it."""
    for _ in range(TEXTS):
        text = sampler.text()
        try:
            model.parse(text)
        except Rejected as rejected:
            assert rejected.text == text  # noqa: PT017


@pytest.mark.parametrize("name", KINDS)
def test_what_is_listed_is_accepted_or_not(name: str):
    kind = KINDS[name]
    model = TypeSource(kind.type_)
    grammar = model.lower()
    assert [text for text in kind.takes if not recognises(grammar, text)] == []
    assert [text for text in kind.not_ if recognises(grammar, text)] == []
    if "validator" not in kind.told:
        for text in kind.takes:
            model.adapter.validate_json(text)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_not_enforced_is_told_and_nothing_else(name: str):
    told = TypeSource(KINDS[name].type_).relaxations()
    assert {relaxed.keyword for relaxed in told} == KINDS[name].told
    assert all(relaxed.pointer is not None and relaxed.remedy for relaxed in told)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_generated_is_refused_where_it_stands(name: str):
    with pytest.raises(Unsupported) as error:
        TypeSource(dict[str, REFUSED[name]]).lower()
    assert str(error.value.pointer).startswith("/additionalProperties")
    assert error.value.remedy
    assert len(TypeSource(REFUSED[name]).refusals()) == 1


def test_an_output_that_a_validator_refuses_is_rejected_and_kept():
    with pytest.raises(Rejected, match="a: odd") as error:
        TypeSource(Even).parse('{"a":3}')
    assert error.value.text == '{"a":3}'
    assert isinstance(error.value.__cause__, ValidationError)
    with pytest.raises(Rejected, match="no JSON"):
        TypeSource(Even).parse("{")
