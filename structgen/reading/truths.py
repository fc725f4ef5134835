"""What a cell of a table says of yes and no: a word or a sign that stands there alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_YES = """
    yes y true ja wahr oui vrai sí si sì verdadero vero sim verdadeiro waar tak prawda ano igen igaz kyllä evet da はい
    是 x ✓ ✔ ☑ ✅
"""
_NO = """
    no n false nein falsch non faux falso não nee onwaar niet nie fałsz ne nem hamis nej nei ei hayır いいえ 否
    ✗ ✘ ☐ ❌
"""
YES, NO = frozenset(_YES.split()), frozenset(_NO.split())
_AROUND = " \t\n()[]\"'."


def truths(text: str) -> Mapping[str, Sequence[tuple[int, int]]]:
    """`true` or `false` and the characters that say so, if the text is a word or a sign for it and nothing else."""
    begin = len(text) - len(text.lstrip(_AROUND))
    word = text.strip(_AROUND)
    said = word.casefold()
    if said not in YES | NO:
        return {}
    return {"true" if said in YES else "false": [(begin, begin + len(word))]}
