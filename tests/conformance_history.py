"""Conformance: what becomes of a value that is replaced or deleted, and the way back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from prontodb.address import Address, Place
from prontodb.engines.failures import PreconditionFailed
from prontodb.model import Content, Write
from prontodb.past import OFF, OVERHEAD, Keeping, Step, Version

from .conformance_base import DAY, LARGE, NOW, PLACE, Conformance, Cut, at

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = 1 << 62
SIZES = pytest.mark.parametrize("value", [b"", b"v", b"x" * 513, LARGE], ids=len)


class HistoryConformance(Conformance):
    def versions(self, scope: Address | Place | str | None = "k", now: float = NOW, since: float = 0, limit: int = ALL) -> list[Version]:
        """The versions, by default of the entry `k`."""
        return self.db.versions(at(scope) if isinstance(scope, str) else scope, since, limit, now)

    def told(self, scope: Any = "k", **options: Any) -> list[tuple[Any, ...]]:
        """The same as something that can be compared: name, revision, actor, what it replaced, size, and how it ended."""
        return [
            (one.address.name, one.made.revision, one.made.actor, one.previous, one.size)
            + ((one.ended.revision, one.ended.actor, one.deleted) if one.ended else ())
            for one in self.versions(scope, **options)
        ]

    def as_(self, actor: str) -> None:
        """Whoever changes something from now on."""
        self.keeping = Keeping(actor, self.keeping.ttl, self.keeping.count, self.keeping.size)

    def recalled(self, revision: int, name: str = "k", now: float = NOW) -> bytes | None:
        """The bytes of a version."""
        found = self.db.recall(at(name), revision, now)
        assert found is None or (found.entry.revision, found.entry.name) == (revision, name)
        return None if found is None else found.read()

    def test_the_last_revision_is_known(self) -> None:
        """Whatever took it, and whether or not it is still there; another meta has its own."""
        assert self.db.latest() == 0
        assert self.db.latest() < (one := self.put("k", b"v")) <= self.db.latest()
        self.db.delete([at("k")], NOW)
        assert self.db.latest() > one
        last = self.put("q", b"v")
        assert (self.db.latest(), self.tenant("other").latest()) == (last, 0)

    @SIZES
    def test_what_is_replaced_can_be_had(self, value: bytes) -> None:
        """Every version is told of with its maker and its end, the last one first, and its bytes are there."""
        one = self.put("k", value)
        self.as_("you")
        two = self.put("k", value[::-1], now=NOW + 1.5)
        self.as_("they")
        assert self.db.delete([at("k")], NOW + 2) == [at("k")]
        three = self.versions()[0].ended
        assert three is not None
        assert three.revision > two > one
        size = len(value)
        assert self.told() == [("k", two, "you", one, size, three.revision, "they", True), ("k", one, "me", 0, size, two, "you", False)]
        times = [(version.made.time, version.ended and version.ended.time) for version in self.versions()]
        assert times == [(NOW + 1.5, NOW + 2), (NOW, NOW + 1.5)]
        assert (self.recalled(one), self.recalled(two)) == (value, value[::-1])
        assert (self.recalled(three.revision), self.recalled(one, "other")) == (None, None)

    def test_the_live_entry_is_the_last_version(self) -> None:
        """It has no end, and `recall` gives it too."""
        revision = self.put("k", b"v", ttl=5)
        assert self.told() == [("k", revision, "me", 0, 1)]
        assert self.versions()[0].expires == NOW + 5
        assert self.recalled(revision) == b"v"
        assert self.told("none") == []

    def test_a_deletion_has_a_revision_of_its_own(self) -> None:
        """What is stored afterwards is above it, and has replaced nothing."""
        self.put("k")
        self.db.delete([at("k")], NOW)
        deleted = self.versions()[0].ended
        revision = self.put("k")
        assert deleted is not None
        assert revision > deleted.revision
        assert self.versions()[0].previous == 0

    @SIZES
    def test_every_verb_that_replaces_keeps(self, value: bytes) -> None:
        """`put_many`, `load`, `copy`, `move` and `increment` leave what stood there, as `put` does."""
        changes = [
            lambda: self.db.put_many([(at("k"), Content.of(b"new"))], Write(), NOW),
            lambda: self.db.load([(at("k"), Content.of(b"new"), None)], NOW),
            lambda: self.db.copy(at("other"), at("k"), Write(), NOW),
            lambda: self.db.copy(at("other"), at("k"), Write(), NOW, move=True),
        ]
        for change in changes:
            self.put("other", b"source")
            old = self.put("k", value)
            change()
            assert self.versions()[0].previous == old
            assert self.recalled(old) == value
        assert self.versions("other")[0].deleted
        number = self.put("k", b"7")
        self.db.increment(at("k"), 1, NOW)
        assert self.recalled(number) == b"7"

    def test_a_large_value_survives_what_replaces_it(self) -> None:
        """One that was handed to the history is not touched by what becomes of the key: large over large, many times."""
        revisions = [self.put("k", bytes([number]) + LARGE) for number in range(4)]
        self.db.copy(at("k"), at("k2"), Write(), NOW)
        self.db.delete([at("k")], NOW)
        assert [self.recalled(one) for one in revisions] == [bytes([number]) + LARGE for number in range(4)]
        assert self.value("k2") == b"\x03" + LARGE

    def test_what_nobody_saw_is_not_kept(self) -> None:
        """Of equal addresses in one `load` or `put_many`, only what stood there before is a version; the last one has replaced that."""
        old = self.put("k", b"old")
        items = [(at(name), Content.of(value), None) for value in (b"1", LARGE, b"3") for name in ("k", "fresh")]
        many = [(at(f"n{number}"), Content.of(b"v"), None) for number in range(2500)]
        self.db.load([*items[:2], *many, *items[2:]], NOW)
        assert [(one.previous, one.size) for one in self.versions()] == [(old, 1), (0, 3)]
        assert self.versions()[1].ended.revision == self.entry("k").revision  # type: ignore[union-attr]
        assert [(one.previous, one.size) for one in self.versions("fresh")] == [(0, 1)]
        self.db.put_many([(address, content) for address, content, _ in items], Write(), NOW)
        assert [one.size for one in self.versions("fresh")] == [1, 1]
        assert [one.size for one in self.versions()] == [1, 1, 3]

    def test_an_expired_value_has_ended_by_itself(self) -> None:
        """It is no version once its time has come, neither removed nor overwritten; what comes then has replaced nothing."""
        self.put("k", ttl=5)
        assert self.versions(now=NOW + 5) == []
        self.put("k", now=NOW + 5)
        assert [one.previous for one in self.versions(now=NOW + 5)] == [0]

    def test_a_lifetime_holds_in_the_history_too(self) -> None:
        """The bytes of a version are gone when its own lifetime is over, and what is known of it stays; purging takes them for good."""
        for value in (b"v", LARGE):
            revision = self.put("k", value, ttl=5)
            self.put("k")
            assert self.recalled(revision, now=NOW + 4.5) == value
            assert self.recalled(revision, now=NOW + 5) is None
            assert [one.kept for one in self.versions(now=NOW + 5)][:2] == [True, False]
            assert self.db.purge(10, NOW + 5) == (1 if self.db.capabilities.durable else 0)
            assert self.recalled(revision) is None or not self.db.capabilities.durable

    def test_a_change_of_the_lifetime_is_no_version(self) -> None:
        """`expire` leaves the revision; the version that is replaced has the lifetime that it had at last."""
        revision = self.put("k")
        self.db.expire(at("k"), NOW + 9, NOW)
        assert self.told() == [("k", revision, "me", 0, 1)]
        self.put("k")
        assert self.versions()[1].expires == NOW + 9

    def test_the_pipe_cache_has_no_history(self) -> None:
        """What is there is on its way elsewhere: copied out of it or deleted, it is gone."""
        address = Address("pipe", "cache", "1_a_b")
        self.put(address, LARGE)
        self.put(address, LARGE)
        assert self.db.copy(address, at("k"), Write(), NOW, move=True)
        assert self.versions(address) == []
        assert [one.address for one in self.versions(None)] == [at("k")]

    @pytest.mark.parametrize("value", [b"v", LARGE], ids=len)
    def test_switched_off_nothing_is_kept(self, value: bytes) -> None:
        """With a `ttl` of 0, what is replaced is gone, and so is the older history of that key, which would have a gap."""
        self.put("k", value)
        first = self.put("k", value)
        self.keeping = OFF
        self.put("k", value)
        assert [one.previous for one in self.versions()] == [first]
        self.db.delete([at("k")], NOW)
        assert self.versions() == []

    def test_so_many_versions_of_a_key_are_kept(self) -> None:
        """`count` bounds those of each key by itself; the oldest go."""
        self.keeping = Keeping("me", DAY, 3, 1 << 30)
        revisions = [self.put("k", LARGE if number == 2 else b"%d" % number) for number in range(8)]
        self.put("other")
        self.put("other")
        assert [one.made.revision for one in self.versions()] == revisions[:3:-1]
        assert len(self.versions("other")) == 2

    def test_so_many_bytes_of_a_meta_are_kept(self) -> None:
        """`size` bounds values and what each version counts besides; the oldest go, whichever key they are of. Other metas have their own."""
        other = self.tenant("other")
        other.put(at("k"), Content.of(LARGE), Write(), NOW)
        other.put(at("k"), Content.of(b"v"), Write(), NOW)
        self.keeping = Keeping("me", DAY, 1000, 20 * (500 + OVERHEAD))
        for number in range(50):
            self.put(f"k{number % 10}", b"x" * 500, now=NOW + number)
        kept = [one for one in self.versions(PLACE) if one.ended]
        assert 16 <= len(kept) <= 20
        assert {one.ended.revision for one in kept} == set(range(50, 50 - len(kept), -1))  # type: ignore[union-attr]
        assert len(other.versions(at("k"), 0, ALL, NOW)) == 2

    def test_a_value_above_the_bound_leaves_word_only(self) -> None:
        """That it was there, and how large, is kept without its bytes; nothing else has to give way to it."""
        self.keeping = Keeping("me", DAY, 100, 10_000)
        small = self.put("small")
        self.put("small")
        large = self.put("k", LARGE)
        self.db.delete([at("k")], NOW)
        assert [(one.size, one.kept) for one in self.versions()] == [(len(LARGE), False)]
        assert (self.recalled(large), self.recalled(small, "small")) == (None, b"v")

    def test_versions_are_kept_for_their_time(self) -> None:
        """From `ttl` seconds after its end on a version is not seen; purging removes it, in bounded steps."""
        self.keeping = Keeping("me", 60, 1000, 1 << 30)
        revisions = [self.put("k", LARGE if number == 1 else b"v") for number in range(6)]
        assert len(self.versions(now=NOW + 59)) == 6
        assert [one.made.revision for one in self.versions(now=NOW + 60)] == revisions[-1:]
        assert self.recalled(revisions[1], now=NOW + 60) is None
        assert (self.db.purge(2, NOW + 60), self.db.purge(2, NOW + 60)) == (2, 2)
        self.put("other", now=NOW + 60)
        self.db.purge(10, NOW + 60)
        assert self.db.purge(10, NOW + 60) == 0
        assert self.value("k") == b"v"

    def test_a_place_and_a_meta_have_versions(self) -> None:
        """Those of a place begin with its prefix; the ones touched last come first, whatever the key, and `limit` and `since` cut."""
        for number, name in enumerate(("a1", "b1", "a2", "a1", "a_")):
            self.put(name, now=NOW + number)
        self.put(at("a1", "other"))
        listed = [(one.address.name, one.made.revision) for one in self.versions(Place("p", "n", "a"))]
        assert [name for name, _ in listed] == ["a_", "a1", "a1", "a2"]
        assert [one.address for one in self.versions(None)][:2] == [at("a1", "other"), at("a_")]
        assert [one.address.name for one in self.versions(PLACE, limit=2)] == ["a_", "a1"]
        assert [one.address.name for one in self.versions(PLACE, since=NOW + 3)] == ["a_", "a1", "a1"]

    @SIZES
    def test_the_way_back(self, value: bytes) -> None:
        """`revert` brings a version back with its lifetime as it was, or takes a key away, as changes that are versions too."""
        one = self.put("k", value, ttl=50)
        two = self.put("k", b"new")
        self.put("fresh")
        self.db.set_default_ttl("p", "n", 7, NOW)
        self.as_("you")
        self.db.revert([Step(at("k"), two, one), Step(at("fresh"), two + 1, 0)], NOW + 2)
        assert (self.value("k"), self.entry("k").expires, self.found("fresh")) == (value, NOW + 50, None)
        assert (self.recalled(one), self.recalled(two)) == (value, b"new")
        three, deleted = self.versions()[0].made, self.versions("fresh")[0].ended
        assert (three.actor, self.versions()[0].previous, deleted and deleted.actor) == ("you", two, "you")
        self.db.revert([Step(at("k"), three.revision, two), Step(at("fresh"), deleted.revision, two + 1)], NOW + 3)  # type: ignore[union-attr]
        assert (self.value("k"), self.value("fresh"), self.entry("k").expires) == (b"new", b"v", None)

    def test_a_way_back_that_is_barred(self) -> None:
        """Where one key was changed since, or what it held is not kept, nothing at all is changed."""
        one = self.put("k")
        two = self.put("k", b"2")
        gone = self.put("gone")
        self.db.delete([at("gone")], NOW)
        ended = self.versions("gone")[0].ended
        assert ended is not None
        good = Step(at("k"), two, one)
        for bad in (Step(at("gone"), gone, 0), Step(at("gone"), ended.revision, 12345), Step(at("none"), 1, 0), Step(at("k"), one, 0)):
            with pytest.raises(PreconditionFailed):
                self.db.revert([good, bad] if bad.address != good.address else [bad], NOW)
            assert (self.value("k"), self.found("gone"), self.entry("k").revision) == (b"2", None, two)
        self.db.revert([good, Step(at("gone"), ended.revision, gone)], NOW)
        assert (self.value("k"), self.value("gone")) == (b"v", b"v")

    def test_all_or_none_of_the_history(self) -> None:
        """A change that fails midway leaves the history as it was, the bytes of large versions too."""
        one = self.put("k", LARGE)
        self.put("k", b"v")
        before = self.told()

        def items() -> Iterator[tuple[Address, Content, None]]:
            for number in range(3000):
                yield at("k" if number % 2000 == 0 else f"n{number}"), Content.of(LARGE if number == 2000 else b"new"), None
            raise Cut

        with pytest.raises(Cut):
            self.db.load(items(), NOW)
        assert (self.told(), self.recalled(one)) == (before, LARGE)

    @pytest.mark.parametrize("value", [b"v", LARGE], ids=len)
    def test_a_purge_leaves_nothing(self, value: bytes) -> None:
        """`delete` with `purge` takes the history along, also of what is gone already; `drop` takes that alone."""
        for name in ("a", "b", "c"):
            self.put(name, value)
            self.put(name, value)
        self.db.delete([at("b")], NOW)
        assert self.db.delete([at("a"), at("b"), at("none")], NOW, purge=True) == [at("a"), at("b")]
        assert (self.versions("a"), self.versions("b"), self.found("a")) == ([], [], None)
        assert self.db.drop([at("c"), at("none"), at("a")], NOW) == [at("c")]
        assert [one.ended for one in self.versions("c")] == [None]
        assert self.value("c") == value

    @pytest.mark.parametrize("meta", ["acme-inc", "", "%"])
    def test_another_meta_has_another_history(self, meta: str) -> None:
        """What a neighbour has replaced and deleted under the same names is neither seen, nor brought back, nor dropped."""
        other = self.tenant(meta)
        revisions = [other.put(at("k"), Content.of(value), Write(), NOW) for value in (LARGE, b"theirs", b"last")]
        other.delete([at("k")], NOW)
        assert (self.versions(), self.versions(None), self.versions(PLACE)) == ([], [], [])
        assert [self.recalled(one) for one in revisions] == [None] * 3
        assert self.db.drop([at("k")], NOW) == self.db.delete([at("k")], NOW, purge=True) == []
        with pytest.raises(PreconditionFailed):
            self.db.revert([Step(at("k"), 4, revisions[0])], NOW)
        self.put("k")
        self.put("k")
        assert [found and found.read() for found in (other.recall(at("k"), one, NOW) for one in revisions)] == [LARGE, b"theirs", b"last"]
