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
    from collections.abc import Callable, Iterable, Iterator
    from datetime import timedelta
    from types import TracebackType
    from typing import IO, TypeAlias, TypeVar

    from typing_extensions import Self

    from ..address import Address, Place
    from ..model import Content, Write
    from ..model import Fence as Held
    from ..ops import Store
    from .caller import Caller, Maker
    from .leases import Lease

    T = TypeVar("T")
    Key = str | bytes
    Data = bytes | bytearray | memoryview | str
    Source = Data | IO[bytes] | Iterable[bytes]
    Lifetime = int | str | timedelta
    Timeout = float | str | timedelta
    Fence: TypeAlias = Lease | tuple[Key, int]
    Contexts = str | list[str] | tuple[str, ...]

from .. import intake
from ..address import parse, parse_namespace, parse_place
from ..errors import ProntoError, UsageError
from ..model import INHERIT, PIECE
from ..ops import open_store
from ..session import Piped
from ..urls import shown
from .caller import text
from .seats import Seats
from .steps import Steps

MOST = 10**18
"""What numbers that are stored or named stay below."""


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
        from .leases import Lease

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


def data(value: Data) -> bytes:
    """The bytes of a value; text as UTF-8."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"a value is bytes or str, not {type(value).__name__}")


def pieces(source: IO[bytes] | Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a binary file, or of an iterable of bytes, in pieces."""
    read = getattr(source, "read", None)
    if read is None and isinstance(source, (int, float, dict)):
        raise TypeError(f"a value is bytes, str, a binary file or an iterable of bytes, not {type(source).__name__}")
    for piece in iter(lambda: read(PIECE), b"") if read else source:
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise TypeError(f"a piece of a value is bytes, not {type(piece).__name__}")
        whole = bytes(piece)
        yield from (whole[at : at + PIECE] for at in range(0, len(whole), PIECE))


def seconds(lifetime: Lifetime) -> int:
    """A lifetime in seconds, from a number of them, `15m`, or a `timedelta` of whole seconds. Raises `InvalidDuration`."""
    from datetime import timedelta

    from .. import durations

    if isinstance(lifetime, timedelta):
        whole = lifetime // timedelta(seconds=1)
        return durations.parse(str(whole) if whole * timedelta(seconds=1) == lifetime else str(lifetime))
    if isinstance(lifetime, bool) or not isinstance(lifetime, (int, str)):
        raise TypeError(f"a lifetime is int, str or timedelta, not {type(lifetime).__name__}")
    return durations.parse(str(lifetime))


def timeout(wait: Timeout) -> float:
    """Seconds to wait, from a number of them, `"15m"`, or a `timedelta`. Raises `InvalidDuration`."""
    from datetime import timedelta

    from .. import durations

    if isinstance(wait, timedelta):
        wait = wait.total_seconds()
    if isinstance(wait, bool) or not isinstance(wait, (int, float, str)):
        raise TypeError(f"a time to wait is int, float, str or timedelta, not {type(wait).__name__}")
    return durations.parse_timeout(wait if isinstance(wait, str) else f"{wait:f}")


def token(number: int) -> int:
    """A token of a lease, which is a revision. Raises `UsageError`."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"a token is int, not {type(number).__name__}")
    if not 0 < number < MOST:
        raise UsageError(f"Invalid token {number}", cure="the token that claim gave")
    return number


def writing(ttl: Lifetime | None) -> Write:
    """A write with a lifetime; None: that of the namespace."""
    from ..model import Write

    return Write(INHERIT if ttl is None else seconds(ttl))
