"""What a SQLite transaction changes: the statements behind the writing verbs. Everything here runs under the write lock."""

from ..address import Address
from ..model import FOREVER, INHERIT, SECRET, Content, Write, end
from .bodies import LEAST, marked
from .failures import PreconditionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .bodies import Bodies
    from .driver import Connection

    Standing = tuple[int, int, int | None, int, int | None, bytes | None, bytes | None]
    Fields = tuple[int | None, int, int | None, bytes | None, bytes | None]

INLINE = 512
"""Bytes up to which a value stands in its row: at 2 KiB inline, a listing is nine times slower."""
BATCH = 100
"""Expired entries that one write removes along the way."""
BATCH_BYTES = 16 << 20
"""Bytes of large values after which such a batch ends, so that it never holds the lock for long."""

PUT = """INSERT INTO entry (place, name, revision, expires, size, body, note, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (place, name) DO UPDATE SET revision = excluded.revision, expires = excluded.expires, size = excluded.size,
body = excluded.body, value = excluded.value, note = CASE WHEN excluded.note IS NULL AND ? AND substr(note, 1, 1) = x'00'
AND (expires IS NULL OR expires > ?) THEN x'00' ELSE excluded.note END"""
"""The last two: whether the mark of a live secret stays over which it is put, and the time."""


