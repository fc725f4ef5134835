"""Code point ranges as sequences of byte ranges.

A range of code points splits into a few sequences of byte ranges. The UTF-8 spellings of the range are the
concatenations of one byte from each range of a sequence: U+0000–U+FFFF is [00-7F] | [C2-DF][80-BF] | [E0][A0-BF][80-BF]
| … . The method is Russ Cox's (RE2), also in rust-lang/regex-syntax's `utf8` module: split where the encoded length
changes, then where a prefix of continuation bits is not full.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

LENGTH_LIMITS = (0x7F, 0x7FF, 0xFFFF, 0x10FFFF)

ByteRanges = tuple[tuple[int, int], ...]


@lru_cache(maxsize=4096)
def byte_sequences(low: int, high: int) -> tuple[ByteRanges, ...]:
    """The sequences of byte ranges that spell the code points low … high (no surrogates among them)."""
    return tuple(_sequences(low, high))


def _sequences(low: int, high: int) -> Iterator[ByteRanges]:
    for limit in LENGTH_LIMITS:
        if low <= limit < high:
            yield from _sequences(low, limit)
            yield from _sequences(limit + 1, high)
            return
    if high <= 0x7F:
        yield ((low, high),)
        return
    for bits in (6, 12, 18):
        mask = (1 << bits) - 1
        if low & ~mask != high & ~mask:
            if low & mask:
                yield from _sequences(low, low | mask)
                yield from _sequences((low | mask) + 1, high)
                return
            if high & mask != mask:
                yield from _sequences(low, (high & ~mask) - 1)
                yield from _sequences(high & ~mask, high)
                return
    yield tuple(zip(chr(low).encode(), chr(high).encode(), strict=True))
