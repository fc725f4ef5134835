"""A few of the generated lists, in every form: each has all its items."""

from __future__ import annotations

import pytest

import structgen as sg
from conformance.lists import cases, dicts, judged


@pytest.fixture(scope="module")
def model() -> sg.Model:
    return sg.load()


def test_a_short_list_of_every_form_has_all_its_items(model: sg.Model):
    tally, faults = judged(model, cases(7, 12, 3))
    assert (tally.counted, tally.silent) == (12, 0), faults


def test_dicts_have_their_pairs(model: sg.Model):
    tally, faults = judged(model, dicts(4, 3))
    assert tally.silent == 0, faults
    assert tally.right * 10 >= tally.items * 8
