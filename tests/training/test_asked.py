"""Further questions about written documents can be read: each names its document, and its words stand there once."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from training.asked import FURTHER, Asked, AskedError, asked_documents, asked_in
from training.written import FOLDER, written_documents

TEXTS = {"post 0": ("letter", "Ann owes Bob 12 euros.\nBob owes Eva 12 euros.")}


def read(tmp_path: Path, table: str) -> list[Asked]:
    (tmp_path / "one.txt").write_text(table, encoding="utf-8")
    return list(asked_in(tmp_path / "one.txt", TEXTS))


def test_every_table_can_be_read_and_its_questions_have_names_of_their_own() -> None:
    asked = list(asked_documents())
    for one in asked:
        assert len({question.name for question in one.questions}) == len(one.questions), one.document
    tables = sorted(FURTHER.glob("*.txt"))
    lines = [line for path in tables for line in path.read_text(encoding="utf-8").splitlines()]
    questions = [line for line in lines if line.strip() and not line.startswith(("@", "=", ">"))]
    assert sum(len(one.questions) for one in asked) == len(questions)
    known = {document.kind for path in FOLDER.glob("*.toml") for document in written_documents(path)}
    named = sum(line.startswith("@ ") for line in lines)
    assert sum(one.kind in known for one in asked) >= named


def test_yes_is_as_often_right_as_no() -> None:
    answers = [value for one in asked_documents() for value in one.sample().value.values()]
    assert 0.4 <= answers.count(True) / (answers.count(True) + answers.count(False)) <= 0.6


def test_a_line_says_type_name_description_and_answer(tmp_path: Path) -> None:
    table = """@ post 0
boolean | all_paid | whether nobody owes | false
choice | mood | | glad / neutral | neutral
text | creditor_of_ann | whom she owes | Ann owes ⟦Bob⟧
integer | last_sum | | Eva ⟦12⟧ euros
absent | due | day of payment | date
"""
    (asked,) = read(tmp_path, table)
    one = asked.sample()
    assert one.value == {
        "all_paid": False,
        "mood": "neutral",
        "creditor_of_ann": "Bob",
        "last_sum": "12",
        "due": None,
    }
    assert [(span.pointer, span.start, span.end) for span in one.spans] == [
        ("/creditor_of_ann", 9, 12),
        ("/last_sum", 36, 38),
    ]
    assert one.schema["properties"]["due"] == {
        "type": ["string", "null"],
        "format": "date",
        "description": "day of payment",
    }


def test_new_documents_stand_beside_their_questions(tmp_path: Path) -> None:
    (one,) = read(tmp_path, "= note | en\n> Call Eva.\n>\n> Soon!\ntext | callee | | Eva\n")
    assert (one.kind, one.document) == ("note", "Call Eva.\n\nSoon!")


def test_lists_are_found_in_order_and_columns_make_objects(tmp_path: Path) -> None:
    table = """= bill | en
> 2 rolls 2.00
> 1 tea 2.00
> Mill Lane 2
> Leeds
list | parts/name | | rolls ;; tea
list | parts/sum | | rolls ⟦2.00⟧ ;; 2.00
list | counts | | ⟦2⟧ rolls ;; 1
text | address | | Mill Lane 2⏎Leeds
"""
    (asked,) = read(tmp_path, table)
    one = asked.sample()
    assert one.value == {
        "parts": [{"name": "rolls", "sum": "2.00"}, {"name": "tea", "sum": "2.00"}],
        "counts": ["2", "1"],
        "address": "Mill Lane 2\nLeeds",
    }
    found = {span.pointer: span.start for span in one.spans}
    assert found == {
        "/parts/0/name": 2,
        "/parts/1/name": 15,
        "/parts/0/sum": 8,
        "/parts/1/sum": 19,
        "/counts/0": 0,
        "/counts/1": 13,
        "/address": 24,
    }


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("text | who | | Max", "stand 0 times"),
        ("text | who | | Bob", "stand 2 times"),
        ("choice | mood | | glad / sad | angry", "no option"),
        ("list | people | | Ann owes ;; Max", "behind the item before"),
        ("colour | hair | | red", "colour"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(AskedError, match=rf"one\.txt, line 2: .*{sentence}"):
        read(tmp_path, f"@ post 0\n{line}\n")


def test_some_of_a_document_keeps_each_answer_with_its_question(tmp_path: Path) -> None:
    lines = [f"boolean | b{number} | | {'true' if number % 2 else 'false'}" for number in range(20)]
    (one,) = read(tmp_path, "\n".join(["@ post 0", *lines, "text | who | | Eva"]))
    for seed in range(20):
        part = one.sample(random.Random(seed))
        assert 4 <= len(part.value) <= 14
        assert set(part.schema["properties"]) == set(part.value)
        assert all(one.sample().value[name] == value for name, value in part.value.items())
        assert {span.pointer for span in part.spans} == {"/who"} & {f"/{name}" for name in part.value}
