"""Writes that depend on what stands there: counters, appending. Each is exact whoever else writes at the same time."""

from ..errors import Busy, Miss
from ..model import FOREVER, INHERIT, Content, Write
from . import kv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..address import Address
    from ..model import Entry, Fence
    from . import Store

ATTEMPTS = 1000
"""Times that a write which others keep overtaking is tried: each of them has got something done meanwhile."""


def increment(store: "Store", address: "Address", by: int, fence: "Fence | None" = None) -> int:
    """Adds to an integer, which counts as 0 where there is none; the sum. Raises `PreconditionFailed` for what is none."""
    return store.engine.increment(address, by, store.now, fence=fence)


def append(store: "Store", address: "Address", content: Content, fence: "Fence | None" = None) -> None:
    """Adds bytes at the end of a value, or makes it; its lifetime stays."""
    from ..engines.failures import PreconditionFailed

    for _ in range(ATTEMPTS):
        try:
            whole, write = _appended(store, address, content)
            write.fence = fence
            kv.put(store, address, whole, write)
        except PreconditionFailed:
            continue
        return
    raise Busy(f"{address} changes faster than it can be appended to", cure="run it again", address=str(address))


def _appended(store: "Store", address: "Address", content: Content) -> tuple[Content, Write]:
    try:
        found = kv.get(store, address)
    except Miss:
        return content, Write(INHERIT, absent=True)
    entry, pieces = found.entry, found.pieces
    return Content(entry.size + content.size, lambda: _both(pieces, content)), _kept(entry)


def _both(pieces: "Iterator[bytes]", content: Content) -> "Iterator[bytes]":
    yield from pieces
    yield from content.pieces()


def _kept(entry: "Entry") -> Write:
    """Over this revision, with the lifetime that it has."""
    write = Write(FOREVER, revision=entry.revision)
    write.expires = entry.expires
    return write
