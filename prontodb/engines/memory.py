"""The memory engine: the contract of `base` in dictionaries, for tests. What it holds goes with the process."""

from ..address import Address, Place
from ..model import FOREVER, INHERIT, Content, Entry, Found, Space, Write, end
from .failures import PreconditionFailed
from .table import INLINE, integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .base import Capabilities, Engine


class Tenant:
    """What one meta has: entries with their values, default lifetimes, and the last revision given out."""

    __slots__ = ("entries", "revision", "ttls")

    def __init__(self) -> None:
        self.entries: dict[Address, Entry] = {}
        self.ttls: dict[tuple[str, str], int] = {}
        self.revision = 0


class MemoryEngine:
    """One meta's view of `shared`, which several engines may be given, or of a store of its own."""

    def __init__(self, meta: str, shared: "dict[str, Tenant] | None" = None) -> None:
        self._tenant = ({} if shared is None else shared).setdefault(meta, Tenant())
        self.notices: list[str] = []

    @property
    def capabilities(self) -> "Capabilities":
        """See `base`."""
        from .base import Capabilities

        return Capabilities(durable=False, shared=False, large_values=True)

    def time(self, now: float) -> float:
        """See `base`."""
        return now

    def rest(self) -> None:
        """See `base`."""

    def close(self) -> None:
        """See `base`. Nothing to let go of."""

    # Reading

    def get(self, address: Address, now: float, *, expired: bool = False) -> Found | None:
        """See `base`."""
        entry = self._tenant.entries.get(address) if expired else self._live(address, now)
        return Found(_shown(entry), Content.of(entry.value or b"").pieces()) if entry else None

    def get_many(self, addresses: "Iterable[Address]", now: float) -> dict[Address, Entry]:
        """See `base`."""
        return {address: _shown(entry) for address in addresses if (entry := self._live(address, now))}

    def names(self, place: Place, after: str, limit: int, now: float) -> list[str]:
        """See `base`."""
        return [entry.name for entry in self.entries(place, after, limit, now)]

    def entries(self, place: Place, after: str, limit: int, now: float) -> list[Entry]:
        """See `base`."""
        found = [
            entry
            for address, entry in self._tenant.entries.items()
            if (address.project, address.namespace) == (place.project, place.namespace)
            and entry.name.startswith(place.prefix)
            and entry.name.encode() > after.encode()
            and _alive(entry, now)
        ]
        return [_shown(entry) for entry in sorted(found, key=lambda entry: entry.name.encode())[:limit]]

    def spaces(self, now: float) -> list[Space]:
        """See `base`."""
        held = {(address.project, address.namespace) for address, entry in self._tenant.entries.items() if _alive(entry, now)}
        return [Space(*at, self._tenant.ttls.get(at)) for at in sorted(held)]

    def caches(self) -> list[Space]:
        """See `base`."""
        return [Space(*at, ttl) for at, ttl in sorted(self._tenant.ttls.items())]

    # Writing

    def put(self, address: Address, content: Content, write: Write, now: float) -> int:
        """See `base`."""
        value = content.read()
        self._require(address, write, now)
        return self._store(address, value, write.note, self._expires(address, write, now))

    def put_many(self, items: "Iterable[tuple[Address, Content]]", write: Write, now: float) -> int:
        """See `base`."""
        tenant = self._tenant
        entries, revision = dict(tenant.entries), tenant.revision
        try:
            return len({address: self.put(address, content, write, now) for address, content in items})
        except BaseException:
            tenant.entries, tenant.revision = entries, revision
            raise

    def load(self, items: "Iterable[tuple[Address, Content, int | None]]", now: float) -> int:
        """See `base`."""
        tenant, count = self._tenant, 0
        entries, revision = dict(tenant.entries), tenant.revision
        try:
            for address, content, ttl in items:
                self.put(address, content, Write(ttl), now)
                count += 1
        except BaseException:
            tenant.entries, tenant.revision = entries, revision
            raise
        return count

    def delete(self, addresses: "Iterable[Address]", now: float) -> list[Address]:
        """See `base`."""
        gone = [address for address in dict.fromkeys(addresses) if self._live(address, now)]
        for address in gone:
            del self._tenant.entries[address]
        return gone

    def increment(self, address: Address, by: int, now: float) -> int:
        """See `base`."""
        entry = self._live(address, now)
        number = integer(address, entry.value if entry else b"0") + by
        write = Write(FOREVER if entry else INHERIT)
        write.expires = entry.expires if entry else None
        self.put(address, Content.of(b"%d" % number), write, now)
        return number

    def copy(self, source: Address, target: Address, write: Write, now: float, *, move: bool = False, keep: bool = False) -> bool:
        """See `base`."""
        entry = self._live(source, now)
        if entry is None:
            return False
        self._require(target, write, now)
        self._store(target, entry.value or b"", b"", entry.expires if keep else self._expires(target, write, now))
        if move and source != target:
            del self._tenant.entries[source]
        return True

    def expire(self, address: Address, expires: int | None, now: float) -> bool:
        """See `base`."""
        entry = self._live(address, now)
        if entry:
            entry.expires = expires
        return entry is not None

    def set_default_ttl(self, project: str, namespace: str, ttl: int | None, now: float) -> bool:  # noqa: ARG002 - the contract's
        """See `base`."""
        before = self._tenant.ttls.pop((project, namespace), None)
        if ttl is not None:
            self._tenant.ttls[project, namespace] = ttl
        return before is not None or ttl is not None

    def share(self, *, shared: bool) -> None:
        """See `base`. Memory has one owner: the process."""

    def purge(self, limit: int, now: float) -> int:
        """See `base`."""
        gone = [address for address, entry in self._tenant.entries.items() if not _alive(entry, now)][:limit]
        for address in gone:
            del self._tenant.entries[address]
        return len(gone)

    # Below the verbs

    def _live(self, address: Address, now: float) -> Entry | None:
        entry = self._tenant.entries.get(address)
        return entry if entry and _alive(entry, now) else None

    def _require(self, address: Address, write: Write, now: float) -> None:
        entry = self._live(address, now)
        if write.absent and entry:
            raise PreconditionFailed(f"{address} exists already", address=str(address))
        if write.revision not in (None, entry.revision if entry else 0):
            raise PreconditionFailed(f"{address} has another revision", address=str(address))

    def _expires(self, address: Address, write: Write, now: float) -> int | None:
        if write.expires is not None:
            return write.expires
        ttl = self._tenant.ttls.get((address.project, address.namespace)) if write.ttl is INHERIT else write.ttl
        return end(now, ttl) if ttl else None

    def _store(self, address: Address, value: bytes, note: bytes, expires: int | None) -> int:
        self._tenant.revision += 1
        entry = Entry(address.name, len(value), self._tenant.revision, expires, value)
        entry.note = note
        self._tenant.entries[address] = entry
        return entry.revision


def _alive(entry: Entry, now: float) -> bool:
    return entry.expires is None or entry.expires > now


def _shown(entry: Entry) -> Entry:
    """A copy to hand out, without a value that is large."""
    shown = Entry(entry.name, entry.size, entry.revision, entry.expires, entry.value if entry.size <= INLINE else None)
    shown.note = entry.note
    return shown


if TYPE_CHECKING:
    _: Engine = MemoryEngine("")
