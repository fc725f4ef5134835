"""A sample of both suites on every run: nothing gets worse, and nothing invalid is ever accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import ratchet
from conformance.judge import by_automaton, by_grammar, judge
from conformance.suites import DRAFTS, MASKBENCH, Group, maskbench, official, suite_of
from structgen.sources import Terms

TABLES = ["maskbench", *map(ratchet.official, DRAFTS)]


def _some_of_maskbench() -> list[Group]:
    if not MASKBENCH.exists():
        pytest.skip(f"{MASKBENCH.name} is not in the folder of shared test data")
    return list(maskbench(45))


def _some_of_the_official_suite(draft: str) -> list[Group]:
    suite = suite_of(draft)
    if suite is None:
        pytest.skip(
            f"no official suite of draft {draft}: JSON_SCHEMA_TEST_SUITE may name its folder or archive"
        )
    return list(official(draft, suite, 4))


def test_nothing_gets_worse_on_maskbench_and_nothing_invalid_is_accepted():
    _judged("maskbench", _some_of_maskbench())


@pytest.mark.parametrize("draft", DRAFTS)
def test_nothing_gets_worse_in_any_draft_and_nothing_invalid_is_accepted(draft: str):
    _judged(ratchet.official(draft), _some_of_the_official_suite(draft))


def _judged(suite: str, groups: list[Group]) -> None:
    verdicts = [(group.name, judge(group)) for group in groups]
    assert [name for name, verdict in verdicts if verdict.rank in ("accepts", "crash")] == []
    assert ratchet.worse(suite, verdicts) == []


def test_no_table_forgives_a_false_acceptance():
    for suite in TABLES:
        assert (Path(ratchet.__file__).parent / f"{suite}.json").exists()
        assert [
            name for name, verdict in ratchet.expected(suite).items() if verdict.startswith("accepts")
        ] == []


def test_the_automaton_agrees_with_the_grammar():
    for group in _some_of_maskbench()[::4]:
        by_states = judge(group, by_automaton)
        if by_states.rank not in ("refused", "slow"):
            assert by_states == judge(group, by_grammar), group.name


def test_a_valid_instance_with_undeclared_members_is_no_other_false_rejection():
    closed = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    verdicts = {
        "right": ({"a": 1, "b": 2}, True),
        "reordered": ({"b": 2, "a": 1}, True),
        "undeclared": ({"c": 1, "a": 1}, True),
        "rejects": ({"a": "x"}, True),
        "accepts": ({"a": 1}, False),
    }
    for rank, instance in verdicts.items():
        assert judge(Group(rank, closed, (instance,)), terms=Terms()).rank == rank
    assert judge(Group("open", closed, (verdicts["undeclared"],))).rank == "reordered"
    misspelt = Group("misspelt", {**closed, "requierd": ["a"]}, ())
    assert judge(misspelt, terms=Terms()).rank == "refused"
    assert judge(misspelt).rank == "right"
