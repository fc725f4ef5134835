"""The words of a document, and the runs of them that a value may be copied from.

A value is a run of whole words and signs on one line. It neither begins nor ends with a word or sign that joins it to
the sentence around it, and what it opens it closes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from structgen_mini.constants import Copies
from structgen_mini.scaffold import compact

Encode = Callable[[str], Sequence[int]]
Ids = tuple[int, ...]

UNIT = re.compile(r"\w+|[^\w\s]")
# punctuation that belongs to the sentence around a copy, except a point after which the sentence goes on: "Inc. of"
_LOOSE, _STOPS = ",;:", ".!?"
# no value begins or ends with one of these words in lower case; "The Old Mill" does, in upper case
_JOINING = re.compile(
    r"an?|the|and|or|of|to|in|on|at|for|from|by|with|is|are|was|were|be|has|have|will|this|that|our|your|my|his|her|their"
    r"|its|as|der|die|das|den|dem|des|eine?|und|oder|von|zum|zur|im|am|bei|mit|für|ist|l[ea]s?|une?|du|des|et|ou|aux?"
    r"|chez|avec|pour|est|el|los|una|[yo]|del|al|en|con|por|para|es"
)
_APOSTROPHE = re.compile(r"(?<!\w)['’‘]|['’](?!\w)")  # may be a quote, because it is not between letters
_GOES_ON = re.compile(r"[^\S\n]*[^\s\w]|[^\S\n]+[a-zà-ÿ]")


def word_runs(
    document: str, units: Sequence[tuple[int, int]], encode: Encode, longest: int
) -> Iterator[tuple[str, Ids, list[int]]]:
    """Every run of whole words and punctuation on one line, its ids in a JSON string, and the units where it begins.

    Of the runs with more than `longest` ids that begin at one unit, only the shortest is given.
    """
    found: dict[str, Ids] = {}
    places = defaultdict[str, list[int]](list)
    for first, (start, _) in enumerate(units):
        if document[start] in _LOOSE + _STOPS or _JOINING.fullmatch(document, *units[first]):
            continue
        for last, end in units[first : first + 2 * longest]:  # every unit takes an id at least
            text = document[start:end]
            if "\n" in text:
                break
            if _ends_loose(document, end) or _JOINING.fullmatch(document, last, end) or not _balanced(text):
                continue
            places[text].append(first)
            if text not in found:
                found[text] = tuple(encode(compact(text)[1:-1]))
            if len(found[text]) > longest:
                break
    return ((text, ids, places[text]) for text, ids in found.items())


def _balanced(text: str) -> bool:
    """Whether brackets and quotes are closed if and only if they are opened."""
    pairs = all(
        text.count(opening) == text.count(closing) for opening, closing in ("()", "[]", "{}", "“”", "«»")
    )
    return pairs and text.count('"') % 2 == 0 and len(_APOSTROPHE.findall(text)) % 2 == 0


def breaks(document: str, units: Sequence[tuple[int, int]], nats: Copies) -> list[float]:
    """What it costs a record to go on to each unit from the one before."""
    costs, before = [], 0
    for start, end in units:
        lines = document.count("\n", before, start)
        costs.append(nats.word + (nats.gap if lines > 1 else nats.line if lines else 0.0))
        before = end
    return costs


def _ends_loose(document: str, end: int) -> bool:
    """Whether document[:end] ends with punctuation that is no part of the word before it."""
    last = document[end - 1]
    return last in _LOOSE or (last in _STOPS and not _GOES_ON.match(document, end))
