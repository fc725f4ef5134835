"""The benchmark of random blocks: some of them, and that its judge refuses what is wrong."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

from rich.console import Console

from bench.blocks import VOCABULARY, judged, run, subjects
from earley import Earley
from structgen.grammar import Grammar, alt, literal, ref, seq


def test_some_random_blocks_are_all_right_and_counted_in_a_file(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = run(Console(quiet=True), blocks=60, count=8, state=state)
    assert json.loads(state.read_text())["blocks"] == first["blocks"] >= 60
    second = run(Console(quiet=True), blocks=100, count=8, state=state)
    assert second["trial"] > first["trial"]
    assert second["blocks"] >= 100


def test_the_judge_refuses_what_is_open_unended_or_followed_by_text() -> None:
    judge = Earley(Grammar(ref("v"), {"v": alt(literal("a"), seq(literal("["), ref("v"), literal("]")))}))
    end, pad = VOCABULARY.special["<eos>"], VOCABULARY.special["<pad>"]
    whole, unclosed = VOCABULARY.encode("[a]"), VOCABULARY.encode("[[a]")
    assert judged(judge, [*whole, end])
    assert judged(judge, [*whole, end, pad, pad])
    for ids in (
        whole,
        [*unclosed, end],
        [*whole, pad, end],
        [*whole, end, *whole],
        [*whole, end, end],
        [end],
    ):
        assert not judged(judge, ids)


def test_no_two_grammars_are_the_same() -> None:
    assert len({one.grammar.fingerprint for one in islice(subjects(0), 50)}) == 50
