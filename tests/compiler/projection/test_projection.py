"""The nearest text: against every text of small languages by an oracle of its own, and on answers that models give."""

from __future__ import annotations

import heapq
import re
from itertools import product
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import structgen as sg
from pushdowns import accepts, pushdowns
from structgen.compiler.compiled import Components
from structgen.compiler.projection import Projector
from structgen.compiler.projection import weights as w
from structgen.compiler.projection.lattice import Lattice
from structgen.tokens.vocabulary import BYTES

LONGEST = 4


def distance(answer: str, text: str) -> int:
    """The least weight of edits that turn an answer into one text: Dijkstra over (place, bytes written, mode)."""
    lattice, wanted = Lattice.of(answer.encode()), text.encode()
    following, cheap, alone, run, replaced, enter, leave = (column.tolist() for column in lattice.places)
    rows = [
        list(zip(*(column.tolist() for column in kind[1:]), strict=True))
        for kind in (lattice.arcs, lattice.drops)
    ]
    skips = list(zip(*(column.tolist() for column in lattice.skips[1:]), strict=True))
    begin = [kind[0].tolist() for kind in (lattice.arcs, lattice.drops, lattice.skips)]
    adding, in_runs = w.inserting().tolist(), w.adding_in_runs().tolist()
    queue, done = [(0, 0, 0, "before")], set[tuple[int, int, str]]()
    while queue:
        spent, place, k, mode = heapq.heappop(queue)
        if (place, k, mode) in done:
            continue
        done.add((place, k, mode))
        last = place == len(following) - 1
        if last and mode == "after":
            return spent
        ways: list[tuple[int, int, int, str]] = []
        if mode in ("before", "after"):
            ways += [(cost, to, k, mode) for to, cost in skips[begin[2][place] : begin[2][place + 1]]]
        if mode == "before" and (following[place] >= 0 or last):
            ways.append((enter[place], place, k, "text"))
        if mode in ("text", "deleting", "adding"):
            for to, byte, cost in rows[0][begin[0][place] : begin[0][place + 1]]:
                if k < len(wanted) and wanted[k] == byte:
                    ways.append((cost, to, k + 1, "text"))
            if following[place] >= 0 or last:
                if k == len(wanted):
                    ways.append((leave[place], place, k, "after"))
                else:
                    if cheap[place]:
                        ways.append((min(len(wanted) - k, w.LONGEST_CUT), place, len(wanted), "after"))
                    ways.append((adding[wanted[k]], place, k + 1, "text"))
                    more = 0 if mode == "adding" else w.OPEN_INSERT
                    ways.append((in_runs[wanted[k]] + more, place, k + 1, "adding"))
            if following[place] >= 0:
                ways.append((alone[place], following[place], k, "text"))
                more = 0 if mode == "deleting" else w.OPEN_DELETE
                ways.append((run[place] + more, following[place], k, "deleting"))
                if k < len(wanted):
                    ways.append((replaced[place], following[place], k + 1, "text"))
                ways += [(cost, to, k, "text") for to, cost in rows[1][begin[1][place] : begin[1][place + 1]]]
        for cost, *point in ways:
            heapq.heappush(queue, (spent + cost, *point))  # type: ignore[misc]
    raise AssertionError("every text can be written")


LETTERS = st.text('ab1"[,TN ', max_size=6)


@given(
    st.lists(st.text('abt1"[', min_size=1, max_size=4), min_size=1, max_size=4, unique=True),
    LETTERS,
    st.booleans(),
)
@settings(max_examples=60)
def test_the_text_is_the_nearest_of_a_finite_language(words, answer, lazy):
    constraint = sg.compile(words, regime="lazy" if lazy else "expanded")
    found = constraint.projector.nearest(answer)
    least = min(distance(answer, word) for word in words)
    assert found.text in words
    assert round(found.distance * w.ONE) == distance(answer, found.text) == least


