"""Component automata against what the rules of random recursive grammars derive."""

from __future__ import annotations

import json
import random
import time

import numpy as np
import pytest

from expressions import json_grammar, random_grammar, strings
from structgen.automata.pushdown import automaton as pushdown_module
from structgen.automata.pushdown import rules as rules_module
from structgen.automata.pushdown.automaton import STOP, Pushdown, accepts, advance, begin, ends, pushdown
from structgen.automata.pushdown.shortest import ENDLESS
from structgen.errors import InvalidSource, Unsatisfiable, Unsupported
from structgen.grammar import (
    Grammar,
    alt,
    both,
    chars,
    complement,
    literal,
    optional,
    ref,
    repeat,
    seq,
    star,
    token,
)

LONGEST = 6
LETTERS = "ab"


def accepted(automaton: Pushdown) -> set[bytes]:
    """All accepted strings of up to LONGEST letters."""
    found, level = set(), {b"": begin(automaton)}
    for _ in range(LONGEST + 1):
        found |= {text for text, configurations in level.items() if ends(automaton, configurations)}
        level = {
            text + bytes([letter]): after
            for text, configurations in level.items()
            for letter in LETTERS.encode()
            if (after := advance(automaton, configurations, letter))
        }
    return found


@pytest.fixture(params=["small rules written out", "every shared rule called"])
def sharing(request, monkeypatch):
    if request.param == "every shared rule called":
        monkeypatch.setattr(rules_module, "SMALL", 0)


@pytest.mark.parametrize("part", range(10))
def test_a_pushdown_accepts_what_its_rules_derive(part, sharing):
    for seed in range(30):
        grammar = random_grammar(random.Random(f"{part} {seed}"), LETTERS)
        derived = strings(grammar, LETTERS, LONGEST)
        try:
            automaton = pushdown(grammar)
        except Unsatisfiable:
            assert not derived
            continue
        assert accepted(automaton) == derived, grammar
        assert_well_formed(automaton)


def assert_well_formed(automaton: Pushdown) -> None:
    """The promises in the description of a Pushdown."""
    states = np.arange(automaton.states)
    assert (automaton.delta[0] == 0).all()
    assert not automaton.accepting[0]
    assert not automaton.accepting[automaton.start[1:]].any(), (
        "a component returns before it has read anything"
    )
    assert len(set(automaton.start.tolist())) == automaton.components, "two components are equal"
    assert (automaton.bytes_left[1:] < ENDLESS).all(), "a state cannot reach a return"
    busy = automaton.delta.any(axis=1) | (np.diff(automaton.call_at) > 0)
    assert (automaton.final == (automaton.accepting & ~busy)).all()
    assert automaton.final.sum() <= 1, "two final states are equal"
    for state in states[1:]:
        pairs = [callee for callee, _ in automaton.calls(state)]
        assert len(pairs) == len(set(pairs)), "two calls of one component in one state"
        assert automaton.bytes_left[state] == cost_of_the_next_step(automaton, state)
    for component in range(automaton.components):
        assert_no_left_recursion(automaton, component, ())


def cost_of_the_next_step(automaton: Pushdown, state: int) -> int:
    step, left = int(automaton.shortest[state]), automaton.bytes_left
    if step == STOP:
        assert automaton.accepting[state]
        return 0
    if step >= 0:
        return 1 + int(left[automaton.delta[state, step]])
    call = -2 - step
    assert automaton.call_at[state] <= call < automaton.call_at[state + 1]
    return int(left[automaton.start[automaton.callee[call]]] + left[automaton.back[call]])


def assert_no_left_recursion(automaton: Pushdown, component: int, path: tuple[int, ...]) -> None:
    assert component not in path, "a component calls itself before it has read anything"
    for callee, _ in automaton.calls(automaton.start[component]):
        assert_no_left_recursion(automaton, callee, (*path, component))


@pytest.mark.parametrize("part", range(5))
def test_the_shortest_way_is_the_length_of_the_shortest_string(part):
    for seed in range(40):
        grammar = random_grammar(random.Random(f"short {part} {seed}"), LETTERS)
        derived = strings(grammar, LETTERS, LONGEST)
        if derived:
            automaton = pushdown(grammar)
            assert automaton.bytes_left[automaton.start[0]] == min(map(len, derived))


RECURSION = {
    "left": {"s": alt(seq(ref("s"), literal("a")), literal("b"))},
    "right": {"s": alt(seq(literal("a"), ref("s")), literal("b"))},
    "both": {"s": alt(seq(ref("s"), literal("a"), ref("s")), literal("b"))},
    "indirect": {
        "s": alt(seq(ref("t"), literal("a")), literal("b")),
        "t": alt(seq(ref("s"), literal("b")), literal("a")),
    },
    "hidden": {"s": alt(seq(ref("n"), ref("s"), literal("a")), literal("b")), "n": optional(literal("b"))},
    "hidden behind a nullable rule that recurs": {
        "s": alt(seq(ref("n"), ref("s"), literal("a")), literal("b")),
        "n": optional(seq(literal("b"), ref("n"), ref("n"))),
    },
    "unit cycle": {
        "s": alt(ref("t"), literal("a")),
        "t": alt(ref("s"), literal("b"), seq(ref("t"), ref("s"))),
    },
    "empty on both sides": {"s": optional(seq(ref("s"), literal("a"), ref("s")))},
}


@pytest.mark.parametrize("name", RECURSION)
def test_every_kind_of_recursion_is_the_derived_language(name):
    grammar = Grammar(ref("s"), RECURSION[name])
    assert accepted(pushdown(grammar)) == strings(grammar, LETTERS, LONGEST)


