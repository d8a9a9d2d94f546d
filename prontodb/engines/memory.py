"""The memory engine: the contract of `base` in dictionaries, for tests. What it holds goes with the process."""

from ..address import Address, Place
from ..model import FOREVER, INHERIT, SECRET, Content, Entry, Found, Space, Write, end
from ..past import OFF, OVERHEAD, Change, Step, Version
from . import queued
from .failures import PreconditionFailed, stale
from .history import cached
from .table import INLINE, integer
from .tenant import Past, Tenant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from ..model import Fence
    from ..past import Keeping
    from .base import Capabilities, Engine

    T = TypeVar("T")


class MemoryEngine:
    """One meta's view of `shared`, which several engines may be given, or of a store of its own."""

    def __init__(self, meta: str, shared: "dict[str, Tenant] | None" = None, keeping: "Callable[[], Keeping]" = lambda: OFF) -> None:
        self._tenant = ({} if shared is None else shared).setdefault(meta, Tenant())
        self._keeping = keeping
        self._known = -1
        self.notices: list[str] = []

    @property
    def capabilities(self) -> "Capabilities":
        """See `base`."""
        from .base import Capabilities

        return Capabilities(durable=False, shared=False, large_values=True)

    def time(self, now: float) -> float:
        """See `base`."""
        return now

    def changed(self, timeout: float) -> bool:
        """See `base`."""
        tenant = self._tenant
        with tenant.news:
            found = tenant.news.wait_for(lambda: tenant.changes != self._known, timeout)
            self._known = tenant.changes
            return found

    def steady(self) -> None:
        """See `base`."""

    def rest(self) -> None:
        """See `base`."""

    def close(self) -> None:
        """See `base`. Nothing to let go of."""

    # Reading

    def get(self, address: Address, now: float, *, expired: bool = False) -> Found | None:
        """See `base`."""
        entry = self._tenant.entries.get(address) if expired else self._live(address, now)
        return Found(_shown(entry), Content.of(entry.value or b"").pieces()) if entry else None

    def recall(self, address: Address, revision: int, now: float) -> Found | None:
        """See `base`."""
        entry = self._live(address, now)
        if entry and entry.revision == revision:
            return self.get(address, now)
        for one in self._tenant.past.get(address, []):
            made, expires = one.version.made, one.version.expires
            if made.revision == revision and one.version.kept and one.until > now and (expires is None or expires > now):
                entry = Entry(address.name, one.version.size, revision, expires, None)
                entry.note = one.note
                return Found(entry, Content.of(one.value).pieces())
        return None

    def latest(self) -> int:
        """See `base`."""
        return self._tenant.revision

    def versions(self, scope: Address | Place | None, since: float, limit: int, now: float) -> list[Version]:
        """See `base`."""
        found = []
        for address, entry in self._tenant.entries.items():
            version = _copied(self._tenant.live[address], now)
            version.size, version.expires = entry.size, entry.expires
            if _alive(entry, now) and (version.made.time or 0) >= since:
                found.append(version)
        for those in self._tenant.past.values():
            found += [_copied(one.version, now) for one in those if one.until > now and (_touched(one.version).time or 0) >= since]
        found = [version for version in found if _within(scope, version.address)]
        return sorted(found, key=lambda version: (-_touched(version).revision, -version.made.revision))[:limit]

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
        self._hold(write.fence, now)
        if write.numbered:
            return self._push(address, content, write, now)
        return self._put((address, content), write, now)

    def take(self, queue: Address, content: Content, ttl: int, now: float) -> tuple[Address, int] | None:
        """See `base`."""
        low, high = queued.span(queue.name)
        place = Place(queue.project, queue.namespace, f"{queue.name}/")
        entries = self.entries(place, "", len(self._tenant.entries), now)
        name = queued.free(queue.name, (entry.name for entry in entries if low <= entry.name < high))
        item = place.address(name)
        return (item, self.put(queued.lease(item), content, Write(ttl), now)) if name else None

    def put_many(self, items: "Iterable[tuple[Address, Content]]", write: Write, now: float) -> int:
        """See `base`."""
        self._hold(write.fence, now)
        return self._all(lambda start: len({address: self._put((address, content), write, now, start) for address, content in items}))

    def load(self, items: "Iterable[tuple[Address, Content, int | None]]", now: float) -> int:
        """See `base`."""
        return self._all(lambda start: sum(bool(self._put((address, content), Write(ttl), now, start)) for address, content, ttl in items))

    def delete(self, addresses: "Iterable[Address]", now: float, *, purge: bool = False, fence: "Fence | None" = None) -> list[Address]:
        """See `base`."""
        self._hold(fence, now)
        return [address for address in dict.fromkeys(addresses) if self._delete(address, now, purge=purge)]

    def drop(self, addresses: "Iterable[Address]", now: float) -> list[Address]:  # noqa: ARG002 - the contract's
        """See `base`."""
        return [address for address in dict.fromkeys(addresses) if self._tenant.past.pop(address, None)]

    def revert(self, steps: "Iterable[Step]", now: float) -> None:
        """See `base`."""
        self._all(lambda _: sum(self._revert(step, now) for step in steps))

    def increment(self, address: Address, by: int, now: float, *, fence: "Fence | None" = None) -> int:
        """See `base`."""
        self._hold(fence, now)
        entry = self._live(address, now)
        number = integer(address, entry.value if entry else b"0") + by
        write = Write(FOREVER if entry else INHERIT)
        write.expires = entry.expires if entry else None
        self.put(address, Content.of(b"%d" % number), write, now)
        return number

    def copy(self, source: Address, target: Address, write: Write, now: float, *, move: bool = False, keep: bool = False) -> bool:
        """See `base`."""
        self._hold(write.fence, now)
        entry = self._live(source, now)
        if entry is None:
            return False
        self._require(target, write, now)
        note = SECRET if write.secret or entry.marked else self._mark(target, write, now)
        self._give_way(target, now)
        self._store((target, now), entry.value or b"", note, entry.expires if keep else self._expires(target, write, now))
        if move and source != target:
            self._delete(source, now)
        return True

    def expire(self, address: Address, expires: int | None, now: float, *, fence: "Fence | None" = None) -> bool:
        """See `base`."""
        self._hold(fence, now)
        entry = self._live(address, now)
        if entry:
            entry.expires = expires
            self._tenant.tell()
        return entry is not None

    def set_default_ttl(self, project: str, namespace: str, ttl: int | None, now: float) -> bool:  # noqa: ARG002 - the contract's
        """See `base`."""
        before = self._tenant.ttls.pop((project, namespace), None)
        if ttl is not None:
            self._tenant.ttls[project, namespace] = ttl
        self._tenant.tell()
        return before is not None or ttl is not None

    def share(self, *, shared: bool) -> None:
        """See `base`. Memory has one owner: the process."""

    def purge(self, limit: int, now: float) -> int:
        """See `base`."""
        gone = [address for address, entry in self._tenant.entries.items() if not _alive(entry, now)][:limit]
        for address in gone:
            del self._tenant.entries[address]
        ended = [(address, one) for address, those in self._tenant.past.items() for one in those if one.until <= now]
        ended = ended[: limit - len(gone)]
        for address, one in ended:
            self._cut(address, one.successor)
        self._tenant.tell()
        return len(gone) + len(ended)

    # Below the verbs

    def _live(self, address: Address, now: float) -> Entry | None:
        entry = self._tenant.entries.get(address)
        return entry if entry and _alive(entry, now) else None

    def _hold(self, fence: "Fence | None", now: float) -> None:
        entry = self._live(fence[0], now) if fence else None
        if fence and (entry is None or entry.revision != fence[1]):
            raise stale(fence)

    def _items(self, queue: Address) -> list[Address]:
        place = (queue.project, queue.namespace)
        found = [address for address in self._tenant.entries if (address.project, address.namespace) == place]
        return [address for address in found if queued.number(queue.name, address.name)]

    def _number(self, queue: Address) -> int:
        last = max((queued.number(queue.name, item.name) for item in self._items(queue)), default=0)
        return max(self._tenant.revision, last) + 1

    def _push(self, queue: Address, content: Content, write: Write, now: float) -> int:
        number = self._number(queue)
        item = Address(queue.project, queue.namespace, queued.item(queue.name, number))
        expires = self._expires(item, write, now)
        self._give_way(item, now)
        self._store((item, now), content.read(), write.note_for(content), expires)
        return number

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

    def _put(self, item: tuple[Address, Content], write: Write, now: float, start: int | None = None) -> int:
        address, value = item[0], item[1].read()
        self._require(address, write, now)
        expires = self._expires(address, write, now)
        note = write.note_for(item[1]) or self._mark(address, write, now)
        self._give_way(address, now, start)
        return self._store((address, now), value, note, expires)

    def _mark(self, address: Address, write: Write, now: float) -> bytes:
        """What stays of the note that stands there."""
        entry = self._live(address, now)
        return SECRET if entry and entry.marked and write.secret is not False else b""

    def _all(self, change: "Callable[[int], T]") -> "T":
        """A change of several, all or none; it is told the last revision before it."""
        state = self._tenant.state()
        try:
            return change(state[3])
        except BaseException:
            self._tenant.undo(state)
            raise

    def _store(self, at: tuple[Address, float], value: bytes, note: bytes, expires: int | None) -> int:
        """Puts what `_give_way` has made room for."""
        (address, now), tenant = at, self._tenant
        entry = Entry(address.name, len(value), tenant.revision, expires, value)
        entry.note = note
        tenant.entries[address] = entry
        tenant.live[address].made = Change(tenant.revision, now, self._keeping().actor)
        tenant.tell()
        return tenant.revision

    def _delete(self, address: Address, now: float, *, purge: bool = False) -> bool:
        had = bool(purge and self._tenant.past.pop(address, None))
        if not self._live(address, now):
            return had
        self._give_way(address, now, deleted=True, trace=not purge)
        del self._tenant.entries[address]
        self._tenant.tell()
        return True

    def _revert(self, step: Step, now: float) -> int:
        address, past = step.address, self._tenant.past.get(step.address, [])
        entry = self._live(address, now)
        if (entry.revision if entry else past[-1].successor if past else 0) != step.standing:
            raise PreconditionFailed(f"{address} was changed meanwhile", address=str(address))
        if not step.to:
            return self._delete(address, now)
        found = [one for one in past if one.version.made.revision == step.to and one.version.kept]
        if not found:
            raise PreconditionFailed(f"{address} is not kept any more as it was", address=str(address))
        self._give_way(address, now)
        return self._store((address, now), found[0].value, found[0].note, found[0].version.expires)

    def _give_way(self, address: Address, now: float, start: int | None = None, *, deleted: bool = False, trace: bool = True) -> None:
        """Takes a revision for a change of an entry, and what it replaces into the history. `start` as in `_all`."""
        tenant, keeping, entry = self._tenant, self._keeping(), self._live(address, now)
        tenant.revision += 1
        old = tenant.live.get(address)
        fresh = entry is not None and start is not None and entry.revision > start
        tenant.live[address] = Version(address, Change(0, None, ""), 0, None)
        tenant.live[address].previous = 0 if entry is None else old.previous if fresh and old else entry.revision
        if cached(address.project, address.namespace):
            return
        if not keeping.ttl:
            tenant.past.pop(address, None)
        elif entry and old and fresh:
            for one in tenant.past.get(address, [])[-1:]:
                if one.successor == entry.revision:
                    one.version.ended = Change(tenant.revision, now, keeping.actor)
        elif entry and old and trace:
            self._keep(entry, old, Change(tenant.revision, now, keeping.actor), deleted=deleted)

    def _keep(self, entry: Entry, version: Version, change: Change, *, deleted: bool) -> None:
        keeping, tenant, version = self._keeping(), self._tenant, _copied(version, 0)
        version.size, version.expires, version.ended, version.deleted = entry.size, entry.expires, change, deleted
        version.kept = entry.size + OVERHEAD <= keeping.size
        past = tenant.past.setdefault(version.address, [])
        past.append(Past(version, entry.value or b"", entry.note, end(change.time or 0, keeping.ttl)))
        del past[: -keeping.count]
        held = sum(one.cost for those in tenant.past.values() for one in those)
        oldest = sorted((one for those in tenant.past.values() for one in those), key=lambda one: (one.until, one.successor))
        for one in oldest if held > keeping.size else ():
            if held <= keeping.size - keeping.size // 8 or (held <= keeping.size and one.successor == change.revision):
                break
            held -= self._cut(one.version.address, one.successor)

    def _cut(self, address: Address, upto: int) -> int:
        """Removes the versions of a key that ended with that revision or before; how many bytes they counted."""
        past = self._tenant.past.get(address, [])
        cut = [one for one in past if one.successor <= upto]
        self._tenant.past[address] = past[len(cut) :]
        return sum(one.cost for one in cut)


def _alive(entry: Entry, now: float) -> bool:
    return entry.expires is None or entry.expires > now


def _touched(version: Version) -> Change:
    return version.ended or version.made


def _copied(version: Version, now: float) -> Version:
    """A copy to hand out."""
    copy = Version(version.address, version.made, version.size, version.expires)
    copy.previous, copy.ended, copy.deleted = version.previous, version.ended, version.deleted
    copy.kept = version.kept and (version.expires is None or version.expires > now)
    return copy


def _within(scope: Address | Place | None, address: Address) -> bool:
    if scope is None:
        return not cached(address.project, address.namespace)
    if isinstance(scope, Address):
        return scope == address
    return (scope.project, scope.namespace) == (address.project, address.namespace) and address.name.startswith(scope.prefix)


def _shown(entry: Entry) -> Entry:
    """A copy to hand out, without a value that is large."""
    shown = Entry(entry.name, entry.size, entry.revision, entry.expires, entry.value if entry.size <= INLINE else None)
    shown.note = entry.note
    return shown


if TYPE_CHECKING:
    _: Engine = MemoryEngine("")
