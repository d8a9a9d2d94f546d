"""The PostgreSQL engine: the contract of `base` on a server that machines share. Connections are `pg_link`'s, tables `pg_schema`'s."""

import time

from ..address import Address, Place
from ..errors import Busy, Denied
from ..model import Content, Entry, Found, Space, Write
from ..past import OFF
from .pg_driver import Target
from .pg_link import Gone, Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeVar

    from ..model import Fence
    from ..past import Keeping, Step, Version
    from .base import Capabilities, Engine
    from .pg_driver import Row
    from .pg_table import Table

    T = TypeVar("T")

LISTED = 8192
"""Bytes up to which a value comes with a listing; a larger one is read by itself."""

_HEAD = "name, size, revision, expires, note, body"
_LIVE = "(expires IS NULL OR expires > %s)"
_GET = f"SELECT {_HEAD}, value FROM prontodb.entry WHERE meta = current_user AND project = %s AND namespace = %s AND name = %s AND {_LIVE}"
_GET_MANY = f"""SELECT {_HEAD}, CASE WHEN size <= {LISTED} THEN value END, project, namespace FROM prontodb.entry
WHERE meta = current_user AND (project, namespace, name) IN (SELECT * FROM unnest(%s::bytea[], %s::bytea[], %s::bytea[])) AND {_LIVE}"""
_RANGE = f"""FROM prontodb.entry WHERE meta = current_user AND project = %s AND namespace = %s AND name >= %s AND name < %s AND {_LIVE}
ORDER BY name LIMIT %s"""
_PIECE = "SELECT data FROM prontodb.chunk WHERE meta = current_user AND body = %s AND number = %s"
# From each namespace one step to the next, by the primary key: however many entries each has.
_SPACES = f"""WITH RECURSIVE space AS (
    (SELECT project, namespace FROM prontodb.entry WHERE meta = current_user ORDER BY project, namespace LIMIT 1)
    UNION ALL
    SELECT n.project, n.namespace FROM space s, LATERAL (
        SELECT e.project, e.namespace FROM prontodb.entry e
        WHERE e.meta = current_user AND (e.project, e.namespace) > (s.project, s.namespace)
        ORDER BY e.project, e.namespace LIMIT 1) n)
SELECT s.project, s.namespace, c.ttl FROM space s
LEFT JOIN prontodb.cache c ON c.meta = current_user AND c.project = s.project AND c.namespace = s.namespace
WHERE EXISTS (SELECT 1 FROM prontodb.entry e
    WHERE e.meta = current_user AND e.project = s.project AND e.namespace = s.namespace AND {_LIVE})
ORDER BY 1, 2"""
# Every transaction that writes gives out a revision, those that only delete or expire too; after the loss of a server one may be given out
# again, but not with the same token.
_MARK = "SELECT revision, token FROM prontodb.tenant WHERE meta = current_user"
_CACHES = "SELECT project, namespace, ttl FROM prontodb.cache WHERE meta = current_user ORDER BY project, namespace"

QUICK, SLOW, SHARE = 0.05, 0.5, 20
"""Seconds between two questions whether something has changed: a twentieth of the time for which nothing has, within these bounds."""


class PostgresEngine:
    """One meta's view of one database. `variables` are those of `urls.environment`; `timeout` gives seconds, `keeping` what becomes of
    values that are replaced, nothing where it is None.
    """

    def __init__(
        self,
        url: str,
        whose: tuple[str, str],
        timeout: "Callable[[], float]",
        keeping: "Callable[[], Keeping] | None" = None,
        *,
        variables: "Sequence[tuple[str, str]]" = (),
    ) -> None:
        self._whose = whose
        self._timeout = timeout
        self._keeping = keeping
        self._target = Target(url, variables)
        self._link = self._new_link()
        self._held: list[Link] = []
        self._mark: list[Row] | None = None
        self._marked = 0.0
        self.notices: list[str] = []

    @property
    def capabilities(self) -> "Capabilities":
        """See `base`."""
        from .base import Capabilities

        return Capabilities(durable=True, shared=True, large_values=True)

    def time(self, now: float) -> float:
        """See `base`: the server's clock, which all machines share."""
        self._link.ready()
        return now + self._link.skew

    def changed(self, timeout: float) -> bool:
        """See `base`. It asks, and is not told: see decision 0019."""
        self._link.rest()
        end = time.monotonic() + timeout
        while (mark := [(row[0], bytes(row[1])) for row in self._link.run(_MARK)]) == self._mark:
            now = time.monotonic()
            if now >= end:
                return False
            time.sleep(min(max(QUICK, min(SLOW, (now - self._marked) / SHARE)), end - now))
        self._mark, self._marked = mark, time.monotonic()
        return True

    def close(self) -> None:
        """See `base`."""
        for link in (self._link, *self._held):
            link.close()

    def steady(self) -> None:
        """See `base`."""

    def rest(self) -> None:
        """See `base`. The connection stays, outside of any transaction, and is asked again before it is used."""
        for link in self._held:
            link.close()
        self._link.rest()

    # Reading

    def get(self, address: Address, now: float, *, expired: bool = False) -> Found | None:
        """See `base`. A large value is read from one snapshot, over a connection of its own."""
        at = (*_place(address), address.name.encode(), -1 if expired else _second(now))
        rows = self._link.run(_GET, at)
        return self._large(_GET, at) if rows and rows[0][5] is not None else _found(rows)

    def recall(self, address: Address, revision: int, now: float) -> Found | None:
        """See `base`."""
        found = self.get(address, now)
        if found and found.entry.revision == revision:
            return found
        from .pg_history import RECALL

        at = (*_place(address), address.name.encode(), revision, _second(now), _second(now))
        rows = self._link.run(RECALL, at)
        return self._large(RECALL, at) if rows and rows[0][5] is not None else _found(rows)

    def latest(self) -> int:
        """See `base`. Also one that a write took which came to nothing."""
        rows = self._link.run(_MARK)
        return int(rows[0][0]) if rows else 0

    def versions(self, scope: Address | Place | None, since: float, limit: int, now: float) -> "list[Version]":
        """See `base`."""
        from .pg_history import version, versions

        return [version(row) for row in self._link.run(*versions(scope, since, limit, now))]

    def get_many(self, addresses: "Iterable[Address]", now: float) -> dict[Address, Entry]:
        """See `base`. One statement, and so one snapshot."""
        from .pg_table import columns

        wanted = list(dict.fromkeys(addresses))
        rows = self._link.run(_GET_MANY, (*columns(wanted), _second(now))) if wanted else []
        return {Address(bytes(row[7]).decode(), bytes(row[8]).decode(), bytes(row[0]).decode()): _entry(row) for row in rows}

    def names(self, place: Place, after: str, limit: int, now: float) -> list[str]:
        """See `base`."""
        rows = self._link.run(f"SELECT name {_RANGE}", _range(place, after, limit, now))
        return [bytes(row[0]).decode() for row in rows]

    def entries(self, place: Place, after: str, limit: int, now: float) -> list[Entry]:
        """See `base`."""
        listed = f"CASE WHEN size <= {LISTED} THEN value END"
        rows = self._link.run(f"SELECT {_HEAD}, {listed} {_RANGE}", _range(place, after, limit, now))
        return [_entry(row) for row in rows]

    def spaces(self, now: float) -> list[Space]:
        """See `base`."""
        return [_space(row) for row in self._link.run(_SPACES, (_second(now),))]

    def caches(self) -> list[Space]:
        """See `base`."""
        return [_space(row) for row in self._link.run(_CACHES)]

    # Writing

    def put(self, address: Address, content: Content, write: Write, now: float) -> int:
        """See `base`."""
        return self._write(lambda table: table.put(address, content, write), now, again=_plain(write), fence=write.fence)

    def put_many(self, items: "Iterable[tuple[Address, Content]]", write: Write, now: float) -> int:
        """See `base`."""
        fresh = _repeatable(items)
        return self._write(lambda table: table.put_many(fresh(), write), now, again=_plain(write), fence=write.fence)

    def take(self, queue: Address, content: Content, ttl: int, now: float) -> tuple[Address, int] | None:
        """See `base`."""
        return self._write(lambda table: table.take(queue, content, ttl), now, again=False)

    def load(self, items: "Iterable[tuple[Address, Content, int | None]]", now: float) -> int:
        """Stores all or none, each with its lifetime (as `Write.ttl`), in constant memory; how many were given."""
        fresh = _repeatable(items)
        return self._write(lambda table: table.load(fresh(), Write()), now, again=True)

    def delete(self, addresses: "Iterable[Address]", now: float, *, purge: bool = False, fence: "Fence | None" = None) -> list[Address]:
        """See `base`."""
        wanted = list(addresses)
        return self._write(lambda table: table.delete(wanted, purge=purge), now, again=fence is None, fence=fence)

    def drop(self, addresses: "Iterable[Address]", now: float) -> list[Address]:
        """See `base`."""
        wanted = list(addresses)
        return self._write(lambda table: table.drop(wanted), now, again=True)

    def revert(self, steps: "Iterable[Step]", now: float) -> None:
        """See `base`."""
        wanted = list(steps)
        self._write(lambda table: table.revert(wanted), now, again=False)

    def increment(self, address: Address, by: int, now: float, *, fence: "Fence | None" = None) -> int:
        """See `base`."""
        return self._write(lambda table: table.increment(address, by), now, again=False, fence=fence)

    def copy(self, source: Address, target: Address, write: Write, now: float, *, move: bool = False, keep: bool = False) -> bool:
        """See `base`."""
        again = not move and _plain(write)
        return self._write(lambda table: table.copy(source, target, write, move=move, keep=keep), now, again=again, fence=write.fence)

    def expire(self, address: Address, expires: int | None, now: float, *, fence: "Fence | None" = None) -> bool:
        """See `base`."""
        # Fenced too: where the second attempt finds the lease gone, it is.
        return self._write(lambda table: table.expire(address, expires), now, again=True, fence=fence)

    def set_default_ttl(self, project: str, namespace: str, ttl: int | None, now: float) -> bool:
        """See `base`."""
        return self._write(lambda table: table.set_default_ttl(project, namespace, ttl), now, again=True)

    def share(self, *, shared: bool) -> None:
        """See `base`."""
        self._link.transact(lambda _: self._share(shared=shared), again=True)

    def purge(self, limit: int, now: float) -> int:
        """See `base`. Each meta removes its own."""
        from .pg_table import Table

        return self._link.transact(lambda revision: Table(self._link, revision, now).purge(limit), again=True)

    # Below the verbs

    def _new_link(self) -> Link:
        user, meta = self._whose
        return Link(self._target, meta, user, self._timeout)

    def _write(self, change: "Callable[[Table], T]", now: float, *, again: bool, fence: "Fence | None" = None) -> "T":
        """A change and, in the same transaction, a look at the fence before it and a batch of what has expired after it."""
        from .pg_table import Table

        keeping = OFF if self._keeping is None else self._keeping()

        def both(revision: int) -> "T":
            table = Table(self._link, revision, now, keeping)
            if fence:
                table.hold(fence)
            result = change(table)
            table.purge()
            table.finish()
            return result

        return self._link.transact(both, again=again)

    def _share(self, *, shared: bool) -> None:
        owner = self._link.execute("SELECT owner FROM prontodb.tenant WHERE meta = current_user")[0][0]
        if owner != self._link.user:
            raise Denied(f"Only its owner, user '{owner}', says who may use what this meta has", cure=f"--user {owner} if you are")
        self._link.execute("UPDATE prontodb.tenant SET shared = %s WHERE meta = current_user", (shared,))

    def _large(self, query: str, at: tuple[object, ...]) -> Found | None:
        link = self._new_link()
        try:
            link.ready()
            link.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            rows = link.execute(query, at)
        except Gone as gone:
            raise gone.error from gone
        except BaseException:
            link.close()
            raise
        if not rows or rows[0][5] is None:
            link.close()
            return _found(rows)
        pieces = self._pieces(link, rows[0])
        next(pieces)
        return Found(_entry(rows[0]), pieces)

    def _pieces(self, link: Link, row: "Row") -> "Iterator[bytes]":
        """The pieces of the body in `row`. The first is empty, and taken at once: whoever drops the rest closes the connection."""
        self._held.append(link)
        try:
            yield b""
            read = number = 0
            while read < row[1]:
                piece = _piece(link, (row[5], number))
                yield piece
                read, number = read + len(piece), number + 1
        finally:
            link.close()
            self._held.remove(link)


def _piece(link: Link, at: tuple[int, int]) -> bytes:
    try:
        rows = link.execute(_PIECE, at)
    except Gone as gone:
        raise Busy("The connection broke while a large value was read", cure="run it again") from gone
    if not rows:
        raise Busy("A large value was replaced while it was read", cure="run it again")
    return bytes(rows[0][0])


def _repeatable(items: "Iterable[T]") -> "Callable[[], Iterable[T]]":
    """Gives the items, each time anew where that is possible; an iterator that has begun cannot begin again."""
    left = [items]

    def fresh() -> "Iterable[T]":
        if isinstance(items, (list, tuple)):
            return items
        if not left:
            raise Busy("The connection broke while many were being stored: none was", cure="run it again")
        return left.pop()

    return fresh


def _second(now: float) -> int:
    """What ends are compared with: they are whole seconds, and an index finds whole numbers."""
    return int(now // 1)


def _plain(write: Write) -> bool:
    """Whether a write depends on nothing, so that to do it twice comes to the same."""
    return not write.absent and write.revision is None and write.fence is None and not write.numbered


def _place(at: "Address | Place") -> tuple[bytes, bytes]:
    return at.project.encode(), at.namespace.encode()


def _range(place: Place, after: str, limit: int, now: float) -> tuple[object, ...]:
    prefix, beyond = place.prefix.encode(), after.encode() + b"\0"
    # 0xff is in no UTF-8, and so behind every name that begins with the prefix.
    return (*_place(place), max(prefix, beyond) if after else prefix, prefix + b"\xff", _second(now), limit)


def _found(rows: "list[Row]") -> Found | None:
    return Found(_entry(rows[0]), iter((_entry(rows[0]).value or b"",))) if rows else None


def _entry(row: "Row") -> Entry:
    entry = Entry(bytes(row[0]).decode(), row[1], row[2], row[3], None if row[6] is None else bytes(row[6]))
    entry.note = bytes(row[4] or b"")
    return entry


def _space(row: "Row") -> Space:
    return Space(bytes(row[0]).decode(), bytes(row[1]).decode(), row[2])


if TYPE_CHECKING:
    _: Engine = PostgresEngine("", ("", ""), lambda: 0.0)
