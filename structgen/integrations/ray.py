"""Ray Data: the rows of a data set, answered by a pool of actors as `structgen batch` answers them.

    from structgen.integrations.ray import extract

    answers = extract(ray.data.read_parquet("bills/"), Invoice, text_column="body", checkpoint="/shared/checkpoint")
    answers.write_parquet("answers/")

Keys, seeds and errors are those of `structgen batch`: a row has the same value there, here, and in any block of any
actor, so a block that is computed again, because an actor was killed, has the same rows.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from structgen.batch.parquet import columns, schema_of
from structgen.batch.rows import BatchRow, row_of
from structgen.batch.worker import RowWorker
from structgen.errors import InvalidOption, MissingExtra
from structgen.generation.plain import json_line
from structgen.verbs.how import JSON, ExtractOptions, options_of

if TYPE_CHECKING:
    from structgen.model import Model

ADDED = ("key", "value", "warnings", "error", "pointer", "details")  # columns of an answer
OTHERS = 1  # CPUs that Ray's own tasks need, which read and write
FILTERS = 1  # CPUs of the actor that leaves out what a checkpoint has
KEY_COLUMN = "key"


def extract(
    ds: Any,
    schema: object,
    *,
    text_column: str = "text",
    model: str | Callable[[], Model] | None = None,
    actors: int | tuple[int, int] | None = None,
    num_cpus: float = 0.5,
    num_gpus: float = 0.0,
    rows: int = 4,
    block: int = 32,
    details: bool = False,
    checkpoint: str | Path | None = None,
    id_column: str | None = None,
    **how: Unpack[ExtractOptions],
) -> Any:
    """The data set with what the schema asks for in columns of its own: key, value, warnings, error, pointer, details.

    value and details are JSON, so that their numbers keep all digits and no column's type depends on a row; error is
    always a text, "" if there is none.

    model: what `sg.load` takes, None for the embedded model, or a function that loads one in the actor
    actors: how many, or the least and the most of a pool that grows; None for as many as the cluster has room for
    num_cpus, num_gpus: of each actor; rows: in work at a time in each of them
    block: rows that an actor takes at a time: larger blocks of the data set are cut, so that one file keeps all busy
    checkpoint: a folder that the whole cluster sees, where the rows are noted that have been written: a later run
        leaves them out; with other settings it is another one. It works from a `read_…` to a `write_…`
    id_column: the column by which rows are noted there, whose values differ; None for the keys, so that of rows with
        equal texts only the number is right
    how: the options of `Model.extract`

    Raises InvalidOption if a column is missing or would be there twice. Warns if the actors leave no CPU to the tasks
    that read and write, because then Ray waits for ever, and says nothing.
    """
    data = _module("ray.data")
    least, most = _pool(actors, num_cpus, num_gpus)
    _check_columns(ds, text_column, id_column)
    _warn_of_waiting(least * num_cpus, checkpoint is not None)
    worker = _worker(schema, rows, details, how)
    name = model if isinstance(model, str | None) else f"{model.__module__}.{model.__qualname__}"
    settings = worker.settings(name)
    given = {"model": model, "worker": worker, "settings": settings, "text": text_column}
    answers = ds.repartition(target_num_rows_per_block=block).map_batches(
        RowActor,
        fn_constructor_kwargs=given,
        batch_size=block,
        batch_format="pyarrow",
        zero_copy_batch=True,
        compute=data.ActorPoolStrategy(min_size=least, max_size=most),
        num_cpus=num_cpus,
        num_gpus=num_gpus or None,
        udf_modifying_row_count=False,
    )
    if checkpoint is not None:
        answers.context.checkpoint_config = _checkpoint(checkpoint, settings, text_column, id_column)
    return answers


class RowActor:
    """The worker of a batch as an actor of Ray, which loads the model once and answers tables."""

    def __init__(
        self, *, model: str | Callable[[], Model] | None, worker: RowWorker, settings: str, text: str
    ) -> None:
        from structgen.models.load import load

        self._model = load(model) if isinstance(model, str | None) else model()
        self._worker, self._settings, self._text = worker, settings, text

    def __call__(self, table: Any) -> Any:
        """The table with the columns of its answers."""
        asked = [(row, row.key(self._settings)) for row in _rows(table, self._text)]
        places = {id(one): at for at, one in enumerate(asked)}  # rows may be equal
        lines: list[dict[str, Any]] = [{}] * len(asked)
        for one, line in self._worker.lines(self._model, asked):
            lines[places[id(one)]] = columns(line, json_line)
        arrow = _module("pyarrow")
        answers = arrow.Table.from_pylist(lines, schema_of(arrow))
        for name in ADDED:
            table = table.append_column(name, answers.column(name))
        return table


def _rows(table: Any, text: str) -> Sequence[BatchRow]:
    if text not in table.column_names:
        raise InvalidOption(f"there is no column {text!r}: the columns are {', '.join(table.column_names)}")
    return [row_of("", {text: held}, text, None) for held in table.column(text).to_pylist()]


def _worker(schema: object, rows: int, details: bool, how: Any) -> RowWorker:
    from dataclasses import replace

    given: Any = dict(how)
    partial_lists = given.pop("partial", False)
    options, _ = options_of(given)
    terms = {name: given[name] for name in JSON if given.get(name) is not None}
    return RowWorker(schema, replace(options, partial=partial_lists), terms, details, together=rows)


def _pool(actors: int | tuple[int, int] | None, num_cpus: float, num_gpus: float) -> tuple[int, int]:
    """The least and the most actors."""
    if isinstance(actors, tuple):
        return actors
    if actors is not None:
        return actors, actors
    found = _resources()
    if num_gpus:
        return 1, max(1, math.floor(found.get("GPU", 0) / num_gpus))
    return 1, max(1, math.floor(found.get("CPU", 0)) - OTHERS)  # an actor is busy on a whole core


def _resources() -> dict[str, float]:
    """What the cluster has."""
    ray = _module("ray")
    return ray.cluster_resources() if ray.is_initialized() else {}


def _check_columns(ds: Any, text: str, id: str | None) -> None:
    """Raise InvalidOption for columns that are missing or would be there twice, if Ray knows the columns already."""
    schema = ds.schema(fetch_if_missing=False)
    if schema is None:
        return
    names = list(schema.names)
    for column in (text, *([] if id is None else [id])):
        if column not in names:
            raise InvalidOption(f"there is no column {column!r}: the columns are {', '.join(names)}")
    for column in ADDED:
        if column in names:
            raise InvalidOption(f"there is a column {column!r}, which the answers need: rename it before")


def _warn_of_waiting(taken: float, noted: bool) -> None:
    """Warn if the cluster has no CPU for the tasks that read and write beside the actors, which take so many CPUs."""
    cpus, others = _resources().get("CPU"), OTHERS + FILTERS * noted
    if cpus is not None and cpus - taken < others:
        warnings.warn(
            f"the actors take {taken:g} of the cluster's {cpus:g} CPUs, and Ray needs {others} beside them to read"
            f"{', to filter' if noted else ''} and to write: unless the cluster grows, the job waits for ever; take "
            "fewer actors, a smaller num_cpus, or ray.init(num_cpus=…)",
            stacklevel=3,
        )


def _checkpoint(folder: str | Path, settings: str, text: str, id: str | None) -> Any:
    """Ray's configuration of a checkpoint; rows are noted by their ids, or else by their keys."""
    try:
        ray = importlib.import_module("ray.data.checkpoint")
        config, base = ray.CheckpointConfig, ray.CheckpointFilter
    except (ImportError, AttributeError):
        raise InvalidOption("this version of Ray has no checkpoints: pip install 'ray[data]>=2.60'") from None
    place = str(folder) if "://" in str(folder) else Path(folder).absolute().as_posix()
    place = f"{place.rstrip('/')}/{settings[:16]}"
    kept = {"checkpoint_path": place, "delete_checkpoint_on_success": False}
    if id is not None:
        return config(id, **kept)
    made = config(KEY_COLUMN, **kept, checkpoint_filter_cls=_key_filter(base, settings, text))
    made.checkpoint_actor_pool_max_size = 1  # it counts
    return made


def _key_filter(base: Any, settings: str, text: str) -> Any:
    """A filter of Ray's that leaves out as many rows of each key as have been written."""

    class KeyFilter(base):
        def __init__(self, config: Any, noted: Any) -> None:
            super().__init__(config, noted)
            self._known = Counter(_module("ray").get(noted).tolist())

        def filter_rows_for_block(self, block: Any) -> Any:
            return block.filter(_module("pyarrow").array([self._new(row) for row in _rows(block, text)]))

        def _new(self, row: BatchRow) -> bool:
            key = row.key(settings)
            self._known[key] -= 1
            return self._known[key] < 0

    return KeyFilter


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = (error.name or name).partition(".")[0]
        raise MissingExtra(f"Ray Data needs {package}: pip install 'structgen-dlm[ray]'") from None
