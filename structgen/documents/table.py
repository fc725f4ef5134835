"""CSV: the text as it stands; where cells are quoted, without the quotes that hide their values."""

from __future__ import annotations

import csv
from io import StringIO

from structgen.documents.charset import decoded
from structgen.documents.file import File
from structgen.documents.places import Contents

DELIMITERS = ",;\t|"
SAMPLE = 1 << 16  # characters that show the delimiter


def read_csv(file: File, encoding: str | None = None) -> Contents:
    """The rows of a CSV file, one a line."""
    return Contents(unquoted(decoded(file.content, file.shown, encoding=encoding)))


def unquoted(text: str) -> str:
    """The same table with every cell as its value; with tabs between the cells if a value holds the delimiter.

    A text without quotes, or that is not a table, is returned as it is.
    """
    if '"' not in text:
        return text
    try:
        dialect = csv.Sniffer().sniff(text[:SAMPLE], DELIMITERS)
        rows = [[" ".join(cell.split()) for cell in row] for row in csv.reader(StringIO(text), dialect)]
    except csv.Error:
        return text
    held = any(dialect.delimiter in cell for row in rows for cell in row)
    return "\n".join(("\t" if held else dialect.delimiter).join(row) for row in rows)
