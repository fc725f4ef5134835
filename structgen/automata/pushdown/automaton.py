"""Automata that call each other: a grammar's rules, each compiled once however often it is used.

A finite automaton needs a state for everything that may still have to follow, so a rule that is used in a hundred
places needs a hundred copies, and a rule that contains itself has no finite form. Here each such rule is a *component*:
a small automaton that others call. A call pushes the state where the caller goes on (`back`) onto a stack and runs the
component from its start; when the component accepts, the state is popped. A *configuration* is a state and a stack.

    value = [0-9]+ | "[" value ("," value)* "]"
                                                 digit ⟲
    component 0:   start ──digit──→ number (accepts)
                     └──[──→ item ══value══→ more ──]──→ end (accepts, final)
                               ↑──────,───────┘

Reading [1], with the stack in parentheses:

    before    start, ()
    [         item, ()         item may call the component: start, (more)
    1         number, (more)   number accepts, so it may return: more, ()
    ]         end, ()          end accepts and the stack is empty, so the text may end here

Four properties of every Pushdown make configurations cheap to run. Components are deterministic in bytes and in calls,
minimal and different from one another. A call reads at least one symbol before it returns (if the callee accepts the
empty string, the caller has an extra path past the call). No start can reach itself by calls alone (left recursion has
been removed), so following a state's calls ends. A return to a `final` state would only return again, so that state
need not be pushed, and right recursion takes no stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from structgen.automata.finite.minimize import merge_columns
from structgen.automata.finite.nfa import FIRST_TOKEN, CallSymbol, Ints, Nfa
from structgen.automata.finite.regular import Compiler
from structgen.automata.pushdown.left_recursion import without_left_recursion
from structgen.automata.pushdown.linked import GATE, Linked, determinise, distances, smallest, trimmed
from structgen.automata.pushdown.orders import Frames, Mark, marks_of, parts_called, tables
from structgen.automata.pushdown.rules import RuleUse, analyse
from structgen.errors import Unsatisfiable, Unsupported
from structgen.grammar import Grammar
from structgen.limits.budget import check

DEAD = 0
STOP = -1  # in `shortest`: return here
NO_MARKS: Mapping[str, Mark] = {}


@dataclass(frozen=True, eq=False)
class Pushdown:
    """Component automata that call each other (module docstring). S states, B byte classes, T tokens, C components.

    byte_class: [256] uint8, class of each byte, one partition for all components
    tokens: the special tokens, symbols B … B + T − 1 after the byte classes
    delta: [S, B + T] int32, next state; state 0 is DEAD; the states of all components are numbered together, and
        components that end alike share states
    call_at: [S + 1] int32, the calls of state q are call_at[q] … call_at[q + 1] − 1
    callee: [calls] int32, component that is called; back: [calls] int32, where the caller goes on
    accepting: [S] bool, the component may return here; with an empty stack the text may end here
    final: [S] bool, accepting without edges and calls: as a `back` it need not be pushed
    start: [C] int32, start state of each component; component 0 is the root, the only one whose start may accept
    bytes_left: [S] int64, length in symbols of the shortest path from this state to a return, calls included (ENDLESS
        if there is no such path)
    shortest: [S] int32, the first step of that path: a symbol, STOP to return, or −2 − c for call c
    gives: [C] int32, the bit that a call of this component sets, −1 for none; asks: [C, M] bool, the bits that must be
        set before; walked: [C] bool, called on shortest paths only (`orders`); all three are empty if no call is marked
    """

    byte_class: NDArray[np.uint8]
    tokens: tuple[str, ...]
    delta: Ints
    call_at: Ints
    callee: Ints
    back: Ints
    accepting: NDArray[np.bool_]
    final: NDArray[np.bool_]
    start: Ints
    bytes_left: NDArray[np.int64]
    shortest: Ints
    gives: Ints = field(default_factory=lambda: np.zeros(0, np.int32))
    asks: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    walked: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    @cached_property
    def frames(self) -> Frames:
        """The states paired with sets of bits; without marks, just the states."""
        return Frames(self)

    @cached_property
    def column(self) -> Ints:
        """[256 + T] the column of `delta` of each byte and each special token."""
        return np.concatenate(
            [self.byte_class, self.byte_classes + np.arange(len(self.tokens))], dtype=np.int32
        )

    @property
    def states(self) -> int:
        """S, DEAD included."""
        return len(self.accepting)

    @property
    def components(self) -> int:
        """C, the root included."""
        return len(self.start)

    @property
    def edges(self) -> int:
        """The number of edges and calls."""
        return int(np.count_nonzero(self.delta)) + len(self.callee)

    @property
    def byte_classes(self) -> int:
        """B."""
        return self.delta.shape[1] - len(self.tokens)

    def all_calls(self) -> list[list[tuple[int, int]]]:
        """[S] the (callee, back) of every call that each state may make."""
        every = list(zip(self.callee.tolist(), self.back.tolist(), strict=True))
        return [every[low:high] for low, high in pairwise(self.call_at.tolist())]

    def calls(self, state: int) -> list[tuple[int, int]]:
        """The (callee, back) of every call that the state may make."""
        low, high = self.call_at[state], self.call_at[state + 1]
        return list(zip(self.callee[low:high].tolist(), self.back[low:high].tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Stack:
    """A stack: the state to return to, and the stack below. Equal stacks are one object, because each keeps `above`."""

    back: int = DEAD
    below: Stack | None = None
    above: dict[int, Stack] = field(default_factory=dict)

    def push(self, back: int) -> Stack:
        """The stack with one more state on top."""
        if back not in self.above:
            self.above[back] = Stack(back, self)
        return self.above[back]


Configuration = tuple[int, Stack]


def begin(automaton: Pushdown) -> frozenset[Configuration]:
    """The configurations before anything is read."""
    return frozenset([(int(automaton.start[0]), Stack())])


def advance(
    automaton: Pushdown, configurations: Iterable[Configuration], symbol: int
) -> frozenset[Configuration]:
    """The configurations after one more symbol: a byte, or 256 + the number of a token."""
    column = int(automaton.byte_class[symbol]) if symbol < 256 else automaton.byte_classes + symbol - 256
    waiting = []
    for state, stack in _called(automaton, configurations):
        target = int(automaton.delta[state % automaton.states, column])
        if target != DEAD:
            waiting.append((target, stack))
    found: set[Configuration] = set()
    while waiting:
        state, stack = waiting.pop()
        if (state, stack) not in found:
            found.add((state, stack))
            if automaton.accepting[state % automaton.states] and stack.below:
                waiting.append((stack.back, stack.below))
    return frozenset(found)


def ends(automaton: Pushdown, configurations: Iterable[Configuration]) -> bool:
    """Whether the text may end here."""
    return any(
        not stack.below and automaton.accepting[state % automaton.states] for state, stack in configurations
    )


def accepts(automaton: Pushdown, text: Iterable[int]) -> bool:
    """Whether the root accepts the text, as symbols: the reference for every faster way to run the automaton."""
    configurations, known = (
        begin(automaton),
        dict[tuple[frozenset[Configuration], int], frozenset[Configuration]](),
    )
    for symbol in text:
        step = configurations, symbol
        if step not in known:
            known[step] = advance(automaton, *step)
        configurations = known[step]
    return ends(automaton, configurations)


def _called(automaton: Pushdown, configurations: Iterable[Configuration]) -> set[Configuration]:
    """The configurations and all that calls lead to. This ends because no start reaches itself by calls alone."""
    found: set[Configuration] = set()
    waiting = list(configurations)
    while waiting:
        state, stack = waiting.pop()
        if (state, stack) not in found:
            found.add((state, stack))
            for callee, back in automaton.frames.calls(state):
                final = automaton.final[back % automaton.states]
                waiting.append((int(automaton.start[callee]), stack if final else stack.push(back)))
    return found


def pushdown(
    grammar: Grammar,
    tokens: Sequence[str] = (),
    null: str | None = None,
    rules: RuleUse | None = None,
    marks: Mapping[str, Mark] = NO_MARKS,
) -> Pushdown:
    """The component automata of `grammar` over bytes and the special `tokens`.

    `null` names the zero-width token that Slack stands for; without one Slack is the empty string. `rules` and `marks`
    are the results of `analyse` and `parts_called`, if they are known.
    Raises Unsupported if there is recursion inside an intersection or a complement or the automata are too large,
    InvalidSource if a name is unknown, Unsatisfiable if no text satisfies the grammar.
    """
    if rules is None:
        grammar, marks = parts_called(grammar)
        rules = analyse(grammar, marks)
    try:
        linked = _linked(grammar, rules, tokens, null)
    except RecursionError:
        raise Unsupported(
            "repetitions, intersections and complements stand in one another too deeply",
            remedy="lower the depth to which the source nests",
        ) from None
    check()
    linked = replace(linked, marks=marks_of(rules.called, marks))
    linked = smallest(trimmed(without_left_recursion(trimmed(linked))))
    check()
    if not linked.start[0]:
        raise Unsatisfiable("nothing satisfies this source: its parts contradict each other")
    return _assembled(linked, tuple(tokens))


def _linked(grammar: Grammar, rules: RuleUse, tokens: Sequence[str], null: str | None) -> Linked:
    """One automaton for each component, deterministic."""
    symbols = {name: FIRST_TOKEN + index for index, name in enumerate(tokens)}
    first_call = FIRST_TOKEN + len(tokens)
    calls = {
        name: CallSymbol(first_call + 1 + index, name in rules.nullable)
        for index, name in enumerate(rules.called)
    }
    compiler = Compiler(grammar, symbols, null, calls)
    return determinise(_gated(compiler, rules, first_call), None, first_call, 1 + len(rules.called))


def _gated(compiler: Compiler, rules: RuleUse, first_call: int) -> Nfa:
    """All components behind a gate. State 0 is unused, GATE is the gate; then come the starts and all other states.

    A component that contains the empty string gets a start that does not accept, because its callers may skip it.
    """
    count = 1 + len(rules.called)
    builder = compiler.builder()
    enter = builder.state(GATE + 1 + count) + GATE + 1
    final = builder.state()
    grammar = compiler.grammar
    bodies = [grammar.start, *(grammar.rules[name] for name in rules.called)]
    for index, body in enumerate(bodies):
        builder.skip(enter + index, builder.build(body, final))
        builder.move(GATE, first_call + count + index, enter + index)
    split = [enter + 1 + index for index, name in enumerate(rules.called) if name in rules.nullable]
    return builder.finish(GATE, final, never=split, symbols=first_call + 2 * count)


def _assembled(linked: Linked, tokens: tuple[str, ...]) -> Pushdown:
    """The tables: columns for classes of bytes and for tokens, calls by state; the gate is left out."""
    living = np.flatnonzero(linked.start > 0)
    renumber = np.full(len(linked.start), -1, np.int32)
    renumber[living] = np.arange(len(living))
    linked = replace(linked, source=linked.source - 1, target=linked.target - 1, start=linked.start - 1)
    linked = replace(linked, accepting=np.concatenate([[False], linked.accepting[2:]]))
    length, choice = distances(linked)
    callee = linked.callee()
    calls = np.flatnonzero(callee >= 0)
    calls = calls[np.lexsort((callee[calls], linked.source[calls]))]
    plain = np.flatnonzero(callee < 0)
    byte_class, column, columns = _columns(linked, plain)
    delta = np.zeros((linked.states, columns + len(tokens)), np.int32)
    delta[linked.source[plain], column[linked.label[plain]]] = linked.target[plain]
    begin = np.zeros(len(linked.label) + 1, np.int64)
    begin[plain] = column[linked.label[plain]]
    begin[calls] = -2 - np.arange(len(calls))
    begin[-1] = STOP  # index −1 means that no edge is taken
    leaves = np.bincount(linked.source, minlength=linked.states) > 0
    return Pushdown(
        byte_class=byte_class,
        tokens=tokens,
        delta=delta,
        call_at=np.searchsorted(linked.source[calls], np.arange(linked.states + 1)).astype(np.int32),
        callee=renumber[callee[calls]],
        back=linked.target[calls],
        accepting=linked.accepting,
        final=linked.accepting & ~leaves,
        start=linked.start[living],
        bytes_left=length,
        shortest=begin[choice].astype(np.int32),
        **(tables([linked.marks[c] for c in living]) if linked.marks else {}),
    )


def _columns(linked: Linked, plain: NDArray[np.int64]) -> tuple[NDArray[np.uint8], Ints, int]:
    """Classes of bytes: class of each byte [256], column of each symbol that edges name, and how many classes."""
    of_bytes = plain[linked.label[plain] < FIRST_TOKEN]
    coarse, _ = merge_columns(
        linked.source[of_bytes], linked.label[of_bytes], linked.target[of_bytes], FIRST_TOKEN
    )
    _, first = np.unique(linked.class_of, return_index=True)
    used, byte_class = np.unique(coarse[first][linked.class_of], return_inverse=True)
    of_byte = np.searchsorted(used, coarse).astype(np.int32)
    of_token = len(used) + np.arange(linked.first_call - FIRST_TOKEN, dtype=np.int32)
    return byte_class.astype(np.uint8), np.concatenate([of_byte, of_token]), len(used)
