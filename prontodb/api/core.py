"""What every topic of the API stands on: seats, addresses, contents.

A topic is a class over `Core`, in a module of its own, and `Database` inherits from all of them. A method is as long as it takes to say
which operation it is; its docstring becomes its entry in docs/reference/python.md:

    def incr(self, key: Key, by: int = 1) -> int:
        with self._change() as store:
            return conditional.increment(store, self._address(key), by)

`_call` is for what reads, `_change` for what writes, `_each` for operations that give iterators, `_steps` for those that wait,
`_patiently` for those that are tried again, `_content` for values on their way in, `_fence` for the lease that a write depends on.
No method decides anything that the command would decide in another way.
"""

from __future__ import annotations

import os
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import TypeAlias, TypeVar

    from typing_extensions import Self

    from ..address import Address, Place
    from ..model import Content
    from ..model import Fence as Held
    from ..ops import Store
    from .arguments import Key, Source, Timeout
    from .caller import Caller, Maker
    from .lease import Lease

    T = TypeVar("T")
    Fence: TypeAlias = Lease | tuple[Key, int]

from .. import intake
from ..address import parse, parse_namespace, parse_place
from ..errors import ProntoError, UsageError
from ..ops import open_store
from ..session import Piped
from ..urls import shown
from .arguments import data, pieces, timeout, token
from .caller import text
from .seats import Seats
from .steps import Steps


class Core:
    """See the module."""

    def __init__(self, make: Maker) -> None:
        self._make = make
        self._seats = Seats(make)
        self._pid = os.getpid()

    def close(self) -> None:
        """Waits for calls of other threads that are running, and closes everything. A second time does nothing."""
        self._seats.close()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._seats.closed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        # Also while the interpreter is taken apart, when little can be imported.
        seats = getattr(self, "_seats", None)
        if seats is not None and seats.used:
            warn(f"{self!r} was not closed", ResourceWarning, stacklevel=2, source=self)
            seats.close()

    def __repr__(self) -> str:
        context = self._make.context
        meta = f", meta='{context.meta.value}'" if context.meta.value else ""
        return f"<prontodb.Database '{shown(context.database.value)}', user='{context.user.value}'{meta}>"

    # For the topics

    @contextmanager
    def _call(self) -> Iterator[Store]:
        """The store, for one call."""
        with self._seats.taken() as session:
            yield open_store(session)

    @contextmanager
    def _change(self) -> Iterator[Store]:
        """The same for a call that writes: of those, one at a time."""
        with self._seats.turn() as session:
            yield open_store(session)

    @contextmanager
    def _steps(self) -> Iterator[Store]:
        """The store, for a call that lasts: see `steps`."""
        with Steps(self._seats) as store:
            yield store

    def _each(self, make: Callable[[Store], Iterator[T]]) -> Iterator[T]:
        """What an operation gives bit by bit; between two of them nothing is held but the seat."""
        seat = self._seats.take()
        try:
            with self._seats.at_work(seat) as session:
                found = make(open_store(session))
            while True:
                with self._seats.at_work(seat):
                    item = next(found, None)
                if item is None:
                    return
                yield item
        finally:
            self._seats.give(seat)

    def _patiently(self, attempt: Callable[[], T], wait: Timeout | None) -> T:
        """What an attempt returns; with `wait`, within that time. Nothing is held between two attempts. Raises `TimedOut`."""
        from ..ops import patience

        if wait is None:
            return attempt()
        return patience.patiently(attempt, timeout(wait), patience.Pace(time.monotonic, time.sleep))

    def _fence(self, fence: Fence | None) -> Held | None:
        """The lease and its token. Raises `UsageError` for a lease of another database, which would hold here by chance or never."""
        from .lease import Lease

        if fence is None:
            return None
        if isinstance(fence, tuple) and len(fence) == 2:
            return self._address(fence[0]), token(fence[1])
        if not isinstance(fence, Lease):
            raise TypeError(f"a fence is a Lease, or the address and the token of one, not {fence!r}")
        if fence.where != self._make.where:
            raise UsageError(f"The lease {fence.address} is in another database", cure="claim one in the database that is written to")
        return fence.held

    def _address(self, key: Key) -> Address:
        """Raises `InvalidAddress`."""
        return parse(text(key), self._make.scope)

    def _place(self, place: Key | None) -> Place:
        return parse_place(None if place is None else text(place, "a place"), self._make.scope)

    def _namespace(self, place: Key | None) -> Place:
        return parse_namespace(None if place is None else text(place, "a namespace"), self._make.scope)

    @contextmanager
    def _content(self, value: Source, asked: str | None, *, secret: bool = False) -> Iterator[Content]:
        """The content that a value is. What can be read only once is kept in the pipe cache if the call fails: raises `Rescued` then.

        `secret`: it is kept as one, also what a kill leaves of it.
        """
        if isinstance(value, (bytes, bytearray, memoryview, str)):
            from ..model import Content

            yield Content.of(data(value))
            return
        session = self._make()
        session.piped = Piped(asked, patient=False, secret=secret)
        content = session.piped.content = intake.copied(session, pieces(value))
        try:
            yield content
        except ProntoError as error:
            raise _rescued(session, error) from error
        finally:
            content.discard()


def _rescued(session: Caller, error: ProntoError) -> ProntoError:
    from ..salvage import salvage

    try:
        return salvage(session, error)
    finally:
        session.close()
