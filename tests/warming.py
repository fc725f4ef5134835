"""Compiles the kernels in two processes at once: otherwise each of two test workers compiles all of them, for a minute.

The session's controller calls `kernels_ahead`, and so `python -m warming SHARE` for each share. Both take about as
long, and the second comes to compiling sources when the first has compiled what that needs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAST = "engine/structgen_engine/kernels/cpu/__pycache__/search.sweep-*.nbc"


def kernels_ahead() -> None:
    """Compile the kernels unless they are there; a kernel that cannot be compiled fails the tests that need it."""
    if any(ROOT.glob(LAST)):
        return
    found = os.pathsep.join(str(ROOT / folder) for folder in (".", "engine", "tests"))
    environment = {**os.environ, "PYTHONPATH": found, "STRUCTGEN_CACHE": "", "OMP_NUM_THREADS": "1"}
    shares = [subprocess.Popen([sys.executable, "-m", "warming", share], env=environment) for share in SHARES]
    for share in shares:
        share.wait()


def automata() -> None:
    """From sources to automata over tokens."""
    import structgen as sg
    from structgen.tokens.vocabulary import Vocabulary

    letters = 'abcdefghijklmnopqrstuvwxyz0123456789 {}[]":,.-_\n'
    vocabulary = Vocabulary.from_tokens([*(bytes([byte]) for byte in letters.encode()), b"ab", "<eos>"])
    members = {"a": {"type": "string", "maxLength": 9}, "b": {"enum": ["x", "yz"]}}
    for source in (
        sg.Regex("(ab|c[0-9]){1,40}x?"),
        sg.JsonSchema({"type": "object", "properties": members}),
        sg.Verbatim("a text to copy from"),
    ):
        sg.compile(source, vocabulary)


def lattices() -> None:
    """From automata and scores to blocks: by a table, then by a search."""
    import torch

    import structgen as sg
    from structgen.tokens.vocabulary import Vocabulary
    from structgen_engine.automata.dfa import Alphabet, Dfa
    from structgen_engine.decoding.denoiser import RandomDenoiser
    from structgen_engine.decoding.loop import decode
    from structgen_engine.decoding.noise import Uniform
    from structgen_engine.decoding.options import DecodingOptions, Finish

    vocabulary = Vocabulary.from_tokens([b"a", b"b", b"(", b")", b"()", "<eos>"])
    delta = torch.tensor([[0, 0, 0], [0, 1, 2], [0, 2, 1]], dtype=torch.int32)
    table = Dfa(
        Alphabet(torch.tensor([0, 1, 2, 1, 1, 1], dtype=torch.int32), 3),
        delta,
        torch.tensor([False, True, True]),
        1,
    )

    def written(automaton: object) -> None:
        for finish in Finish:
            decode(
                RandomDenoiser(Uniform(0, vocabulary.size), 8, vocabulary.size),
                [[1], [2]],
                [automaton, automaton],
                max_tokens=16,
                generators=[torch.Generator().manual_seed(0)] * 2,
                options=DecodingOptions(steps=3, finish=finish),
            )

    written(table)
    written(
        sg.compile(sg.Ebnf('root ::= "(" root ")" | "a" root "b" | ""'), vocabulary, regime="lazy").automaton
    )


SHARES: dict[str, Callable[[], None]] = {work.__name__: work for work in (automata, lattices)}

if __name__ == "__main__":
    SHARES[sys.argv[1]]()
