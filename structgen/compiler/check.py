"""Where a text leaves a language, and what could have stood there.

The text is read byte by byte through the automaton of the language. The first byte after which no text of the language
remains is where it leaves; the moves of the state before it say what was possible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from structgen.sources import Readable
from structgen.sources.canonical import Respelled, respelled
from structgen.sources.json_schema.pointers import escape
from structgen_engine.automata.arrays import DEAD, NEVER
from structgen_engine.decoding.automaton import TokenAutomaton

if TYPE_CHECKING:
    from structgen.compiler.constraint import Constraint

MOST = 8  # continuations that are listed
LONGEST = 40  # bytes of one of them
SHOWN = 40  # characters of the text that are quoted
FEW = 4  # symbols of a class that are listed one by one
_ASCII = 0x7F
_DIGITS = frozenset(b"0123456789")
_SPACE = frozenset(b" \t\n\r")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


@dataclass(frozen=True)
class CheckResult:
    """Whether a text satisfies a source and, if not, where it first leaves it.

    offset: in characters, None if the text is accepted; line, column: of the offset, counted from 1
    pointer: of the JSON value at the offset, "" for the whole text; found: the rest of the line from the offset on
    possible: at most eight continuations that were possible there, in quotes unless they are described in words
    undeclared: whether the text would be accepted with additional="open"; it then has members that no schema declares
    """

    accepted: bool
    offset: int | None = None
    line: int | None = None
    column: int | None = None
    pointer: str = ""
    found: str = ""
    possible: tuple[str, ...] = ()
    undeclared: bool = False

    def __bool__(self) -> bool:
        """Whether the text is accepted."""
        return self.accepted

    def __str__(self) -> str:
        """One sentence."""
        if self.accepted:
            return "accepted"
        where = f"line {self.line}, column {self.column}" + (f" ({self.pointer})" if self.pointer else "")
        found = repr(self.found) if self.found else "the end of the text"
        listed = f": possible here {'is' if len(self.possible) == 1 else 'are'} {', '.join(self.possible)}"
        sentence = f"not accepted at {where}, where the text has {found}{listed if self.possible else ''}"
        hint = (
            "; it is valid with undeclared members, which additional open allows" if self.undeclared else ""
        )
        return sentence + hint


def refusal(constraint: Constraint[Any], text: str) -> CheckResult:
    """Where a text that a constraint does not accept leaves it."""
    is_json = isinstance(constraint.source, Readable)
    spelled = respelled(text) if is_json else Respelled(text)
    automaton = constraint.over_bytes.automaton
    left = leaves_at(automaton, spelled.text.encode(errors="surrogatepass"))
    if left is None:
        return _repeated(constraint, text)
    read, state = left
    offset = spelled.original(len(spelled.text.encode(errors="surrogatepass")[:read].decode(errors="ignore")))
    return _at(text, offset, pointer_at(text[:offset]) if is_json else "", continuations(automaton, state))


def _at(text: str, offset: int, pointer: str, possible: tuple[str, ...] = ()) -> CheckResult:
    """The result for a text that is left at an offset."""
    line, column = text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
    found = text[offset : offset + SHOWN].partition("\n")[0] or text[offset : offset + 1]
    return CheckResult(False, offset, line, column, pointer, found, possible)


def _repeated(constraint: Constraint[Any], text: str) -> CheckResult:
    """The result for a text that the automaton accepts, but in which an element of a unique array is repeated."""
    detour = None if constraint.rule is None else constraint.rule(text)
    if detour is None:
        return _at(text, len(text), "")
    pointer = "".join(f"/{escape(str(step))}" for step in detour.place)
    return _at(text, detour.at, pointer, ("an element that differs from those before it",))


def leaves_at(automaton: TokenAutomaton, text: bytes) -> tuple[int, int] | None:
    """The number of bytes of a text after which it can no longer be completed, and the state there.

    None if the text is accepted. automaton: over bytes
    """
    state = automaton.start
    for at, byte in enumerate(text):
        onward = automaton.run([byte], state)
        if onward == DEAD or automaton.enough(onward) == NEVER:
            return at, state
        state = onward
    return None if automaton.is_accepting(state) else (len(text), state)


def continuations(automaton: TokenAutomaton, state: int) -> tuple[str, ...]:
    """At most eight texts that may follow in a state; the end of the text comes first."""
    found = ["the end of the text"] if automaton.is_accepting(state) else []
    for one in _continuations(automaton, state):
        if one not in found:
            found.append(one)
        if len(found) == MOST:
            break
    return tuple(found)


def _continuations(automaton: TokenAutomaton, state: int) -> Iterator[str]:
    for target, members in _onward(automaton, state).items():
        if members <= _SPACE:
            continue
        if members <= _DIGITS and len(members) > 1:
            yield "a digit"
        elif len(members) > FEW:
            yield "a character"
        else:
            if max(members) > _ASCII:
                yield "a character beyond ASCII"
            for one in sorted(one for one in members - _SPACE if one <= _ASCII):
                yield repr(_forced(automaton, bytes([one]), target).decode(errors="replace"))


def _onward(automaton: TokenAutomaton, state: int) -> dict[int, set[int]]:
    """The bytes that lead to each state from which a text can be completed.

    Every byte is tried, because the classes of a lazy automaton may change while it is asked.
    """
    found: dict[int, set[int]] = {}
    for byte in range(256):
        target = automaton.run([byte], state)
        if target != DEAD and automaton.enough(target) != NEVER:
            found.setdefault(target, set()).add(byte)
    return found


def _forced(automaton: TokenAutomaton, begun: bytes, state: int) -> bytes:
    """The bytes that must follow, white space aside, as far as there is no choice."""
    while len(begun) < LONGEST and not automaton.is_accepting(state):
        ways = [
            (one, target) for target, members in _onward(automaton, state).items() for one in members - _SPACE
        ]
        if len(ways) != 1:
            break
        begun, state = begun + bytes([ways[0][0]]), ways[0][1]
    return begun


def pointer_at(begun: str) -> str:
    """The JSON pointer of the value that is being written at the end of the beginning of a JSON text."""
    steps: list[str | int] = []
    closed = True  # whether the last object awaits a key
    for match in _TOKEN.finditer(begun):
        token = match[0]
        if token in "{[":
            steps.append("" if token == "{" else 0)
            closed = True
        elif token in "}]" and steps:
            steps.pop()
            closed = False
        elif token == "," and steps:
            last = steps[-1]
            steps[-1] = last + 1 if isinstance(last, int) else ""
            closed = True
        elif closed and steps and isinstance(steps[-1], str) and token[0] == '"':
            steps[-1] = token.strip('"')
            closed = False
    return "".join(f"/{escape(str(step))}" for step in steps if step != "")
