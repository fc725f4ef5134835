"""Run the suites of other people against the server, and write what they found as a table.

make test-outside                                     all of them, in .venv-outside
python -m outside --part openai --part load           some of them
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from outside.environment import CLIENTS, ROOT, made, unpacked
from outside.load import leaving, loaded, stopping
from outside.servers import EMBEDDED, NAMES, TOY, Server, serving

EXPECTED = (  # failures of OpenAI's tests: 400 for what the model cannot do, 404 and 405 for stored objects
    re.compile(
        r"chat/test_completions\.py::\w+::test_\w+?_(delete|list|retrieve|update)(_with_all_params)?\["
    ),
    re.compile(r"test_models\.py::\w+::test_\w+?_delete\["),
    re.compile(
        r"test_responses\.py::\w+::test_\w+?_(cancel|compact|delete|retrieve)(_with_all_params)?(_overload_\d)?\["
    ),
    re.compile(
        r"(chat/test_completions|test_responses)\.py::\w+::test_method_create_with_all_params_overload_\d\["
    ),
)
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.M)
TALLY = re.compile(r"\d+ (?:passed|failed|skipped|error\w*)")
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
RESOURCES = ("chat/test_completions", "test_decisions", "test_models", "test_responses")
Row = tuple[str, str, str]  # suite, outcome, what is not as it should be


def main() -> int:
    """1 if something is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv-outside")
    parser.add_argument("--part", choices=sorted(PARTS), action="append", help="all if none")
    parser.add_argument("--page", type=Path, help="write the table to this page")
    parser.add_argument("--calls", type=int, default=5000, help="of schemathesis")
    parser.add_argument(
        "--gold", type=Path, help="data/gold.jsonl of JevBench's repository, for the accuracy"
    )
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    folder = options.environment.absolute()
    python = made(folder)
    rows = [row for part in options.part or PARTS for row in PARTS[part](folder, python, options)]
    table = [f"| {' | '.join(row)} | {datetime.date.today()} |" for row in rows]
    print("\n".join([*HEAD, *table]))
    if options.page is not None:
        _write(options.page, table)
    return int(any(row[2] != "nothing" for row in rows))


HEAD = ("| suite | outcome | not as it should be | measured on |", "|---|---|---|---|")


def _write(page: Path, table: Sequence[str]) -> None:
    """Put new rows into the table of the page, in the places of the old ones of the same suites."""
    head, _, old = page.read_text(encoding="utf-8").partition("<!-- table -->")
    rows = {row.split(" | ")[0]: row for row in old.splitlines() if row.startswith("| ") and row != HEAD[0]}
    rows |= {row.split(" | ")[0]: row for row in table}
    said = "\n".join([*HEAD, *rows.values()])
    page.write_text(f"{head}<!-- table -->\n{said}\n", encoding="utf-8")


def _pytest(python: Path, *given: str, cwd: Path, **variables: str) -> str:
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", *given]
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True)
    return done.stdout


def _tally(output: str) -> str:
    """The last line of pytest's that counts tests."""
    counts = [found for line in output.splitlines() if (found := TALLY.findall(line))]
    return ", ".join(counts[-1]) if counts else "nothing ran"


def _mini() -> tuple[tuple[str, ...], tuple[str, ...]]:
    return EMBEDDED, tuple(part for name in NAMES for part in ("--name", name))


def openai(folder: Path, python: Path, options: argparse.Namespace) -> list[Row]:
    """OpenAI's own tests of its client, of which none may fail that is not in the list of expected failures."""
    source, (command, more) = unpacked(folder, python, "openai", ">=3,<4"), _mini()
    tests = [f"tests/api_resources/{name}.py" for name in RESOURCES]
    given = ["-o", "addopts=", "-k", "not aiohttp"]  # its own options ask for further plugins
    with serving(command, *more) as server:
        output = _pytest(python, *tests, *given, cwd=source, TEST_API_BASE_URL=f"{server.url}/v1")
    (folder / "openai.txt").write_text(output)
    failed = FAILED.findall(output)
    wrong = [one for one in failed if not any(kind.search(one) for kind in EXPECTED)]
    said = f"{_tally(output)}; {len(failed) - len(wrong)} of the failures are expected"
    return [(f"{source.name}: its own tests", said, ", ".join(wrong) or _ran(output))]


