"""Check digits: of the texts of a form, those that ISO 7064's MOD 97-10 accepts, as in an IBAN.

The first four characters are moved to the end, letters count as the numbers 10 to 35, and what is then written has to
leave 1 when it is divided by 97. Where a form fixes how many digits follow each of its characters, a character's share
in the remainder is known when it is read, so that 97 remainders for each state of the form are enough:

    DE 89 370400440532013000    D counts 13·10⁴, E 14·10², 8 counts 10, 9 counts 1, the 3 after them 3·10²³, …
"""

from __future__ import annotations

from structgen.automata import compile_bytes
from structgen.automata.finite.table import START
from structgen.errors import Unsupported
from structgen.grammar import Expr, Grammar, automaton, literal

MODULUS = 97
OPEN = -1  # a number of digits that differs from text to text
MOVED = 4  # characters that are moved to the end
PLACES = (10**4, 10**2, 10, 1)  # what these count there: two letters, two digits
BEHIND = 6  # digits that these are: two letters of two digits each, two digits
VALUES = {ord(sign): value for value, sign in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")}

Arrows = dict[int, list[tuple[int, int]]]  # (byte, state after it) by state


def with_check_digits(form: Grammar) -> Expr:
    """The texts of a form whose check digits are right. Raises Unsupported if the form does not fix their places."""
    table = compile_bytes(form)
    ends = [int(state) for state in table.accepting.nonzero()[0]]
    arrows: Arrows = {state: [] for state in range(table.states)}
    for source, label, target in zip(table.source, table.label, table.target, strict=True):
        for byte in VALUES:
            if table.class_of[byte] == label:
                arrows[int(source)].append((byte, int(target)))
    return _checked(arrows, ends, _following(arrows, ends))


def _following(arrows: Arrows, ends: list[int]) -> dict[int, int]:
    """The number of digits after each state of a form, OPEN where texts differ in it."""
    before: Arrows = {}
    for source, found in arrows.items():
        for byte, target in found:
            before.setdefault(target, []).append((byte, source))
    known, waiting = dict.fromkeys(ends, 0), list(ends)
    while waiting:
        state = waiting.pop()
        for byte, source in before.get(state, ()):
            digits = OPEN if known[state] == OPEN else known[state] + (1 if VALUES[byte] < 10 else 2)
            digits = digits if known.get(source, digits) == digits else OPEN
            if known.get(source) != digits:
                known[source] = digits
                waiting.append(source)
    return known


def _checked(arrows: Arrows, ends: list[int], following: dict[int, int]) -> Expr:
    """The product of the form and the remainders; its states also count characters up to MOVED."""
    moves = list[tuple[int, Expr, int]]()
    waiting: list[tuple[int, int, int]] = [(START, 0, 0)]
    numbers = {waiting[0]: 0}
    while waiting:
        state, read, rest = waiting.pop()
        for byte, target in arrows[state]:
            place = PLACES[read] if read < MOVED else pow(10, BEHIND + _fixed(following[target]), MODULUS)
            after = (target, min(read + 1, MOVED), (rest + VALUES[byte] * place) % MODULUS)
            if after not in numbers:
                numbers[after] = len(numbers)
                waiting.append(after)
            moves.append((numbers[state, read, rest], literal(chr(byte)), numbers[after]))
    return automaton(
        moves, [number for (state, _, rest), number in numbers.items() if state in ends and rest == 1]
    )


def _fixed(digits: int) -> int:
    if digits == OPEN:
        raise Unsupported(
            "check digits of a form in which a letter or a digit may stand at one place",
            keyword="check",
            remedy="leave such forms out",
        )
    return digits
