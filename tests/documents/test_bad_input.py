"""Whatever is wrong with a document is said in one sentence, quickly, and no other error ever gets out."""

from __future__ import annotations

import random
from collections.abc import Callable
from email.message import EmailMessage
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import docx
import pytest

from papers.sheets import Sheets
from structgen import Document, InvalidDocument, InvalidOption, MissingExtra

NAMESPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
PDF = Sheets().line("Total 9.50").bytes()


def refused(content: bytes, name: str) -> str:
    with pytest.raises(InvalidDocument) as caught:
        Document.open(content, name=name)
    sentence = str(caught.value)
    assert name in sentence
    assert "\n" not in sentence
    return sentence


def word(markup: str | bytes | None = None, **more: bytes) -> bytes:
    """A Word document, with other markup and with more files."""
    plain, out = BytesIO(), BytesIO()
    docx.Document().save(plain)
    with ZipFile(plain) as source, ZipFile(out, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            changed = name == "word/document.xml" and markup is not None
            target.writestr(name, markup if changed and markup is not None else source.read(name))
        for name, content in more.items():
            target.writestr(f"word/{name}", content)
    return out.getvalue()


def body(inner: str) -> bytes:
    return word(f"<w:document {NAMESPACE}><w:body>{inner}</w:body></w:document>")


def encrypted() -> bytes:
    sheet = Sheets().line("secret")
    sheet.set_encryption("owner", "user")
    return sheet.bytes()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (encrypted, "is encrypted and needs a password"),
        (lambda: b"", "it is empty"),
        (lambda: b"%PDF-1.7\n", "is a broken PDF"),
        (lambda: PDF[:400], "is a broken PDF"),
        (lambda: PDF[: len(PDF) // 2], "is a broken PDF"),
        (lambda: Sheets().bytes(), "holds no text"),
        (lambda: b"Total 9.50", "is not a PDF, though its name ends in .pdf"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office file of the old kind"),
    ],
)
def test_a_pdf_that_cannot_be_read(content: Callable[[], bytes], sentence: str):
    assert sentence in refused(content(), "file.pdf")


def test_a_pdf_that_only_forbids_copying_is_read():
    sheet = Sheets().line("Total 9.50")
    sheet.set_encryption("owner")
    assert Document.open(sheet.bytes()).text == "Total 9.50"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: word(b"<" * (1 << 26) + b"<"), "expands to"),
        (lambda: word(**{"image.png": bytes((1 << 28) + 1)}), "expands to"),
        (lambda: word()[:-200], "is a broken ZIP archive"),
        (lambda: word("<not closed"), "is a broken Word document"),
        (lambda: body("<w:sdt><w:sdtContent>" * 5000), "is a broken Word document"),
        (
            lambda: word(
                '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
                f"<w:document {NAMESPACE}><w:body><w:p><w:r><w:t>x&b;y</w:t></w:r></w:p></w:body></w:document>"
            ),
            "is a broken Word document",
        ),
        (lambda: body("<w:p/>"), "holds no text"),
        (lambda: b"Total 9.50", "is not a Word document (DOCX), though its name ends in .docx"),
    ],
)
def test_a_word_document_that_cannot_be_read(content: Callable[[], bytes], sentence: str):
    assert sentence in refused(content(), "file.docx")


@pytest.mark.parametrize(
    ("name", "inside", "kind"),
    [("book.xlsx", "xl/workbook.xml", "an Excel workbook"), ("many.zip", "a.txt", "a ZIP archive")],
)
def test_an_archive_of_another_kind(name: str, inside: str, kind: str):
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr(inside, "x")
    assert f"is {kind}, which is not read" in refused(out.getvalue(), name)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"Stra\xdfe", "is not UTF-8 text (byte 0xdf at offset 4)"),
        (b"ab\xed\xa0\x80", "is not UTF-8 text (byte 0xed at offset 2)"),
        (b"\xff\xfea\0b", "is not UTF-16-LE text (byte 0x62 at offset 4)"),
        ("aäb\0".encode(), "is binary (a zero byte at offset 4)"),
        ("ab\0".encode("utf-16"), "is binary (a zero byte at offset 4)"),
        (b" \n", "holds no text"),
        (b"{\\rtf1 x}", "is RTF, which is not read"),
    ],
)
def test_a_text_that_cannot_be_read(content: bytes, sentence: str):
    assert sentence in refused(content, "file.txt")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("p.html", b'<meta charset="x-none">x', "declares the encoding 'x-none', which does not exist"),
        ("p.html", b'<meta charset="utf-8">\xdf', "is not UTF-8 text (byte 0xdf at offset 22)"),
        ("p.html", b"<div>" * 50_000 + b"x", "nests its elements too deeply"),
        ("m.eml", b"A: b\nContent-Type: text/plain; charset=x-none\n\nx", "declares the encoding 'x-none'"),
        ("m.eml", b"From: b\nContent-Type: text/plain; charset=utf-8\n\nx\xdf", "(byte 0xdf at offset 1)"),
        (
            "m.eml",
            b"From: J\xfcrgen <a@b.de>\n\nx",
            "the header From of the document m.eml is not UTF-8 text",
        ),
        ("d.json", b'{"x": "DoclingDocument", ' + b"[" * 50_000, "is a broken DoclingDocument"),
        ("d.json", b'{"x": "DoclingDocument", "body": 5}', "is a broken DoclingDocument"),
        (
            "d.json",
            b'{"x": "DoclingDocument", "texts": [{"text": "\\ud800"}], "body": {"children": [{"$ref": "#/texts/0"}]}}',
            "half a surrogate pair",
        ),
    ],
)
def test_a_marked_up_text_that_cannot_be_read(name: str, content: bytes, sentence: str):
    assert sentence in refused(content, name)


