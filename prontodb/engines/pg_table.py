"""What a PostgreSQL transaction changes: the statements behind the writing verbs. Everything here runs while this meta's writers wait."""

from ..address import Address
from ..model import FOREVER, INHERIT, PIECE, SECRET, Content, Write, end
from ..past import OFF
from . import queued
from .failures import PreconditionFailed, stale
from .pg_history import History, traced
from .table import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..model import Fence
    from ..past import Keeping, Step
    from .pg_driver import Row
    from .pg_link import Link

    Item = tuple[Address, Content]
    Key = tuple[bytes, bytes, bytes]
    Batch = dict[Address, tuple[bytes, int | None, bytes]]

INLINE = PIECE
"""Bytes up to which a value stands in its row; the server itself keeps long ones apart from the rest of the row."""
BATCH = 100
"""Expired entries that one write removes along the way."""
ITEMS = 500
ITEM_BYTES = 4 << 20
"""What goes into one statement of a batch."""
COPIED = 8
"""Pieces of a large value that one statement copies: it must end before `statement_timeout`."""

AT = "meta = current_user AND project = %s AND namespace = %s AND name = %s"
LIVE = "(expires IS NULL OR expires > %s)"
_STANDING = """SELECT e.revision, e.expires, e.body, e.size, e.previous, c.ttl, CASE WHEN e.size <= 600 THEN e.value END
FROM (SELECT 1) AS one
LEFT JOIN prontodb.entry e ON e.meta = current_user AND e.project = %s AND e.namespace = %s AND e.name = %s
LEFT JOIN prontodb.cache c ON c.meta = current_user AND c.project = %s AND c.namespace = %s"""
_OVER = """ON CONFLICT (meta, project, namespace, name) DO UPDATE SET revision = excluded.revision, expires = excluded.expires,
size = excluded.size, body = excluded.body, value = excluded.value,
written = excluded.written, actor = excluded.actor, previous = excluded.previous,
note = CASE WHEN excluded.note IS NULL AND %s AND substr(entry.note, 1, 1) = '\\x00'::bytea
AND (entry.expires IS NULL OR entry.expires > %s) THEN entry.note ELSE excluded.note END"""
_INTO = "INSERT INTO prontodb.entry (project, namespace, name, revision, expires, size, body, note, value, written, actor, previous)"
_PUT = f"{_INTO} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) {_OVER}"
_PUT_MANY = f"""{_INTO}
SELECT i.project, i.namespace, i.name, i.revision, i.expires, length(i.value), NULL, i.note, i.value, %s, %s, i.previous
FROM unnest(%s::bytea[], %s::bytea[], %s::bytea[], %s::bigint[], %s::bigint[], %s::bytea[], %s::bytea[], %s::bigint[])
AS i (project, namespace, name, revision, expires, note, value, previous) {_OVER}"""
_COPY = f"""{_INTO} SELECT %s, %s, %s, %s, %s, size, %s,
CASE WHEN %s OR substr(note, 1, 1) = '\\x00'::bytea THEN '\\x00'::bytea END, value, %s, %s, %s
FROM prontodb.{{}} WHERE {AT}{{}} {_OVER}"""
_MANY = "(e.project, e.namespace, e.name) IN (SELECT * FROM unnest(%s::bytea[], %s::bytea[], %s::bytea[]))"
_STANDING_MANY = f"""SELECT e.project, e.namespace, e.name, e.revision, e.expires, e.body, e.size, e.previous FROM prontodb.entry e
WHERE e.meta = current_user AND {_MANY}"""
_DELETE = f"DELETE FROM prontodb.entry e WHERE e.meta = current_user AND {_MANY} AND {LIVE} RETURNING 1"
_GONE = """chunks AS (DELETE FROM prontodb.chunk c USING gone g WHERE c.meta = current_user AND c.body = g.body)"""
_PURGE = f"""WITH gone AS (DELETE FROM prontodb.entry e WHERE e.meta = current_user AND (e.project, e.namespace, e.name) IN
(SELECT project, namespace, name FROM prontodb.entry WHERE meta = current_user AND expires <= %s ORDER BY expires LIMIT %s)
RETURNING e.body), {_GONE} SELECT count(*) FROM gone"""

_SPAN = f"""SELECT name FROM prontodb.entry
WHERE meta = current_user AND project = %s AND namespace = %s AND name >= %s AND name < %s AND {LIVE} ORDER BY name LIMIT 100"""
_LAST = """SELECT name FROM prontodb.entry
WHERE meta = current_user AND project = %s AND namespace = %s AND name >= %s AND name < %s ORDER BY name DESC LIMIT 100"""


