"""The API's verbs on queues."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from types import TracebackType
    from typing import TypeVar

    from typing_extensions import Self

    from ..address import Address
    from ..ops import Store
    from .arguments import Key, Lifetime, Source, Timeout
    from .core import Fence

    T = TypeVar("T")

from ..errors import Miss, ProntoError
from ..ops import open_store, queues
from .arguments import seconds, writing
from .caller import text
from .core import Core
from .lease import Lease
from .leases import TTL


class Item:
    """An item of a queue that nobody else gets while `lease` lasts: it has the `value`, in memory, and `address` and `id` to name it.

    A `with` block is for the work on it. The lease is renewed meanwhile; the end of the block deletes the item, or raises `LeaseLost`.
    Where the work raises, the item stays hidden until the lease is over: one that always fails must not keep its workers from all others.
    """

    def __init__(self, core: Core, taken: queues.Taken, value: bytes, lease: Lease) -> None:
        self._core = core
        self._taken = taken
        self._pid = os.getpid()
        self.value = value
        self.lease = lease

    @property
    def address(self) -> str:
        """The entry that the item is."""
        return str(self._taken.item)

    @property
    def id(self) -> str:
        """What `Database.ack` and `nack` take, here and in the command."""
        return self._taken.id

    @property
    def text(self) -> str:
        """The value as text. Raises `UnicodeDecodeError` where it is not UTF-8."""
        return self.value.decode()

    def ack(self) -> None:
        """Deletes the item: it is done. Raises `LeaseLost`: others may be at it."""
        with self._core._change() as store:  # noqa: SLF001 - an item is a part of its database
            queues.finish(store, self._taken)
        self.lease.released = True

    def nack(self) -> None:
        """Gives it back: it is the oldest again. Raises `LeaseLost`."""
        with self._core._change() as store:  # noqa: SLF001 - likewise
            queues.give_back(store, self._taken)
        self.lease.released = True

    def __enter__(self) -> Self:
        self._kept = self.lease.kept()
        self._kept.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._kept.__exit__(kind, error, trace)
        if error is None and not self.lease.released and self._pid == os.getpid():
            self.ack()

    def __repr__(self) -> str:
        return f"<prontodb.Item '{self.address}', {len(self.value)} bytes>"


class Queues(Core):
    """See the module."""

    def push(self, queue: Key, value: Source, *, ttl: Lifetime | None = None, fence: Fence | None = None) -> str:
        """Adds a value to the end of a queue; the address of the item. Items are entries: `keys(queue)` lists them.

        What can be read only once is kept in the pipe cache where it fails, as by `set`.
        """
        at, write = self._queue(queue), writing(ttl)
        write.fence = self._fence(fence)
        with self._content(value, text(queue)) as content, self._change() as store:
            return str(queues.push(store, at, content, write))

    @overload
    def pop(self, queue: Key, default: None = None, *, wait: Timeout | None = None) -> bytes | None: ...
    @overload
    def pop(self, queue: Key, default: T, *, wait: Timeout | None = None) -> bytes | T: ...
    def pop(self, queue: Key, default: object = None, *, wait: Timeout | None = None) -> object:
        """Takes the oldest item out of a queue; its value, or `default` where there is none that others do not have.

        With `wait`, tries for so long, and raises `TimedOut` then. What is to be done before the item is gone is done with `take`.
        """
        try:
            item = self.take(queue, wait=wait)
        except Miss:
            return default
        item.ack()
        return item.value

    def take(self, queue: Key, lease: Lifetime = TTL, *, wait: Timeout | None = None) -> Item:
        """Leases the oldest item of a queue: `with db.take("work.jobs") as item:` works on it. Raises `Miss`, with `wait` `TimedOut`."""
        at, left = self._queue(queue), seconds(lease)
        return self._patiently(lambda: self._taken(at, left), wait)

    def ack(self, queue: Key, item: str) -> None:
        """Deletes an item that is done, by its id. Raises `LeaseLost`."""
        taken = queues.named(self._queue(queue), text(item, "an id"))
        with self._change() as store:
            queues.finish(store, taken)

    def nack(self, queue: Key, item: str) -> None:
        """Gives an item back, by its id. Raises `LeaseLost`."""
        taken = queues.named(self._queue(queue), text(item, "an id"))
        with self._change() as store:
            queues.give_back(store, taken)

    def _queue(self, queue: Key) -> Address:
        return queues.check(self._address(queue))

    def _taken(self, queue: Address, left: int) -> Item:
        from .renewal import elapsed, holder

        sent = elapsed()
        with self._seats.turn() as session:
            store = open_store(session)
            taken = queues.take(store, queue, holder(session), left)
            assert taken.found is not None
            try:
                return Item(self, taken, taken.found.read(), Lease(self, taken.lease, left, sent))
            except BaseException:
                _give_back(store, taken)
                raise


def _give_back(store: Store, taken: queues.Taken) -> None:
    """What could not be read is others' to take."""
    try:
        queues.give_back(store, taken)
    except ProntoError:
        # It comes back by itself.
        pass