class Table:
    """One meta's entries, within one transaction at one moment `now`."""

    def __init__(self, db: "Connection", meta: str, now: float, bulk: "Bodies") -> None:
        self._db = db
        self._bulk = bulk
        self._meta = meta
        self._now = now

    def put(self, address: Address, content: Content, write: Write) -> int:
        """Stores, as `Engine.put`."""
        place, default = self._place(address.project, address.namespace)
        self._require(place, address, write)
        value, body = (content.read(), None) if content.size <= INLINE else (None, self._store(content))
        expires = self._expires(write, default)
        fields = (expires, content.size, body, write.note_for(content) or None, value)
        return self._replace(place, address.name, fields, sticky=write.secret is not False)

    def delete(self, address: Address) -> bool:
        """Removes an entry; whether a live one stood there."""
        row = self._row(address)
        if row is None:
            return False
        self._drop(row[0], address.name, row[4])
        return True

    def increment(self, address: Address, by: int) -> int:
        """Adds, as `Engine.increment`."""
        row = self._row(address)
        number = integer(address, row[5] if row else b"0") + by
        write = Write(INHERIT)
        if row:
            write.ttl, write.expires = FOREVER, row[2]
        self.put(address, Content.of(b"%d" % number), write)
        return number

    def copy(self, source: Address, target: Address, write: Write, *, keep: bool) -> bool:
        """Copies, as `Engine.copy`: rows of large values within the database."""
        row = self._row(source)
        if row is None:
            return False
        # Before `_require`, which drops what the target had: that may be the source.
        body = None if row[4] is None else self._store_copy(row[4])
        place, default = self._place(target.project, target.namespace)
        self._require(place, target, write)
        expires = row[2] if keep else self._expires(write, default)
        note = SECRET if write.secret or (row[6] or b"")[:1] == SECRET else None
        self._replace(place, target.name, (expires, row[3], body, note, row[5]), sticky=write.secret is not False)
        return True

    def expire(self, address: Address, expires: int | None) -> bool:
        """Sets when an entry ends."""
        row = self._row(address)
        if row is not None:
            self._db.execute("UPDATE entry SET expires = ? WHERE place = ? AND name = ?", (expires, row[0], address.name))
        return row is not None

    def set_default_ttl(self, project: str, namespace: str, ttl: int | None) -> bool:
        """Sets or ends a namespace's default lifetime; False where there was none to end."""
        place, before = self._place(project, namespace)
        self._db.execute("UPDATE place SET ttl = ? WHERE id = ?", (ttl, place))
        return before is not None or ttl is not None

    def purge(self, limit: int = BATCH) -> int:
        """Removes at most `limit` expired entries of any meta, the longest expired first; how many."""
        query = "SELECT place, name, body, size FROM entry WHERE expires <= ? ORDER BY expires LIMIT ?"
        rows, size = [], 0
        for place, name, body, length in self._db.execute(query, (self._now, limit)).fetchall():
            rows.append((place, name))
            if body is not None:
                size += length
                self._forget(body)
            if size > BATCH_BYTES:
                break
        if rows:
            self._db.executemany("DELETE FROM entry WHERE place = ? AND name = ?", rows)
        return len(rows)

    def _place(self, project: str, namespace: str) -> tuple[int, int | None]:
        """Id and default lifetime of a namespace, made where it is new."""
        at = (self._meta, project, namespace)
        query = "SELECT id, ttl FROM place WHERE meta = ? AND project = ? AND namespace = ?"
        row = self._db.execute(query, at).fetchone()
        if row is None:
            made = self._db.execute("INSERT INTO place (meta, project, namespace) VALUES (?, ?, ?)", at)
            return int(made.lastrowid or 0), None
        return row[0], row[1]

    def _row(self, address: Address) -> "Standing | None":
        """Place, revision, expiry, size, body, value and note of a live entry."""
        query = (
            "SELECT e.place, e.revision, e.expires, e.size, e.body, e.value, e.note FROM place p JOIN entry e ON e.place = p.id"
            " WHERE p.meta = ? AND p.project = ? AND p.namespace = ? AND e.name = ? AND (e.expires IS NULL OR e.expires > ?)"
        )
        at = (self._meta, address.project, address.namespace, address.name, self._now)
        row: Standing | None = self._db.execute(query, at).fetchone()
        return row

    def _require(self, place: int, address: Address, write: Write) -> None:
        """The preconditions of a write, and room for it: a body that it replaces is dropped."""
        query = "SELECT revision, expires, body FROM entry WHERE place = ? AND name = ?"
        row = self._db.execute(query, (place, address.name)).fetchone()
        live = row is not None and (row[1] is None or row[1] > self._now)
        if write.absent and live:
            raise PreconditionFailed(f"{address} exists already", address=str(address))
        if write.revision is not None and write.revision != (row[0] if live else 0):
            raise PreconditionFailed(f"{address} has another revision: {row[0] if live else 'none'}", address=str(address))
        if row is not None and row[2] is not None:
            self._forget(row[2])

    def _expires(self, write: Write, default: int | None) -> int | None:
        if write.expires is not None:
            return write.expires
        ttl = default if write.ttl is INHERIT else write.ttl
        return end(self._now, ttl) if ttl else None

    def _replace(self, place: int, name: str, fields: "Fields", *, sticky: bool) -> int:
        revision = self._next_revision()
        self._db.execute(PUT, (place, name, revision, *fields, sticky, self._now))
        return revision

    def _next_revision(self, count: int = 1) -> int:
        """The next revision; of several, the last."""
        self._db.execute(
            "INSERT INTO revision VALUES (?, ?) ON CONFLICT (meta) DO UPDATE SET last = last + excluded.last",
            (self._meta, count),
        )
        return int(self._db.execute("SELECT last FROM revision WHERE meta = ?", (self._meta,)).fetchone()[0])

    def _next_body(self) -> int:
        self._db.execute("UPDATE state SET value = value + 1 WHERE name = 'body'")
        return int(self._db.execute("SELECT value FROM state WHERE name = 'body'").fetchone()[0])

    def _store(self, content: Content) -> int:
        body = self._next_body()
        if content.size >= LEAST:
            self._bulk.store(self._db, body, content)
            return body
        rows = ((body, number, piece) for number, piece in enumerate(content.pieces()))
        self._db.executemany("INSERT INTO chunk VALUES (?, ?, ?)", rows)
        return body

    def _store_copy(self, body: int) -> int:
        copy = self._next_body()
        if marked(self._db, body):
            self._bulk.copy(body, copy)
        self._db.execute("INSERT INTO chunk SELECT ?, number, data FROM chunk WHERE body = ?", (copy, body))
        return copy

    def _forget(self, body: int) -> None:
        self._bulk.drop(self._db, body)
        self._db.execute("DELETE FROM chunk WHERE body = ?", (body,))

    def _drop(self, place: int, name: str, body: int | None) -> None:
        if body is not None:
            self._forget(body)
        self._db.execute("DELETE FROM entry WHERE place = ? AND name = ?", (place, name))


def integer(address: Address, value: bytes | None) -> int:
    """The decimal integer that a value spells. Raises `PreconditionFailed` where it spells none, or one beyond 19 digits."""
    text = (value or b"").strip()
    digits = text.removeprefix(b"-")
    if digits.isdigit() and len(digits) <= 19:
        return int(text)
    raise PreconditionFailed(f"{address} does not hold an integer", address=str(address))
