"""HTML: the text that a browser would show, laid out by inscriptis."""

from __future__ import annotations

import re

from structgen.documents.charset import decoded
from structgen.documents.extras import needed
from structgen.documents.file import File
from structgen.documents.places import Contents
from structgen.errors import InvalidDocument

HEAD = 4096  # bytes in which a page declares its encoding; browsers look at 1,024
DECLARED = re.compile(
    rb"""<meta[^>]{,200}?charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{,200}?encoding\s*=\s*["']([\w.:-]+)""",
    re.I,
)

DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")  # lxml refuses a string that declares its encoding


def read_html(file: File, encoding: str | None = None) -> Contents:
    """The text of an HTML page."""
    found = DECLARED.search(file.content[:HEAD])
    declared = None if found is None else (found[1] or found[2]).decode("ascii", "replace")
    source = decoded(file.content, file.shown, encoding=encoding, declared=declared)
    return Contents(html_text(source, file.shown))


def html_text(source: str, shown: str) -> str:
    """The text of HTML, without white space at the end of lines."""
    engine = needed("inscriptis.html_engine", "documents", "HTML")
    html = needed("lxml.html", "documents", "HTML")
    try:
        # without huge_tree, lxml leaves out in silence whatever is nested more than 256 elements deep
        tree = html.document_fromstring(
            DECLARATION.sub("", source, count=1), parser=html.HTMLParser(huge_tree=True)
        )
        text = engine.Inscriptis(tree).get_text()
    except RecursionError:
        raise InvalidDocument(f"{shown} nests its elements too deeply: save it as text") from None
    except (ValueError, AssertionError, html.etree.LxmlError) as error:
        raise InvalidDocument(f"{shown} is broken HTML ({error}): save it as text") from None
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
