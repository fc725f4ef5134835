"""`python -m conformance`: whole runs over both suites, and the ratchet's tables brought up to date."""

from __future__ import annotations

import re
from collections import Counter
from typing import Annotated

import typer

from conformance import ratchet
from conformance.judge import Verdict, by_automaton, by_grammar, judge
from conformance.suites import maskbench, official

SUITES = {"maskbench": maskbench, "official": official}


def main(
    suite: Annotated[str, typer.Argument(help="maskbench or official")] = "maskbench",
    every: Annotated[int, typer.Option(help="Take each so-manieth schema.")] = 1,
    start: int = 0,
    automaton: Annotated[bool, typer.Option(help="Compile, instead of reading the grammar.")] = False,
    update: Annotated[bool, typer.Option(help="Write the table of the ratchet (whole runs only).")] = False,
) -> None:
    """Judge a suite: how many schemas are fully right, and why the others are not."""
    verdicts: list[tuple[str, Verdict]] = []
    for group in SUITES[suite](every, start):
        verdict = judge(group, by_automaton if automaton else by_grammar)
        verdicts.append((group.name, verdict))
        if verdict.rank in ("accepts", "rejects", "crash", "slow"):
            print(f"{group.name}: {verdict}", flush=True)
    counts = Counter(verdict.rank for _, verdict in verdicts)
    right = counts["right"] + counts["reordered"]
    print(f"{suite}: {right} of {len(verdicts)} right ({100 * right / len(verdicts):.1f} %), {dict(counts)}")
    reasons = Counter(_reason(verdict) for _, verdict in verdicts if verdict.rank == "refused")
    for reason, count in reasons.most_common():
        print(f"  {count:4}  {reason}")
    print(*ratchet.worse(suite, verdicts), sep="\n")
    if update and every == 1:
        ratchet.record(suite, verdicts)


def _reason(verdict: Verdict) -> str:
    """A refusal without what is particular to one schema."""
    return re.sub(r"\(at .*|'[^']*'|\d+", "", verdict.reason)[:90]


if __name__ == "__main__":
    typer.run(main)
