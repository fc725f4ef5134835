"""Facts about the source of the three packages, read from their syntax trees: imports, lengths, names."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {  # folder of each package, by its name
    "structgen": ROOT / "structgen",
    "structgen_engine": ROOT / "engine/structgen_engine",
    "structgen_mini": ROOT / "engine/structgen_mini",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One source file of a package."""

    name: str  # dotted; a package is named without __init__
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


@dataclass(frozen=True)
class Import:
    """One statement's import of one module of the three packages."""

    importer: str
    imported: str
    when: str  # "loading", "calling" (inside a function) or "checking" (under TYPE_CHECKING)


def modules() -> dict[str, Module]:
    """Every module of the three packages by its dotted name."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            found[name] = Module(name, path)
    return found


def imports(known: dict[str, Module]) -> list[Import]:
    """Every import of a known module by a known module."""
    return [
        Import(module.name, target, when)
        for module in known.values()
        for statement, when in _import_statements(module.tree, "loading")
        for target in _targets(statement, module, known)
        if target != module.name
    ]


def _import_statements(node: ast.AST, when: str) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    """The import statements under a node, and when each of them runs."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, when
        elif isinstance(child, Function):
            yield from _import_statements(child, "calling" if when == "loading" else when)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _import_statements(child, "checking")
        else:
            yield from _import_statements(child, when)


def _targets(statement: ast.Import | ast.ImportFrom, module: Module, known: dict[str, Module]) -> set[str]:
    """The known modules that a statement names: `from a import b` is a.b where that is a module, else a."""
    if isinstance(statement, ast.Import):
        return {alias.name for alias in statement.names if alias.name in known}
    base = statement.module or ""
    if statement.level:
        stem = module.package.split(".")
        stem = stem[: len(stem) - statement.level + 1]
        base = ".".join([*stem, *filter(None, [base])])
    named = {f"{base}.{alias.name}" for alias in statement.names}
    targets = named & known.keys()
    return targets | ({base} & known.keys() if targets != named else set())


def cycles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """The groups of nodes that reach each other (Tarjan 1972), each of two or more."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(arrows.get(node, ())):
            if target not in index:
                visit(target)
            if target in stack:
                low[node] = min(low[node], low[target])
        if low[node] == index[node]:
            at = stack.index(node)
            group, stack[at:] = stack[at:], []
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(arrows):
        if node not in index:
            visit(node)
    return found


def arrows(found: list[Import]) -> dict[str, set[str]]:
    """Which modules each module imports."""
    graph: dict[str, set[str]] = defaultdict(set)
    for arrow in found:
        graph[arrow.importer].add(arrow.imported)
    return dict(graph)


def functions(module: Module) -> Iterator[Function]:
    """Every function of a module, methods and inner functions too."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines of a function, from `def` to its last statement."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def classes(known: dict[str, Module]) -> dict[str, list[str]]:
    """The modules that define each class name."""
    found: dict[str, list[str]] = defaultdict(list)
    for module in known.values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(module.name)
    return dict(found)


def constants(known: dict[str, Module]) -> dict[str, dict[str, str]]:
    """The expression that each module assigns to an UPPER_CASE name at its top."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for module in known.values():
        for name, value in _assigned(module.tree).items():
            if name.isupper():
                found[name][module.name] = ast.unparse(value)
    return dict(found)


def _assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """The names that a module binds at its top, and what to."""
    found = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                found[target.id] = value
    return found


def imported_names(known: dict[str, Module]) -> set[str]:
    """Every name that a module takes from another one of the three packages."""
    return {
        alias.name
        for module in known.values()
        for node, _ in _import_statements(module.tree, "loading")
        if isinstance(node, ast.ImportFrom) and _targets(node, module, known)
        for alias in node.names
    }
