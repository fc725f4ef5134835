"""Structural tags: what they accept on all short texts, by a reader that follows the text; tokens; what is refused."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

import structgen as sg

TEXTS = ["".join(letters) for n in range(8) for letters in itertools.product("abc", repeat=n)]
JSON_SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
CALL = {"begin": "<call=f>", "content": {"type": "json_schema", "json_schema": JSON_SCHEMA}, "end": "</call>"}


def const(value: str) -> dict[str, Any]:
    return {"type": "const_string", "value": value}


def accepted(form: dict[str, Any], texts: list[str] = TEXTS) -> set[str]:
    constraint = sg.compile(sg.StructuralTag(form))
    return {text for text in texts if constraint.accepts(text)}


def read_triggered(text: str, form: dict[str, Any]) -> Iterator[int]:
    """Where triggered tags of constants, read from the beginning of the text, can end: the judge, letter by letter."""
    excludes, first, once = form.get("excludes", []), form.get("at_least_one"), form.get("stop_after_first")
    whole = [tag["begin"] + tag["content"]["value"] + tag["end"] for tag in form["tags"]]
    waiting: list[tuple[int, bool]] = []  # where free text begins, and whether it may end the whole
    if first:
        for tag in whole:
            if text.startswith(tag):
                waiting.append((len(tag), True))
        if once:
            yield from (at for at, _ in waiting)
            return
    else:
        waiting.append((0, True))
    seen = set(waiting)
    while waiting:
        start, _ = waiting.pop()
        for at in range(start, len(text) + 1):
            piece = text[start:at]
            hit = next((trigger for trigger in form["triggers"] if piece.endswith(trigger)), None)
            if hit is not None:
                begun = at - len(hit)
                ends = [
                    begun + len(tag) for tag in whole if tag.startswith(hit) and text.startswith(tag, begun)
                ]
                for end in ends:
                    if once:
                        yield end
                    elif (end, True) not in seen:
                        seen.add((end, True))
                        waiting.append((end, True))
                break
            if any(one in piece for one in excludes):
                break
            yield at


TRIGGERED = [
    {"triggers": ["a"], "tags": [("ab", "c", "a")]},
    {"triggers": ["ab"], "tags": [("ab", "", "c"), ("abb", "c", "c")]},
    {"triggers": ["aa"], "tags": [("aa", "b", "c")]},
    {"triggers": ["a", "b"], "tags": [("ac", "", "c"), ("b", "c", "a")]},
    {"triggers": ["ab"], "tags": [("ab", "c", "c")], "excludes": ["cc"]},
]


@pytest.mark.parametrize("shape", TRIGGERED)
@pytest.mark.parametrize("flags", [*itertools.product([False, True], repeat=2)])
def test_triggered_tags_are_read_from_left_to_right(shape: dict[str, Any], flags: tuple[bool, bool]) -> None:
    tags = [{"begin": b, "content": const(c), "end": e} for b, c, e in shape["tags"]]
    form = {
        "type": "triggered_tags",
        **shape,
        "tags": tags,
        "at_least_one": flags[0],
        "stop_after_first": flags[1],
    }
    assert accepted(form) == {text for text in TEXTS if len(text) in set(read_triggered(text, form))}


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        (const("ab"), {"ab"}),
        ({"type": "sequence", "elements": [const("a"), const("b")]}, {"ab"}),
        ({"type": "or", "elements": [const("a"), const("bb")]}, {"a", "bb"}),
        ({"type": "optional", "content": const("ab")}, {"", "ab"}),
        ({"type": "plus", "content": const("abc")}, {"abc", "abcabc"}),
        ({"type": "star", "content": const("abc")}, {"", "abc", "abcabc"}),
        ({"type": "repeat", "min": 2, "max": 3, "content": const("a")}, {"aa", "aaa"}),
        ({"type": "repeat", "min": 2, "max": -1, "content": const("cba")}, {"cbacba"}),
        ({"type": "regex", "pattern": "a[bc]{2}"}, {"abb", "abc", "acb", "acc"}),
        ({"type": "grammar", "grammar": 'root ::= "a" root "b" | "c"'}, {"c", "acb", "aacbb", "aaacbbb"}),
        ({"begin": "a", "content": const("b"), "end": ["c", "aa"]}, {"abc", "abaa"}),
        ({"type": "any_text", "max_chars": 1}, {"", "a", "b", "c"}),
    ],
)
def test_formats_that_are_finite_here(form: dict[str, Any], texts: set[str]) -> None:
    assert accepted(form) == texts


@pytest.mark.parametrize(
    ("form", "holds"),
    [
        ({"type": "any_text"}, lambda text: True),
        ({"type": "any_text", "excludes": ["ab", "cc"]}, lambda text: "ab" not in text and "cc" not in text),
        (
            {"begin": "a", "content": {"type": "any_text"}, "end": "bc"},
            lambda text: len(text) > 2 and text[0] == "a" and text.endswith("bc") and "bc" not in text[1:-2],
        ),
        (
            {"begin": "a", "content": {"type": "star", "content": {"type": "any_text"}}, "end": "c"},
            lambda text: len(text) > 1 and text[0] == "a" and text.find("c", 1) == len(text) - 1,
        ),
    ],
)
def test_free_text_goes_on_until_its_end_begins(form: dict[str, Any], holds: Any) -> None:
    assert accepted(form) == {text for text in TEXTS if holds(text)}


@pytest.mark.parametrize(("least", "once"), [*itertools.product([False, True], repeat=2)])
def test_tags_with_a_separator(least: bool, once: bool) -> None:
    tags = [{"begin": "a", "content": const("b"), "end": ""}]
    form = {
        "type": "tags_with_separator",
        "tags": tags,
        "separator": "c",
        "at_least_one": least,
        "stop_after_first": once,
    }
    expected = {"ab"} | ({""} if not least else set()) | ({"abcab"} if not once else set())
    assert accepted(form, [*TEXTS, "abcabcab"]) == expected | ({"abcabcab"} if not once else set())


def test_patterns_are_followed_by_their_formats() -> None:
    form = {"type": "dispatch", "rules": [["ab", const("c")], ["ba", const("")]], "loop": False}
    assert accepted(form, ["abc", "cabc", "ba", "cba", "abca", "ab", "c", "abba"]) == {
        "abc",
        "cabc",
        "ba",
        "cba",
        "c",
    }
    assert {"abcabc", "bac", "cbacabcc"} <= accepted({**form, "loop": True}, ["abcabc", "bac", "cbacabcc"])


def test_answer_or_calls_is_one_constraint() -> None:
    form = {"type": "triggered_tags", "triggers": ["<call="], "tags": [CALL]}
    for tag in (
        form,
        {"type": "structural_tag", "format": form},
        json.dumps({"type": "structural_tag", "format": form}),
        {
            "structures": [{"begin": "<call=f>", "schema": JSON_SCHEMA, "end": "</call>"}],
            "triggers": ["<call="],
        },
    ):
        constraint = sg.compile(sg.StructuralTag(tag))
        for text in (
            "",
            "Just text.",
            'I call <call=f>{"x": 1}</call> and <call=f>{"x":2}</call>!',
            "a < b, <cal",
        ):
            assert constraint.accepts(text), text
        for text in (
            "<call=",
            "<call=g>{}</call>",
            '<call=f>{"x": "1"}</call>',
            '<call=f>{"x": 1}',
            "ok <call=f>{}</call>",
        ):
            assert not constraint.accepts(text), text


def test_it_combines_with_other_sources() -> None:
    thought = sg.StructuralTag({"begin": "<think>", "content": {"type": "any_text"}, "end": "</think>"})
    constraint = sg.compile(thought + sg.library["json"])
    assert constraint.accepts('<think>so {it} is</think>{"a": [1]}')
    assert not constraint.accepts("<think>so</think>it is")


class TestTokens:
    """Tokens of the vocabulary, by name and by id."""

    TOKENS = (b"a", b"<x>", b"b", "<x>", "<y>", "<end>")

    def ids(self, form: dict[str, Any], most: int = 3) -> set[tuple[int, ...]]:
        vocabulary = sg.Vocabulary.from_tokens(list(self.TOKENS), end="<end>")
        constraint = sg.compile(sg.StructuralTag(form, special=vocabulary.special), vocabulary)
        strings = itertools.chain(*(itertools.product(range(5), repeat=n) for n in range(most + 1)))
        return {ids for ids in strings if constraint.accepts_ids(ids)}

    @pytest.mark.parametrize("one", ["<x>", 3])
    def test_a_token_is_never_spelled(self, one: str | int) -> None:
        assert self.ids({"type": "token", "token": one}) == {(3,)}

    def test_any_token_but_some(self) -> None:
        assert self.ids({"type": "exclude_token", "exclude_tokens": ["<x>", 0]}) == {(1,), (2,), (4,)}
        assert self.ids({"type": "any_tokens", "exclude_tokens": [0, 1, 2], "max_tokens": 1}) == {
            (),
            (3,),
            (4,),
        }

    def test_a_tag_between_tokens_ends_at_its_end(self) -> None:
        x, y = ({"type": "token", "token": name} for name in ("<x>", "<y>"))
        found = self.ids({"begin": x, "content": {"type": "any_tokens"}, "end": y})
        assert found == {(3, 4)} | {(3, middle, 4) for middle in (0, 1, 2, 3)}

    def test_text_between_tokens(self) -> None:
        x, y = ({"type": "token", "token": name} for name in ("<x>", "<y>"))
        found = self.ids({"begin": x, "content": {"type": "any_text"}, "end": y})
        assert found == {(3, 4)} | {(3, middle, 4) for middle in (0, 1, 2)}

    def test_tokens_that_trigger(self) -> None:
        tag = {"begin": {"type": "token", "token": "<x>"}, "content": const("b"), "end": ""}
        form = {
            "type": "token_triggered_tags",
            "trigger_tokens": ["<x>"],
            "tags": [tag],
            "stop_after_first": True,
        }
        found = self.ids(form)
        assert {(), (0,), (1, 4), (3, 2), (0, 3, 2)} <= found
        assert not {(3,), (3, 0), (3, 2, 0)} & found
        assert self.ids({**form, "at_least_one": True}) == {(3, 2)}

    def test_a_region_of_few_tokens(self) -> None:
        found = self.ids(
            {"type": "sequence", "elements": [{"type": "any_text", "max_tokens": 1}, const("b")]}
        )
        assert found == {(2,), (0, 2), (1, 2), (2, 2)}


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("{", "not JSON"),
        ([], "is an object, not list"),
        ({"type": "structural_tag"}, "has a format"),
        ({"type": "structural_tag", "format": 1}, r"a format is an object, not int \(at /format\)"),
        ({"type": "what"}, "'what' is no type of a format; there are const_string.*at /type"),
        ({"type": "const_string"}, r"value must be a string, not None \(at /value\)"),
        (const("\ud800"), r"value has half of a surrogate pair, which is no character \(at /value\)"),
        ({**CALL, "type": "tag", "end": ["x", "\ud800"]}, "half of a surrogate pair.*at /end"),
        ({"type": "token", "token": "\ud800"}, "half of a surrogate pair.*at /token"),
        ({"type": "dispatch", "rules": [["\ud800", const("c")]]}, "half of a surrogate pair.*at /rules/0/0"),
        ({"type": "sequence", "elements": []}, "non-empty array.*at /elements"),
        (
            {"type": "or", "elements": [const("a"), {"type": "regex", "pattern": "("}]},
            "at /elements/1/pattern",
        ),
        ({"begin": "a", "end": "b"}, "tag has a field content, which is missing"),
        ({"begin": "a", "content": const("b")}, "at /end"),
        (
            {"begin": "a", "content": {"type": "any_text"}, "end": ""},
            "free text needs an end that is not empty",
        ),
        ({"type": "repeat", "min": 3, "max": 2, "content": const("a")}, "max at least min"),
        ({"type": "triggered_tags", "triggers": [""], "tags": [CALL]}, "must hold non-empty strings"),
        (
            {"type": "triggered_tags", "triggers": ["<c", "<call"], "tags": [CALL]},
            "several triggers.*/tags/0/begin",
        ),
        ({"type": "triggered_tags", "triggers": ["x"], "tags": [CALL]}, "no trigger"),
        ({"type": "tags_with_separator", "tags": [CALL]}, "separator must be a string"),
        ({"type": "token", "token": 1.5}, "token must be an id or a name"),
        ({"type": "any_text", "max_tokens": -1}, "must not be negative"),
        ({"structures": {}, "triggers": ["a"]}, "structures is an array"),
        ({"type": "grammar", "grammar": "root ::="}, None),
        (
            {
                "type": "json_schema",
                "json_schema": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
            },
            "uniqueItems",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tag: Any, said: str | None) -> None:
    if said is None:
        assert sg.compile(sg.StructuralTag(tag)).accepts("")
        return
    with pytest.raises(sg.StructgenError, match=said):
        sg.compile(sg.StructuralTag(tag))


@pytest.mark.parametrize(
    ("form", "keyword"),
    [
        ({"type": "json_schema", "json_schema": {}, "style": "qwen_xml"}, "style"),
        ({"type": "json_schema", "json_schema": {}, "excludes": ["a"]}, "excludes"),
        ({"type": "any_tokens", "exclude_tokens": ["<x>"]}, "exclude_tokens"),
    ],
)
def test_what_cannot_be_enforced_is_refused(form: dict[str, Any], keyword: str) -> None:
    with pytest.raises(sg.Unsupported) as refused:
        sg.compile(sg.StructuralTag(form))
    assert (refused.value.keyword, refused.value.pointer) == (keyword, f"/{keyword}")
    assert refused.value.remedy


def test_formats_may_be_nested_but_not_without_end() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return const("a") if depth == 0 else {"type": "sequence", "elements": [nested(depth - 1)]}

    assert sg.compile(sg.StructuralTag(nested(50))).accepts("a")
    with pytest.raises(sg.InvalidSource, match="nested deeper than"):
        sg.compile(sg.StructuralTag(nested(300)))
