"""The relaxed automaton of a constraint as arrays on disk, because computing its effects takes up to seconds.

Its sets of tokens are stored as classes of the partition that they make. A lazy automaton that takes them over refines
its own partition by the stored one, whatever it has met before, so that both mean the same tokens.

Axes: M nodes, G token sets, K stored classes, V vocabulary.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields

import numpy as np

from structgen.automata.pushdown.automaton import Pushdown
from structgen.cache import Arrays
from structgen.compiler.lazy.classes import Classes
from structgen.tokens.vocabulary import Vocabulary
from structgen_engine.automata.arrays import REFUSED
from structgen_engine.automata.outlook import Relaxed

OTHERS = "class_of", "member", "offsets", "state", "node"


def key_of(pushdown: Pushdown, vocabulary: Vocabulary, limits: tuple[int, ...]) -> str:
    """A key that tells apart all pairs of a pushdown and a vocabulary, explored within the limits."""
    digest = hashlib.blake2b(f"{vocabulary.fingerprint} {limits} ".encode(), digest_size=16)
    for item in fields(Pushdown):
        value = np.asarray(getattr(pushdown, item.name))
        digest.update(f"{item.name} {value.dtype} {value.shape} ".encode() + value.tobytes())
    return digest.hexdigest()


def arrays_of(relaxed: Relaxed, node_of: dict[int, int], classes: Classes) -> Arrays:
    """The arrays that `taken_over` reads. node_of: the node of each state that has one"""
    used, numbers = np.unique(relaxed.arc_set, return_inverse=True)
    sets = [classes.members[number] for number in used.tolist()]
    return {
        **{item.name: getattr(relaxed, item.name) for item in fields(Relaxed)},
        "arc_set": numbers.astype(np.int64),
        "class_of": classes.alphabet.class_of.numpy().astype(np.int32),
        "member": np.concatenate([*sets, np.zeros(0, np.int32)]),
        "offsets": np.cumsum([0, *map(len, sets)], dtype=np.int64),
        "state": np.array(list(node_of), np.int64),
        "node": np.array(list(node_of.values()), np.int64),
    }


def complete(arrays: Arrays) -> bool:
    """Whether these are all arrays that `taken_over` reads."""
    return {*OTHERS, *(item.name for item in fields(Relaxed))} <= arrays.keys()


def taken_over(arrays: Arrays, classes: Classes) -> tuple[Relaxed, dict[int, int]]:
    """The relaxed automaton over the sets of `classes`, and the node of each state that has one."""
    class_of, offsets = arrays["class_of"], arrays["offsets"]
    order = np.argsort(class_of, kind="stable").astype(np.int32)
    starts = np.searchsorted(class_of[order], np.arange(REFUSED + 1, class_of.max(initial=REFUSED) + 2))
    inside = order[starts[0] :]
    sizes = np.diff(starts)
    present = np.flatnonzero(sizes)
    numbers = classes.sets(inside, np.append(starts[:-1][present], starts[-1]) - starts[0])
    parts = dict(zip((present + REFUSED + 1).tolist(), numbers, strict=True))
    labels = [
        np.concatenate([classes.members[parts[label]] for label in arrays["member"][low:high].tolist()])
        for low, high in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ]
    renumbered = np.array([classes.union(part) for part in labels], np.int64)
    values = {item.name: arrays[item.name] for item in fields(Relaxed)}
    relaxed = Relaxed(**{**values, "arc_set": renumbered[arrays["arc_set"]]})
    return relaxed, dict(zip(arrays["state"].tolist(), arrays["node"].tolist(), strict=True))