def langchain(folder: Path, python: Path, options: argparse.Namespace) -> list[Row]:
    """LangChain's tests of chat models, and those of its client of decisions."""
    command, more = _mini()
    cases = folder / "cases"
    cases.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).with_name("langchain_cases.py"), cases)
    shutil.copy(
        unpacked(folder, python, "langchain-openai") / "tests/integration_tests/decisions/test_base.py",
        cases / "decisions_cases.py",
    )
    (cases / "pytest.ini").write_text(SETTINGS)
    with serving(command, *more) as server:
        key = {"OPENAI_API_KEY": "any", "OPENAI_BASE_URL": f"{server.url}/v1"}
        asked = [
            _pytest(python, f"{name}_cases.py", cwd=cases, STRUCTGEN_URL=server.url, **key)
            for name in ("langchain", "decisions")
        ]
    labels = "langchain-tests through ChatOpenAI", "langchain-openai's tests of OpenAIDecisions"
    return [_of_langchain(label, output) for label, output in zip(labels, asked, strict=True)]


def _of_langchain(label: str, output: str) -> Row:
    failed = [one.rpartition("::")[2] for one in FAILED.findall(output)]
    wit = [one for one in failed if one in WIT]
    wrong = [one for one in failed if one not in WIT]
    return (
        label,
        f"{_tally(output)}; of wit, failed: {', '.join(wit) or 'none'}",
        ", ".join(wrong) or _ran(output),
    )


# the client keeps its connections, which belong to one loop
SETTINGS = "[pytest]\nasyncio_mode = auto\nasyncio_default_test_loop_scope = session\n"
WIT = (  # tests of what a model of ten million parameters knows
    "test_unicode_tool_call_integration",
    "test_invoke_all_question_types",  # that being charged twice concerns payments
)


def jevbench(folder: Path, python: Path, options: argparse.Namespace) -> list[Row]:
    """JevBench's check of the format, and the whole of the suite on which results are reported."""
    tool, report = python.with_name("jevbench"), folder / "jevbench.json"
    with serving(*_mini()[:1]) as server:
        given = ["--url", f"{server.url}/v1/systemone", "--model", "structgen-mini"]
        check = subprocess.run([tool, "check", *given], capture_output=True, text=True, cwd=folder)
        asked = [tool, "eval", *given, "--no-cache", "--out", report]
        done = subprocess.run(asked, capture_output=True, text=True, cwd=folder)
    if check.returncode or done.returncode:
        return [("jevbench 0.1", "it did not run to its end", (check.stderr + done.stderr)[-200:])]
    return [coherent(report, options.gold)]


def coherent(report: Path, gold: Path | None) -> Row:
    """What a report of JevBench's says. gold: right answers, by which the accuracy is told, too"""
    read = json.loads(report.read_text())
    found = read["scores"]
    low = [name for name in LAWS if found["relations"].get(name) != 1]
    parts = ", ".join(f"{name} {_percent(score)}" for name, score in found["pillars"].items())
    said = f"check: passes; overall {_percent(found['overall'])}: {parts}"
    if gold is not None:
        lines = map(json.loads, gold.read_text().splitlines())
        right = _right(read["result"]["bases"], {one["id"]: one["gold"] for one in lines})
        said += f"; {_percent(statistics.mean(right))} % of {len(right):,} answers right"
    return "jevbench 0.1, jevbench-mini", said, ", ".join(low) or "nothing"


def _right(bases: dict[str, Any], gold: dict[str, dict[str, Any]]) -> list[float]:
    """For each question whose answer is known, 1 if the likeliest one is right; of answers that are as likely, a share.

    bases: of a report, the probabilities of the answers to each question of each case
    """
    found: list[float] = []
    for case, answers in gold.items():
        for question, shares in bases[case]["base"].items():
            answer = answers.get(question, "unknown")
            if answer != "unknown":
                best = [one for one, share in shares.items() if share >= max(shares.values()) - 1e-9]
                named = str(answer).lower() if isinstance(answer, bool) else str(answer)
                found.append(1 / len(best) if named in best else 0.0)
    return found


def _percent(share: float | None) -> str:
    return "not scored" if share is None else f"{100 * share:.1f}"


# what holds by construction: neither the batch nor the order, the names or copies of the options change an answer
LAWS = (
    "batch_solo",
    "batch_order",
    "duplicate_question",
    "batch_content",
    "batch_size_sweep",
    "option_permutation",
    "option_rename",
    "option_clone",
    "clone_symmetry",
    "key_rename",
)


CALLS_PER_EXAMPLE = 6  # that Schemathesis makes of its number of examples for these routes


