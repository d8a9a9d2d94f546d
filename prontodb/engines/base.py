"""The contract of an engine: what stores the data (DESIGN §11).

Written so that a distributed store can honour it: every verb is atomic, expiry is data with the time passed in, and no signature has
SQL or a path in it. An engine belongs to one meta from the moment it is made, so no verb can forget the tenant. Names, prefixes and
listings are in byte order of their UTF-8. An entry whose `expires` is at or before `now` does not exist, whether or not it has been
removed. `tests/conformance.py` holds every engine to this.

Failures, for all verbs: `Busy` where another process held the store too long, `StorageError` or one of its kinds where the store
cannot do it. A write that raises has changed nothing.
"""

from collections.abc import Iterable
from typing import Protocol

from ..address import Address, Place
from ..model import Content, Entry, Found, Space, Write


class Capabilities:
    """What callers may want to know of an engine before they promise something."""

    __slots__ = ("durable", "large_values", "shared")

    def __init__(self, *, durable: bool, shared: bool, large_values: bool) -> None:
        self.durable = durable
        self.shared = shared
        self.large_values = large_values


class Engine(Protocol):
    """See the module."""

    notices: list[str]
    """What users should be told, taken out once they were."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can promise."""

    def time(self, now: float) -> float:
        """What time it is for this store, when it is `now` here: a store of several machines has a clock of its own."""

    def get(self, address: Address, now: float, *, expired: bool = False) -> Found | None:
        """The entry, or None. With `expired`, also one that has expired but was not removed yet.

        The pieces are of one revision, or reading them raises `Busy`: never a mixture.
        """

    def get_many(self, addresses: Iterable[Address], now: float) -> dict[Address, Entry]:
        """Those of the addresses that are there, all as of one moment; a large value is left out (`value` is None)."""

    def put(self, address: Address, content: Content, write: Write, now: float) -> int:
        """Stores, replacing what stands there; the new revision. Raises `PreconditionFailed`, see `Write`."""

    def put_many(self, items: Iterable[tuple[Address, Content]], write: Write, now: float) -> int:
        """Stores all or none; how many. Of equal addresses the last one counts."""

    def load(self, items: Iterable[tuple[Address, Content, int | None]], now: float) -> int:
        """Stores all or none, each with its lifetime (as `Write.ttl`), in constant memory; how many were given.

        Of equal addresses the last one counts. A content is read once, before the next item is asked for.
        """

    def delete(self, addresses: Iterable[Address], now: float) -> list[Address]:
        """Removes all that are there in one step; those that were."""

    def increment(self, address: Address, by: int, now: float) -> int:
        """Adds to a decimal integer, which counts as 0 where there is none; the new value. The lifetime stays.

        Raises `PreconditionFailed` where something else than an integer stands there.
        """

    def copy(self, source: Address, target: Address, write: Write, now: float, *, move: bool = False, keep: bool = False) -> bool:
        """Copies a value in one step, removing the source with `move`; False where there is no source.

        With `keep` the target gets the source's remaining lifetime, else what `write` says.
        """

    def expire(self, address: Address, expires: int | None, now: float) -> bool:
        """Sets when an entry ends (None: never); False where there is none. The revision stays."""

    def names(self, place: Place, after: str, limit: int, now: float) -> list[str]:
        """At most `limit` names of a place, beyond the name `after`."""

    def entries(self, place: Place, after: str, limit: int, now: float) -> list[Entry]:
        """The same as entries; a large value is left out (`value` is None)."""

    def spaces(self, now: float) -> list[Space]:
        """The namespaces that hold something, in order of project and namespace."""

    def set_default_ttl(self, project: str, namespace: str, ttl: int | None, now: float) -> bool:
        """Gives a namespace a default lifetime in seconds, or with None ends it; False where it had none."""

    def caches(self) -> list[Space]:
        """The namespaces that have a default lifetime."""

    def share(self, *, shared: bool) -> None:
        """Lets other users open the store, or none but its owner. Raises `Denied` for anybody else."""

    def rest(self) -> None:
        """Lets go of whatever others could notice, but stays usable: between two calls of a process that goes on."""

    def purge(self, limit: int, now: float) -> int:
        """Removes at most `limit` expired entries; how many."""

    def close(self) -> None:
        """Lets go of everything; what is asked of it after that opens it again."""
