"""Many values in one transaction: what a token stream stores. The same tables as `table`'s, in pages instead of one by one."""

from ..model import SECRET, Write
from .history import ALL, ASKED, Standing, cached
from .table import INLINE, PUT, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..address import Address
    from ..model import Content

    Key = tuple[int, str]
    Row = tuple[int | None, int, int | None, bytes | None, bytes | None]

PAGE = 2000
"""Entries that are written together, in the order of the table: enough of them to lie close to each other, few enough to hold."""


class Bulk(Table):
    """A `Table` that is given entry after entry."""

    def load(self, items: "Iterable[tuple[Address, Content, int | None]]") -> int:
        """Stores, as `Engine.load`."""
        places: dict[tuple[str, str], tuple[int, int | None]] = {}
        page: dict[Key, Row] = {}
        count = 0
        for address, content, ttl in items:
            at = (address.project, address.namespace)
            place, default = places.get(at) or places.setdefault(at, self._place(*at))
            key = (place, address.name)
            if len(page) >= PAGE or (key in page and page[key][2] is not None):
                # A large value that is replaced again has to be in the table for its pieces to be found.
                self._write(page, places)
            expires = self._expires(Write(ttl), default) if ttl or default else None
            size = content.size
            note = SECRET if content.secret or (key in page and page[key][3]) else None
            value, body = (content.read(), None) if size <= INLINE else (None, self._store(content))
            page[key] = (expires, size, body, note, value)
            count += 1
        self._write(page, places)
        self.purge()
        return count

    def _write(self, page: "dict[Key, Row]", places: "dict[tuple[str, str], tuple[int, int | None]]") -> None:
        """Puts a page into the table, and empties it."""
        if not page:
            return
        standing = self._standing_in(page, {place for at, (place, _) in places.items() if cached(*at)})
        costs = {key: self._history.cost(found, self._start) for key, found in standing.items()}
        last = self._next_revision(len(page), held=sum(costs.values())) - len(page)
        rows, kept, made = [], [], self._history.made
        for number, (key, row) in enumerate(page.items(), last + 1):
            found = standing.get(key)
            previous: int | None = 0
            if found and costs[key]:
                kept.append((found, number))
                previous = found.revision
            elif found:
                previous = self._give_way(found, 0, number)
            rows.append((*key, number, *row, *made, previous, 1, self._now))
        # In the order of the table, as the entries are.
        kept.sort(key=lambda pair: (pair[0].place, pair[0].name))
        self._history.keep_many(kept)
        rows.sort()
        self._db.executemany(PUT, rows)
        page.clear()

    def _standing_in(self, page: "dict[Key, Row]", untraced: set[int]) -> "dict[Key, Standing]":
        """What stands at the addresses of a page."""
        names: dict[int, list[str]] = {}
        for place, name in page:
            names.setdefault(place, []).append(name)
        found = [standing for place, those in names.items() if self._meets(place, those) for standing in self._found(place, those)]
        for standing in found:
            standing.traced = standing.place not in untraced
        return {(standing.place, standing.name): standing for standing in found}

    def _meets(self, place: int, names: list[str]) -> bool:
        """Whether anything is there between the first and the last of these names: a new place, or the end of one, is not searched."""
        query = "SELECT 1 FROM entry WHERE place = ? AND name BETWEEN ? AND ? LIMIT 1"
        ends = (min(names, key=str.encode), max(names, key=str.encode))
        return self._db.execute(query, (place, *ends)).fetchone() is not None

    def _found(self, place: int, names: list[str]) -> "Iterable[Standing]":
        """What has to give way; a small value of this very transaction that has replaced nothing has not."""
        start = self._start if self._start is not None else ALL
        for first in range(0, len(names), ASKED):
            some = names[first : first + ASKED]
            query = f"""SELECT name, revision, expires, body, size, previous FROM entry
                WHERE place = ? AND name IN ({", ".join("?" * len(some))})
                    AND NOT (revision > ? AND previous = 0 AND body IS NULL)"""  # noqa: S608 - as many parameters as there are names
            for name, *row in self._db.execute(query, (place, *some, start)).fetchall():
                yield Standing(place, name, tuple(row), self._now)
