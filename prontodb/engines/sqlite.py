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

    from .base import Capabilities
    from .bodies import Bodies
    from .driver import Connection
    from .table import Table
    from .writer import Writer

    T = TypeVar("T")
    Row = tuple[str, int, int, int | None, bytes | None, bytes | None, int | None]

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
    """One meta's view of one file. `timeout` gives seconds; `folders`: make those missing above the file."""

    def __init__(self, path: str, meta: str, timeout: "Callable[[], float]", *, folders: bool = False, user: str = "default") -> None:
        if os.path.islink(path):
            # SQLite's journals lie beside the file itself, and there the reader looks for them.
            path = os.path.realpath(path)
        self._meta = meta
        self._user = user
        self._path = path
        self._timeout = timeout
        self._open: list[Iterator[bytes]] = []
        self._reader = Reader(path, timeout, user=user)
        self._folders = folders
        self._written: Writer | None = None
        self._files: Bodies | None = None
        self.notices: list[str] = []

    @property
    def capabilities(self) -> "Capabilities":
        """See `base`."""
        from .base import Capabilities

        return Capabilities(durable=True, shared=False, large_values=True)

    def time(self, now: float) -> float:
        """See `base`."""
        return now

    def close(self) -> None:
        """See `base`."""
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

    # Reading

    def get(self, address: Address, now: float, *, expired: bool = False) -> Found | None:
        """See `base`."""
        at = (self._meta, address.project, address.namespace, address.name, -1 if expired else now)
        row = self._read(lambda db: db.execute(_GET, at).fetchone(), None)
        return self._large(at) if row and row[6] is not None else _found(row)

    def get_many(self, addresses: "Iterable[Address]", now: float) -> dict[Address, Entry]:
        """See `base`."""
        wanted = [(address, (self._meta, address.project, address.namespace, address.name, now)) for address in addresses]
        nothing: dict[Address, Entry] = {}
        return self._read(lambda db: _of_one_moment(db, wanted), nothing) if wanted else nothing

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
            return self._write(lambda table: table.put(address, content, write), now)
        staged = self._staged(content)
        try:
            return self._write(lambda table: table.put(address, staged, write), now)
        finally:
            staged.discard()

    def put_many(self, items: "Iterable[tuple[Address, Content]]", write: Write, now: float) -> int:
        """See `base`."""
        return self._write(lambda table: len({address: table.put(address, content, write) for address, content in items}), now)

    def load(self, items: "Iterable[tuple[Address, Content, int | None]]", now: float) -> int:
        """See `base`."""
        from .bulk import Bulk

        bulk = self._bulk
        return self._transact(lambda db: Bulk(db, self._meta, now, bulk).load(items))

    def delete(self, addresses: "Iterable[Address]", now: float) -> list[Address]:
        """See `base`."""
        return self._change(lambda table: [address for address in addresses if table.delete(address)], now, nothing=[])

    def increment(self, address: Address, by: int, now: float) -> int:
        """See `base`."""
        return self._write(lambda table: table.increment(address, by), now)

    def copy(self, source: Address, target: Address, write: Write, now: float, *, move: bool = False, keep: bool = False) -> bool:
        """See `base`."""
        return self._change(
            lambda table: table.copy(source, target, write, keep=keep) and (not move or source == target or table.delete(source)),
            now,
            nothing=False,
        )

    def expire(self, address: Address, expires: int | None, now: float) -> bool:
        """See `base`."""
        return self._change(lambda table: table.expire(address, expires), now, nothing=False)

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

    def _write(self, change: "Callable[[Table], T]", now: float) -> "T":
        """A change and, in the same transaction, a batch of what has expired."""
        # Imported before the lock is taken, not while others wait for it.
        from .table import Table

        def both(db: "Connection") -> "T":
            table = Table(db, self._meta, now, self._bulk)
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

    def _change(self, change: "Callable[[Table], T]", now: float, *, nothing: "T") -> "T":
        """The same for a change of what is there already: `nothing`, where there is no database, which it does not make."""
        return self._write(change, now) if self._writer.exists() else nothing

    def _spaces(self, condition: str, values: tuple[float, ...]) -> list[Space]:
        query = f"SELECT project, namespace, ttl FROM place p WHERE meta = ? AND {condition} ORDER BY project, namespace"  # noqa: S608 - likewise
        rows: list[tuple[str, str, int | None]] = self._read(lambda db: db.execute(query, (self._meta, *values)).fetchall(), [])
        return [Space(*row) for row in rows]

    def _range(self, place: Place, after: str, limit: int, now: float) -> tuple[str | float, ...]:
        lower = max(f"{after}\0", place.prefix) if after else place.prefix
        return (self._meta, place.project, place.namespace, lower, place.prefix + _LAST, now, limit)

    def _large(self, at: tuple[str | float, ...]) -> Found | None:
        """An entry with a body: rows, all read at once, or a file, which stays what it is while it is open."""
        nothing: tuple[Row | None, list[tuple[int, bytes]]] = (None, [])
        for _ in range(LOOKS):
            row, rows = self._read(lambda db: _with_rows(db, at), nothing)
            if row is None or row[6] is None:
                return _found(row)
            if not rows or rows[0][0] >= 0:
                return Found(_entry(row), iter(_whole(self._path, row, rows)))
            pieces = self._bulk.open(row[6], row[1])
            if pieces is not None:
                self._open.append(pieces)
                return Found(_entry(row), pieces)
        raise _missing(self._bulk, at)


def _share(db: "Connection", user: str, *, shared: bool) -> None:
    owner = db.execute("SELECT value FROM state WHERE name = 'owner'").fetchone()
    if owner and owner[0] != user:
        raise Denied(f"Only its owner, user '{owner[0]}', says who may open this database", cure=f"--user {owner[0]} if you are")
    db.execute("INSERT OR REPLACE INTO state VALUES ('shared', ?)", (int(shared),))


def _found(row: "Row | None") -> Found | None:
    return None if row is None else Found(_entry(row), iter((row[5] or b"",)))


def _with_rows(db: "Connection", at: tuple[str | float, ...]) -> "tuple[Row | None, list[tuple[int, bytes]]]":
    row: Row | None = db.execute(_GET, at).fetchone()
    body = row[6] if row else None
    return row, [] if body is None else db.execute("SELECT number, data FROM chunk WHERE body = ? ORDER BY number", (body,)).fetchall()


def _of_one_moment(db: "Connection", wanted: "Sequence[tuple[Address, tuple[str | float, ...]]]") -> dict[Address, Entry]:
    """Those that are there, in one transaction: from its first look on it sees nothing new."""
    db.execute("BEGIN")
    try:
        rows = ((address, db.execute(_GET, at).fetchone()) for address, at in wanted)
        return {address: _entry(row) for address, row in rows if row}
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _missing(bulk: "Bodies", at: tuple[str | float, ...]) -> StorageError:
    from .failures import DamagedDatabase

    return DamagedDatabase(
        f"Database is damaged: the content of '{at[3]}' is not in {bulk.folder}",
        cure="where the database was copied or moved, bring that folder along; else restore a backup",
    )


def _whole(path: str, row: "Row", rows: list[tuple[int, bytes]]) -> list[bytes]:
    pieces = [data for _, data in rows]
    if sum(map(len, pieces)) != row[1]:
        from .failures import DamagedDatabase

        raise DamagedDatabase(f"Database is damaged: parts of '{row[0]}' are missing in {path}", cure="prontodb doctor")
    return pieces


def _entry(row: "Row") -> Entry:
    entry = Entry(row[0], row[1], row[2], row[3], row[5])
    entry.note = row[4] or b""
    return entry
