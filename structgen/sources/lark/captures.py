"""Captures: the pieces of a text that the rules with `capture` stand for."""

from __future__ import annotations

from collections.abc import Mapping

from structgen.grammar import Expr, Grammar, Ref

from ..reading import Capture
from .derivation import Chart, Key, ends_of
from .lowering import Delimited


def captures(grammar: Grammar, regions: Mapping[str, Delimited], text: str) -> list[tuple[str, Capture]]:
    """The captures of a text by name, in the order in which they end; none if the grammar does not derive it."""
    if not any(one.capture or one.marker_capture for one in regions.values()):
        return []
    spelled = text.encode(errors="surrogatepass")
    chart = Chart(grammar.rules, spelled)
    chart.fill(grammar.start)
    if len(spelled) not in chart.known((grammar.start, 0, 0)):
        return []
    return _DerivationWalk(chart, regions).captures(grammar.start)


class _DerivationWalk:
    """A walk through one derivation. hidden: the pieces that `stop` leaves out of every value around them"""

    def __init__(self, chart: Chart, regions: Mapping[str, Delimited]):
        self._chart, self._regions = chart, regions
        self._events: list[tuple[str, int, int]] = []
        self._hidden: list[tuple[int, int]] = []

    def captures(self, start: Expr) -> list[tuple[str, Capture]]:
        """All captures below the start, inner ones first."""
        waiting: list[tuple[Key, int, bool]] = [((start, 0, 0), len(self._chart.text), False)]
        while waiting:
            key, end, seen = waiting.pop()
            region = self._regions.get(key[0].name) if isinstance(key[0], Ref) else None
            if seen:
                assert region is not None
                self._end(region, key[2], end)
                continue
            if region is not None:
                waiting.append((key, end, True))
            waiting += [(part, after, False) for part, after in reversed(self._chart.steps(key, end))]
        return [(name, self._capture(begin, end)) for name, begin, end in self._events]

    def _end(self, region: Delimited, begin: int, end: int) -> None:
        middle = end
        if region.marker is not None:
            middle = self._split(region.value, region.marker, begin, end)
            if region.marker_capture:
                self._events.append((region.marker_capture, middle, end))
        if region.capture:
            self._events.append((region.capture, begin, middle))
        if region.hidden and middle < end:
            self._hidden.append((middle, end))

    def _split(self, value: Expr, marker: Expr, begin: int, end: int) -> int:
        """Where the value ends and the marker begins; the longest value counts."""
        piece = self._chart.text[:end]
        return next(at for at in ends_of(value, piece, begin) if end in ends_of(marker, piece, at))

    def _capture(self, begin: int, end: int) -> Capture:
        text, pieces, at = self._chart.text, list[bytes](), begin
        for low, high in sorted(self._hidden):
            if begin <= low and high <= end and (low, high) != (begin, end):
                pieces.append(text[at:low])
                at = high
        value = b"".join([*pieces, text[at:end]]).decode()
        return Capture(value, len(text[:begin].decode()), len(text[:end].decode()))


def by_name(found: list[tuple[str, Capture]]) -> dict[str, list[Capture]]:
    """The captures of each name."""
    names: dict[str, list[Capture]] = {}
    for name, capture in found:
        names.setdefault(name, []).append(capture)
    return names
