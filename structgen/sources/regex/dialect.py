"""The dialects of regular expressions: whose rules a pattern follows."""

from __future__ import annotations

from enum import Enum


class Dialect(Enum):
    """A dialect of regular expressions. Only PYTHON and ECMA have ASCII meanings of \\w, \\d and \\b."""

    PYTHON = "Python's re with re.ASCII"
    PYTHON_UNICODE = "Python's re"
    ECMA = "ECMA-262"
    RUST = "Rust's regex"  # pydantic's
    LARK = "the regular expressions of a grammar"  # Rust's, with (?i) for ASCII letters alone


FLAGS = {
    Dialect.PYTHON_UNICODE: "imsxau",
    Dialect.PYTHON: "imsxau",
    Dialect.ECMA: "imsau",
    Dialect.RUST: "imsxuU",
    Dialect.LARK: "isxu",
}
