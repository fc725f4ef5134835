"""The tests of XGrammar's source distribution, run unchanged with its names over ours (`peers/xgrammar`).

    pip download --no-deps --no-binary xgrammar xgrammar==0.2.8
    python -m conformance xgrammar xgrammar-0.2.8

A test that speaks of language must pass: what is accepted, what is refused, and where. The others are listed in
xgrammar.toml by a pattern of their names, each with the reason. A listed test that passes is reported, too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = (
    "test_grammar_matcher_ebnf.py",
    "test_lark.py",
    "test_grammar_substring_macro.py",
    "test_grammar_matcher_regex.py",
    "test_structural_tag_converter.py",
)
GATED = "it needs a tokenizer that only a signed-in user may load"


@dataclass
class Outcome:
    """One file's tests: how many passed, which failed, and which do not apply, with the reason."""

    passed: int
    failed: list[str]
    not_applicable: dict[str, str]
    listed_but_passed: list[str]

    def __str__(self) -> str:
        return f"{self.passed} passed, {len(self.failed)} failed, {len(self.not_applicable)} not applicable"


def reasons() -> dict[str, str]:
    """The reason by pattern."""
    listed = tomllib.loads((HERE / "xgrammar.toml").read_text())["not_applicable"]
    return {pattern: one["reason"] for one in listed for pattern in one["tests"]}


def outcome(folder: Path, file: str) -> Outcome:
    """The outcome of one file of the folder's tests."""
    found = Outcome(0, [], {}, [])
    known = reasons()
    for name, passed in _results(folder / "tests" / "python", file):
        reason = next((why for pattern, why in known.items() if re.fullmatch(pattern, name)), None)
        if passed is None:
            found.not_applicable[name] = GATED
        elif passed:
            found.passed += 1
            found.listed_but_passed += [name] if reason else []
        elif reason:
            found.not_applicable[name] = reason
        else:
            found.failed.append(name)
    return found


def _results(folder: Path, file: str) -> list[tuple[str, bool | None]]:
    """Each test and whether it passed; None if it was not run."""
    paths = [str(ROOT), str(ROOT / "engine"), str(HERE / "peers")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "STRUCTGEN_CACHE": ""}
    with TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", ".", f"--junitxml={report}"]
        subprocess.run(
            [sys.executable, "-m", "pytest", *options, "-m", "not hf_token_required", file],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        cases = ElementTree.parse(report).iter("testcase")
        ran = [
            (case.attrib["name"], case.find("failure") is None and case.find("error") is None)
            for case in cases
        ]
    listing = ["-q", "--collect-only", "-c", os.devnull, "--rootdir", ".", "-m", "hf_token_required"]
    marked = subprocess.run(
        [sys.executable, "-m", "pytest", *listing, file],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    gated = [line.partition("::")[2] for line in marked.stdout.splitlines() if "::" in line]
    return [*ran, *((name, None) for name in gated)]
