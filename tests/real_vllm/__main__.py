"""`python -m real_vllm --environment FOLDER`: stock vLLM refuses JSON Schemas, vLLM with the plugin serves them."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path

from real_vllm.environment import ROOT, environment, overlay_of, path_of, python_of

PATIENCE = 900  # seconds for a server to start


def main() -> int:
    """The number of checks that failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--environment", type=Path, default=ROOT / ".venv-vllm", help="made if it is not there"
    )
    parser.add_argument("--part", choices=("stock", "plugin", "offline"), action="append", help="all if none")
    parser.add_argument("--overlay", metavar="VERSION", help="of vLLM, in Python, over the compiled 0.32")
    options = parser.parse_args()
    folder = options.environment.absolute()
    python = python_of(folder)
    if Path(sys.executable).parent.parent != python.parent.parent:  # OpenAI's client is in that environment
        command = [python, "-m", "real_vllm", *sys.argv[1:]]
        overlay = overlay_of(folder, options.overlay) if options.overlay else None
        return subprocess.run(command, env={**os.environ, **path_of(overlay)}).returncode
    parts, failed = options.part or ["stock", "plugin", "offline"], 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run(
            [python, "-m", "real_vllm.checkpoint", folder / "model"], env=_variables("", folder), check=True
        )
        if "stock" in parts:
            failed += _stock(folder)
        if "plugin" in parts:
            failed += _plugin(folder)
        if "offline" in parts:
            failed += _offline(folder)
    print("all as it should be" if not failed else f"{failed} checks failed")
    return min(failed, 1)


def _stock(folder: Path) -> int:
    from real_vllm.asks import refusals

    with _serving(folder, plugins="") as client:
        found = refusals(client)
    return _report(
        "stock vLLM", [(label, status == 400, f"{status} {text}") for label, status, text in found]
    )


def _plugin(folder: Path) -> int:
    from real_vllm.asks import MODEL, calls, refused_by_us, together, ways
    from real_vllm.crowd import crowd, hostile
    from real_vllm.every_field import every_field

    tools = ("--enable-auto-tool-choice", "--tool-call-parser", "gemma4")
    with _serving(folder, "--reasoning-parser", "gemma4", *tools, plugins="structgen") as client:
        base = str(client.base_url).removesuffix("/v1/")
        return (
            _report("calls of tools", calls(client))
            + _report("refused with a reason", refused_by_us(client))
            + _report("at the same time", together(client))
            + _report("one by one", ways(client))
            + _report("forty at once", crowd(base, MODEL))
            + _report("a hostile queue", hostile(base, MODEL))
            + _report("every field of a request", every_field(base, MODEL))
        )


def _offline(folder: Path) -> int:
    """The unconstrained neighbour of a constrained request, token by token against stock vLLM."""
    stock, ours = (_generate(folder, plugins) for plugins in ("", "structgen"))
    same = stock[1]["ids"] == ours[1]["ids"]
    matches = re.fullmatch(ours[0]["pattern"], ours[0]["text"]) is not None
    return _report(
        "without a server",
        [
            ("the neighbour's tokens are stock vLLM's", same, ours[1]["text"]),
            ("the constrained one matches", matches, ours[0]["text"]),
        ],
    )


def _generate(folder: Path, plugins: str) -> list[dict]:
    command = [sys.executable, "-m", "real_vllm.offline", folder / "model"]
    done = subprocess.run(command, env=_variables(plugins, folder), capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("ROWS ")]
    if not lines:
        raise RuntimeError(f"vLLM failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return json.loads(lines[0].removeprefix("ROWS "))


def _report(title: str, checks: Iterable[tuple[str, bool, str]]) -> int:
    """Print a line for each check; how many failed."""
    print(f"\n{title}")
    checks = list(checks)
    for label, right, text in checks:
        shown = " ".join(text.split())
        print(
            f"  {'ok    ' if right else 'FAILED'}  {label}: {shown if len(shown) < 150 else shown[:147] + '...'}",
            flush=True,
        )
    return sum(not right for _, right, _ in checks)


@contextlib.contextmanager
def _serving(folder: Path, *options: str, plugins: str) -> Iterator:
    """OpenAI's client of a server that runs; its log is shown where it does not start."""
    import openai

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", folder / "model"]
    command += [
        "--served-model-name",
        "tiny",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--dtype",
        "float32",
    ]
    command += [
        "--enforce-eager",
        "--max-model-len",
        "512",
        "--max-num-seqs",
        "8",
        "--max-num-batched-tokens",
        "512",
    ]
    command += ["--limit-mm-per-prompt", '{"image": 0, "video": 0}', "--distributed-executor-backend", "uni"]
    log = folder / f"server-{port}.log"
    begun = time.monotonic()
    with log.open("w") as file:
        server = subprocess.Popen(
            [*command, *options], env=_variables(plugins, folder), stdout=file, stderr=subprocess.STDOUT
        )
    try:
        _wait(server, port, log)
        print(
            f"\nvLLM serves after {time.monotonic() - begun:.0f} s, plugins: {plugins or 'none'}", flush=True
        )
        yield openai.OpenAI(
            base_url=f"http://127.0.0.1:{port}/v1", api_key="none", timeout=PATIENCE, max_retries=0
        )
    except openai.APIError:
        print(log.read_text()[-6000:])
        raise
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait(server: subprocess.Popen, port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
            return
        time.sleep(1)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-6000:]}")


def _variables(plugins: str, folder: Path) -> dict[str, str]:
    return environment(plugins=plugins, cache=folder / "cache")  # with the path of this process


if __name__ == "__main__":
    sys.exit(main())
