"""The SQLite engine: the contract of `base` in SQL. Files and locks are `connect`'s, the tables `schema`'s."""

from ..address import Address, Place
from ..errors import Busy
from ..model import Content, Entry, Found, Space, Write
from .connect import OldSchema, Reader, Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from .base import Capabilities
    from .driver import Connection
    from .table import Table

    T = TypeVar("T")
    Row = tuple[str, int, int, int | None, bytes | None, bytes | None, int | None]

_COLUMNS = "e.name, e.size, e.revision, e.expires, e.note, e.value, e.body"
_PLACE = "FROM place p JOIN entry e ON e.place = p.id WHERE p.meta = ? AND p.project = ? AND p.namespace = ?"
_LIVE = "(e.expires IS NULL OR e.expires > ?)"
_GET = f"SELECT {_COLUMNS} {_PLACE} AND e.name = ? AND {_LIVE}"
_RANGE = f"{_PLACE} AND e.name >= ? AND e.name < ? AND {_LIVE} ORDER BY e.name LIMIT ?"
_LAST = "\U0010ffff"
"""Sorts behind every character that a name may hold."""


class SqliteEngine:
    """One meta's view of one file. `timeout` gives seconds; `folders`: make those missing above the file."""

    def __init__(self, path: str, meta: str, timeout: "Callable[[], float]", *, folders: bool = False) -> None:
        self._meta = meta
        self._reader = Reader(path, timeout)
        self._writer = Writer(path, timeout, folders=folders)
        self.notices = self._writer.notices

    @property
    def capabilities(self) -> "Capabilities":
        """See `base`."""
        from .base import Capabilities

        return Capabilities(durable=True, shared=False, large_values=True)

    def close(self) -> None:
        """See `base`."""
        self._reader.close()
        self._writer.close()

    # Reading

    def get(self, address: Address, now: int, *, expired: bool = False) -> Found | None:
        """See `base`. A value of several pieces is read under one lock, where the folder allows one."""
        at = (self._meta, address.project, address.namespace, address.name, -1 if expired else now)
        row = self._read(lambda db: db.execute(_GET, at).fetchone(), None)
        if row is None:
            return None
        if row[6] is None:
            return Found(_entry(row), iter((row[5],)))
        return self._large(at)

    def names(self, place: Place, after: str, limit: int, now: int) -> list[str]:
        """See `base`."""
        at = self._range(place, after, limit, now)
        rows: list[tuple[str]] = self._read(lambda db: db.execute(f"SELECT e.name {_RANGE}", at).fetchall(), [])
        return [row[0] for row in rows]

    def entries(self, place: Place, after: str, limit: int, now: int) -> list[Entry]:
        """See `base`."""
        at = self._range(place, after, limit, now)
        rows: list[Row] = self._read(lambda db: db.execute(f"SELECT {_COLUMNS} {_RANGE}", at).fetchall(), [])
        return [_entry(row) for row in rows]

    def spaces(self, now: int) -> list[Space]:
        """See `base`."""
        live = f"EXISTS (SELECT 1 FROM entry e WHERE e.place = p.id AND {_LIVE})"  # noqa: S608 - constants
        return self._spaces(live, (now,))

    def caches(self) -> list[Space]:
        """See `base`."""
        return self._spaces("p.ttl IS NOT NULL", ())

    # Writing

    def put(self, address: Address, content: Content, write: Write, now: int) -> int:
        """See `base`."""
        return self._write(lambda table: table.put(address, content, write), now)

    def put_many(self, items: "Iterable[tuple[Address, Content]]", write: Write, now: int) -> int:
        """See `base`."""
        return self._write(lambda table: len({address: table.put(address, content, write) for address, content in items}), now)

    def delete(self, addresses: "Iterable[Address]", now: int) -> list[Address]:
        """See `base`."""
        return self._change(lambda table: [address for address in addresses if table.delete(address)], now, nothing=[])

    def increment(self, address: Address, by: int, now: int) -> int:
        """See `base`."""
        return self._write(lambda table: table.increment(address, by), now)

    def copy(self, source: Address, target: Address, write: Write, now: int, *, move: bool = False, keep: bool = False) -> bool:
        """See `base`."""
        return self._change(
            lambda table: table.copy(source, target, write, keep=keep) and (not move or table.delete(source)), now, nothing=False
        )

    def expire(self, address: Address, expires: int | None, now: int) -> bool:
        """See `base`."""
        return self._change(lambda table: table.expire(address, expires), now, nothing=False)

    def set_default_ttl(self, project: str, namespace: str, ttl: int | None, now: int) -> bool:
        """See `base`."""
        return self._write(lambda table: table.set_default_ttl(project, namespace, ttl), now)

    def purge(self, limit: int, now: int) -> int:
        """See `base`. Not waited for on disk: what a power cut brings back has expired all the same."""
        return self._writer.run(lambda db: _table(db, self._meta, now).purge(limit), durable=False)

    # Below the verbs

    def _read(self, query: "Callable[[Connection], T]", default: "T") -> "T":
        try:
            return self._reader.run(query, default)
        except OldSchema:
            self._writer.run(lambda _: None)
            return self._reader.run(query, default)

    def _write(self, change: "Callable[[Table], T]", now: int) -> "T":
        """A change and, in the same transaction, a batch of what has expired."""

        def both(db: "Connection") -> "T":
            table = _table(db, self._meta, now)
            result = change(table)
            table.purge()
            return result

        return self._writer.run(both)

    def _change(self, change: "Callable[[Table], T]", now: int, *, nothing: "T") -> "T":
        """The same for a change of what is there already: `nothing`, where there is no database, which it does not make."""
        return self._write(change, now) if self._writer.exists() else nothing

    def _spaces(self, condition: str, values: tuple[int, ...]) -> list[Space]:
        query = f"SELECT project, namespace, ttl FROM place p WHERE meta = ? AND {condition} ORDER BY project, namespace"  # noqa: S608 - likewise
        rows: list[tuple[str, str, int | None]] = self._read(lambda db: db.execute(query, (self._meta, *values)).fetchall(), [])
        return [Space(*row) for row in rows]

    def _range(self, place: Place, after: str, limit: int, now: int) -> tuple[str | int, ...]:
        lower = f"{after}\0" if after else place.prefix
        return (self._meta, place.project, place.namespace, lower, place.prefix + _LAST, now, limit)

    def _large(self, at: tuple[str | int, ...]) -> Found | None:
        self._reader.hold()
        row = self._read(lambda db: db.execute(_GET, at).fetchone(), None)
        return None if row is None else Found(_entry(row), self._pieces(row))

    def _pieces(self, row: "Row") -> "Iterator[bytes]":
        """The pieces of the body in `row`; a body that is gone meanwhile, which only a folder without locks allows, is an error."""
        if row[6] is None:
            yield row[5] or b""
            return
        read = number = 0
        while read < row[1]:
            piece = self._piece(row[6], number)
            if piece is None:
                raise Busy(f"'{row[0]}' was replaced while it was read", cure="run it again")
            yield piece
            read, number = read + len(piece), number + 1
        self._reader.close()

    def _piece(self, body: int, number: int) -> bytes | None:
        query = "SELECT data FROM chunk WHERE body = ? AND number = ?"
        row = self._read(lambda db: db.execute(query, (body, number)).fetchone(), None)
        return row[0] if row else None


def _table(db: "Connection", meta: str, now: int) -> "Table":
    from .table import Table

    return Table(db, meta, now)


def _entry(row: "Row") -> Entry:
    entry = Entry(row[0], row[1], row[2], row[3], row[5])
    entry.note = row[4] or b""
    return entry
