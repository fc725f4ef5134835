"""The same blocks as text, HTML, e-mail, Word document and PDF."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import EmailMessage
from html import escape
from io import BytesIO
from typing import Any

from papers.facts import Fact
from papers.layouts import Block, Line
from papers.sheets import BLACK, LEADING, Colour, Sheets, turned

COLOURS: Sequence[Colour] = (
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (255, 0, 255),
    (255, 128, 0),
    (0, 255, 255),
    (0, 128, 255),
    (128, 0, 255),
)
CHARSETS = {
    "en": ("utf-8", "iso-8859-15", "utf-16"),
    "de": ("utf-8", "windows-1252", "iso-8859-15"),
    "zh": ("utf-8", "gb18030", "gb2312"),
}
INDENT = 20  # points


def plain(line: Line) -> str:
    return "".join(part.value if isinstance(part, Fact) else part for part in line)


def mixed(draw: random.Random, blocks: Sequence[Block], padding: Sequence[str]) -> list[Block]:
    """The blocks in their order, with the paragraphs of the padding between them at random."""
    places = sorted(draw.randrange(len(blocks) + 1) for _ in padding)
    found = list(blocks)
    for place, text in zip(reversed(places), padding, strict=True):
        found.insert(place, Block([[text]]))
    return found


def rows(block: Block) -> Iterator[Sequence[Line]]:
    for at in range(0, len(block.lines), block.columns):
        yield block.lines[at : at + block.columns]


def as_lines(blocks: Sequence[Block]) -> str:
    """Plain text: tables with bars, lists with hyphens."""
    found = []
    for block in blocks:
        if block.form == "table":
            found += [" | ".join(map(plain, row)) for row in rows(block)]
        else:
            found += [("- " if block.form == "list" else "") + plain(line) for line in block.lines]
        found.append("")
    return "\n".join(found)


def text(draw: random.Random, language: str, blocks: Sequence[Block], padding: Sequence[str]) -> bytes:
    """UTF-8, or UTF-16 with its mark."""
    return as_lines(mixed(draw, blocks, padding)).encode(draw.choice(("utf-8", "utf-8-sig", "utf-16")))


def as_html(draw: random.Random, blocks: Sequence[Block]) -> str:
    def spelled(line: Line) -> str:
        marked = draw.choice(("{}", "<b>{}</b>", "<span class=v>{}</span>"))
        return "".join(
            marked.format(escape(part.value)) if isinstance(part, Fact) else escape(part) for part in line
        )

    found = []
    for block in blocks:
        if block.form == "table":
            cells = ["".join(f"<td>{spelled(cell)}</td>" for cell in row) for row in rows(block)]
            found.append(f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>")
        elif block.form == "list":
            found.append(f"<ul>{''.join(f'<li>{spelled(line)}</li>' for line in block.lines)}</ul>")
        else:
            tag = "h2" if block.form == "title" else "p"
            found += [f"<{tag}>{spelled(line)}</{tag}>" for line in block.lines]
    return "\n".join(found)


def html(draw: random.Random, language: str, blocks: Sequence[Block], padding: Sequence[str]) -> bytes:
    """A page that declares its encoding."""
    charset = draw.choice(CHARSETS[language])
    body = as_html(draw, mixed(draw, blocks, padding))
    head = f'<meta charset="{charset}"><style>b {{ color: red }}</style>'
    page = f"<!DOCTYPE html>\n<html><head>{head}</head><body>{body}</body></html>"
    return page.encode(charset, "xmlcharrefreplace")


def email(draw: random.Random, language: str, blocks: Sequence[Block], padding: Sequence[str]) -> bytes:
    """Plain text, HTML, or both."""
    message, whole = EmailMessage(), mixed(draw, blocks, padding)
    message["From"], message["To"] = "Büro <buero@sender.example>", "you@receiver.example"
    message["Subject"] = {"en": "Your papers", "de": "Ihre Unterlagen für Sie", "zh": "您的文件"}[language]
    charset = "utf-8" if language == "zh" else draw.choice(("utf-8", "iso-8859-15"))
    form = draw.choice(("plain", "html", "both"))
    if form != "html":
        message.set_content(as_lines(whole), charset=charset, cte=draw.choice(("base64", "quoted-printable")))
    if form == "html":
        message.set_content(as_html(draw, whole), subtype="html", charset=charset)
    if form == "both":
        message.add_alternative("<p>see the other part</p>", subtype="html")
    return message.as_bytes()


def docx(draw: random.Random, language: str, blocks: Sequence[Block], padding: Sequence[str]) -> bytes:
    """Runs as a word processor leaves them: values in pieces."""
    import docx as word

    def fill(paragraph: Any, line: Line) -> None:
        for part in line:
            value = part.value if isinstance(part, Fact) else part
            cut = draw.randrange(len(value) + 1) if isinstance(part, Fact) else len(value)
            paragraph.add_run(value[:cut]).bold = isinstance(part, Fact)
            paragraph.add_run(value[cut:])

    document, out = word.Document(), BytesIO()
    for block in mixed(draw, blocks, padding):
        if block.form == "table":
            found = list(rows(block))
            grid = document.add_table(len(found), block.columns)
            for at, row in enumerate(found):
                for column, cell in enumerate(row):
                    fill(grid.cell(at, column).paragraphs[0], cell)
        else:
            style = {"title": "Heading 2", "list": "List Bullet"}.get(block.form)
            for line in block.lines:
                fill(document.add_paragraph(style=style), line)
    document.save(out)
    return out.getvalue()


def pdf(draw: random.Random, language: str, blocks: Sequence[Block], padding: Sequence[str]) -> bytes:
    """Pages with an embedded font; every value in a colour of its own; one in four is turned."""
    sheets = Sheets(by_character=language == "zh")
    order = [part for block in blocks for line in block.lines for part in line if isinstance(part, Fact)]
    colours = dict(zip(order, COLOURS, strict=False))

    def parts(line: Line) -> list[tuple[str, Colour]]:
        return [(part.value, colours[part]) if isinstance(part, Fact) else (part, BLACK) for part in line]

    for block in mixed(draw, blocks, padding):
        if block.form == "table":
            for row in rows(block):
                sheets.cells([parts(cell) for cell in row])
        else:
            for line in block.lines:
                listed = block.form == "list"
                sheets.line(*(["• "] if listed else []), *parts(line), indent=INDENT * listed)
        sheets.y += LEADING / 2
    content = sheets.bytes()
    return turned(content, draw.choice((90, 180, 270))) if draw.random() < 0.25 else content


WRITERS: Mapping[str, Callable[[random.Random, str, Sequence[Block], Sequence[str]], bytes]] = {
    "pdf": pdf,
    "docx": docx,
    "html": html,
    "email": email,
    "text": text,
}
