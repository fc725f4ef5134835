"""A sample of both suites on every run: nothing gets worse, and nothing invalid is ever accepted."""

from __future__ import annotations

import pytest

from conformance import ratchet
from conformance.judge import by_automaton, by_grammar, judge
from conformance.suites import MASKBENCH, SUITE, Group, maskbench, official

EVERY = {"maskbench": 45, "official": 4}


def _sample(suite: str) -> list[Group]:
    path = MASKBENCH if suite == "maskbench" else SUITE
    if not path.exists():
        pytest.skip(f"{path.name} is not in the folder of shared test data")
    groups = maskbench if suite == "maskbench" else official
    return list(groups(EVERY[suite]))


@pytest.mark.parametrize("suite", EVERY)
def test_nothing_gets_worse_and_nothing_invalid_is_accepted(suite: str):
    verdicts = [(group.name, judge(group)) for group in _sample(suite)]
    assert [name for name, verdict in verdicts if verdict.rank in ("accepts", "crash")] == []
    assert ratchet.worse(suite, verdicts) == []


def test_no_table_forgives_a_false_acceptance():
    for suite in EVERY:
        assert [
            name for name, verdict in ratchet.expected(suite).items() if verdict.startswith("accepts")
        ] == []


def test_the_automaton_agrees_with_the_grammar():
    for group in _sample("maskbench")[::4]:
        by_states = judge(group, by_automaton)
        if by_states.rank not in ("refused", "slow"):
            assert by_states == judge(group, by_grammar), group.name
