"""One call of the API's `memo`: the result that is kept, or a call of the function."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..address import Address
    from ..model import Write
    from ..ops import Store
    from .arguments import Data

from ..address import Choice, Scope, parse
from ..errors import Miss, ProntoError
from ..model import Content
from ..ops import flight, kv, memos
from .arguments import data
from .renewal import Ticking

TICK = flight.LEASE / 3
"""Seconds between two renewals while a function runs."""


class Flight:
    """See the module. Raises `InvalidAddress` where there is no room for a lease behind the address."""

    def __init__(self, store: Store, address: Address) -> None:
        here = Choice("", "default")
        self._store = store
        self._address = address
        self._lease = parse(str(memos.lease_of(address)), Scope(here, here))

    def value(self, make: Callable[[], Data], write: Write) -> bytes:
        """What is kept, or was made and is kept as `write` says."""
        lease = flight.Lease(self._store, self._lease)
        while True:
            if (kept := self._kept()) is not None:
                return kept
            if lease.take():
                return self._fly(lease, make, write)
            flight.wait(self._store, self._lease)

    def _kept(self) -> bytes | None:
        try:
            return kv.get(self._store, self._address).read()
        except Miss:
            return None

    def _fly(self, lease: flight.Lease, make: Callable[[], Data], write: Write) -> bytes:
        """Calls the function, unless somebody has just done so."""
        try:
            if (kept := self._kept()) is not None:
                return kept
            made = data(_renewed(lease, make))
            self._keep(made, write)
            return made
        finally:
            # Where that fails it ends by itself.
            with suppress(ProntoError):
                lease.release()

    def _keep(self, made: bytes, write: Write) -> None:
        """Stores the result. Where that fails, it has been made all the same."""
        try:
            kv.put(self._store, self._address, Content.of(made), write)
        except ProntoError as error:
            warnings.warn(f"The result is not kept at {self._address}: {error.message}", stacklevel=5)


def _renewed(lease: flight.Lease, make: Callable[[], Data]) -> Data:
    def renew() -> None:
        # The function goes on where that fails: at worst another one is begun.
        with suppress(flight.Lost, ProntoError):
            lease.renew()

    thread = Ticking(renew, lambda: TICK)
    thread.start()
    try:
        return make()
    finally:
        thread.stop()
