"""Queues: items are ordinary entries below the queue's address, taken under a lease, and deleted once they are done."""

from ..address import Address, Choice, Scope, parse
from ..engines import queued
from ..errors import Miss, UsageError
from . import leases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Content, Fence, Found, Write
    from . import Store

NUMBERS = 18
"""Digits of the largest number that can be one."""


class Taken:
    """An item and the lease that its taker has on it; `id` names both to `ack` and `nack`."""

    __slots__ = ("found", "item", "lease")

    def __init__(self, item: Address, token: int) -> None:
        self.item = item
        self.lease: Fence = (queued.lease(item), token)
        self.found: Found | None = None

    @property
    def id(self) -> str:
        """The number of the item and the token of the lease."""
        return f"{int(self.item.name.rpartition('/')[2])}-{self.lease[1]}"


def check(queue: Address) -> Address:
    """The address of a queue, whose items can have names. Raises `UsageError`, and `InvalidAddress` where it is too long."""
    if queue.context:
        raise UsageError(
            f"Invalid queue '{queue}': a queue has no context", cure=f"{queue.key}-{queue.context} would do", address=str(queue)
        )
    here = Choice("", "default")
    parse(f"{queue}{queued.item('', 0)}{queued.LEASE}", Scope(here, here))
    return queue


def push(store: "Store", queue: Address, content: "Content", write: "Write") -> Address:
    """Adds an item at the end; its address."""
    write.numbered = True
    number = store.engine.put(queue, content, write, store.now)
    return Address(queue.project, queue.namespace, queued.item(queue.name, number))


def take(store: "Store", queue: Address, holder: "Content", ttl: int) -> Taken:
    """Leases the first item that nobody has, for `ttl` seconds, with its value. Raises `Miss`."""
    while found := store.engine.take(queue, holder, ttl, store.now):
        taken = Taken(*found)
        taken.found = store.engine.get(taken.item, store.now)
        if taken.found is not None:
            return taken
        # It was deleted, or has expired, since.
        give_back(store, taken)
    raise Miss(
        f"Nothing to take from {queue}: it is empty, or others have all of it", cure=f"prontodb push {queue} VALUE", address=str(queue)
    )


def named(queue: Address, text: str) -> Taken:
    """What an id stands for. Raises `UsageError`."""
    number, dash, token = text.partition("-")
    if not (dash and all(part.isascii() and part.isdigit() and len(part) <= NUMBERS for part in (number, token))):
        raise UsageError(f"Invalid id '{text}': it looks like 17-42", cure=f"prontodb pop {queue} --lease 60s --json tells one")
    return Taken(Address(queue.project, queue.namespace, queued.item(queue.name, int(number))), int(token))


def finish(store: "Store", taken: Taken) -> None:
    """Deletes an item that is done. Raises `LeaseLost` where its lease is over: somebody else may be at it."""
    leases.release(store, taken.lease, taken.item)


def give_back(store: "Store", taken: Taken) -> None:
    """Lets others have it. Raises `LeaseLost` where they may already."""
    leases.release(store, taken.lease)
