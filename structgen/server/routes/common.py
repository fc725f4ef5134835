"""What all routes share: the service of the application, and the documented problems."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from structgen.server.problems import ErrorBody
from structgen.server.service import Service

STATUSES = {
    400: "the request cannot be answered as it is; `param` says where",
    401: "no valid API key",
    404: "no such model",
    413: "the body or the conversation is too long",
    429: "too many requests wait",
    500: "a fault of the server",
    503: "the server is shutting down",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of these problems."""
    return {status: {"model": ErrorBody, "description": STATUSES[status]} for status in statuses}


EVERY_PROBLEM = problems(*STATUSES)
WHOLE_OR_STREAMED: dict[int | str, dict[str, Any]] = {
    **EVERY_PROBLEM,
    200: {
        "description": "the answer, whole or as events",
        "content": {"application/json": {}, "text/event-stream": {}},
    },
}


async def service_of(request: Request) -> Service:
    """The service of the application; async, so that no thread is asked for it."""
    return request.app.state.service


Serving = Annotated[Service, Depends(service_of)]
