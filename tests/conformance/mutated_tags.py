"""Structural tags to mutate: one or more of every format, changed as trees and as JSON text."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
A, B = {"type": "const_string", "value": "a"}, {"type": "regex", "pattern": "[bc]{2}"}
JSON_FORMAT = {"type": "json_schema", "json_schema": SCHEMA}
CALL = {"begin": "<call=f>", "content": JSON_FORMAT, "end": "</call>"}
TOKEN = {"type": "token", "token": 7}
FORMATS: tuple[Any, ...] = (
    {"type": "sequence", "elements": [A, {"type": "optional", "content": B}, {"type": "plus", "content": A}]},
    {"type": "or", "elements": [A, {"type": "grammar", "grammar": 'root ::= "(" root ")" | "x"'}]},
    {"type": "repeat", "min": 1, "max": 3, "content": {"type": "star", "content": B}},
    {"type": "tag", **CALL},
    {
        "type": "triggered_tags",
        "triggers": ["<call="],
        "tags": [CALL],
        "at_least_one": True,
        "stop_after_first": False,
    },
    {
        "type": "tags_with_separator",
        "tags": [CALL, {**CALL, "begin": "<call=g>"}],
        "separator": ", ",
        "at_least_one": True,
    },
    {
        "type": "tag",
        "begin": "<think>",
        "content": {"type": "any_text", "excludes": ["<call"]},
        "end": "</think>",
    },
    {"type": "sequence", "elements": [TOKEN, {"type": "exclude_token", "exclude_tokens": [3, 9]}, A]},
    {"type": "sequence", "elements": [{"type": "any_text", "max_tokens": 4, "max_chars": 20}, A]},
    {
        "type": "token_triggered_tags",
        "trigger_tokens": [7],
        "tags": [{"begin": TOKEN, "content": A, "end": "x"}],
    },
    {"type": "dispatch", "rules": [["ab", A], ["ba", B]], "loop": False},
    {"structures": [{"begin": "<f>", "schema": SCHEMA, "end": "</f>"}], "triggers": ["<f"]},
)
TAGS = tuple(one if "structures" in one else {"type": "structural_tag", "format": one} for one in FORMATS)
BITS: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**9,
    "",
    "a",
    "<",
    "(",
    "\ud800",
    "ä",
    [],
    [[]],
    {},
    "root",
    A,
    CALL,
    SCHEMA,
)


def mutated_tag(draw: random.Random) -> Any:
    """A tag with at most three changes, as a tree; or as JSON text, of which one to three characters are changed."""
    tag = copy.deepcopy(draw.choice(TAGS))
    for _ in range(draw.choice((0, 1, 1, 2, 3))):
        _change(tag, draw)
    if draw.random() < 0.6:
        return tag
    text = json.dumps(tag)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(text))
        text = text[:at] + draw.choice('{}[]",:0a\\ -\u0000') + text[at + draw.randint(0, 2) :]
    return text


def _change(tag: Any, draw: random.Random) -> None:
    """Replace, drop, double or rename one part of a tree, or take a part of another tag for it."""
    places = [*_places(tag)]
    if not places:  # nothing is left to change
        return
    parent, key = draw.choice(places)
    kind = draw.randrange(5)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    elif kind == 2 and isinstance(parent, dict):
        parent[draw.choice(["type", "content", "tags", "begin", "end", "elements", "x"])] = parent.pop(key)
    elif kind == 3:
        other, at = draw.choice([*_places(draw.choice(TAGS))])
        parent[key] = copy.deepcopy(other[at])
    else:
        parent[key] = copy.deepcopy(draw.choice(BITS))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every part of a tree, as what it is in and its key there."""
    for key, part in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield tree, key
        if isinstance(part, dict | list):
            yield from _places(part)
