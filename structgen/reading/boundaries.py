"""Places in a text where a piece of it may begin and end: between characters, around words, or around lines.

Words are those of Unicode's annex 29 (UAX 29), with its grapheme clusters kept whole: the annex itself puts a boundary
inside of some clusters (between a Thai consonant and the vowel sign AM), and no reader sees one there. The rules and
tables are Oniguruma's, the regular expressions inside `tokenizers`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

Align = Literal["char", "word", "line"]
ALIGNS = get_args(Align)
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


class Boundaries(NamedTuple):
    """Where pieces may begin and where they may end: numbers of characters in front of a place, in order."""

    begins: Sequence[int]
    ends: Sequence[int]


def boundaries(text: str, align: Align) -> Boundaries:
    """The places where pieces of a text may begin and end; a line ends in front of its line break."""
    if align == "word":
        both = sorted(_segments(text, "w") & _segments(text, "g"))
        return Boundaries(both, both)
    if align == "line":
        breaks = [match.span() for match in _LINE_ENDS.finditer(text)]
        begins, ends = [0, *(end for _, end in breaks)], [*(start for start, _ in breaks), len(text)]
        return Boundaries(begins, ends)
    return Boundaries(range(len(text) + 1), range(len(text) + 1))


def _segments(text: str, mode: Literal["w", "g"]) -> set[int]:
    """The boundaries of the words or the grapheme clusters of a text."""
    return {0, *(end for _, (_, end) in _splitter(mode).pre_tokenize_str(text))}


@cache
def _splitter(mode: str) -> Any:
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    return Split(Regex(rf"(?y{{{mode}}})\X"), "isolated")
