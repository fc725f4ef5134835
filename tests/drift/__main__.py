"""Run the tests of host runtimes on the newest releases, and print what broke.

    make drift                                       in .venv-drift, made anew, with torch as locked
    PYTHONPATH=tests python -m drift --torch torch   with the newest torch too: several GB on Linux

The library declares wide lower bounds, and set-ups install what the locks say. This run shows in time which new release
needs an upper bound or an adaptation. Upper bounds of the extras are left out on purpose.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Column, Table

ROOT = Path(__file__).parents[2]
LOCK = ROOT / ".ci" / "locks" / "test.txt"
HOSTS = ("tests/integrations", "tests/models", "tests/engine", "tests/sources", "tests/cli/test_start.py")
WIDTH = 140  # columns at least: the names of files are long
SHOWN = 160  # characters of a failure


@dataclass(frozen=True)
class Outcome:
    """The tests of one file: how many passed, failed and were skipped, and the first failure or reason."""

    file: str
    passed: int
    failed: int
    skipped: int
    first: str


def main() -> int:
    """Exit status 1 if anything failed."""
    options = _options()
    python = _environment(options.environment, options.torch)
    table = Table("package", "in the lock", "newest")
    for name, locked, newest in _versions(python):
        table.add_row(name, locked, newest, style=None if locked == newest else "yellow")
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table)
    outcomes = list(_outcomes(python, options.tests or HOSTS))
    table = Table(
        Column("tests", no_wrap=True), "passed", "failed", "skipped", "first failure, or why skipped"
    )
    for one in outcomes:
        table.add_row(one.file, str(one.passed), str(one.failed), str(one.skipped), one.first)
    console.print(table)
    return int(not outcomes or any(one.failed for one in outcomes))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="drift", description=__doc__.partition("\n")[0])
    parser.add_argument("tests", nargs="*", help=f"files or folders of tests; {' '.join(HOSTS)} by default")
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv-drift", help="made anew")
    parser.add_argument("--torch", default=_locked()["torch"], help="a requirement; the lock's by default")
    return parser.parse_args()


def _environment(folder: Path, torch: str) -> Path:
    """The interpreter of a new environment with the newest of everything but torch."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, torch], check=True)
    subprocess.run([*pip, "--upgrade", torch, *_unbounded()], check=True)
    subprocess.run([*pip, "--no-deps", "--editable", ROOT], check=True)
    return python


def _unbounded() -> list[str]:
    """What the project and its tests need, without upper bounds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return [re.sub(r",<[^,;]*", "", requirement) for requirement in needed]


def _locked() -> dict[str, str]:
    """The requirement of each package that the lock has for this Python, by name."""
    pins = [Requirement(line) for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    return {pin.name: f"{pin.name}{pin.specifier}" for pin in pins if not pin.marker or pin.marker.evaluate()}


def _versions(python: Path) -> Iterator[tuple[str, str, str]]:
    """Name, version in the lock and newest version of what the project names itself."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True
    )
    installed = {_normal(one["name"]): one["version"] for one in json.loads(listed.stdout)}
    locked = {_normal(name): pin.partition("==")[2] for name, pin in _locked().items()}
    for requirement in _unbounded():
        name = re.match(r"[A-Za-z0-9_.-]+", requirement)
        if name and _normal(name[0]) in installed:
            yield name[0], locked.get(_normal(name[0]), "–"), installed[_normal(name[0])].partition("+")[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _outcomes(python: Path, tests: tuple[str, ...]) -> Iterator[Outcome]:
    """The tests of each file, run in the environment."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [python, "-m", "pytest", "--numprocesses", "2", f"--junitxml={report}", *tests]
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        cases = list(xml.parse(report).iter("testcase")) if report.exists() else []
    by_file: dict[str, list[xml.Element]] = {}
    for case in cases:
        by_file.setdefault(_file(case), []).append(case)
    for file, found in sorted(by_file.items()):
        failures = [one for case in found for one in case if one.tag in ("failure", "error")]
        skips = [one for case in found for one in case if one.tag == "skipped"]
        said = _said((failures or skips)[0]) if failures or skips else ""
        yield Outcome(file, len(found) - len(failures) - len(skips), len(failures), len(skips), said)


def _file(case: xml.Element) -> str:
    """The file that a test stands in; the name of one that could not be imported is its file."""
    parts = (case.get("classname") or case.get("name") or "").split(".")
    return "/".join(part for part in parts if not part[:1].isupper()) + ".py"  # without the class of tests


def _said(outcome: xml.Element) -> str:
    """A failure's message, or why a test or all of a file was skipped."""
    said = (outcome.get("message") or "") if outcome.tag != "skipped" else (outcome.text or "")
    return " ".join(said.rpartition("Skipped: ")[2].rstrip("'\")").split())[:SHOWN]


if __name__ == "__main__":
    sys.exit(main())
