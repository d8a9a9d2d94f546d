"""Conformance: how long entries live, and that nothing sees them after."""

from __future__ import annotations

import pytest

from prontodb.engines.failures import PreconditionFailed
from prontodb.model import FOREVER, INHERIT, PIECE, Content

from .conformance_base import LARGE, NOW, PLACE, Conformance, at, writing

END = NOW + 10
"""When the entries of these tests end."""


class LifetimesConformance(Conformance):
    @pytest.mark.parametrize(
        ("default", "ttl", "expires", "ends"),
        [
            (None, INHERIT, None, None),
            (None, FOREVER, None, None),
            (None, 5, None, NOW + 5),
            (60, INHERIT, None, NOW + 60),
            (60, FOREVER, None, None),
            (60, 5, None, NOW + 5),
            (None, 5, NOW + 7, NOW + 7),
            (60, INHERIT, NOW + 7, NOW + 7),
            (60, FOREVER, NOW + 7, NOW + 7),
        ],
    )
    def test_when_an_entry_ends(self, default: int | None, ttl: int | None, expires: int | None, ends: int | None) -> None:
        """`expires` wins over `ttl`, which wins over the namespace's default; FOREVER is none at all."""
        if default:
            self.db.set_default_ttl("p", "n", default, NOW)
        self.put("k", ttl=ttl, expires=expires)
        self.put("copied", ttl=FOREVER)
        assert self.entry("k").expires == ends
        self.db.copy(at("copied"), at("target"), writing(ttl, expires=expires), NOW)
        assert self.entry("target").expires == ends

    def test_an_entry_lives_until_the_second_before_its_end(self) -> None:
        """One second before `expires` an entry is whole, at `expires` it is gone."""
        self.put("k", expires=END)
        assert self.value("k", END - 1) == b"v"
        assert self.found("k", END) is None
        assert self.found("k", END + 1) is None

    def test_a_lifetime_is_never_cut_short_by_a_part_of_a_second(self) -> None:
        """Written late within a second, an entry still lives for all of its seconds, and for less than one more."""
        self.db.set_default_ttl("p", "n", 1, NOW)
        self.db.put(at("own"), Content.of(b"v"), writing(1), NOW + 0.9)
        self.db.put(at("default"), Content.of(b"v"), writing(), NOW + 0.9)
        for key in ("own", "default"):
            assert self.found(key, NOW + 1.9) is not None
            assert self.found(key, NOW + 2) is None

    def test_listings_do_not_show_what_has_expired(self) -> None:
        """`names`, `entries` and `spaces` leave it out from that second on."""
        self.put("k", expires=END)
        for now, seen in ((END - 1, 1), (END, 0)):
            assert len(self.names(now=now)) == seen
            assert len(self.db.entries(PLACE, "", 10, now)) == seen
            assert len(self.spaces(now)) == seen

    def test_no_change_finds_what_has_expired(self) -> None:
        """`delete`, `copy`, `move` and `expire` have nothing to work on, and the target of a copy stays."""
        self.put("k", expires=END)
        self.put("target", b"old")
        assert self.db.delete([at("k")], END) == []
        assert not self.db.copy(at("k"), at("target"), writing(), END)
        assert not self.db.copy(at("k"), at("target"), writing(), END, move=True)
        assert not self.db.expire(at("k"), END + 100, END)
        assert not self.db.expire(at("k"), None, END)
        assert (self.found("k", END), self.value("target", END)) == (None, b"old")

    def test_what_has_expired_is_no_precondition(self) -> None:
        """Over an expired entry, `absent` and `revision=0` store, and its own revision does not."""
        revision = self.put("k", LARGE, expires=END)
        with pytest.raises(PreconditionFailed):
            self.put("k", revision=revision, now=END)
        self.put("k", b"new", absent=True, now=END)
        assert self.value("k", END) == b"new"
        self.put("other", expires=END)
        self.put("other", b"new", revision=0, now=END)
        assert self.value("other", END) == b"new"

    def test_counting_begins_anew_after_the_end(self) -> None:
        """`increment` takes an expired number for 0, and gives the lifetime of a new entry."""
        self.put("k", b"41", expires=END)
        assert self.db.increment(at("k"), 1, END - 1) == 42
        assert self.db.increment(at("k"), 1, END) == 1
        assert self.entry("k", END).expires is None

    def test_a_fresh_value_is_not_hidden_by_an_expired_one(self) -> None:
        """In a namespace with a default lifetime, what is stored after an end is there for its own lifetime."""
        self.db.set_default_ttl("p", "n", 5, NOW)
        for value in (b"old", LARGE, b"new"):
            self.put("k", value)
            self.put("k", b"fresh" + value, now=NOW + 6)
            assert self.value("k", NOW + 7) == b"fresh" + value
            assert self.value("k", NOW + 10) == b"fresh" + value
            assert self.names(now=NOW + 10) == ["k"]
            assert self.found("k", NOW + 11) is None

    def test_what_has_expired_can_be_asked_for(self) -> None:
        """`expired=True` gives what was not removed yet, and what lives."""
        self.put("small", b"v", expires=END)
        self.put("large", LARGE, expires=END)
        self.put("live")
        assert self.found("small", END) is None
        assert self.value("small", END + 100, expired=True) == b"v"
        assert self.value("large", END + 100, expired=True) == LARGE
        assert self.value("live", END + 100, expired=True) == b"v"

    def test_an_end_can_be_set_and_unset(self) -> None:
        """`expire` changes when an entry ends and nothing else of it."""
        for value in (b"v", LARGE):
            revision = self.put("k", value, note=b"note")
            for end in (END, END + 5, None):
                assert self.db.expire(at("k"), end, NOW)
                entry = self.entry("k")
                assert (entry.expires, entry.revision, entry.note, self.value("k")) == (end, revision, b"note", value)

    def test_an_end_that_is_here_is_an_end(self) -> None:
        """`expire` to now or before ends the entry at once."""
        self.put("k")
        assert self.db.expire(at("k"), NOW, NOW)
        assert self.found("k") is None

    def test_nothing_ends_what_is_not_there(self) -> None:
        """`expire` is False for a missing entry and makes none."""
        self.put("other")
        assert not self.db.expire(at("k"), END, NOW)
        assert self.names() == ["other"]

    def test_a_default_is_for_what_is_stored_from_then_on(self) -> None:
        """Giving, changing or ending a default lifetime leaves what is stored as it is."""
        self.put("before")
        assert self.db.set_default_ttl("p", "n", 60, NOW)
        self.put("during")
        assert self.db.set_default_ttl("p", "n", 30, NOW)
        self.put("changed")
        assert self.db.set_default_ttl("p", "n", None, NOW)
        self.put("after")
        ends = {name: self.entry(name).expires for name in self.names()}
        assert ends == {"before": None, "during": NOW + 60, "changed": NOW + 30, "after": None}

    def test_a_default_is_for_its_namespace_only(self) -> None:
        """Neighbours of the same project, and of the same name in another, have no part in it."""
        self.db.set_default_ttl("p", "n", 60, NOW)
        for other in (at("k", "n2"), at("k", "n", "p2")):
            self.put(other)
            assert self.entry(other).expires is None

    def test_caches_are_the_namespaces_with_a_default(self) -> None:
        """`caches` lists them in order, empty ones too, until the default ends; `spaces` tells it of those that hold something."""
        assert self.caches() == []
        assert not self.db.set_default_ttl("p", "n", None, NOW)
        for namespace, ttl in (("n", 60), ("a", 5), ("N", 7)):
            self.db.set_default_ttl("p", namespace, ttl, NOW)
        assert self.caches() == [("p", "N", 7), ("p", "a", 5), ("p", "n", 60)]
        assert self.spaces() == []
        self.put("k")
        assert self.spaces() == [("p", "n", 60)]
        assert self.db.set_default_ttl("p", "n", None, NOW)
        assert not self.db.set_default_ttl("p", "n", None, NOW)
        assert self.caches() == [("p", "N", 7), ("p", "a", 5)]
        assert self.spaces() == [("p", "n", None)]

    def test_purge_removes_no_more_than_its_limit(self) -> None:
        """`purge` removes what has expired, at most `limit` at a time, and says how many."""
        for number in range(5):
            self.put(f"k{number}", expires=END)
        self.put("live", expires=END + 1)
        self.put("forever")
        assert self.db.purge(10, END - 1) == 0
        assert [self.db.purge(2, END) for _ in range(4)] == [2, 2, 1, 0]
        assert all(self.found(f"k{number}", END, expired=True) is None for number in range(5))
        assert self.names(now=END) == ["forever", "live"]

    def test_purge_removes_large_values(self) -> None:
        """A large value goes with its entry, and leaves the living ones whole."""
        self.put("gone", LARGE, expires=END)
        self.put("live", LARGE)
        assert self.db.purge(10, END) == 1
        assert self.found("gone", END, expired=True) is None
        self.put("gone", LARGE[:PIECE], now=END)
        assert (self.value("live", END), self.value("gone", END)) == (LARGE, LARGE[:PIECE])

    def test_purging_nothing_is_nothing(self) -> None:
        """An empty store has nothing to remove."""
        assert self.db.purge(10, NOW) == 0
