"""The contract of an engine: what stores the data (DESIGN §11).

Written so that a distributed store can honour it: every verb is atomic, expiry is data with the time passed in, and no signature has
SQL or a path in it. An engine belongs to one meta from the moment it is made, so no verb can forget the tenant. Names, prefixes and
listings are in byte order of their UTF-8. An entry whose `expires` is at or before `now` does not exist, whether or not it has been
removed. `tests/conformance.py` holds every engine to this.

What a change replaces or deletes is kept as a version of the history, as far as the `Keeping` of the call says: see `past`. Neither an
entry that ended by itself nor the pipe cache has one. A change of a lifetime is none. Every other change has a revision above all others.

Failures, for all verbs: `Busy` where another process held the store too long, `StorageError` or one of its kinds where the store
cannot do it. A write that raises has changed nothing.

A fence is the address of a lease and its token: a precondition, looked at in the transaction of the write, that this entry lives at this
revision. `LeaseLost` where it does not. Revisions of a meta only ever grow, whatever is deleted, purged or restored, so none holds twice.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from ..address import Address, Place
from ..model import Content, Entry, Found, Space, Write
from ..past import Step, Version

if TYPE_CHECKING:
    from ..model import Fence


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
        """Stores, replacing what stands there; the new revision. Raises `PreconditionFailed` and `LeaseLost`, see `Write`.

        Whatever writes over a live entry that is marked as a secret keeps the mark, unless `Write.secret` is False.

        With `Write.numbered`, under a name of its own below the address, see `queued`: with the new revision, or the next number after
        the last item where that is higher. Nothing is replaced; the number is returned.
        """

    def put_many(self, items: Iterable[tuple[Address, Content]], write: Write, now: float) -> int:
        """Stores all or none; how many. Of equal addresses the last one counts."""

    def load(self, items: Iterable[tuple[Address, Content, int | None]], now: float) -> int:
        """Stores all or none, each with its lifetime (as `Write.ttl`), in constant memory; how many were given.

        Of equal addresses the last one counts. A content is read once, before the next item is asked for.
        """

    def take(self, queue: Address, content: Content, ttl: int, now: float) -> tuple[Address, int] | None:
        """Leases the first item of a queue that has no lease: puts `content` at the lease's address, for `ttl` seconds.

        The item and the token of its lease; None where there is none to be had.
        """

    def delete(self, addresses: Iterable[Address], now: float, *, purge: bool = False, fence: "Fence | None" = None) -> list[Address]:
        """Removes all that are there in one step; those that were. With `purge` their history goes too, and that counts as being there."""

    def increment(self, address: Address, by: int, now: float, *, fence: "Fence | None" = None) -> int:
        """Adds to a decimal integer, which counts as 0 where there is none; the new value. The lifetime stays.

        Raises `PreconditionFailed` where something else than an integer stands there.
        """

    def copy(self, source: Address, target: Address, write: Write, now: float, *, move: bool = False, keep: bool = False) -> bool:
        """Copies a value in one step, removing the source with `move`; False where there is no source.

        With `keep` the target gets the source's remaining lifetime, else what `write` says. Of a note only the mark of a secret goes
        along.
        """

    def expire(self, address: Address, expires: int | None, now: float, *, fence: "Fence | None" = None) -> bool:
        """Sets when an entry ends (None: never); False where there is none. The revision stays."""

    def recall(self, address: Address, revision: int, now: float) -> Found | None:
        """A version by its revision, the live one too; None where its bytes are not kept."""

    def latest(self) -> int:
        """The last revision that was given out; 0 before the first."""

    def versions(self, scope: Address | Place | None, since: float, limit: int, now: float) -> list[Version]:
        """The versions of an entry, of a place, or of all but the pipe cache; those touched last first, at most `limit`.

        A version is touched when it is made and when it ends; of two by one change the one that was made comes first: so the first of a
        key is the live one, where there is one. Those that were touched before `since` are left out.
        """

    def revert(self, steps: Iterable[Step], now: float) -> None:
        """Takes keys back to earlier versions, with their lifetimes as they were, in one step: a change like any other.

        Raises `PreconditionFailed` where one was changed since, or its version is not kept any more.
        """

    def drop(self, addresses: Iterable[Address], now: float) -> list[Address]:
        """Removes the history of keys, not their entries; those that had one."""

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

    def changed(self, timeout: float) -> bool:
        """Waits until something may have changed since the call before, or for `timeout` seconds; whether something may have.

        The first call says so at once. So it may where nothing has changed, in this meta or at all, but it never misses what was committed,
        by whomever, after the call before had returned: look after each call that says True. Time that passes is no change: who waits for
        an entry to expire bounds `timeout`. Meanwhile it holds no lock that others wait for, and uses next to no processor.
        """

    def rest(self) -> None:
        """Lets go of whatever others could notice, but stays usable: between two calls of a process that goes on."""

    def steady(self) -> Callable[[], bool] | None:
        """What tells, as often as it is asked, whether all that has been read since the last change is still so, but for what has expired;
        None where that takes as long as to read it again.
        """

    def purge(self, limit: int, now: float) -> int:
        """Removes at most `limit` expired entries and versions of the history whose time is over; how many."""

    def close(self) -> None:
        """Lets go of everything; what is asked of it after that opens it again."""
