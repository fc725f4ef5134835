"""Some of the extreme runs."""

from __future__ import annotations

from rich.console import Console

from bench.extremes import VOCABULARY, run, subjects
from structgen_engine.automata.dfa import Dfa


def test_runs_at_200_nats_end_without_an_error() -> None:
    assert run(Console(quiet=True), runs=96)["lazy"] >= 32


def test_one_class_is_larger_than_a_chunk() -> None:
    tables = [one.constraint.automaton for one in subjects()]
    widest = max(int(t.alphabet.class_of.bincount().max()) for t in tables if isinstance(t, Dfa))
    assert 1024 < widest < VOCABULARY.size
