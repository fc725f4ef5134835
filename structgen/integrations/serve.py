"""Ray Serve: the server of `structgen serve` as an application, with a model in each replica.

from ray import serve
from structgen.integrations.serve import application

serve.run(application(replicas=2, num_gpus=1))
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from structgen.errors import MissingExtra

if TYPE_CHECKING:
    from structgen.model import Model
    from structgen.server import ServerSettings


def application(
    model: str | Callable[[], Model] | None = None,
    settings: ServerSettings | None = None,
    *,
    replicas: int = 1,
    num_cpus: float = 1.0,
    num_gpus: float = 0.0,
) -> Any:
    """An application for `serve.run`, which answers at /v1/… as `structgen serve` does, streams and refusals included.

    model: what `sg.load` takes, None for the embedded model, or a function that loads one in the replica
    settings: of the server; its own limits decide how many requests wait in a replica, instead of Serve's
    num_cpus, num_gpus: of each replica
    """
    serve = _serve()
    limits = settings or _settings()
    deployed = serve.deployment(
        name="structgen",
        num_replicas=replicas,
        max_ongoing_requests=limits.rows + limits.waiting,
        ray_actor_options={"num_cpus": num_cpus, "num_gpus": num_gpus},
    )

    def build() -> Any:  # Serve takes nothing but a function for a builder
        return _built(model, limits)

    return deployed(serve.ingress(build)()).bind()


def _built(model: str | Callable[[], Model] | None, settings: ServerSettings) -> Any:
    """The ASGI application, in the replica."""
    from structgen.models.load import load
    from structgen.server import create_app

    return create_app(load(model) if isinstance(model, str | None) else model(), settings)


def _settings() -> ServerSettings:
    from structgen.server import ServerSettings

    return ServerSettings()


def _serve() -> Any:
    try:
        return importlib.import_module("ray.serve")
    except ImportError as error:
        package = (error.name or "ray").partition(".")[0]
        raise MissingExtra(
            f"Ray Serve needs {package}: pip install 'structgen-dlm[serve]' 'ray[serve]'"
        ) from None
