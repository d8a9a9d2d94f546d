"""The door from the operating system: `prontodb` and `python -m prontodb`."""

import _signal  # type: ignore[import-not-found]  # `signal` itself would import enum

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    # Ctrl-C ends the process by the signal, so that a calling loop ends too. Before all other imports: they take half of the time, and
    # one that is interrupted would print a traceback. Nothing needs tidying: SQLite and the spool are safe against a kill.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os
import sys
import time

from .dispatch import dispatch
from .session import Input, Output, Session


def main() -> None:
    """Runs this process's command line and ends the process."""
    if sys.argv[1:2] == ["__helper"] and len(sys.argv) == 4 and sys.argv[2].isdigit():
        from .helper import server

        server.main(sys.argv[2:], sys.argv[0])
    _occupy_standard_streams()
    streams = (Input(0), Output(1, "standard output"), Output(2, "standard error"))
    session = Session(os.environ, _cwd(), time.time, streams)
    session.program = sys.argv[0]
    session.caller = os.getppid()
    status = dispatch(_arguments(), session)
    # Everything is written and closed by now; taking the interpreter apart would cost another tenth of the start.
    os._exit(status)


def _occupy_standard_streams() -> None:
    """A stream that the caller has closed must not become the next file that is opened; /dev/null, unwritable, stands in."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        while os.open(os.devnull, os.O_RDONLY) < 2:
            pass


def _arguments() -> list[str]:
    """The command line, its bytes read as UTF-8 whatever the locale: addresses and values are bytes in every one."""
    if sys.getfilesystemencoding() == "utf-8":
        return sys.argv[1:]
    return [os.fsencode(word).decode("utf-8", "surrogateescape") for word in sys.argv[1:]]


def _cwd() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    main()
