"""What the Python API hands out besides bytes: entries, values that are read piece by piece, differences, rescued content."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Buffer

    from ..address import Address
    from ..model import Entry as Stored
    from ..ops.history import Event as Happened
    from ..ops.history import Plan
    from ..ops.overlay import Difference as Different
    from ..ops.overlay import Effective
    from ..ops.rescued import Item
    from ..ops.watching import Event as Seen
    from ..past import Version
    from .seats import Seat, Seats

from ..address import Address as At
from ..errors import Busy
from ..ops.secrets import is_secret

HIDDEN = b"***"


class Discreet:
    """A record that does not show the value of a secret where it is printed: that ends in logs."""

    secret: bool

    def __repr__(self) -> str:
        told = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        if self.secret and told["value"] is not None:
            told["value"] = HIDDEN
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in told.items())})"


@dataclass(frozen=True, repr=False)
class Entry(Discreet):
    """A stored value and what is known of it. `address` is what was asked for, `layer` where it was found: the same, unless it was
    looked up under contexts. `expires` is in Unix seconds; None: never. `revision` grows with every write of the meta. `secret`: it lies in
    a namespace `sec`, or was stored as a secret; then `repr` does not show the value.
    """

    address: str
    value: bytes
    revision: int
    expires: int | None
    layer: str
    secret: bool = False

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return len(self.value)

    @property
    def key(self) -> str:
        """The last part of the address, without a context."""
        return self._at.key

    @property
    def context(self) -> str:
        """The context that the address names; "" for none."""
        return self._at.context

    @property
    def text(self) -> str:
        """The value as text. Raises `UnicodeDecodeError` where it is not UTF-8."""
        return self.value.decode()

    @property
    def _at(self) -> Address:
        return At(*self.address.split(".", 2))


@dataclass(frozen=True)
class Difference:
    """A key of which something else holds under one set of contexts (`left`) than under another (`right`); None: nothing does."""

    key: str
    left: Entry | None
    right: Entry | None


@dataclass(frozen=True, repr=False)
class Event(Discreet):
    """What happened to an entry: `kind` is `set`, `lifetime` (it ends at another time), `deleted` or `expired`.

    `time` is when that was seen, in Unix seconds, or when the entry expired. `value`, `size` and `expires` are of what is there now, None
    where nothing is; `value` is None as well where it is larger than 64 KiB, or was not wanted. `initial`: it was there already.
    """

    kind: str
    address: str
    revision: int
    time: float
    value: bytes | None
    size: int | None
    expires: int | None
    initial: bool
    secret: bool

    @property
    def text(self) -> str | None:
        """The value as text. Raises `UnicodeDecodeError` where it is not UTF-8."""
        return None if self.value is None else self.value.decode()


@dataclass(frozen=True)
class Change:
    """One change of an entry: `what` is `created`, `changed` or `deleted`; `time` in Unix seconds, None (and `actor` "") from before a
    history was kept. `size` and `expires` are of the value that it left, None for a deletion. `kept`: whether that value can be had, by
    `entry_at`; None where that is not known, as in `log`.
    """

    address: str
    revision: int
    time: float | None
    actor: str
    what: str
    size: int | None
    expires: int | None
    kept: bool | None


@dataclass(frozen=True)
class Undone:
    """What undoing an actor's changes came to, as addresses: those whose former value stands there again, those that are gone again, those
    that others have changed since, and those of which what was there is not kept.
    """

    restored: list[str]
    deleted: list[str]
    touched: list[str]
    unkept: list[str]


@dataclass(frozen=True)
class RescuedContent:
    """What the pipe cache holds under `address`: sent to `asked` ("" where nothing was named), and why it did not get there.

    Times are in Unix seconds; `expires` None: kept. `state` is `cached` (an entry), `spooled` (a file), `partial` (a file of content
    that was cut off) or `arriving`.
    """

    address: str
    asked: str
    reason: str
    size: int
    created: int
    expires: int | None
    state: str


def entry(address: Address, found: Stored, value: bytes, layer: Address | None = None) -> Entry:
    """An `Entry` of what an engine gave."""
    return Entry(str(address), value, found.revision, found.expires, str(layer or address), is_secret(layer or address, found))


def effective(address: Address, one: Effective | None) -> Entry | None:
    """An `Entry` of what holds of an address."""
    return None if one is None else entry(address, one.entry, one.entry.value or b"", one.layer)


def difference(address: Address, each: Different) -> Difference:
    """A `Difference` of one of ours."""
    return Difference(each.key, effective(address, each.left), effective(address, each.right))


def event(seen: Seen) -> Event:
    """An `Event` of one of ours."""
    now = seen.entry
    value, size, expires = (now.value, now.size, now.expires) if now else (None, None, None)
    secret = is_secret(seen.address, now)
    return Event(seen.kind, str(seen.address), seen.revision, seen.time, value, size, expires, seen.initial, secret)


def change(event: Happened, version: Version | None) -> Change:
    """A `Change` of one of ours, and the version that it made, where that is at hand."""
    made = event.change
    expires, kept = (version.expires, version.kept) if version else (None, None)
    return Change(str(event.address), made.revision, made.time, made.actor, event.what, event.size, expires, kept)


def undone(plan: Plan) -> Undone:
    """An `Undone` of one of ours."""
    restored, deleted = ([str(step.address) for step in plan.steps if bool(step.to) is there] for there in (True, False))
    return Undone(restored, deleted, [str(address) for address in plan.touched], [str(address) for address in plan.gone])


def rescued(item: Item) -> RescuedContent:
    """A `RescuedContent` of one of ours."""
    state = "arriving" if item.arriving else "partial" if item.partial else "spooled" if item.spooled else "cached"
    return RescuedContent(item.address, item.asked, item.reason, item.size, item.created, item.expires, state)


class Value(io.BufferedReader):
    """A value as a binary file that is read piece by piece, in constant memory, and of one revision to its end; a context manager.

    `size` in bytes, `revision` and `expires` as in `Entry`. One that is open cannot be read on where the database is closed (raises
    `ClosedDatabase`) or, beyond 16 MiB, where the process forks meanwhile (raises `Busy`): never does it seem to end early.
    """

    def __init__(self, pieces: Pieces, found: Stored) -> None:
        super().__init__(pieces, 1 << 16)
        self.size = found.size
        self.revision = found.revision
        self.expires = found.expires


class Pieces(io.RawIOBase):
    """The pieces as a raw file; has its seat until it is closed."""

    def __init__(self, seats: Seats, seat: Seat, pieces: Iterator[bytes], size: int) -> None:
        super().__init__()
        self._seats = seats
        self._seat: Seat | None = seat
        self._pieces = pieces
        self._left = size
        self._rest = memoryview(b"")
        self._pid = os.getpid()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """As a file's."""
        if not self._rest and self._left:
            self._rest = memoryview(self._next())
            self._left -= len(self._rest)
        target = memoryview(buffer).cast("B")
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        """Gives the seat back."""
        seat, self._seat = self._seat, None
        if seat is not None and self._pid == os.getpid():
            self._seats.give(seat)
        super().close()

    def _next(self) -> bytes:
        assert self._seat is not None
        if self._pid != os.getpid():
            raise Busy("This value was opened by another process, which goes on reading it", cure="open it again")
        with self._seats.at_work(self._seat):
            for piece in self._pieces:
                if piece:
                    return piece
        raise Busy("The value was let go of while it was read", cure="open it again")
