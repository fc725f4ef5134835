"""A proof: one HTML file with the document, the values, where each is stated, how sure each is, and how they settled.

The file stands alone: no network, no script but its own. Whatever a document holds is shown as text; characters that
would change the direction of the text around them are written out.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
    spans: characters of the document that state it; doubts: warnings
    """

    pointer: str
    value: str
    confidence: float | None = None
    others: Sequence[tuple[str, float]] = ()
    spans: Sequence[tuple[int, int]] = ()
    doubts: Sequence[str] = ()

    @property
    def percent(self) -> str:
        """The confidence for a reader; never 100 % unless it is exactly that."""
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


def proof(
    rows: Sequence[Entry],
    document: Document | None,
    *,
    stills: Sequence[Still] = (),
    title: str = "structgen",
    facts: Mapping[str, str] | None = None,
) -> str:
    """The HTML file."""
    sheets = [] if document is None or not document.drawable else _sheets(document, rows)
    return _template("proof.html").render(
        title=title,
        rows=rows,
        facts=facts or {},
        segments=[] if document is None or sheets else list(segments(document.text, rows)),
        sheets=sheets,
        frames=_in_script([one.to_dict() for one in stills]) if stills else "",
        steps=len(stills),
    )


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
        return f"{share:.0%}"
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


def _sheets(document: Document, rows: Sequence[Entry]) -> list[Sheet]:
    images: list[bytes] = []
    for dpi in DPI:
        images = [document.image(page, dpi) for page in range(len(document.pages))]
        if sum(map(len, images)) <= ROOM:
            break
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
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"visible": visible, "percent": percent}
    return environment.from_string((Path(__file__).parent / name).read_text(encoding="utf-8"))
