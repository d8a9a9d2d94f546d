"""The history of a SQLite database: what becomes of a value that is replaced or deleted, and how one finds it again.

Its rows are those of `past`. A row is removed together with all older ones of its key, so that what is kept of a key always reaches
from some change to the last one without a gap: nobody is ever given back the wrong one. A large value is handed over, never copied.
"""

from ..address import Address
from ..model import end
from ..past import OVERHEAD, Change, Version, milliseconds, seconds
from .driver import pragma

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..address import Place
    from ..past import Keeping
    from .driver import Connection

    Row = tuple[str, str, str, int, int | None, str | None, int, int | None, int | None, int, int, int, int | None, str | None, int]

ALL = 1 << 62
"""Above every revision."""
PURGED = 16 << 20
"""Bytes of versions after which such a batch ends, so that it never holds the lock for long."""
ASKED = 500
"""Names that are looked for at once: older SQLites take 999 parameters."""
EVICTED = 1000
"""Versions at most that one write removes because a meta has too many bytes of them."""
_KEEP = """INSERT INTO past (place, name, successor, deleted, ended, ender, until,
    revision, written, actor, previous, expires, size, kept, body, note, value)
SELECT place, name, ?1, ?2, ?3, ?4, ?5, revision, written, actor, previous, expires, size, ?6,
    CASE WHEN ?6 THEN body END, note, CASE WHEN ?6 THEN value END
FROM entry WHERE place = ?7 AND name = ?8"""
_LAST = """SELECT coalesce((SELECT revision FROM entry WHERE place = ?1 AND name = ?2 AND (expires IS NULL OR expires > ?3)),
    (SELECT successor FROM past WHERE place = ?1 AND name = ?2 ORDER BY successor DESC LIMIT 1), 0)"""
_OLDEST = """SELECT q.place, q.name, q.successor FROM past q JOIN place p ON p.id = q.place WHERE p.meta = ?
ORDER BY q.until, q.successor LIMIT ?"""
_LIVE = """SELECT p.project, p.namespace, e.name, e.revision, {written}, e.size, e.expires, {previous}, 1, 0, 0, NULL, NULL,
    e.revision AS touched
FROM place p JOIN entry e ON e.place = p.id
WHERE p.meta = :meta AND (e.expires IS NULL OR e.expires > :now){since}{within}"""
_PAST = """SELECT p.project, p.namespace, e.name, e.revision, e.written, e.actor, e.size, e.expires, e.previous,
    e.kept AND (e.expires IS NULL OR e.expires > :now), e.successor, e.deleted, e.ended, e.ender, e.successor
FROM place p JOIN past e ON e.place = p.id WHERE p.meta = :meta AND e.until > :now AND e.ended >= :since{within}"""
RECALL = """SELECT e.name, e.size, e.revision, e.expires, e.note, e.value, e.body FROM place p JOIN past e ON e.place = p.id
WHERE p.meta = ? AND p.project = ? AND p.namespace = ? AND e.name = ? AND e.revision = ? AND e.kept
    AND (e.expires IS NULL OR e.expires > ?) AND e.until > ?"""


class Standing:
    """What stands at an address as a change begins. `live` is False for what has expired and for nothing at all; `traced` where what is
    replaced leaves a trace: not in the pipe cache.
    """

    __slots__ = ("body", "live", "name", "place", "previous", "revision", "size", "traced")

    def __init__(self, place: int, name: str, row: "tuple[int, int | None, int | None, int, int | None] | None", now: float) -> None:
        self.place = place
        self.name = name
        self.revision, expires, self.body, self.size, self.previous = row or (0, None, None, 0, None)
        self.live = row is not None and (expires is None or expires > now)
        self.traced = True


