"""The evidence for an answer, gathered from the model, the constraint and the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from structgen.documents import Document
from structgen.errors import Rejected
from structgen.evidence.absence import Claim, Doubt, absent, listed, named, shared
from structgen.evidence.alternatives import distinct
from structgen.evidence.film import Film
from structgen.evidence.lists import shortened
from structgen.evidence.looks import HiddenValue, looks, support, supports
from structgen.evidence.replied import replied
from structgen.evidence.spans import spans_of
from structgen.evidence.tokens import Spelled
from structgen.evidence.values import calibrated, confidence, key, ranked
from structgen.evidence.warnings import chosen, declared, excluded, narrowed, unstated
from structgen.generation.leaves import Answer, Leaf
from structgen.generation.request import Request
from structgen.generation.result import Alternative, AnswerWarning, Evidence, Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import read, refusing_overlong_steps, write
from structgen.reading.stated import Stated
from structgen.sources.json_schema.pointers import steps
from structgen_engine.decoding.loop import Decoded

SHOWN = 3  # alternatives of a value
ROUGH = 0.7  # nats a token above the least support, from which on a value is not doubted even with all others hidden


Stating = Callable[[str], bool]  # whether the document should state the value at a pointer


def everywhere(pointer: str) -> bool:
    """The document should state every value."""
    return True


def nowhere(pointer: str) -> bool:
    """The document need not state any value."""
    return False


@dataclass(frozen=True)
class Wanted:
    """What is wanted beside the value.

    details: whether all evidence, which takes a forward pass for each value; warned: whether warnings without it
    document: that the values are from; is_json: whether the answer is JSON; read: finds the values of any other answer
    stating: whether the document should state a value that is not chosen from a list, by its pointer
    """

    details: bool = False
    warned: bool = True
    document: Document | None = None
    is_json: bool = True
    stating: Stating = everywhere
    read: Callable[[str], Mapping[str, Leaf]] | None = None


def answered(runtime: Runtime, asked: Request, wanted: Wanted) -> Generation[Any]:
    """What the model writes for a request, drawn anew as often as the request allows if a validator rejects it.

    Raises what `write` and `read` raise.
    """
    if runtime.remote is not None:
        stating = wanted.stating if wanted.warned or wanted.details else nowhere
        how: dict[str, Any] = {"details": wanted.details, "document": wanted.document, "stating": stating}
        return replied(runtime.remote, asked, **how, read=partial(_answer, wanted))
    for time in range(asked.redraws + 1):
        film = Film(asked.constraint.vocabulary, asked.on_step)
        drawn = asked.drawn_anew(time) if time else asked
        written = write(runtime, replace(drawn, on_step=film if wanted.details else asked.on_step))
        try:
            found = proven(runtime, drawn, written, wanted, film)
        except Rejected as error:
            rejected = error
        else:
            return replace(found, draws=time + 1)
    raise _all_rejected(rejected, asked.redraws + 1)


def several(runtime: Runtime, asked: Request, most: int, wanted: Wanted) -> list[Generation[Any]]:
    """Up to `most` distinct answers to a request, the likeliest first; see `alternatives`."""
    film = Film(asked.constraint.vocabulary, asked.on_step)
    on_step, options = film if wanted.details else asked.on_step, replace(asked.options, keep=True)
    written = write(runtime, replace(asked, on_step=on_step, options=options))
    with refusing_overlong_steps():
        answers = distinct(runtime, asked, written, most)
    return [proven(runtime, asked, one, wanted, film) for one in answers]


def proven(runtime: Runtime, asked: Request, written: Decoded, wanted: Wanted, film: Film) -> Generation[Any]:
    """What was written for a request, with the evidence that is wanted. Raises Rejected."""
    generation = read(runtime, asked.constraint, written)
    answer = _answer(wanted, generation.text)
    if wanted.details:
        found = evidence(runtime, asked, written, answer, stating=wanted.stating)
        trace = tuple(film.frames)
        return replace(generation, evidence=found, trace=trace, document=wanted.document)
    if not (wanted.warned and answer.has_fields):
        return generation
    found = doubts(runtime, asked, written, answer, stating=wanted.stating)
    return replace(generation, evidence=Evidence(warnings=found))


def _answer(wanted: Wanted, text: str) -> Answer:
    """The answer as its values are found."""
    return Answer.of(text) if wanted.is_json else Answer(text, is_json=False, read=wanted.read)


def _all_rejected(error: Rejected, draws: int) -> Rejected:
    """The error of the last draw, which says how many there were."""
    error.draws = draws
    if draws > 1:
        error.args = (f"{error}; all {draws} draws were rejected",)
    return error


def evidence(
    runtime: Runtime, asked: Request, written: Decoded, answer: Answer, *, stating: Stating = nowhere
) -> Evidence:
    """What speaks for each value of an answer that was written for a request; see `answered`."""
    spelled = Spelled(written.ids.tolist(), asked.constraint.vocabulary)
    leaves, stated = answer.leaves, _stated(asked)
    seen = hidden(runtime, asked, written, answer, spelled, list(leaves.values()))
    sure: dict[str, float] = {}
    others: dict[str, Sequence[Alternative]] = {}
    for pointer, leaf in leaves.items():
        if not seen[pointer]:
            continue
        sure[pointer], others[pointer] = weighed(seen[pointer], leaf, answer, spelled)
    outlines = [kind.outline for kind in asked.kinds]
    spans = {} if stated is None else spans_of(list(leaves.values()), outlines, stated)
    likely = (
        {}
        if runtime.calibration is None
        else {pointer: calibrated(share, *runtime.calibration) for pointer, share in sure.items()}
    )
    known = {pointer: support(looks) for pointer, looks in seen.items() if looks}
    everything = stated is not None and stating is everywhere
    lacking = {}
    if stated and everything:
        known = read_supports(runtime, asked, compared(asked, answer), known, stated)
        lacking = lacking_facts(runtime, asked, answer, stated, known)
    doubts = tuple(_warnings(asked, answer, spelled, seen, stated, stating, lacking))
    return Evidence(sure, others, spans, doubts, likely)


def doubts(
    runtime: Runtime, asked: Request, written: Decoded, answer: Answer, *, stating: Stating = everywhere
) -> Sequence[AnswerWarning]:
    """The warnings alone.

    That takes a pass for each value in whose place the constraint refuses what a document may say, or whose name does
    not stand in front of it.
    """
    spelled, stated = Spelled(written.ids.tolist(), asked.constraint.vocabulary), _stated(asked)
    if stated is None:
        return ()
    few = [leaf for leaf in answer.leaves.values() if doubtful(leaf, asked, answer, stated)]
    seen = hidden(runtime, asked, written, answer, spelled, few) if few else {}
    lacking = _unsupported(runtime, asked, written, answer, spelled, stated) if stating is everywhere else {}
    return tuple(_warnings(asked, answer, spelled, seen, stated, stating, lacking))


def _unsupported(
    runtime: Runtime, asked: Request, written: Decoded, answer: Answer, spelled: Spelled, stated: Stated
) -> Mapping[str, AnswerWarning]:
    """Warnings about values that are stated for something else, with a pass for each whose name is not before it."""
    if runtime.doubt is None:
        return {}
    few = [
        leaf
        for leaf in compared(asked, answer)
        if (places := stated.places(leaf.value)) and not named(leaf, places, stated)
    ]
    hide = partial(supports, replace(asked, document=None), written, spelled, pad=padding(runtime))

    def look(leaves: Sequence[Leaf], *, together: bool = False) -> dict[str, float]:
        return read_supports(runtime, asked, leaves, hide(leaves, answer.text, together=together), stated)

    if len(few) > 1:
        rough, contested = look(few, together=True), shared(few, stated)
        few = [
            one for one in few if rough[one.pointer] < runtime.doubt[0] + ROUGH or one.pointer in contested
        ]
    if not few:
        return {}
    return lacking_facts(runtime, asked, answer, stated, look(few))


def read_supports(
    runtime: Runtime, asked: Request, leaves: Sequence[Leaf], looked: Mapping[str, float], stated: Stated
) -> dict[str, float]:
    """The support of values by pointer: by what hiding them gave, and by what the model reads in the document.

    looked: nats a token of some of the leaves
    """
    if runtime.doubt is None or runtime.finds is None or not asked.document or len(asked.kinds) != 1:
        return dict(looked)
    doubt, found = Doubt(*runtime.doubt), runtime.finds(asked.kinds[0].outline, asked.document)
    return {
        leaf.pointer: doubt.supported(
            looked[leaf.pointer],
            found(leaf.pointer, stated.places(leaf.value, steps(leaf.pointer))),
        )
        for leaf in leaves
        if leaf.pointer in looked
    }


def lacking_facts(
    runtime: Runtime, asked: Request, answer: Answer, stated: Stated, supported: Mapping[str, float]
) -> Mapping[str, AnswerWarning]:
    """Warnings about values that are stated for something else.

    supported: the support of values by pointer; those that are left out have their names before them
    """
    if runtime.doubt is None:
        return {}
    claims = {
        leaf.pointer: Claim(
            leaf, supported.get(leaf.pointer, 0.0), stated.places(leaf.value, steps(leaf.pointer))
        )
        for leaf in compared(asked, answer)
    }
    return absent(claims, stated, Doubt(*runtime.doubt))


def compared(asked: Request, answer: Answer) -> list[Leaf]:
    """The values of members that the schema names, outside lists, which are no options."""
    return [
        leaf
        for leaf in answer.leaves.values()
        if not listed(leaf.pointer)
        and all(
            declared(kind.outline, leaf.pointer) and not chosen(kind.outline, leaf.pointer)
            for kind in asked.kinds
        )
    ]


def doubtful(leaf: Leaf, asked: Request, answer: Answer, stated: Stated) -> bool:
    """Whether the constraint refuses what the document may hold in the place of a value that is no option."""
    options = any(chosen(kind.outline, leaf.pointer) for kind in asked.kinds)
    return not options and answer.is_json and narrowed(leaf, answer, asked.constraint, stated)


def _stated(asked: Request) -> Stated | None:
    return None if asked.document is None else Stated(asked.document)


def hidden(
    runtime: Runtime,
    asked: Request,
    written: Decoded,
    answer: Answer,
    spelled: Spelled,
    leaves: Sequence[Leaf],
) -> dict[str, list[HiddenValue]]:
    """The looks at some leaves of an answer."""
    return looks(replace(asked, document=None), written, spelled, leaves, answer.text, pad=padding(runtime))


def padding(runtime: Runtime) -> int:
    """The id that fills a canvas."""
    name = runtime.vocabulary.pad
    return 0 if name is None else runtime.vocabulary.special[name]


def weighed(
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
    stating: Stating,
    lacking: Mapping[str, AnswerWarning],
) -> Iterator[AnswerWarning]:
    """The warnings in the order of the answer, one for each value at most; then those about lists.

    lacking: about values that are stated for something else, by pointer
    """
    for pointer, leaf in answer.leaves.items():
        looks = seen.get(pointer, ())
        found = (excluded(look, leaf, answer, spelled, asked.constraint, stated) for look in looks)
        warning = next((one for one in found if one is not None), None)
        if warning is None and stated is not None and stating(pointer):
            warning = unstated(leaf, [kind.outline for kind in asked.kinds], stated) or lacking.get(pointer)
        if warning is not None:
            yield warning
    if stated is not None and stating and answer.is_json:
        yield from shortened(answer, asked.kinds[0].outline, stated)
