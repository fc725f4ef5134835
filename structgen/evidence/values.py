"""The probability of a value given the rest of the answer, and the values that come next.

A value is summed over every way to write it: every division of its text into tokens, exactly, and every other text of
the same value (12.5 and 12.50) among the heaviest strings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from structgen.evidence.looks import Hidden, HiddenValue
from structgen.evidence.tokens import Spelled, ways
from structgen.generation.leaves import MISSING, Answer, Leaf
from structgen.generation.result import Alternative

MOST = 12  # strings that are read for other values
SUREST = 1e-3  # the least distance from certain: beyond it, being surer says nothing more about being right


def confidence(looks: Sequence[HiddenValue], spelled: Spelled) -> float:
    """The probability of what the looks' tokens spell, by the chain rule if it reaches over several blocks."""
    whole = [look.whole for look in looks]
    nats = sum(
        one.lattice.log_prob(ways(spelled.vocabulary, spelled.inside(one.first, one.last))) for one in whole
    )
    return math.exp(min(0.0, nats))


def calibrated(share: float, temperature: float, shift: float = 0.0) -> float:
    """The probability that a value is right, from its confidence: the log-odds over a temperature, and a shift.

    That is Platt's scaling (1999); with a shift of 0 it is Guo et al.'s temperature (2017) for a value and all others.
    """
    share = min(max(share, SUREST), 1 - SUREST)
    odds = (math.log(share) - math.log1p(-share)) / temperature + shift
    return 1 / (1 + math.exp(-odds))


def ranked(hidden: Hidden, leaf: Leaf, answer: Answer, spelled: Spelled) -> list[Alternative]:
    """The values that the heaviest strings spell, the most probable first."""
    texts = {spelled.inside(hidden.first, hidden.last): leaf.value}
    for ids, _ in hidden.lattice.heaviest(MOST):
        spelling = b"".join(map(spelled.vocabulary.spelling, ids))
        value = answer.value(replaced(answer, hidden, spelling, spelled), leaf.pointer)
        if value is not MISSING:
            texts.setdefault(spelling, value)
    shares: dict[Any, Alternative] = {}
    for spelling, value in texts.items():
        share = math.exp(hidden.lattice.log_prob(ways(spelled.vocabulary, spelling)))
        known = shares.get(key(value), Alternative(value, 0.0))
        total = min(1.0, known.probability + share)  # float32 rounds up
        shares[key(value)] = Alternative(known.value, total)
    return sorted(shares.values(), key=lambda one: -one.probability)


def replaced(answer: Answer, hidden: Hidden, spelling: bytes, spelled: Spelled) -> bytes:
    """The text of the answer with something else in a hidden place."""
    text = answer.text.encode()
    return text[: spelled.ends[hidden.first]] + spelling + text[spelled.ends[hidden.last] :]


def key(value: Any) -> Any:
    """A value whose equality is that of JSON: 1 and 1.0 are one number, true is none."""
    if isinstance(value, Mapping):
        return tuple((name, key(part)) for name, part in value.items())
    if isinstance(value, list):
        return tuple(map(key, value))
    return (isinstance(value, bool), isinstance(value, str), value)
