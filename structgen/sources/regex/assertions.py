"""Automata of patterns with assertions at any place.

A backtracking engine keeps one place in the pattern; this construction follows all places at once (Antimirov's partial
derivatives, 1996). A condition of an assertion on the text to the right becomes a *duty* of the place that stated it: a
set of places in another pattern, of which one must (or none may) match when the text ends. A condition on the text to
the left is already decided, because every look-behind is followed from the start of the text. An example is the last
\\b in `\\bno\\b` after the text "no":

    place    what is left of the pattern: \\b
    left     does the text begin here: no; has a word character been read: yes
    so       continue, with the duty that the rest is empty or does not begin with a word character

An atomic group matches what a backtracking engine would find first. Its places are kept in the order in which they are
tried. A place that has reached the end of the group rules out the places after it. It is valid only if no place before
it reaches an end later; this is a duty as well.

The text read so far determines what is known about the left and what the duties have become, so there are finitely many
states (place, left), and the automaton is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

from structgen.errors import Unsupported
from structgen.grammar import (
    EMPTY,
    TEXT,
    Alt,
    Bytes,
    Chars,
    Expr,
    Repeat,
    Seq,
    alt,
    automaton,
    literal,
)
from structgen.limits.budget import check

from .atoms import Atoms, Partition
from .nodes import Alternation, Anchor, Atomic, Behind, Concat, Look, Node, Repeated, concat, inside, repeated

MOST_STEPS = 100_000  # steps from one place to the next; they take a second or two


class TooManySteps(Unsupported):
    """Raised when an automaton is not finished after MOST_STEPS."""


class Hashed:
    """A value that caches its hash, because it is looked up often and may be large."""

    @cached_property
    def _hash(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class Thread(Hashed):
    """One way to read the text: the rest of the pattern, and the duties that the rest of the text must also fulfil."""

    node: Node
    duties: frozenset[Duty] = frozenset()

    __hash__ = Hashed.__hash__


@dataclass(frozen=True)
class Duty(Hashed):
    """The rest of the text must be read to its end by one of the threads or, if `negate`, by none."""

    threads: frozenset[Thread]
    negate: bool

    __hash__ = Hashed.__hash__

    @property
    def opposite(self) -> Duty:
        """The duty that fails if and only if this one holds."""
        return replace(self, negate=not self.negate)


@dataclass(frozen=True)
class AtomicRun:
    """The rest of an atomic group: its threads, in the order in which they are tried. It is used as a node."""

    threads: tuple[Thread, ...]


@dataclass(frozen=True)
class FirstStep:
    """One way to begin a node: characters and the node after them, or None if the node may end here."""

    duties: frozenset[Duty]
    atoms: Atoms | None
    node: Node


@dataclass(frozen=True)
class Left(Hashed):
    """What is known about the text read so far: whether it is empty, and the threads of each look-behind."""

    fresh: bool
    behind: tuple[frozenset[Thread], ...]

    __hash__ = Hashed.__hash__


NONE: frozenset[Duty] = frozenset()
END = FirstStep(NONE, None, EMPTY)
CERTAIN = Thread(TEXT)  # it reads any text


def walked(node: Node) -> Expr:
    """The texts that `node` reads from end to end, as an automaton. Raises Unsupported if it would be too large."""
    return _Walk(node).automaton()


class _Walk:
    """The construction of the automaton for one pattern."""

    def __init__(self, node: Node):
        self.start = node
        self.atoms = Partition(node)
        self.behinds = tuple(dict.fromkeys(part for part in inside(node) if isinstance(part, Behind)))
        self._spent = 0
        self._after: dict[tuple[Thread, Left, int], tuple[Thread, ...]] = {}
        self._rest: dict[tuple[Duty, Left, int], Duty | bool] = {}
        self._steps: dict[tuple[Node, Left | None], tuple[FirstStep, ...]] = {}

    def automaton(self) -> Expr:
        """The automaton, crawled from the start of the text; all characters between two states are one move."""
        behind = tuple(frozenset([Thread(concat(TEXT, part.body))]) for part in self.behinds)
        first = (Thread(self.start), Left(True, behind))
        number, waiting = {first: 0}, [first]
        moves: dict[tuple[int, int], set[int]] = {}
        accepting: list[int] = []
        for thread, left in waiting:
            check()
            source = number[thread, left]
            if self.ends(thread, left):
                accepting.append(source)
            for atom in range(len(self.atoms)):
                after = [(target, self.after(left, atom)) for target in self.step(thread, left, atom)]
                for state in after:
                    if state not in number:
                        number[state] = len(number)
                        waiting.append(state)
                    moves.setdefault((source, number[state]), set()).add(atom)
            self._spend(len(self.atoms))
        edges = [(source, self.atoms.chars(some), target) for (source, target), some in moves.items()]
        return automaton(edges, accepting)

    def after(self, left: Left, atom: int) -> Left:
        """What is known about the left once `atom` has been read."""
        behind = (
            frozenset(new for old in threads for new in self.step(old, left, atom)) for threads in left.behind
        )
        return Left(False, tuple(behind))

    def step(self, thread: Thread, left: Left, atom: int) -> tuple[Thread, ...]:
        """The threads that continue after `atom`."""
        key = (thread, left, atom)
        if key not in self._after:
            self._spend(1)
            steps = [step for step in self.steps(thread.node, left) if step.atoms and atom in step.atoms]
            rest = [(step.node, self.advance(thread.duties | step.duties, left, atom)) for step in steps]
            self._after[key] = tuple(Thread(node, duties) for node, duties in rest if duties is not None)
        return self._after[key]

    def advance(self, duties: frozenset[Duty], left: Left, atom: int) -> frozenset[Duty] | None:
        """The duties that remain after `atom`; None if one of them has failed."""
        rest = [self._advance(duty, left, atom) for duty in duties]
        return None if False in rest else frozenset(duty for duty in rest if isinstance(duty, Duty))

    def _advance(self, duty: Duty, left: Left, atom: int) -> Duty | bool:
        """The rest of a duty, or whether it is fulfilled once that is decided."""
        key = (duty, left, atom)
        if key not in self._rest:
            self._spend(len(duty.threads))
            threads = frozenset(new for old in duty.threads for new in self.step(old, left, atom))
            certain = CERTAIN in threads
            self._rest[key] = certain != duty.negate if certain or not threads else Duty(threads, duty.negate)
        return self._rest[key]

    def ends(self, thread: Thread, left: Left) -> bool:
        """Whether the text may end here."""
        ways = (thread.duties | step.duties for step in self.steps(thread.node, left) if step.atoms is None)
        return any(all(self.fulfilled(duty, left) for duty in duties) for duties in ways)

    def fulfilled(self, duty: Duty, left: Left) -> bool:
        """Whether a duty holds if the text ends here."""
        return any(self.ends(thread, left) for thread in duty.threads) != duty.negate

    def steps(self, node: Node, left: Left) -> tuple[FirstStep, ...]:
        """The ways in which `node` may begin, in the order in which they are tried."""
        key = (node, None if isinstance(node, Expr) else left)
        if key not in self._steps:
            self._steps[key] = tuple(dict.fromkeys(self._begin(node, left)))
            self._spend(len(self._steps[key]))
        return self._steps[key]

    def _spend(self, steps: int) -> None:
        check()
        self._spent += steps
        if self._spent > MOST_STEPS:
            raise TooManySteps("", remedy="lower its repetitions, or use fewer assertions")

    def _begin(self, node: Node, left: Left) -> Iterator[FirstStep]:
        match node:
            case Bytes(value):
                text = value.decode()
                yield FirstStep(NONE, self.atoms.of_char(text[0]), literal(text[1:])) if text else END
            case Chars():
                yield FirstStep(NONE, self.atoms.of(node), EMPTY)
            case Seq(parts) | Concat(parts):
                yield from self._joined(self.steps(parts[0], left), concat(*parts[1:]), left)
            case Alt(parts) | Alternation(parts):
                for part in parts:
                    yield from self.steps(part, left)
            case Repeat(body, low, high):
                yield from self._repeated(Repeated(body, low, high), left)
            case Repeated():
                yield from self._repeated(node, left)
            case Anchor.START:
                yield from [END][: left.fresh]
            case Anchor.END:
                yield self._duty(EMPTY)
            case Anchor.LAST_LINE:
                yield self._duty(alt(EMPTY, literal("\n")))
            case Look(body, negate):
                yield self._duty(_then(body, TEXT), negate)
            case Behind():
                yield from self._behind(node, left)
            case Atomic(body):
                yield from self._tried((Thread(body),), left)
            case AtomicRun(threads):
                yield from self._tried(threads, left)

    def _duty(self, node: Node, negate: bool = False) -> FirstStep:
        return FirstStep(frozenset([Duty(frozenset([Thread(node)]), negate)]), None, EMPTY)

    def _joined(self, steps: tuple[FirstStep, ...], tail: Node, left: Left) -> Iterator[FirstStep]:
        """`steps`, then `tail`."""
        for step in steps:
            if step.atoms is not None:
                yield replace(step, node=_then(step.node, tail))
            else:
                for more in self.steps(tail, left):
                    yield replace(more, duties=step.duties | more.duties)

    def _repeated(self, node: Repeated, left: Left) -> Iterator[FirstStep]:
        """A repetition: a round that reads nothing satisfies the least number, and adds nothing beyond it."""
        high = None if node.high is None else node.high - 1
        if node.low == 0 and node.lazy:
            yield END
        if node.high != 0:
            for step in self.steps(node.body, left):
                if step.atoms is not None:
                    tail = repeated(node.body, max(node.low - 1, 0), high, lazy=node.lazy)
                    yield replace(step, node=_then(step.node, tail))
                elif node.low:
                    yield from self._joined((step,), repeated(node.body, 0, high, lazy=node.lazy), left)
        if node.low == 0 and not node.lazy:
            yield END

    def _behind(self, node: Behind, left: Left) -> Iterator[FirstStep]:
        """A look-behind: it holds if one of its threads ends here; a negative one holds if none does."""
        threads = left.behind[self.behinds.index(node)]
        ways = [
            thread.duties | step.duties
            for thread in threads
            for step in self.steps(thread.node, left)
            if step.atoms is None
        ]
        for duties in _all_fail(ways) if node.negate else ways:
            yield FirstStep(duties, None, EMPTY)

    def _tried(self, threads: tuple[Thread, ...], left: Left) -> Iterator[FirstStep]:
        """An atomic group: the first thread that ends here rules out those after it.

        A thread ends here unconditionally or on duties. If the duties hold, the threads after it are ruled out; if not,
        they continue. Each is a separate case.
        """
        steps = [
            replace(step, duties=thread.duties | step.duties)
            for thread in threads
            for step in self.steps(thread.node, left)
        ]
        cases, before = [NONE], list[FirstStep]()
        for step in steps:
            if step.atoms is not None:
                alive = frozenset(
                    atom for atom in step.atoms if self.advance(step.duties, left, atom) is not None
                )
                before += [replace(step, atoms=alive)] if alive else []
                continue
            self._spend(len(cases))
            for case in cases:
                yield from self._going_on(before, case | step.duties, left)
                yield FirstStep(case | step.duties | self._none_ends(before), None, EMPTY)
            cases = [case | {duty.opposite} for case in cases for duty in step.duties - case]
        for case in cases:
            yield from self._going_on(before, case, left)

    def _going_on(self, steps: list[FirstStep], duties: frozenset[Duty], left: Left) -> Iterator[FirstStep]:
        """The group ends later, by one of `steps`; the next character decides which of them continue."""
        for atom in range(len(self.atoms)):
            some = [step for step in steps if step.atoms is not None and atom in step.atoms]
            rest = [(step.node, self.advance(step.duties, left, atom)) for step in some]
            threads = dict.fromkeys(Thread(node, duties) for node, duties in rest if duties is not None)
            if threads and self.advance(duties, left, atom) is not None:
                yield FirstStep(duties, frozenset([atom]), cast(Node, AtomicRun(tuple(threads))))

    def _none_ends(self, steps: list[FirstStep]) -> frozenset[Duty]:
        """The duty that none of `steps` leads to an end of the group."""
        ways = [
            Thread(_then(self.atoms.chars(step.atoms or ()), step.node, TEXT), step.duties) for step in steps
        ]
        return frozenset([Duty(frozenset(ways), True)]) if ways else NONE


def _then(*nodes: Node) -> Node:
    """The nodes in order, flat; before TEXT at the end, nodes that can always be read are dropped."""
    parts = [part for node in nodes for part in (node.parts if isinstance(node, Concat | Seq) else (node,))]
    parts = [part for part in parts if part is not EMPTY]
    while len(parts) > 1 and parts[-1] is TEXT and _always(parts[-2]):
        del parts[-2]
    return concat(*parts)


def _always(node: Node) -> bool:
    """Whether `node` evidently can read some beginning of every text."""
    match node:
        case Expr():
            return node.facts.nullable
        case Concat(parts):
            return all(map(_always, parts))
        case Alternation(parts):
            return any(map(_always, parts))
        case Repeated(body, low, _):
            return low == 0 or _always(body)
        case Atomic(body):
            return _always(body)
        case AtomicRun(threads):
            return any(_always(thread.node) for thread in threads if not thread.duties)
    return False


def _all_fail(ways: list[frozenset[Duty]]) -> list[frozenset[Duty]]:
    """The ways in which all of `ways` fail: each takes the opposite of one duty of every way."""
    cases = [NONE]
    for way in ways:
        cases = [case | {duty.opposite} for case in cases for duty in way]
    return cases
