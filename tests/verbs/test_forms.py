"""Surface forms: a call means the same in each, and its text is read back by the automaton that wrote it."""

from __future__ import annotations

import itertools
import json
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel

import structgen as sg
from conformance.gemma import judged
from conformance.noisy_calls import TOOLS, Tally, vocabulary
from structgen.grammar import Grammar, Rewriting, alt, literal, repeat, seq, spelled_out, token
from structgen.sources.tools.forms import CALL_FORMS, family_form

Q = '<|"|>'


def gemma(name: str, arguments: Any) -> str:
    """A call as Gemma's chat template writes it; an independent writer."""
    return f"<|tool_call>call:{name}{value(arguments)}<tool_call|>"


def value(given: Any) -> str:
    if isinstance(given, str):
        return f"{Q}{given}{Q}"
    if isinstance(given, dict):
        return "{" + ",".join(f"{key}:{value(part)}" for key, part in given.items()) + "}"
    return "[" + ",".join(map(value, given)) + "]" if isinstance(given, list) else json.dumps(given)


def hermes(name: str, arguments: Any) -> str:
    said = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{said}\n</tool_call>"


def harmony(name: str, arguments: Any) -> str:
    said = json.dumps(arguments, ensure_ascii=False)
    return f"<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{said}<|call|>"


def qwen_xml(name: str, arguments: Any) -> str:
    said = (f"<parameter={key}>\n{plain(part)}\n</parameter>\n" for key, part in arguments.items())
    return f"<tool_call>\n<function={name}>\n{''.join(said)}</function>\n</tool_call>"


def plain(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


WRITTEN = {"gemma": gemma, "hermes": hermes, "harmony": harmony, "qwen_xml": qwen_xml}
BETWEEN = {"gemma": "", "hermes": "\n", "harmony": "<|start|>assistant", "qwen_xml": "\n"}
BEFORE_WORDS = {"gemma": "", "hermes": "", "harmony": "<|channel|>final<|message|>", "qwen_xml": ""}


class Node(BaseModel):
    label: str
    inside: list[Node] = []


def tree(root: Node) -> None: ...


SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "n": {"type": "number"},
        "flag": {"type": "boolean"},
        "list": {"type": "array", "items": {"type": ["string", "integer"]}},
        "in": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "string", "minLength": 2}},
        },
        "set": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
    },
    "required": ["text"],
}
ANYTHING: dict[str, Any] = {"name": "do.it", "parameters": SCHEMA}
CONSTRAINTS = {form: sg.compile(sg.Tools([ANYTHING, tree], form=form, parallel=True)) for form in CALL_FORMS}
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["}", ",", '"', "\n", "<|", "null", "1", "</tool", "a}b,c:", "é{"]
)
ARGUMENTS = st.fixed_dictionaries(
    {"text": TEXTS},
    optional={
        "n": st.integers(-(10**6), 10**6) | st.sampled_from([0.5, -2.25]),
        "flag": st.booleans(),
        "list": st.lists(
            TEXTS.filter(lambda text: not text.strip("-").isdigit()) | st.integers(-99, 99), max_size=3
        ),
        "in": st.fixed_dictionaries({}, optional={"a": st.integers(-5, 5), "b": TEXTS}),
        "set": st.lists(st.integers(0, 3), max_size=3),
    },
)


def in_order(value: Any, schema: Any) -> Any:
    """The value with its members in the order in which the schema declares them."""
    if not isinstance(value, dict):
        return value
    return {name: in_order(value[name], part) for name, part in schema["properties"].items() if name in value}


@pytest.mark.parametrize("form", WRITTEN)
@settings(max_examples=60, deadline=None)
@given(calls=st.lists(ARGUMENTS, min_size=1, max_size=2))
def test_what_the_schema_allows_is_accepted_and_comes_back_equal(form: str, calls: list[dict[str, Any]]):
    calls = [in_order(call, SCHEMA) for call in calls]
    text = BETWEEN[form].join(WRITTEN[form]("do.it", call) for call in calls)
    valid = all(Draft202012Validator(SCHEMA).is_valid(call) for call in calls)
    valid = valid and not (form == "qwen_xml" and any(call["text"] == "null" for call in calls))
    assert CONSTRAINTS[form].accepts(text) == valid, text
    if valid:
        assert [call.arguments for call in CONSTRAINTS[form].parse(text)] == calls


@pytest.mark.parametrize("form", WRITTEN)
def test_recursive_arguments_come_back_typed(form: str):
    root = {"label": "a", "inside": [{"label": "b", "inside": [{"label": "}"}]}, {"label": ""}]}
    (call,) = CONSTRAINTS[form].parse(WRITTEN[form]("tree", {"root": root}))
    assert call.arguments == {"root": Node.model_validate(root)}


