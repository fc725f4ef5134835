"""Reading the schemas that `--resource` names, under the names by which references may call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from structgen.cli.spec import json_schema


def read_resources(names: Sequence[str] | None, schema: Any = None) -> dict[str, Any]:
    """The schemas of these files, for a schema whose `$id` references may be relative to.

    A file is called by its path as given and by its own name, as `./name` too; `URI=FILE` says what it is called.
    """
    base = _identifier(schema)
    found: dict[str, Any] = {}
    for name in names or ():
        uri, separator, file = name.rpartition("=")
        contents = json_schema(file if separator and not Path(name).exists() else name)
        if separator and not Path(name).exists():
            found[uri] = contents
            continue
        own = Path(name).name
        for called in (name, own, f"./{own}", urljoin(base, own)):
            found[called] = contents
    return found


def _identifier(schema: Any) -> str:
    named = schema.get("$id", schema.get("id")) if isinstance(schema, Mapping) else None
    return named if isinstance(named, str) else ""
