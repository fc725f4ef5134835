"""Problems: what a request cannot have, as an HTTP status and OpenAI's error object.

{"error": {"message": one sentence, "type": …, "param": a JSON pointer or null, "code": … or null}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse

from structgen.errors import (
    InvalidDocument,
    InvalidOption,
    InvalidSource,
    Rejected,
    StructgenError,
    Unsatisfiable,
    Unsupported,
)

HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair
INVALID, SERVER = "invalid_request_error", "server_error"
MOST_QUOTED = 60  # characters of a request in a message
RETRIED = (408, 409, 429, 503)  # statuses after which the same request may succeed


class Problem(Exception):
    """A request that is not answered, with everything that the client is told.

    param: the JSON pointer of the cause in the body; headers: in addition to those of every problem
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(_whole(" ".join(message.split())))
        self.status, self.param, self.code = status, param and _whole(param), code
        self.headers = dict(headers or {})
        if status not in RETRIED:
            self.headers.setdefault("x-should-retry", "false")

    @property
    def body(self) -> dict[str, Any]:
        """The error object."""
        kind = SERVER if self.status >= 500 else INVALID
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        """The HTTP response."""
        return JSONResponse(self.body, self.status, self.headers)


def _whole(text: str) -> str:
    """A text that UTF-8 can encode, whatever a request has put into it."""
    return HALF.sub("\ufffd", text)


def quoted(text: str) -> str:
    """A text of a request for a message: on one line, and its beginning alone if it is long."""
    return repr(text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…")


def instead(value: object) -> str:
    """What a request has in place of what it should have, for the end of a sentence."""
    if value is None:
        return "and it is missing"
    return f"not {quoted(value) if isinstance(value, str) else repr(value)[:MOST_QUOTED]}"


class ErrorDetail(BaseModel):
    """What is wrong with a request."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """The body of every response that is not a success."""

    error: ErrorDetail


def of_error(error: StructgenError, param: str | None = None, *, budget: str | None = None) -> Problem:
    """The problem that an error of the library is.

    param: where the source of the error stands in the body, to which the error's own pointer is added
    budget: the field that limits the tokens, for what does not fit
    """
    said = str(error).partition("\n")[0]  # a line of a grammar with a caret below it is for terminals
    if isinstance(error, InvalidSource | Unsupported) and error.pointer is not None and param is not None:
        place = f" (at {error.pointer or '/'})"
        return Problem(said.replace(place, "", 1), param=param + error.pointer, code=_code(error))
    if isinstance(error, Unsatisfiable) and error.min_tokens is not None:
        return Problem(said, param=budget or param, code="budget_too_small")
    return Problem(said, param=param, code=_code(error))


def _code(error: StructgenError) -> str | None:
    kinds = {
        Unsupported: "unsupported",
        InvalidSource: "invalid_source",
        Unsatisfiable: "unsatisfiable",
        InvalidDocument: "invalid_document",
        InvalidOption: "invalid_option",
        Rejected: "rejected",
    }
    return next((code for kind, code in kinds.items() if isinstance(error, kind)), None)


def internal() -> Problem:
    """The problem of a fault of ours, which says nothing of the request: its text may be private."""
    return Problem(
        "the server failed to answer this request; its log has the request's id and the kind of error",
        status=500,
        code="internal_error",
    )
