"""The API's verbs on leases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .arguments import Key, Lifetime, Timeout

from ..ops import leases, open_store
from .arguments import seconds
from .arguments import token as checked
from .core import Core
from .lease import Lease

TTL = 60
"""Seconds that a lease lasts unless it is told or renewed."""


class Leases(Core):
    """See the module."""

    def claim(self, key: Key, ttl: Lifetime = TTL, *, wait: Timeout | None = None) -> Lease:
        """Gets the lease at an address, for `ttl`: `with db.claim("work.lock.deploy") as lease:` keeps it for the block.

        Held by others: raises `LeaseHeld`, or with `wait` tries for so long and raises `TimedOut` then.
        """
        from .renewal import elapsed, holder

        address, left = self._address(key), seconds(ttl)

        def attempt() -> Lease:
            sent = elapsed()
            with self._seats.turn() as session:
                got = leases.claim(open_store(session), address, holder(session), left)
            return Lease(self, (address, got), left, sent)

        return self._patiently(attempt, wait)

    def lease(self, key: Key, token: int, ttl: Lifetime = TTL) -> Lease:
        """A lease that was claimed elsewhere, by its token: to renew it, to release it, to keep it in a `with` block. Asks nothing yet.

        Below `prontodb claim … -- COMMAND` the command above renews and releases the lease that `PRONTO_LEASE` and `PRONTO_TOKEN` name:
        there a fence is enough, `fence=(os.environ["PRONTO_LEASE"], int(os.environ["PRONTO_TOKEN"]))`.
        """
        return Lease(self, (self._address(key), checked(token)), seconds(ttl))
