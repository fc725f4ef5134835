"""What a user holds: the exported names, and an import that costs nothing."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pydantic
import pytest

import structgen

ROOT = Path(__file__).parents[1]
EXPORTS = [
    "AnswerWarning",
    "Box",
    "Call",
    "Choice",
    "Constraint",
    "Decisions",
    "Document",
    "Done",
    "Ebnf",
    "Filled",
    "Generation",
    "Info",
    "InvalidDocument",
    "InvalidOption",
    "InvalidSource",
    "InvalidVocabulary",
    "JsonSchema",
    "Lark",
    "MissingExtra",
    "Model",
    "ModelNotFound",
    "Partial",
    "Projection",
    "Regex",
    "Rejected",
    "Reply",
    "Score",
    "Settled",
    "StructgenError",
    "StructuralTag",
    "Template",
    "Tools",
    "Unsatisfiable",
    "Unsupported",
    "Verbatim",
    "Vocabulary",
    "compile",
    "library",
    "load",
]
STAGES = """
import sys, structgen
print(sorted(sys.modules))
structgen.StructgenError
print(sorted(sys.modules))
structgen.Document.open(b"text")
print(sorted(sys.modules))
[getattr(structgen, name) for name in structgen.__all__]
print(sorted(sys.modules))
"""
EVERY_MODULE = """
import importlib, pkgutil, structgen, structgen_engine
for package in (structgen, structgen_engine):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
for name in structgen.__all__:
    getattr(structgen, name)
"""
NO_NETWORK = """
import sys
def watch(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__":
        print(f"network: {event}{arguments} while importing")
sys.addaudithook(watch)
"""
NO_ENVIRONMENT = """
import os, sys
class Watched(type(os.environ)):
    def __getitem__(self, key):
        frame = sys._getframe(1)
        while frame.f_globals["__name__"] in ("os", "_collections_abc"):
            frame = frame.f_back
        if frame.f_globals["__name__"].startswith("structgen"):
            print(f"environment: {frame.f_globals['__name__']} reads {key} while it is imported")
        return super().__getitem__(key)
os.environ.__class__ = Watched
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "engine")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", env=environment, timeout=300
    )


def test_exactly_these_names_are_exported():
    assert structgen.__all__ == EXPORTS == sorted(EXPORTS)
    assert set(EXPORTS) <= set(dir(structgen))
    assert all(hasattr(structgen, name) for name in EXPORTS)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = structgen.nothing


@pytest.mark.parametrize("name", EXPORTS)
def test_every_exported_name_is_documented(name: str):
    value = getattr(structgen, name)
    assert value.__doc__, f"structgen.{name} has no docstring"
    assert not value.__doc__.startswith(f"{name}("), f"structgen.{name} has only what dataclass wrote"


@pytest.mark.parametrize("kind", ["Constraint", "Model", "Vocabulary"])
def test_every_public_method_is_documented(kind: str):
    methods = inspect.getmembers(
        getattr(structgen, kind), lambda member: isinstance(member, Callable | property)
    )
    assert [name for name, method in methods if not name.startswith("_") and not method.__doc__] == []


def test_no_module_bears_the_name_of_an_export():
    """Importing structgen.load would put a module where the function was."""
    modules = {path.stem for path in (ROOT / "structgen").iterdir()}
    assert modules.isdisjoint(EXPORTS)


@pytest.fixture(scope="module")
def loaded() -> list[set[str]]:
    """The modules of a process that imports structgen, then names an error, opens a document and names everything."""
    done = python(STAGES)
    assert done.returncode == 0, done.stderr
    return [set(ast.literal_eval(line)) for line in done.stdout.splitlines()]


def test_an_import_loads_nothing_heavy(loaded: list[set[str]]):
    heavy = {"torch", "numba", "numpy", "triton", "transformers", "tokenizers", "pydantic"}
    readers = {"pypdfium2", "inscriptis", "docx"}
    assert loaded[0] & (heavy | readers) == set()


def test_an_error_can_be_caught_without_waiting_for_torch(loaded: list[set[str]]):
    assert "torch" not in loaded[1]


def test_a_document_can_be_opened_without_waiting_for_torch(loaded: list[set[str]]):
    assert "torch" not in loaded[2]


def test_no_public_name_needs_transformers(loaded: list[set[str]]):
    assert "torch" in loaded[3]
    assert "transformers" not in loaded[3]


@pytest.fixture(scope="module")
def touched() -> str:
    """What a process prints of what modules touch while it imports every one of them."""
    done = python(NO_NETWORK + NO_ENVIRONMENT + EVERY_MODULE + "print('every module')")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("every module\n")
    return done.stdout


@pytest.mark.parametrize("watched", ["network", "environment"])
def test_no_module_touches_it_when_imported(watched: str, touched: str):
    assert [line for line in touched.splitlines() if line.startswith(watched)] == []


def test_what_verbs_and_compile_return_is_a_line_in_a_notebook():
    class Invoice(pydantic.BaseModel):
        vendor: str
        lines: list[int]

    def book(city: str, nights: int = 1) -> None: ...

    model = structgen.load()
    long = {"vendor": "x" * 5000, "lines": list(range(500))}
    generation = structgen.generation.result.Generation(Invoice(**long), "", (1,) * 90, -1.5, 6, 1)
    constraint = structgen.compile(Invoice, model.vocabulary)
    tool = structgen.sources.tools.Tools([book]).callable[0]
    call = structgen.Call("book", {"city": "Paris", "nights": 2}, tool)
    lines = [
        model,
        generation,
        constraint,
        model.vocabulary,
        structgen.Reply((call,)),
        structgen.Reply(answer="No."),
    ]
    assert all(len(repr(line)) < 300 and "\n" not in repr(line) for line in lines), list(map(repr, lines))
    assert repr(structgen.Reply((call,))) == "Reply(book(city='Paris', nights=2))"
    assert repr(generation).endswith("90 tokens, 1 block, 6 steps, log_prob=-1.50)")
    assert repr(constraint).startswith("Constraint(TypeSource(Invoice), expanded, ")
    assert f"{model.vocabulary.size:,} tokens" in repr(constraint)


def test_the_reference_of_the_site_has_every_public_name() -> None:
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    shown = {line.rpartition(".")[2] for line in page.splitlines() if line.startswith("::: ")}
    errors = {name for name in EXPORTS if getattr(structgen, name).__module__ == "structgen.errors"}
    assert set(EXPORTS) - errors == (shown - {"errors"})
