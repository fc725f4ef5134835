"""Parquet files of a batch: texts from one of their columns, and answers into columns that always have one type.

`value` and `details` are JSON, since the values of a batch need not have one form; `error` is a text in every row, ""
where there is none, because a column without any text in its first rows would get another type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from structgen.documents.extras import needed
from structgen.errors import InvalidDocument

ENDING = ".parquet"
TEXTS = (
    "key",
    "source",
    "id",
    "value",
    "error",
    "pointer",
    "details",
)  # columns of texts; value, details: JSON
TOGETHER = 1024  # rows that are read or written at a time


def records(path: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of a file, reduced to these columns. Raises InvalidDocument if one is missing, or it is no such file."""
    arrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            for column in columns:
                if column not in names:
                    known = ", ".join(names) or "none"
                    raise InvalidDocument(f"{path} has no column {column!r}: its columns are {known}")
            for part in file.iter_batches(TOGETHER, columns=list(columns)):
                yield from part.to_pylist()
    except (arrow.ArrowException, OSError) as error:
        raise InvalidDocument(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from None


def write(given: Iterable[dict[str, Any]], path: Path, spelled: Callable[[Any], str]) -> None:
    """Write the lines of a batch as a file; spelled: a value as JSON. Raises OSError if it cannot be written."""
    arrow, parquet = _pyarrow()
    schema = schema_of(arrow)
    with parquet.ParquetWriter(path, schema) as writer:
        some: list[dict[str, Any]] = []
        for line in given:
            some.append(columns(line, spelled))
            if len(some) == TOGETHER:
                writer.write_table(arrow.Table.from_pylist(some, schema))
                some = []
        writer.write_table(arrow.Table.from_pylist(some, schema))


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines that `write` was given."""
    for row in records(path, (*TEXTS, "warnings")):
        value, details = row.pop("value"), row.pop("details")
        line = {name: held for name, held in row.items() if held is not None}
        yield (
            line
            | ({} if value is None else {"value": json.loads(value, parse_float=Decimal)})
            | ({} if details is None else json.loads(details, parse_float=Decimal))
        )


def schema_of(arrow: Any) -> Any:
    """The types of all columns. arrow: the module pyarrow"""
    fields = [(name, arrow.string()) for name in TEXTS]
    return arrow.schema([*fields, ("warnings", arrow.list_(arrow.string()))])


def columns(line: dict[str, Any], spelled: Callable[[Any], str]) -> dict[str, Any]:
    """The line by columns; what has none goes into the details."""
    known = {"error": "", **{name: line[name] for name in (*TEXTS, "warnings") if name in line}}
    if "value" in line:
        known["value"] = spelled(line["value"])
    rest = {name: held for name, held in line.items() if name not in known}
    return known | ({"details": spelled(rest)} if rest else {})


def _pyarrow() -> tuple[Any, Any]:
    return needed("pyarrow", "parquet", "Parquet"), needed("pyarrow.parquet", "parquet", "Parquet")
