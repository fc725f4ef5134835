"""Where an answer probably begins and ends: the brackets in it, and the weight of leaving out what is around them.

A region is an outermost pair of brackets. What is outside is prose: its bytes, words and stretches up to a region cost
little. Inside a region a byte costs more, so that an answer is not replaced by a small valid piece of it; but a whole
region may be left out, for answers that quote an example first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from structgen.compiler.projection import weights as w

_FENCE = re.compile(rb"\n?[ \t]*(?:```|~~~)[^\n]*\s*$")
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SKIPPED = re.compile(rb"\w+\W?|\s+")
CLOSERS = {b"{": b"}", b"[": b"]"}


class Bracketed(NamedTuple):
    """Bytes start … end − 1, and where the brackets probably close if they do not match: from there on it is unsure."""

    start: int
    end: int
    sure: int


class Skip(NamedTuple):
    """Bytes start … end − 1 may be left out before or after the text, at a weight."""

    start: int
    end: int
    weight: int


def regions(answer: bytes) -> list[Bracketed]:
    """The outermost brackets, in order."""
    found, at, stop = list[Bracketed](), 0, content_end(answer)
    while True:
        opens = re.compile(rb"[{\[]").search(answer, at, stop)
        if opens is None:
            return found
        end = _closing(answer, opens.start(), stop)
        if end is None:
            last = max(answer.rfind(b"}", opens.start(), stop), answer.rfind(b"]", opens.start(), stop)) + 1
            found.append(Bracketed(opens.start(), stop, last or stop))
            return found
        found.append(Bracketed(opens.start(), end, end))
        at = end


def _closing(answer: bytes, at: int, stop: int) -> int | None:
    """The end of the brackets that open at a place; None if they do not close."""
    depth = 0
    for match in re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL).finditer(answer, at, stop):
        if match[0] in (b"{", b"["):
            depth += 1
        elif match[0] in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return match.end()
    return None


def cut_off(answer: bytes) -> bool:
    """Whether brackets are left open, however quotes are read: the answer was probably cut off."""
    content, found = answer[: content_end(answer)], regions(answer)
    if not found:
        return content.count(b'"') % 2 == 1
    if _closing(answer, found[-1].start, len(content)) is not None:
        return False
    return any(content.count(opens) != content.count(closes) for opens, closes in CLOSERS.items())


def content_end(answer: bytes) -> int:
    """Where the content ends, before white space and a closing fence."""
    fence = _FENCE.search(answer)
    if fence is not None and re.search(rb"```|~~~", answer[: fence.start()]):
        return len(answer[: fence.start()].rstrip())
    return len(answer.rstrip())


def inside(answer: bytes, found: list[Bracketed]) -> list[int]:
    """[bytes] the weight of leaving out each byte before or after the text."""
    cost = [w.OUTSIDE] * len(answer)
    for region in found:
        cost[region.start : region.sure] = [w.INSIDE] * (region.sure - region.start)
        cost[region.sure : region.end] = [w.BEYOND] * (region.end - region.sure)
    for at, byte in enumerate(answer):
        if byte in b" \t\r\n":
            cost[at] = 0 if cost[at] == w.OUTSIDE else w.SPACE
    return cost


def skips(answer: bytes, found: list[Bracketed]) -> Iterator[Skip]:
    """What may be left out before or after the text."""
    for at, cost in enumerate(inside(answer, found)):
        yield Skip(at, at + 1, cost)
    edges = [0, *(place for region in found for place in (region.start, region.end)), len(answer)]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end > start:
            yield Skip(start, end, w.GAP + (end - start) // w.PER_GAP)
        for match in _SKIPPED.finditer(answer, start, end):
            yield Skip(*match.span(), w.WORD if match[0].strip() else 0)
    for region in found:
        quoted = re.search(rb"[\"':]", answer[region.start : region.end])
        cost = w.REGION + region.end - region.start if quoted else w.REMARK
        yield Skip(region.start, region.end, cost)
