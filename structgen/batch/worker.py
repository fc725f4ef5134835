"""What a row of a batch is answered with: a value and its warnings, or an error alone; a row raises nothing.

The rows of `structgen batch` and those of Ray have the same worker: equal rows have equal keys, seeds and answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structgen.batch.rows import BatchRow
from structgen.errors import InvalidSource, StructgenError, Unsupported
from structgen.generation.options import Options
from structgen.generation.plain import answer, json_line
from structgen.surface import PYTHON, Surface, standing_at

if TYPE_CHECKING:
    from structgen.model import Model

SEEDS = 2**32  # of rows, which their keys choose from
Asked = tuple[BatchRow, str]  # a row and its key
Line = dict[str, Any]


@dataclass(frozen=True)
class RowWorker:
    """How the rows of a batch are answered.

    spec: a type or a JSON Schema; terms: the options for reading it
    options: of decoding; its seed is added to that of each row, which comes from the row's key
    details: whether lines have the evidence, too; encoding: of the files of documents, None for what they declare
    together: rows in work at a time; surface: how messages spell options
    """

    spec: Any
    options: Options = field(default_factory=Options)
    terms: Mapping[str, Any] = field(default_factory=dict)
    details: bool = False
    encoding: str | None = None
    together: int = 4
    surface: Surface = PYTHON

    def settings(self, model: str | None) -> str:
        """A digest of all that answers depend on beside their documents; model: its name, None for the embedded one."""
        from structgen import __version__
        from structgen.sources import as_source

        wanted = getattr(as_source(self.spec), "schema", None)
        said = [__version__, model, wanted, repr(self.spec) if wanted is None else "", *astuple(self.options)]
        return sha256(json_line([*said, self.details, self.encoding, dict(self.terms)]).encode()).hexdigest()

    def lines(self, model: Model, rows: Iterable[Asked]) -> Iterator[tuple[Asked, Line]]:
        """The rows with their lines, as they are finished: those in work share the passes of the model."""
        from structgen.generation.batcher import Batcher
        from structgen.generation.flow import finished

        flying: dict[int, Asked] = {}

        def noted() -> Iterator[Asked]:
            for number, asked in enumerate(rows):
                flying[number] = asked
                yield asked

        shared = Batcher(model, self.together)
        for number, future in finished(shared, noted(), partial(_line, self), ordered=False):
            asked = flying.pop(number)
            yield asked, whole(asked, future.result())


def whole(asked: Asked, line: Line) -> Line:
    """The line of a row with what names it: its key, its source, and its id if it has one."""
    row, key = asked
    return {"key": key, "source": row.source, **({} if row.id is None else {"id": row.id}), **line}


def lost(asked: Asked) -> Line:
    """The line of a row whose process ended, each time that it was tried."""
    return whole(
        asked, {"error": "WorkerDied: the process that read this row ended, each time that it was tried"}
    )


def _line(worker: RowWorker, model: Model, asked: Asked) -> Line:
    """What a row is answered with: a value, its warnings and no error, or an error alone."""
    row, key = asked
    if row.error:
        return {"error": row.error}
    try:
        with standing_at(worker.surface):
            return {**_answered(worker, model, row, key), "error": ""}
    except StructgenError as error:
        pointer = error.pointer if isinstance(error, InvalidSource | Unsupported) else None
        return {"error": _sentence(error, str(error))} | ({"pointer": pointer} if pointer else {})
    except Exception as error:  # of one row of a million: the others go on
        return {"error": _sentence(error, f"internal error: {error}; please report it")}


def _answered(worker: RowWorker, model: Model, row: BatchRow, key: str) -> Line:
    from structgen.documents import Document
    from structgen.sources import Terms
    from structgen.verbs.extract import extract

    begun = time.perf_counter()
    file = Path(row.source)
    document = Document.open(file, encoding=worker.encoding) if row.text is None else Document(row.text)
    how = replace(worker.options, seed=(int(key[:8], 16) + worker.options.seed) % SEEDS)
    terms = Terms(**worker.terms)
    generation = extract(model, document, worker.spec, how, terms=terms, details=worker.details)
    return answer(generation, time.perf_counter() - begun, worker.details)


def _sentence(error: Exception, message: str) -> str:
    return f"{type(error).__name__}: {' '.join(message.split())}"