def test_an_encoding_can_be_given_and_has_to_exist():
    assert Document.open(b"Stra\xdfe", encoding="cp1252").text == "Straße"
    assert Document.open(b'<html><meta charset="utf-8">\xdf', encoding="latin-1").text == "ß"
    assert Document.open(
        b"From: J\xfcrgen <a@b.de>\nMIME-Version: 1.0\n\n\xdf", encoding="latin-1"
    ).text.endswith("ß")
    for encoding in ("klingon", "base64", "a\0b"):
        with pytest.raises(InvalidOption, match="encoding"):
            Document.open(b"a", encoding=encoding)


@pytest.mark.parametrize(
    ("name", "content", "kind", "noted"),
    [
        ("a.txt", PDF, "pdf", "ends in .txt, but its content is a PDF"),
        ("a.docx", PDF, "pdf", "ends in .docx, but its content is a PDF"),
        ("a.txt", b"<html><body>x</body></html>", "html", "ends in .txt, but its content is HTML"),
        ("a.html", b"no tags", "text", "ends in .html, but its content is text"),
        ("a.eml", b"no headers", "text", "ends in .eml, but its content is text"),
        ("a.PDF", PDF, "pdf", None),
        ("a", PDF, "pdf", None),
        ("a.weird", b"x", "text", None),
        ("a.csv", b"x,y", "csv", None),
        ("a.json", b'{"a": 1}', "text", None),
    ],
)
def test_the_content_decides_and_a_name_that_says_otherwise_is_noted(
    name: str, content: bytes, kind: str, noted: str | None
):
    document = Document.open(content, name=name)
    assert document.kind == kind
    assert (document.notes == ()) == (noted is None)
    assert noted is None or noted in document.notes[0]


def test_ten_megabytes_of_text_are_read():
    assert len(Document.open(b"Total 9.50\n" * 1_000_000).text) == 11_000_000


def test_a_file_without_an_end_is_refused():
    with pytest.raises(InvalidDocument, match="has more than 268,435,456 bytes, which is the limit"):
        Document.open("/dev/zero")


@pytest.mark.parametrize("source", [5, None, ["a"], "nowhere.pdf", "a\0b", "."], ids=repr)
def test_what_is_no_file_is_refused(source):
    with pytest.raises(InvalidDocument):
        Document.open(source)


@pytest.mark.parametrize(
    ("module", "content", "what"),
    [("pypdfium2", PDF, "a PDF"), ("docx", word(), "a Word document"), ("inscriptis", b"<html>x", "HTML")],
)
def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch, module: str, content: bytes, what: str
):
    from importlib import import_module

    def missing(name: str):
        if name.partition(".")[0] == module:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return import_module(name)

    monkeypatch.setattr("structgen.documents.extras.import_module", missing)
    with pytest.raises(MissingExtra) as caught:
        Document.open(content)
    assert str(caught.value) == f"reading {what} needs {module}: pip install 'structgen-dlm[documents]'"


def mail() -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "Jürgen <a@b.de>", "Größe"
    message.set_content("Grüße 5")
    message.add_alternative("<p>x</p>", subtype="html")
    message.add_attachment(b"x", maintype="application", subtype="pdf", filename="ä.pdf")
    return message.as_bytes()


MARKUP = (
    f"<w:document {NAMESPACE}><w:body><w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t><w:tab/></w:r></w:p></w:tc></w:tr>"
    "</w:tbl><w:p><w:hyperlink><w:r><w:t>b</w:t></w:r></w:hyperlink></w:p></w:body></w:document>"
)
WHOLE: dict[str, bytes] = {
    "a.pdf": PDF,
    "a.docx": word(),
    "a.xml": MARKUP.encode(),  # goes into a Word document after it is damaged
    "a.eml": mail(),
    "a.html": "<!doctype html><meta charset=utf-8><table><tr><td colspan=2>Grüße</table><ul><li>a<li>b</ul>".encode(),
    "a.csv": b'a,b\n"x, y","z"" w"\n1,2\n',
    "a.json": (
        b'{"schema_name":"DoclingDocument","pages":{"1":{"size":{"width":6,"height":8}}},"texts":[{"text":"abc","prov":'
        b'[{"page_no":1,"bbox":{"l":1,"t":2,"r":3,"b":1},"charspan":[0,3]}]}],"body":{"children":[{"$ref":"#/texts/0"}]}}'
    ),
}


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The content with a few bytes changed, removed, repeated or inserted."""
    damage = bytearray(content)
    for _ in range(draw.choice((1, 1, 3, 10))):
        at, length = draw.randrange(len(damage) + 1), draw.randrange(1, 100)
        what = draw.randrange(4)
        if what == 0:
            damage[at : at + 1] = bytes([draw.randrange(256)])
        elif what == 1:
            del damage[at : at + length]
        elif what == 2:
            damage[at:at] = damage[at : at + length]
        else:
            damage[at:at] = draw.randbytes(length % 8)
    return bytes(damage)


@pytest.mark.parametrize("name", WHOLE)
def test_a_damaged_document_is_read_or_refused_in_one_sentence(name: str):
    draw, sentences = random.Random(7), set()
    for _ in range(60):
        content = damaged(WHOLE[name], draw)
        try:
            document = Document.open(word(content) if name == "a.xml" else content, name=name)
            document.boxes(0, len(document.text))
        except InvalidDocument as error:
            sentences.add(str(error))
    assert not any("\n" in sentence for sentence in sentences)