def schemathesis(folder: Path, python: Path, options: argparse.Namespace) -> list[Row]:
    """Requests made from the server's own description, right and wrong ones, to a toy model."""
    tool = python.with_name("schemathesis")
    with serving(TOY) as server:
        given = [
            "--checks",
            CHECKS,
            "--seed",
            "1",
            "--phases",
            "coverage,fuzzing",
            "--request-timeout",
            "120",
        ]
        command = [
            tool,
            "run",
            f"{server.url}/openapi.json",
            *given,
            "--max-examples",
            str(options.calls // CALLS_PER_EXAMPLE),
        ]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    (folder / "schemathesis.txt").write_text(done.stdout)
    calls = re.search(r"(\d[\d,]*) generated", done.stdout)
    found = re.findall(r"- (ST\d+ .+|Server error.*)", done.stdout)
    said = f"{calls[1] if calls else 'no'} calls"
    return [
        (
            "schemathesis",
            said,
            ", ".join(sorted(set(found))) or ("nothing" if not done.returncode else done.stdout[-300:]),
        )
    ]


def clients(folder: Path, python: Path, options: argparse.Namespace) -> list[Row]:
    """Every recipe for a client on our pages, and a call of a tool by each, in an environment of clients alone."""
    apart = made(folder.with_name(f"{folder.name}-clients"), CLIENTS)
    settings = apart.parents[1] / "pytest.ini"
    settings.write_text("[pytest]\naddopts = --import-mode=importlib --noconftest -rs\n")
    with serving(*_mini()[:1]) as server:
        given = "-c", str(settings)
        outputs = [
            _pytest(
                apart,
                *given,
                str(ROOT / f"tests/outside/{name}.py"),
                cwd=apart.parents[1],
                STRUCTGEN_URL=server.url,
            )
            for name in ("test_clients", "test_client_tools")
        ]
    names = "openai, instructor, pydantic-ai, LangChain and litellm"
    labels = (
        f"our recipes for {names}",
        "calls of tools through instructor, pydantic-ai, LangChain and litellm",
    )
    return [(label, _tally(one), _wrong(one)) for label, one in zip(labels, outputs, strict=True)]


def _wrong(output: str) -> str:
    """The tests that failed, or that nothing failed but something has run."""
    failed = [one.rpartition("::")[2] for one in FAILED.findall(output)]
    return ", ".join(failed) or _ran(output)


def _ran(output: str) -> str:
    """That nothing is wrong, if some test has passed."""
    return "nothing" if "passed" in _tally(output) else "nothing ran"


def langextract(folder: Path, python: Path, options: argparse.Namespace) -> list[Row]:
    """Our tests with LangExtract itself, which is found behind everything of this environment."""
    site = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"], capture_output=True, text=True
    )
    behind = f"import sys; sys.path.append({site.stdout.strip()!r})"
    program = f"{behind}; import pytest; sys.exit(pytest.main(sys.argv[1:]))"
    tests = "tests/outside/test_langextract.py"
    done = subprocess.run(
        [sys.executable, "-c", program, "-o", "addopts=", "--tb=no", tests],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    return [
        (
            "langextract, ten documents",
            _tally(done.stdout),
            _wrong(done.stdout),
        )
    ]


def load(folder: Path, python: Path, options: argparse.Namespace) -> list[Row]:
    """A load on the embedded model, with and without shared passes; clients that leave; an end."""
    rows: list[Row] = []
    for width in ("8", "1"):
        with serving(EMBEDDED, "--rows", width) as server:
            found = asyncio.run(loaded(server, options.clients, options.seconds))
            said = ", ".join(f"{name} {value}" for name, value in found.row().items())
            bad = [*found.errors[:3], *(["mixed answers"] if found.mixed else [])]
            label = f"{options.clients} clients for {options.seconds:.0f} s, {width} rows"
            rows.append((label, said, ", ".join(bad) or "nothing"))
            if width == "8":
                rows += _ends(server)
    return rows


def _ends(server: Server) -> list[Row]:
    left = asyncio.run(leaving(server, 50))
    status, code = asyncio.run(stopping(server))
    fine = status == 200 and code in (0, -15)
    return [
        (
            "50 clients leave in the middle of a stream",
            f"{left} places still taken",
            "nothing" if not left else "places",
        ),
        ("SIGTERM during an answer", f"answer {status}, exit code {code}", "nothing" if fine else "the end"),
    ]


PARTS: dict[str, Callable[[Path, Path, argparse.Namespace], list[Row]]] = {
    "openai": openai,
    "langchain": langchain,
    "jevbench": jevbench,
    "clients": clients,
    "langextract": langextract,
    "schemathesis": schemathesis,
    "load": load,
}

if __name__ == "__main__":
    sys.exit(main())
