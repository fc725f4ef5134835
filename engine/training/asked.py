"""More questions about the written documents, and more documents with theirs: tables of a line a question.

    @ absent 3
    boolean | cancels_visit | whether the caller calls off a meeting | true
    choice | mood | | friendly / neutral / angry | neutral
    text | reason_given | why he cannot come | because ⟦my car has died⟧
    list | guests | | Ann ;; Bob ;; Eva
    list | orders/price | price of each | 12.50 ;; 9.00
    absent | insurer | the company that insures the car

A block is of one document: a file of written/, and its number there from 0. A new document begins with a line
`= kind | language`; its lines follow, each behind "> ". The words of a text, number, date or time stand in the document
once; where they stand there more often, ⟦ ⟧ marks the value between words that say which are meant; ⏎ is a line's end.
The items of a list stand in the document in their order, the first of them once. Lists with a common name before / are
the columns of one list of objects.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.samples import Sample, Span
from training.written import FOLDER, written_documents

__all__ = ["FURTHER", "Asked", "AskedError", "Question", "asked_documents", "asked_in"]
FURTHER = Path(__file__).with_name("asked")
LEAST, MOST = 4, 14  # questions of one lesson
_TYPES: Mapping[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "email": {"type": "string", "format": "email"},
}


class AskedError(ValueError):
    """A line that cannot be read, with its file and number."""


@dataclass(frozen=True)
class Question:
    """A field: its name, its schema, its value, and the characters of the document that state it."""

    name: str
    schema: dict[str, Any]
    value: Any
    places: Sequence[tuple[int, int]] = ()


@dataclass
class Asked:
    """A document of a kind, and the questions about it."""

    kind: str
    document: str
    questions: list[Question] = field(default_factory=list)

    def sample(self, rng: random.Random | None = None) -> Sample:
        """All questions, or a few of them, in another order."""
        chosen = self.questions
        if rng is not None:
            chosen = rng.sample(chosen, min(len(chosen), rng.randint(LEAST, MOST)))
        properties, value, spans = dict[str, Any](), dict[str, Any](), list[Span]()
        for one in chosen:
            name, _, column = one.name.partition("/")
            if column:
                items = properties.setdefault(name, _array({"type": "object", "properties": {}}))["items"]
                items["properties"][column] = one.schema["items"]
                rows = value.setdefault(name, [])
                rows += [{} for _ in one.value[len(rows) :]]
                for row, cell in zip(rows, one.value, strict=False):
                    row[column] = cell
            else:
                properties[name], value[name] = one.schema, one.value
            for at, (start, end) in enumerate(one.places):
                pointer = f"/{name}/{at}/{column}".rstrip("/") if isinstance(one.value, list) else f"/{name}"
                spans.append(Span(pointer, start, end, self.document[start:end]))
        return Sample({"type": "object", "properties": properties}, self.document, value, tuple(spans))


def asked_documents(folder: Path = FURTHER, written: Path = FOLDER) -> Iterator[Asked]:
    """The documents and questions of all tables of a folder, in their order."""
    texts = {
        f"{path.stem} {at}": (one.kind, one.sample.document)
        for path in sorted(written.glob("*.toml"))
        for at, one in enumerate(written_documents(path))
    }
    for path in sorted(folder.glob("*.txt")):
        yield from asked_in(path, texts)


def asked_in(path: Path, texts: Mapping[str, tuple[str, str]]) -> Iterator[Asked]:
    """Those of one table; texts: kind and text of the documents that it names."""
    one = Asked("", "")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith(("@ ", "= ")):
            if one.questions:
                yield one
            one = Asked(line[2:].partition("|")[0].strip(), "")
        try:
            if line.startswith("@ "):
                one = Asked(*texts[line[2:].strip()])
            elif line.startswith(">"):
                one.document += ("\n" if one.document else "") + line[2:]
            elif line.strip() and not line.startswith("= "):
                one.questions.append(question([part.strip() for part in line.split("|")], one.document))
        except (KeyError, ValueError, IndexError) as error:
            raise AskedError(f"{path.name}, line {number}: {error}: {line}") from error
    if one.questions:
        yield one


def question(columns: Sequence[str], document: str) -> Question:
    """The question of a line's columns; raises ValueError where the document does not fit them."""
    kind, name, said, *rest = columns
    about = {"description": said} if said else {}
    if kind == "boolean":
        return Question(name, {"type": "boolean", **about}, {"true": True, "false": False}[rest[0]])
    if kind == "absent":
        shape = _TYPES[rest[0]] if rest else _TYPES["text"]
        return Question(name, {**shape, "type": [shape["type"], "null"], **about}, None)
    if kind == "choice":
        options, value = [one.strip() for one in rest[0].split(" / ")], rest[1]
        if value not in options:
            raise ValueError(f"{value!r} is no option")
        return Question(name, {"enum": options, **about}, value)
    if kind == "list":
        places = list(_in_order(document, rest[0].split(";;")))
        texts = [document[start:end] for start, end in places]
        return Question(name, {**_array(_TYPES["text"]), **about}, texts, places)
    place = _place(document, rest[0])
    return Question(name, {**_TYPES[kind], **about}, document[slice(*place)], [place])


def _array(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(items)}


def _place(document: str, words: str) -> tuple[int, int]:
    """The characters that words name, which stand in the document once."""
    words = words.replace("⏎", "\n").strip()
    plain = words.replace("⟦", "").replace("⟧", "")
    if not plain or document.count(plain) != 1:
        raise ValueError(f"the words stand {document.count(plain)} times in the document")
    start = document.index(plain) + max(0, words.find("⟦"))
    return start, start + (words.index("⟧") - words.index("⟦") - 1 if "⟦" in words else len(plain))


def _in_order(document: str, items: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The characters of a list's items, each found behind the one before."""
    at, last = _place(document, items[0])
    yield at, last
    for item in items[1:]:
        item = item.replace("⏎", "\n").strip()
        plain = item.replace("⟦", "").replace("⟧", "")
        at = document.find(plain, last)
        if at < 0 or not plain:
            raise ValueError(f"{plain!r} does not stand behind the item before")
        at += max(0, item.find("⟦"))
        last = at + (item.index("⟧") - item.index("⟦") - 1 if "⟦" in item else len(plain))
        yield at, last
