"""Copies of a document in a grammar: placeholders until the document is known, its pieces from then on."""

from __future__ import annotations

from structgen.errors import InvalidSource
from structgen.grammar import Expr, Grammar, Placeholder, Rewriting, Text, beyond_text, excerpt
from structgen.reading.copying import Copying
from structgen.sources.json_schema.strings import spell


def copies(grammar: Grammar) -> list[Placeholder]:
    """The placeholders of a grammar that copies from a document."""
    return [expr for expr in beyond_text(grammar) if isinstance(expr, Placeholder)]


def bound(grammar: Grammar, document: str) -> Grammar:
    """The grammar with the pieces of a document in the place of its placeholders. Raises InvalidSource."""
    check_document(document)
    found: dict[Expr, Expr] = {one: _filled(one, document) for one in copies(grammar)}
    if not found:
        return grammar
    rewrite = Rewriting(found)
    rules = {name: rewrite(rule) for name, rule in grammar.rules.items()}
    return Grammar(rewrite(grammar.start), rules, grammar.check, grammar.markup)


def _filled(one: Placeholder, document: str) -> Expr:
    copying = Copying(one.align, one.low, one.high, one.folded)  # type: ignore[arg-type]
    pieces = pieces_of(document, copying)
    return spell(pieces) if one.spelled else pieces


def pieces_of(document: str, copying: Copying) -> Expr:
    """The pieces of a document as an expression."""
    texts = [Text(one.text, one.begins, one.ends) for one in copying.readings(document)]
    return excerpt(texts, copying.low, copying.high)


def check_document(document: object) -> str:
    """The document; raises InvalidSource if it is no string, empty, or holds half of a surrogate pair."""
    if not isinstance(document, str):
        raise InvalidSource(f"a document to copy from is a string, not {type(document).__name__}")
    if not document:
        raise InvalidSource("the document to copy from is empty: there is nothing to copy")
    try:
        document.encode()
    except UnicodeEncodeError as error:
        line = document.count("\n", 0, error.start) + 1
        column = error.start - document.rfind("\n", 0, error.start)
        raise InvalidSource(
            f"line {line}, column {column} of the document: half of a surrogate pair is no character; "
            "decode the document with errors='replace'"
        ) from None
    return document
