"""Reading the schemas that `--resource` names, keyed by the URIs that references may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from structgen.cli.spec import json_schema


def read_resources(names: Sequence[str] | None, schema: Any = None) -> dict[str, Any]:
    """The schemas in these files by URI; relative URIs are resolved against the `$id` of `schema`.

    A file is found under its path as given, its bare name and `./name`; `URI=FILE` sets the URI instead.
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
