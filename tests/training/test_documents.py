"""The generator's laws: seeded, honest about where values stand, and split without leaks."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from training import phrases
from training.documents import SPLITS, Sample, make_sample
from training.genres import GENRES
from training.page import Page, spaced
from training.phrases import LANGUAGES, MONTHS, NUMERALS
from training.pools import Pools, held_out, make_pools
from training.stories import STORIES, slots_of
from training.tellings import make_story
from training.tools import TOOLS
from training.wording import OPTIONS


@pytest.fixture(scope="module")
def pools() -> Pools:
    return make_pools(size=400)


def samples(pools: Pools, count: int, split: str = "train", seed: int = 3) -> Iterator[Sample]:
    rng = random.Random(seed)
    return (make_sample(rng, pools, split) for _ in range(count))


def scalars(value: object, pointer: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from scalars(part, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from scalars(part, f"{pointer}/{index}")
    else:
        yield pointer, value


def test_equal_seeds_give_equal_samples(pools: Pools) -> None:
    assert list(samples(pools, 50)) == list(samples(pools, 50))
    assert make_pools(size=100) == make_pools(size=100)


def test_equal_seeds_give_equal_samples_in_every_process() -> None:
    program = (
        "import hashlib, random\n"
        "from training.documents import make_sample\n"
        "from training.pools import make_pools\n"
        "pools, rng = make_pools(0, 120), random.Random(1)\n"
        "print(hashlib.sha256(repr([make_sample(rng, pools) for _ in range(30)]).encode()).hexdigest())\n"
    )
    root = Path(__file__).parents[2]
    prints = set()
    for seed in ("1", "2"):
        path = os.pathsep.join([str(root), str(root / "engine")])
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
        )
        prints.add(done.stdout)
    assert len(prints) == 1


@pytest.fixture(scope="module")
def drawn(pools: Pools) -> dict[str, list[Sample]]:
    return {split: list(samples(pools, 3400, split)) for split in SPLITS}


def every(drawn: dict[str, list[Sample]]) -> Iterator[Sample]:
    return chain.from_iterable(drawn.values())


def at(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def schema_at(schema: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """The part of a schema that speaks about the value at a pointer."""
    if isinstance(value, dict) and "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if one["properties"]["name"]["const"] == value["name"])
    for part in pointer.split("/")[1:]:
        schema = schema["items"] if part.isdigit() and "items" in schema else schema["properties"][part]
    if "anyOf" in schema:
        known = [one for one in schema["anyOf"] if one != {"type": "null"}]
        return known[0] if len(known) == 1 else {"anyOf": known}
    return schema


def readings(surface: str) -> set[Decimal]:
    """The numbers that a surface may spell, in English and on the continent."""
    words = {word: number for one in NUMERALS.values() for number, word in enumerate(one, 1)}
    if surface in words:
        return {Decimal(words[surface])}
    factor = 1000 if surface[-1] in "kK" else 1
    text = surface.rstrip("kK").replace(" ", "")
    found = set()
    for thousands, point in ((",", "."), (".", ",")):
        try:
            found.add(factor * Decimal(text.replace(thousands, "").replace(point, ".")))
        except InvalidOperation:
            continue
    return found


def tells(surface: str, schema: dict[str, Any], value: Any) -> bool:
    """Is the value what a careful reader takes from the surface?"""
    numbers = [int(one) for one in re.findall(r"\d+", surface)]
    if not isinstance(value, str):
        return value in readings(surface)
    if "enum" in schema:
        return plain(surface) == plain(value) or any(
            surface in wordings
            for options in OPTIONS.values()
            for option, wordings in options.items()
            if plain(option) == plain(value)
        )
    if schema.get("format") == "date":
        year, month, day = map(int, value.split("-"))
        names = {MONTHS[language][month - 1][:3] for language in LANGUAGES}
        return {year, day} <= set(numbers) and (month in numbers or any(one in surface for one in names))
    if schema.get("format") == "time":
        hour, minute, _ = map(int, value.removesuffix("Z").split(":"))
        return numbers[0] % 12 == hour % 12 and numbers[1] == minute and ("pm" not in surface or hour >= 12)
    if schema.get("format") == "date-time":
        return numbers == [int(one) for one in re.findall(r"\d+", value)]
    return surface == value


def plain(text: str) -> str:
    return re.sub(r"[ _-]", "", text).casefold()


def test_every_span_tells_its_value(drawn: dict[str, list[Sample]]) -> None:
    for sample in every(drawn):
        for span in sample.spans:
            assert sample.document[span.start : span.end] == span.surface
            value = at(sample.value, span.pointer)
            if not isinstance(value, bool):
                schema = schema_at(sample.schema, span.pointer, sample.value)
                assert tells(span.surface, schema, value), (span, value, schema)


def test_no_words_say_both_true_and_false(drawn: dict[str, list[Sample]]) -> None:
    said: dict[bool, set[str]] = {True: set(), False: set()}
    for sample in every(drawn):
        for span in sample.spans:
            value = at(sample.value, span.pointer)
            if isinstance(value, bool):
                said[value].add(span.surface)
    assert said[True]
    assert said[False]
    assert not said[True] & said[False]


def test_spans_are_ordered_and_apart_and_one_for_each_value(drawn: dict[str, list[Sample]]) -> None:
    for sample in every(drawn):
        ends = [0, *(span.end for span in sample.spans)]
        assert all(end <= span.start for end, span in zip(ends, sample.spans, strict=False))
        pointers = [span.pointer for span in sample.spans]
        assert len(set(pointers)) == len(pointers)


def test_every_value_has_a_span_unless_the_page_does_not_show_it(drawn: dict[str, list[Sample]]) -> None:
    for sample in every(drawn):
        placed = {span.pointer for span in sample.spans}
        for pointer, value in scalars(sample.value):
            told = value is not None and value != "" and pointer not in unshown(sample)
            assert (pointer in placed) == told, (pointer, sample)


def unshown(sample: Sample) -> set[str]:
    """A tool's name and a choice are concluded from the whole text."""
    if sample.value.keys() == {"name", "arguments"}:
        return {"/name"}
    return {"/choice"} if sample.value.keys() == {"choice"} and not sample.spans else set()


