"""The process that `bench.cost` asks: one JSON question a line on stdin, one JSON answer a line on stdout.

It runs as a script, in any checkout of the project, so it uses only what all of them have.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

Answer = dict[str, Any]


class Asked:
    """The model and the documents of one process, loaded when they are asked for."""

    def load(self, split: str, documents: int) -> Answer:
        """Load the model and a split, and answer its first document both ways before any clock starts."""
        self._open()
        from bench.problems import problems

        self.problems = problems(split, documents, self.model)
        self.document(0)
        return {"documents": len(self.problems)}

    def document(self, number: int) -> Answer:
        """CPU seconds of one document extracted and freely written, and the fields that were right."""
        from bench.confidence import Witness
        from bench.scores import leaves, same
        from bench.ways import unconstrained
        from structgen.generation.options import Options
        from structgen.generation.writer import prompt_ids

        problem, model = self.problems[number], self.model
        self.sg.compile(problem.schema, model.vocabulary)
        begun = time.process_time()
        value = model.extract(problem.document, problem.schema)
        extracted = time.process_time()
        prompt = model.prompts.extraction(self.sg.JsonSchema(problem.schema), problem.document)
        unconstrained(model, model.denoiser, prompt_ids(model, prompt), None, Options(), Witness())
        free = time.process_time()
        wanted, got = dict(leaves(problem.value)), dict(leaves(value))
        right = sum(name in got and same(got[name], leaf) for name, leaf in wanted.items())
        seconds = {"extract": extracted - begun, "free": free - extracted}
        return {**seconds, "right": right, "fields": len(wanted)}

    def twice(self) -> Answer:
        """CPU seconds of the first and the second extraction after the model is loaded."""
        self._open()
        from bench.problems import handwritten

        problem, seconds = next(handwritten()), []
        for _ in range(2):
            begun = time.process_time()
            self.model.extract(problem.document, problem.schema)
            seconds.append(time.process_time() - begun)
        return {"first": seconds[0], "second": seconds[1]}

    def _open(self) -> None:
        import warnings

        import torch

        import structgen as sg

        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        self.sg, self.model = sg, sg.load()


if __name__ == "__main__":
    asked = Asked()
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(getattr(asked, question.pop("do"))(**question)), flush=True)
