"""/v1/responses"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from structgen.server.asking.reading import of_response
from structgen.server.replies.events import streamed
from structgen.server.replies.responses import ResponseReply
from structgen.server.routes.common import WHOLE_OR_STREAMED, Serving
from structgen.server.service import begun, result_of
from structgen.server.wire.responses import ResponsesRequest

router = APIRouter()


@router.post("/v1/responses", responses=WHOLE_OR_STREAMED, response_model=None)
async def create_response(
    body: ResponsesRequest, request: Request, service: Serving
) -> dict[str, Any] | Response:
    """The answer to an input, under the constraint that the request names; nothing is stored."""
    name = service.named(body.model)
    ask = of_response(body, service.model, service.settings)
    reply, job = ResponseReply(ask, body, name), service.ask(ask)
    if not body.stream:
        (outcome,) = await result_of(request, job)
        return reply.whole(outcome)
    return streamed(reply.events(await begun(request, job)))
