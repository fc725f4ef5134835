"""HTML, e-mail, Word, CSV and DoclingDocument: the text that a reader of the document sees, in the order it is read."""

from __future__ import annotations

import json
from email.message import EmailMessage
from io import BytesIO
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from structgen import Box, Document, InvalidDocument
from structgen.report.proof import Entry, proof


def opened(content: bytes | str, name: str) -> Document:
    return Document.open(content.encode() if isinstance(content, str) else content, name=name)


class TestHtml:
    def test_the_text_is_what_a_browser_shows(self):
        page = (
            "<!DOCTYPE html><html><head><title>T</title><style>b{}</style><script>var x = 'no';</script></head><body>"
            "<h1>Invoice&nbsp;7</h1><p>From <b>M&uuml;ller &amp; S&oslash;n</b>,<br>Hamburg</p>"
            "<table><tr><td>Total</td><td>1.234,50&nbsp;&euro;</td></tr></table>"
            "<p style='display:none'>hidden</p></body></html>"
        )
        document = opened(page, "invoice.html")
        assert document.kind == "html"
        assert document.media_type == "text/html"
        for shown in ("Müller & Søn,\n", "Hamburg", "Total"):
            assert shown in document.text
        assert "1.234,50" in document.text
        assert not any(hidden in document.text for hidden in ("var x", "hidden", "b{}", "<", "&amp;"))
        assert document.boxes(0, len(document.text)) == []

    @pytest.mark.parametrize(
        ("head", "encoding"),
        [
            ('<meta charset="windows-1252">', "cp1252"),
            ('<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1">', "cp1252"),
            ('<meta charset="gb2312">', "gb18030"),
            ("<meta charset=utf-8>", "utf-8"),
            ("", "utf-8"),
            ("", "utf-16"),
            ("", "utf-8-sig"),
        ],
    )
    def test_the_encoding_is_the_one_that_it_declares(self, head: str, encoding: str):
        word = "北京" if encoding == "gb18030" else "Größe" if encoding.startswith("utf") else "Größe €"
        page = f"<html><head>{head}</head><body><p>{word}</p></body></html>".encode(encoding)
        assert opened(page, "page.html").text == word

    def test_xhtml_with_a_declaration_is_read(self):
        page = '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><body><p>Ä</p></body></html>'
        assert opened(page, "page.xhtml").text == "Ä"


class TestMail:
    def message(self, **headers: str) -> EmailMessage:
        message = EmailMessage()
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        return message

    def test_headers_come_before_the_body(self):
        message = self.message(
            From="Jürgen <j@a.de>", To="b@c.de", Subject="Größe 5", Date="Tue, 03 Mar 2026 10:00:00 +0100"
        )
        message.set_content("Bitte 40 Stück.\n\nGruß")
        document = opened(message.as_bytes(), "mail.eml")
        assert document.kind == "email"
        assert document.text == (
            "From: Jürgen <j@a.de>\nTo: b@c.de\nDate: Tue, 03 Mar 2026 10:00:00 +0100\nSubject: Größe 5\n\n"
            "Bitte 40 Stück.\n\nGruß"
        )

    def test_the_plain_text_is_preferred_to_the_html(self):
        message = self.message(From="a@b.de", Subject="x")
        message.set_content("the plain one")
        message.add_alternative("<p>the <b>other</b> one</p>", subtype="html")
        assert opened(message.as_bytes(), "mail.eml").text.endswith("\n\nthe plain one")

    @pytest.mark.parametrize("plain", [None, "", "  \n"])
    def test_the_html_is_read_where_there_is_no_plain_text(self, plain: str | None):
        message = self.message(From="a@b.de", Subject="x")
        if plain is not None:
            message.set_content(plain)
            message.add_alternative("<p>the <b>other</b> one</p>", subtype="html")
        else:
            message.set_content("<p>the <b>other</b> one</p>", subtype="html")
        assert opened(message.as_bytes(), "mail.eml").text.endswith("\n\nthe other one")

    @pytest.mark.parametrize("transfer", ["base64", "quoted-printable", "8bit"])
    @pytest.mark.parametrize("charset", ["utf-8", "iso-8859-15"])
    def test_bodies_are_decoded(self, transfer: str, charset: str):
        message = self.message(From="a@b.de", Subject="x")
        message.set_content("Grüße für 5 €", charset=charset, cte=transfer)
        assert opened(message.as_bytes(), "mail.eml").text.endswith("\n\nGrüße für 5 €")

    def test_attachments_are_noted(self):
        message = self.message(From="a@b.de", Subject="x")
        message.set_content("see there")
        message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="bill.pdf")
        document = opened(message.as_bytes(), "mail.eml")
        assert document.text.endswith("\n\nsee there")
        assert document.notes == ("the document mail.eml has attachments, which were not read: bill.pdf",)

    def test_a_mail_without_a_name_is_known_by_its_headers(self):
        raw = (
            b"Received: from a by b\r\nFrom: a@b.de\r\nDate: Tue, 3 Mar 2026\r\n"
            b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n\r\nbody\r\nmore"
        )
        text = "From: a@b.de\nDate: Tue, 3 Mar 2026\nSubject: Größe\n\nbody\nmore"
        assert Document.open(raw).text == text
        letter = "From: Ann\nTo: Bob\nDate: 3 May\n\nDear Bob"
        assert opened(letter, "letter.txt").text == Document.open(letter.encode()).text == letter


