"""What a SQLite transaction changes: the statements behind the writing verbs. Everything here runs under the write lock."""

from ..address import Address
from ..model import FOREVER, INHERIT, SECRET, Content, Write, end
from ..past import OFF
from . import queued
from .bodies import LEAST, marked
from .failures import PreconditionFailed, stale
from .history import History, Standing, cached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..model import Fence
    from ..past import Keeping, Step
    from .bodies import Bodies
    from .driver import Connection

    Row = tuple[int, int, int | None, int, int | None, bytes | None, bytes | None]
    Fields = tuple[int | None, int, int | None, bytes | None, bytes | None]

INLINE = 512
"""Bytes up to which a value stands in its row: at 2 KiB inline, a listing is nine times slower."""
BATCH = 100
"""Expired entries that one write removes along the way."""
BATCH_BYTES = 16 << 20
"""Bytes of large values after which such a batch ends, so that it never holds the lock for long."""

_SPAN = """SELECT e.name FROM place p JOIN entry e ON e.place = p.id
WHERE p.meta = ? AND p.project = ? AND p.namespace = ? AND e.name >= ? AND e.name < ? AND (e.expires IS NULL OR e.expires > ?)
ORDER BY e.name"""
PUT = """INSERT INTO entry (place, name, revision, expires, size, body, note, value, written, actor, previous)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (place, name) DO UPDATE SET revision = excluded.revision, expires = excluded.expires, size = excluded.size,
body = excluded.body, value = excluded.value, written = excluded.written, actor = excluded.actor, previous = excluded.previous,
note = CASE WHEN excluded.note IS NULL AND ? AND substr(note, 1, 1) = x'00' AND (expires IS NULL OR expires > ?) THEN x'00'
ELSE excluded.note END"""
"""The last two: whether the mark of a live secret stays over which it is put, and the time."""


