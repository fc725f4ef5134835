"""What a stream tells of an answer on its way: the text or the calls in its settled beginning, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from structgen.evidence.warnings import declared
from structgen.server.answering.pieces import JsonPiece, pieces
from structgen.sources.json_schema.pointers import escape
from structgen.sources.tools import Tools
from structgen.sources.tools.reply import Call, call_id

Emit = Callable[[object], None]


@dataclass(frozen=True)
class SpokenCall:
    """What there is of a call. said: of its arguments as JSON, or of the text of a custom tool"""

    name: str
    custom: bool
    said: str


@dataclass(frozen=True)
class Spoken:
    """What the beginning of an output says, which nothing that follows can change."""

    content: str = ""
    calls: tuple[SpokenCall, ...] = ()


@dataclass(frozen=True)
class BegunCall:
    """A call that has begun. number: among those of its answer"""

    number: int
    id: str
    name: str
    custom: bool


@dataclass(frozen=True)
class Grew:
    """Text of an answer that nothing can change any more."""

    index: int
    text: str


@dataclass(frozen=True)
class CallBegan:
    """An answer begins a call."""

    index: int
    call: BegunCall


@dataclass(frozen=True)
class CallGrew:
    """More of what a tool is called with."""

    index: int
    call: BegunCall
    text: str


@dataclass(frozen=True)
class CallEnded:
    """A call is complete. text: all of what the tool is called with"""

    index: int
    call: BegunCall
    text: str


class Telling:
    """What is told of one answer; events are emitted in an order that clients can read.

    context: of the ids of its calls, which no other answer has
    """

    def __init__(self, index: int, context: str, emit: Emit) -> None:
        self._index, self._context, self._emit = index, context, emit
        self.content = ""
        self._begun: list[BegunCall] = []
        self._said = ""  # of the last call

    def take(self, spoken: Spoken) -> None:
        """Tell what is new in a beginning. Raises AssertionError if what was told is no part of it."""
        if added := _rest(spoken.content, self.content):
            self.content = spoken.content
            self._emit(Grew(self._index, added))
        for number, call in enumerate(spoken.calls):
            if number + 1 == len(self._begun):
                self._grow(call.said)
            elif number == len(self._begun):
                self._end()
                self._begun.append(BegunCall(number, call_id(self._context, number), call.name, call.custom))
                self._emit(CallBegan(self._index, self._begun[-1]))
                self._grow(call.said)

    def finish(self, calls: tuple[Call, ...]) -> tuple[Call, ...]:
        """Tell what is missing of the calls of the whole answer, and give them the ids that they were told with."""
        self.take(
            Spoken(self.content, tuple(SpokenCall(one.name, one.tool.custom, one.text) for one in calls))
        )
        self._end()
        return tuple(replace(one, id=begun.id) for one, begun in zip(calls, self._begun, strict=True))

    def shown(self, content: str | None) -> int:
        """How much of the content of the whole answer was told."""
        _rest(content or "", self.content)
        return len(self.content)

    def _grow(self, said: str) -> None:
        if added := _rest(said, self._said):
            self._said = said
            self._emit(CallGrew(self._index, self._begun[-1], added))

    def _end(self) -> None:
        if self._begun:
            self._emit(CallEnded(self._index, self._begun[-1], self._said))
            self._said = ""


def _rest(text: str, told: str) -> str:
    """What the text has beyond what was told."""
    assert text.startswith(told), "a settled beginning has changed"
    return text[len(told) :]


def in_words(text: str) -> Spoken:
    """What an object with a single answer in words says."""
    return _spoken(None, text)


def calling(tools: Tools, text: str) -> Spoken:
    """What calls, or an answer in words in their place, say; written as JSON."""
    return _spoken(tools, text)


def _spoken(tools: Tools | None, text: str) -> Spoken:
    content, calls = "", list[_Calling]()
    for piece in pieces(text):
        path = piece.path[1:] if piece.path[:1] and isinstance(piece.path[0], int) else piece.path
        if path == ("answer",) and piece.said is not None:
            content = piece.said
        elif path == ("name",) and piece.said is not None and piece.whole and tools is not None:
            calls.append(_Calling(tools, piece.said))
        elif path[:1] == ("arguments",) and calls:
            calls[-1].take(piece, path[1:])
    return Spoken(content, tuple(one.spoken for one in calls))


class _Calling:
    """A call while its pieces are read."""

    def __init__(self, tools: Tools, name: str) -> None:
        self._tool = next(tool for tool in tools.callable if tool.name == name)
        self._outline = self._tool.arguments.outline().plain()
        self._said = ""
        self._open: bool | None = False  # None behind a member that may come again with another value

    def take(self, piece: JsonPiece, path: tuple[str | int, ...]) -> None:
        """Read a piece at a path in the arguments."""
        if self._tool.custom:
            self._said = piece.said or self._said
        elif piece.names and path and not declared(self._outline, _pointer(path)):
            self._open = None
        elif self._open:
            self._said += piece.spelled
        elif self._open is False:
            self._open = piece.spelled == ": "  # behind the name of the arguments

    @property
    def spoken(self) -> SpokenCall:
        """What was read."""
        return SpokenCall(self._tool.name, self._tool.custom, self._said)


def _pointer(path: tuple[str | int, ...]) -> str:
    return "".join(f"/{escape(str(step))}" for step in path)
