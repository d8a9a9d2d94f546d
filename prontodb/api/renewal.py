"""Threads that keep what ends by itself: loaded where something is to be kept, since it takes the command's rules for that."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..model import Fence
    from .caller import Maker
    from .seats import Seats

from ..engines.failures import LeaseLost
from ..ops import leases, open_store
from ..ops.renewal import BRIEF, Keeper, elapsed, holder
from .seats import ClosedDatabase

__all__ = ["Ticking", "elapsed", "holder", "renewing"]


class Ticking(threading.Thread):
    """Calls `tick` again and again, after as many seconds as `pause` says, until `stop`, or until it says that it is lost."""

    def __init__(self, tick: Callable[[], None], pause: Callable[[], float]) -> None:
        super().__init__(name="prontodb renewal", daemon=True)
        self.lost: LeaseLost | None = None
        self._tick = tick
        self._pause = pause
        self._over = threading.Event()
        self._pid = os.getpid()

    def run(self) -> None:
        """The thread's."""
        try:
            while not self._over.wait(max(0.0, self._pause())):
                self._tick()
        except LeaseLost as lost:
            self.lost = lost

    def stop(self) -> None:
        """Waits until a call that runs is over. In the child of a fork there is nothing to stop."""
        if self._pid == os.getpid():
            self._over.set()
            self.join()


class _Keeper(Keeper):
    """The command's, with a seat of a `Database` instead of a session of its own."""

    def __init__(self, make: Maker, seats: Seats, lease: Fence, ttl: int, sent: float) -> None:
        super().__init__(make(), lease, ttl, sent)
        self._seats = seats

    def _renew(self) -> None:
        try:
            with self._seats.brief(BRIEF) as session:
                leases.renew(open_store(session), self.lease, self._ttl)
        except ClosedDatabase as closed:
            # It will not be open again: nothing to try until the lease is over.
            raise LeaseLost(
                f"{self.lease[0]} cannot be renewed: {closed.message}", cure=closed.cure, address=str(self.lease[0])
            ) from closed


def renewing(make: Maker, seats: Seats, lease: Fence, ttl: int, sent: float) -> Ticking:
    """A thread that keeps a lease which lasts for `ttl` seconds, counted from when that was `sent`."""
    keeper = _Keeper(make, seats, lease, ttl, sent)
    return Ticking(keeper.keep, keeper.wait)
