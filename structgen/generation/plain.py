"""Answers as plain JSON, as the command line prints them and as batches keep them: numbers have all their digits."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structgen.documents import Document
    from structgen.generation.result import Generation

INDENT = 2


def json_text(value: Any, depth: int | None = 0) -> str:
    """JSON text, indented by two spaces a level from level `depth` on, or on one line if `depth` is None."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        parts = [f"{json_text(str(name))}: {json_text(part, _deeper(depth))}" for name, part in value.items()]
        return _bracketed("{", parts, "}", depth)
    if isinstance(value, list | tuple):
        return _bracketed("[", [json_text(part, _deeper(depth)) for part in value], "]", depth)
    return json.dumps(value, ensure_ascii=False)


def json_line(value: Any) -> str:
    """JSON text on one line."""
    return json_text(value, None)


def json_value(text: str) -> Any:
    """The value of a JSON text; numbers keep all their digits."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def answer(generation: Generation[Any], seconds: float, details: bool) -> dict[str, Any]:
    """The value and its warnings, and with `details` the evidence and what it took."""
    value, log_prob = json_value(generation.text), generation.log_prob
    found = {"value": value, "warnings": [str(one) for one in generation.warnings]}
    if not details:
        return found
    return found | {
        "details": {
            "log_prob": round(log_prob, 4) if math.isfinite(log_prob) else None,
            "steps": generation.steps,
            "seconds": round(seconds, 3),
            "blocks": generation.blocks,
            "dropped_share": generation.dropped_share,
            "certified": generation.certified,
            **_origin(generation.document),
            **generation.evidence.to_dict(),
        },
    }


def digest(text: str) -> str:
    """The SHA-256 of a document's text as UTF-8, in hexadecimal digits."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _origin(document: Document | None) -> dict[str, str]:
    """The digest of the text that spans refer to, by which `structgen report` sees whether it is still the same."""
    return {} if document is None else {"document_sha256": digest(document.text)}


def _deeper(depth: int | None) -> int | None:
    return None if depth is None else depth + 1


def _bracketed(opening: str, parts: list[str], closing: str, depth: int | None) -> str:
    if depth is None or not parts:
        return opening + ", ".join(parts) + closing
    margin = "\n" + " " * INDENT * depth
    inner = margin + " " * INDENT
    return opening + inner + f",{inner}".join(parts) + margin + closing