class TestWord:
    def document(self, fill: Any) -> Document:
        word, out = docx.Document(), BytesIO()
        fill(word)
        word.save(out)
        return opened(out.getvalue(), "file.docx")

    def test_paragraphs_and_tables_keep_their_order(self):
        def fill(word: Any) -> None:
            word.add_heading("Invoice 7")
            table = word.add_table(2, 2)
            for at, text in enumerate(["Item", "Price", "Größe 5", "9,50 €"]):
                table.cell(at // 2, at % 2).text = text
            word.add_paragraph("Total\t9,50 €\nThanks")

        document = self.document(fill)
        assert document.kind == "docx"
        assert document.text == "Invoice 7\nItem\tPrice\nGröße 5\t9,50 €\nTotal\t9,50 €\nThanks"

    def test_headers_footers_merged_and_nested_cells_are_read_once(self):
        def fill(word: Any) -> None:
            word.sections[0].header.paragraphs[0].text = "Acme Ltd"
            word.sections[0].footer.paragraphs[0].text = "IBAN DE1"
            table = word.add_table(1, 2)
            table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
            inner = table.cell(0, 0).add_table(1, 1)
            inner.cell(0, 0).text = "inner"
            word.add_section()

        assert self.document(fill).text == "Acme Ltd\nwide inner\n\nIBAN DE1"

    def test_controls_insertions_links_and_text_boxes_are_read_and_deletions_are_not(self):
        def fill(word: Any) -> None:
            word.element.body.insert(
                0,
                parse_xml(
                    f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>Name: </w:t></w:r><w:sdt><w:sdtContent>"
                    "<w:r><w:t>Ann</w:t></w:r></w:sdtContent></w:sdt><w:ins><w:r><w:t> Lee</w:t></w:r></w:ins>"
                    "<w:del><w:r><w:delText> Old</w:delText></w:r></w:del><w:hyperlink><w:r><w:t> a.example</w:t></w:r>"
                    "</w:hyperlink><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
                    "</w:pict></w:r></w:p></w:sdtContent></w:sdt>"
                ),
            )

        assert self.document(fill).text == "Name: Ann Lee a.example\nboxed"


class TestCsv:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ("a,b\n1,2\n", "a,b\n1,2\n"),
            ('name;size\n"Müller";"5"" pipe"\n', 'name;size\nMüller;5" pipe'),
            ('name,size\n"Smith, Ann",4\n', "name\tsize\nSmith, Ann\t4"),
            ('name,note\nAnn,"two\nlines"\n', "name,note\nAnn,two lines"),
        ],
    )
    def test_every_cell_is_its_value(self, content: str, text: str):
        document = opened(content, "table.csv")
        assert (document.kind, document.text) == ("csv", text)


