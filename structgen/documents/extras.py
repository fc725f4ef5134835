"""Packages that a kind of document needs: imported when the first one is opened, and named if they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from structgen.errors import MissingExtra


def needed(module: str, extra: str, what: str) -> Any:
    """The module; raises MissingExtra, which says how to install the extra, if it is not installed."""
    try:
        return import_module(module)
    except ImportError as error:
        package = (error.name or module).partition(".")[0]
        raise MissingExtra(f"reading {what} needs {package}: pip install 'structgen-dlm[{extra}]'") from None
