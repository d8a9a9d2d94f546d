"""What the topics of the conformance suite share: an engine of the meta `acme`, and short words for its verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from prontodb.address import Address, Place
from prontodb.model import INHERIT, PIECE, Content, Entry, Found, Write
from prontodb.past import Keeping

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prontodb.engines.base import Engine

DAY = 86_400
NOW = 1_000_000_000
"""The moment at which everything happens that has no other."""
PLACE = Place("p", "n")
"""Where everything is that is nowhere else."""
LARGE = bytes(range(256)) * (3 * PIECE // 256) + b"end"
"""A value of four pieces."""


class Cut(Exception):
    """What content, or a list of items, raises that breaks off."""


def at(name: str, namespace: str = "n", project: str = "p") -> Address:
    """An address in the place `p.n`."""
    return Address(project, namespace, name)


def writing(ttl: int | None = INHERIT, *, expires: int | None = None, **options: Any) -> Write:
    """A `Write` with everything it can have."""
    write = Write(ttl, **options)
    write.expires = expires
    return write


def shown(entry: Entry) -> tuple[Any, ...]:
    """An entry as something that can be compared."""
    return entry.name, entry.size, entry.revision, entry.expires, entry.value, entry.note


class Conformance:
    """The parts of the suite inherit from this; `EngineConformance` says how to use it."""

    folder: Path
    db: Engine
    keeping: Keeping
    """What calls say of the history; a test may say otherwise."""

    def make(self, meta: str) -> Engine:
        """A new engine on the one store of this test, which is empty at first. To be overridden."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _engines(self, tmp_path: Path) -> Iterator[None]:
        self.folder = tmp_path
        self.keeping = Keeping("me", DAY, 100, 64 << 20)
        self.made: list[Engine] = []
        self.db = self.tenant("acme")
        yield
        for engine in self.made:
            engine.close()

    def tenant(self, meta: str) -> Engine:
        """An engine for another meta, closed when the test ends."""
        self.made.append(self.make(meta))
        return self.made[-1]

    def put(self, name: str | Address, value: bytes = b"v", *, now: float = NOW, **write: Any) -> int:
        """Stores a value, with what `writing` takes; the revision."""
        return self.db.put(at(name) if isinstance(name, str) else name, Content.of(value), writing(**write), now)

    def found(self, name: str | Address, now: float = NOW, **options: Any) -> Found | None:
        """What `get` gives."""
        return self.db.get(at(name) if isinstance(name, str) else name, now, **options)

    def entry(self, name: str | Address, now: float = NOW) -> Entry:
        """The entry, which must be there."""
        found = self.found(name, now)
        assert found is not None
        return found.entry

    def value(self, name: str | Address, now: float = NOW, **options: Any) -> bytes | None:
        """The value; None where there is none."""
        found = self.found(name, now, **options)
        return None if found is None else found.read()

    def names(self, prefix: str = "", after: str = "", limit: int = 1000, now: float = NOW) -> list[str]:
        """The names of `p.n`."""
        return self.db.names(Place("p", "n", prefix), after, limit, now)

    def spaces(self, now: float = NOW) -> list[tuple[str, str, int | None]]:
        """The namespaces, as tuples."""
        return [(space.project, space.namespace, space.ttl) for space in self.db.spaces(now)]

    def caches(self) -> list[tuple[str, str, int | None]]:
        """The namespaces with a default lifetime, as tuples."""
        return [(space.project, space.namespace, space.ttl) for space in self.db.caches()]
