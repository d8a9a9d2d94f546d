"""What there is: names, entries, namespaces and projects, and the default lifetimes of namespaces."""

from ..address import Place
from ..errors import Miss
from ..model import Entry
from .kv import cached, get

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..address import Address
    from ..model import Space
    from . import Store

NAMES = 10_000
ENTRIES = 1_000
"""Of one page: few enough that a listing into a slow reader holds no lock, many enough that pages cost nothing."""


def names(store: "Store", place: "Place") -> "Iterator[list[str]]":
    """The names of a place in byte order, a page at a time."""
    spooled = _spooled(store, place)
    after = ""
    while page := store.engine.names(place, after, NAMES, store.now):
        after = page[-1]
        yield _merged(page, spooled) if spooled else page
    if spooled:
        yield list(spooled)


def entries(store: "Store", place: "Place") -> "Iterator[Entry]":
    """The entries of a place in byte order, a large one read when its turn comes."""
    spooled = _spooled(store, place)
    after = ""
    while page := store.engine.entries(place, after, ENTRIES, store.now):
        after = page[-1].name
        known = {entry.name: entry for entry in page}
        for name in _merged(list(known), spooled):
            yield from _filled(store, place, known.get(name) or Entry(name, 0, 0, None, None))
    for name in spooled:
        yield from _filled(store, place, Entry(name, 0, 0, None, None))


def many(store: "Store", addresses: "Iterable[Address]") -> "Iterator[tuple[Address, bytes]]":
    """The values of those that are there, in the order asked: all as of one moment, but for a large one, read when its turn comes."""
    wanted = dict.fromkeys(addresses)
    there = store.engine.get_many(wanted, store.now)
    for address in wanted:
        entry = there.get(address)
        found = entry and list(_filled(store, Place(address.project, address.namespace), entry))
        if found:
            yield address, found[0].value or b""


def spaces(store: "Store") -> "list[Space]":
    """The namespaces that hold something."""
    return store.engine.spaces(store.now)


def projects(store: "Store") -> list[str]:
    """The projects that hold something."""
    return list(dict.fromkeys(space.project for space in spaces(store)))


def namespaces(store: "Store", project: str) -> list[str]:
    """The namespaces of a project that hold something."""
    return [space.namespace for space in spaces(store) if space.project == project]


def create_cache(store: "Store", place: "Place", ttl: int) -> None:
    """Gives a namespace a default lifetime, in seconds, for what is stored there from now on."""
    store.engine.set_default_ttl(place.project, place.namespace, ttl, store.now)


def drop_cache(store: "Store", place: "Place") -> None:
    """Ends a namespace's default lifetime; what is stored there keeps its own. Raises `Miss`."""
    known = any((cache.project, cache.namespace) == (place.project, place.namespace) for cache in store.engine.caches())
    if not known:
        raise Miss(f"No cache: {place} has no default lifetime", address=str(place))
    store.engine.set_default_ttl(place.project, place.namespace, None, store.now)


def purge(store: "Store", batch: int = 100) -> int:
    """Removes everything that has expired, in batches that each hold the lock for milliseconds; how many."""
    total = 0
    while count := store.engine.purge(batch, store.now):
        total += count
    return total


def _filled(store: "Store", place: "Place", entry: "Entry") -> "Iterator[Entry]":
    """The entry with its value; nothing, where it is gone since its page was read."""
    if entry.value is None:
        try:
            found = get(store, place.address(entry.name))
        except Miss:
            return
        entry = found.entry
        entry.value = found.read()
    yield entry


def _merged(page: list[str], spooled: "dict[str, None]") -> list[str]:
    """A page of names and those of the spool that belong before its end; takes them out of `spooled`."""
    due = [name for name in spooled if name.encode() <= page[-1].encode()]
    for name in due:
        del spooled[name]
    return sorted({*page, *due}, key=str.encode) if due else page


def _spooled(store: "Store", place: "Place") -> "dict[str, None]":
    """The names that a listing of the pipe cache finds in the spool, in order."""
    if not cached(place.address("")):
        return {}
    from . import rescued

    found = [item.name for item in rescued.spool_items(store) if not item.arriving and item.name.startswith(place.prefix)]
    return dict.fromkeys(sorted(found, key=str.encode))