class Standing:
    """What stands at an address as a write begins, and the default lifetime there. `revision` 0: nothing that lives.

    `made` is the revision that it has, alive or not.
    """

    __slots__ = ("body", "expires", "made", "previous", "revision", "size", "ttl", "value")

    def __init__(self, row: "Row", now: float, ttl: int | None = None, value: bytes = b"") -> None:
        revision, self.expires, self.body, self.size, self.previous = row
        live = revision is not None and (self.expires is None or self.expires > now)
        self.made: int = revision or 0
        self.revision: int = self.made if live else 0
        self.ttl = ttl
        self.value = value


class Table:
    """One meta's entries, within one transaction at one moment `now`; `revision` is the first that it may give out, and `keeping` what
    becomes of values that are replaced.
    """

    def __init__(self, link: "Link", revision: int, now: float, keeping: "Keeping" = OFF) -> None:
        self._run = link.execute
        self._now = now
        self._second = int(now // 1)
        self._first = revision
        self._next = revision
        self._history = History(link, now, keeping)

    def put(self, address: Address, content: Content, write: Write) -> int:
        """Stores, as `Engine.put`."""
        if write.numbered:
            return self._push(address, content, write)
        standing = self._standing(address)
        require(address, write, standing.revision)
        return self._put(address, content, write, standing)

    def hold(self, fence: "Fence") -> None:
        """Raises `LeaseLost` where the lease does not live at this revision."""
        if self._standing(fence[0]).revision != fence[1]:
            raise stale(fence)

    def take(self, queue: Address, content: Content, ttl: int) -> tuple[Address, int] | None:
        """Leases an item, as `Engine.take`."""
        name = queued.free(queue.name, self._span(queue))
        item = Address(queue.project, queue.namespace, name)
        return (item, self.put(queued.lease(item), content, Write(ttl))) if name else None

    def _span(self, queue: Address) -> "Iterator[str]":
        low, high = (bound.encode() for bound in queued.span(queue.name))
        while rows := self._run(_SPAN, (*_key(queue)[:2], low, high, self._second)):
            names = [bytes(row[0]) for row in rows]
            yield from (name.decode() for name in names)
            low = names[-1] + b"\0"

    def put_many(self, items: "Iterable[Item]", write: Write) -> int:
        """Stores, as `Engine.put_many`."""
        done: set[Address] = set()
        if write.absent or write.revision is not None:
            for address, content in items:
                self.put(address, content, write)
                done.add(address)
            return len(done)

        def each() -> "Iterator[tuple[Address, Content, int | None]]":
            for address, content in items:
                done.add(address)
                yield address, content, write.ttl

        self.load(each(), write)
        return len(done)

    def load(self, items: "Iterable[tuple[Address, Content, int | None]]", write: Write) -> int:
        """Stores all, each with its lifetime unless `write` says when they end; how many were given. Small values go many at a time."""
        batch: Batch = {}
        size = count = 0
        for address, content, ttl in items:
            if content.size > INLINE or len(batch) >= ITEMS or size >= ITEM_BYTES:
                self._put_batch(batch, write)
                batch, size = {}, 0
            if content.size > INLINE:
                self._put(address, content, _with_ttl(write, ttl), self._standing(address))
            else:
                mark = SECRET if address in batch and batch[address][2][:1] == SECRET else b""
                batch[address] = (content.read(), ttl, write.note_for(content) or mark)
                size += content.size
            count += 1
        self._put_batch(batch, write)
        return count

    def delete(self, addresses: "list[Address]", *, purge: bool = False) -> list[Address]:
        """Removes what lives of these, and with `purge` their history; those, in the order asked."""
        wanted = dict.fromkeys(addresses)
        if not wanted:
            return []
        gone = self._history.cut([_key(address) for address in wanted]) if purge else set()
        standing = {key: found for key, found in self._standing_many(columns(wanted)).items() if found.revision}
        if standing:
            revision = self._take()
            self._give_way(standing, dict.fromkeys(standing, revision), deleted=True, trace=not purge)
            self._run(_DELETE, (*columns(wanted), self._second))
        return [address for address in wanted if _key(address) in standing or _key(address) in gone]

    def drop(self, addresses: "list[Address]") -> list[Address]:
        """Removes the history of keys; those that had one."""
        gone = self._history.cut([_key(address) for address in dict.fromkeys(addresses)])
        return [address for address in dict.fromkeys(addresses) if _key(address) in gone]

    def revert(self, steps: "Iterable[Step]") -> None:
        """Goes back, as `Engine.revert`."""
        for step in steps:
            address = step.address
            if self._history.last(_key(address)) != step.standing:
                raise PreconditionFailed(f"{address} was changed meanwhile", address=str(address))
            if step.to:
                self._recall(address, step.to)
            else:
                self.delete([address])

    def increment(self, address: Address, by: int) -> int:
        """Adds, as `Engine.increment`."""
        standing = self._standing(address)
        number = integer(address, standing.value if standing.revision else b"0") + by
        write = Write(INHERIT)
        if standing.revision:
            write.ttl, write.expires = FOREVER, standing.expires
        self._put(address, Content.of(b"%d" % number), write, standing)
        return number

    def copy(self, source: Address, target: Address, write: Write, *, move: bool, keep: bool) -> bool:
        """Copies, as `Engine.copy`: within the server, whatever the size."""
        found = self._standing(source)
        if not found.revision:
            return False
        standing = self._standing(target)
        require(target, write, standing.revision)
        revision = self._take()
        expires = found.expires if keep else self._expires(write, standing.ttl)
        body = self._copied(found.body, revision, found.size)
        previous = self._replaced(_key(target), standing, revision)
        values = (*_key(target), revision, expires, body, bool(write.secret), *self._history.made, previous)
        self._run(_COPY.format("entry", ""), (*values, *_key(source), *self._sticky(write)))
        if move and source != target:
            self.delete([source])
        return True

    def expire(self, address: Address, expires: int | None) -> bool:
        """Sets when an entry ends."""
        sql = f"UPDATE prontodb.entry SET expires = %s WHERE {AT} AND {LIVE} RETURNING 1"
        return bool(self._run(sql, (expires, *_key(address), self._second)))

    def set_default_ttl(self, project: str, namespace: str, ttl: int | None) -> bool:
        """Sets or ends a namespace's default lifetime; False where there was none to end."""
        at = (project.encode(), namespace.encode())
        if ttl is None:
            sql = "DELETE FROM prontodb.cache WHERE meta = current_user AND project = %s AND namespace = %s RETURNING 1"
            return bool(self._run(sql, at))
        sql = """INSERT INTO prontodb.cache (project, namespace, ttl) VALUES (%s, %s, %s)
            ON CONFLICT (meta, project, namespace) DO UPDATE SET ttl = excluded.ttl"""
        self._run(sql, (*at, ttl))
        return True

    def purge(self, limit: int = BATCH) -> int:
        """Removes at most `limit` expired entries of this meta, the longest expired first, then versions of the history; how many."""
        self._history.evict(self._first)
        count = int(self._run(_PURGE, (self._second, limit))[0][0])
        return count + self._history.purge(limit - count)

    def finish(self) -> None:
        """Keeps in mind the last revision that was given out, where there were several."""
        if self._next > self._first + 1:
            self._run("UPDATE prontodb.tenant SET revision = %s WHERE meta = current_user", (self._next - 1,))

    def _standing(self, address: Address) -> Standing:
        key = _key(address)
        *row, ttl, value = self._run(_STANDING, (*key, *key[:2]))[0]
        return Standing(tuple(row), self._now, ttl, bytes(value or b""))

    def _standing_many(self, columns: "tuple[list[bytes], ...]") -> "dict[Key, Standing]":
        rows = self._run(_STANDING_MANY, columns)
        return {(bytes(row[0]), bytes(row[1]), bytes(row[2])): Standing(row[3:], self._now) for row in rows}

    def _push(self, queue: Address, content: Content, write: Write) -> int:
        number = max(self._next, self._last_number(queue) + 1)
        item = Address(queue.project, queue.namespace, queued.item(queue.name, number))
        self._put(item, content, write, self._standing(item))
        return number

    def _last_number(self, queue: Address) -> int:
        """The highest that an item has, expired or not; 0 where there is none."""
        low, before = (bound.encode() for bound in queued.span(queue.name))
        while names := self._run(_LAST, (*_key(queue)[:2], low, before)):
            for (name,) in names:
                if number := queued.number(queue.name, bytes(name).decode()):
                    return number
            before = bytes(names[-1][0])
        return 0

    def _put(self, address: Address, content: Content, write: Write, standing: Standing) -> int:
        revision = self._take()
        large = content.size > INLINE
        if large:
            for number, piece in enumerate(content.pieces()):
                self._run("INSERT INTO prontodb.chunk (body, number, data) VALUES (%s, %s, %s)", (revision, number, piece))
        note = write.note_for(content) or None
        fields = (content.size, revision, note, None) if large else (content.size, None, note, content.read())
        previous = self._replaced(_key(address), standing, revision)
        expires = self._expires(write, standing.ttl)
        self._run(_PUT, (*_key(address), revision, expires, *fields, *self._history.made, previous, *self._sticky(write)))
        return revision

    def _put_batch(self, batch: "Batch", write: Write) -> None:
        if not batch:
            return
        at = columns(batch)
        standing = self._standing_many(at)
        inherits = write.expires is None and any(ttl is INHERIT for _, ttl, _ in batch.values())
        defaults = self._defaults(batch) if inherits else {}
        expires = [self._expires(_with_ttl(write, batch[address][1]), defaults.get(_key(address)[:2])) for address in batch]
        successors = {_key(address): self._take() for address in batch}
        before = self._give_way(standing, successors)
        previous = [before.get(key, 0) for key in successors]
        values, notes = [item[0] for item in batch.values()], [item[2] or None for item in batch.values()]
        rows = (*at, list(successors.values()), expires, notes, values, previous)
        self._run(_PUT_MANY, (*self._history.made, *rows, *self._sticky(write)))

    def _replaced(self, key: "Key", standing: Standing, successor: int) -> int | None:
        """As `_give_way`, for one."""
        return self._give_way({key: standing}, {key: successor})[key] if standing.made else 0

    def _give_way(
        self, standing: "dict[Key, Standing]", successors: "dict[Key, int]", *, deleted: bool = False, trace: bool = True
    ) -> "dict[Key, int | None]":
        """Puts what stands there into the history, or where it is not to be kept, drops its body; what each successor replaces."""
        on = trace and self._history.on
        keep = [key for key, one in standing.items() if on and one.revision and one.made < self._first and traced(key)]
        if keep:
            self._history.keep(keep, [successors[key] for key in keep], deleted=deleted)
        for key, one in standing.items():
            if one.body is not None and (key not in keep or not self._history.whole(one.size)):
                self._drop_body(one.body)
            if one.revision >= self._first:
                self._history.pass_on(key, one.made, successors[key])
        if not self._history.on:
            self._history.cut([key for key in standing if traced(key)])
        return {key: one.previous if one.revision >= self._first else one.revision for key, one in standing.items()}

    def _recall(self, address: Address, to: int) -> None:
        sql = f"SELECT expires, body, size FROM prontodb.past WHERE {AT} AND revision = %s AND kept"
        rows = self._run(sql, (*_key(address), to))
        if not rows:
            raise PreconditionFailed(f"{address} is not kept any more as it was", address=str(address))
        expires, body, size = rows[0]
        revision = self._take()
        copy = self._copied(body, revision, size)
        previous = self._replaced(_key(address), self._standing(address), revision)
        values = (*_key(address), revision, expires, copy, False, *self._history.made, previous)
        self._run(_COPY.format("past", " AND revision = %s AND kept"), (*values, *_key(address), to, False, self._second))

    def _defaults(self, batch: "Batch") -> "dict[Any, int]":
        places = list({_key(address)[:2] for address in batch})
        sql = """SELECT project, namespace, ttl FROM prontodb.cache WHERE meta = current_user
            AND (project, namespace) IN (SELECT * FROM unnest(%s::bytea[], %s::bytea[]))"""
        rows = self._run(sql, tuple([place[part] for place in places] for part in (0, 1)))
        return {(bytes(row[0]), bytes(row[1])): row[2] for row in rows}

    def _sticky(self, write: Write) -> tuple[bool, int]:
        """What `_OVER` wants to know: whether the mark of a secret stays, and the time."""
        return write.secret is not False, self._second

    def _take(self) -> int:
        self._next += 1
        return self._next - 1

    def _expires(self, write: Write, default: int | None) -> int | None:
        if write.expires is not None:
            return write.expires
        ttl = default if write.ttl is INHERIT else write.ttl
        return end(self._now, ttl) if ttl else None

    def _copied(self, body: int | None, copy: int, size: int) -> int | None:
        """A copy of a body, if there is one; its number."""
        if body is None:
            return None
        sql = """INSERT INTO prontodb.chunk (body, number, data)
            SELECT %s, number, data FROM prontodb.chunk
            WHERE meta = current_user AND body = %s AND number >= %s AND number < %s RETURNING 1"""
        for number in range(0, size + 1, COPIED):
            if not self._run(sql, (copy, body, number, number + COPIED)):
                break
        return copy

    def _drop_body(self, body: int | None) -> None:
        if body is not None:
            self._run("DELETE FROM prontodb.chunk WHERE meta = current_user AND body = %s", (body,))


def require(address: Address, write: Write, revision: int) -> None:
    """The preconditions of a write; `revision` is that of what stands there, 0 where nothing does."""
    if write.absent and revision:
        raise PreconditionFailed(f"{address} exists already", address=str(address))
    if write.revision is not None and write.revision != revision:
        raise PreconditionFailed(f"{address} has another revision: {revision or 'none'}", address=str(address))


def _with_ttl(write: Write, ttl: int | None) -> Write:
    if ttl == write.ttl:
        return write
    own = Write(ttl, note=write.note)
    own.expires, own.secret = write.expires, write.secret
    return own


def _key(address: Address) -> tuple[bytes, bytes, bytes]:
    return address.project.encode(), address.namespace.encode(), address.name.encode()


def columns(addresses: "Iterable[Address]") -> "tuple[list[bytes], ...]":
    """Projects, namespaces and names, as a statement takes them."""
    keys = [_key(address) for address in addresses]
    return tuple([key[part] for key in keys] for part in range(3))
