"""`structgen report`: what `structgen extract` printed, as one page or in the form of an annotation tool."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from structgen.cli.document import STDIN
from structgen.cli.failure import SOME_FAILED, Misuse, warn, write_file
from structgen.cli.options import Encoding
from structgen.errors import StructgenError
from structgen.generation.plain import digest, json_text, json_value

if TYPE_CHECKING:
    from structgen.documents import Document
    from structgen.report.proof import Entry, Exhibit


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    LABEL_STUDIO = "label-studio"
    W3C = "w3c"


class Units(StrEnum):
    """What offsets count."""

    CODE_POINTS = "code-points"
    UTF_16 = "utf-16"


@dataclass(frozen=True, eq=False)
class _Line:
    """What one line of the results says of one document; `missing` says why the document is not there."""

    name: str
    rows: list[Entry]
    document: Document | None
    missing: str
    failure: str

    @property
    def exhibit(self) -> Exhibit:
        from structgen.report.proof import Exhibit

        return Exhibit(self.name, self.rows, self.document, missing=self.missing, failure=self.failure)


def report_command(
    results: Annotated[
        str,
        typer.Argument(
            metavar="RESULTS",
            help="What `structgen extract --details` printed, or - for stdin.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write; stdout if none.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="A page, or a file for an annotation tool.")
    ] = Format.HTML,
    offsets: Annotated[
        Units, typer.Option(help="What offsets count; readers that run in a browser may want utf-16.")
    ] = Units.CODE_POINTS,
    encoding: Encoding = None,
) -> None:
    """Show results of several documents on one page, or export them to Label Studio or as Web Annotations.

    The documents are read again, from the names in the results, as seen from here or from the folder of the results.
    """
    folder = Path.cwd() if results == STDIN else Path(results).parent
    lines = [_line(number, row, folder, encoding) for number, row in _rows(results)]
    if not lines:
        raise Misuse(f"{_named(results)} holds no result")
    text = _page(lines, results) if form is Format.HTML else _export(lines, form, offsets)
    if output is None:
        sys.stdout.write(text)
    else:
        write_file(output, text)
    if any(line.failure for line in lines):
        raise typer.Exit(SOME_FAILED)


def _named(results: str) -> str:
    return "stdin" if results == STDIN else results


def _rows(results: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The results with the lines that they begin in: one on each line, or a single one over several lines.

    The value is JSON text with all digits of its numbers.
    """
    try:
        raw = sys.stdin.buffer.read() if results == STDIN else Path(results).read_bytes()
        text = raw.decode()
    except OSError as error:
        raise Misuse(f"cannot read {results}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise Misuse(f"{_named(results)} is not UTF-8 (byte {error.start})") from None
    try:
        json.loads(text)
        found = [(1, text)]
    except ValueError:
        found = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, line in found:
        row = _parsed(line, number, results)
        if not isinstance(row, dict) or not {"value", "error"} & row.keys():
            raise Misuse(
                f"line {number} of {_named(results)} is no result: it has neither a value nor an error; "
                "RESULTS is what `structgen extract --details` prints"
            )
        yield number, row | ({"value": json_text(json_value(line)["value"])} if "value" in row else {})


def _parsed(line: str, number: int, results: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise Misuse(f"line {number} of {_named(results)} is not JSON: {error}") from None


def _line(number: int, row: Mapping[str, Any], folder: Path, encoding: str | None) -> _Line:
    from structgen.generation.result import Evidence, entries

    name = str(row.get("document", f"result {number}"))
    if "error" in row:
        return _Line(name, [], None, "", str(row["error"]))
    details = row.get("details", {})
    try:
        evidence = Evidence.from_dict(details) if details else Evidence()
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Misuse(
            f"the details in line {number} are not those that `structgen extract --details` prints"
        ) from None
    document, missing = _document(row, details, folder, encoding)
    rows = entries(row["value"], evidence)
    if document is not None and any(not _inside(one, document) for one in rows):
        raise Misuse(f"the details in line {number} name places outside the document {name}")
    return _Line(name, rows, document, missing, "")


def _inside(row: Entry, document: Document) -> bool:
    return all(0 <= start <= end <= len(document.text) for start, end in row.spans)


def _document(
    row: Mapping[str, Any], details: Mapping[str, Any], folder: Path, encoding: str | None
) -> tuple[Document | None, str]:
    """The document that a result is from, if it is as it was; else why it is not shown."""
    from structgen.documents import Document

    if "document" not in row:
        return None, "The result does not name its document."
    name = str(row["document"])
    for path in (Path(name), folder / name):
        if path.is_file():
            break
    else:
        return None, f"There is no file {name} here."
    try:
        document = Document.open(path, encoding=encoding)
    except StructgenError as error:
        return None, f"{name} can no longer be read: {error}"
    if details.get("document_sha256") not in (None, digest(document.text)):
        return None, f"{name} has changed since, so that the places of the values are not known."
    return document, ""


def _page(lines: list[_Line], results: str) -> str:
    from structgen.report.proof import report

    return report([line.exhibit for line in lines], title=_named(results))


def _export(lines: list[_Line], form: Format, offsets: Units) -> str:
    from structgen.report.export import export

    name = "w3c" if form is Format.W3C else "label-studio"
    found: list[Any] = []
    for line in lines:
        text = None if line.document is None else line.document.text
        if line.failure:
            warn(f"{line.name} is left out: {line.failure}")
        else:
            found += export(name, line.rows, text, name=line.name, unit=offsets.value)
    return json_text(found) + "\n"