def test_values_obey_their_schema(drawn: dict[str, list[Sample]]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    for sample in every(drawn):
        assert jsonschema.Draft202012Validator(sample.schema).is_valid(sample.value), sample


def test_every_document_says_something(drawn: dict[str, list[Sample]]) -> None:
    assert all(sample.document.strip() for sample in every(drawn))


def test_the_first_member_of_an_object_is_present(drawn: dict[str, list[Sample]]) -> None:
    def check(schema: dict[str, Any], value: Any) -> None:
        if isinstance(value, list):
            for one in value:
                check(schema["items"], one)
        elif isinstance(value, dict) and schema["properties"]:
            assert next(iter(schema["properties"])) in value
            assert list(value) == [name for name in schema["properties"] if name in value]
            for name, part in value.items():
                check(schema["properties"][name], part)

    for sample in every(drawn):
        if "anyOf" not in sample.schema:
            check(sample.schema, sample.value)


def test_held_out_values_are_in_no_training_pool(pools: Pools, drawn: dict[str, list[Sample]]) -> None:
    known = {text for kind, texts in pools.train.items() if kind != "word" for text in texts}
    for sample in chain(drawn["values"], drawn["names"]):
        for span in sample.spans:
            schema = schema_at(sample.schema, span.pointer, sample.value)
            if schema in ({"type": "string"}, {"type": "string", "format": "email"}):
                assert span.surface not in known


def test_the_generator_covers_what_schemas_ask_for(drawn: dict[str, list[Sample]]) -> None:
    arrays = [one for one in drawn["train"] if '"array"' in json.dumps(one.schema)]
    calls = [one for one in drawn["train"] if one.value.keys() == {"name", "arguments"}]
    sizes = {len(part) for one in arrays for part in one.value.values() if isinstance(part, list)}
    assert 0.35 < len(arrays) / len(drawn["train"]) < 0.55
    assert any(isinstance(part, list) and part and isinstance(part[0], str) for part in values_of(calls))
    assert {} in [one.value["arguments"] for one in calls]
    assert 0.07 < len(calls) / len(drawn["train"]) < 0.16
    assert sizes == {0, 1, 2, 3, 4, 5}
    assert sum("anyOf" in one.schema for one in calls) > len(calls) / 3


def values_of(calls: list[Sample]) -> Iterator[Any]:
    return chain.from_iterable(one.value["arguments"].values() for one in calls)


def test_stories_tell_facts_in_prose_and_in_other_languages(pools: Pools) -> None:
    told = [make_story(Page(random.Random(seed), pools.train, "train", "en", "")) for seed in range(600)]
    nested = [one for one in told if any(isinstance(part, dict) for part in one.value.values())]
    lists = [part for one in told for part in one.value.values() if isinstance(part, list) and part]
    assert sum(isinstance(part[0], dict) for part in lists) > 40
    assert sum(isinstance(part[0], str) for part in lists) > 100
    assert len(nested) > 40
    assert {story.language for story in STORIES} == set(LANGUAGES)
    assert not any(re.search(r"\{@?\w+[~#/]?\}|<\w+>", one.document) for one in told)


def test_a_corrected_value_is_not_the_answer() -> None:
    text = "not {date~} but {date}, for {people#} people: {people}"
    assert slots_of(text) == ["date", "people"]


def test_there_are_as_many_phrases_and_tools_as_promised() -> None:
    roles = [role for genre in GENRES for role in [*genre.roles.values(), *genre.columns.values()]]
    assert sum(len(genre.sentences) + len(genre.rows) for genre in GENRES) >= 200
    assert sum(len(role.clauses) for role in roles) >= 300
    assert len({f"{tool.verb}_{tool.noun}" for tool in TOOLS}) >= 200


def test_pools_never_mix() -> None:
    pools = make_pools(size=400)
    for kind, values in pools.train.items():
        assert not set(values) & set(pools.held[kind])
        assert not any(map(held_out, values))
        assert values
        assert pools.held[kind]


def test_training_never_sees_held_out_names(pools: Pools, drawn: dict[str, list[Sample]]) -> None:
    held = {
        spaced(name)
        for genre in GENRES
        for role in [*genre.roles.values(), *genre.columns.values()]
        for name in role.names
        if held_out(name, 5)
    } | {
        spaced(name)
        for story in STORIES
        for role in [*story.fields.values(), *story.many.values()]
        for name in role.names
        if held_out(name, 5)
    }
    asked = [one.schema for one in drawn["train"] if one.value.keys() != {"name", "arguments"}]
    seen = {spaced(name) for schema in asked for name in names_in(schema)}
    allowed = {spaced(name) for names in phrases.NAMES.values() for name in names if not held_out(name, 5)}
    words = set(pools.train["word"])
    assert held
    leaked = {name for name in seen & held - allowed if not set(name.split()) <= words}
    assert not leaked


def names_in(schema: dict[str, Any]) -> Iterator[str]:
    for name, part in schema.get("properties", {}).items():
        yield name
        yield from names_in(part)
    if "items" in schema:
        yield from names_in(schema["items"])


def test_samples_are_frozen() -> None:
    assert [one.name for one in fields(Sample)] == ["schema", "document", "value", "spans"]
