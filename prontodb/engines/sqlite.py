"""The SQLite engine: the contract of `base` in SQL. Files and locks are `connect`'s, the tables `schema`'s."""

import os

from ..address import Address, Place
from ..errors import Denied, StorageError
from ..model import Content, Entry, Found, Space, Write
from .connect import LOOKS, Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeVar

    from ..model import Fence
    from ..past import Keeping, Step, Version
    from .base import Capabilities
    from .bodies import Bodies
    from .driver import Connection
    from .pieces import Row
    from .pulse import Pulse
    from .table import Table
    from .writer import Writer

    T = TypeVar("T")

_COLUMNS = "e.name, e.size, e.revision, e.expires, e.note, e.value, e.body"
_PLACE = "FROM place p JOIN entry e ON e.place = p.id WHERE p.meta = ? AND p.project = ? AND p.namespace = ?"
_LIVE = "(e.expires IS NULL OR e.expires > ?)"
_GET = f"SELECT {_COLUMNS} {_PLACE} AND e.name = ? AND {_LIVE}"
_RANGE = f"{_PLACE} AND e.name >= ? AND e.name < ? AND {_LIVE} ORDER BY e.name LIMIT ?"
LARGE = 16 << 20
"""`bodies.LEAST`, known without that module."""
_LAST = "\U0010ffff"
"""Sorts behind every character that a name may hold."""