@pytest.mark.parametrize("form", WRITTEN)
def test_what_is_no_reply_is_not_accepted_and_not_parsed(form: str):
    right = WRITTEN[form]("do.it", {"text": "x"})
    for text in (
        "",
        "do.it",
        right[:-1],
        right + "x",
        WRITTEN[form]("do_it", {"text": "x"}),
        right.replace("text", "tex"),
    ):
        assert not CONSTRAINTS[form].accepts(text), text
        with pytest.raises(sg.Rejected):
            CONSTRAINTS[form].parse(text)


@pytest.mark.parametrize("form", WRITTEN)
def test_an_answer_in_words_has_no_markup(form: str):
    opening = CALL_FORMS[form].markup[0]
    words = "No tool is\nneeded: {x}."
    assert CONSTRAINTS[form].parse(BEFORE_WORDS[form] + words) == sg.Reply(answer=words)
    assert not CONSTRAINTS[form].accepts(f"I say {opening}")
    assert not sg.compile(sg.Tools([tree], "required", form=form)).accepts("No.")
    assert not sg.compile(sg.Tools([tree], "none", form=form)).accepts(
        WRITTEN[form]("tree", {"root": {"label": "a"}})
    )


@pytest.mark.parametrize("form", WRITTEN)
def test_distinct_calls_in_every_form_against_enumeration(form: str):
    """Of all sequences of three calls, those without repetition are accepted, up to the greatest number."""
    ping = {"name": "ping"}
    constraint = sg.compile(sg.Tools([ANYTHING, ping], "required", form=form, distinct=True, max_calls=3))
    told = [("do.it", {"text": "a"}), ("do.it", {"text": "b", "n": 1}), ("ping", {})]
    for count in range(1, 5):
        for calls in itertools.product(range(3), repeat=count):
            text = BETWEEN[form].join(WRITTEN[form](*told[call]) for call in calls)
            assert constraint.accepts(text) == (len(set(calls)) == count), text


@pytest.mark.parametrize("number", range(len(TOOLS)))
def test_random_outputs_in_gemmas_form_are_valid_calls(number: int):
    """Special tokens never stand inside strings, and strings never spell them."""
    tally = judged(vocabulary("gemma"), 8, {}, first=8 * number)
    assert tally.outputs == 8
    assert tally.faults == Tally().faults


def test_gemma_leaves_out_an_optional_null_and_writes_no_exponents():
    number = {"type": ["number", "null"]}
    tool = {"name": "t", "parameters": {"properties": {"n": number, "m": number}, "required": ["m"]}}
    constraint = sg.compile(sg.Tools([tool], "required", form="gemma"))
    for arguments, right in (("m:null", True), ("n:null,m:1", False), ("n:1.5,m:-2", True), ("m:1e3", False)):
        assert constraint.accepts(f"<|tool_call>call:t{{{arguments}}}<tool_call|>") == right, arguments


@pytest.mark.parametrize(("kind", "texts"), [("integer", ["12", " 12", "12\n"]), ("null", ["null", "null "])])
def test_no_text_in_gemmas_form_is_spelled_like_another_value_that_may_stand_there(
    kind: str, texts: list[str]
):
    """Readers of values leave out the white space around them, as json.loads and Python's int() do."""
    tool = {"name": "t", "parameters": {"properties": {"x": {"type": ["string", kind]}}, "required": ["x"]}}
    constraint = sg.compile(sg.Tools([tool], "required", form="gemma"))
    assert [text for text in texts if constraint.accepts(gemma("t", {"x": text}))] == []
    for text in ("a1", " 1 2", "\n", "nulls"):
        assert constraint.parse(gemma("t", {"x": text}))[0].arguments == {"x": text}


def test_what_gemma_cannot_write_is_refused_with_its_place():
    keyed = {"name": "t", "parameters": {"properties": {"a:b": {"type": "string"}}}}
    for tool, message in (
        (keyed, r"'a:b' needs them \(at /parameters/properties/a:b\)"),
        ({"name": "say it"}, r"tool 'say it': the form 'gemma' cannot write this name \(at /name\)"),
    ):
        with pytest.raises(sg.Unsupported, match=message):
            sg.compile(sg.Tools([tool], form="gemma"))
    with pytest.raises(
        sg.InvalidOption, match="form must be one of 'json', 'gemma', 'harmony', 'hermes', 'qwen_xml'"
    ):
        sg.Tools([tree], form="xml")


