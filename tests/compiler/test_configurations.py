"""Configurations are sets of stacks: what is shared inside them never shows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pushdowns import pushdowns
from structgen.automata.pushdown.automaton import Pushdown
from structgen.compiler.lazy.configurations import BOTTOM, NOWHERE, Configurations

Stack = tuple[int, ...]  # from the top


def stacks(configurations: Configurations, number: int) -> set[Stack]:
    """The stacks of a configuration, written out."""
    return {
        (state, *rest) if state else ()
        for state, below in configurations.pairs[number]
        for rest in (stacks(configurations, below) if state else [()])
    }


def number_of(configurations: Configurations, wanted: set[Stack]) -> int:
    """The configuration of these stacks, made one stack at a time."""
    found = NOWHERE
    for stack in wanted:
        below = BOTTOM
        for state in reversed(stack):
            below = configurations.configuration([(state, below)])
        found = configurations.union(found, below)
    return found


@st.composite
def cases(draw: st.DrawFn) -> tuple[Pushdown, list[set[Stack]]]:
    """A pushdown and three sets of stacks of its states that do more than return."""
    pushdown = draw(pushdowns())
    states = [q for q in range(1, pushdown.states) if not pushdown.final[q]]
    stack = st.lists(st.sampled_from(states), max_size=4).map(tuple) if states else st.just(())
    return pushdown, draw(st.lists(st.sets(stack, min_size=1, max_size=5), min_size=3, max_size=3))


@given(cases())
def test_equal_sets_have_equal_numbers_and_unions_are_unions(case: tuple[Pushdown, list[set[Stack]]]) -> None:
    pushdown, wanted = case
    configurations = Configurations(pushdown)
    numbers = [number_of(configurations, one) for one in wanted]
    for one, number in zip(wanted, numbers, strict=True):
        assert stacks(configurations, number) == one
        for other, likewise in zip(wanted, numbers, strict=True):
            assert (one == other) == (number == likewise)
            assert stacks(configurations, configurations.union(number, likewise)) == one | other


@given(cases())
def test_a_graft_puts_what_is_below_under_every_stack(case: tuple[Pushdown, list[set[Stack]]]) -> None:
    pushdown, (upper, lower, _) = case
    configurations = Configurations(pushdown)
    found = configurations.graft(number_of(configurations, upper), number_of(configurations, lower))
    assert stacks(configurations, found) == {one + other for one in upper for other in lower}


@given(cases(), st.integers(1, 3))
def test_a_step_is_a_step_of_each_stack(case: tuple[Pushdown, list[set[Stack]]], symbol: int) -> None:
    pushdown, (wanted, *_) = case
    together, apart = Configurations(pushdown), Configurations(pushdown)
    after = stacks(together, together.read(number_of(together, wanted), symbol))
    each = [stacks(apart, apart.read(number_of(apart, {stack}), symbol)) for stack in wanted]
    assert after == set().union(*each)


@given(cases())
def test_the_parts_of_a_configuration_come_after_those_below_them(
    case: tuple[Pushdown, list[set[Stack]]],
) -> None:
    pushdown, (wanted, *_) = case
    configurations, seen = Configurations(pushdown), set[int]()
    for part in configurations.parts(number_of(configurations, wanted)):
        assert {below for state, below in configurations.pairs[part] if state} <= seen
        seen.add(part)