class History:
    """One meta's history, within one transaction at one moment `now`; `forget` drops a large value. All of it under the write lock."""

    def __init__(self, db: "Connection", meta: str, now: float, keeping: "Keeping") -> None:
        self._db = db
        self._meta = meta
        self._now = now
        self._keeping = keeping
        self.forget: Callable[[int], None] = lambda _: None
        self.held = 0
        """Bytes that this meta has in its history, as far as this transaction knows."""

    @property
    def made(self) -> tuple[int, str]:
        """When and by whom a value is written now."""
        return milliseconds(self._now), self._keeping.actor

    def cost(self, standing: Standing, start: int | None) -> int:
        """Bytes that keeping what stands there would come to; 0 where it is not kept: it ended by itself, is of this very transaction, in
        the pipe cache, or the history is off. `start` is the last revision before the transaction, None where it has given none yet.
        """
        fresh = start is not None and standing.revision > start
        if not self._keeping.ttl or not standing.live or fresh or not standing.traced:
            return 0
        return OVERHEAD + (standing.size if self._whole(standing.size) else 0)

    def keep(self, standing: Standing, successor: int, *, deleted: bool = False) -> None:
        """Takes over what stands there, which the change `successor` replaces or deletes."""
        self._db.execute(_KEEP, self._row(standing, successor, deleted=deleted))
        at = (standing.place, standing.name)
        query = "SELECT successor FROM past WHERE place = ? AND name = ? ORDER BY successor DESC LIMIT 1 OFFSET ?"
        beyond = self._db.execute(query, (*at, self._keeping.count)).fetchone()
        if beyond:
            self.cut(*at, beyond[0])

    def keep_many(self, pairs: list[tuple[Standing, int]]) -> None:
        """The same for many that are replaced, each by its successor."""
        self._db.executemany(_KEEP, [self._row(standing, successor) for standing, successor in pairs])
        names: dict[int, list[str]] = {}
        for standing, _ in pairs:
            names.setdefault(standing.place, []).append(standing.name)
        for place, those in names.items():
            for first in range(0, len(those), ASKED):
                self._cut_beyond(place, those[first : first + ASKED])

    def cut(self, place: int, name: str, upto: int = ALL) -> int:
        """Removes the versions of a key that ended with the revision `upto` or before; how many bytes they counted."""
        at = (place, name, upto)
        which = "FROM past WHERE place = ? AND name = ? AND successor <= ?"
        rows = self._db.execute(f"SELECT body, size, kept {which}", at).fetchall()
        freed = sum(OVERHEAD + (size if kept else 0) for _, size, kept in rows)
        if rows:
            for body, _, _ in rows:
                if body is not None:
                    self.forget(body)
            self._db.execute(f"DELETE {which}", at)
            self._release(place, freed)
        return freed

    def switched_off(self, standing: Standing) -> None:
        """A change that leaves no trace ends the history of its key: what is kept would have a gap."""
        if not self._keeping.ttl and standing.traced:
            self.cut(standing.place, standing.name)

    def pass_on(self, standing: Standing, successor: int) -> None:
        """What a value of this very transaction had replaced is replaced by its successor: nobody has seen what was between."""
        if not standing.previous:
            return
        query = "UPDATE past SET successor = ? WHERE place = ? AND name = ? AND successor = ?"
        self._db.execute(query, (successor, standing.place, standing.name, standing.revision))

    def purge(self, limit: int) -> int:
        """Removes versions of any meta that have been kept for long enough, and the bytes of those whose own lifetime is over; how many.

        At most `limit`, and no more once they come to `PURGED` bytes.
        """
        count = freed = 0
        query = "SELECT place, name, successor FROM past WHERE until <= ? ORDER BY until LIMIT ?"
        for row in self._db.execute(query, (self._now, limit)).fetchall():
            freed, count = freed + self.cut(*row), count + 1
            if freed > PURGED:
                return count
        query = "SELECT place, name, successor, body, size FROM past WHERE kept AND expires <= ? LIMIT ?"
        for row in self._db.execute(query, (self._now, limit - count)).fetchall():
            self._blank(row)
            freed, count = freed + row[4], count + 1
            if freed > PURGED:
                break
        return count

    def evict(self, start: int) -> None:
        """Removes the oldest where this meta has more bytes than it may: an eighth more than is needed, so that it is not soon to do
        again, but nothing that this transaction, which began after `start`, has put there.
        """
        most = self._keeping.size
        if not self._keeping.ttl or self.held <= most:
            return
        for place, name, successor in self._db.execute(_OLDEST, (self._meta, EVICTED)).fetchall():
            if self.held <= most - most // 8 or (self.held <= most and successor > start):
                break
            self.cut(place, name, successor)

    def last(self, place: int, name: str) -> int:
        """The revision of a key's last change; 0 where none is known."""
        return int(self._db.execute(_LAST, (place, name, self._now)).fetchone()[0])

    def recall(self, place: int, name: str, revision: int) -> "tuple[int | None, int, int | None, bytes | None, bytes | None] | None":
        """Expiry, size, body, note and value of a version of the history; None where it is not kept."""
        query = "SELECT expires, size, body, note, value FROM past WHERE place = ? AND name = ? AND revision = ? AND kept"
        row: tuple[int | None, int, int | None, bytes | None, bytes | None] | None = self._db.execute(
            query, (place, name, revision)
        ).fetchone()
        return row

    def _row(self, standing: Standing, successor: int, *, deleted: bool = False) -> tuple[object, ...]:
        """The values of `_KEEP`. A body that is not taken over is dropped."""
        whole, (time, actor) = self._whole(standing.size), self.made
        if standing.body is not None and not whole:
            self.forget(standing.body)
        return successor, deleted, time, actor, end(self._now, self._keeping.ttl), whole, standing.place, standing.name

    def _cut_beyond(self, place: int, names: list[str]) -> None:
        """Removes what is too many of each of these keys."""
        marks = ", ".join("?" * len(names))
        query = f"SELECT name FROM past WHERE place = ? AND name IN ({marks}) GROUP BY name HAVING count(*) > ?"  # noqa: S608 - only marks
        for (name,) in self._db.execute(query, (place, *names, self._keeping.count)).fetchall():
            query = "SELECT successor FROM past WHERE place = ? AND name = ? ORDER BY successor DESC LIMIT 1 OFFSET ?"
            self.cut(place, name, self._db.execute(query, (place, name, self._keeping.count)).fetchone()[0])

    def _whole(self, size: int) -> bool:
        return size + OVERHEAD <= self._keeping.size

    def _blank(self, row: "tuple[int, str, int, int | None, int]") -> None:
        place, name, successor, body, size = row
        if body is not None:
            self.forget(body)
        at = (place, name, successor)
        self._db.execute("UPDATE past SET kept = 0, body = NULL, value = NULL WHERE place = ? AND name = ? AND successor = ?", at)
        self._release(place, size)

    def _release(self, place: int, size: int) -> None:
        self.held -= size
        query = "UPDATE revision SET held = max(0, held - ?) WHERE meta = (SELECT meta FROM place WHERE id = ?)"
        self._db.execute(query, (size, place))


