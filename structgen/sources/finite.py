"""Languages with few texts, listed."""

from __future__ import annotations

from structgen.errors import Unsupported
from structgen.grammar import Grammar, Placeholder, beyond_text


class Endless(Exception):
    """A language has more texts than are to be listed."""


def texts_of(grammar: Grammar, most: int) -> tuple[str, ...]:
    """The texts of a grammar in order. Raises Endless if there are more than `most`."""
    from structgen.automata import compile_bytes  # numba takes a moment to import

    if any(isinstance(expr, Placeholder) for expr in beyond_text(grammar)):
        raise Endless  # as many as a document has pieces
    try:
        table = compile_bytes(grammar)
    except Unsupported:  # a recursive rule
        raise Endless from None
    moves: dict[int, list[tuple[int, int]]] = {}
    classes: dict[int, list[int]] = {}
    for byte, label in enumerate(table.class_of[:256].tolist()):
        classes.setdefault(label, []).append(byte)
    for source, label, target in zip(
        table.source.tolist(), table.label.tolist(), table.target.tolist(), strict=True
    ):
        moves.setdefault(source, []).extend((byte, target) for byte in classes.get(label, ()))
    found, waiting = list[bytes](), [] if table.empty else [(b"", 1)]
    while waiting:
        read, state = waiting.pop()
        if table.accepting[state]:
            found.append(read)
        waiting += [(read + bytes([byte]), target) for byte, target in moves.get(state, ())]
        if len(found) > most or len(read) > 4 * table.states or len(waiting) > 256 * most:
            raise Endless
    return tuple(sorted(text.decode() for text in found))
