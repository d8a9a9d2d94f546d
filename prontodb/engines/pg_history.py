"""The history of a PostgreSQL database, as `history` has it for SQLite: the same rules, in as few questions to the server as may be."""

from ..address import Address
from ..model import end
from ..past import OVERHEAD, Change, Version, milliseconds, seconds
from .history import ALL, EVICTED, cached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..address import Place
    from ..past import Keeping
    from .pg_driver import Row
    from .pg_link import Link

    Key = tuple[bytes, bytes, bytes]

_COST = f"{OVERHEAD} + CASE WHEN kept THEN size ELSE 0 END"
_SAME = "{0}.meta = current_user AND {0}.project = i.project AND {0}.namespace = i.namespace AND {0}.name = i.name"
_WHICH = "unnest(%s::bytea[], %s::bytea[], %s::bytea[], %s::bigint[]) AS i (project, namespace, name, revision)"
_KEEP = f"""WITH old AS (INSERT INTO prontodb.past AS q (project, namespace, name, successor, deleted, ended, ender, until,
    revision, written, actor, previous, expires, size, kept, body, note, value)
SELECT e.project, e.namespace, e.name, i.revision, %s, %s, %s, %s, e.revision, e.written, e.actor, e.previous, e.expires, e.size,
    e.size <= %s, CASE WHEN e.size <= %s THEN e.body END, e.note, CASE WHEN e.size <= %s THEN e.value END
FROM {_WHICH} JOIN prontodb.entry e ON {_SAME.format("e")}
RETURNING q.project, q.namespace, q.name, {_COST} AS cost, (SELECT b.successor FROM prontodb.past b WHERE b.meta = current_user
    AND b.project = q.project AND b.namespace = q.namespace AND b.name = q.name ORDER BY b.successor DESC OFFSET %s LIMIT 1) AS beyond),
tenant AS (UPDATE prontodb.tenant SET held = held + (SELECT coalesce(sum(cost), 0) FROM old) WHERE meta = current_user RETURNING held)
SELECT old.project, old.namespace, old.name, old.beyond, tenant.held FROM old, tenant"""
_CUT = f"""WITH gone AS (DELETE FROM prontodb.past q USING {_WHICH} WHERE {_SAME.format("q")} AND q.successor <= i.revision
    RETURNING q.project, q.namespace, q.name, q.body, {_COST} AS cost),
chunks AS (DELETE FROM prontodb.chunk c USING gone g WHERE c.meta = current_user AND c.body = g.body),
tenant AS (UPDATE prontodb.tenant SET held = greatest(0, held - (SELECT coalesce(sum(cost), 0) FROM gone))
    WHERE meta = current_user RETURNING held)
SELECT DISTINCT gone.project, gone.namespace, gone.name, tenant.held FROM gone, tenant"""
_ENDED = """(SELECT true, project, namespace, name, successor FROM prontodb.past
    WHERE meta = current_user AND until <= %s ORDER BY until LIMIT %s)
UNION ALL (SELECT false, project, namespace, name, successor FROM prontodb.past
    WHERE meta = current_user AND kept AND expires <= %s LIMIT %s)"""
# The old body is read before it is forgotten: RETURNING would tell the new one.
_BLANK = f"""WITH old AS (SELECT q.project, q.namespace, q.name, q.successor, q.body, q.size FROM {_WHICH} JOIN prontodb.past q
    ON {_SAME.format("q")} AND q.successor = i.revision WHERE q.kept),
chunks AS (DELETE FROM prontodb.chunk c USING old o WHERE c.meta = current_user AND c.body = o.body),
tenant AS (UPDATE prontodb.tenant SET held = greatest(0, held - (SELECT coalesce(sum(size), 0) FROM old)) WHERE meta = current_user)
UPDATE prontodb.past q SET kept = false, body = NULL, value = NULL FROM old o WHERE q.meta = current_user AND q.project = o.project
    AND q.namespace = o.namespace AND q.name = o.name AND q.successor = o.successor"""
_OLDEST = f"""SELECT project, namespace, name, successor, {_COST} FROM prontodb.past WHERE meta = current_user
ORDER BY until, successor LIMIT %s"""
_HERE = "meta = current_user AND project = %s AND namespace = %s AND name = %s"
_LAST = f"""SELECT coalesce((SELECT revision FROM prontodb.entry WHERE {_HERE} AND (expires IS NULL OR expires > %s)),
    (SELECT max(successor) FROM prontodb.past WHERE {_HERE}), 0)"""
_LIVE = """SELECT project, namespace, name, revision, written, actor, size, expires, previous, true, 0, false, NULL::bigint, NULL::text,
    revision AS touched FROM prontodb.entry
WHERE meta = current_user AND (expires IS NULL OR expires > %s) AND coalesce(written, 0) >= %s{}"""
_PAST = """SELECT project, namespace, name, revision, written, actor, size, expires, previous,
    kept AND (expires IS NULL OR expires > %s), successor, deleted, ended, ender, successor FROM prontodb.past
WHERE meta = current_user AND until > %s AND ended >= %s{}"""
RECALL = f"""SELECT name, size, revision, expires, note, body, value FROM prontodb.past
WHERE {_HERE} AND revision = %s AND kept AND (expires IS NULL OR expires > %s) AND until > %s"""


