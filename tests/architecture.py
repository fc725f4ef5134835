"""`python -m architecture`: writes the tables of modules in ARCHITECTURE.md and docs/modules.md from their docstrings.

ARCHITECTURE.md has a row for each package and each module beside the packages; docs/modules.md has every module.
`tests/test_documents.py` fails while a table is not what this would write.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("structgen", "engine/structgen_mini", "engine/structgen_engine")
ROOMS = ROOT / "ARCHITECTURE.md"
MODULES = ROOT / "docs" / "modules.md"
TABLE = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end -->)", re.S)
HEAD = """# Modules

Each module and its first line. `.venv/bin/python -m architecture` writes this page.
[How it works](how-it-works.md) says what they do together, ARCHITECTURE.md how they fit.
"""


def idea(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def modules(folder: Path) -> Iterator[tuple[str, str]]:
    """Every module below the folder with its idea, packages by their folder's name, in order."""
    for path in sorted(folder.rglob("*.py"), key=lambda path: (path.parent, path.name)):
        name = path.parent if path.name == "__init__.py" else path
        yield str(name.relative_to(folder)), idea(path)


def rooms(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Each package below the folder, and each module beside them: its name, its idea, and the modules in it."""
    for path in sorted(folder.iterdir()):
        if (path / "__init__.py").exists():
            yield from _room(folder, path)
        elif path.suffix == ".py" and path.name not in ("__init__.py", "__main__.py"):
            yield path.name, idea(path), ""


def _room(folder: Path, path: Path) -> Iterator[tuple[str, str, str]]:
    inside = sorted(file.stem for file in path.glob("*.py") if not file.name.startswith("__"))
    yield f"{path.relative_to(folder)}/", idea(path / "__init__.py"), ", ".join(inside)
    for inner in sorted(path.iterdir()):
        if (inner / "__init__.py").exists():
            yield from _room(folder, inner)


def table(package: str) -> str:
    """The rooms of a package as a table."""
    rows = [f"| `{name}` | {what} | {inside} |\n" for name, what, inside in rooms(ROOT / package)]
    return "".join(["| where | what | modules |\n|---|---|---|\n", *rows])


def pages() -> Mapping[Path, str]:
    """Both pages as they should be."""
    overview = TABLE.sub(
        lambda found: f"{found[1]}{table(found[2])}{found[3]}", ROOMS.read_text(encoding="utf-8")
    )
    listed = [HEAD]
    for package in PACKAGES:
        rows = [f"| `{name}` | {what} |\n" for name, what in modules(ROOT / package) if name != "."]
        listed += [
            f"\n## {package}\n\n{idea(ROOT / package / '__init__.py')}\n\n| module | what |\n|---|---|\n",
            *rows,
        ]
    return {ROOMS: overview, MODULES: "".join(listed)}


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
