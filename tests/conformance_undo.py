"""Conformance: undoing what one of several interleaved actors did, against a model that keeps every state of every key."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from prontodb.engines.failures import PreconditionFailed
from prontodb.errors import Miss
from prontodb.model import Content
from prontodb.ops import history
from prontodb.past import Keeping

from .conformance_base import DAY, NOW, Conformance, at, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from prontodb.address import Address
    from prontodb.engines.base import Engine

ACTORS = st.sampled_from(["ann", "bob", "cy"])
KEYS = st.sampled_from([at("a"), at("b"), at("c"), at("a", "other")])
VALUES = st.sampled_from([b"1", b"22", b"x" * 600])


class Changed(NamedTuple):
    """One change in the model, and what it left: a value and when that ends, or None."""

    time: int
    actor: str
    left: tuple[bytes, int | None] | None


class Stub:
    """As much of a `Store` as the operations need."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = NOW


class Machine(RuleBasedStateMachine):
    """Three actors write and delete, some of it with lifetimes; then one of them is undone."""

    def __init__(self, make: Callable[[], Engine], act: Callable[[str], None]) -> None:
        super().__init__()
        self.act = act
        self.store = Stub(make())
        self.changes: dict[Address, list[Changed]] = {}

    def teardown(self) -> None:
        """A server gives only so many connections."""
        self.store.engine.close()

    def state(self, address: Address, changes: list[Changed] | None = None) -> tuple[bytes, int | None] | None:
        """What a key holds now, after these changes of it."""
        told = self.changes.get(address, []) if changes is None else changes
        left = told[-1].left if told else None
        return left if left and (left[1] is None or left[1] > self.store.now) else None

    def note(self, actor: str, address: Address, left: tuple[bytes, int | None] | None) -> None:
        """Keeps a change in the model."""
        self.changes.setdefault(address, []).append(Changed(self.store.now, actor, left))

    @rule(actor=ACTORS, address=KEYS, value=VALUES, ttl=st.sampled_from([0, 0, 0, 4]))
    def put(self, actor: str, address: Address, value: bytes, ttl: int) -> None:
        self.act(actor)
        self.store.engine.put(address, Content.of(value), writing(ttl), self.store.now)
        self.note(actor, address, (value, self.store.now + ttl if ttl else None))

    @rule(actor=ACTORS, address=KEYS)
    def delete(self, actor: str, address: Address) -> None:
        self.act(actor)
        gone = self.store.engine.delete([address], self.store.now)
        assert bool(gone) == (self.state(address) is not None)
        if gone:
            self.note(actor, address, None)

    @rule(actor=ACTORS, address=KEYS, to=KEYS, move=st.booleans())
    def copy(self, actor: str, address: Address, to: Address, move: bool) -> None:
        before = self.state(address)
        self.act(actor)
        if address != to and self.store.engine.copy(address, to, writing(0), self.store.now, move=move):
            assert before
            self.note(actor, to, (before[0], None))
            if move:
                self.note(actor, address, None)

    @rule(seconds=st.integers(1, 3))
    def time_goes_by(self, seconds: int) -> None:
        self.store.now += seconds
        if seconds == 3:
            self.store.engine.purge(100, self.store.now)

    @rule(actor=ACTORS, victim=ACTORS, ago=st.integers(0, 9), how=st.sampled_from(["", "", "force", "skip"]))
    def undo(self, actor: str, victim: str, ago: int, how: str) -> None:
        since = self.store.now - ago
        ours = {
            address: next(number for number, one in enumerate(told) if one.actor == victim and one.time >= since)
            for address, told in self.changes.items()
            if any(one.actor == victim and one.time >= since for one in told)
        }
        barred = {address for address, first in ours.items() if any(one.actor != victim for one in self.changes[address][first:])}
        self.act(actor)
        wish = history.Wish(victim, since, None, force=how == "force", skip=how == "skip")
        planned = history.plan(self.store, wish)  # type: ignore[arg-type]
        if how == "force":
            barred = set()
        known = self.known(planned, ours)
        try:
            history.carry_out(self.store, wish, planned)  # type: ignore[arg-type]
        except Miss:
            assert not known
        except PreconditionFailed:
            assert barred & known
            assert how != "skip"
        else:
            assert how or not barred & known
            for address in known - barred:
                before = self.state(address, self.changes[address][: ours[address]])
                if before or self.state(address):
                    self.note(actor, address, before)

    def known(self, planned: history.Plan, ours: dict[Address, int]) -> set[Address]:
        """The keys of which the history can know: of a value that replaced nothing and has ended by itself, no trace is left."""
        told = set(planned.touched) | {step.address for step in planned.steps}
        assert told <= set(ours)
        assert not planned.gone
        for address in set(ours) - told:
            assert self.state(address) is None
            assert self.state(address, self.changes[address][: ours[address]]) is None or not self.followed(address, ours[address])
        return told

    def followed(self, address: Address, first: int) -> bool:
        """Whether what stood before a change was alive when that change was made."""
        told = self.changes[address]
        left = told[first - 1].left if first else None
        return bool(left and (left[1] is None or left[1] > told[first].time))

    @invariant()
    def the_engine_agrees_with_the_model(self) -> None:
        for address in self.changes:
            found = self.store.engine.get(address, self.store.now)
            assert (found and (found.read(), found.entry.expires)) == self.state(address)


class UndoConformance(Conformance):
    def test_undoing_one_of_three_actors_agrees_with_a_model(self) -> None:
        """Whatever three actors did before, undoing one's changes gives back what stood there before them, or changes nothing at all."""
        metas = count()

        def act(actor: str) -> None:
            self.keeping = Keeping(actor, DAY, 1000, 1 << 30)

        options = settings(max_examples=60, stateful_step_count=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        run_state_machine_as_test(lambda: Machine(lambda: self.tenant(f"u{next(metas)}"), act), settings=options)

    def test_the_live_version_comes_first(self) -> None:
        """Before the one that it has replaced: both were touched by the same change. Also where the replaced one is the younger row."""
        for name in ("a", "b", "c", "d"):
            self.put(name, b"one")
        for name in ("d", "a", "c", "b"):
            self.put(name, b"two")
            [step] = history.undo(Stub(self.db), at(name))  # type: ignore[arg-type]
            assert step.to
        found = self.db.versions(None, 0, 100, NOW)
        first = {version.address.name: version.ended for version in reversed(found)}
        assert first == dict.fromkeys("abcd")
        assert [version.made.revision for version in found[:2]] == [12, 11]

    @pytest.mark.parametrize("deleted", [False, True])
    def test_an_undo_can_be_undone(self, deleted: bool) -> None:
        """Undoing twice comes to where one was, of a change, a creation or a deletion."""
        stub = Stub(self.db)
        self.put("k", b"one", ttl=100)
        if deleted:
            self.db.delete([at("k")], NOW)
        else:
            self.put("k", b"two")
        states = [(self.value("k"), self.found("k") and self.entry("k").expires)]
        for _ in range(4):
            history.undo(stub, at("k"))  # type: ignore[arg-type]
            states.append((self.value("k"), self.found("k") and self.entry("k").expires))
        assert states[0] == states[2] == states[4]
        assert states[1] == states[3] == (b"one", NOW + 100)
