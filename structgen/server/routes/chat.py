"""/v1/chat/completions"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from structgen.server.asking.reading import of_chat
from structgen.server.problems import Problem
from structgen.server.replies.chat import ChatReply
from structgen.server.replies.events import streamed
from structgen.server.routes.common import WHOLE_OR_STREAMED, Serving
from structgen.server.service import begun, result_of
from structgen.server.wire.chat import ChatRequest

router = APIRouter()


@router.post("/v1/chat/completions", responses=WHOLE_OR_STREAMED, response_model=None)
async def create_chat_completion(
    body: ChatRequest, request: Request, service: Serving
) -> dict[str, Any] | Response:
    """The answer to a conversation, under the constraint that the request names."""
    name = service.named(body.model)
    ask = of_chat(body, service.model, service.settings)
    if body.stream and ask.tools is not None and any(tool.custom for tool in ask.tools.callable):
        raise Problem(
            "custom tools cannot be streamed in this API, whose clients cannot read their deltas: use /v1/responses, "
            "or leave stream out",
            param="/stream",
            code="unsupported_parameter",
        )
    reply, job = ChatReply(ask, name), service.ask(ask)
    if not body.stream:
        return reply.whole(await result_of(request, job))
    usage = bool(body.stream_options and body.stream_options.include_usage)
    return streamed(reply.chunks(await begun(request, job), usage=usage))