@given(pushdowns(), st.text("abc", max_size=4))
@settings(max_examples=60)
def test_no_text_of_a_recursive_language_is_nearer(automaton, answer):
    texts = [
        "".join(text)
        for length in range(LONGEST + 1)
        for text in product("abc", repeat=length)
        if accepts(automaton, tuple(" abc".index(one) for one in text))
    ]
    found = Projector(Components(automaton, BYTES)).nearest(answer)
    if found is None:
        assert not texts
        return
    assert accepts(automaton, tuple(" abc".index(one) for one in found.text))
    spent = round(found.distance * w.ONE)
    assert spent == distance(answer, found.text)
    assert all(distance(answer, text) >= spent for text in texts)


class Line(BaseModel):
    name: str
    price: float


class Bill(BaseModel):
    vendor: str
    status: Literal["open", "paid", "in_dispute"]
    total: float
    note: str | None
    lines: list[Line]
    urgent: bool


WHOLE = (
    '{"vendor": "Åse & Co", "status": "in_dispute", "total": 12.5, "note": null, '
    '"lines": [{"name": "a \\"b\\" c", "price": 3.0}], "urgent": true}'
)
BILL = sg.compile(Bill)
KEPT = Bill.model_validate_json(WHOLE)


@pytest.mark.parametrize(
    ("answer", "least", "most"),
    [
        (f"```json\n{WHOLE}\n```", 0.01, 0.5),
        (f'Sure, here\'s {{it}}:\n\n{WHOLE}\n\nIt has "urgent" set.', 0.01, 1),
        (WHOLE.removesuffix("}"), 0.01, 0.1),
        (repr(WHOLE).strip("'").replace('"', '\\"').join('""'), 0.01, 3),
        (str(KEPT.model_dump()), 0, 1),
        (WHOLE.replace("12.5", '"12.50"').replace("true", '"True"'), 0.1, 1.5),
        (WHOLE.replace('"in_dispute"', '"In Dispute"'), 0.1, 0.6),
        (WHOLE.replace("in_dispute", "in_disptue").replace(", ", ",\n", 1), 1, 2.5),
        (WHOLE.replace('"lines"', "lines").replace("}],", "},],"), 0.01, 0.2),
        (WHOLE.replace('"urgent"', '// yes\n"extra": {"a": [1, 2]}, "urgent"'), 1, 6),
        (f'{{"answer": {WHOLE}}}', 0.1, 4),
        (WHOLE.replace("é", "\\u00e9").replace("Å", "\\u00c5") + ",", 0.01, 0.5),
    ],
)
def test_the_value_of_a_damaged_answer_is_found(answer, least, most):
    found = BILL.project(answer)
    assert BILL.parse(found.text) == KEPT
    assert least <= found.distance <= most
    assert found.edits


@given(st.data())
@settings(max_examples=30)
def test_the_edits_turn_the_answer_into_the_text(data):
    """Whatever is cut out of an answer or put into it, the result is accepted, and the edits are the difference."""
    low = data.draw(st.integers(0, len(WHOLE)))
    high = data.draw(st.integers(low, min(len(WHOLE), low + 9)))
    answer = WHOLE[:low] + data.draw(st.sampled_from(["", "x", "é", '"', "{", "12"])) + WHOLE[high:]
    found = BILL.project(answer)
    text = answer
    for edit in reversed(found.edits):
        assert text[edit.start : edit.end] == edit.found
        text = text[: edit.start] + edit.text + text[edit.end :]
    assert BILL.accepts(found.text)
    assert text == found.text


def test_an_answer_that_is_far_away_is_refused():
    with pytest.raises(sg.Rejected, match="no valid text is near this answer within a distance of 5"):
        BILL.project("I am sorry, but I cannot help with that.", most=5)
    assert BILL.project(WHOLE).distance == 0


def test_repeated_elements_are_left_out():
    constraint = sg.compile({"type": "array", "items": {"type": "object"}, "uniqueItems": True})
    assert constraint.project('[{"a":1},{"b":2},{"a":1}').text in (
        '[{"a": 1}, {"b": 2}]',
        '[{"a":1},{"b":2}]',
    )


def test_members_in_any_order_are_completed():
    constraint = sg.compile(Line, order="any")
    found = constraint.project('{"price": "3"')
    assert re.sub(r"\s", "", found.text) == '{"price":3,"name":""}'
