"""Documents longer than the model reads: windows of whole lines that overlap, each read on its own, and one answer.

Lists are joined: items in the order of their places, and an item that two windows see at one place is one item. Every
other value comes from the window that states it with the most support, to which its name in front of it adds. All
offsets are those of the whole document.

Where nothing is a list, one value needs one window, and most windows hold none. So all are read in a single step first,
and those that support a value best are read again, as a short document is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from heapq import nlargest

from structgen.documents import Document
from structgen.errors import InvalidDocument, InvalidOption
from structgen.evidence.parts import Origin, ReadPart, together
from structgen.generation.leaves import Answer
from structgen.generation.prompts import Form
from structgen.generation.request import Request
from structgen.generation.result import Generation
from structgen.generation.runtime import Runtime
from structgen.generation.writer import prompt_ids, write
from structgen.reading.stated import Stated
from structgen.sources.json_schema.pointers import escape, steps
from structgen.sources.outline import Outline

NAMED = 3.0  # nats a token that each word of a value's name in front of it is worth
OVERLAP = 5  # a window begins within the last so-manieth of the one before
MOST = 512  # windows of one document
BEST = 3  # windows that are read again for each value outside lists

Json = bool | str | Decimal | list["Json"] | dict[str, "Json"] | None


class Absent(Enum):
    """In place of the value of a member that an object lacks."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, eq=False)
class Window:
    """What was read from the characters of a document from `start` on.

    stated: what these characters state; part: the whole answer there; value: the answer, or a member of it
    """

    start: int
    stated: Stated
    part: ReadPart
    value: Json | Absent = None


def windows(runtime: Runtime, form: Form, text: str) -> list[tuple[int, int]]:
    """The windows of a document; raises InvalidDocument if it has too many."""
    encode, limit = runtime.vocabulary.encode, runtime.window or runtime.prompt_limit or len(text)
    room = limit - len(prompt_ids(runtime, runtime.prompts.extraction(form, "."))) - 1
    lines = list(_lines(text, room))
    sizes = [len(encode(text[start:end])) + 1 for start, end in lines]
    found, first = list[tuple[int, int]](), 0
    while first < len(lines) and len(found) <= MOST:
        last, taken = first, 0
        while last < len(lines) and (taken + sizes[last] <= room or last == first):
            taken += sizes[last]
            last += 1
        found.append((lines[first][0], lines[last - 1][1]))
        if last == len(lines):
            break
        back, again = last, 0
        while back - 1 > first and again + sizes[back - 1] <= room // OVERLAP:
            back -= 1
            again += sizes[back]
        first = back
    if room <= 0 or len(found) > MOST:
        raise InvalidDocument(
            f"the document is longer than {MOST} prompts, and {runtime.name} reads at most {limit} tokens at once: "
            "split it or load a larger model"
        )
    return found


def _lines(text: str, room: int) -> Iterator[tuple[int, int]]:
    """The lines with their ends; one that may be longer than a window is cut at its spaces, or anywhere."""
    at = 0
    for line in text.splitlines(keepends=True):
        end = at + len(line)
        while end - at > room > 0:
            cut = text.rfind(" ", at + 1, at + room) + 1
            cut = cut if cut > at else at + room
            yield at, cut
            at = cut
        if end > at:
            yield at, end
        at = end


