"""One flight across processes: of all who want the same thing done, one does it, and the others wait for what comes of it.

Who flies holds a lease: an entry that ends soon, put where none was and renewed while the work goes on. If the holder dies, the lease
ends by itself, and the next one flies.
"""

import os
from time import sleep

from ..engines.failures import LeaseLost, PreconditionFailed
from ..errors import Miss
from ..model import Content, Write
from . import kv, leases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..address import Address
    from . import Store

LEASE = 3
"""Seconds that a lease lasts without being renewed."""
PAUSE = 0.02
"""Seconds between two looks of one who waits."""


class Lost(Exception):
    """A lease ended before it was renewed (the process was stopped, or the store not to be had): somebody else may fly by now."""


class Lease:
    """The right to fly, until `release`. `token` tells this flight from others."""

    def __init__(self, store: "Store", address: "Address") -> None:
        self._store = store
        self._address = address
        self.token = os.urandom(8).hex()
        self._revision = 0

    def take(self) -> bool:
        """Whether nobody else has it."""
        try:
            self._revision = kv.put(self._store, self._address, Content.of(self.token.encode()), Write(LEASE, absent=True))
        except PreconditionFailed:
            return False
        return True

    def renew(self) -> None:
        """Makes it last from now on. Raises `Lost`."""
        try:
            leases.renew(self._store, (self._address, self._revision), LEASE)
        except LeaseLost as error:
            raise Lost from error

    def release(self) -> None:
        """Ends it, unless it is somebody else's by now."""
        try:
            # Nobody wants to know who flew: nothing of it stays in the history.
            self._store.engine.delete([self._address], self._store.now, purge=True, fence=(self._address, self._revision))
        except LeaseLost:
            pass


def holder(store: "Store", address: "Address") -> str:
    """The token of the flight that is under way; "" for none."""
    try:
        return kv.get(store, address).read().decode("ascii", "replace")
    except Miss:
        return ""


def wait(store: "Store", address: "Address") -> str:
    """Waits until the flight that is under way has ended, however; its token, "" where there was none."""
    token = now = holder(store, address)
    while now and now == token:
        sleep(PAUSE)
        now = holder(store, address)
    return token
