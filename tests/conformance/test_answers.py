"""A few generated documents and planted faults through extract: valid, exact, and nothing wrong in silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

import structgen as sg
from conformance.faults import KINDS, named, planted
from conformance.papers_read import tally, together
from papers import papers


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


def test_answers_are_valid_and_their_spans_and_boxes_exact(model: sg.Model):
    found = together(tally(model, paper) for paper in papers(5, 6, 1))
    assert (found.documents, found.valid, found.faults) == (6, 6, [])
    assert found.spans == found.right > found.values // 2
    assert found.boxes.drawn == found.boxes.judged > 0


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"absent"}))  # of absent facts some are missed
def test_a_planted_fault_is_named(model: sg.Model, kind: str):
    assert [named(model, fault) for fault in planted(kind, 1, 903, 1)] == [None]


def test_a_document_without_its_fault_is_told_from_one_with_it(model: sg.Model):
    (fault,) = planted("list", 1, 903, 1)
    (name,) = fault.schema["properties"]
    del fault.schema["properties"][name]["maxItems"]
    assert named(model, replace(fault, name="whole")) is not None
