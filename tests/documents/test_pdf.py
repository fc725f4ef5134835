"""PDF: the text as it is read, and boxes that cover its ink however the page is turned."""

from __future__ import annotations

import pytest

from papers.sheets import DPI, RED, Drawing, Ink, Sheets, turned
from structgen import Document, InvalidDocument, InvalidOption


def red(document: Document, page: int = 0) -> Ink:
    return Drawing.of(document.image(page, DPI)).ink(RED)


def place(document: Document, value: str) -> tuple[int, int]:
    """Offsets of a value that stands in the text once."""
    assert document.text.count(value) == 1, document.text
    start = document.text.index(value)
    return start, start + len(value)


@pytest.mark.parametrize("crop", [None, (30, 200, 560, 820)], ids=["whole", "cropped"])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("value", ["INV-0730", "Müller & Søn", "北京科技有限公司", "Åse jgq"])
def test_a_box_covers_the_ink_of_its_characters_and_no_more(value: str, degrees: int, crop):
    sheet = Sheets().line("Vendor: here and ", (value, RED), " there").line("Second line").bytes()
    document = Document.open(turned(sheet, degrees, crop))
    assert document.kind == "pdf"
    (box,) = document.boxes(*place(document, value))
    where = red(document)
    assert where.inside([box]) > 0.999
    assert where.inside(document.boxes(*place(document, "Second line"))) == 0
    assert where.inside(document.boxes(*place(document, "here and"))) < 0.02
    (part,) = document.boxes(*place(document, value), unit="page")
    page = document.pages[0]
    assert (part.x0 * page.width, part.y1 * page.height) == pytest.approx((box.x0, box.y1))
    assert 0 <= part.x0 < part.x1 <= 1
    assert 0 <= part.y0 < part.y1 <= 1


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("written", [0, 90, 180, 270])
def test_words_come_in_their_order_however_page_and_text_are_turned(written: int, degrees: int):
    sheet = Sheets()
    sheet.y = sheet.h / 2
    with sheet.rotation(written, x=sheet.w / 2, y=sheet.h / 2):
        sheet.line("Vendor: here and ", ("INV-0730", RED), " there").line("Second line")
    document = Document.open(turned(sheet.bytes(), degrees))
    assert document.text == "Vendor: here and INV-0730 there\nSecond line"
    (box,) = document.boxes(*place(document, "INV-0730"))
    assert red(document).inside([box]) > 0.999
    assert (box.x1 - box.x0 > box.y1 - box.y0) == ((written + degrees) % 180 == 0)


def test_a_value_on_two_lines_has_a_box_on_each():
    document = Document.open(Sheets().line("Vendor: ", ("North", RED)).line(("wind Ltd", RED)).bytes())
    boxes = document.boxes(*place(document, "North\nwind Ltd"))
    assert len(boxes) == 2
    assert boxes[0].y1 <= boxes[1].y0 + 1
    assert red(document).inside(boxes) > 0.999


def test_a_value_on_two_pages_has_boxes_on_both():
    sheet = Sheets().line("one ", ("first", RED))
    sheet.add_page()
    document = Document.open(sheet.line(("second", RED), " two").bytes())
    boxes = document.boxes(*place(document, "first\n\nsecond"))
    assert [box.page for box in boxes] == [0, 1]
    assert [document.text[page.start : page.end] for page in document.pages] == ["one first", "second two"]
    for box in boxes:
        assert red(document, box.page).inside([box]) > 0.999


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("Donaudampf-", "schiffe", "Donaudampfschiffe"),
        ("INV-", "0730", "INV-0730"),
        ("North-", "West", "North-West"),
    ],
)
def test_a_word_that_is_broken_at_a_hyphen_is_whole(first: str, second: str, whole: str):
    """The hyphen goes where lower-case letters stand around it, and stays in numbers and names."""
    document = Document.open(Sheets().line("word ", (first, RED)).line((second, RED), " end").bytes())
    boxes = document.boxes(*place(document, whole))
    assert document.text == f"word {whole} end"
    assert len(boxes) == 2
    assert red(document).inside(boxes) > 0.999


def test_offsets_count_characters_and_not_pieces_of_them():
    """Beyond U+FFFF PDFium counts two characters for one."""
    document = Document.open(Sheets().line("𠮷野家 𠮷野 total ", ("9.50", RED)).bytes())
    assert document.text == "𠮷野家 𠮷野 total 9.50"
    assert red(document).inside(document.boxes(*place(document, "9.50"))) > 0.999


def test_boxes_of_nothing_and_of_space_are_none():
    document = Document.open(Sheets().line("a b").bytes())
    assert document.boxes(1, 1) == document.boxes(1, 2) == []
    with pytest.raises(InvalidOption, match="offsets in the text, from 0 to 3"):
        document.boxes(2, 4)
    with pytest.raises(InvalidOption, match="page is a whole number from 0 to 0"):
        document.image(1)
    with pytest.raises(InvalidDocument, match="no pages to draw"):
        Document.open(b"a b").image(0)


def test_a_document_is_a_path_bytes_or_a_file(tmp_path):
    content = Sheets().line("Vendor: Acme").bytes()
    path = tmp_path / "invoice.pdf"
    path.write_bytes(content)
    with path.open("rb") as file:
        opened = [Document.open(path), Document.open(str(path)), Document.open(content), Document.open(file)]
    assert {document.text for document in opened} == {"Vendor: Acme"}
    assert [document.name for document in opened] == [str(path), str(path), None, str(path)]
    assert repr(opened[0]) == f"Document({path}, pdf, 1 page, 12 characters)"
    with pytest.raises(InvalidDocument, match="open for reading text"), path.open(encoding="latin-1") as file:
        Document.open(file)


FORM = b"""%PDF-1.7
1 0 obj <</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[5 0 R]/DR<</Font<</F 4 0 R>>>>/DA(/F 12 Tf 0 g)>>>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Resources<</Font<</F 4 0 R>>>>/Contents 6 0 R
/Annots[5 0 R 7 0 R]>> endobj
4 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj
5 0 obj <</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V(Ann Fisher)/Rect[100 150 250 170]/DA(/F 12 Tf 1 0 0 rg)/F 4
/P 3 0 R>> endobj
6 0 obj <</Length 35>> stream
BT /F 12 Tf 50 155 Td (Name:) Tj ET
endstream endobj
7 0 obj <</Type/Annot/Subtype/FreeText/Contents(paid in cash)/Rect[100 50 250 70]/F 4/P 3 0 R/AP<</N 8 0 R>>>> endobj
8 0 obj <</Type/XObject/Subtype/Form/BBox[0 0 150 20]/Resources<</Font<</F 4 0 R>>>>/Length 39>> stream
BT /F 12 Tf 2 5 Td (paid in cash) Tj ET
endstream endobj
trailer <</Root 1 0 R/Size 9>>
"""


def test_what_is_filled_into_a_form_and_written_on_a_page_is_read():
    document = Document.open(FORM)
    assert document.text.split() == ["Name:", "Ann", "Fisher", "paid", "in", "cash"]
    (box,) = document.boxes(*place(document, "Ann Fisher"))
    assert red(document)
    assert red(document).inside([box]) > 0.999