class SqliteEngine:
    """One meta's view of one file. `timeout` gives seconds, `keeping` what becomes of values that are replaced, nothing where it is None;
    `folders`: make those missing above the file.
    """

    def __init__(
        self,
        path: str,
        meta: str,
        timeout: "Callable[[], float]",
        keeping: "Callable[[], Keeping] | None" = None,
        *,
        folders: bool = False,
        user: str = "default",
    ) -> None:
        if os.path.islink(path):
            # SQLite's journals lie beside the file itself, and there the reader looks for them.
            path = os.path.realpath(path)
        self._meta = meta
        self._user = user
        self._path = path
        self._timeout = timeout
        self._keeping = keeping
        self._open: list[Iterator[bytes]] = []
        self._reader = Reader(path, timeout, user=user)
        self._folders = folders
        self._written: Writer | None = None
        self._files: Bodies | None = None
        self._pulse: Pulse | None = None
        self.notices: list[str] = []

    @property
    def capabilities(self) -> "Capabilities":
        """See `base`."""
        from .base import Capabilities

        return Capabilities(durable=True, shared=False, large_values=True)

    def time(self, now: float) -> float:
        """See `base`."""
        return now

    def changed(self, timeout: float) -> bool:
        """See `base`. What other metas and the log of the file change counts too."""
        self.rest()
        if self._pulse is None:
            from .pulse import Pulse

            self._pulse = Pulse(self._path)
        return self._pulse.wait(timeout)

    def close(self) -> None:
        """See `base`."""
        if self._pulse:
            self._pulse.close()
        self._let_go()
        self._reader.close()
        if self._written:
            self._written.close()

    def rest(self) -> None:
        """See `base`. What is read as it lies stays open, and is checked with every answer."""
        self._let_go()
        if self._written:
            self._written.close()
        if not self._reader.traceless:
            self._reader.close()

    def steady(self) -> "Callable[[], bool] | None":
        """See `base`."""
        return self._reader.steady()

    # Reading

    def get(self, address: Address, now: float, *, expired: bool = False) -> Found | None:
        """See `base`."""
        at = (self._meta, address.project, address.namespace, address.name, -1 if expired else now)
        row = self._read(lambda db: db.execute(_GET, at).fetchone(), None)
        return self._large(_GET, at) if row and row[6] is not None else _found(row)

    def recall(self, address: Address, revision: int, now: float) -> Found | None:
        """See `base`."""
        found = self.get(address, now)
        if found and found.entry.revision == revision:
            return found
        from .history import RECALL

        at = (self._meta, address.project, address.namespace, address.name, revision, now, now)
        nothing: Row | None = None
        row = self._read(lambda db: db.execute(RECALL, at).fetchone() if _has_history(db) else None, nothing)
        return self._large(RECALL, at) if row and row[6] is not None else _found(row)

    def latest(self) -> int:
        """See `base`."""
        row = self._read(lambda db: db.execute("SELECT last FROM revision WHERE meta = ?", (self._meta,)).fetchone(), None)
        return row[0] if row else 0

    def versions(self, scope: Address | Place | None, since: float, limit: int, now: float) -> "list[Version]":
        """See `base`."""
        from ..past import milliseconds
        from .history import versions

        values = {"meta": self._meta, "now": now, "since": milliseconds(since), "limit": limit}
        nothing: list[Version] = []
        return self._read(lambda db: versions(db, scope, values), nothing)

    def get_many(self, addresses: "Iterable[Address]", now: float) -> dict[Address, Entry]:
        """See `base`."""
        wanted = [(address, (self._meta, address.project, address.namespace, address.name, now)) for address in addresses]
        from .pieces import of_one_moment

        nothing: dict[Address, Entry] = {}
        return self._read(lambda db: of_one_moment(db, lambda: _those(db, wanted)), nothing) if wanted else nothing

    def names(self, place: Place, after: str, limit: int, now: float) -> list[str]:
        """See `base`."""
        at = self._range(place, after, limit, now)
        rows: list[tuple[str]] = self._read(lambda db: db.execute(f"SELECT e.name {_RANGE}", at).fetchall(), [])
        return [row[0] for row in rows]

    def entries(self, place: Place, after: str, limit: int, now: float) -> list[Entry]:
        """See `base`."""
        at = self._range(place, after, limit, now)
        rows: list[Row] = self._read(lambda db: db.execute(f"SELECT {_COLUMNS} {_RANGE}", at).fetchall(), [])
        return [_entry(row) for row in rows]

    def spaces(self, now: float) -> list[Space]:
        """See `base`."""
        live = f"EXISTS (SELECT 1 FROM entry e WHERE e.place = p.id AND {_LIVE})"  # noqa: S608 - constants
        return self._spaces(live, (now,))

    def caches(self) -> list[Space]:
        """See `base`."""
        return self._spaces("p.ttl IS NOT NULL", ())

    # Writing

    def put(self, address: Address, content: Content, write: Write, now: float) -> int:
        """See `base`."""
        if content.size < LARGE:
            return self._write(lambda table: table.put(address, content, write), now, write.fence)
        staged = self._staged(content)
        try:
            return self._write(lambda table: table.put(address, staged, write), now, write.fence)
        finally:
            staged.discard()

    def put_many(self, items: "Iterable[tuple[Address, Content]]", write: Write, now: float) -> int:
        """See `base`."""
        return self._write(lambda table: len({address: table.put(address, content, write) for address, content in items}), now, write.fence)

    def take(self, queue: Address, content: Content, ttl: int, now: float) -> tuple[Address, int] | None:
        """See `base`."""
        return self._change(lambda table: table.take(queue, content, ttl), now, nothing=None)

    def load(self, items: "Iterable[tuple[Address, Content, int | None]]", now: float) -> int:
        """See `base`."""
        from .bulk import Bulk

        bulk = self._bulk
        keeping = self._kept()
        return self._transact(lambda db: Bulk(db, self._meta, now, bulk, keeping).load(items))

    def delete(self, addresses: "Iterable[Address]", now: float, *, purge: bool = False, fence: "Fence | None" = None) -> list[Address]:
        """See `base`."""
        return self._change(
            lambda table: [address for address in addresses if table.delete(address, purge=purge)], now, nothing=[], fence=fence
        )

    def drop(self, addresses: "Iterable[Address]", now: float) -> list[Address]:
        """See `base`."""
        return self._change(lambda table: [address for address in addresses if table.drop(address)], now, nothing=[])

    def revert(self, steps: "Iterable[Step]", now: float) -> None:
        """See `base`."""
        self._write(lambda table: table.revert(steps), now)

    def increment(self, address: Address, by: int, now: float, *, fence: "Fence | None" = None) -> int:
        """See `base`."""
        return self._write(lambda table: table.increment(address, by), now, fence)

    def copy(self, source: Address, target: Address, write: Write, now: float, *, move: bool = False, keep: bool = False) -> bool:
        """See `base`."""
        return self._change(
            lambda table: table.copy(source, target, write, keep=keep) and (not move or source == target or table.delete(source)),
            now,
            nothing=False,
            fence=write.fence,
        )

    def expire(self, address: Address, expires: int | None, now: float, *, fence: "Fence | None" = None) -> bool:
        """See `base`."""
        return self._change(lambda table: table.expire(address, expires), now, nothing=False, fence=fence)

    def set_default_ttl(self, project: str, namespace: str, ttl: int | None, now: float) -> bool:
        """See `base`."""
        if ttl is None and not self._writer.exists():
            return False
        return self._write(lambda table: table.set_default_ttl(project, namespace, ttl), now)

    def share(self, *, shared: bool) -> None:
        """See `base`."""
        self._transact(lambda db: _share(db, self._user, shared=shared))

    def purge(self, limit: int, now: float) -> int:
        """See `base`. Not waited for on disk: what a power cut brings back has expired all the same."""
        if not self._writer.exists():
            return 0
        from .table import Table

        count = self._transact(lambda db: Table(db, self._meta, now, self._bulk).purge(limit), durable=False)
        if not count and self._bulk.names():
            self._transact(self._bulk.sweep, durable=False)
        return count

    # Below the verbs

    def _kept(self) -> "Keeping":
        """What this call says of the history; asked before the lock is taken, for it may be wrong."""
        if self._keeping is not None:
            return self._keeping()
        from ..past import OFF

        return OFF

    @property
    def _bulk(self) -> "Bodies":
        if self._files is None:
            from .bodies import Bodies

            self._files = Bodies(self._path, folders=self._folders)
        return self._files

    def _staged(self, content: Content) -> Content:
        if self._bulk.names() and self._writer.exists():
            self._transact(self._bulk.sweep, durable=False)
        try:
            return self._bulk.staged(content)
        except OSError as error:
            from .failures import unwritable

            raise unwritable(error, self._path) from error

    def _let_go(self) -> None:
        """Closes the files of large values that nobody reads to their end."""
        while self._open:
            self._open.pop().close()  # type: ignore[attr-defined]  # a generator

    @property
    def _writer(self) -> "Writer":
        """Made when it is needed: a cold read is spared its module."""
        if self._written is None:
            from .writer import Writer

            self._written = Writer(self._path, self._timeout, self.notices, user=self._user, folders=self._folders)
        return self._written

    def _read(self, query: "Callable[[Connection], T]", default: "T") -> "T":
        try:
            return self._reader.run(query, default)
        except StorageError as error:
            if error.slug != "needs-writer":
                raise
            self._transact(lambda _: None)
            return self._reader.run(query, default)

    def _write(self, change: "Callable[[Table], T]", now: float, fence: "Fence | None" = None) -> "T":
        """A change and, in the same transaction, a look at the fence before it and a batch of what has expired after it."""
        # Imported before the lock is taken, not while others wait for it.
        from .table import Table

        keeping = self._kept()

        def both(db: "Connection") -> "T":
            table = Table(db, self._meta, now, self._bulk, keeping)
            if fence:
                table.hold(fence)
            result = change(table)
            table.purge()
            return result

        return self._transact(both)

    def _transact(self, change: "Callable[[Connection], T]", *, durable: bool = True) -> "T":
        if not self._writer.opened:
            # A database that was moved to a network gives up its log when it is opened for writing: nobody may be reading it then.
            self._reader.close()
        bulk = self._bulk
        bulk.begin()
        result = self._writer.run(change, durable=durable)
        bulk.settle()
        return result

    def _change(self, change: "Callable[[Table], T]", now: float, *, nothing: "T", fence: "Fence | None" = None) -> "T":
        """The same for a change of what is there already: `nothing`, where there is no database, which it does not make."""
        if self._writer.exists():
            return self._write(change, now, fence)
        if fence:
            from .failures import stale

            raise stale(fence)
        return nothing

    def _spaces(self, condition: str, values: tuple[float, ...]) -> list[Space]:
        query = f"SELECT project, namespace, ttl FROM place p WHERE meta = ? AND {condition} ORDER BY project, namespace"  # noqa: S608 - likewise
        rows: list[tuple[str, str, int | None]] = self._read(lambda db: db.execute(query, (self._meta, *values)).fetchall(), [])
        return [Space(*row) for row in rows]

    def _range(self, place: Place, after: str, limit: int, now: float) -> tuple[str | float, ...]:
        lower = max(f"{after}\0", place.prefix) if after else place.prefix
        return (self._meta, place.project, place.namespace, lower, place.prefix + _LAST, now, limit)

    def _large(self, query: str, at: tuple[str | float, ...]) -> Found | None:
        """An entry with a body: rows, all read at once, or a file, which stays what it is while it is open."""
        from .pieces import missing, whole, with_rows

        nothing: tuple[Row | None, list[tuple[int, bytes]]] = (None, [])
        for _ in range(LOOKS):
            row, rows = self._read(lambda db: with_rows(db, query, at), nothing)
            if row is None or row[6] is None:
                return _found(row)
            if not rows or rows[0][0] >= 0:
                return Found(_entry(row), iter(whole(self._path, row, rows)))
            pieces = self._bulk.open(row[6], row[1])
            if pieces is not None:
                self._open.append(pieces)
                return Found(_entry(row), pieces)
        raise missing(self._bulk, at)


def _share(db: "Connection", user: str, *, shared: bool) -> None:
    owner = db.execute("SELECT value FROM state WHERE name = 'owner'").fetchone()
    if owner and owner[0] != user:
        raise Denied(f"Only its owner, user '{owner[0]}', says who may open this database", cure=f"--user {owner[0]} if you are")
    db.execute("INSERT OR REPLACE INTO state VALUES ('shared', ?)", (int(shared),))


def _has_history(db: "Connection") -> bool:
    from .driver import pragma

    return pragma(db, "user_version") > 1


def _found(row: "Row | None") -> Found | None:
    return None if row is None else Found(_entry(row), iter((row[5] or b"",)))


def _those(db: "Connection", wanted: "Sequence[tuple[Address, tuple[str | float, ...]]]") -> dict[Address, Entry]:
    """Those that are there."""
    rows = ((address, db.execute(_GET, at).fetchone()) for address, at in wanted)
    return {address: _entry(row) for address, row in rows if row}


def _entry(row: "Row") -> Entry:
    entry = Entry(row[0], row[1], row[2], row[3], row[5])
    entry.note = row[4] or b""
    return entry
