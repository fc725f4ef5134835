"""What is known not to be right yet: a table of verdicts by schema, which may only improve."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from conformance.judge import RANKS, Verdict

FOLDER = Path(__file__).parent


def official(draft: str) -> str:
    """The name of the official suite's table for a draft."""
    return f"official-{draft}"


def expected(suite: str) -> dict[str, str]:
    """The verdicts of schemas that are not right, by name; all others are."""
    path = FOLDER / f"{suite}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def record(suite: str, verdicts: Iterable[tuple[str, Verdict]]) -> None:
    """Write the table."""
    table = {name: str(verdict) for name, verdict in sorted(verdicts) if verdict.rank != "right"}
    (FOLDER / f"{suite}.json").write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n")


def worse(suite: str, verdicts: Iterable[tuple[str, Verdict]]) -> list[str]:
    """What each schema that got worse has become."""
    table = expected(suite)
    found = []
    for name, verdict in verdicts:
        before = table.get(name, "right").partition(":")[0]
        if RANKS.index(verdict.rank) < RANKS.index(before):
            found.append(f"{name} was {before} and is now {verdict}")
    return found
