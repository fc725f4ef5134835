"""The evidence for an answer, gathered from the model, the constraint and the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from structgen.documents import Document
from structgen.evidence.film import Film
from structgen.evidence.lists import shortened
from structgen.evidence.looks import HiddenValue, looks
from structgen.evidence.tokens import Spelled
from structgen.evidence.values import calibrated, confidence, key, ranked
from structgen.evidence.warnings import chosen, excluded, narrowed, unstated
from structgen.generation.leaves import Answer, Leaf
from structgen.generation.request import Request
from structgen.generation.result import Alternative, AnswerWarning, Evidence, Generation, TextSpan
from structgen.generation.runtime import Runtime
from structgen.generation.writer import read, write
from structgen.reading.stated import Stated
from structgen.sources.json_schema.pointers import steps
from structgen_engine.decoding.loop import Decoded

SHOWN = 3  # alternatives of a value


def answered(
    runtime: Runtime,
    asked: Request,
    document: Document | None = None,
    *,
    is_json: bool = True,
    stating: bool = False,
) -> Generation[Any]:
    """What the model writes for a request, with all its evidence, which takes a forward pass for each value.

    document: that the values are from; is_json: whether the answer is JSON; stating: whether the document should state
    every value that is not chosen from a list. Raises what `write` and `read` raise.
    """
    film = Film(asked.constraint.vocabulary, asked.on_step)
    written = write(runtime, replace(asked, on_step=film))
    return proven(runtime, asked, written, film, document, is_json=is_json, stating=stating)


def doubted(runtime: Runtime, asked: Request) -> Generation[Any]:
    """What the model writes for a request, with warnings alone; see `doubts`. Raises what `write` and `read` raise."""
    written = write(runtime, asked)
    generation = read(runtime, asked.constraint, written)
    found = doubts(runtime, asked, written, Answer(generation.text))
    return replace(generation, evidence=Evidence(warnings=found))


def proven(
    runtime: Runtime,
    asked: Request,
    written: Decoded,
    film: Film,
    document: Document | None = None,
    *,
    is_json: bool = True,
    stating: bool = False,
) -> Generation[Any]:
    """What was written for a request, with all its evidence; see `answered`."""
    generation = read(runtime, asked.constraint, written)
    found = evidence(runtime, asked, written, Answer(generation.text, is_json), stating=stating)
    return replace(generation, evidence=found, trace=tuple(film.frames), document=document)


def evidence(
    runtime: Runtime, asked: Request, written: Decoded, answer: Answer, *, stating: bool = False
) -> Evidence:
    """What speaks for each value of an answer that was written for a request; see `answered`."""
    spelled = Spelled(written.ids.tolist(), asked.constraint.vocabulary)
    leaves, stated = answer.leaves, _stated(asked)
    seen = _looks(runtime, asked, written, answer, spelled, list(leaves.values()))
    sure: dict[str, float] = {}
    others: dict[str, Sequence[Alternative]] = {}
    for pointer, leaf in leaves.items():
        if not seen[pointer]:
            continue
        sure[pointer], others[pointer] = _weighed(seen[pointer], leaf, answer, spelled)
    spans = (
        {}
        if stated is None
        else {
            pointer: [TextSpan(*place) for place in stated.places(leaf.value, steps(pointer))]
            for pointer, leaf in leaves.items()
        }
    )
    likely = (
        {}
        if runtime.calibration is None
        else {pointer: calibrated(share, *runtime.calibration) for pointer, share in sure.items()}
    )
    doubts = tuple(_warnings(asked, answer, spelled, seen, stated, stating))
    return Evidence(sure, others, spans, doubts, likely)


def overall(outline: Mapping[str, Any], answer: Answer, stated: Stated) -> Evidence:
    """What the document alone says about an answer: where it states each value, and what it does not state."""
    leaves = answer.leaves
    spans = {
        pointer: [TextSpan(*place) for place in stated.places(leaf.value, steps(pointer))]
        for pointer, leaf in leaves.items()
    }
    found = [unstated(leaf, outline, stated) for leaf in leaves.values()]
    lists = shortened(answer, outline, stated)
    return Evidence(spans=spans, warnings=(*(one for one in found if one is not None), *lists))


def doubts(runtime: Runtime, asked: Request, written: Decoded, answer: Answer) -> Sequence[AnswerWarning]:
    """The warnings alone, with a pass for each value in whose place the constraint refuses what a document may say."""
    spelled, stated = Spelled(written.ids.tolist(), asked.constraint.vocabulary), _stated(asked)
    if stated is None:
        return ()
    few = [leaf for leaf in answer.leaves.values() if _doubtful(leaf, asked, answer, stated)]
    seen = _looks(runtime, asked, written, answer, spelled, few) if few else {}
    return tuple(_warnings(asked, answer, spelled, seen, stated, stating=True))


def _doubtful(leaf: Leaf, asked: Request, answer: Answer, stated: Stated) -> bool:
    options = any(chosen(kind.outline, leaf.pointer) for kind in asked.kinds)
    return not options and narrowed(leaf, answer, asked.constraint, stated)


def _stated(asked: Request) -> Stated | None:
    return None if asked.document is None else Stated(asked.document)


def _looks(
    runtime: Runtime,
    asked: Request,
    written: Decoded,
    answer: Answer,
    spelled: Spelled,
    leaves: Sequence[Leaf],
) -> Mapping[str, Sequence[HiddenValue]]:
    name = runtime.vocabulary.pad
    pad = 0 if name is None else runtime.vocabulary.special[name]
    return looks(replace(asked, document=None), written, spelled, leaves, answer.text, pad=pad)


def _weighed(
    seen: Sequence[HiddenValue], leaf: Leaf, answer: Answer, spelled: Spelled
) -> tuple[float, Sequence[Alternative]]:
    """The confidence of a leaf, and its alternatives if it lies in one block."""
    if len(seen) != 1:
        return confidence(seen, spelled), ()
    values = ranked(seen[0].whole, leaf, answer, spelled)
    own = next(one for one in values if key(one.value) == key(leaf.value))
    return own.probability, [one for one in values if one is not own][:SHOWN]


def _warnings(
    asked: Request,
    answer: Answer,
    spelled: Spelled,
    seen: Mapping[str, Sequence[HiddenValue]],
    stated: Stated | None,
    stating: bool,
) -> Iterator[AnswerWarning]:
    """The warnings in the order of the answer, one for each value at most; then those about lists."""
    for pointer, leaf in answer.leaves.items():
        looks = seen.get(pointer, ())
        found = (excluded(look, leaf, answer, spelled, asked.constraint, stated) for look in looks)
        warning = next((one for one in found if one is not None), None)
        if warning is None and stated is not None and stating:
            warning = unstated(leaf, asked.kinds[0].outline, stated)
        if warning is not None:
            yield warning
    if stated is not None and stating and answer.is_json:
        yield from shortened(answer, asked.kinds[0].outline, stated)
