"""`structgen serve`: a model behind OpenAI's protocol."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from structgen.cli.failure import Failure
from structgen.cli.model import loaded, say_if_kernels_compile
from structgen.cli.options import Model
from structgen.cli.terminal import error_console


def serve_command(
    model: Model = None,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen at, 0 for any free one.")
    ] = 8000,
    api_key: Annotated[
        list[str] | None,
        typer.Option(
            "--api-key",
            metavar="KEY",
            envvar="STRUCTGEN_API_KEY",
            help="A key that requests must have; may be repeated. None: anybody may ask.",
            show_default=False,
        ),
    ] = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keys, one a line; read again when the file changes.", show_default=False
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            "--name", metavar="NAME", help="Another name of the model; may be repeated.", show_default=False
        ),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Requests that are worked on at once.")] = 1,
    waiting: Annotated[int, typer.Option(min=0, help="Requests that may wait; more get 429.")] = 256,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve a model at /v1/chat/completions, /v1/responses, /v1/decisions and /v1/systemone."""
    try:
        import uvicorn

        from structgen.server import ServerSettings, create_app
    except ImportError as error:
        raise Failure(f"{error.name} is not installed: pip install 'structgen-dlm[serve]'") from None
    say_if_kernels_compile()
    settings = ServerSettings(
        names=tuple(name or ()),
        keys=tuple(api_key or ()),
        key_file=api_key_file,
        workers=workers,
        waiting=waiting,
    )
    app = create_app(loaded(model), settings)
    logging.basicConfig(level=log_level.upper(), stream=sys.stderr, format="%(message)s")
    if error_console().is_terminal:
        error_console().print(f"http://{host}:{port}/v1  (Ctrl-C stops)", highlight=False)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=60,
        server_header=False,
    )
