"""Batches that are killed at random moments: every row once in the end, and little computed twice; and peak memory.

The judge is the id of each row, which the input has once; it knows nothing of keys.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import material
from batch.command import STARTS

SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "integer", "minimum": 0, "maximum": 99}},
    "required": ["number"],
}
FEW = 100  # rows of the run whose memory is compared
TOGETHER = 4  # rows in work at a time
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Killed:
    """What a batch that was killed came to.

    missing, repeated: ids of the input; again: rows that were begun again; most: after one kill
    """

    rows: int
    kills: int
    missing: int
    repeated: int
    again: int
    most: int


def written(path: Path, rows: int) -> Path:
    """An input file with this many rows, a hundredth of which have the text of another."""
    chance = random.Random(rows)
    texts = [
        f"order {k if chance.random() > 0.01 else k // 2}: {chance.randrange(99)} pieces" for k in range(rows)
    ]
    path.write_text("".join(json.dumps({"id": k, "text": text}) + "\n" for k, text in enumerate(texts)))
    return path


def command(source: Path, out: Path, *, embedded: bool) -> list[str]:
    """The command line of a batch."""
    schema = out.with_name("schema.json")
    schema.write_text(json.dumps(SCHEMA))
    given = [str(source), "-s", str(schema), "-o", str(out), "--id-column", "id", "--rows", str(TOGETHER)]
    return [
        sys.executable,
        "-m",
        "batch.command",
        "batch",
        *given,
        *(["--embedded"] if embedded else ["--steps", "1"]),
    ]


def killed(folder: Path, rows: int, kills: int, *, embedded: bool, seed: int = 0) -> Killed:
    """Run a batch in a folder, kill it at so many random moments, and count what it has written in the end."""
    source, out, starts = written(folder / "rows.jsonl", rows), folder / "out.jsonl", folder / "starts"
    run, part = command(source, out, embedded=embedded), folder / "out.jsonl.part"
    starts.touch()
    chance, most = random.Random(seed), 0
    for kill in range(kills):
        before, begun = _lines(part), _lines(starts)
        process = subprocess.Popen(
            [*run, *(["--resume"] if kill else [])], cwd=TESTS, env=_environment(starts)
        )
        goal = before + chance.randrange(1, max(2, rows // (kills + 1)))
        while process.poll() is None and _lines(part) < goal:
            time.sleep(chance.uniform(0.001, 0.05))
        process.send_signal(signal.SIGKILL)
        process.wait()
        most = max(most, (_lines(starts) - begun) - (_lines(part) - before))  # begun, and not written
    subprocess.run([*run, "--resume"], cwd=TESTS, env=_environment(starts), check=True)
    ids = Counter(json.loads(line)["id"] for line in out.read_text().splitlines())
    begun = _lines(starts)
    return Killed(
        rows,
        kills,
        sum(str(k) not in ids for k in range(rows)),
        sum(count - 1 for count in ids.values()),
        begun - rows,
        most,
    )


def peak(folder: Path, rows: int, *, embedded: bool = False) -> float:
    """The peak memory of a whole batch, in MB."""
    folder.mkdir()
    run = command(written(folder / "rows.jsonl", rows), folder / "out.jsonl", embedded=embedded)
    process = subprocess.Popen(run, cwd=TESTS, env=_environment(None), stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"the batch of {rows} rows ended with status {status}")
    return used.ru_maxrss / 1024


def _lines(path: Path) -> int:
    """The whole lines of a file."""
    return path.read_bytes().count(b"\n") if path.exists() else 0


def _environment(starts: Path | None) -> dict[str, str]:
    paths = os.pathsep.join(map(str, (material.ROOT, material.ROOT / "engine", TESTS)))
    noting = {} if starts is None else {STARTS: str(starts)}
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **noting}
