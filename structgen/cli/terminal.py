"""Where results and messages go: results to stdout as UTF-8, everything else to stderr."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from structgen.generation.plain import json_text

if TYPE_CHECKING:
    from rich.console import Console


def speak_utf8() -> None:
    """Make stdout and stderr UTF-8, whatever the locale; a lone surrogate becomes its \\u escape, as in JSON."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def error_console() -> Console:
    """The console on stderr; rich turns colours off if NO_COLOR is set or stderr is not a terminal."""
    from rich.console import Console

    return Console(stderr=True)


def print_json(value: Any, *, compact: bool = False) -> None:
    """Write a JSON value to stdout in one piece; a Decimal keeps all its digits."""
    sys.stdout.write(json_text(value, None if compact else 0) + "\n")


def print_text(text: str) -> None:
    """Write a text to stdout as it stands, with an end of line if it has none."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def print_table(title: str, items: Mapping[str, str]) -> None:
    """Write a title to stdout, then one name and value a line."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    width = max(map(len, items))
    lines = [Text.assemble((name.ljust(width + 2), "dim"), value) for name, value in items.items()]
    console.print(Text("\n").join([Text(title, style="bold"), *lines]), soft_wrap=True)