def versions(db: "Connection", at: "Address | Place | None", values: dict[str, object]) -> list[Version]:
    """The versions at an address, in a place, or of a whole meta, those touched last first. `values`: `meta`, `now`, `since` and `limit`.

    A database of version 1 has live ones only, and knows no more of them than their revisions.
    """
    within, more = _scope(at)
    if pragma(db, "user_version") > 1:
        later = " AND coalesce(e.written, 0) >= :since"
        live = _LIVE.format(written="e.written, e.actor", previous="e.previous", since=later, within=within)
        query = f"{live} UNION ALL {_PAST.format(within=within)}"
    else:
        query = _LIVE.format(written="NULL, NULL", previous="NULL", since=" AND :since <= 0", within=within)
    return [
        _version(row) for row in db.execute(f"{query} ORDER BY touched DESC, revision DESC LIMIT :limit", {**values, **more}).fetchall()
    ]


def _scope(at: "Address | Place | None") -> tuple[str, dict[str, object]]:
    """What limits a query to an address, to a place, or to all but the pipe cache."""
    if at is None:
        return " AND NOT (p.project = 'pipe' AND p.namespace = 'cache')", {}
    values: dict[str, object] = {"project": at.project, "namespace": at.namespace}
    within = " AND p.project = :project AND p.namespace = :namespace"
    if isinstance(at, Address):
        return f"{within} AND e.name = :name", {**values, "name": at.name}
    return f"{within} AND e.name >= :low AND e.name < :high", {**values, "low": at.prefix, "high": at.prefix + "\U0010ffff"}


def cached(project: str, namespace: str) -> bool:
    """Whether that is the pipe cache, which has no history: its entries are on their way elsewhere."""
    return project == "pipe" and namespace == "cache"


def _version(row: "Row") -> Version:
    project, namespace, name, revision, written, actor, size, expires, previous, kept, successor, deleted, ended, ender, _ = row
    version = Version(Address(project, namespace, name), Change(revision, seconds(written), actor or ""), size, expires)
    version.previous, version.kept, version.deleted = previous, bool(kept), bool(deleted)
    if successor:
        version.ended = Change(successor, seconds(ended), ender or "")
    return version
