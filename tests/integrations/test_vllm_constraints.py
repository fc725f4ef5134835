"""Constraints compiled for a server: one at a time, the shortest first, none for longer than a few seconds."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import wait
from pathlib import Path

import pytest

import structgen as sg
from integrations.test_vllm import Served
from integrations.vllm_memory import readings
from structgen.integrations.vllm.asked import Asked, ThoughtMode
from structgen.integrations.vllm.constraints import QUICK_SECONDS, WARM_UP, Constraints
from structgen.integrations.vllm.frontend import SECONDS_VARIABLE, Frontend, _seconds
from structgen.limits.budget import STATM
from tiny_gemma import HEAD, small_tokenizer

HOSTILE = [Asked("regex", f"(a|b)*a(a|b){{{length}}}") for length in (18, 19, 20)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")


def test_a_short_request_waits_for_one_long_one_at_most(tokenizer: Path):
    compiled = Constraints(lambda: tokenizer, HEAD, seconds=0.3)
    compiled.submit(WARM_UP).result()
    done: list[str] = []
    futures = []
    for asked in [*HOSTILE, Asked("regex", "ab")]:
        futures.append(compiled.submit(asked))
        futures[-1].add_done_callback(lambda future, name=asked.value: done.append(name))
    wait(futures)
    assert done.index("ab") <= 1
    assert futures[-1].result().accepts("ab")
    for future in futures[:-1]:
        assert isinstance(future.exception(), sg.Unsupported)


def test_three_hostile_requests_delay_a_trivial_one_by_three_seconds_at_most(tokenizer: Path):
    """All four reach the server at once, the trivial one last; its answer comes before any of theirs."""
    server = Served(tokenizer)
    constraints = server.frontend._constraints
    assert constraints is not None
    server.post({"structured_outputs": {"regex": "x"}})  # the vocabulary and the kernels are there
    bodies = [{"structured_outputs": asked.options()} for asked in [*HOSTILE, Asked("regex", "ab")]]
    begun, ended = time.process_time(), list[tuple[int, int, float]]()

    async def ask(number: int) -> None:
        await asyncio.sleep(0.01 * number)
        status = await server.status(bodies[number])
        ended.append((number, status, time.process_time() - begun))

    async def ask_all() -> None:
        await asyncio.gather(*map(ask, range(4)))

    try:
        asyncio.run(ask_all())
    finally:
        constraints.close()
    trivial = next(one for one in ended if one[0] == 3)
    assert trivial[1] == 200
    assert trivial[2] <= 3 * QUICK_SECONDS + 0.5  # of CPU, which compiling in this process takes
    assert ended.index(trivial) == 0
    assert [status for number, status, _ in ended if number != 3] == [400] * 3


def test_what_the_slow_lane_compiles_is_read_from_its_process(
    tokenizer: Path, monkeypatch: pytest.MonkeyPatch
):
    """With the thought before its answers, and refusals in the words of a request."""
    monkeypatch.setattr("structgen.integrations.vllm.constraints.QUICK_SECONDS", 0.0)
    compiled = Constraints(lambda: tokenizer, HEAD, processes=1)
    try:
        asked = Asked("regex", "[ab]{5}c", preface=ThoughtMode.SILENT)
        found = compiled.submit(asked).result(60)
        assert found.cached
        assert found.vocabulary.preface is not None
        assert found.accepts("ababac")
        refused = compiled.submit(Asked("json", {"requierd": ["a"]})).exception(60)
        assert isinstance(refused, sg.Unsupported)
        assert "in vllm_xargs.structgen" in str(refused)
    finally:
        compiled.close()


def test_what_takes_too_long_is_refused_at_once_the_second_time(tokenizer: Path):
    compiled = Constraints(lambda: tokenizer, HEAD, seconds=0.3)
    first = compiled.submit(HOSTILE[0])
    assert isinstance(first.exception(), sg.Unsupported)
    assert compiled.submit(HOSTILE[0]) is first


def test_the_limit_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(SECONDS_VARIABLE, raising=False)
    assert _seconds() == 2.0
    monkeypatch.setenv(SECONDS_VARIABLE, "7.5")
    assert _seconds() == 7.5
    for given in ("soon", "-1", "0", "nan"):
        monkeypatch.setenv(SECONDS_VARIABLE, given)
        with pytest.raises(
            sg.InvalidOption, match=f"{SECONDS_VARIABLE} is a positive number of seconds, not '{given}'"
        ):
            _seconds()
    assert not Frontend().ready


@pytest.mark.skipif(not STATM.exists(), reason="memory is read from /proc")
def test_memory_is_flat_however_many_schemas_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After the first tenths, in which as many constraints are kept as ever will be."""
    monkeypatch.setattr("structgen.integrations.vllm.constraints.KEPT", 16)
    found = readings(tmp_path, 240, 60)
    assert found[-1] - found[2] < 8.0  # MB
