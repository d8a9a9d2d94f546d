"""The door from the operating system: `prontodb` and `python -m prontodb`."""

import os
import sys
import time

from .dispatch import INTERRUPTED, dispatch
from .session import Input, Output, Session


def main() -> None:
    """Runs this process's command line and ends the process."""
    _occupy_standard_streams()
    streams = (Input(0), Output(1, "standard output"), Output(2, "standard error"))
    status = dispatch(sys.argv[1:], Session(os.environ, _cwd(), time.time, streams))
    if status == INTERRUPTED:
        _die_of_interrupt()
    # Everything is written and closed by now; taking the interpreter apart would cost another tenth of the start.
    os._exit(status)


def _occupy_standard_streams() -> None:
    """A stream that the caller has closed must not become the next file that is opened; /dev/null, unwritable, stands in."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        while os.open(os.devnull, os.O_RDONLY) < 2:
            pass


def _cwd() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def _die_of_interrupt() -> None:
    """By the signal itself, so that a calling shell knows and ends its loop."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()
