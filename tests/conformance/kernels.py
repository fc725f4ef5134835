"""What GPU kernels need for real schemas: compiled variants of each kernel, launches, and memory of a row.

Nothing runs: the step of each schema is counted on meta tensors, one row of the model's canvas and vocabulary.

Axes: N block, V vocabulary, S states.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

import structgen as sg
from gpu_counts import counted
from structgen_engine.automata.dfa import Dfa, block
from structgen_engine.kernels.gpu import Step
from structgen_engine.kernels.gpu.pool import Pool

BLOCK, ROOM = 256, 50e6
META = torch.device("meta")


@dataclass
class Needs:
    """The needs of all schemas so far.

    variants: by kernel, the compile-time options; lazy: schemas without a table; refused: not compiled
    memory: bytes of a row beside its states, for each schema; launches: the most of a step
    """

    variants: dict[str, set[Any]] = field(default_factory=dict)
    memory: list[tuple[int, int]] = field(default_factory=list)
    launches: int = 0
    waits: int = 0
    lazy: int = 0
    refused: int = 0

    @property
    def large(self) -> list[tuple[int, int]]:
        """Rows that need more than ROOM bytes, and their states, the largest first."""
        return sorted((pair for pair in self.memory if pair[0] > ROOM), reverse=True)

    def note(self, dfa: Dfa, logits: torch.Tensor) -> None:
        """Count one step of this automaton."""
        with counted() as counts:
            step = Step.of([block(dfa)], positions=BLOCK, device=META, pool=Pool(META), spared=True)
            step.run(logits)
            step.spread(logits, logits)
        for name, found in counts.variants.items():
            self.variants.setdefault(name, set()).update(found)
        self.memory.append((step.nbytes, dfa.states))
        self.launches = max(self.launches, counts.total)
        self.waits = max(self.waits, counts.waits.total())


def run(schemas: Iterable[Any], vocabulary: sg.Vocabulary) -> Needs:
    """The needs of these schemas over this vocabulary."""
    needs = Needs()
    logits = torch.empty(1, BLOCK, vocabulary.size, dtype=torch.bfloat16, device=META)
    for schema in schemas:
        try:
            automaton = sg.compile(schema, vocabulary).automaton
        except sg.StructgenError:
            needs.refused += 1
            continue
        if isinstance(automaton, Dfa):
            needs.note(automaton, logits)
        else:
            needs.lazy += 1
    return needs
