"""The command line as a program: it runs, and ends without taking apart what it has loaded."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn

from structgen.cli import main


def program() -> NoReturn:
    """Run the command line as the whole process."""
    _leave(main())


def _leave(code: int) -> NoReturn:
    """End the process as `sys.exit` does, but leave its memory to the operating system.

    The interpreter would pass over the half a million objects of torch and numba several times and free them one by
    one: a quarter of the CPU time of a fresh `structgen extract`. Threads are waited for as ever.
    """
    wait, at_exit = getattr(threading, "_shutdown", None), getattr(atexit, "_run_exitfuncs", None)
    if wait is None or at_exit is None:
        sys.exit(code)  # a Python that names them otherwise
    wait()
    at_exit()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    program()
