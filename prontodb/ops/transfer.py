"""Entries out of a store and into it: all of them or none."""

from ..address import Address, Place
from ..errors import Denied, Miss
from ..interchange import Item
from ..model import FOREVER
from . import kv, places, secrets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from ..formats import Record
    from ..model import Content, Entry
    from . import Store

    T = TypeVar("T", Item, Record)
    Source = Callable[[], Iterator[Item]]
    Keeper = Callable[[Iterator[bytes]], Content]

NEW, CHANGED, SAME, ENDED = "new", "changed", "same", "expired"


class Change:
    """What importing one entry does: `kind` is one of the words above."""

    __slots__ = ("address", "kind", "size")

    def __init__(self, address: Address, kind: str, size: int) -> None:
        self.address = address
        self.kind = kind
        self.size = size


def whole(store: "Store") -> list[Place]:
    """Every namespace that holds something, but for the pipe cache: that is on its way somewhere."""
    found = (Place(space.project, space.namespace) for space in places.spaces(store))
    return [place for place in found if (place.project, place.namespace) != ("pipe", "cache")]


def items(store: "Store", at: list[Place]) -> "Iterator[Item]":
    """The entries of places, in byte order of each. A large value is read when its turn comes."""
    for place in at:
        after = ""
        while page := store.engine.entries(place, after, places.ENTRIES, store.now):
            after = page[-1].name
            for entry in page:
                address = place.address(entry.name)
                if (item := _item(store, address, entry)) is not None:
                    yield item


def _item(store: "Store", address: Address, entry: "Entry") -> Item | None:
    """The entry with its value; None, where it is gone since it was listed."""
    pieces = iter((entry.value or b"",))
    if entry.value is None:
        try:
            found = kv.get(store, address)
        except Miss:
            return None
        entry, pieces = found.entry, found.pieces
    item = Item(address, entry.expires, pieces, entry.size)
    item.secret = secrets.is_secret(address, entry)
    return item


def refuse_secrets(store: "Store", at: list[Place]) -> None:
    """Raises `Secret` where the places hold any: looked for before anything is written, since half an export looks like a whole one."""
    for place in at:
        after = ""
        while page := store.engine.entries(place, after, places.ENTRIES, store.now):
            after = page[-1].name
            for entry in page:
                _open(place.address(entry.name), secrets.is_secret(place.address(entry.name), entry))


def public(found: "Iterator[T]") -> "Iterator[T]":
    """The same; raises `Secret` for one that came when they had been looked for."""
    for item in found:
        _open(item.address, item.secret)
        yield item


def _open(address: Address, secret: bool) -> None:  # noqa: FBT001 - what is known of the address
    if secret:
        raise secrets.Secret(
            f"{address} is a secret, and would be exported", cure="--reveal, where you mean it; backup needs none", address=str(address)
        )


def changes(store: "Store", source: "Source") -> "Iterator[Change]":
    """What importing would do, one by one; reads everything to its end, and raises what is wrong with it."""
    now = store.now
    for item in source():
        _allowed(store, item)
        if item.expires is not None and item.expires <= now:
            yield Change(item.address, ENDED, sum(map(len, item.pieces)))
            continue
        yield _compared(store, item)


def load(store: "Store", source: "Source", keep: "Keeper") -> int:
    """Imports everything in one step, replacing what stands there; how many. `keep` makes content of pieces that can be read once.

    All of it is read once before, without a lock on the store, so that only a sound one gets as far as that.
    """
    for item in source():
        _allowed(store, item)
        for _ in item.pieces:
            pass
    now = store.now
    return store.engine.load(_contents(source(), keep, now), now)


def _contents(found: "Iterator[Item]", keep: "Keeper", now: float) -> "Iterator[tuple[Address, Content, int | None]]":
    for item in found:
        if item.expires is not None and item.expires <= now:
            continue
        content = keep(item.pieces)
        content.secret = item.secret
        try:
            # So many seconds that `model.end` comes to the very same one.
            yield item.address, content, FOREVER if item.expires is None else item.expires + int(-now // 1)
        finally:
            content.discard()


def _allowed(store: "Store", item: Item) -> None:
    if item.meta is not None and item.meta != store.whose[1]:
        here = f"meta '{store.whose[1]}'" if store.whose[1] else "none"
        raise Denied(
            f"Line {item.line} is of meta '{item.meta}', and this is {here}",
            cure="--meta with that one, where nothing is pinned",
            address=str(item.address),
        )


def _compared(store: "Store", item: Item) -> Change:
    try:
        found = kv.get(store, item.address)
    except Miss:
        return Change(item.address, NEW, sum(map(len, item.pieces)))
    size, same = 0, found.entry.expires == item.expires and (not item.secret or secrets.is_secret(item.address, found.entry))
    ours = _Bytes(found.pieces)
    for piece in item.pieces:
        size += len(piece)
        same = same and ours.take(len(piece)) == piece
    return Change(item.address, SAME if same and size == found.entry.size else CHANGED, size)


class _Bytes:
    """Pieces, taken in other sizes."""

    def __init__(self, pieces: "Iterator[bytes]") -> None:
        self._pieces = pieces
        self._held = bytearray()

    def take(self, size: int) -> bytes:
        """The next `size` bytes, or as many as there are."""
        while len(self._held) < size and (piece := next(self._pieces, None)) is not None:
            self._held += piece
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken
