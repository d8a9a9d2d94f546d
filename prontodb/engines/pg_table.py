"""What a PostgreSQL transaction changes: the statements behind the writing verbs. Everything here runs while this meta's writers wait."""

from ..address import Address
from ..model import FOREVER, INHERIT, PIECE, Content, Write, end
from .failures import PreconditionFailed
from .table import integer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .pg_driver import Row
    from .pg_link import Link

    Item = tuple[Address, Content]
    Batch = dict[Address, tuple[bytes, int | None]]

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
_STANDING = """SELECT e.revision, e.expires, e.body, e.size, c.ttl, CASE WHEN e.size <= 600 THEN e.value END FROM (SELECT 1) AS one
LEFT JOIN prontodb.entry e ON e.meta = current_user AND e.project = %s AND e.namespace = %s AND e.name = %s
LEFT JOIN prontodb.cache c ON c.meta = current_user AND c.project = %s AND c.namespace = %s"""
_OVER = """ON CONFLICT (meta, project, namespace, name) DO UPDATE SET revision = excluded.revision, expires = excluded.expires,
size = excluded.size, body = excluded.body, note = excluded.note, value = excluded.value"""
_PUT = f"""INSERT INTO prontodb.entry (project, namespace, name, revision, expires, size, body, note, value)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) {_OVER}"""
_PUT_MANY = f"""INSERT INTO prontodb.entry (project, namespace, name, revision, expires, size, body, note, value)
SELECT i.project, i.namespace, i.name, i.revision, i.expires, length(i.value), NULL, %s, i.value
FROM unnest(%s::bytea[], %s::bytea[], %s::bytea[], %s::bigint[], %s::bigint[], %s::bytea[])
AS i (project, namespace, name, revision, expires, value) {_OVER}"""
_MANY = "(e.project, e.namespace, e.name) IN (SELECT * FROM unnest(%s::bytea[], %s::bytea[], %s::bytea[]))"
_STANDING_MANY = f"""SELECT e.project, e.namespace, e.name, e.revision, e.expires, e.body FROM prontodb.entry e
WHERE e.meta = current_user AND {_MANY}"""
_GONE = """chunks AS (DELETE FROM prontodb.chunk c USING gone g WHERE c.meta = current_user AND c.body = g.body)"""
_DELETE = f"""WITH gone AS (DELETE FROM prontodb.entry e WHERE e.meta = current_user AND {_MANY} AND {LIVE}
RETURNING e.project, e.namespace, e.name, e.body), {_GONE} SELECT project, namespace, name FROM gone"""
_PURGE = f"""WITH gone AS (DELETE FROM prontodb.entry e WHERE e.meta = current_user AND (e.project, e.namespace, e.name) IN
(SELECT project, namespace, name FROM prontodb.entry WHERE meta = current_user AND expires <= %s ORDER BY expires LIMIT %s)
RETURNING e.body), {_GONE} SELECT count(*) FROM gone"""


class Standing:
    """What stands at an address as a write begins, and the default lifetime there. `revision` 0: nothing that lives."""

    __slots__ = ("body", "expires", "revision", "size", "ttl", "value")

    def __init__(self, row: "Row", now: float) -> None:
        revision, self.expires, self.body, self.size, self.ttl, value = row
        live = revision is not None and (self.expires is None or self.expires > now)
        self.revision: int = revision if live else 0
        self.value = bytes(value or b"")


class Table:
    """One meta's entries, within one transaction at one moment `now`; `revision` is the first that it may give out."""

    def __init__(self, link: "Link", revision: int, now: float) -> None:
        self._run = link.execute
        self._now = now
        self._second = int(now // 1)
        self._first = revision
        self._next = revision

    def put(self, address: Address, content: Content, write: Write) -> int:
        """Stores, as `Engine.put`."""
        standing = self._standing(address)
        require(address, write, standing.revision)
        return self._put(address, content, write, standing)

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
                batch[address] = (content.read(), ttl)
                size += content.size
            count += 1
        self._put_batch(batch, write)
        return count

    def delete(self, addresses: "list[Address]") -> list[Address]:
        """Removes what lives of these; those, in the order asked."""
        wanted = dict.fromkeys(addresses)
        if not wanted:
            return []
        rows = self._run(_DELETE, (*columns(wanted), self._second))
        gone = {tuple(bytes(part) for part in row) for row in rows}
        return [address for address in wanted if _key(address) in gone]

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
        if found.body is not None:
            self._copy_chunks(found.body, revision, found.size)
        self._run(
            f"""INSERT INTO prontodb.entry (project, namespace, name, revision, expires, size, body, note, value)
            SELECT %s, %s, %s, %s, %s, size, %s, NULL, value FROM prontodb.entry WHERE {AT} {_OVER}""",
            (*_key(target), revision, expires, None if found.body is None else revision, *_key(source)),
        )
        if move and source != target:
            self.delete([source])
        self._drop_body(standing.body)
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
        """Removes at most `limit` expired entries of this meta, the longest expired first; how many."""
        return int(self._run(_PURGE, (self._second, limit))[0][0])

    def finish(self) -> None:
        """Keeps in mind the last revision that was given out, where there were several."""
        if self._next > self._first + 1:
            self._run("UPDATE prontodb.tenant SET revision = %s WHERE meta = current_user", (self._next - 1,))

    def _standing(self, address: Address) -> Standing:
        key = _key(address)
        return Standing(self._run(_STANDING, (*key, *key[:2]))[0], self._now)

    def _put(self, address: Address, content: Content, write: Write, standing: Standing) -> int:
        revision = self._take()
        large = content.size > INLINE
        if large:
            for number, piece in enumerate(content.pieces()):
                self._run("INSERT INTO prontodb.chunk (body, number, data) VALUES (%s, %s, %s)", (revision, number, piece))
        fields = (content.size, revision, write.note or None, None) if large else (content.size, None, write.note or None, content.read())
        self._run(_PUT, (*_key(address), revision, self._expires(write, standing.ttl), *fields))
        self._drop_body(standing.body)
        return revision

    def _put_batch(self, batch: "Batch", write: Write) -> None:
        if not batch:
            return
        at = columns(batch)
        old = self._run(_STANDING_MANY, at)
        inherits = write.expires is None and any(ttl is INHERIT for _, ttl in batch.values())
        defaults = self._defaults(batch) if inherits else {}
        expires = [self._expires(_with_ttl(write, batch[address][1]), defaults.get(_key(address)[:2])) for address in batch]
        revisions = [self._take() for _ in batch]
        self._run(_PUT_MANY, (write.note or None, *at, revisions, expires, [value for value, _ in batch.values()]))
        for row in old:
            self._drop_body(row[5])

    def _defaults(self, batch: "Batch") -> "dict[Any, int]":
        places = list({_key(address)[:2] for address in batch})
        sql = """SELECT project, namespace, ttl FROM prontodb.cache WHERE meta = current_user
            AND (project, namespace) IN (SELECT * FROM unnest(%s::bytea[], %s::bytea[]))"""
        rows = self._run(sql, tuple([place[part] for place in places] for part in (0, 1)))
        return {(bytes(row[0]), bytes(row[1])): row[2] for row in rows}

    def _take(self) -> int:
        self._next += 1
        return self._next - 1

    def _expires(self, write: Write, default: int | None) -> int | None:
        if write.expires is not None:
            return write.expires
        ttl = default if write.ttl is INHERIT else write.ttl
        return end(self._now, ttl) if ttl else None

    def _copy_chunks(self, body: int, copy: int, size: int) -> None:
        sql = """INSERT INTO prontodb.chunk (body, number, data)
            SELECT %s, number, data FROM prontodb.chunk
            WHERE meta = current_user AND body = %s AND number >= %s AND number < %s RETURNING 1"""
        for number in range(0, size + 1, COPIED):
            if not self._run(sql, (copy, body, number, number + COPIED)):
                break

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
    own.expires = write.expires
    return own


def _key(address: Address) -> tuple[bytes, bytes, bytes]:
    return address.project.encode(), address.namespace.encode(), address.name.encode()


def columns(addresses: "Iterable[Address]") -> "tuple[list[bytes], ...]":
    """Projects, namespaces and names, as a statement takes them."""
    keys = [_key(address) for address in addresses]
    return tuple([key[part] for key in keys] for part in range(3))
