"""The compiled automaton and jsonschema agree on every small value: a judge that shares nothing with structgen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from conformance import enumerated
from conformance.enumerated import TERMS, Compared, compared
from conformance.fuzz import Maker
from conformance.suites import DRAFTS, Group, official, suite_of
from structgen import JsonSchema


def _agreed(groups: Iterable[Group]) -> list[Compared]:
    found = {group.name: compared(group) for group in groups}
    assert {name: one for name, one in found.items() if one.accepted or one.rejected} == {}
    return list(found.values())


def test_random_schemas_accept_what_is_valid_and_nothing_else():
    found = _agreed(Group(f"seed {seed}", Maker(seed).document(), ()) for seed in range(80))
    assert sum(not one.refused for one in found) > 65
    assert sum(one.valid for one in found) > 10_000
    assert sum(one.invalid for one in found) > 10_000


@pytest.mark.parametrize("draft", DRAFTS)
def test_schemas_of_every_draft_accept_what_is_valid_and_nothing_else(draft: str):
    suite = suite_of(draft)
    if suite is None:
        pytest.skip(
            f"no official suite of draft {draft}: JSON_SCHEMA_TEST_SUITE may name its folder or archive"
        )
    found = _agreed(official(draft, suite, 15, 2))
    assert sum(not one.refused for one in found) > 0.8 * len(found)


def test_the_judge_notices_what_is_accepted_or_rejected_wrongly(monkeypatch: pytest.MonkeyPatch):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}}
    group = Group("integers", schema, ())
    assert compared(group).accepted == compared(group).rejected == ()
    assert compared(group, replace(TERMS, additional="declared")).rejected
    assert compared(group, replace(TERMS, order="declared")).rejected
    monkeypatch.setattr(enumerated, "source_of", lambda group, terms: JsonSchema({"type": "object"}))
    assert '{"a": false}' in compared(group).accepted
