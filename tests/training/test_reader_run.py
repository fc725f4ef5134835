"""A run of the reader: it learns, goes on from its checkpoint, and what it exports can be begun with again."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest
import torch

pytest.importorskip("faker")
pytest.importorskip("mimesis")

from readers import pieces_of, reader_of, states_of
from structgen_mini.reader.stored import load_reader
from training.reader.beginnings import Beginning
from training.reader.lessons import Lesson, Teacher
from training.reader.material import queued
from training.reader.objective import examined
from training.reader.run import ReaderRun, export
from training.samples import Sample
from training.written import unmarked

PIECES = pieces_of()
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": ["integer", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "paid": {"type": "boolean"},
    },
}


def drawn(rng: random.Random) -> Sample:
    name, age = rng.choice(["Ann", "Bob", "Eva"]), str(rng.randint(10, 99))
    document, spans = unmarked(f"I am ⟦/name|{name}⟧, ⟦/age|{age}⟧. ⟦/tags/0|red⟧ or ⟦/tags/1|blue⟧")
    return Sample(
        SCHEMA, document, {"name": name, "age": int(age), "tags": ["red", "blue"], "paid": True}, spans
    )


def lessons(count: int) -> list[list[Lesson]]:
    rng = random.Random(4)
    teacher = Teacher(PIECES.split, rng, limit=160, said=0, opaque=0)
    return list(islice(queued(teacher, lambda: drawn(rng), 600), count))


def test_batches_hold_lessons_of_about_one_length():
    for batch in lessons(6):
        longest = max(len(one.page.ids) for one in batch)
        assert len(batch) == 1 or len(batch) * longest <= 600


def test_a_run_learns_what_it_is_taught():
    run, given = ReaderRun.start(reader_of()), lessons(1)[0][:4]
    losses = [run.learn(PIECES, given, random.Random(0), 0.0) for _ in range(40)]
    assert losses[-1] < losses[0] / 3
    right = examined(run.reader, PIECES, given)
    found, known = map(int, right["spans"].split("/"))
    assert found > known / 2


def test_what_is_kept_does_not_change():
    reader = reader_of()
    before = {name: weight.clone() for name, weight in reader.state_dict().items()}
    run = ReaderRun.start(reader)
    run.learn(PIECES, lessons(1)[0], random.Random(0), 0.0)
    changed = {name for name, weight in reader.state_dict().items() if not torch.equal(weight, before[name])}
    assert not {name for name in changed if name.startswith(("layers.0", "norm", "positions"))}
    assert {"line", "start.weight", "layers.1.query.weight"} <= changed


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path):
    one, two, three = lessons(3)
    whole, begun = ReaderRun.start(reader_of()), ReaderRun.start(reader_of())
    for batch in (one, two):
        whole.learn(PIECES, batch, random.Random(0), 0.0)
        begun.learn(PIECES, batch, random.Random(0), 0.0)
    begun.save(tmp_path / "checkpoint.pt")
    again = ReaderRun.start(reader_of())
    again.load(tmp_path / "checkpoint.pt")
    assert again.lessons == whole.lessons
    losses = [run.learn(PIECES, three, random.Random(0), 0.0) for run in (whole, again)]
    assert losses[0] == losses[1]
    for name, weight in whole.averaged.state_dict().items():
        assert torch.equal(weight, again.averaged.state_dict()[name])


def test_an_exported_reader_is_a_beginning(tmp_path: Path):
    run = ReaderRun.start(reader_of())
    run.learn(PIECES, lessons(1)[0], random.Random(0), 0.0)
    path = tmp_path / "reader.safetensors"
    export(run, Beginning(run.reader, PIECES, {}), path)
    again = Beginning.read(path)
    ids = [0, *PIECES.split("Ann")[0], 2]
    old, new = (states_of(one, PIECES, ids) for one in (run.averaged, load_reader(path)[0]))
    assert float((old - new).norm() / old.norm()) < 0.05
    assert ReaderRun.start(again.reader).learn(again.pieces, lessons(1)[0], random.Random(0), 0.0) > 0
