"""What stands over a value: the short line above it, or the first cell of its column.

City                 Vendor | Number | Date
Leeds                Larch  | 17     | 3 May        over 17 stands Number
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from itertools import islice, takewhile

LONGEST_HEADING = 80  # characters of a line above that may be a heading, at most
WIDEST_ROW = 400  # characters of a line of a table, at most
MOST_ROWS = 60  # lines above that are looked at for the first of a table
_DIVIDERS = tuple(map(re.compile, (r"\t", r"\|", r" {2,}", r";", r",")))
_WORD = re.compile(r"\w")


def heading(line: str, before: str, above: Iterable[str]) -> str:
    """The words over a value; empty if nothing heads it.

    line: on which it stands, behind `before`; above: the lines above that have words, the nearest first
    """
    lines = list(islice(above, MOST_ROWS))
    nearest = lines[0] if lines else ""
    if len(line) <= WIDEST_ROW:
        for divider in _DIVIDERS:
            count = len(divider.findall(line))
            if count and len(divider.findall(nearest)) == count:
                rows = takewhile(partial(_divided, divider, count), lines)
                return divider.split(list(rows)[-1])[len(divider.findall(before))]
    return nearest if len(nearest) <= LONGEST_HEADING and not _WORD.search(before) else ""


def _divided(divider: re.Pattern[str], count: int, line: str) -> bool:
    return len(divider.findall(line)) == count


def has_words(line: str) -> bool:
    """Whether a line is more than a rule of a table or white space."""
    return _WORD.search(line) is not None