class Table:
    """One meta's entries, within one transaction at one moment `now`; `keeping` is what becomes of the values that are replaced."""

    def __init__(self, db: "Connection", meta: str, now: float, bulk: "Bodies", keeping: "Keeping" = OFF) -> None:
        self._db = db
        self._bulk = bulk
        self._meta = meta
        self._now = now
        self._start: int | None = None
        self._history = History(db, meta, now, keeping)
        self._history.forget = self._forget

    def put(self, address: Address, content: Content, write: Write) -> int:
        """Stores, as `Engine.put`."""
        place, default = self._place(address.project, address.namespace)
        if write.numbered:
            number = max(self._last_revision(), self._last_number(place, address.name)) + 1
            standing = self._standing(place, Address(address.project, address.namespace, queued.item(address.name, number)))
        else:
            standing = self._require(place, address, write)
        value, body = (content.read(), None) if content.size <= INLINE else (None, self._store(content))
        fields = (self._expires(write, default), content.size, body, write.note_for(content) or None, value)
        revision = self._replace(standing, fields, sticky=write.secret is not False)
        return number if write.numbered else revision

    def hold(self, fence: "Fence") -> None:
        """Raises `LeaseLost` where the lease does not live at this revision."""
        row = self._row(fence[0])
        if row is None or row[1] != fence[1]:
            raise stale(fence)

    def take(self, queue: Address, content: Content, ttl: int) -> tuple[Address, int] | None:
        """Leases an item, as `Engine.take`."""
        at = (self._meta, queue.project, queue.namespace, *queued.span(queue.name), self._now)
        name = queued.free(queue.name, (row[0] for row in self._db.execute(_SPAN, at)))
        item = Address(queue.project, queue.namespace, name)
        return (item, self.put(queued.lease(item), content, Write(ttl))) if name else None

    def delete(self, address: Address, *, purge: bool = False) -> bool:
        """Removes an entry, and with `purge` its history; whether a live one stood there, or with `purge` anything at all."""
        row = self._row(address)
        gone = self.drop(address) if purge else False
        if row is None:
            return gone
        self._supersede(self._standing(row[0], address), deleted=True, trace=not purge)
        self._db.execute("DELETE FROM entry WHERE place = ? AND name = ?", (row[0], address.name))
        return True

    def drop(self, address: Address) -> bool:
        """Removes the history of a key; whether it had one."""
        return self._history.cut(self._place(address.project, address.namespace)[0], address.name) > 0

    def revert(self, steps: "Iterable[Step]") -> None:
        """Goes back, as `Engine.revert`."""
        for step in steps:
            address = step.address
            place, _ = self._place(address.project, address.namespace)
            if self._history.last(place, address.name) != step.standing:
                raise PreconditionFailed(f"{address} was changed meanwhile", address=str(address))
            if step.to:
                self._recall(place, address, step.to)
            else:
                self.delete(address)

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
        body = None if row[4] is None else self._store_copy(row[4])
        place, default = self._place(target.project, target.namespace)
        standing = self._require(place, target, write)
        expires = row[2] if keep else self._expires(write, default)
        note = SECRET if write.secret or (row[6] or b"")[:1] == SECRET else None
        self._replace(standing, (expires, row[3], body, note, row[5]), sticky=write.secret is not False)
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
        """Removes at most `limit` expired entries of any meta, the longest expired first, then versions of the history; how many."""
        if self._start is not None:
            self._history.evict(self._start)
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
        return len(rows) + self._history.purge(limit - len(rows))

    def _place(self, project: str, namespace: str) -> tuple[int, int | None]:
        """Id and default lifetime of a namespace, made where it is new."""
        at = (self._meta, project, namespace)
        query = "SELECT id, ttl FROM place WHERE meta = ? AND project = ? AND namespace = ?"
        row = self._db.execute(query, at).fetchone()
        if row is None:
            made = self._db.execute("INSERT INTO place (meta, project, namespace) VALUES (?, ?, ?)", at)
            return int(made.lastrowid or 0), None
        return row[0], row[1]

    def _row(self, address: Address) -> "Row | None":
        """Place, revision, expiry, size, body, value and note of a live entry."""
        query = (
            "SELECT e.place, e.revision, e.expires, e.size, e.body, e.value, e.note FROM place p JOIN entry e ON e.place = p.id"
            " WHERE p.meta = ? AND p.project = ? AND p.namespace = ? AND e.name = ? AND (e.expires IS NULL OR e.expires > ?)"
        )
        at = (self._meta, address.project, address.namespace, address.name, self._now)
        row: Row | None = self._db.execute(query, at).fetchone()
        return row

    def _standing(self, place: int, address: Address) -> Standing:
        query = "SELECT revision, expires, body, size, previous FROM entry WHERE place = ? AND name = ?"
        standing = Standing(place, address.name, self._db.execute(query, (place, address.name)).fetchone(), self._now)
        standing.traced = not cached(address.project, address.namespace)
        return standing

    def _require(self, place: int, address: Address, write: Write) -> Standing:
        """The preconditions of a write; what stands there."""
        standing = self._standing(place, address)
        if write.absent and standing.live:
            raise PreconditionFailed(f"{address} exists already", address=str(address))
        if write.revision is not None and write.revision != (standing.revision if standing.live else 0):
            raise PreconditionFailed(
                f"{address} has another revision: {standing.revision if standing.live else 'none'}", address=str(address)
            )
        return standing

    def _expires(self, write: Write, default: int | None) -> int | None:
        if write.expires is not None:
            return write.expires
        ttl = default if write.ttl is INHERIT else write.ttl
        return end(self._now, ttl) if ttl else None

    def _replace(self, standing: Standing, fields: "Fields", *, sticky: bool) -> int:
        revision, previous = self._supersede(standing)
        row = (standing.place, standing.name, revision, *fields, *self._history.made, previous)
        self._db.execute(PUT, (*row, sticky, self._now))
        return revision

    def _supersede(self, standing: Standing, *, deleted: bool = False, trace: bool = True) -> "tuple[int, int | None]":
        """A revision for a change, and that of what it replaces, which goes into the history, or where that is not to be, away."""
        cost = self._history.cost(standing, self._start) if trace else 0
        revision = self._next_revision(held=cost)
        return revision, self._give_way(standing, cost, revision, deleted=deleted)

    def _give_way(self, standing: Standing, cost: int, successor: int, *, deleted: bool = False) -> int | None:
        """Puts what stands there into the history if that has a cost, else drops it; the revision of what `successor` replaces."""
        if cost:
            self._history.keep(standing, successor, deleted=deleted)
            return standing.revision
        if standing.body is not None:
            self._forget(standing.body)
        self._history.switched_off(standing)
        return self._before(standing, successor)

    def _before(self, standing: Standing, successor: int) -> int | None:
        """What is replaced with what leaves no trace: where this very transaction has put it, that which stood there before."""
        if not standing.live:
            return 0
        if self._start is None or standing.revision <= self._start:
            return standing.revision
        self._history.pass_on(standing, successor)
        return standing.previous

    def _recall(self, place: int, address: Address, revision: int) -> None:
        found = self._history.recall(place, address.name, revision)
        if found is None:
            raise PreconditionFailed(f"{address} is not kept any more as it was", address=str(address))
        expires, size, body, note, value = found
        copy = None if body is None else self._store_copy(body)
        self._replace(self._standing(place, address), (expires, size, copy, note, value), sticky=False)

    def _last_number(self, place: int, queue: str) -> int:
        """The highest that an item has, expired or not; 0 where there is none."""
        query = "SELECT name FROM entry WHERE place = ? AND name >= ? AND name < ? ORDER BY name DESC"
        numbers = (queued.number(queue, name) for (name,) in self._db.execute(query, (place, *queued.span(queue))))
        return next(filter(None, numbers), 0)

    def _last_revision(self) -> int:
        row = self._db.execute("SELECT last FROM revision WHERE meta = ?", (self._meta,)).fetchone()
        return int(row[0]) if row else 0

    def _next_revision(self, count: int = 1, *, held: int = 0) -> int:
        """The next revision; of several, the last. `held` are the bytes that go into the history with it."""
        self._db.execute(
            "INSERT INTO revision (meta, last, held) VALUES (?, ?, ?)"
            " ON CONFLICT (meta) DO UPDATE SET last = last + excluded.last, held = held + excluded.held",
            (self._meta, count, held),
        )
        last, self._history.held = self._db.execute("SELECT last, held FROM revision WHERE meta = ?", (self._meta,)).fetchone()
        if self._start is None:
            self._start = last - count
        return int(last)

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


def integer(address: Address, value: bytes | None) -> int:
    """The decimal integer that a value spells. Raises `PreconditionFailed` where it spells none, or one beyond 19 digits."""
    text = (value or b"").strip()
    digits = text.removeprefix(b"-")
    if digits.isdigit() and len(digits) <= 19:
        return int(text)
    raise PreconditionFailed(f"{address} does not hold an integer", address=str(address))