def test_json_is_accepted_and_what_is_not_json_is_not():
    automaton = pushdown(json_grammar())
    for text in ("{}", "[ ]", ' [1, {"a" : [null, "x\\u00e9ß", -1.5e+3]}, []] ', "0", '"\\""'):
        json.loads(text)
        assert accepts(automaton, text.encode()), text
    for text in ("", "[", "[1,]", "[1]]", '{"a"}', "01", '"a', "\x0b1", "nul", '{"a":1,}'):
        assert not accepts(automaton, text.encode()), text
    assert automaton.components == 2


def test_tokens_are_symbols_after_the_bytes():
    rules = {"s": alt(literal("a"), seq(token("<x>"), ref("s"), token("<y>")))}
    automaton = pushdown(Grammar(ref("s"), rules), ("<y>", "<x>"))
    assert automaton.delta.shape[1] == automaton.byte_classes + 2
    assert accepts(automaton, [257, 257, 97, 256, 256])
    assert not accepts(automaton, [256, 97, 257])
    assert not accepts(automaton, [257, 97])


def test_right_recursion_takes_no_stack():
    rules = {"list": alt(literal("a"), seq(literal("a"), literal(","), ref("list")))}
    automaton = pushdown(Grammar(ref("list"), rules))
    for text in ("a", "a,a", ",".join("a" * 50)):
        configurations = begin(automaton)
        for symbol in text.encode():
            configurations = advance(automaton, configurations, symbol)
            assert all(stack.below is None for _, stack in configurations)
        assert ends(automaton, configurations)


def test_left_recursion_takes_no_stack():
    rules = {"sum": alt(literal("a"), seq(ref("sum"), literal("+"), literal("a")))}
    automaton = pushdown(Grammar(ref("sum"), rules))
    assert automaton.final[automaton.back].all()
    assert accepts(automaton, b"a" + b"+a" * 1000)


def test_equal_rules_are_one_component(monkeypatch):
    monkeypatch.setattr(rules_module, "SMALL", 0)
    rules = {
        "t": alt(literal("b"), seq(literal("a"), ref("t"), literal("a"))),
        "u": alt(seq(literal("a"), ref("t"), literal("a")), literal("b")),
        "v": seq(ref("u"), literal("-"), ref("t")),
        "w": seq(ref("t"), literal("-"), ref("u")),
    }
    once, twice, four = (
        pushdown(Grammar(seq(ref(a), literal("+"), ref(a), optional(seq(ref(b), ref(b)))), rules))
        for a, b in (("t", "t"), ("t", "u"), ("v", "w"))
    )
    assert (once.components, once.states) == (twice.components, twice.states)
    assert once.components == 2
    assert four.components == 3


def test_rules_that_nothing_needs_or_that_have_no_strings_leave_no_trace():
    rules = {
        "s": alt(literal("b"), seq(literal("a"), ref("s"), literal("a"))),
        "dead": seq(literal("x"), ref("dead")),
        "unused": seq(literal("("), optional(ref("unused")), literal(")")),
    }
    plain = pushdown(Grammar(ref("s"), {"s": rules["s"]}))
    noisy = pushdown(Grammar(alt(ref("s"), seq(ref("s"), ref("dead"))), rules))
    assert (plain.states, plain.components) == (noisy.states, noisy.components)
    with pytest.raises(Unsatisfiable):
        pushdown(Grammar(ref("dead"), rules))


def test_intersections_and_complements_hold_rules_that_do_not_recur():
    rules = {
        "word": repeat(chars("ab"), 1, 4),
        "s": alt(both(ref("word"), complement(literal("ab"))), seq(literal("("), ref("s"), literal(")"))),
    }
    automaton = pushdown(Grammar(ref("s"), rules))
    assert accepts(automaton, b"((aab))")
    assert not accepts(automaton, b"((ab))")
    with pytest.raises(Unsupported, match="'s' is recursive and stands inside an intersection"):
        pushdown(Grammar(both(ref("s"), star(chars("az"))), rules))
    with pytest.raises(InvalidSource, match="no rule is called 'missing'"):
        pushdown(Grammar(seq(literal("a"), ref("missing"))))


def test_running_takes_time_linear_in_the_text(monkeypatch):
    automaton = pushdown(json_grammar())
    calls = [0]
    counted = pushdown_module._called

    def count(*arguments):
        found = counted(*arguments)
        calls[0] += len(found)
        return found

    monkeypatch.setattr(pushdown_module, "_called", count)
    steps = {}
    for depth in (500, 1000, 2000):
        calls[0] = 0
        assert accepts(automaton, b"[" * depth + b'{"a":1}' + b"]" * depth)
        steps[depth] = calls[0]
    assert steps[2000] - steps[1000] <= 2.2 * (steps[1000] - steps[500])


def test_compiling_takes_time_linear_in_the_source():
    """A chain of rules, each used in three places by the next: inlined it would have 3^2000 states."""
    rules = {"r0": repeat(chars("az"), 40, 40)}
    for index in range(1, 2000):
        before = ref(f"r{index - 1}")
        wrap = lambda open_, close: seq(literal(open_), before, literal(close))  # noqa: B023, E731
        rules[f"r{index}"] = seq(
            literal(f"{index}:"), alt(wrap("(", ")"), wrap("[", "]"), seq(before, literal(f"{index}" * 20)))
        )
    grammar = Grammar(ref("r1999"), rules)
    automaton, seconds = pushdown(grammar), list[float]()
    for _ in range(3):  # the least of them, because the processor is shared
        begun = time.process_time()
        automaton = pushdown(grammar)
        seconds.append(time.process_time() - begun)
        if min(seconds) < 1.5:
            break
    assert 1900 < automaton.components <= 2000  # the shortest rules are written out
    assert automaton.states < 100 * 2000
    assert min(seconds) < 1.5, seconds  # 0.5 on one core
