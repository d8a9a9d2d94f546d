"""Conformance: random histories of all verbs, against a model that a page can hold."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from prontodb.address import Address, Place
from prontodb.engines.failures import PreconditionFailed
from prontodb.model import FOREVER, INHERIT, PIECE, Content

from .conformance_base import NOW, Conformance, at, writing

if TYPE_CHECKING:
    from prontodb.engines.base import Engine

ADDRESSES = st.sampled_from([at(name, space) for name in ("a", "a_", "axb", "k__x", "é") for space in ("n", "n2")])
VALUES = {"empty": b"", "7": b"7", "-12": b"-12", "small": b"x" * 512, "large": b"y" * 513, "pieces": b"z" * (PIECE + 1)}
KINDS = st.sampled_from(sorted(VALUES))
"""Values by name, since a report of a failure spells out what it was."""
TTLS = st.sampled_from([INHERIT, FOREVER, 1, 3])
ENDS = st.none() | st.integers(1, 5)


class Kept(NamedTuple):
    """What the model knows of an entry."""

    value: bytes
    expires: int | None
    revision: int


class Machine(RuleBasedStateMachine):
    """An engine of an empty meta, and a dictionary that must agree with it after every step."""

    def __init__(self, db: Engine) -> None:
        super().__init__()
        self.db = db
        self.now = NOW
        self.model: dict[Address, Kept] = {}
        self.defaults: dict[str, int] = {}
        self.revision = 0

    def teardown(self) -> None:
        """A server gives only so many connections."""
        self.db.close()

    def live(self, address: Address) -> Kept | None:
        """What the model has at an address."""
        kept = self.model.get(address)
        return kept if kept and (kept.expires is None or kept.expires > self.now) else None

    def end(self, address: Address, ttl: int | None) -> int | None:
        """When an entry ends that is put now."""
        seconds = self.defaults.get(address.namespace) if ttl is INHERIT else ttl
        return self.now + seconds if seconds else None

    def keep(self, address: Address, value: bytes, expires: int | None) -> None:
        """Puts into the model what the engine has put."""
        found = self.db.get(address, self.now)
        assert found is not None
        assert found.entry.revision > self.revision
        self.revision = found.entry.revision
        self.model[address] = Kept(value, expires, self.revision)

    @rule(address=ADDRESSES, kind=KINDS, ttl=TTLS)
    def put(self, address: Address, kind: str, ttl: int | None) -> None:
        self.db.put(address, Content.of(VALUES[kind]), writing(ttl), self.now)
        self.keep(address, VALUES[kind], self.end(address, ttl))

    @rule(address=ADDRESSES, kind=KINDS, options=st.sampled_from([{"absent": True}, {"revision": 0}, {"revision": "its own"}]))
    def put_where(self, address: Address, kind: str, options: dict[str, Any]) -> None:
        before = self.live(address)
        if options.get("revision"):
            options = {"revision": before.revision if before else self.revision + 1}
        allowed = bool(before) == bool(options.get("revision"))
        try:
            self.db.put(address, Content.of(VALUES[kind]), writing(**options), self.now)
        except PreconditionFailed:
            assert not allowed
        else:
            assert allowed
            self.keep(address, VALUES[kind], self.end(address, INHERIT))

    @rule(items=st.lists(st.tuples(ADDRESSES, KINDS), max_size=3, unique_by=lambda item: item[0]), ttl=TTLS)
    def put_many(self, items: list[tuple[Address, str]], ttl: int | None) -> None:
        contents = [(address, Content.of(VALUES[kind])) for address, kind in items]
        assert self.db.put_many(contents, writing(ttl), self.now) == len(items)
        for address, kind in items:
            self.keep(address, VALUES[kind], self.end(address, ttl))

    @rule(addresses=st.lists(ADDRESSES, max_size=3, unique=True))
    def delete(self, addresses: list[Address]) -> None:
        assert self.db.delete(addresses, self.now) == [address for address in addresses if self.live(address)]
        for address in addresses:
            self.model.pop(address, None)

    @rule(source=ADDRESSES, to=ADDRESSES, ttl=TTLS, move=st.booleans(), keep=st.booleans())
    def copy(self, source: Address, to: Address, ttl: int | None, move: bool, keep: bool) -> None:
        before = self.live(source)
        assert self.db.copy(source, to, writing(ttl), self.now, move=move, keep=keep) == bool(before)
        if before:
            self.keep(to, before.value, before.expires if keep else self.end(to, ttl))
            if move and source != to:
                del self.model[source]

    @rule(address=ADDRESSES, by=st.integers(-9, 9))
    def increment(self, address: Address, by: int) -> None:
        before = self.live(address)
        if before and not before.value.removeprefix(b"-").isdigit():
            with pytest.raises(PreconditionFailed):
                self.db.increment(address, by, self.now)
            return
        number = int(before.value if before else 0) + by
        assert self.db.increment(address, by, self.now) == number
        self.keep(address, b"%d" % number, before.expires if before else self.end(address, INHERIT))

    @rule(address=ADDRESSES, seconds=ENDS)
    def expire(self, address: Address, seconds: int | None) -> None:
        before = self.live(address)
        end = self.now + seconds if seconds else None
        assert self.db.expire(address, end, self.now) == bool(before)
        if before:
            self.model[address] = before._replace(expires=end)

    @rule(namespace=st.sampled_from(["n", "n2"]), ttl=ENDS)
    def set_default_ttl(self, namespace: str, ttl: int | None) -> None:
        before = self.defaults.pop(namespace, None)
        assert self.db.set_default_ttl("p", namespace, ttl, self.now) == bool(before or ttl)
        if ttl:
            self.defaults[namespace] = ttl

    @rule(limit=st.integers(1, 4))
    def purge(self, limit: int) -> None:
        assert 0 <= self.db.purge(limit, self.now) <= limit

    @rule(seconds=st.integers(1, 3))
    def time_goes_by(self, seconds: int) -> None:
        self.now += seconds

    @invariant()
    def the_engine_agrees_with_the_model(self) -> None:
        alive = {address: kept for address in self.model if (kept := self.live(address))}
        for namespace in ("n", "n2"):
            expected = sorted((address.name for address in alive if address.namespace == namespace), key=str.encode)
            assert self.db.names(Place("p", namespace), "", 100, self.now) == expected
        for address in self.model:
            found = self.db.get(address, self.now)
            assert (found and Kept(found.read(), found.entry.expires, found.entry.revision)) == alive.get(address)
        held = sorted({address.namespace for address in alive})
        assert [(space.namespace, space.ttl) for space in self.db.spaces(self.now)] == [(name, self.defaults.get(name)) for name in held]
        assert [(space.namespace, space.ttl) for space in self.db.caches()] == sorted(self.defaults.items())


class ModelConformance(Conformance):
    HISTORIES = 50

    def test_any_history_agrees_with_a_dictionary(self) -> None:
        """After every step of a random history the engine holds what a plain dictionary would."""
        metas = count()
        options = settings(
            max_examples=self.HISTORIES, stateful_step_count=25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        # Each history has a meta of its own, beside those of all before it.
        run_state_machine_as_test(lambda: Machine(self.tenant(f"m{next(metas)}")), settings=options)
