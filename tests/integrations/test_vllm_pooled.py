"""Constrained requests of vLLM on a GPU, in Triton's interpreter: vLLM's step gets the lattice's statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import gpu_cases  # noqa: F401  before triton is imported, for it says who runs it
from integrations.test_vllm import asks
from integrations.vllm_engine import Engine, Request, SeveralTiles, TiledSampler
from structgen.integrations.vllm import pooled, sampler
from structgen.integrations.vllm.asked import KEY, Asked
from structgen.integrations.vllm.constraints import Constraints
from structgen.integrations.vllm.sampler import ConstrainedSampler
from structgen.integrations.vllm.slots import RequestState
from structgen_engine.decoding.row import Row
from tiny_gemma import HEAD, small_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
WIDTH = 4


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Constraints:
    tokenizer: Path = small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")
    return Constraints(lambda: tokenizer, HEAD)


@pytest.fixture(autouse=True)
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "pools", lambda logits: True)


def run(
    compiled: Constraints,
    arguments: list[Any],
    *,
    canvases: int = 2,
    faulty: Any = None,
    kind: Any = TiledSampler,
) -> tuple[list[Request], Any]:
    """Requests of some canvases, which take one step each."""
    requests = [Request(place, canvases * WIDTH, one) for place, one in enumerate(arguments)]
    ours = ConstrainedSampler(kind(WIDTH, HEAD, steps=1), compiled)
    engine = Engine(ours, WIDTH, dtype=torch.bfloat16)
    if faulty is not None:
        faulty(engine)
    torch.manual_seed(0)
    engine.run(requests)
    return requests, ours


def accepted(compiled: Constraints, request: Request) -> bool:
    assert request.arguments is not None
    constraint = compiled.submit(Asked.read(request.arguments[KEY])).result()
    return constraint.accepts_ids(request.ids)


def test_answers_are_accepted_and_free_requests_are_the_stock_samplers(compiled: Constraints) -> None:
    """One takes both canvases, one ends in the first, and one is free: it has the tokens that it has alone."""
    asked = [asks(thinking=None, regex="[a-c]{4,5}!"), asks(thinking=None, choice=["ab", "b"]), None]
    requests, ours = run(compiled, asked)
    assert accepted(compiled, requests[0])
    assert accepted(compiled, requests[1])
    assert requests[2].ids == run(compiled, [None, None, None])[0][2].ids
    table = ours.inner.table.float().sum(-1)
    assert torch.allclose(table, torch.ones_like(table), atol=0.03)
    assert not isinstance(getattr(pooled.holder_of(ours.inner), pooled.STATISTICS), pooled.PooledStatistics)


def test_canvases_in_tiles_of_their_own_are_one_step(
    compiled: Constraints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And if that step fails, each tile has its own; a free canvas is the stock sampler's in any case."""
    asked = [asks(thinking=None, regex="[a-c]{4,5}!"), asks(thinking=None, choice=["ab", "b"]), None]
    free = run(compiled, [None, None, None], kind=SeveralTiles)[0][2].ids
    made, real = list[int](), pooled.gpu.Step.of

    def counting(rows: Any, **named: Any) -> Any:
        made.append(len(rows))
        return real(rows, **named)

    monkeypatch.setattr(pooled.gpu.Step, "of", counting)
    requests, ours = run(compiled, asked, kind=SeveralTiles)
    assert accepted(compiled, requests[0])
    assert accepted(compiled, requests[1])
    assert requests[2].ids == free
    assert made[0] == 2
    table = ours.inner.table.float().sum(-1)
    assert torch.allclose(table, torch.ones_like(table), atol=0.03)
    monkeypatch.setattr(pooled.PooledStatistics, "_together", None)
    requests, _ = run(compiled, asked, canvases=1, kind=SeveralTiles)
    assert accepted(compiled, requests[1])


@pytest.mark.parametrize("fault", ["logits", "step"])
def test_a_fault_ends_its_request_alone(
    compiled: Constraints, fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """NaN in the logits of one request, and an error of the device: with both in a step, then with the first alone."""
    asked = [asks(thinking=None, regex="[a-c]!"), asks(thinking=None, choice=["ab", "b"])]
    real, calls = pooled.gpu.Step.of, [0]

    def broken(rows: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] <= 2:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
        return real(rows, **named)

    def faulty(engine: Engine) -> None:
        if fault == "step":
            monkeypatch.setattr(pooled.gpu.Step, "of", broken)
            return
        call = ConstrainedSampler.__call__

        def poisoned(self: Any, logits: torch.Tensor, batch: Any, draft_logits: Any = None) -> Any:
            logits[2] = float("nan")
            return call(self, logits, batch, draft_logits)

        monkeypatch.setattr(ConstrainedSampler, "__call__", poisoned)

    with caplog.at_level("ERROR", "vllm.structgen"):
        requests, _ = run(compiled, asked, canvases=1, faulty=faulty)
    vocabulary = compiled.vocabulary(sampler.Asked.read(asked[0][KEY]).preface)
    assert vocabulary.end is not None
    assert vocabulary.special[vocabulary.end] in requests[0].ids
    assert accepted(compiled, requests[1])
    assert "is ended with no output" in caplog.text


HOOKS: dict[str, tuple[Any, str, int]] = {
    "kernels": (sampler, "_pooled_module", 1),
    "block": (Row, "block", 1),
    "step": (pooled.gpu.Step, "of", 2),
    "run": (pooled.gpu.Step, "run", 2),
    "spread": (pooled.gpu.Step, "spread", 2),
    "told": (pooled.gpu, "Told", 2),
    "copies": (pooled, "noted", 1),
    "decide": (RequestState, "decide", 1),
}


@pytest.mark.parametrize("name", HOOKS)
def test_an_error_anywhere_in_a_pooled_step(
    compiled: Constraints, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Both neighbours of the request for which it fails have their answers, the free one its own tokens."""
    holder, attribute, times = HOOKS[name]
    asked = [asks(thinking=None, regex="[a-c]!"), asks(thinking=None, choice=["ab", "b"]), None]
    real, calls = getattr(holder, attribute), [0]

    def failing(*given: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] <= times:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
        return real(*given, **named)

    free = run(compiled, [None, None, None], canvases=1)[0][2].ids
    with monkeypatch.context() as patch:
        patch.setattr(holder, attribute, failing)
        requests, _ = run(compiled, asked, canvases=1)
    assert calls[0] >= times
    assert accepted(compiled, requests[1])
    assert requests[2].ids == free
