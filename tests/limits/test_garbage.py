"""The collector of cyclic garbage waits for compilations, and is afterwards as it was before."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from threading import Barrier, Thread

import pytest

import structgen as sg
from structgen.errors import StructgenError
from structgen.limits.garbage import uncollected


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    yield
    gc.enable()


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_as_it_was_before(before: bool):
    (gc.enable if before else gc.disable)()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled() == before


def test_a_refusal_turns_the_collector_on_again():
    with pytest.raises(StructgenError):
        sg.compile(sg.JsonSchema({"type": "string", "pattern": "(?=a"}))
    assert gc.isenabled()


def test_it_stays_off_until_the_last_thread_is_done():
    inside, left = Barrier(2), Barrier(2)
    seen: list[bool] = []

    def long() -> None:
        with uncollected():
            inside.wait()
            left.wait()
            seen.append(gc.isenabled())

    thread = Thread(target=long)
    with uncollected():
        thread.start()
        inside.wait()
    assert not gc.isenabled()
    left.wait()
    thread.join()
    assert seen == [False]
    assert gc.isenabled()
