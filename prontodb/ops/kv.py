"""Single entries: get, put, delete, copy, and how long they live."""

from ..address import Address
from ..errors import Miss, UsageError
from ..model import SECRETS, end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model import Content, Fence, Found, Write
    from . import Store


def get(store: "Store", address: Address, *, expired: bool = False) -> "Found":
    """The entry. Raises `Miss`."""
    found = _get_cached(store, address) if cached(address) else None
    found = found or store.engine.get(address, store.now, expired=expired)
    if found is None:
        raise missing(address)
    return found


def put(store: "Store", address: Address, content: "Content", write: "Write") -> int:
    """Stores; the new revision. Raises `PreconditionFailed` where a condition of `write` does not hold."""
    if write.expected is not None:
        return _put_over(store, address, content, write)
    return store.engine.put(address, content, write, store.now)


def delete(store: "Store", addresses: "Iterable[Address]", fence: "Fence | None" = None, *, purge: bool = False) -> list[Address]:
    """Removes all that are there, in one step, with `purge` their history too; those that were not. Raises `LeaseLost`."""
    wanted = list(addresses)
    done = set(store.engine.delete(wanted, store.now, purge=purge, fence=fence))
    return [address for address in wanted if address not in done and not _drop(store, address)]


def exists(store: "Store", address: Address) -> bool:
    """Whether there is a live entry."""
    try:
        return bool(get(store, address))
    except Miss:
        return False


def copy(store: "Store", source: Address, target: Address, write: "Write", *, move: bool = False, keep: bool = False) -> None:
    """Copies a value; one from the pipe cache is moved, since it has arrived. Raises `Miss`."""
    if source == target:
        raise UsageError(f"Source and destination are the same: {source}", address=str(source))
    if source.namespace == SECRETS and target.namespace != SECRETS:
        # Out there nothing but a mark tells.
        write.secret = True
    if store.engine.copy(source, target, write, store.now, move=move or cached(source), keep=keep):
        return
    found = get(store, source)
    write.secret = write.secret or found.entry.marked or None
    put(store, target, _content(found), write)
    _drop(store, source)


def cached(address: Address) -> bool:
    """Whether the address lies in the pipe cache."""
    return address.project == "pipe" and address.namespace == "cache"


def missing(address: Address) -> Miss:
    """The error for an entry that is not there."""
    return Miss(f"No such key: {address}", address=str(address))


def remaining(store: "Store", address: Address) -> int | None:
    """Seconds that an entry has left; None for ever. Raises `Miss`."""
    expires = get(store, address).entry.expires
    return None if expires is None else int(expires - store.now)


def expire(store: "Store", address: Address, ttl: int | None) -> None:
    """Gives an entry `ttl` more seconds from now, or with None ends its ending. Raises `Miss`."""
    now = store.now
    if not store.engine.expire(address, None if ttl is None else end(now, ttl), now):
        raise missing(address)


def _put_over(store: "Store", address: Address, content: "Content", write: "Write") -> int:
    """Stores over the value that `write` expects, and over no other; the new revision. Raises `PreconditionFailed`."""
    from ..engines.failures import PreconditionFailed

    try:
        found = get(store, address)
    except Miss:
        raise PreconditionFailed(f"{address} is not there", address=str(address)) from None
    if found.entry.size != len(write.expected or b"") or found.read() != write.expected:
        raise PreconditionFailed(f"{address} has another value", address=str(address))
    write.revision = found.entry.revision
    return store.engine.put(address, content, write, store.now)


def _get_cached(store: "Store", address: Address) -> "Found | None":
    """From the spool: looked at first, since what lies there often does so because the database cannot be read."""
    from . import rescued

    return rescued.spooled(store, address)


def _drop(store: "Store", address: Address) -> bool:
    if not cached(address):
        return False
    from . import rescued

    return rescued.drop_spooled(store, address)


def _content(found: "Found") -> "Content":
    from ..model import Content

    return Content(found.entry.size, lambda: found.pieces)
