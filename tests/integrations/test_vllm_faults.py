"""Whatever goes wrong for one request in vLLM's engine ends that request alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from integrations.test_vllm import asks
from integrations.vllm_engine import Engine, Request, StockSampler
from structgen.integrations.vllm import constraints, slots
from structgen.integrations.vllm import sampler as sampling
from structgen.integrations.vllm.asked import KEY, Asked
from structgen.integrations.vllm.constraints import Constraints
from structgen.integrations.vllm.sampler import ConstrainedSampler
from structgen.integrations.vllm.slots import RequestState
from structgen_engine.decoding.row import Row
from structgen_engine.lattice.lattice import BlockLattice
from tiny_gemma import CANVAS, HEAD, small_tokenizer

ERRORS = [
    OSError("the cache folder is gone"),
    MemoryError(),
    RuntimeError("a bug"),
    torch.OutOfMemoryError("CUDA out of memory (simulated)"),
    ValueError("a bug"),
    AssertionError(),
]
PATTERN = "[a-z]{40,60}!"  # takes two canvases


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Constraints:
    tokenizer: Path = small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")
    return Constraints(lambda: tokenizer, HEAD)


def run(compiled: Constraints, faulty: Callable[[Engine], None] | None = None) -> list[Request]:
    """Two constrained requests of one shape, one of another shape, and one that is free; place 0 is the victim."""
    arguments = [asks(thinking=None, regex=PATTERN)] * 2 + [
        asks(thinking=None, choice=["red", "green"]),
        None,
    ]
    requests = [Request(place, 2 * CANVAS, one) for place, one in enumerate(arguments)]
    engine = Engine(ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled), CANVAS)
    if faulty is not None:
        faulty(engine)
    torch.manual_seed(0)
    engine.run(requests)
    return requests


def innocent(compiled: Constraints, requests: list[Request]) -> None:
    """The neighbours have their answers, and the free one the tokens that it has beside no fault."""
    for request in requests[1:3]:
        assert request.arguments is not None
        assert compiled.submit(Asked.read(request.arguments[KEY])).result().accepts_ids(request.ids)
    assert requests[3].ids == run(compiled)[3].ids


def closed(compiled: Constraints, request: Request) -> bool:
    """Whether the victim has an answer, or what it had before the fault and then the end, or nothing (id 0)."""
    vocabulary = compiled.vocabulary(slots.ThoughtMode.NONE)
    assert vocabulary.end is not None
    constraint = compiled.submit(Asked("regex", PATTERN)).result()
    ended = vocabulary.special[vocabulary.end] in request.ids or set(request.ids) == {0}
    return ended or constraint.accepts_ids(request.ids)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_logits_that_are_no_numbers(
    compiled: Constraints, value: float, at: int, caplog: pytest.LogCaptureFixture
):
    def faulty(engine: Engine) -> None:
        call, count = engine.sampler.__class__.__call__, [0]

        def poisoned(self: Any, logits: Tensor, batch: Any, draft_logits: Tensor | None = None) -> Any:
            if count[0] == at and batch.idx_mapping_np[0] == 0:
                logits[3] = value
            count[0] += 1
            return call(self, logits, batch, draft_logits)

        engine.sampler = type("Poisoned", (engine.sampler.__class__,), {"__call__": poisoned})(
            engine.sampler.inner, compiled
        )

    with caplog.at_level("ERROR", "vllm.structgen"):
        requests = run(compiled, faulty)
    innocent(compiled, requests)
    assert closed(compiled, requests[0])
    assert "is ended with no output" in caplog.text


# every function that a step calls for a request: its holder, and how often it fails, which is often enough for one
# request alone, because what fails for several is tried for each
HOOKS: dict[str, tuple[Any, str, int]] = {
    "submit": (Constraints, "submit", 2),
    "compiler": (constraints, "compile", 1),
    "vocabulary": (Constraints, "vocabulary", 1),
    "begin": (slots, "begin", 1),
    "block": (Row, "block", 2),
    "commit": (Row, "commit", 1),
    "decide": (RequestState, "decide", 2),
    "lattice": (sampling, "nonempty", 2),
    "marginals": (sampling, "log_marginals", 2),
    "temperature": (ConstrainedSampler, "_temperature", 2),
    "sample": (BlockLattice, "sample", 2),
    "argmax": (BlockLattice, "argmax", 2),
    "beliefs": (BlockLattice, "beliefs", 2),
    "policy": (sampling, "EntropyBound", 2),
}
NEIGHBOURS = 3  # of a victim in `run`


def test_the_faults_have_200_innocent_neighbours_and_more():
    assert len(HOOKS) * len(ERRORS) * NEIGHBOURS >= 200


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("name", HOOKS)
def test_an_error_anywhere_in_a_step(
    compiled: Constraints, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception
):
    """All neighbours of the request for which it fails have their answers."""
    holder, attribute, times = HOOKS[name]
    real, calls = getattr(holder, attribute), [0]
    run(compiled)  # compiles the constraints
    fresh = Constraints(compiled._tokenizer_of, HEAD) if name == "compiler" else compiled

    def failing(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] <= times:
            raise error
        return real(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(holder, attribute, failing)
        requests = run(fresh)
    assert calls[0] > times
    innocent(compiled, requests)
    assert closed(compiled, requests[0])


def test_a_request_without_a_limit_of_its_own(compiled: Constraints):
    sampler = ConstrainedSampler(StockSampler(CANVAS, HEAD), compiled)
    sampler.tell(0, 2 * CANVAS, [], "request-1")
    request = Request(0, 2 * CANVAS, asks(thinking=None, regex=PATTERN))
    engine = Engine(sampler, CANVAS)
    add = sampler.add_request

    def unlimited(place: int, params: Any) -> None:
        params.max_tokens = None
        add(place, params)

    sampler.add_request = unlimited  # type: ignore[method-assign]
    engine.run([request])
    assert compiled.submit(Asked("regex", PATTERN)).result().accepts_ids(request.ids)


def test_a_vocabulary_that_cannot_be_read(compiled: Constraints, monkeypatch: pytest.MonkeyPatch):
    def broken(self: Constraints, preface: slots.ThoughtMode) -> Any:
        raise OSError("no tokenizer")

    with monkeypatch.context() as patch:
        patch.setattr(Constraints, "vocabulary", broken)
        requests = run(Constraints(lambda: None, HEAD))
    assert requests[3].ids == run(compiled)[3].ids
    assert set(requests[0].ids) == {0}
