"""The weights of edits: what is cheap is what models get wrong without meaning anything else.

A weight of 100 is one letter replaced. Fences and prose around an answer, quotes, commas, the case of letters and the
end of an answer that was cut off cost little; letters and digits cost most. The weights were set by the nature of the
damage, on answers of a development seed; `python -m conformance projection` judges them on another one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ONE = 100  # one letter replaced, the unit of a distance
OPEN_DELETE, OPEN_INSERT = (
    150,
    150,
)  # to begin a run of deleted or inserted bytes, each of which is cheaper then
RUN_DELETE, RUN_INSERT, RUN_STRUCTURE = 20, 15, 10  # a byte of a run
LONGEST_CUT = 40  # to complete an answer that was cut off: one for each byte, but no more
SPACE, NEWLINE, PUNCTUATION, ESCAPE, SEPARATOR, CURRENCY, SIGN, DIGIT, CONTINUATION = (
    1,
    8,
    30,
    40,
    40,
    20,
    60,
    120,
    10,
)
BRACKET, CUT_BRACKET, MARK = (
    90,
    120,
    20,
)  # a bracket or quote added, left out; a backtick, asterisk or apostrophe left out
ENTER, INSIDE_WORD = (
    5,
    30,
)  # to begin after the first character or end before the last one; in the middle of a word
OUTSIDE, INSIDE, BEYOND, WORD = (
    1,
    20,
    5,
    2,
)  # a byte skipped outside, inside and after brackets; a word outside
REGION, REMARK, GAP, PER_GAP = (
    30,
    3,
    6,
    200,
)  # brackets skipped as a whole, with and without quotes; prose up to them,
# and how many bytes of it cost one more
CASE, QUOTE, SIMILAR, ACCENT = 12, 3, 15, 30
UNQUOTED, KEY, BARE, SINGLE = (
    20,
    3,
    30,
    20,
)  # a quote of what may be a number; a key, a value in quotes; [x] for x
APOSTROPHE = 6  # a quote of Python that stays one
RESPELLED, SPELLING, FOREIGN, NUMBERS, EMPTINESS, FLAG = 0, 5, 10, 10, 60, 50
TRAILING, COMMENT, ELLIPSIS = 1, 20, 20
ENCODED = 10  # an answer read as the text that it spells as a JSON string
MEMBER, MEMBER_BYTE, EMPTY_MEMBER = 250, 4, 40  # a whole member of an object left out; one without a value

_BRACKETS, _SEPARATORS, _CURRENCY, _SPACES = b'"{}[]', b"_- ", b"$%", b" \t\n\r"
_PREFERRED = (
    b'0x"abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWXYZ123456789 '  # of bytes that cost the same
)

Costs = NDArray[np.int32]


def deleting() -> Costs:
    """[256] the weight of leaving out one byte."""
    cost = _by_kind()
    cost[list(b"'`*")] = MARK
    cost[list(_BRACKETS)] = CUT_BRACKET
    cost[list(b",:")] = 2 * PUNCTUATION
    cost[list(_SPACES)] = SPACE
    cost[ord("\n")] = NEWLINE
    cost[list(_CURRENCY)] = CURRENCY
    return cost


def inserting() -> Costs:
    """[256] the weight of adding one byte."""
    cost = _by_kind()
    cost[list(_BRACKETS)] = BRACKET
    cost[list(b",:")] = PUNCTUATION
    cost[ord("\\")] = ESCAPE
    return cost


def adding_in_runs() -> Costs:
    """[256] the weight of adding one more byte of a run."""
    cost = np.full(256, RUN_INSERT, np.int32)
    cost[list(_BRACKETS + b",:")] = RUN_STRUCTURE
    return cost


def replacing() -> Costs:
    """[256] the weight of writing another byte instead of this one."""
    cost = np.full(256, ONE, np.int32)
    cost[list(b"0123456789")] = DIGIT
    return cost


def preference() -> NDArray[np.int64]:
    """[256] which byte to write where several cost the same, the lowest first."""
    rank = np.arange(256) + len(_PREFERRED)
    for at, byte in enumerate(_PREFERRED):
        rank[byte] = at
    return rank


def _by_kind() -> Costs:
    cost = np.full(256, SIGN, np.int32)
    for byte in range(128):
        if chr(byte).isalpha():
            cost[byte] = ONE
    cost[list(b"0123456789")] = DIGIT
    cost[list(_SEPARATORS)] = SEPARATOR
    cost[128:] = ONE
    cost[0x80:0xC0] = CONTINUATION
    return cost
