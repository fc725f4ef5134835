"""The application: the routes of one model, with every error in OpenAI's shape."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from structgen import __version__
from structgen.errors import StructgenError
from structgen.generation.batcher import Batcher
from structgen.model import Model
from structgen.server.answering.compiled import CompiledSources
from structgen.server.answering.deciding import Deciding
from structgen.server.guard import Guard
from structgen.server.keys import Keys
from structgen.server.measures import Measures
from structgen.server.problems import Problem, of_error
from structgen.server.routes import about, chat, decisions, live, responses
from structgen.server.service import Gone, Service
from structgen.server.settings import ServerSettings
from structgen.server.wire.body import misfit
from structgen.server.workers import Workers


def create_app(model: Model, settings: ServerSettings | None = None) -> FastAPI:
    """An ASGI application that answers for a model. Raises InvalidOption if the keys cannot be read."""
    settings = settings or ServerSettings()
    elsewhere = model.remote is not None  # no passes to share, and threads that mostly wait
    batcher = Batcher(model, settings.rows) if settings.rows > 1 and not elsewhere else None
    count = max(settings.workers, settings.rows) if elsewhere else settings.workers
    workers = Workers(model, batcher, count=count, waiting=settings.waiting, retry_after=settings.retry_after)
    if batcher is not None:
        batcher.start()
    measures, sources = Measures(), CompiledSources(model.vocabulary, settings)
    measures.watch("pending", "Requests that are answered or wait.", lambda: workers.pending)
    measures.watch("constraints_found", "Constraints found in memory.", lambda: sources.hits)
    measures.watch("constraints_compiled", "Constraints compiled or read from disk.", lambda: sources.misses)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.open = True
        sources.start()
        yield
        app.state.open = False
        sources.close()
        workers.close(settings.closing)

    app = FastAPI(title="structgen", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.open = True
    app.state.service = Service(
        model, settings, sources, Deciding(model), workers, measures, int(time.time())
    )
    for routes in (about, chat, responses, decisions, live):
        app.include_router(routes.router)
    _answer_errors(app)
    app.add_middleware(
        Guard,
        keys=Keys.of(settings.keys, settings.key_file),
        measures=measures,
        body_bytes=settings.body_bytes,
    )
    return app


def _unreadable(cause: BaseException | None) -> str:
    """Why a body was not read, where JSON's grammar is not the reason."""
    if isinstance(cause, UnicodeDecodeError):
        return "the body is not text in UTF-8"
    if isinstance(cause, RecursionError):
        return "the body is nested too deeply"
    if isinstance(cause, ValueError):  # of int, whose limit guards against slow conversions
        return "the body holds a number of too many digits"
    return "the body cannot be read as JSON"


def _answer_errors(app: FastAPI) -> None:
    """Give every error OpenAI's shape."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> Response:
        return error.response()

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        return misfit(error.errors(), error.body).response()

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        taken = (error.headers or {}).get("Allow", "other methods")
        said = {
            400: _unreadable(error.__cause__),
            404: f"there is nothing at {request.method} {request.url.path[:100]}",
            405: f"this path takes {taken}, not {request.method[:40]}",
        }
        code = "invalid_json" if error.status_code == 400 else None
        message = said.get(error.status_code, str(error.detail))
        return Problem(message, status=error.status_code, code=code, headers=error.headers).response()

    @app.exception_handler(Gone)
    async def gone(request: Request, error: Gone) -> Response:
        return Response(status_code=499)

    @app.exception_handler(StructgenError)
    async def unplaced(request: Request, error: StructgenError) -> Response:
        return of_error(error).response()
