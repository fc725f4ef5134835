"""`model.call`: every reply calls a tool that may be called or answers in words, whatever the model knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator

import structgen as sg
from minis import filler
from structgen.generation.options import Options
from structgen.generation.prompts import ChatPrompts
from structgen.model import Model
from structgen.models.embedded import OutlinePrompts
from structgen.sources.tools import Tools
from structgen.sources.tools.forms import CALL_FORMS
from structgen.tokens.vocabulary import Vocabulary
from structgen.verbs.call import call, conversation
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Absorbing, Uniform
from structgen_mini import mini_folder


def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> str:
    """The weather in a city."""
    return f"{city}/{unit}"


BOOK = {
    "type": "function",
    "function": {
        "name": "book_flight",
        "parameters": {
            "type": "object",
            "properties": {"to": {"type": "string", "maxLength": 20}, "seats": {"type": "integer"}},
            "required": ["to", "seats"],
        },
    },
}
TOOLS = [get_weather, BOOK]
REQUEST = "Book 2 seats on a flight to Oslo, please."
CHOICES = ["auto", "required", "none", "get_weather"]


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


@pytest.fixture(scope="module", params=["uniform", "absorbing"])
def random_model(request: pytest.FixtureRequest) -> Model:
    vocabulary = Vocabulary.from_file(mini_folder() / "tokenizer.json")
    noise = Uniform(2, vocabulary.size) if request.param == "uniform" else Absorbing(0)
    denoiser = RandomDenoiser(noise, 64, vocabulary.size)
    return filler(denoiser, vocabulary)


def check(generation: sg.Generation[Any], choice: str, parallel: bool) -> None:
    """The text validates under the schema, and the reply says what the text says."""
    source, said = Tools(TOOLS, choice, parallel), json.loads(generation.text)
    Draft202012Validator(source.schema).validate(said)
    if isinstance(said, dict) and "answer" in said:
        assert (generation.value.answer, len(generation.value)) == (said["answer"], 0)
        return
    calls = said if parallel else [said]
    assert [(call.name, call.arguments) for call in generation.value] == [
        (call["name"], call["arguments"]) for call in calls
    ]


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("choice", CHOICES)
def test_replies_of_a_random_denoiser_are_valid(random_model: Model, choice: str, parallel: bool):
    for seed in range(3):
        options = Options(steps=2, seed=seed)
        done = call(random_model, REQUEST, TOOLS, options, tool_choice=choice, parallel=parallel)
        check(done, choice, parallel)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("choice", CHOICES)
def test_replies_of_the_embedded_model_are_valid(model: sg.Model, choice: str, parallel: bool):
    done = call(model, REQUEST, TOOLS, Options(steps=3), tool_choice=choice, parallel=parallel)
    check(done, choice, parallel)


def test_a_named_function_is_called(model: sg.Model):
    reply = model.call("How warm is it in Oslo?", TOOLS, tool_choice="get_weather", steps=4)
    (call,) = reply
    assert call.run() == f"{call.arguments['city']}/{call.arguments.get('unit', 'celsius')}"


def test_the_same_seed_gives_the_same_reply(model: sg.Model):
    first, second = (call(model, REQUEST, TOOLS, Options(steps=3, seed=7)).text for _ in range(2))
    assert first == second


def test_the_embedded_model_reads_the_outline_of_all_tools_and_the_request():
    (prompt,) = OutlinePrompts().calls(Tools(TOOLS, "required"), REQUEST)
    tools = "{name:get_weather; arguments:{city:string; unit:celsius|fahrenheit?}}"
    tools += "|{name:book_flight; arguments:{to:string; seats:integer}}"
    assert prompt == f"{tools}\n#\n{REQUEST}"


@pytest.mark.parametrize("choice", CHOICES)
def test_a_chat_model_reads_the_tools_that_it_may_call(choice: str):
    text = "".join(ChatPrompts().calls(Tools(TOOLS, choice), REQUEST))
    assert ("The weather in a city." in text) == (choice != "none")
    assert ("book_flight" in text) == (choice in ("auto", "required"))
    assert ('{"answer"' in text) == (choice in ("auto", "none"))
    assert REQUEST in text


@pytest.mark.parametrize("form", CALL_FORMS)
def test_a_prompt_shows_the_form_in_which_calls_are_written(form: str):
    text = "".join(ChatPrompts().calls(Tools(TOOLS, form=form), REQUEST))
    assert CALL_FORMS[form].example in text
    assert '"arguments"' not in text or form == "hermes"
    assert '"answer"' not in text


def test_a_conversation_is_read_with_its_roles():
    user = {"role": "user", "content": REQUEST}
    assert conversation([user]) == REQUEST
    parts = {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    called = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    assert conversation([user, called, parts]) == f'user: {REQUEST}\nassistant: [{{"id": "1"}}]\nuser: a\nb'


@pytest.mark.parametrize(
    "messages",
    [
        None,
        5,
        "",
        " \n",
        "half a pair \ud800",
        [],
        ["text"],
        [{"content": "x"}],
        [{"role": "user"}],
        [{"role": "user", "content": ""}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}],
    ],
    ids=repr,
)
def test_what_is_no_request_is_refused(model: sg.Model, messages: Any):
    with pytest.raises(sg.InvalidDocument):
        model.call(messages, TOOLS)


@pytest.mark.parametrize("wanted", [0, 1])
def test_a_model_that_cannot_choose_calls_the_tool_that_shares_most(random_model: Model, wanted: int) -> None:
    asked: list[tuple[str, list[str]]] = []

    def overlap(text: str, options: Sequence[str]) -> list[float]:
        asked.append((text, list(options)))
        return [float(index == wanted) for index in range(len(options))]

    model = filler(random_model.denoiser, random_model.vocabulary, overlap)
    for seed in range(3):
        reply = model.call(REQUEST, TOOLS, tool_choice="required", seed=seed)
        assert [call.name for call in reply] == [("get_weather", "book_flight")[wanted]]
    assert asked[0] == (REQUEST, ["get_weather The weather in a city.", "book_flight "])
    check(model.call(REQUEST, TOOLS, details=True), "auto", parallel=False)
