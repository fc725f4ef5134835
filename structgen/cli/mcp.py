"""`structgen mcp`: the verbs as tools of an agent, over stdin and stdout."""

from __future__ import annotations

from structgen.cli.model import loaded, say_if_kernels_compile
from structgen.cli.options import Model
from structgen.errors import MissingExtra


def mcp_command(model: Model = None) -> None:
    """Serve extract, decide and fill to an agent: the Model Context Protocol on stdin and stdout."""
    try:
        import fastmcp  # noqa: F401
    except ImportError as error:
        raise MissingExtra(f"structgen mcp needs {error.name}: pip install 'structgen-dlm[mcp]'") from None
    from structgen.mcp.server import server

    say_if_kernels_compile()
    server(loaded(model)).run(transport="stdio", show_banner=False, log_level="ERROR")
