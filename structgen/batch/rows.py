"""The rows of a batch: a document a file, or a text a row of a JSONL, CSV or Parquet file, read one at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from structgen.batch import parquet
from structgen.errors import InvalidDocument

JSONL, TABLES = (".jsonl", ".ndjson"), {".csv": ",", ".tsv": "\t"}
csv.field_size_limit(2**31 - 1)  # a cell may hold a whole document


@dataclass(frozen=True)
class BatchRow:
    """One document of a batch.

    source: the file, with #number for a line or record of it, counted from 1
    text: of a line or record; None if the document is the file itself; id: what the row is called by whoever wrote it
    error: what is wrong with the row, "" if nothing is
    """

    source: str
    text: str | None = None
    id: str | None = None
    error: str = ""

    def key(self, settings: str) -> str:
        """A digest of the document and of all that its answer depends on; equal for equal rows.

        settings: a digest of everything else
        """
        digest = sha256(settings.encode())
        content = self._content()
        digest.update(len(content).to_bytes(8, "little") + content)
        return digest.hexdigest()

    def _content(self) -> bytes:
        if self.error:
            return f"{self.source}\n{self.error}".encode("utf-8", "surrogatepass")
        if self.text is not None:
            return self.text.encode("utf-8", "surrogatepass")
        path = Path(self.source)
        try:
            return path.suffix.encode() + path.read_bytes()  # the ending says how a file is read
        except OSError:
            return self.source.encode("utf-8", "surrogatepass")


def rows(inputs: Sequence[str], *, text: str = "text", id: str | None = None) -> Iterator[BatchRow]:
    """The rows of files and folders, in order; folders are read with all that is below them, hidden files excepted.

    text, id: columns of JSONL, CSV and Parquet files; in a folder, files of these kinds are documents too
    Raises InvalidDocument if an input does not exist, or if a column is missing.
    """
    paths = [Path(name) for name in inputs]
    for path in paths:
        if not path.exists():
            raise InvalidDocument(f"{path} does not exist")
    for path in paths:
        if path.is_dir():
            files = (one for one in sorted(path.rglob("*")) if one.is_file())
            yield from (BatchRow(str(one)) for one in files if not _hidden(one.relative_to(path)))
        elif path.suffix.lower() in JSONL:
            yield from _lines(path, text, id)
        elif path.suffix.lower() in TABLES:
            yield from _records(path, TABLES[path.suffix.lower()], text, id)
        elif path.suffix.lower() == parquet.ENDING:
            columns = (text,) if id is None else (text, id)
            for number, record in enumerate(parquet.records(path, columns), 1):
                yield row_of(f"{path}#{number}", record, text, id)
        else:
            yield BatchRow(str(path))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def json_lines(path: Path, read: Callable[[str], Any] = json.loads) -> Iterator[tuple[str, Any, str]]:
    """The lines of a JSONL file: where each stands, its value, and what is wrong with it, "" if nothing is."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            source = f"{path}#{number}"
            try:
                yield source, read(line.decode("utf-8-sig" if number == 1 else "utf-8")), ""
            except UnicodeDecodeError as error:
                yield source, None, f"the line is not UTF-8, at its byte {error.start + 1}"
            except (ValueError, RecursionError) as error:
                yield source, None, f"the line is not JSON: {error}"


def _lines(path: Path, text: str, id: str | None) -> Iterator[BatchRow]:
    """The lines of a JSONL file; what is wrong with one concerns no other."""
    for source, value, error in json_lines(path):
        yield (
            BatchRow(source, error=f"InvalidDocument: {error}") if error else row_of(source, value, text, id)
        )


def _records(path: Path, comma: str, text: str, id: str | None) -> Iterator[BatchRow]:
    """The records of a CSV file with a header."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        table = csv.DictReader(file, delimiter=comma)
        names = list(table.fieldnames or ())
        for column in (text, *([] if id is None else [id])):
            if column not in names:
                known = ", ".join(names) or "none"
                raise InvalidDocument(f"{path} has no column {column!r}: its columns are {known}")
        for number, record in enumerate(table, 1):
            source = f"{path}#{number}"
            try:
                (record[text] or "").encode()
            except UnicodeEncodeError:
                yield BatchRow(
                    source, error=f"InvalidDocument: the column {text!r} of the record is not UTF-8"
                )
            else:
                yield row_of(source, record, text, id)


def row_of(source: str, value: object, text: str, id: str | None) -> BatchRow:
    """The row that a record is, with the columns `text` and `id`; what is wrong with it is the row's error."""
    if not isinstance(value, dict):
        return BatchRow(source, error="InvalidDocument: the line is no object")
    name = None if id is None or value.get(id) is None else str(value[id])
    found = value.get(text)
    if not isinstance(found, str):
        held = "nothing" if found is None else type(found).__name__
        return BatchRow(source, id=name, error=f"InvalidDocument: {text!r} must be a text, and is {held}")
    return BatchRow(source, found, name)
