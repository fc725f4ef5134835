"""Images and scanned pages: read by OCR where it is installed, with boxes, and otherwise named in a sentence."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fpdf import FPDF
from PIL import Image

from papers.sheets import DPI, RED, Drawing, Sheets
from structgen import Box, Document, InvalidDocument, MissingExtra
from structgen.documents import scan

HAVE = pytest.mark.skipif(
    "not __import__('importlib.util').util.find_spec('rapidocr')", reason="needs the extra ocr"
)
COMMAND = "reading images of text needs rapidocr: pip install 'structgen-dlm[ocr]'"


def picture() -> bytes:
    return Document.open(
        Sheets().line("Vendor: ", ("INV-0730", RED), " end").line("Total 9.50").bytes()
    ).image(0, 150)


def scanned(*pictures: bytes, text: str = "") -> bytes:
    """A PDF with a page of text, if there is any, and a page for each picture."""
    pdf = FPDF(unit="pt", format="A4")
    if text:
        pdf.add_page()
        pdf.set_font("Helvetica")
        pdf.text(50, 50, text)
    for one in pictures:
        pdf.add_page()
        pdf.image(BytesIO(one), 0, 0, pdf.w, pdf.h)
    return bytes(pdf.output())


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> Any:
        raise MissingExtra(COMMAND)

    monkeypatch.setattr(scan, "_engine", absent)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for RapidOCR: two lines, with a place for each character of the first and none for its space."""
    places = [
        (char, 1.0, [[10 * at, 5], [10 * at + 9, 5], [10 * at + 9, 20], [10 * at, 20]])
        for at, char in enumerate("ab c")
    ]
    found = SimpleNamespace(
        txts=("ab c", "d"),
        word_results=([p for p in places if p[0] != " "], [("d", 1.0, [[0, 40], [9, 60]])]),
    )
    monkeypatch.setattr(scan, "_engine", lambda: lambda *given, **options: found)


@pytest.mark.usefixtures("missing")
class TestWithoutTheExtra:
    def test_an_image_is_refused_with_the_command_that_installs_it(self):
        with pytest.raises(MissingExtra) as caught:
            Document.open(picture(), name="photo.png")
        assert str(caught.value) == COMMAND

    def test_so_is_a_pdf_without_any_text(self):
        with pytest.raises(MissingExtra) as caught:
            Document.open(scanned(picture()), name="scan.pdf")
        assert str(caught.value) == f"the document scan.pdf has no text, only pictures; {COMMAND}"

    def test_pages_without_text_among_others_are_noted(self):
        document = Document.open(scanned(picture(), picture(), text="Total 9.50"), name="scan.pdf")
        assert document.text.strip() == "Total 9.50"
        assert document.notes == (
            f"pages 2, 3 of the document scan.pdf: no text, only pictures, which were not read; {COMMAND}",
        )

    def test_an_empty_page_is_not(self):
        sheet = Sheets().line("Total 9.50")
        sheet.add_page()
        assert Document.open(sheet.bytes()).notes == ()


@pytest.mark.usefixtures("reader")
class TestWithAReader:
    def test_an_image_has_its_text_and_boxes(self):
        document = Document.open(picture(), name="photo.png")
        assert (document.kind, document.text) == ("image", "ab c\nd")
        assert document.notes == ("the document photo.png was read by OCR, whose letters may be wrong",)
        assert document.boxes(0, 4) == [Box(0, 0, 5, 39, 20)]
        assert document.boxes(1, 6) == [Box(0, 10, 5, 39, 20), Box(0, 0, 40, 9, 60)]
        assert document.boxes(2, 3) == []
        (box,) = document.boxes(5, 6, unit="page")
        assert box.x1 == pytest.approx(9 / document.pages[0].width)
        assert Image.open(BytesIO(document.image(0, 36))).width == pytest.approx(
            document.pages[0].width / 2, abs=1
        )

    def test_a_scanned_page_of_a_pdf_has_too(self):
        document = Document.open(scanned(picture(), text="Total 9.50"), name="scan.pdf")
        assert document.text == "Total 9.50\n\nab c\nd"
        assert document.notes == ("page 2 of the document scan.pdf: read by OCR, whose letters may be wrong",)
        (box,) = document.boxes(12, 13)
        assert (box.page, box.x1) == (1, pytest.approx(9 * 72 / 200))

    def test_every_page_of_a_tiff_file_is_read(self):
        out, page = BytesIO(), Image.new("RGB", (60, 80), "white")
        page.save(out, "TIFF", save_all=True, append_images=[page, page])
        document = Document.open(out.getvalue(), name="fax.tif")
        assert document.text == "\n\n".join(["ab c\nd"] * 3)
        assert [box.page for box in document.boxes(0, len(document.text))] == [0, 0, 1, 1, 2, 2]


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\nbroken", "is a broken image"),
        (b"\xff\xd8\xffbroken", "is a broken image"),
        (picture()[:3000], "is a broken image"),
    ],
)
def test_a_broken_image_is_refused(content: bytes, sentence: str):
    with pytest.raises(InvalidDocument, match=sentence):
        Document.open(content, name="photo.png" if content.startswith(b"\x89") else "photo.jpg")


@pytest.mark.usefixtures("reader")
def test_an_image_of_too_many_pixels_is_refused_before_it_is_expanded():
    out = BytesIO()
    Image.fromarray(np.zeros((9_500, 9_000), np.uint8)).save(out, "PNG")
    with pytest.raises(InvalidDocument, match="has 9000 × 9500 pixels, and at most 80,000,000 are read"):
        Document.open(out.getvalue(), name="large.png")


@HAVE
def test_a_scanned_page_is_read_and_its_boxes_cover_the_ink():
    document = Document.open(scanned(picture()))
    start = document.text.index("INV-0730")
    boxes = document.boxes(start, start + 8)
    assert Drawing.of(document.image(0, DPI)).ink(RED).inside(boxes) > 0.8
    assert "Total 9.50" in document.text