def read_windows(
    runtime: Runtime, asked: Request, form: Form, text: str, document: Document | None, *, details: bool
) -> Generation[object]:
    """The answer that the windows of a document give together.

    asked: with the prompt and the text of one window; document: kept with the answer
    details: whether to gather the confidences and alternatives of all values
    Raises InvalidOption for redraws, because what a validator rejects may be spread over several parts.
    """
    if asked.redraws:
        raise InvalidOption(
            "a document that is read in parts is not drawn anew: leave redraws out, or split the document"
        )
    places = [place for place in windows(runtime, form, text) if text[slice(*place)].strip()]
    seen = [
        _read(runtime, asked, form, text, place) for place in _promising(runtime, asked, form, text, places)
    ]
    written = [window.part.written for window in seen]
    origins = dict[str, Origin]()
    value = merged(seen, form.outlined, (), origins)
    answer = _json(None if value is ABSENT else value)
    constraint = asked.constraint.bind(_lines_read(text, seen, origins) if asked.constraint.copies else text)
    if not constraint.accepts(answer):
        raise InvalidDocument(
            "what the parts of the document state makes no answer that the schema accepts: split the document"
        )
    return Generation(
        constraint.parse(answer),
        answer,
        tuple(one for part in written for one in part.ids.tolist()),
        sum(part.log_prob for part in written),
        sum(part.steps for part in written),
        sum(part.blocks for part in written),
        max(part.dropped for part in written),
        all(part.certified for part in written),
        together(runtime, asked, Answer(answer), Stated(text), origins, details=details),
        document=document,
    )


def _lines_read(text: str, seen: Sequence[Window], origins: Mapping[str, Origin]) -> str:
    """The whole lines around the windows that values come from.

    A copy in one of these windows is a copy of the document exactly if it is one of these lines, since words and lines
    do not go on behind a line break. All pieces of a long document would take long to compile.
    """
    used = {id(origin.part) for origin in origins.values()}
    spans = list[tuple[int, int]]()
    for window in [one for one in seen if id(one.part) in used] or seen[:1]:
        start = text.rfind("\n", 0, window.start) + 1
        end = text.find("\n", window.start + len(window.part.asked.document or "") - 1)
        end = len(text) if end < 0 else end
        if spans and start <= spans[-1][1]:
            start = spans.pop()[0]
        spans.append((start, end))
    return "\n".join(text[start:end] for start, end in spans)


def _read(
    runtime: Runtime, asked: Request, form: Form, text: str, place: tuple[int, int], *, rough: bool = False
) -> Window:
    """What the model reads in a window; rough: in a single step."""
    part = text[slice(*place)]
    prompt = prompt_ids(runtime, runtime.prompts.extraction(form, part))
    request = of_window(asked, prompt, part)
    if rough:
        request = replace(request, options=replace(request.options, steps=1))
    read = ReadPart.of(runtime, request, write(runtime, request), rough=rough)
    value = json.loads(read.answer.text, parse_float=Decimal, parse_int=Decimal)
    return Window(place[0], Stated(part), read, value)


def _promising(
    runtime: Runtime, asked: Request, form: Form, text: str, places: Sequence[tuple[int, int]]
) -> Sequence[tuple[int, int]]:
    """The windows that may give a value of the answer: all if there are few, or if lists are asked for.

    Otherwise those that support one of the values best after a single step.
    """
    if len(places) <= 2 * BEST or runtime.doubt is None or has_lists(form.outlined):
        return places
    weights = defaultdict[str, list[tuple[float, int]]](list)
    for at, place in enumerate(places):
        window = _read(runtime, asked, form, text, place, rough=True)
        for pointer, leaf in window.part.answer.leaves.items():
            own = replace(window, value=leaf.value)  # type: ignore[arg-type]
            weights[pointer].append((_weight(own, steps(pointer))[1], at))
    kept = {at for found in weights.values() for _, at in nlargest(BEST, found)}
    return [place for at, place in enumerate(places) if at in kept]


def has_lists(outline: Outline) -> bool:
    """Whether an answer may hold a list or a map."""
    inner = [*(field.value for field in outline.fields), *outline.options]
    return outline.kind in ("array", "map", "any") or any(map(has_lists, inner))


def of_window(asked: Request, prompt: Sequence[int], part: str) -> Request:
    """The request about a window, from which verbatim values are copied."""
    asked = replace(asked, prompt=prompt, document=part)
    if not asked.constraint.copies:
        return asked
    constraint = asked.constraint.bind(part)
    return replace(asked, constraint=constraint, automaton=constraint.automaton, reviewer=constraint.reviewer)


