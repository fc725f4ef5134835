"""Constraints compiled for a server: one at a time, the shortest first, none for longer than a few seconds."""

from __future__ import annotations

from concurrent.futures import wait
from pathlib import Path

import pytest

import structgen as sg
from structgen.integrations.vllm.asked import Asked
from structgen.integrations.vllm.constraints import WARM_UP, Constraints
from structgen.integrations.vllm.frontend import SECONDS_VARIABLE, Frontend, _seconds
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
