"""What is said when numba compiles kernels, and that nothing is said when it finds them on disk."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from pathlib import Path

import numba as nb
import numpy as np
import pytest
from numba.core.event import install_listener

import structgen as sg
from structgen.limits.budget import check, limited, spent
from structgen.limits.first_run import COMPILE, FirstCompile, announce

PROGRAM = """
import logging, structgen
logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
vocabulary = structgen.Vocabulary.from_tokens([b"a", b"ab"])
assert vocabulary.trie.parent.tolist() == [0, 0, 1]
"""


def compiled(module: str, say: logging.Logger) -> None:
    """Have numba compile two functions of a module, with a listener installed."""

    def one(number):
        return number + 1

    one.__module__ = module
    with install_listener(COMPILE, FirstCompile(lambda: say.info("compiling"))):
        assert nb.njit(one)(1) == 2
        assert nb.njit(one)(1.5) == 2.5


@pytest.mark.parametrize(("module", "times"), [("structgen_engine.kernels.x", 1), ("elsewhere", 0)])
def test_only_the_first_kernel_of_ours_is_announced(
    module: str, times: int, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "structgen"):
        compiled(module, logging.getLogger("structgen"))
    said = [record for record in caplog.records if record.message == "compiling"]
    assert len(said) == times  # the process may have a listener of its own, which speaks in other words


def test_a_process_that_compiles_kernels_says_so_once_and_the_next_one_is_silent(tmp_path: Path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "STRUCTGEN_CACHE": ""}
    lines = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        lines.append([line for line in done.stderr.splitlines() if line.startswith("structgen:")])
    assert [len(said) for said in lines] == [1, 0]
    assert "NUMBA_CACHE_DIR" in lines[0][0]


def test_no_limit_counts_what_kernels_take_to_compile():
    announce()

    def many(number):
        return np.argsort(np.cumsum(np.arange(number) * number)[::-1]).sum()

    with limited(seconds=0.1, gigabytes=9):
        begun = time.thread_time()
        assert nb.njit(many)(3) == 3
        assert time.thread_time() - begun > 0.1
        check()
        while time.thread_time() - begun < 30:
            if spent():
                break
        with pytest.raises(sg.Unsupported, match=r"longer than 0.1 seconds"):
            check()
