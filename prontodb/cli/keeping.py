"""Keeping a lease while a program runs, and ending the program where that cannot be done (decision 0018)."""

from __future__ import annotations

import os
import pwd
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..model import Content, Fence
    from ..session import Session

from .. import render
from ..engines import scheme
from ..engines.failures import LeaseLost
from ..errors import ProntoError
from ..ops import leases, open_store
from ..paths import database_file
from ..resolve import VARIABLES
from ..session import Pool
from .fencing import VARIABLE
from .jobs import Job, Signals

GRACE = 2.0
"""Seconds that a program has to tidy up, at most, before what is left of it is killed."""
BRIEF = 0.5
"""Seconds that one attempt to renew may wait for a lock: a signal or the program's end may come meanwhile."""
RETRY = 0.2
"""Seconds between attempts."""
NOT_FOUND, NOT_EXECUTABLE = 127, 126
INHERITED = ("user", "cursor", "database", "meta")
"""What options of the call say of the context, for the program's own calls too."""


class Brief(Pool):
    """Engines that wait for no lock for long."""

    __slots__ = ()

    def timeout(self) -> float:
        """Seconds."""
        return min(BRIEF, super().timeout())


class Keeper:
    """When a lease is to be renewed, and until when it is sure to be ours, by this machine's own clock.

    It is counted from before the last renewal that was done had been sent: whatever the store's clock says then, it ends no earlier.
    """

    def __init__(self, session: Session, lease: Fence, ttl: int, sent: float) -> None:
        self.lease = lease
        self.grace = min(GRACE, ttl / 6)
        self._session = session
        self._brief = Brief()
        self._brief.session = session
        self._ttl = ttl
        self._sure = sent + ttl
        self._next = sent + ttl / 3

    def wait(self) -> float:
        """Seconds until the next renewal."""
        return self._next - elapsed()

    def keep(self, *, now: bool = False) -> None:
        """Renews it if that is due, or `now`. Raises `LeaseLost`; whatever else goes wrong is tried again, until it would be too late."""
        sent = elapsed()
        if not now and sent < self._next:
            return
        try:
            self._renew()
        except LeaseLost:
            raise
        except ProntoError as error:
            # Another attempt may take as long as this one did, and the program must be gone before others can have the lease.
            if elapsed() + RETRY + elapsed() - sent >= self._sure - self.grace:
                raise LeaseLost(
                    f"{self.lease[0]} could not be renewed in time: {error.message}", cure=error.cure, address=str(self.lease[0])
                ) from error
            self._next = elapsed() + RETRY
        else:
            self._sure = sent + self._ttl
            self._next = sent + self._ttl / 3

    def _renew(self) -> None:
        pool, self._session.pool = self._session.pool, self._brief
        try:
            store = open_store(self._session)
            try:
                leases.renew(store, self.lease, self._ttl)
            finally:
                store.engine.rest()
        finally:
            self._session.pool = pool


def elapsed() -> float:
    """Seconds that pass, also while the machine sleeps, and whoever sets its clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


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


def holder(session: Session) -> Content:
    """What a lease of this call's tells of who has it."""
    return leases.described(session.environ.get("PRONTO_ACTOR") or _login(), os.uname().nodename, os.getpid(), session.clock())


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
