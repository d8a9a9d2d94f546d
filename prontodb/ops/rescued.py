"""What the pipe cache holds, in the database and in the spool: listed, read and dropped (DESIGN §6)."""

import os

from .. import spool
from ..address import Address
from ..errors import Miss, StorageError
from ..files import unlink
from ..model import SECRET
from .rescue import CACHE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Found
    from . import Store


class Item:
    """One rescued content. Times are Unix seconds; `expires` None: kept; `spooled`: its path, where it is no entry.

    `partial` where it was cut off, or with `arriving` is still on its way into a living process.
    """

    __slots__ = ("arriving", "asked", "created", "expires", "name", "partial", "reason", "secret", "size", "spooled")

    def __init__(self, name: str, size: int, expires: int | None, reason: str, asked: str) -> None:
        self.name = name
        self.size = size
        self.expires = expires
        self.reason = reason
        self.asked = asked
        stamp = name.partition("_")[0]
        self.created = int(stamp) if stamp.isascii() and stamp.isdigit() else 0
        self.spooled = ""
        self.partial = False
        self.arriving = False
        self.secret = False

    @property
    def address(self) -> str:
        """What `copy`, `get` and `del` call it."""
        return str(CACHE.address(self.name))


def items(store: "Store") -> "Iterator[Item]":
    """Everything rescued in this store, and in the spool on its behalf, oldest name first."""
    yield from sorted([*_readable(store), *spool_items(store)], key=lambda item: item.name.encode())


def find(store: "Store", name: str) -> Item:
    """One of them, by its name or its address. Raises `Miss`."""
    bare = name.removeprefix(f"{CACHE}.")
    for item in items(store):
        if item.name == bare:
            return item
    raise Miss(f"Nothing rescued as: {CACHE}.{bare}", cure="prontodb rescue list shows what there is", address=f"{CACHE}.{bare}")


def drop(store: "Store", dropped: "list[Item]") -> None:
    """Deletes rescued content for good."""
    store.engine.delete([CACHE.address(item.name) for item in dropped if not item.spooled], store.now)
    for item in dropped:
        if item.spooled:
            unlink(item.spooled)
            unlink(item.spooled + spool.NOTE)


def spooled(store: "Store", address: Address) -> "Found | None":
    """The content of a spool file as if it were an entry."""
    from ..model import Entry, Found

    for item in spool_items(store):
        if item.name == address.name and not item.arriving:
            entry = Entry(item.name, item.size, 0, None, None)
            entry.note = SECRET if item.secret else b""
            return Found(entry, _file_pieces(item.spooled))
    return None


def drop_spooled(store: "Store", address: Address) -> bool:
    """Deletes a spool file; whether there was one."""
    found = [item for item in spool_items(store) if item.name == address.name and not item.arriving]
    drop(store, found)
    return bool(found)


def spool_items(store: "Store") -> list[Item]:
    """What lies in the spool for this user, meta and database. One that was sent to no sensible database shows up in each.

    The last folders are shared by all homes of an operating-system user: what another home's process has left there is not shown.
    """
    found = []
    for folder in store.folders:
        for name in _names(folder):
            item, note = _from_file(folder, name)
            whose = (str(note.get("user") or "default"), str(note.get("meta") or ""))
            if whose == store.whose and note.get("database", "") in ("", store.database) and note.get("origin", "") in ("", store.origin):
                found.append(item)
    return found


def _readable(store: "Store") -> list[Item]:
    """What the database has; where it cannot be read, that is the very moment in which the spool must be shown."""
    try:
        return list(_stored(store))
    except StorageError as error:
        store.engine.notices.append(error.message)
        return []


def _stored(store: "Store") -> "Iterator[Item]":
    after, now = "", store.now
    while page := store.engine.entries(CACHE, after, 1000, now):
        after = page[-1].name
        for entry in page:
            reason, _, asked = entry.note.removeprefix(SECRET).decode("utf-8", "surrogateescape").partition("\n")
            yield Item(entry.name, entry.size, entry.expires, reason, asked)


def _names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if not name.endswith((spool.NOTE, ".new")))
    except OSError:
        return []


def _from_file(folder: str, name: str) -> "tuple[Item, dict[str, object]]":
    path = f"{folder}/{name}"
    note = spool.read_note(path)
    item = Item(name, spool.size(path), None, str(note.get("reason") or ""), str(note.get("asked") or ""))
    item.spooled = path
    item.secret = note.get("secret") is True
    item.partial = spool.PARTIAL in name
    item.arriving = item.partial and spool.arriving(path)
    return item, note


def _file_pieces(path: str) -> "Iterator[bytes]":
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(1 << 20):
            yield piece
