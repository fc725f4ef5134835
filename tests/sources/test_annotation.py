"""Sources as annotations: what is generated is what pydantic accepts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

import structgen as sg

CODE = sg.Lark('start: "A" n\nn: /[0-9"]{2}/')
WORDS = sg.Ebnf('root ::= word (" " word)?\nword ::= [a-cA-C]{1,2}')
LINES = sg.Regex("[ab\n]*")
EITHER = sg.Regex("a+") | sg.Regex("b+")
KINDS: list[Any] = [
    Annotated[str, CODE],
    Annotated[str, WORDS],
    Annotated[str, LINES],
    Annotated[str, sg.grammar.seq(CODE, "-", WORDS)],
    Annotated[str, LINES, Field(max_length=3)],
    Annotated[str, Field(min_length=2), WORDS, LINES],
    Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True), WORDS],
    Annotated[str, WORDS, StringConstraints(to_lower=True, max_length=2)],
    Annotated[str, EITHER],
    Annotated[str, CODE] | None,
    list[Annotated[str, WORDS]],
]


@pytest.mark.parametrize("kind", KINDS[:3] + KINDS[4:])
@given(st.text('AaBbC\n "019', max_size=5))
def test_what_is_generated_is_what_pydantic_accepts(kind: Any, text: str) -> None:
    reads, constraint = TypeAdapter(kind), sg.compile(kind)
    for value in (text, [text], None):
        spelled = json.dumps(value)
        try:
            reads.validate_json(spelled)
        except ValidationError:
            assert not constraint.accepts(spelled)
        else:
            assert constraint.accepts(spelled)


def test_it_stands_in_classes() -> None:
    class Payment(BaseModel):
        iban: Annotated[str, sg.library["iban"]]
        code: Annotated[str, CODE] = 'A1"'

    @dataclass
    class Event:
        day: Annotated[str, sg.library["iso-date"]]

    constraint = sg.compile(Payment)
    right = '{"iban": "DE89370400440532013000", "code": "A1\\""}'
    assert constraint.accepts(right)
    assert constraint.parse(right) == Payment(iban="DE89370400440532013000")
    assert not constraint.accepts('{"iban": "DE88370400440532013000"}')
    assert sg.compile(Event).accepts('{"day": "2028-02-29"}')
    assert not sg.compile(Event).accepts('{"day": "2026-02-29"}')
    assert json.dumps(Payment.model_json_schema())


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (sg.Ebnf('root ::= "(" root ")" | "x"'), "a grammar that calls itself, by its rule 'root'"),
        (sg.Lark('start: <|a|> "x"'), "speaks of tokens"),
        (sg.grammar.literal(b"\xff"), "tokens or bytes"),
        (sg.Lark("start: r\nr[max_tokens=3]: /a*/"), "speaks of tokens"),
    ],
)
def test_what_cannot_stand_in_a_string_is_refused_in_one_sentence(source: Any, said: str) -> None:
    with pytest.raises((sg.Unsupported, sg.InvalidSource), match=said) as refused:
        sg.compile(Annotated[str, source])
    assert "\n" not in str(refused.value)


def test_a_class_of_sources_is_the_dataclass_that_it_is() -> None:
    assert sg.compile(list[sg.Regex]).accepts('[{"pattern": "a"}]')


def test_other_types_than_strings_are_refused() -> None:
    with pytest.raises(sg.Unsupported, match="write Annotated\\[str"):
        sg.compile(Annotated[int, sg.Regex("1")])
