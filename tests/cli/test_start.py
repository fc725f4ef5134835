"""The program starts quickly, says what it can, and lets go of a closed pipe."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

import structgen

HELP = """
import sys
from structgen.cli import main
assert main(["--help"]) == 0
print(sorted({"torch", "numba", "numpy", "pydantic", "tokenizers"} & set(sys.modules)))
"""


def python(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONIOENCODING": "", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
        **options,
    )


def test_help_imports_nothing_heavy():
    done = python("-c", HELP)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("command", ["demo", "extract", "compile", "doctor"])
def test_every_command_explains_itself(run, command):
    assert command in run("--help").out
    result = run(command, "--help")
    assert (result.code, result.err) == (0, "")
    assert "--json" in result.out


def test_help_states_the_embedded_models_budget(run):
    runtime = structgen.load()
    budget = runtime.blocks * runtime.denoiser.block_length
    for command in ("extract", "call"):
        assert f"(embedded: {budget:,})" in " ".join(run(command, "--help").out.replace("│", " ").split())


def test_the_version_is_the_packages(run):
    assert run("--version").out == f"structgen {structgen.__version__}\n"


def test_without_a_command_there_is_help(run):
    assert "extract" in "".join((run().out, run().err))


def test_a_closed_pipe_is_no_traceback(run, monkeypatch):
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.FileIO(writer, "w")))
    result = run("compile", "-", "--json", stdin=b'{"type": "boolean"}')
    assert (result.code, result.err) == (1, "")


def test_output_is_utf8_whatever_the_locale(run, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    run("extract", "-s", "-", "doc.txt", "--steps", "1", stdin='{"const": "京都 €"}'.encode())
    assert written.getvalue().decode("utf-8") == '"京都 €"\n'


PROGRAM = """
import atexit, sys, threading, time
from structgen.cli.__main__ import program
atexit.register(print, "at exit")
{before}
program()
"""


def as_program(*arguments: str, before: str = "") -> tuple[int, str, str]:
    done = python("-c", PROGRAM.format(before=before), *arguments)
    return done.returncode, done.stdout, done.stderr


def test_the_program_ends_with_the_commands_code_and_all_that_was_to_happen_at_exit():
    version = f"structgen {structgen.__version__}\n"
    assert as_program("--version") == (0, version + "at exit\n", "")
    code, out, err = as_program("extract")
    assert (code, out) == (2, "at exit\n")
    assert err.startswith("error: ")


def test_the_program_waits_for_threads():
    thread = "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()"
    code, out, _ = as_program("--version", before=thread)
    assert (code, out.splitlines()[1:]) == (0, ["thread", "at exit"])
