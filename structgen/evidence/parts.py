"""The evidence for an answer that was put together from several parts of a document, each read on its own.

Each value comes from one part, and so does each item of a list as a whole. There it is hidden, as a value of a short
document is: so its confidence is that in its part, given the rest of what was read there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from structgen.evidence.gather import (
    compared,
    doubtful,
    hidden,
    lacking_facts,
    padding,
    read_supports,
    weighed,
)
from structgen.evidence.lists import shortened
from structgen.evidence.looks import HiddenValue, supports
from structgen.evidence.spans import spans_of
from structgen.evidence.tokens import Spelled
from structgen.evidence.values import calibrated
from structgen.evidence.warnings import excluded, unstated
from structgen.generation.leaves import Answer, Leaf
from structgen.generation.request import Request
from structgen.generation.result import AnswerWarning, Evidence
from structgen.generation.runtime import Runtime
from structgen.reading.stated import Stated
from structgen_engine.decoding.loop import Decoded


@dataclass(frozen=True, eq=False)
class ReadPart:
    """What was written for a part of a document.

    supported: see `support`, by pointer; empty if no values of the model are doubted
    """

    asked: Request
    written: Decoded
    answer: Answer
    supported: Mapping[str, float]

    @classmethod
    def of(cls, runtime: Runtime, asked: Request, written: Decoded, *, rough: bool = False) -> ReadPart:
        """The part that was written for a request, with the support of its values outside lists.

        rough: whether that of the first step will do, when all values were still noise
        """
        answer = Answer.of(runtime.vocabulary.decode(written.ids.tolist()).decode())
        part, leaves = cls(asked, written, answer, {}), compared(asked, answer)
        if runtime.doubt is None or not leaves:
            return part
        pad = padding(runtime)
        found = supports(asked, written, part.spelled, leaves, answer.text, pad=pad, together=rough)
        found = read_supports(runtime, asked, leaves, found, Stated(asked.document or ""))
        return cls(asked, written, answer, found)

    @property
    def spelled(self) -> Spelled:
        """Its tokens, with what they spell."""
        return Spelled(self.written.ids.tolist(), self.asked.constraint.vocabulary)

    def looks(self, runtime: Runtime, leaves: list[Leaf]) -> Mapping[str, list[HiddenValue]]:
        """The looks at some of its values."""
        return hidden(runtime, self.asked, self.written, self.answer, self.spelled, leaves) if leaves else {}


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a value comes from: a part of the document, and its JSON pointer in what was read there.

    The pointers differ for items of lists.
    """

    part: ReadPart
    pointer: str


def together(
    runtime: Runtime,
    asked: Request,
    answer: Answer,
    stated: Stated,
    origins: Mapping[str, Origin],
    *,
    details: bool,
) -> Evidence:
    """What speaks for each value of an answer.

    asked: about the whole document, whose text is `stated`; origins: of the values, by pointer
    details: whether every value is hidden; otherwise those of which the constraint refuses what a document may hold
    """
    leaves, outlines = answer.leaves, [kind.outline for kind in asked.kinds]
    seen = {at: one for at, one in origins.items() if at in leaves and one.pointer in one.part.answer.leaves}
    looks = _looks(runtime, seen, details=details)
    sure, others = dict[str, float](), {}
    for at in looks if details else ():
        part = seen[at].part
        leaf = part.answer.leaves[seen[at].pointer]
        sure[at], others[at] = weighed(looks[at], leaf, part.answer, part.spelled)
    likely = (
        {}
        if runtime.calibration is None
        else {at: calibrated(one, *runtime.calibration) for at, one in sure.items()}
    )
    supported = {
        at: one.part.supported[one.pointer] for at, one in seen.items() if one.pointer in one.part.supported
    }
    lacking = lacking_facts(runtime, asked, answer, stated, supported)
    warned = dict(_excluded(seen, looks))
    found = [
        warned.get(at) or unstated(leaf, outlines, stated) or lacking.get(at) for at, leaf in leaves.items()
    ]
    lists = shortened(answer, outlines[0], stated)
    spans = spans_of(list(leaves.values()), outlines, stated)
    return Evidence(sure, others, spans, (*(one for one in found if one is not None), *lists), likely)


def _looks(runtime: Runtime, origins: Mapping[str, Origin], *, details: bool) -> dict[str, list[HiddenValue]]:
    """The looks at values in their parts, one part after the other."""
    found: dict[str, list[HiddenValue]] = {}
    for part in dict.fromkeys(one.part for one in origins.values()):
        own = {one.pointer: at for at, one in origins.items() if one.part is part}
        assert part.asked.document is not None
        read, leaves = Stated(part.asked.document), [part.answer.leaves[at] for at in own]
        few = [leaf for leaf in leaves if details or doubtful(leaf, part.asked, part.answer, read)]
        found |= {own[at]: looks for at, looks in part.looks(runtime, few).items() if looks}
    return found


def _excluded(
    origins: Mapping[str, Origin], looks: Mapping[str, list[HiddenValue]]
) -> Iterator[tuple[str, AnswerWarning]]:
    """The warnings about values in whose place the constraint ruled out what the part states."""
    for at, seen in looks.items():
        part = origins[at].part
        read, leaf = Stated(part.asked.document or ""), part.answer.leaves[origins[at].pointer]
        for look in seen:
            warning = excluded(look, leaf, part.answer, part.spelled, part.asked.constraint, read)
            if warning is not None:
                yield at, AnswerWarning(warning.kind, at, warning.detail)
