"""How many threads share one database: each call has a seat to itself, a session with engines of its own, for as long as it lasts.

There are as many seats as calls have ever run at once. A fork finds them with their connections closed, since a connection of SQLite's
must not be carried into a child, not even to be closed there (docs/decisions/0022-python-api.md).
"""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from .caller import Caller

    T = TypeVar("T")

from ..errors import UsageError

WAIT = 30.0
"""Seconds that a fork waits for a call of another thread. One that takes longer is left alone, and its seat is lost to the child."""


class ClosedDatabase(UsageError):
    """A `Database` was used after its `close`."""

    slug = "closed-database"


class Seat:
    """A session for one call at a time; `lock` is held while it runs."""

    __slots__ = ("held", "lock", "session")

    def __init__(self, session: Caller) -> None:
        self.session = session
        self.lock = threading.RLock()
        self.held = False


class Seats:
    """See the module. `make` makes a session."""

    def __init__(self, make: Callable[[], Caller]) -> None:
        self._make = make
        self._lock = threading.RLock()
        self._writing = threading.RLock()
        self._turn = False
        self._free: list[Seat] = []
        self._all: list[Seat] = []
        self._mourned: list[Seat] = []
        self.closed = False
        _EVERY.add(self)

    @contextmanager
    def taken(self) -> Iterator[Caller]:
        """A session for one call."""
        seat = self.take()
        try:
            with self.at_work(seat) as session:
                yield session
        finally:
            self.give(seat)

    @contextmanager
    def turn(self) -> Iterator[Caller]:
        """A session for one call that writes. They take turns: SQLite lets waiting ones sleep and wake by chance, until one gives up."""
        with self._writing, self.taken() as session:
            yield session

    @contextmanager
    def brief(self, seconds: float) -> Iterator[Caller]:
        """The same for a write that waits for so long at most, for its turn and for every lock: whoever makes it is short of time."""
        mine = self._writing.acquire(timeout=seconds)
        try:
            with self.taken() as session:
                session.hurry(seconds)
                yield session
        finally:
            if mine:
                self._writing.release()

    def take(self) -> Seat:
        """A seat that nobody else has. Raises `ClosedDatabase`."""
        with self._lock:
            self._check()
            if self._free:
                return self._free.pop()
            seat = Seat(self._make())
            self._all.append(seat)
            return seat

    def give(self, seat: Seat) -> None:
        """Gives a seat back."""
        with self._lock:
            if seat in self._all and seat not in self._free:
                self._free.append(seat)

    @contextmanager
    def turn_of(self, seat: Seat) -> Iterator[Caller]:
        """The session of a seat that was taken, for one step that writes."""
        with self._writing, self.at_work(seat) as session:
            yield session

    @contextmanager
    def at_work(self, seat: Seat) -> Iterator[Caller]:
        """The session of a seat that was taken, for one step. Raises `ClosedDatabase`."""
        with seat.lock:
            self._check()
            seat.session.begin()
            try:
                yield seat.session
            finally:
                _tell(seat.session)

    def close(self) -> None:
        """Waits for calls that are running, and closes everything."""
        with self._lock:
            self.closed = True
            for seat in self._all:
                with seat.lock:
                    seat.session.close()
            self._all, self._free = [], []

    @property
    def used(self) -> bool:
        """Whether there is anything to close."""
        return bool(self._all)

    def hold(self) -> None:
        """Before a fork: nobody begins a call, and all connections are closed."""
        self._turn = self._writing.acquire(timeout=WAIT)
        self._lock.acquire()
        for seat in self._all:
            seat.held = seat.lock.acquire(timeout=WAIT)
            if seat.held:
                seat.session.rest()

    def go_on(self, *, child: bool) -> None:
        """After it. In the child, the seats of other threads' calls are gone: neither used nor closed again."""
        for seat in self._all:
            if seat.held:
                seat.lock.release()
        if child:
            self._mourned += [seat for seat in self._all if not seat.held]
            self._all = [seat for seat in self._all if seat.held]
        self._lock.release()
        if self._turn:
            self._writing.release()
        elif child:
            self._writing = threading.RLock()

    def _check(self) -> None:
        if self.closed:
            raise ClosedDatabase("The database is closed", cure="open it again with prontodb.open()")


_EVERY: weakref.WeakSet[Seats] = weakref.WeakSet()
_HELD: list[Seats] = []
_FORKING = threading.RLock()
"""Of threads that fork at the same time, one after the other."""


def _before_fork() -> None:
    _FORKING.acquire()
    _HELD[:] = list(_EVERY)
    for seats in _HELD:
        seats.hold()


def _after_fork(*, child: bool) -> None:
    while _HELD:
        _HELD.pop().go_on(child=child)
    _FORKING.release()


os.register_at_fork(before=_before_fork, after_in_parent=lambda: _after_fork(child=False), after_in_child=lambda: _after_fork(child=True))


def _tell(session: Caller) -> None:
    """What an engine wants known, as warnings."""
    for engine in session.pool.engines.values():
        while engine.notices:
            warnings.warn(engine.notices.pop(0), stacklevel=6)
