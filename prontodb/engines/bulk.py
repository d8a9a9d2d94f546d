"""Many values in one transaction: what a token stream stores. The same tables as `table`'s, in pages instead of one by one."""

from ..model import SECRET, Write
from .table import INLINE, PUT, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..address import Address
    from ..model import Content

    Row = tuple[int | None, int, int | None, bytes | None, bytes | None]

PAGE = 2000
"""Entries that are written together, in the order of the table: enough of them to lie close to each other, few enough to hold."""


class Bulk(Table):
    """A `Table` that is given entry after entry."""

    def load(self, items: "Iterable[tuple[Address, Content, int | None]]") -> int:
        """Stores, as `Engine.load`."""
        places: dict[tuple[str, str], tuple[int, int | None]] = {}
        page: dict[tuple[int, str], Row] = {}
        count = 0
        for address, content, ttl in items:
            at = (address.project, address.namespace)
            place, default = places.get(at) or places.setdefault(at, self._place(*at))
            key = (place, address.name)
            if len(page) >= PAGE or (key in page and page[key][2] is not None):
                # A large value that is replaced again has to be in the table for its pieces to be found.
                self._write(page)
            expires = self._expires(Write(ttl), default) if ttl or default else None
            size = content.size
            note = SECRET if content.secret or (key in page and page[key][3]) else None
            value, body = (content.read(), None) if size <= INLINE else (None, self._store(content))
            page[key] = (expires, size, body, note, value)
            count += 1
        self._write(page)
        self.purge()
        return count

    def _write(self, page: "dict[tuple[int, str], Row]") -> None:
        """Puts a page into the table, and empties it."""
        if not page:
            return
        if self._db.execute("SELECT 1 FROM chunk LIMIT 1").fetchone() or self._bulk.names():
            for key in page:
                row = self._db.execute("SELECT body FROM entry WHERE place = ? AND name = ? AND body IS NOT NULL", key).fetchone()
                if row:
                    self._forget(row[0])
        last = self._next_revision(len(page)) - len(page)
        rows = sorted((*key, last + number, *row, 1, self._now) for number, (key, row) in enumerate(page.items(), 1))
        self._db.executemany(PUT, rows)
        page.clear()
