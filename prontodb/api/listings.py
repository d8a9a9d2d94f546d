"""The API's verbs that list, and those on lifetimes, streams and rescued content."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ops import Store
    from .arguments import Contexts, Key, Lifetime, Source
    from .records import Difference, Entry, RescuedContent

from .. import features
from ..address import check_project
from ..ops import kv, open_store, overlay, places, rescued
from . import records
from .arguments import seconds
from .caller import contexts, text
from .core import Core


class Listings(Core):
    """See the module. A place is `"project.namespace"`, `"project.namespace.prefix"`, or None: the one that was opened."""

    def keys(self, place: Key | None = None, *, context: Contexts | None = None) -> Iterator[str]:
        """The names in a place, in byte order; with `context`, each key once that holds under these contexts."""
        at, over = self._place(place), contexts(context)

        def pages(store: Store) -> Iterator[list[str]]:
            return places.names(store, at) if context is None else overlay.names(store, at, over)

        return (name for page in self._each(pages) for name in page)

    def scan(self, place: Key | None = None, *, context: Contexts | None = None) -> Iterator[Entry]:
        """The entries in a place, in byte order; with `context`, what holds under these contexts."""
        at, over = self._place(place), contexts(context)

        def found(store: Store) -> Iterator[Entry]:
            if context is None:
                return (records.entry(at.address(one.name), one, one.value or b"") for one in places.entries(store, at))
            return (
                records.entry(at.address(one.key), one.entry, one.entry.value or b"", one.layer) for one in overlay.entries(store, at, over)
            )

        return self._each(found)

    def diff(self, left: Contexts, right: Contexts, place: Key | None = None) -> Iterator[Difference]:
        """The keys in a place whose values differ between two sets of contexts; `"-"` or `[]` is none. Secrets are not left out."""
        at, sides = self._place(place), (contexts(left), contexts(right))
        return self._each(lambda store: (records.difference(at.address(each.key), each) for each in overlay.diff(store, at, *sides)))

    def projects(self) -> list[str]:
        """The projects that hold something."""
        with self._call() as store:
            return places.projects(store)

    def namespaces(self, project: Key | None = None) -> list[str]:
        """The namespaces of a project, or of the one that was opened, that hold something."""
        wanted = check_project(self._make.scope.project.value if project is None else text(project, "a project"))
        with self._call() as store:
            return places.namespaces(store, wanted)


class Lifetimes(Core):
    """How long entries live."""

    def ttl(self, key: Key) -> int | None:
        """Seconds that an entry has left; None: for ever. Raises `Miss`."""
        address = self._address(key)
        with self._call() as store:
            return kv.remaining(store, address)

    def expire(self, key: Key, ttl: Lifetime) -> None:
        """Lets an entry live for `ttl` from now. Raises `Miss`."""
        address, left = self._address(key), seconds(ttl)
        with self._change() as store:
            kv.expire(store, address, left)

    def persist(self, key: Key) -> None:
        """Lets an entry live for ever. Raises `Miss`."""
        address = self._address(key)
        with self._change() as store:
            kv.expire(store, address, None)

    def create_cache(self, namespace: Key, ttl: Lifetime) -> None:
        """Lets what is stored in a namespace from now on live for `ttl`, unless it says otherwise."""
        at, left = self._namespace(namespace), seconds(ttl)
        with self._change() as store:
            places.create_cache(store, at, left)

    def drop_cache(self, namespace: Key) -> None:
        """Ends that. Raises `Miss` where there was no such lifetime."""
        at = self._namespace(namespace)
        with self._change() as store:
            places.drop_cache(store, at)


class Streams(Core):
    """Token streams, and what was rescued."""

    def stream(self, source: Source) -> int:
        """Stores a token stream, all of it or nothing; how many entries. Raises `MalformedStream`, or what `set` does."""
        with self._content(source, None) as content, self._seats.turn() as session:
            features.require(session.settings, "streaming")
            from ..ops import streams
            from ..ops.streamed import Stream

            return streams.store(session, Stream(content)).stored

    def rescued(self) -> list[RescuedContent]:
        """What the pipe cache holds, oldest first. `get` and `open_value` read it, `copy` brings it home, `delete` drops it."""
        with self._seats.taken() as session:
            return [records.rescued(item) for item in rescued.items(open_store(session))]
