"""A proof: one HTML file with documents, their values, where each is stated, how sure each is, and how they settled.

The file stands alone: no network, no script but its own. Whatever a document holds is shown as text; characters that
would change the direction of the text around them are written out.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from structgen.documents import Document

DPI = (110, 80, 56, 40)  # of page images, the first at which all pages together fit
ROOM = 7_000_000  # bytes of PNG in one file, a third more in base64
HUES = 12
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True)
class Entry:
    """A value and what speaks for it.

    value: as JSON; confidence: None if it is not known; others: further values as JSON with their probabilities
    calibrated: how often values of that confidence are right, None if that is not known
    spans: characters of the document that state it; doubts: warnings
    """

    pointer: str
    value: str
    confidence: float | None = None
    others: Sequence[tuple[str, float]] = ()
    spans: Sequence[tuple[int, int]] = ()
    doubts: Sequence[str] = ()
    calibrated: float | None = None

    @property
    def sure(self) -> float | None:
        """How sure a reader may be: calibrated if that is known."""
        return self.confidence if self.calibrated is None else self.calibrated

    @property
    def percent(self) -> str:
        """How sure a reader may be, in words; an estimate in whole per cent, a probability never 100 % unless it is."""
        if self.calibrated is not None:
            return f"{min(max(round(100 * self.calibrated), 1), 99)} %"
        return "" if self.confidence is None else percent(self.confidence)


@dataclass(frozen=True)
class Still:
    """The canvas after one refinement step: what each token spells, and whether the step keeps it."""

    block: int
    step: int
    pieces: Sequence[str]
    kept: Sequence[bool]

    def to_dict(self) -> dict[str, Any]:
        """The frame in plain values."""
        kept = "".join("01"[one] for one in self.kept)
        return {"block": self.block, "step": self.step, "pieces": list(self.pieces), "kept": kept}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Still:
        """The frame that `to_dict` gave."""
        return cls(data["block"], data["step"], data["pieces"], [one == "1" for one in data["kept"]])


@dataclass(frozen=True)
class Segment:
    """A run of the document that states the values numbered in `rows`; for those in `first` it is the first place."""

    text: str
    rows: Sequence[int]
    first: Sequence[int] = ()

    @property
    def hue(self) -> int:
        """The number of a colour."""
        return self.rows[0] % HUES if self.rows else 0


@dataclass(frozen=True)
class Sheet:
    """A page of the document as an image, with boxes in per cent of its width and height."""

    number: int
    image: str
    width: float
    height: float
    boxes: Sequence[tuple[int, float, float, float, float]]


@dataclass(frozen=True)
class Exhibit:
    """What a page shows of one document: its values beside its text or its pages, and how the answer settled.

    document: None if only the values are known, `missing` then says why; failure: why there is no answer, else empty
    room: bytes of PNG that its page images may take
    """

    title: str
    rows: Sequence[Entry] = ()
    document: Document | None = None
    stills: Sequence[Still] = ()
    missing: str = "No document was given."
    failure: str = ""
    room: int = ROOM

    @cached_property
    def sheets(self) -> Sequence[Sheet]:
        """The document's pages, if it has any that can be drawn."""
        drawable = self.document is not None and self.document.drawable
        return _sheets(self.document, self.rows, self.room) if drawable and self.document is not None else ()

    @cached_property
    def segments(self) -> Sequence[Segment]:
        """The document's text, cut where values are stated; empty if its pages are shown."""
        return () if self.document is None or self.sheets else list(segments(self.document.text, self.rows))

    @property
    def frames(self) -> Any:
        """The steps as JSON for a script element."""
        return _in_script([one.to_dict() for one in self.stills])

    @property
    def steps(self) -> int:
        """How many steps the slider has."""
        return len(self.stills)

    @property
    def doubts(self) -> int:
        """How many warnings there are."""
        return sum(len(row.doubts) for row in self.rows)

    @property
    def weakest(self) -> Entry | None:
        """The least probable value, None if no probability is known."""
        known = [(row.sure, at) for at, row in enumerate(self.rows) if row.sure is not None]
        return self.rows[min(known)[1]] if known else None


def proof(
    rows: Sequence[Entry],
    document: Document | None,
    *,
    stills: Sequence[Still] = (),
    title: str = "structgen",
    facts: Mapping[str, str] | None = None,
) -> str:
    """The page of one document."""
    exhibits = [Exhibit(title, rows, document, stills)]
    return _template("page.html").render(title=title, facts=facts or {}, exhibits=exhibits, overview=False)


def report(exhibits: Sequence[Exhibit], *, title: str = "structgen") -> str:
    """The page of several documents, with a table of them; together their images take no more than those of one."""
    exhibits = [replace(exhibit, room=ROOM // max(1, len(exhibits))) for exhibit in exhibits]
    failed = sum(bool(exhibit.failure) for exhibit in exhibits)
    facts = {
        "documents": str(len(exhibits)),
        "failed": str(failed),
        "warnings": str(sum(v.doubts for v in exhibits)),
    }
    return _template("page.html").render(title=title, facts=facts, exhibits=exhibits, overview=True)


def table(rows: Sequence[Entry]) -> str:
    """The values alone, for a cell of a notebook."""
    return _template("table.html").render(rows=rows)


def segments(text: str, rows: Sequence[Entry]) -> Iterator[Segment]:
    """The text cut wherever a value's span begins or ends."""
    spans = [(start, end, at) for at, row in enumerate(rows) for start, end in row.spans]
    firsts = {(row.spans[0][0], at) for at, row in enumerate(rows) if row.spans}
    cuts = sorted({0, len(text), *(start for start, _, _ in spans), *(end for _, end, _ in spans)})
    for low, high in itertools.pairwise(cuts):
        inside = sorted({at for start, end, at in spans if start <= low and high <= end})
        yield Segment(text[low:high], inside, [at for at in inside if (low, at) in firsts])


def percent(share: float) -> str:
    """A probability for a reader: rounded, but neither to 0 nor to 100 per cent if it is neither."""
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if share > 0.9995 else f"{100 * share:.1f} %"


def visible(text: str) -> Any:
    """The text escaped for HTML, with hidden and direction-changing characters written out."""
    from markupsafe import Markup, escape

    found, at = Markup(), 0
    for match in _HIDDEN.finditer(text):
        code = Markup('<span class="code">U+{:04X}</span>').format(ord(match.group()))
        found, at = found + escape(text[at : match.start()]) + code, match.end()
    return found + escape(text[at:])


def _sheets(document: Document, rows: Sequence[Entry], room: int) -> list[Sheet]:
    """The pages at the finest resolution at which all of them fit; none if they fit at no resolution."""
    images: list[bytes] = []
    for dpi in DPI:
        images = [document.image(page, dpi) for page in range(len(document.pages))]
        if sum(map(len, images)) <= room:
            break
    else:
        return []
    boxes: list[list[tuple[int, float, float, float, float]]] = [[] for _ in images]
    for at, row in enumerate(rows):
        for start, end in row.spans:
            for box in document.boxes(start, end, unit="page"):
                place = (100 * box.x0, 100 * box.y0, 100 * (box.x1 - box.x0), 100 * (box.y1 - box.y0))
                boxes[box.page].append((at, *place))
    return [
        Sheet(index + 1, base64.b64encode(image).decode(), page.width, page.height, boxes[index])
        for index, (image, page) in enumerate(zip(images, document.pages, strict=True))
    ]


def _in_script(value: Any) -> Any:
    """JSON that may stand in a script element."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


@cache
def _template(name: str) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"visible": visible, "percent": percent}
    return environment.get_template(name)
