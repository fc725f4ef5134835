"""The garbage collector rests while something is loaded, and afterwards is as it was."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from structgen.collector import resting


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
