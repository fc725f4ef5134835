"""Foreign readers of tool calls: a few pure functions in a file of a wheel.

They are taken out of the file by their names, because the packages need a GPU to be imported.
"""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any


def taken(wheel: Path, file: str, names: Container[str], known: Mapping[str, Any]) -> dict[str, Any]:
    """The functions, classes and constants of these names in a file of a wheel; known: the names that they use."""
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read(file).decode())
    body: list[ast.stmt] = [*ast.parse("from __future__ import annotations").body]
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        name = target.id if isinstance(target, ast.Name) else getattr(node, "name", None)
        if name in names:
            body.append(node)
    space = dict(known)
    exec(compile(ast.Module(body, []), file, "exec"), space)
    return space
