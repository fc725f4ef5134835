"""Reading the argument of `-s`: a class in a Python file, a grammar in EBNF or Lark, or a JSON Schema."""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

from structgen.cli.document import STDIN
from structgen.cli.failure import Failure, Misread, Misuse
from structgen.errors import InvalidSource, Unsatisfiable, Unsupported

GRAMMARS = (".ebnf", ".gbnf", ".lark")


def read_spec(name: str) -> Any:
    """The class that `file.py:Class` names, the grammar in a file .lark, .ebnf or .gbnf, or the JSON Schema in a
    file.

    `-` is a JSON Schema on stdin. The name of a grammar of the library stands for it, unless there is such a file.

    Raises InvalidSource or Failure if it cannot be read, Misuse if a Python file is named without a class.
    """
    file, colon, attribute = name.rpartition(":")
    if colon and file.endswith(".py"):
        return _class(Path(file), attribute)
    if name.endswith(".py"):
        known = _defined(_imported(Path(name)))
        raise Misuse(f"{name} needs the name of a class: {_listing(name, known)}")
    if Path(name).suffix.lower() in GRAMMARS:
        return _grammar(Path(name))
    return _of_library(name) or json_schema(name)


def _of_library(name: str) -> Any:
    """The grammar of the library that bears this name; None if a file does, or nothing."""
    from structgen.sources.library import library

    return None if Path(name).exists() else library.get(name)


def read_json(name: str, what: str = "schema") -> Any:
    """The JSON value in a file, or on stdin for `-`; raises InvalidSource if it is missing or malformed."""
    shown = f"the {what} on stdin" if name == STDIN else name
    content = sys.stdin.buffer.read() if name == STDIN else _bytes(Path(name), what)
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidSource(f"{shown} is not UTF-8 text (at byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise InvalidSource(
            f"{shown} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise InvalidSource(f"{shown} is nested too deeply to be read") from None


def json_schema(name: str) -> dict[str, Any] | bool:
    """The JSON Schema in a file, or on stdin for `-`; raises InvalidSource if it is missing or malformed."""
    schema, shown = read_json(name), "the schema on stdin" if name == STDIN else name
    if not isinstance(schema, dict | bool):
        raise InvalidSource(
            f"{shown} is not a JSON Schema: it must be an object, not {type(schema).__name__}"
        )
    return schema


def _grammar(path: Path) -> Any:
    from structgen.sources import Ebnf, Lark

    try:
        source = (Lark if path.suffix.lower() == ".lark" else Ebnf)(
            _bytes(path, "grammar").decode("utf-8-sig")
        )
    except UnicodeDecodeError as error:
        raise InvalidSource(f"{path} is not UTF-8 text (at byte {error.start})") from None
    try:
        source.lower()
    except (InvalidSource, Unsatisfiable, Unsupported) as error:
        raise Misread(f"{path}, {error}") from None
    return source


def _bytes(path: Path, what: str = "schema") -> bytes:
    if path.is_dir():
        raise InvalidSource(f"{path} is a folder, not a schema file or file.py:Class")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidSource(f"the {what} file {path} does not exist") from None
    except (OSError, ValueError) as error:
        raise InvalidSource(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _class(path: Path, attribute: str) -> Any:
    module = _imported(path)
    value: Any = module
    for part in attribute.split("."):
        value = getattr(value, part, None)
    if value is None:
        raise InvalidSource(f"{path} has no class {attribute!r}: {_listing(str(path), _defined(module))}")
    return value


def _listing(file: str, names: list[str]) -> str:
    return (
        f"choose one of {', '.join(f'{file}:{name}' for name in names)}" if names else "it defines no class"
    )


def _defined(module: ModuleType) -> list[str]:
    """The names of the classes that the file itself defines."""
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    ]


def _imported(path: Path) -> ModuleType:
    """Run a Python file as a module; its own folder is importable during the run, as for a script."""
    _bytes(path)
    name = f"structgen_spec_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidSource(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic looks up annotations here
    try:
        with _as_script(path.parent.resolve()):
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise Failure(f"{path} cannot be imported: {_where(error, path)}") from error
    return module


@contextmanager
def _as_script(folder: Path) -> Iterator[None]:
    """Import from `folder`, leave no byte code behind, and keep what is printed off stdout."""
    written = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.dont_write_bytecode = written
        sys.path.remove(str(folder))


def _where(error: BaseException, path: Path) -> str:
    """The error's name, message and line in the file."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).resolve() == path.resolve():
        return f"{type(error).__name__}: {error.msg} at line {error.lineno}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).resolve() == path.resolve()
    ]
    at = f" at line {lines[-1]}" if lines else ""
    return f"{type(error).__name__}: {error}{at}"
