"""The series of a text: every part of a list is one, in order, whatever stands around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from structgen.reading.series import Series, series

WORDS = st.text("abcdefgh", min_size=1, max_size=8)
ROWS = st.lists(st.tuples(WORDS, st.integers(1, 999), WORDS), min_size=3, max_size=30)


def texts(one: Series, text: str) -> list[str]:
    return [text[part.start : part.end] for part in one.parts]


def cells(one: Series, text: str) -> list[list[str]]:
    return [[text[slice(*cell)] for cell in part.cells] for part in one.parts]


@given(st.lists(WORDS, min_size=2, max_size=30), st.sampled_from("-*•"))
def test_the_marked_lines_of_a_list_are_a_series(words: list[str], mark: str):
    text = "Here they are:\n\n" + "\n".join(f"{mark} {word}" for word in words) + "\n\nThank you."
    assert any(one.kind == "marked" and texts(one, text) == words for one in series(text))


@given(ROWS, st.sampled_from([",", ";", "\t", " | "]))
def test_the_rows_of_a_table_are_a_series_with_cells(rows: list[tuple[str, int, str]], sign: str):
    text = "\n".join(sign.join(map(str, row)) for row in [("name", "count", "place"), *rows])
    found = [one for one in series(text) if one.kind == "table" and one.head is not None]
    assert any(cells(one, text) == [list(map(str, row)) for row in rows] for one in found)


@given(st.lists(st.integers(1, 999), min_size=3, max_size=20))
def test_lines_with_common_words_have_what_differs_as_cells(counts: list[int]):
    rows = [(str(count), "a" * (at + 1), "b" * (at + 1)) for at, count in enumerate(counts)]
    text = "\n".join(f"- {count} X {name} AT {place} Z" for count, name, place in rows)
    assert any(
        cells(one, text) == [list(row) for row in rows] for one in series(text) if one.kind == "marked"
    )


def test_records_of_several_lines_are_the_parts_of_a_series():
    text = "Seen:\nName: Ada\nAge: 36\n---\nName: Ben\nAge: 41\n"
    (one,) = [one for one in series(text) if one.kind == "records"]
    assert cells(one, text) == [["Ada", "36"], ["Ben", "41"]]
    assert not any(other.kind == "pairs" for other in series(text))


def test_lines_that_count_on_have_a_part_for_each_number():
    text = "Signed:\n1 A. Roy   2 Ben Ito   3 S. Fox\n4 Eva   5 J. Lund\n\nTotal 5, web 212"
    found = [texts(one, text) for one in series(text) if one.kind == "marked"]
    assert ["A. Roy", "Ben Ito", "S. Fox", "Eva", "J. Lund"] in found
    assert not any(one.kind == "marked" for one in series("1 tea   2 rolls   4 eggs\n212 more"))


@pytest.mark.parametrize("boxes", ["(x) ( )", "[X] [ ]", "☑ ☐"])
def test_ticked_and_empty_boxes_mark_one_list(boxes: str):
    ticked, empty = (boxes[:3], boxes[-3:]) if len(boxes) > 3 else (boxes[0], boxes[-1])
    text = f"{ticked} roof – Sven\n{empty} stairs – Eva\n{ticked} doors – Ben"
    found = [texts(one, text) for one in series(text) if one.kind == "marked"]
    assert found == [["roof – Sven", "stairs – Eva", "doors – Ben"]]


def test_a_line_of_totals_is_no_part():
    text = "a,1\nb,2\nTotal,3"
    assert any(cells(one, text) == [["a", "1"], ["b", "2"]] for one in series(text) if one.kind == "table")


@pytest.mark.parametrize(
    "text", ["", "one line", "\n\n\n", "---\n***", '"', "a,\"b\nc,'d", "-\n-\n", ":\n:\n"]
)
def test_any_text_can_be_asked(text: str):
    for one in series(text):
        assert len(one.parts) > 1


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        (
            "compare [3, -4, 5] and (Ann, Bob) please",
            [["3", "-4", "5"], ["Ann", "Bob"]],
        ),
        (
            "A with the values 12, 24 and 36, B with the values 15 and 30.",
            [["12", "24", "36"], ["15", "30"]],
        ),
        ("in 2019 and on 3/4, 5/6", []),
    ],
)
def test_brackets_and_numbers_in_a_row_are_groups_of_one_sentence(text: str, groups: list[list[str]]) -> None:
    found = [one for one in series(text) if one.kind == "group"]
    assert [[text[part.start : part.end] for part in one.parts] for one in found] == groups


def test_a_label_that_all_cells_of_a_column_begin_with_is_no_part_of_them() -> None:
    text = "Line: oil; x 4; at: 7\nLine: tube; x 10; by: 5"
    (found,) = [one for one in series(text) if one.kind == "table"]
    cells = [[text[start:end] for start, end in part.cells] for part in found.parts]
    assert cells == [["oil", "x 4", "at: 7"], ["tube", "x 10", "by: 5"]]
