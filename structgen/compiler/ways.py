"""Ways to a complete output: whether some tokens suffice from a state, which ones, and how an output is padded."""

from __future__ import annotations

from structgen_engine.automata.arrays import DEAD, NEVER
from structgen_engine.automata.dfa import Dfa
from structgen_engine.automata.finishing import Finishing
from structgen_engine.automata.lazy import LazyDfa

Automaton = Dfa | LazyDfa


def nearer(automaton: LazyDfa, configuration: int) -> tuple[int, int] | None:
    """A token that leads to a configuration that needs a token less, and that; None where there is none."""
    arcs, needs = automaton.arcs(configuration), int(automaton.distance_upper[configuration])
    most = automaton.distance_upper
    for number, target in zip(arcs.sets.tolist(), arcs.targets.tolist(), strict=True):
        if most[target] == needs - 1:
            order, offsets = automaton.alphabet.members
            label = int(automaton.sets[number][0])
            return int(order[int(offsets[label])]), target
    return None


def accepting(automaton: Automaton, state: int) -> bool:
    """Whether the output may end in a state."""
    return bool(automaton.accepting[state]) if isinstance(automaton, Dfa) else automaton.accepting(state)


def finishes(automaton: Automaton, state: int, tokens: int) -> bool:
    """Whether so many tokens surely suffice to complete an output from a state."""
    if isinstance(automaton, Dfa):
        return int(automaton.distance[state]) <= tokens
    if state == DEAD:
        return False
    return (
        int(automaton.distance_upper[state]) <= tokens
        or int(Finishing(automaton).narrow([state], tokens)[0][0]) <= tokens
    )


def padding(automaton: Automaton, state: int, count: int) -> list[int]:
    """So many tokens that may follow a complete output."""
    tokens: list[int] = []
    while len(tokens) < count:
        tokens.append(_pad(automaton, state))
        state = automaton.run(tokens[-1:], state)
    return tokens


def _pad(automaton: Automaton, state: int) -> int:
    """A token after which a complete output still is one."""
    order, offsets = automaton.alphabet.members
    if isinstance(automaton, Dfa):
        low, high = automaton.edges.offsets[state : state + 2].tolist()
        labels, targets = automaton.edges.label[low:high].tolist(), automaton.edges.target[low:high].tolist()
    else:
        arcs = automaton.arcs(state)
        labels, targets = [int(automaton.sets[n][0]) for n in arcs.sets.tolist()], arcs.targets.tolist()
    for label, target in zip(labels, targets, strict=True):
        if accepting(automaton, target) and offsets[label] < offsets[label + 1]:
            return int(order[offsets[label]])
    raise AssertionError("a complete output cannot be padded: please report it")


def completion(automaton: Automaton, state: int, most: int = NEVER) -> list[int] | None:
    """The tokens of a short way from a state to a complete output, at most so many; None where none was found.

    In tables it is the shortest; of what grows so where no limit is given and a search tells.
    """
    if isinstance(automaton, Dfa):
        tokens = _completion(automaton, state)
        return None if tokens is None or len(tokens) > most else tokens
    finishing = Finishing(automaton)
    needs, least = (int(bound[0]) for bound in finishing.bounds([state]))
    while (most < needs) or (most == NEVER and least < needs < NEVER):
        before = needs
        needs, least = (int(bound[0]) for bound in finishing.narrow([state], min(most, needs - 1)))
        if needs == before:
            break
    return _along(automaton, finishing, state, needs) if needs <= most and needs < NEVER else None


def _along(automaton: LazyDfa, finishing: Finishing, state: int, needs: int) -> list[int]:
    """The tokens of a way that needs so many."""
    tokens: list[int] = []
    while not automaton.accepting(state):
        arcs = automaton.arcs(state)
        bounds, _ = finishing.bounds(arcs.targets.tolist())
        at = int(bounds.argmin())
        order, offsets = automaton.alphabet.members
        tokens.append(int(order[int(offsets[int(automaton.sets[int(arcs.sets[at])][0])])]))
        state = int(arcs.targets[at])
        if len(tokens) > needs:
            raise AssertionError("a way to complete the output is longer than it said: please report it")
    return tokens


def _completion(dfa: Dfa, state: int) -> list[int] | None:
    distance = dfa.distance.numpy()
    if distance[state] >= NEVER:
        return None
    order, offsets = (part.numpy() for part in dfa.alphabet.members)
    edges, tokens = dfa.edges, []
    while distance[state]:
        low, high = int(edges.offsets[state]), int(edges.offsets[state + 1])
        for label, target in zip(
            edges.label[low:high].tolist(), edges.target[low:high].tolist(), strict=True
        ):
            if distance[target] == distance[state] - 1 and offsets[label] < offsets[label + 1]:
                tokens.append(int(order[offsets[label]]))
                state = target
                break
    return tokens
