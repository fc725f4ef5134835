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

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The port to listen at, 0 for any free one.")]
ApiKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--api-key",
        metavar="KEY",
        envvar="STRUCTGEN_SERVER_KEY",
        help="A key that requests must have; may be repeated. None: anybody may ask.",
        show_default=False,
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Keys, one a line; read again when the file changes.", show_default=False
    ),
]
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--name", metavar="NAME", help="Another name of the model; may be repeated.", show_default=False
    ),
]
Rows = Annotated[
    int,
    typer.Option(min=1, help="Requests whose steps the model makes together; 1 for one after the other."),
]
Waiting = Annotated[int, typer.Option(min=0, help="Requests that may wait; more get 429.")]
LogLevel = Annotated[str, typer.Option(help="debug, info, warning or error.")]


def serve_command(
    model: Model = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    api_key: ApiKeys = None,
    api_key_file: KeyFile = None,
    name: Names = None,
    rows: Rows = 8,
    waiting: Waiting = 256,
    log_level: LogLevel = "info",
) -> None:
    """Serve a model at /v1/chat/completions, /v1/responses, /v1/decisions and /v1/systemone."""
    try:
        import uvicorn

        from structgen.server import ServerSettings, create_app
    except ImportError as error:
        raise Failure(f"{error.name} is not installed: pip install 'structgen-dlm[serve]'") from None
    say_if_kernels_compile()
    keys, names = tuple(api_key or ()), tuple(name or ())
    settings = ServerSettings(names=names, keys=keys, key_file=api_key_file, rows=rows, waiting=waiting)
    app = create_app(loaded(model), settings)
    logging.basicConfig(level=log_level.upper(), stream=sys.stderr, format="%(message)s")
    if error_console().is_terminal:
        error_console().print(f"http://{host}:{port}/v1, to watch: /live  (Ctrl-C stops)", highlight=False)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=60,
        server_header=False,
    )
