"""The object `structgen` of an answer: what no other server can say of it."""

from __future__ import annotations

from typing import Any

from structgen.generation.result import Generation
from structgen.server.answering.answer import Outcome


def details_of(outcome: Outcome, *, details: bool) -> dict[str, Any]:
    """How an answer was written, and warnings; with `details` also what speaks for each value."""
    generation: Generation[Any] | None = outcome.generation
    if generation is None:
        return {"warnings": []}
    found: dict[str, Any] = {
        "steps": generation.steps,
        "blocks": generation.blocks,
        "log_prob": generation.log_prob,
        "dropped_share": generation.dropped_share,
        "certified": generation.certified,
        "warnings": [warning.to_dict() for warning in generation.warnings],
    }
    if details:
        found |= generation.evidence.to_dict()
        found["captures"] = {
            name: [one._asdict() for one in captures] for name, captures in generation.captures.items()
        }
    return found
