"""What all tests share: a deterministic Hypothesis, a cache folder of their own, the real tokenizers where present."""

from __future__ import annotations

import gc
import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings

from structgen.tokens.vocabulary import Vocabulary
from warming import kernels_ahead

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # read when triton is first imported

settings.register_profile(
    "structgen", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("structgen")

KERNELS = Path(__file__).parents[1] / "engine" / "structgen_engine" / "kernels" / "cpu"
edited = max(file.stat().st_mtime for file in KERNELS.glob("*.py"))
# numba misses that a function inlined from another file has changed
for index in KERNELS.glob("__pycache__/*.nbi"):
    with suppress(FileNotFoundError):  # another test worker was faster
        if index.stat().st_mtime < edited:
            index.unlink()

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Before there are several test workers, the kernels are compiled once for all.

    These processes, the workers and the programs that tests start share their modules as bytecode, too.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    kernels_ahead()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`-n 2` gives whole files to workers; other ways to distribute tests are pytest-xdist's own."""
    from scheduling import LongFilesFirst

    return LongFilesFirst(config, log) if config.getoption("dist") == "load" else None


def pytest_configure() -> None:
    """Nothing is garbage while modules and tests are collected, which makes a million objects."""
    gc.disable()


def pytest_collection_finish() -> None:
    """What was collected lives to the end, so no later search for garbage looks at it again."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """All tests on one thread: two that spin while they wait for each other are many times slower than one as soon as
    anything else runs on the machine, other test workers included. Programs that tests start let theirs sleep.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The cache folder of this test session; the user's own is never touched."""
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("STRUCTGEN_CACHE")
    os.environ["STRUCTGEN_CACHE"] = str(folder)
    yield folder
    if before is None:
        del os.environ["STRUCTGEN_CACHE"]
    else:
        os.environ["STRUCTGEN_CACHE"] = before


@pytest.fixture(scope="session")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The real tokenizer.json of "gemma3", "qwen3" or "llama3"; the test is skipped where the data is absent."""
    folder = tmp_path_factory.mktemp("tokenizers")

    def unpacked(name: str) -> Path:
        packed, path = SHARED / f"{name}.tokenizer.json.gz", folder / f"{name}.tokenizer.json"
        if not packed.exists():
            pytest.skip(f"{packed.name} is not in the folder of shared test data")
        if not path.exists():
            path.write_bytes(gzip.decompress(packed.read_bytes()))
        return path

    return unpacked


@pytest.fixture(scope="session")
def real_vocabulary(tokenizer_file: Callable[[str], Path]) -> Callable[[str], Vocabulary]:
    """The vocabulary of "gemma3", "qwen3" or "llama3", read once."""
    return lru_cache(lambda name: Vocabulary.from_file(tokenizer_file(name)))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny DiffusionGemma in a folder as it is published: weights, configuration, tokenizer and chat template."""
    from tiny_gemma import SPECIAL, needs_transformers, save_checkpoint, small_tokenizer, tiny_model

    needs_transformers()
    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer = small_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")
    ends = [SPECIAL.index("<eos>"), SPECIAL.index("<turn|>")]
    return save_checkpoint(folder, tiny_model(), tokenizer, eos_token_id=ends, max_denoising_steps=4)
