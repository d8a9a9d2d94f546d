"""What lasts long, in steps: between two of them the database can be closed, the process can fork, and other threads get on.

Operations that wait are given a store whose engine is a `_Stepping`: each question to it is a step of the seat's own, and a wait is many.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..address import Address
    from ..engines.base import Engine
    from .seats import Seat, Seats

from ..model import Found
from ..ops import Store, open_store

SLICE = 0.2
"""Seconds that a wait holds the seat at a time."""
GAP = 0.002
"""Seconds for which it lets go of it then. A lock that is taken again at once seldom passes to another: forks took twice as long."""
WRITES = {"put", "delete", "expire"}
"""Verbs that take their turn among those that write."""


class Steps:
    """A seat for as long as something lasts. With `with`, or by `begin` and `end`."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._seat: Seat | None = None

    def begin(self) -> Store:
        """The store."""
        self._seat = seat = self._seats.take()
        try:
            with self._seats.at_work(seat) as session:
                store = open_store(session)
                return Store(cast("Engine", _Stepping(self._seats, seat, store.engine)), store.database, session)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Gives the seat back. A second time does nothing."""
        seat, self._seat = self._seat, None
        if seat is not None:
            self._seats.give(seat)

    def __enter__(self) -> Store:
        return self.begin()

    def __exit__(self, *_: object) -> None:
        self.end()


class _Stepping:
    """An engine that is asked in steps."""

    def __init__(self, seats: Seats, seat: Seat, engine: Engine) -> None:
        self._seats = seats
        self._seat = seat
        self._engine = engine

    def changed(self, seconds: float) -> bool:
        """As an engine's."""
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            with self._seats.at_work(self._seat):
                if self._engine.changed(max(0.0, min(left, SLICE))):
                    return True
            if left <= SLICE:
                return False
            time.sleep(GAP)

    def get(self, address: Address, now: float, *, expired: bool = False) -> Found | None:
        """As an engine's; each piece is a step, too."""
        with self._seats.at_work(self._seat):
            found = self._engine.get(address, now, expired=expired)
        return found and Found(found.entry, self._pieces(found.pieces))

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        """Any other verb of the engine's."""
        call = getattr(self._engine, verb)
        step = self._seats.turn_of if verb in WRITES else self._seats.at_work

        def ask(*arguments: Any, **options: Any) -> Any:
            with step(self._seat):
                return call(*arguments, **options)

        return ask

    def _pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        while True:
            with self._seats.at_work(self._seat):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece
