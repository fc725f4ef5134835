"""Limits of a compilation: what runs when the time is up ends soon after."""

from __future__ import annotations

import time

import numpy as np
import pytest

from structgen import JsonSchema, compile
from structgen.automata.finite.crawl import crawl
from structgen.automata.finite.nfa import Nfa
from structgen.errors import Unsupported
from structgen.limits.budget import OverLimit, check, limited, loading, spent

SECONDS = 1.0
HOSTILE = {
    "a count from the end": "^.*a.{200}$",
    "counts from the end": "^(.*a.{60}|.*b.{61}|.*c.{62})$",
    "a count in counts": "^((([a-z]{1,99}){1,99}){1,99}){1,99}$",
    "words in words": "^((a|b|ab|ba|aa)*(a|ab){40,900}(b|ba)*){1,300}$",
    "all that does not": "^(?!.*(a.{30}b|b.{31}a)).*$",
}


@pytest.fixture(scope="module", autouse=True)
def kernels():
    compile(JsonSchema({"type": "string", "pattern": "^(?!.*ab).{3}$", "maxLength": 40}))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pattern_ends_soon_after_its_time(name):
    begun, refusals = time.process_time(), []
    try:
        compile(JsonSchema({"type": "string", "pattern": HOSTILE[name]}), seconds=SECONDS)
    except Unsupported as error:
        refusals.append(str(error))
    assert time.process_time() - begun < 1.5 * SECONDS
    assert all(refusals)


def test_a_kernel_that_runs_for_long_is_interrupted():
    letters = 22  # states of which every subset is met
    moves = [(0, 0, 1, 0), (0, 0, 0, 1)] + [(state, 0, 1, state + 1) for state in range(1, letters)]
    nfa = Nfa(
        letters + 1,
        np.array(moves, np.int32),
        np.empty((0, 2), np.int32),
        (0,),
        (np.arange(letters + 1) == letters).astype(np.int32),
        2,
    )
    crawl(Nfa(1, nfa.moves[:1], nfa.empty, (0,), np.ones(1, np.int32), 2))
    begun = time.thread_time()
    with pytest.raises(OverLimit, match=r"would take longer than 0.2 seconds.*0.\d .* left"), limited(0.2, 2):
        crawl(nfa)
    assert time.thread_time() - begun < 0.4


def test_once_a_limit_is_reached_it_stays_so():
    with limited(seconds=100, gigabytes=-1):
        assert spent()
        assert spent()
        with pytest.raises(OverLimit, match="GB of memory"):
            check()
        with pytest.raises(OverLimit, match="GB of memory"):
            check()
    assert not spent()


def test_loading_is_counted_from_the_second_time_on():
    def busy() -> None:
        begun = time.thread_time()
        while time.thread_time() - begun < 0.06:
            check()

    with limited(seconds=0.05, gigabytes=100):
        with loading("test_loading"), loading("test_loading_inside"):
            busy()
        check()
        with pytest.raises(OverLimit, match=r"0.05 seconds"), loading("test_loading"):
            busy()
