"""OpenAI's batch files: a request a line in, and its response a line out.

{"custom_id": …, "method": "POST", "url": "/v1/chat/completions", "body": {…}}
{"id": …, "custom_id": …, "response": {"status_code": 200, "request_id": …, "body": {…}}, "error": null}

A line that is no request has no response, and an error with a code and a message. The id has the key of the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from structgen.batch.rows import JSONL, json_lines
from structgen.batch.store import LineForm
from structgen.errors import InvalidDocument
from structgen.generation.plain import json_line, json_value

BATCH_ID = "batch_req_"
REQUEST_FIELDS = {"custom_id": str, "method": str, "url": str, "body": dict}


@dataclass(frozen=True)
class RequestRow:
    """A line of a batch file.

    source: the file, with #number for the line, counted from 1; error: why it is no request, "" if it is one
    """

    source: str
    custom_id: str | None = None
    method: str = ""
    url: str = ""
    body: Mapping[str, Any] | None = None
    error: str = ""

    def key(self, settings: str) -> str:
        """A digest of the line and of all that its response depends on; settings: a digest of everything else."""
        said = [self.source, self.error] if self.error else [self.custom_id, self.method, self.url, self.body]
        return sha256(json_line([settings, *said]).encode("utf-8", "surrogatepass")).hexdigest()


AskedRequest = tuple[RequestRow, str]  # a row and its key


def requests(inputs: Sequence[str]) -> Iterator[RequestRow]:
    """The lines of batch files, in order. Raises InvalidDocument if an input does not exist, or is no JSONL file."""
    for path in map(Path, inputs):
        if not path.exists():
            raise InvalidDocument(f"{path} does not exist")
        if path.is_dir() or path.suffix.lower() not in JSONL:
            raise InvalidDocument(
                f"{path} is no JSONL file: without --schema the inputs are batch files of OpenAI's API"
            )
    for path in map(Path, inputs):
        for source, value, error in json_lines(path, json_value):
            yield RequestRow(source, error=error) if error else _row(source, value)


def response_line(asked: AskedRequest, status: int, request_id: str, body: Any) -> dict[str, Any]:
    """The line of a request that has been answered."""
    return _line(asked, {"status_code": status, "request_id": request_id, "body": body}, None)


def refused_line(asked: AskedRequest) -> dict[str, Any]:
    """The line of what is no request."""
    return _line(asked, None, {"code": "invalid_request", "message": asked[0].error})


def lost_line(asked: AskedRequest) -> dict[str, Any]:
    """The line of a request whose process ended, each time that it was tried."""
    message = "the process that answered this request ended, each time that it was tried"
    return _line(asked, None, {"code": "worker_died", "message": message})


def _line(asked: AskedRequest, response: Any, error: Any) -> dict[str, Any]:
    row, key = asked
    return {"id": BATCH_ID + key, "custom_id": row.custom_id, "response": response, "error": error}


def _row(source: str, value: Any) -> RequestRow:
    if not isinstance(value, dict):
        return RequestRow(source, error="the line is no object")
    name = value.get("custom_id")
    name = name if isinstance(name, str) else None
    for field, kind in REQUEST_FIELDS.items():
        if not isinstance(value.get(field), kind):
            wanted = "an object" if kind is dict else "a text"
            held = "is missing" if value.get(field) is None else f"is {type(value[field]).__name__}"
            return RequestRow(source, name, error=f"{field} must be {wanted}, and {held}")
    if not value["url"].startswith("/"):
        return RequestRow(
            source, name, error=f"url must be a path such as /v1/chat/completions: {value['url']!r}"
        )
    return RequestRow(source, name, value["method"], value["url"], value["body"])


def _key_of(line: Mapping[str, Any]) -> Any:
    found = line.get("id")
    return found.removeprefix(BATCH_ID) if isinstance(found, str) and found.startswith(BATCH_ID) else None


def _failed(line: Mapping[str, Any]) -> bool:
    response = line.get("response")
    return not isinstance(response, dict) or not 200 <= response["status_code"] < 300


RESPONSES = LineForm(_key_of, _failed)
