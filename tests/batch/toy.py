"""A batch on a toy that answers at once: `python -m batch.toy INPUT OUTPUT [--resume]`, which tests kill."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from structgen.batch import BatchRow, Store, answered, rows
from structgen.batch.pool import Answering

SETTINGS = "toy"


def make() -> Answering[BatchRow, str]:
    """The number of characters; a row may ask its process to die, always or the first time."""
    return lambda rows: ((row, answer(row)) for row in rows)


def answer(row: BatchRow) -> str:
    text = row.text or ""
    if text == "die":
        os._exit(9)
    if text.startswith("die once "):
        mark = Path(text.removeprefix("die once "))
        if not mark.exists():
            mark.touch()
            os._exit(9)
    return str(len(text))


def refuses() -> Answering[BatchRow, str]:
    raise ValueError("no model of this name")


def lost(row: BatchRow) -> str:
    return "lost"


def main(source: str, output: str, resume: bool) -> None:
    store = Store(Path(output), SETTINGS, resume=resume)
    waiting = (row for row in rows([source]) if not store.answers(row.key(SETTINGS)))
    for row, found in answered(waiting, make, 1, lost):
        line = {"key": row.key(SETTINGS), "source": row.source, "value": found, "error": row.error}
        store.write(line, json.dumps(line))
        time.sleep(0.0005)
    store.finish()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], "--resume" in sys.argv)
