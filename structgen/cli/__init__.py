"""The command line: `structgen demo`, `extract`, `decide`, `fill`, `call` and the others, a module for each.


Results go to stdout, progress and errors to stderr. Exit codes: 0 fine, 1 failure, 2 wrong usage or
an unreadable document, 3 some of several documents failed, 130 interrupted.
Everything heavy is imported inside the commands, so that `structgen --help` answers at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from structgen.cli.batch import batch_command
from structgen.cli.call import call_command
from structgen.cli.check import check_command
from structgen.cli.compile import compile_command
from structgen.cli.decide import decide_command
from structgen.cli.demo import demo_command
from structgen.cli.doctor import doctor_command
from structgen.cli.extract import extract_command
from structgen.cli.failure import INTERRUPTED, silent_warnings
from structgen.cli.failure import report as report_failure
from structgen.cli.fill import fill_command
from structgen.cli.grammars import grammars
from structgen.cli.mcp import mcp_command
from structgen.cli.model import let_threads_sleep
from structgen.cli.report import report_command
from structgen.cli.serve import serve_command
from structgen.cli.terminal import speak_utf8
from structgen.surface import COMMAND_LINE, standing_at

app = typer.Typer(
    name="structgen",
    help="Typed values out of documents: every answer satisfies the schema, and every answer ends.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo_command)
app.command("extract")(extract_command)
app.command("batch")(batch_command)
app.command("decide")(decide_command)
app.command("fill")(fill_command)
app.command("call")(call_command)
app.command("mcp")(mcp_command)
app.command("compile")(compile_command)
app.command("check")(check_command)
app.command("report")(report_command)
app.command("serve")(serve_command)
app.add_typer(grammars, name="grammars")
app.command("doctor")(doctor_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from structgen import __version__

        typer.echo(f"structgen {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Options of the program as a whole."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; no error ever shows as a traceback."""
    speak_utf8()
    let_threads_sleep()
    try:
        with silent_warnings(), standing_at(COMMAND_LINE):
            code = app(
                args=None if arguments is None else list(arguments),
                prog_name="structgen",
                standalone_mode=False,
            )
            sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:
        return report_failure(error)
