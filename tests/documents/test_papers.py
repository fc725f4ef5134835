"""Generated documents of every kind, language and layout: their answers are found, and boxes cover their glyphs."""

from __future__ import annotations

from conformance.documents import judged
from papers import KINDS, papers
from papers.facts import LANGUAGES
from papers.layouts import LAYOUTS


def test_answers_stand_where_they_were_written_and_boxes_cover_them():
    """`python -m conformance documents` judges 200 of them, of up to 30 pages."""
    counts = judged(papers(seed=1, count=48, most_pages=2))
    assert set(counts) == set(KINDS)
    for count in counts.values():
        assert count.faults == []
        assert count.spans == count.values > 0
    assert counts["pdf"].drawn == counts["pdf"].judged == counts["pdf"].values
    assert sum(count.documents for count in counts.values()) == 48


def test_documents_are_of_every_kind_and_the_same_every_time():
    first, second = list(papers(3, 24, 1)), list(papers(3, 24, 1))
    assert [one.values for one in first] == [one.values for one in second]
    assert {one.kind for one in first} == set(KINDS)
    assert {one.language for one in first} == set(LANGUAGES)
    assert {one.layout for one in first} == set(LAYOUTS)
