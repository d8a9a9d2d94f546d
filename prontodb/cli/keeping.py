"""Keeping a lease while a program runs, and ending the program where that cannot be done (decision 0018)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..session import Session

from .. import render
from ..engines import scheme
from ..engines.failures import LeaseLost
from ..errors import ProntoError
from ..ops.renewal import Keeper
from ..paths import database_file
from ..resolve import VARIABLES
from .fencing import VARIABLE
from .jobs import Job, Signals

NOT_FOUND, NOT_EXECUTABLE = 127, 126
INHERITED = ("user", "cursor", "database", "meta")
"""What options of the call say of the context, for the program's own calls too."""


def run(
    session: Session,
    keeper: Keeper,
    command: tuple[str, ...],
    finish: Callable[[int | None], None],
    *,
    more: Mapping[str, str],
    stdin: int | None,
) -> int:
    """Runs a program while the lease is kept; its status as shells count it.

    `finish` is told that, None where the program could not be started, and does away with the lease.

    Raises `LeaseLost` once all of the program has been ended, or where it had ended when that was seen.
    """
    environ = {**session.environ, **_context(session), VARIABLE: str(keeper.lease[0]), "PRONTO_TOKEN": str(keeper.lease[1]), **more}
    # The program may run for hours: nothing is to be held open meanwhile.
    session.pool.close()
    with Signals() as signals:
        keeper.keep()
        try:
            job = Job(command, environ, stdin=stdin)
        except OSError as error:
            finish(None)
            return _not_started(session, command[0], error)
        status = _watched(job, keeper, signals, command[0])
        _finished(session, lambda: finish(status), status)
    job.die_likewise()
    return status


def _watched(job: Job, keeper: Keeper, signals: Signals, name: str) -> int:
    try:
        while (status := job.ended(lambda: keeper.keep(now=True))) is None:
            for signum in signals.wait(keeper.wait()):
                job.send(signum)
            keeper.keep()
        return status
    except LeaseLost as lost:
        job.end(keeper.grace)
        lost.message += f"; '{name}' was ended"
        raise
    except BaseException:
        job.end(keeper.grace)
        raise


def _finished(session: Session, finish: Callable[[], None], status: int) -> None:
    """Where the lease cannot be ended now, it ends by itself; where it was over already, the program was not alone."""
    try:
        finish()
    except LeaseLost as lost:
        lost.message += f" any more, and was not to the end of the command, whose status was {status}"
        raise
    except ProntoError as error:
        render.line(session.stderr, f"prontodb: The lease is left to end by itself: {error.message}")


def _not_started(session: Session, name: str, error: OSError) -> int:
    missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
    why = f"No such command: {name}" if missing else f"Cannot run {name}: {error.strerror}"
    render.report(session, ProntoError(why))
    return NOT_FOUND if missing else NOT_EXECUTABLE


def _context(session: Session) -> dict[str, str]:
    """The variables that say to the program what options have said to this call."""
    given = {name: value for name in INHERITED if (value := getattr(session.flags, name)) is not None}
    database = given.get("database", "")
    if database.startswith(("./", "sqlite://./")) and scheme(database) == "sqlite":
        given["database"] = database_file(database, session.environ, session.cwd, session.context().user.value)
    return {VARIABLES[name]: value for name, value in given.items()}
