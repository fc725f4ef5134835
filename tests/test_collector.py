"""The garbage collector rests while something is loaded or compiled, and afterwards is as it was."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from threading import Barrier, Thread

import pytest

import structgen as sg
from structgen.collector import paused, resting
from structgen.errors import StructgenError


class Cycle:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    enabled = gc.isenabled()
    yield
    gc.unfreeze()
    (gc.enable if enabled else gc.disable)()


def test_it_rests_inside_and_works_afterwards_even_after_an_error() -> None:
    gc.enable()
    with resting():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), resting():
        raise KeyError
    assert gc.isenabled()


def test_one_that_is_off_stays_off() -> None:
    gc.disable()
    with resting():
        pass
    assert not gc.isenabled()


def test_what_was_made_meanwhile_is_still_collected() -> None:
    gc.enable()
    with resting():
        seen = weakref.ref(Cycle())
        assert seen() is not None
    gc.collect()
    assert seen() is None


def test_nothing_that_a_caller_froze_is_thawed() -> None:
    gc.enable()
    gc.freeze()
    frozen = gc.get_freeze_count()
    with resting():
        pass
    assert gc.get_freeze_count() >= frozen - 10  # frozen objects may be freed, but are not moved back


@pytest.mark.parametrize("before", [True, False])
def test_pauses_may_nest(before: bool) -> None:
    (gc.enable if before else gc.disable)()
    with paused():
        with paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() == before


def test_a_refusal_ends_the_pause_of_a_compilation() -> None:
    gc.enable()
    with pytest.raises(StructgenError):
        sg.compile(sg.JsonSchema({"type": "string", "pattern": "(?=a"}))
    assert gc.isenabled()


def test_the_collector_is_off_until_the_last_thread_is_done() -> None:
    gc.enable()
    inside, left = Barrier(2), Barrier(2)
    seen: list[bool] = []

    def long() -> None:
        with paused():
            inside.wait()
            left.wait()
            seen.append(gc.isenabled())

    thread = Thread(target=long)
    with paused():
        thread.start()
        inside.wait()
    assert not gc.isenabled()
    left.wait()
    thread.join()
    assert seen == [False]
    assert gc.isenabled()