def merged(
    seen: Sequence[Window], outline: Outline, names: Sequence[str], origins: dict[str, Origin]
) -> Json | Absent:
    """One value of the values that windows read; ABSENT if none has one.

    names: the members that lead to it; origins: receives where each value comes from, by pointer
    """
    here = [one for one in seen if one.value is not ABSENT and one.value is not None]
    if not here:
        return None if any(one.value is None for one in seen) else ABSENT
    objects = all(isinstance(one.value, dict) for one in here)
    if outline.kind == "object" and objects:
        found = (
            (
                field.name,
                merged(
                    [_member(one, field.name) for one in here], field.value, (*names, field.name), origins
                ),
            )
            for field in outline.fields
        )
        return {name: value for name, value in found if value is not ABSENT}
    pointer = pointer_of(names)
    if all(isinstance(one.value, list) for one in here):
        items = _joined(here, outline.most)
        for at, one in enumerate(items):
            origins.update(_origins(one, pointer, str(at), str(one.at)))
        return [one.value for one in items]
    if outline.kind == "map" and objects:
        pairs = dict[str, Json]()
        for one in _joined(here, outline.most):
            name, value = one.pair
            if name not in pairs:
                pairs[name] = value
                origins.update(_origins(one, pointer, escape(name), escape(name)))
        return pairs
    best = max(here, key=lambda one: _weight(one, names))
    origins[pointer] = Origin(best.part, pointer)
    return best.value


@dataclass(frozen=True, eq=False)
class _Item:
    """The item number `at` of a list that a window has, or a member of its map as a list of name and value."""

    window: Window
    at: int
    value: Json

    @property
    def pair(self) -> tuple[str, Json]:
        """The name and the value of a member."""
        assert isinstance(self.value, list)
        return str(self.value[0]), self.value[1]


def _origins(item: _Item, pointer: str, new: str, old: str) -> Iterator[tuple[str, Origin]]:
    """Where the values of an item come from that is called `new` in the answer and `old` in its window."""
    part, before = item.window.part, f"{pointer}/{old}"
    for at in part.answer.leaves:
        if at == before or at.startswith(f"{before}/"):
            yield f"{pointer}/{new}{at.removeprefix(before)}", Origin(part, at)


def _member(window: Window, name: str) -> Window:
    value = window.value
    return replace(window, value=value.get(name, ABSENT) if isinstance(value, dict) else ABSENT)


def _items(window: Window) -> list[Json]:
    """The items of a list, or the members of a map as lists of name and value."""
    value = window.value
    if isinstance(value, dict):
        return [[name, one] for name, one in value.items()]
    return value if isinstance(value, list) else []


def _weight(window: Window, names: Sequence[str]) -> tuple[bool, float]:
    """Whether a window states its value, and its support there; a name in front of the value on its line adds to it."""
    places = window.stated.places(window.value, names)
    support = window.part.supported.get(pointer_of(names), 0.0)
    return bool(places), support + NAMED * window.stated.named(places[0], names) if places else support


def pointer_of(names: Sequence[str]) -> str:
    """The JSON pointer of a member."""
    return "".join(f"/{escape(name)}" for name in names)


def _joined(seen: Sequence[Window], most: int | None) -> list[_Item]:
    """The items of all windows, in order; one that stands at the place of another with the same values is left out."""
    found: list[tuple[int, int, _Item]] = []
    known: set[tuple[int, str]] = set()
    for number, window in enumerate(seen):
        least = 0
        for index, item in enumerate(_items(window)):
            places = [window.stated.places(one) for one in _scalars(item)]
            stated = [place for one in places for place in one if place[0] >= least] or [
                p for one in places for p in one
            ]
            least = min(stated)[0] if stated else least
            at = window.start + least
            if (at, _json(item)) not in known:
                known.add((at, _json(item)))
                found.append((at, number, _Item(window, index, item)))
    found.sort(key=lambda one: one[:2])
    return [item for _, _, item in found][:most]


def _scalars(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _scalars(part)
    else:
        yield value


def _json(value: object) -> str:
    """JSON in which numbers keep their digits."""
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{_json(one)}" for name, one in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
