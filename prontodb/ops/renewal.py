"""A lease that is renewed in time, while something else goes on (decision 0018)."""

from __future__ import annotations

import os
import pwd
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..model import Content, Fence
    from ..session import Session

from ..engines.failures import LeaseLost
from ..errors import ProntoError
from ..session import Pool
from . import leases, open_store

GRACE = 2.0
"""Seconds that a program has to tidy up, at most, before what is left of it is killed."""
BRIEF = 0.5
"""Seconds that one attempt to renew may wait for a lock: a signal or the program's end may come meanwhile."""
RETRY = 0.2
"""Seconds between attempts."""


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


def holder(session: Session) -> Content:
    """What a lease of this call's tells of who has it."""
    return leases.described(session.environ.get("PRONTO_ACTOR") or _login(), os.uname().nodename, os.getpid(), session.clock())


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
