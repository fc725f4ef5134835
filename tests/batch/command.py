"""`structgen batch` with a model that knows nothing and takes milliseconds: `python -m batch.command INPUT … -o FILE`.

BATCH_STARTS, if set, names a file to which every row that is begun adds a line: what is computed twice shows there.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import structgen as sg
from structgen.batch import worker
from structgen.cli import batch, main, requests
from structgen.generation.prompts import ChatPrompts
from structgen.model import Model
from structgen_engine.decoding.denoiser import RandomDenoiser
from structgen_engine.decoding.noise import Uniform

STARTS = "BATCH_STARTS"


def toy(name: str | None = None) -> Model:
    """A model of bytes whose logits are noise."""
    tokens = ["<pad>", "<eos>", *(bytes([byte]) for byte in range(256))]
    vocabulary = sg.Vocabulary.from_tokens(tokens, pad="<pad>", end="<eos>")
    denoiser = RandomDenoiser(Uniform(2, vocabulary.size), 32, vocabulary.size)
    return Model("toy", denoiser, vocabulary, ChatPrompts("{}"), blocks=1, prompt_limit=4096)


def noting_starts() -> None:
    """Note each row when it is begun, in one piece, so that a process that is killed loses none."""
    answer, path = worker._line, os.environ[STARTS]

    def noted(*given: Any) -> Any:
        with open(path, "ab", buffering=0) as file:
            file.write(f"{given[-1][1]}\n".encode())
        return answer(*given)

    worker._line = noted


if __name__ == "__main__":
    if os.environ.get(STARTS):
        noting_starts()
    if "--embedded" in sys.argv:
        sys.argv.remove("--embedded")
    else:
        batch.loaded = requests.loaded = toy
    sys.exit(main(sys.argv[1:]))