class TestDocling:
    def document(self, **changes: Any) -> Document:
        def text(reference: str, words: str, *places: Any) -> dict[str, Any]:
            return {"self_ref": reference, "text": words, "prov": list(places), "children": []}

        def place(
            page: int, left: float, top: float, right: float, bottom: float, *span: int
        ) -> dict[str, Any]:
            box = {"l": left, "t": top, "r": right, "b": bottom, "coord_origin": "BOTTOMLEFT"}
            return {"page_no": page, "bbox": box, "charspan": list(span)}

        cells = [("Item", 0, 0), ("Price", 0, 1), ("Pen", 1, 0), ("9.50", 1, 1)]
        top_left = {"l": 10, "t": 20, "r": 30, "b": 40, "coord_origin": "TOPLEFT"}
        content = {
            "schema_name": "DoclingDocument",
            "version": "1.3.0",
            "pages": {str(n): {"page_no": n, "size": {"width": 600, "height": 800}} for n in (1, 2)},
            "texts": [
                text("#/texts/0", "Invoice 7", place(1, 10, 790, 100, 780, 0, 9)),
                text(
                    "#/texts/1",
                    "runs on here",
                    place(1, 10, 20, 100, 10, 0, 8),
                    place(2, 10, 790, 50, 780, 8, 12),
                ),
                text("#/texts/2", "no place"),
            ],
            "groups": [
                {"self_ref": "#/groups/0", "children": [{"$ref": "#/texts/1"}, {"$ref": "#/texts/2"}]}
            ],
            "tables": [
                {
                    "prov": [place(1, 0, 400, 100, 300, 0, 0)],
                    "children": [],
                    "data": {
                        "table_cells": [
                            {
                                "text": t,
                                "start_row_offset_idx": r,
                                "start_col_offset_idx": c,
                                "bbox": top_left,
                            }
                            for t, r, c in cells
                        ]
                    },
                }
            ],
            "body": {"children": [{"$ref": "#/texts/0"}, {"$ref": "#/tables/0"}, {"$ref": "#/groups/0"}]},
        }
        return opened(json.dumps(content | changes), "file.json")

    def test_items_come_in_reading_order_with_their_boxes(self):
        document = self.document()
        assert document.kind == "docling"
        assert document.notes == ()
        assert document.text == "Invoice 7\nItem\tPrice\nPen\t9.50\nruns on here\nno place"
        assert document.boxes(2, 4) == [Box(0, 10, 10, 100, 20)]
        price = document.text.index("9.50")
        assert document.boxes(price, price + 4) == [Box(0, 10, 20, 30, 40)]
        runs = document.text.index("runs on")
        assert document.boxes(runs, runs + 12) == [Box(0, 10, 780, 100, 790), Box(1, 10, 10, 50, 20)]
        assert document.boxes(len(document.text) - 5, len(document.text)) == []
        assert document.boxes(0, 1, unit="page") == [Box(0, 10 / 600, 10 / 800, 100 / 600, 20 / 800)]

    def test_its_proof_shows_the_text_because_its_pages_cannot_be_drawn(self):
        document = self.document()
        assert not document.drawable
        with pytest.raises(InvalidDocument, match="no pages to draw"):
            document.image(0)
        page = proof([Entry("/number", "7", spans=((8, 9),))], document, title="", facts={})
        assert "Invoice" in page
        assert "data:image" not in page

    def test_a_cycle_of_references_ends(self):
        assert (
            self.document(body={"children": [{"$ref": "#/body"}, {"$ref": "#/texts/0"}]}).text == "Invoice 7"
        )
