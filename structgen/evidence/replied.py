"""The answers of models that write elsewhere: a valid text, where the document states its values, and warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from structgen.documents import Document
from structgen.errors import Rejected
from structgen.evidence.spans import spans_of
from structgen.evidence.warnings import unstated
from structgen.generation.leaves import Answer, Leaf
from structgen.generation.remote import Remote
from structgen.generation.request import Request
from structgen.generation.result import Evidence, Generation
from structgen.reading.stated import Stated
from structgen.sources import Capturing


def replied(
    remote: Remote,
    asked: Request,
    *,
    details: bool,
    document: Document | None,
    stating: Callable[[str], bool],
    read: Callable[[str], Answer],
) -> Generation[Any]:
    """The reply to a request, asked for anew as often as the request allows if a validator rejects it."""
    draws = 0
    while True:
        given = remote.reply(asked.drawn_anew(draws) if draws else asked)
        draws += 1
        try:
            value = asked.constraint.parse(given.text)
        except Rejected as error:
            if draws > asked.redraws:
                error.text, error.draws = given.text, draws
                raise
        else:
            break
    outlines = [kind.outline for kind in asked.kinds]
    leaves = read(given.text).leaves
    stated = Stated(asked.document) if asked.document is not None and leaves else None
    source = asked.constraint.source
    found = Generation(
        value,
        given.text,
        tuple(given.text.encode()),
        0.0,
        0,
        0,
        captures=source.captures(given.text) if isinstance(source, Capturing) else {},
        draws=draws,
        evidence=Evidence(warnings=(*given.warnings, *_unstated(leaves, outlines, stated, stating))),
    )
    if not details:
        return found
    spans = {} if stated is None else spans_of(list(leaves.values()), outlines, stated)
    return replace(found, evidence=replace(found.evidence, spans=spans), document=document)


def _unstated(
    leaves: Mapping[str, Leaf], outlines: list[Any], stated: Stated | None, stating: Callable[[str], bool]
) -> list[Any]:
    """Warnings of values that the document does not state."""
    if stated is None:
        return []
    every = (unstated(leaf, outlines, stated) for at, leaf in leaves.items() if stating(at))
    return [one for one in every if one is not None]
