"""`structgen doctor`: what is installed, what the machine offers, and whether an extraction works."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer

from structgen.cli.failure import FAILED, Misuse, debugging
from structgen.cli.model import loaded, say_if_kernels_compile
from structgen.cli.options import Json
from structgen.cli.terminal import print_json, print_table

PACKAGES = ("torch", "numba", "numpy", "pydantic", "tokenizers", "transformers", "triton")
TEST_DOCUMENT = "Name: Ada Lovelace\nCity: London\nAge: 36"
TEST_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def doctor_command(as_json: Json = False) -> None:
    """Check the installation: versions, hardware, cache, and a small extraction."""
    say_if_kernels_compile()
    self_test = _self_test()  # first: it settles the number of threads
    findings = {
        **_versions(),
        **_hardware(),
        "cache": _cache(),
        "embedded model": _embedded(),
        "self-test": self_test,
    }
    if as_json:
        print_json({name.replace(" ", "_").replace("-", "_"): value for name, value in findings.items()})
    else:
        print_table("structgen doctor", {name: _shown(value) for name, value in findings.items()})
    if not self_test["ok"]:
        raise typer.Exit(FAILED)


def _versions() -> dict[str, Any]:
    from structgen import __version__

    return {
        "structgen": __version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
    } | {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str | None:
    if find_spec(package) is None:
        return None
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _hardware() -> dict[str, Any]:
    import torch

    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {"CPU cores": os.cpu_count(), "CPU threads": torch.get_num_threads(), "GPU": gpu}


def _cache() -> dict[str, Any]:
    from structgen.cache import cache_folder

    folder = cache_folder()
    if folder is None:
        return {"folder": None, "megabytes": 0.0}
    size = sum(_size(path) for path in folder.rglob("*")) if folder.is_dir() else 0
    return {"folder": str(folder), "megabytes": round(size / 1e6, 1)}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # another process has just removed it
        return 0


def _embedded() -> dict[str, Any]:
    from structgen.models.embedded import most_prompt_tokens, weights_file

    weights = weights_file()
    return {
        "present": weights.is_file(),
        "megabytes": round(_size(weights) / 1e6, 1),
        "most_prompt_tokens": most_prompt_tokens(),
    }


def _self_test() -> dict[str, Any]:
    """Run one extraction twice with the embedded model: the second run shows the speed once everything is warm."""
    try:
        begun = time.perf_counter()
        model = loaded()
        model.extract(TEST_DOCUMENT, TEST_SCHEMA)
        warm = time.perf_counter()
        value = model.extract(TEST_DOCUMENT, TEST_SCHEMA)
        return {
            "ok": True,
            "first_seconds": round(warm - begun, 2),
            "seconds": round(time.perf_counter() - warm, 2),
            "value": value,
        }
    except Misuse:
        raise
    except Exception as error:  # the doctor reports any failure
        if debugging():
            raise
        return {"ok": False, "error": f"{type(error).__name__}: {error}"}


def _shown(value: Any) -> str:
    """The text that the table shows for a finding."""
    match value:
        case None:
            return "–"
        case {"folder": folder, "megabytes": size}:
            return "off (STRUCTGEN_CACHE is empty)" if folder is None else f"{folder} ({size} MB)"
        case {"present": present, "megabytes": size}:
            return f"present ({size} MB)" if present else "missing"
        case {"ok": True, "first_seconds": first, "seconds": seconds}:
            return f"passed, {first} s to load and extract, {seconds} s from then on"
        case {"ok": False, "error": error}:
            return f"failed: {error}"
    return str(value)
