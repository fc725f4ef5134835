"""The routes about the server itself: models, health, measures and version."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import Response

from structgen import __version__
from structgen.server.problems import Problem
from structgen.server.routes.common import Serving, problems

router = APIRouter()


class ModelCard(BaseModel):
    """A model, by one of its names."""

    id: str
    object: str = "model"
    created: int
    owned_by: str = "structgen"


class ModelList(BaseModel):
    """All names of the model."""

    object: str = "list"
    data: list[ModelCard]


@router.get("/v1/models", responses=problems(400, 401, 500))
async def list_models(service: Serving) -> ModelList:
    """The names by which the model may be called."""
    return ModelList(data=[ModelCard(id=name, created=service.created) for name in service.names])


@router.get("/v1/models/{name:path}", responses=problems(400, 401, 404, 500))
async def get_model(name: str, service: Serving) -> ModelCard:
    """The model of this name."""
    return ModelCard(id=service.named(name), created=service.created)


@router.get("/health", responses=problems(500))
async def health() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@router.get("/ready", responses=problems(500, 503))
async def ready(request: Request) -> dict[str, str]:
    """Whether requests are taken."""
    if not request.app.state.open:
        raise Problem("the server is shutting down", status=503, headers={"retry-after": "5"})
    return {"status": "ready"}


@router.get("/version", responses=problems(500))
async def version(service: Serving) -> dict[str, Any]:
    """The version of structgen, and the model."""
    return {"version": __version__, "model": service.model.name}


@router.get(
    "/metrics", responses={200: {"content": {"text/plain": {}}}, **problems(500)}, response_class=Response
)
async def metrics(service: Serving) -> Response:
    """The measures in Prometheus' form."""
    return Response(service.measures.text(), media_type=CONTENT_TYPE_LATEST)
