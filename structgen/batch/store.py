"""The lines that a batch has written: appended to FILE.part, which becomes FILE in the end.

A line is written in one piece, so a process that is killed leaves at most its last line unfinished; that line is cut
off by whoever goes on. Which rows have been answered is in the lines themselves: each has the key of its row.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from structgen.batch import parquet
from structgen.errors import InvalidOption

OLDER, FRESH = ".before", ".fresh"


@dataclass(frozen=True)
class LineForm:
    """What a batch reads in its own lines. key: of the row; failed: whether it is an error"""

    key: Callable[[Mapping[str, Any]], Any]
    failed: Callable[[Mapping[str, Any]], bool]


ANSWERS = LineForm(lambda line: line.get("key"), lambda line: bool(line.get("error")))


class Store:
    """A file of JSON lines that is being written.

    known: how many rows with each key have been answered; restarted: where the lines are that other settings wrote
    """

    def __init__(
        self,
        path: Path,
        settings: str,
        *,
        resume: bool = False,
        retry_errors: bool = False,
        spelled: Callable[[Any], str] = json.dumps,
        form: LineForm = ANSWERS,
    ) -> None:
        """settings: a digest of all that answers depend on beside their documents

        path: where the lines go in the end, as Parquet if it ends so; spelled: a value as JSON, for Parquet
        form: what is read in its lines
        resume: whether to go on where a file of this name ends; retry_errors: without the lines that are errors
        Raises InvalidOption if the file exists and is not to be gone on with, cannot be written, or has other lines.
        """
        self.path, self._part, self._note = path, _beside(path, ".part"), _beside(path, ".settings")
        self.known: Counter[str] = Counter()
        self.failed = self.written = 0
        self.restarted: Path | None = None
        self._form, self._spelled, self._parquet = form, spelled, path.suffix.lower() == parquet.ENDING
        try:
            self._take_up(settings, resume)
            if retry_errors and self._part.exists():
                self._keep(lambda line: not form.failed(line))
            self._read()
            self._file: BinaryIO = self._part.open("ab")
        except OSError as error:
            raise InvalidOption(f"{path} cannot be written: {error.strerror}") from None

    def answers(self, key: str) -> bool:
        """Whether one more row with this key has been answered already; each answer counts for one row."""
        if not self.known[key]:
            return False
        self.known[key] -= 1
        return True

    def write(self, line: Mapping[str, Any], text: str) -> None:
        """Append a line, whose JSON is `text`. Raises InvalidOption if the disk is full."""
        try:
            self._file.write(text.encode("utf-8", "backslashreplace") + b"\n")
            self._file.flush()
        except OSError as error:
            raise InvalidOption(
                f"{self._part} cannot be written: {error.strerror}; what it holds is kept, go on with --resume"
            ) from None
        self.written += 1
        self.failed += self._form.failed(line)

    def finish(self) -> None:
        """Give the file its name."""
        self._file.close()
        if not self._parquet:
            os.replace(self._part, self.path)
            return
        fresh = _beside(self.path, FRESH)
        try:
            found = (json.loads(raw, parse_float=Decimal) for raw, _ in self._lines())
            parquet.write(found, fresh, self._spelled)
            os.replace(fresh, self.path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise InvalidOption(
                f"{self.path} cannot be written: {error.strerror or error}; the lines are kept, go on with --resume"
            ) from None
        self._part.unlink()

    def close(self) -> None:
        """Leave the file as it is, to be gone on with."""
        with suppress(OSError):  # of a disk that is full, which has been said
            self._file.close()

    def _take_up(self, settings: str, resume: bool) -> None:
        existing = [one for one in (self.path, self._part) if one.exists()]
        if existing and not resume:
            raise InvalidOption(f"{existing[0]} exists: pass --resume to go on with it, or remove it")
        if existing and self._settings() != settings:
            self.restarted = _beside(self.path, OLDER)
            for one in existing:
                os.replace(one, self.restarted)
        elif self.path in existing and self._part not in existing:
            self._reopen()
        self._note.write_text(settings + "\n")

    def _reopen(self) -> None:
        """Make the part of a file that was finished."""
        if not self._parquet:
            os.replace(self.path, self._part)
            return
        fresh = _beside(self.path, FRESH)
        with fresh.open("w", encoding="utf-8", errors="backslashreplace") as new:
            new.writelines(self._spelled(line) + "\n" for line in parquet.lines(self.path))
        os.replace(fresh, self._part)

    def _settings(self) -> str:
        return self._note.read_text().strip() if self._note.exists() else ""

    def _keep(self, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Write the file anew with the lines that are wanted."""
        fresh = _beside(self.path, FRESH)
        with fresh.open("wb") as new:
            new.writelines(raw for raw, line in self._lines() if wanted(line))
        os.replace(fresh, self._part)

    def _read(self) -> None:
        """Count the rows that have been answered, and cut off a line that was not finished."""
        if not self._part.exists():
            return
        good = 0
        for raw, line in self._lines():
            good += len(raw)
            self.known[self._form.key(line)] += 1
            self.written += 1
            self.failed += self._form.failed(line)
        os.truncate(self._part, good)

    def _lines(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """The lines of the file, as they stand and as JSON, without one that was not finished."""
        with self._part.open("rb") as file:
            for number, raw in enumerate(file, 1):
                line = self._line(raw)
                if line is not None:
                    yield raw, line
                elif raw.endswith(b"\n"):
                    raise InvalidOption(
                        f"line {number} of {self._part} is none that a batch has written: mend or remove it, and go on"
                    )

    def _line(self, raw: bytes) -> dict[str, Any] | None:
        """A line of the file; None if it is not a whole one."""
        try:
            line = json.loads(raw) if raw.endswith(b"\n") else None
        except ValueError:
            return None
        return line if isinstance(line, dict) and isinstance(self._form.key(line), str) else None


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