def test_gemma_has_no_brackets_in_strings_inside_an_array_in_an_array():
    """SGLang's reader counts them there, whatever stands between."""
    text = {"type": "string"}
    within = {"type": "object", "properties": {"s": text}}
    lists = {"type": "array", "items": {"type": "array", "items": {"anyOf": [text, within]}}}
    tool = {"name": "t", "parameters": {"properties": {"l": lists, "o": {"type": "array", "items": within}}}}
    constraint = sg.compile(sg.Tools([tool], "required", form="gemma"))
    for arguments, right in (
        ({"l": [["x{"], [{"s": "}"}]]}, True),
        ({"l": [["]"]]}, False),
        ({"l": [[{"s": "[1]"}]]}, False),
        ({"o": [{"s": "]["}]}, True),
    ):
        written = gemma("t", arguments)
        assert constraint.accepts(written) == right, written
        assert not right or constraint.parse(written)[0].arguments == arguments


@pytest.mark.parametrize(
    ("kinds", "texts"),
    [
        (["integer"], [" 12", "1_000", "+5", "\u0663", "1.5"]),
        (["number"], [" 1e5", "nan", "-Infinity", ".5 "]),
        (["boolean"], ["True", " false", "1", "0"]),
        (["array"], ["[x", ' {"a": 1}', '"a"', "12", "true"]),
        (["null"], ["NULL", "Null"]),
        ([], ["null"]),
    ],
)
def test_no_text_in_qwens_form_is_spelled_like_another_value_that_may_stand_there(kinds: Any, texts: Any):
    """Readers tell text from other values by the schema, with Python's int(), float() and json.loads."""
    either = {"type": ["string", *kinds], "items": {"type": "integer"}}
    tool = {"name": "t", "parameters": {"properties": {"x": either}}}
    constraint = sg.compile(sg.Tools([tool], "required", form="qwen_xml"))
    assert [text for text in texts if constraint.accepts(qwen_xml("t", {"x": text}))] == []
    for text in ("a1", "x[1]", "nulls", "", "-", "true or false"):
        written = qwen_xml("t", {"x": text})
        assert constraint.parse(written)[0].arguments == {"x": text}


@pytest.mark.parametrize(
    "cut", ["</parameter>", "< /\tparameter >", "<parameter=", "<\nparameter =", "</function>"]
)
def test_no_text_in_qwens_form_holds_a_tag_at_which_a_reader_cuts_it(cut: str):
    constraint = CONSTRAINTS["qwen_xml"]
    for arguments in ({"text": f"a{cut}b"}, {"text": "", "list": [f"a{cut}b"]}):
        assert not constraint.accepts(qwen_xml("do.it", arguments))
    assert not constraint.accepts("Say <function=do.it")


@pytest.mark.parametrize(
    ("tokens", "template", "form"),
    [
        (("<bos>",), "<function=", "json"),
        (CALL_FORMS["gemma"].markup, "", "gemma"),
        (CALL_FORMS["harmony"].markup, "", "harmony"),
        (("<tool_call>", "</tool_call>", "<|im_end|>"), "<tool_call>", "hermes"),
        (("<tool_call>", "</tool_call>"), "<tool_call>\\n<function=example>", "qwen_xml"),
    ],
)
def test_a_family_of_models_is_known_by_its_tokens_and_its_chat_template(
    tokens: Any, template: str, form: str
):
    assert family_form(tokens, template) == form


def test_special_tokens_stand_as_tokens_where_the_vocabulary_has_them():
    tokens = vocabulary("gemma")
    constraint = sg.compile(sg.Tools([{"name": "ping"}], "required", form="gemma"), tokens)
    opens, closes = (tokens.special[name] for name in ("<|tool_call>", "<tool_call|>"))
    inside = tokens.encode("call:ping{}")
    assert constraint.accepts_ids([opens, *inside, closes])
    assert not constraint.accepts_ids([*tokens.encode("<|tool_call>"), *inside, closes])
    assert constraint.vocabulary.decode([opens, *inside, closes]) == b"<|tool_call>call:ping{}<tool_call|>"
    assert constraint.accepts("<|tool_call>call:ping{}<tool_call|>")
    spelled = sg.compile(sg.Tools([{"name": "ping"}], "required", form="gemma"))
    assert spelled.accepts_ids(list(b"<|tool_call>call:ping{}<tool_call|>"))


def test_markup_is_spelled_only_where_the_token_is_unknown():
    body = seq(token("<a>"), repeat(alt(token("<b>"), literal("x")), 1, 2))
    grammar = Grammar(body, {"r": token("<a>")}, markup=("<a>", "<b>"))
    assert spelled_out(grammar, {"<a>", "<b>"}) is grammar
    half = spelled_out(grammar, {"<a>"})
    assert half.start is seq(token("<a>"), repeat(alt(literal("<b>"), literal("x")), 1, 2))
    assert half.rules["r"] is token("<a>")


def test_rewriting_does_not_exhaust_the_stack():
    expr = token("end")
    for _ in range(5000):
        expr = alt(seq(literal("a"), expr), literal("b"))
    rewritten = Rewriting({token("end"): literal("c")})(expr)
    seen = deque([rewritten])
    while seen:
        top = seen.popleft()
        assert top is not token("end")
        seen.extend(top.children)
