"""Random regular expressions judged by Python's re."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from patterns import WHOLE, WORDS
from regexes import agrees

KINDS = {True: "agree", False: "DIFFER", None: "refused"}


def outcomes(count: int, texts: int, seed: int) -> Counter[str]:
    """How many of `count` random patterns agree with re on `texts` random texts; those that differ are printed."""
    kinds: Counter[str] = Counter()
    unhurried = settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )

    @seeded(seed)
    @unhurried
    @given(WHOLE, st.lists(WORDS, min_size=texts, max_size=texts))
    def judge(pattern: str, some: list[str]) -> None:
        found = agrees(pattern, some)
        kinds[KINDS[found]] += 1
        if found is False:
            print(f"{pattern!r} on {some}", flush=True)

    judge()
    return kinds
