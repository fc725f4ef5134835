"""A filled scaffold without its nulls spells exactly the compact JSON of the value."""

from __future__ import annotations

import json
import random

import pytest

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from minis import SLOTS
from structgen_mini.prompt import prompt_text
from structgen_mini.scaffold import OPEN, compact, fill, scaffold
from training.canvases import cached, lay_out, make_example
from training.documents import make_sample
from training.evaluate import handwritten
from training.pools import make_pools
from training.schemas import outline_of
from training.tokenizer import EOS, NULL, load_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer()


def spelled(ids, tokenizer) -> str:
    return tokenizer.decode([token for token in ids if token != NULL], skip_special_tokens=False)


@pytest.mark.parametrize("vary", [False, True])
def test_removing_nulls_gives_the_compact_json(tokenizer, vary: bool) -> None:
    rng, pools, encode = random.Random(11), make_pools(size=300), cached(tokenizer)
    laid = 0
    for _ in range(300):
        sample = make_sample(rng, pools)
        placed = lay_out(sample, encode, rng, SLOTS, vary=vary)
        if placed is not None:
            laid += 1
            assert spelled(placed[0], tokenizer) == compact(sample.value)
    assert laid > 270


def test_scaffold_and_fill_agree_on_every_pinned_position(tokenizer) -> None:
    encode = cached(tokenizer)
    for problem in handwritten():
        outline = outline_of(problem.schema)
        plan = scaffold(outline, encode, NULL, slots=SLOTS)
        gold = fill(outline, problem.value, encode, NULL, slots=SLOTS)
        assert plan is not None
        if gold is None:  # a value longer than the default slot
            continue
        assert all(pinned in (OPEN, token) for pinned, token in zip(plan.ids, gold, strict=True))
        assert json.loads(spelled(gold, tokenizer)) == problem.value
        opened = [position for slot in plan.slots for position in range(slot.start, slot.start + slot.length)]
        assert opened == [position for position, token in enumerate(plan.ids) if token == OPEN]


def test_nulls_stand_behind_the_value_only(tokenizer) -> None:
    encode = cached(tokenizer)
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    plan = scaffold(outline_of(schema), encode, NULL, slots=SLOTS)
    gold = fill(outline_of(schema), {"name": "Ada Lovelace"}, encode, NULL, slots=SLOTS)
    assert plan is not None
    assert gold is not None
    (slot,) = plan.slots
    inside = gold[slot.start : slot.start + slot.length]
    value = encode("Ada Lovelace")
    assert inside == (*value, *[NULL] * (slot.length - len(value)))


def test_a_word_has_the_same_ids_after_a_space_and_a_quote(tokenizer) -> None:
    word = tokenizer.encode("Kowalski").ids
    for text in ("Marta Kowalski, 47", '{"name":"Kowalski","age":4}', 'called "Kowalski".'):
        ids = tokenizer.encode(text).ids
        assert any(ids[at : at + len(word)] == word for at in range(len(ids)))


def test_examples_end_with_eos_and_keep_the_skeleton_clean_in_slot_noise(tokenizer) -> None:
    rng, pools, encode = random.Random(2), make_pools(size=300), cached(tokenizer)
    made = [make_example(make_sample(rng, pools), tokenizer, encode, rng, SLOTS) for _ in range(100)]
    for example, bucket in filter(None, made):
        assert len(example.clean) == bucket.canvas
        assert EOS in example.clean
        assert len(example.prompt) <= bucket.prompt
        assert (example.noisy[example.weight == 0] == example.clean[example.weight == 0]).all()


def test_prompt_text_is_outline_then_document() -> None:
    schema = {"type": "object", "properties": {"paid": {"type": "boolean"}}, "required": ["paid"]}
    assert prompt_text(outline_of(schema), "paid: yes") == "paid:boolean\n#\npaid: yes"