class History:
    """One meta's history, within one transaction at one moment `now`."""

    def __init__(self, link: "Link", now: float, keeping: "Keeping") -> None:
        self._run = link.execute
        self._now = now
        self._second = int(now // 1)
        self._keeping = keeping
        self._most = keeping.size - OVERHEAD
        self._held = 0

    @property
    def made(self) -> tuple[int, str]:
        """When and by whom a value is written now."""
        return milliseconds(self._now), self._keeping.actor

    @property
    def on(self) -> bool:
        """Whether anything is kept."""
        return self._keeping.ttl > 0

    def whole(self, size: int) -> bool:
        """Whether so many bytes are kept."""
        return size <= self._most

    def keep(self, keys: "Sequence[Key]", successors: "Sequence[int]", *, deleted: bool) -> None:
        """Takes over the entries that stand there, each replaced or deleted by its successor."""
        until = end(self._now, self._keeping.ttl)
        values = (deleted, *self.made, until, *[self._most] * 3, *_columns(keys), list(successors), self._keeping.count - 1)
        rows = self._run(_KEEP, values)
        self._held = rows[0][4] if rows else self._held
        beyond = [(_key(row), row[3]) for row in rows if row[3] is not None]
        self.cut([key for key, _ in beyond], [successor for _, successor in beyond])

    def cut(self, keys: "Sequence[Key]", upto: "Sequence[int] | None" = None) -> "set[Key]":
        """Removes the versions of keys that ended with these revisions or before, by default all; the keys that had any."""
        rows = self._run(_CUT, (*_columns(keys), list(upto or [ALL] * len(keys)))) if keys else []
        self._held = rows[0][3] if rows else self._held
        return {_key(row) for row in rows}

    def pass_on(self, key: "Key", revision: int, successor: int) -> None:
        """What a value of this very transaction had replaced is replaced by its successor: nobody has seen what was between."""
        self._run(f"UPDATE prontodb.past SET successor = %s WHERE {_HERE} AND successor = %s RETURNING 1", (successor, *key, revision))

    def purge(self, limit: int) -> int:
        """Removes versions that were kept for long enough, and the bytes of those whose own lifetime is over; how many."""
        rows = self._run(_ENDED, (self._second, limit, self._second, limit))[:limit]
        over = [(_key(row[1:]), row[4]) for row in rows if row[0]]
        self.cut([key for key, _ in over], [successor for _, successor in over])
        blank = [(_key(row[1:]), row[4]) for row in rows if not row[0]]
        if blank:
            self._run(f"{_BLANK} RETURNING 1", (*_columns([key for key, _ in blank]), [successor for _, successor in blank]))
        return len(rows)

    def evict(self, first: int) -> None:
        """Removes the oldest where there are more bytes than may be, as `history.History.evict`; `first` is this transaction's."""
        most, held = self._keeping.size, self._held
        if not self.on or held <= most:
            return
        chosen: list[tuple[Key, int]] = []
        for row in self._run(_OLDEST, (EVICTED,)):
            if held <= most - most // 8 or (held <= most and row[3] >= first):
                break
            held -= row[4]
            chosen.append((_key(row), row[3]))
        self.cut([key for key, _ in chosen], [successor for _, successor in chosen])

    def last(self, key: "Key") -> int:
        """The revision of a key's last change; 0 where none is known."""
        return int(self._run(_LAST, (*key, self._second, *key))[0][0])


def traced(key: "Key") -> bool:
    """Whether what is replaced there leaves a trace: not in the pipe cache."""
    return not cached(key[0].decode(), key[1].decode())


def versions(at: "Address | Place | None", since: float, limit: int, now: float) -> "tuple[str, tuple[object, ...]]":
    """The query, and its values, for the versions at an address, in a place or of a whole meta, those touched last first."""
    within, values = _scope(at)
    second, moment = int(now // 1), milliseconds(since)
    query = f"{_LIVE.format(within)} UNION ALL {_PAST.format(within)} ORDER BY touched DESC, revision DESC LIMIT %s"
    return query, (second, moment, *values, second, second, moment, *values, limit)


def version(row: "Row") -> Version:
    """A version, as a row of that query tells of it."""
    project, namespace, name, revision, written, actor, size, expires, previous, kept, successor, deleted, ended, ender, _ = row
    made = Change(revision, seconds(written), actor or "")
    found = Version(Address(bytes(project).decode(), bytes(namespace).decode(), bytes(name).decode()), made, size, expires)
    found.previous, found.kept, found.deleted = previous, kept, deleted
    if successor:
        found.ended = Change(successor, seconds(ended), ender or "")
    return found


def _scope(at: "Address | Place | None") -> tuple[str, tuple[bytes, ...]]:
    if at is None:
        return " AND NOT (project = 'pipe' AND namespace = 'cache')", ()
    within, place = " AND project = %s AND namespace = %s", (at.project.encode(), at.namespace.encode())
    if isinstance(at, Address):
        return f"{within} AND name = %s", (*place, at.name.encode())
    prefix = at.prefix.encode()
    return f"{within} AND name >= %s AND name < %s", (*place, prefix, prefix + b"\xff")


def _key(row: "Row") -> "Key":
    return bytes(row[0]), bytes(row[1]), bytes(row[2])


def _columns(keys: "Sequence[Key]") -> "tuple[list[bytes], ...]":
    return tuple([key[part] for key in keys] for part in range(3))
