"""`python -m real_sglang --environment FOLDER` makes an environment with SGLang's Python modules and runs the tests.

SGLang's own requirements are CUDA's libraries; the lock has those that its modules import here.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

SGLANG = "sglang==0.5.23"
ROOT = Path(__file__).parents[2]
LOCK = ROOT / ".ci" / "locks" / "sglang.txt"


def main() -> int:
    """The exit status of pytest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--environment", type=Path, default=ROOT / ".venv-sglang", help="made if it is not there"
    )
    options, more = parser.parse_known_args()
    python = python_of(options.environment.absolute())
    variables = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT / "tests"),
        "SGLANG_PLUGINS": "structgen",
    }
    alone = [
        "--noconftest",
        "-c",
        os.devnull,
        "--rootdir",
        ROOT,
    ]  # the suite's own needs are not installed there
    command = [
        python,
        "-m",
        "pytest",
        "-q",
        *alone,
        "-p",
        "no:cacheprovider",
        ROOT / "tests" / "real_sglang",
        *more,
    ]
    return subprocess.run(command, cwd=ROOT, env=variables).returncode


def python_of(folder: Path) -> Path:
    """The interpreter of the environment, which is made if it is not there."""
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run(
            [*pip, "--constraint", LOCK, "torch"], check=True
        )  # in the build that the machine offers
        subprocess.run([*pip, "--requirement", LOCK], check=True)
        subprocess.run([*pip, "--no-deps", SGLANG], check=True)
        subprocess.run([*pip, "--no-deps", "--editable", ROOT], check=True)
        (folder / ".ready").touch()
    return python


if __name__ == "__main__":
    sys.exit(main())
