"""Every script in examples/ runs."""

from __future__ import annotations

import re
import runpy
import sys
import textwrap
from pathlib import Path

import pytest

import structgen

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path for path in EXAMPLES.glob("*.py") if path.name != "models.py")


@pytest.fixture(autouse=True)
def _as_script(loader, monkeypatch):
    """The scripts' folder is importable, and sg.load gives the model that is loaded already."""
    monkeypatch.setattr(structgen, "load", loader.load)
    monkeypatch.syspath_prepend(EXAMPLES)
    yield
    sys.modules.pop("models", None)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_example_runs(script, capsys):
    runpy.run_path(str(script), run_name="__main__")
    printed = capsys.readouterr()
    assert printed.out
    assert printed.err == ""


def test_examples_are_short():
    assert [path.name for path in SCRIPTS if len(path.read_text().splitlines()) >= 40] == []


def test_the_readme_prints_what_it_shows(capsys):
    readme = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", readme, re.S)
    assert len(shown) >= 2
    names = {"__name__": "readme"}
    for code, printed in shown:
        exec(compile(code, "README.md", "exec"), names)
        assert capsys.readouterr().out == textwrap.dedent(printed)
