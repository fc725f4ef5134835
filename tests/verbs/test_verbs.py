"""Wrong arguments of the verbs end in one clear sentence, and what is generated is never lost."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

import structgen as sg


class Team(Enum):
    BILLING = "billing"
    TECH = "tech"


class Picky(BaseModel):
    vendor: str

    @field_validator("vendor")
    @classmethod
    def never(cls, value: str) -> str:
        raise ValueError("nobody is good enough")


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


def test_an_output_that_a_python_validator_refuses_is_kept(model: sg.Model):
    with pytest.raises(sg.Rejected, match=r"vendor: nobody is good enough") as caught:
        model.extract("Invoice from Acme Ltd", Picky, steps=2)
    assert sg.compile(Picky).accepts(caught.value.text)
    assert caught.value.text in str(caught.value)


@pytest.mark.parametrize("text", [None, 5, b"bytes", ["a list"], "half a pair \ud800", "", " \n"], ids=repr)
def test_what_is_no_text_is_no_document(model: sg.Model, text: Any):
    with pytest.raises(sg.InvalidDocument):
        model.extract(text, {"type": "boolean"})
    with pytest.raises(sg.InvalidDocument):
        model.choose(text, ["yes", "no"])


def test_a_book_is_refused_in_a_sentence(model: sg.Model):
    with pytest.raises(
        sg.InvalidDocument, match=r"longer than 512 prompts, and structgen-mini reads at most 512"
    ):
        model.extract("Vendor: Acme, total 5\n" * 20_000, {"type": "boolean"})
    with pytest.raises(sg.InvalidDocument, match=r"takes \d+ tokens and structgen-mini reads at most 1400"):
        model.choose("Vendor: Acme, total 5\n" * 200, ["yes", "no"])


def test_every_verb_takes_a_document_for_its_text(model: sg.Model):
    text = "Is it 2024 or 1999? It is 2024."
    document = sg.Document.open(text.encode())
    schema = {"type": "object", "properties": {"year": {"type": "integer"}}, "required": ["year"]}

    def year(year: int) -> None:
        """Note the year."""

    assert model.extract(document, schema) == model.extract(text, schema)
    assert model.choose(document, ["2024", "1999"]) == model.choose(text, ["2024", "1999"])
    assert model.generate(document, sg.Regex("2024|1999")) == model.generate(text, sg.Regex("2024|1999"))
    assert repr(model.call(document, [year])) == repr(model.call(text, [year]))


@pytest.mark.parametrize("prompt", [None, 5, b"bytes", "half a pair \ud800", ""], ids=repr)
def test_what_is_no_text_is_no_prompt(model: sg.Model, prompt: Any):
    with pytest.raises(sg.InvalidDocument):
        model.generate(prompt, sg.Regex("a|b"))


@pytest.mark.parametrize(
    "options",
    [None, 5, "billing", ["a"], ["a", "a"], ["a", ""], ["a", 5], {"a", "b"}, {"a": 1, "b": 2}, Team],
)
def test_options_are_a_list_of_different_strings(model: sg.Model, options: Any):
    with pytest.raises(sg.InvalidSource, match="choose needs"):
        model.choose("text", options)


@pytest.mark.parametrize(
    "option",
    [
        {"steps": 0},
        {"steps": 2.5},
        {"steps": "3"},
        {"seed": -1},
        {"seed": 2**70},
        {"seed": None},
        {"max_tokens": "9"},
    ],
    ids=repr,
)
def test_options_out_of_range_name_themselves(model: sg.Model, option: dict[str, Any]):
    with pytest.raises(sg.InvalidOption, match=next(iter(option))):
        model.extract("text", {"type": "boolean"}, **option)


@pytest.mark.parametrize("device", ["gpu", None, "cuda:99"])
def test_a_device_that_is_not_there(device: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(sg.InvalidOption, match="device"):
        sg.load(device=device)


@pytest.mark.parametrize("name", [5, b"folder", "no/such-model"])
def test_a_model_that_is_not_there(name: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # nothing to wait for
    with pytest.raises(sg.ModelNotFound):
        sg.load(name)


def test_a_vocabulary_is_no_file_name():
    with pytest.raises(sg.InvalidVocabulary, match="from_file"):
        sg.compile({"type": "boolean"}, "tokenizer.json")  # type: ignore[arg-type]
    with pytest.raises(sg.InvalidVocabulary, match="NoneType"):
        sg.Vocabulary.from_file(None)  # type: ignore[arg-type]


def test_a_source_that_is_nested_too_deeply_is_refused():
    depth = 3000
    nested: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        nested = {"type": "array", "items": nested, "maxItems": 1}
    for source in (nested, sg.Regex("(" * depth + "a" + ")" * depth), sg.Regex("^" + "a?" * depth + "$")):
        with pytest.raises(sg.Unsupported, match="nested too deeply"):
            sg.compile(source)


def test_half_a_surrogate_pair_is_never_accepted():
    assert not sg.compile({"type": "string"}).accepts('"\ud800"')


def test_the_outline_of_a_schema_is_read_once_for_a_request(model: sg.Model, monkeypatch: pytest.MonkeyPatch):
    read, outline = [], sg.JsonSchema.outline
    monkeypatch.setattr(sg.JsonSchema, "outline", lambda source: read.append(source) or outline(source))
    model.extract("Total: 3", {"type": "object", "properties": {"total": {"type": "integer"}}}, steps=1)
    assert len(read) == 1
    model.choose("Total: 3", ["yes", "no"])
    assert len(read) == 2
