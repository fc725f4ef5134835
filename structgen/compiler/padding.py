"""Padding an output once it is complete."""

from __future__ import annotations

from structgen_engine.decoding.automaton import TokenAutomaton


def padding(automaton: TokenAutomaton, state: int, count: int) -> list[int]:
    """`count` tokens that may follow a complete output."""
    tokens: list[int] = []
    while len(tokens) < count:
        token, state = _pad(automaton, state)
        tokens.append(token)
    return tokens


def _pad(automaton: TokenAutomaton, state: int) -> tuple[int, int]:
    """A token after which a complete output is still complete, and the state that it leads to."""
    for token, target in automaton.moves(state):
        if automaton.is_accepting(target):
            return token, target
    raise AssertionError("a complete output cannot be padded: please report it")
