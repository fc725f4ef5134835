"""A small part of the run over mutated grammars, on every run of the tests."""

from __future__ import annotations

from conformance.mutations import outcomes, seeds


def test_mutated_grammars_are_read_or_refused_with_their_place() -> None:
    found = [word for word, _ in outcomes(400, first=1_000_000)]
    assert [word for word in found if word.startswith("FAULT")] == []
    kinds = {f"{kind}: {what}" for kind in ("lark", "ebnf", "tags") for what in ("read", "refused")}
    assert kinds <= {*found}


def test_there_are_grammars_to_mutate() -> None:
    assert all(len(known) > 5 for known in seeds().values())
