"""Conformance: single values, their bytes, revisions and preconditions."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from prontodb.engines.failures import PreconditionFailed
from prontodb.errors import Busy
from prontodb.model import PIECE, Content, Write

from .conformance_base import LARGE, NOW, PLACE, Conformance, Cut, at, shown, writing

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = [0, 1, 511, 512, 513, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE]


def pattern(size: int) -> bytes:
    """Bytes of every kind, no two pieces the same."""
    return b"".join(b"%08d\0\xff" % number for number in range(size // 10 + 1))[:size]


def failing(size: int) -> Content:
    """Content that breaks off after one piece."""

    def pieces() -> Iterator[bytes]:
        yield b"x" * min(size, PIECE)
        raise Cut

    return Content(size, pieces)


class ValuesConformance(Conformance):
    def test_what_is_put_comes_back(self) -> None:
        """`get` gives what `put` took."""
        self.put("k", b"value")
        assert self.value("k") == b"value"

    def test_what_was_never_put_is_not_there(self) -> None:
        """`get` gives None for an absent entry, in an empty store and beside others."""
        assert self.found("k") is None
        self.put("other")
        assert self.found("k") is None
        assert self.found("k", expired=True) is None

    def test_an_overwrite_keeps_one_entry(self) -> None:
        """A second `put` replaces the first."""
        self.put("k", b"one")
        self.put("k", b"two")
        assert self.value("k") == b"two"
        assert self.names() == ["k"]

    def test_what_was_read_is_steady_until_something_is_written(self) -> None:
        """Also by somebody else, and once more for the value that is read then. An engine need not be able to tell."""
        self.put("k", b"one")
        other = self.tenant("acme")
        for value in (b"two", b"three"):
            # A file system's clock is coarse.
            time.sleep(0.02)
            assert self.value("k") not in (None, value)
            self.db.rest()
            steady = self.db.steady()
            assert steady is None or steady()
            other.put(at("k"), Content.of(value), writing(), NOW)
            other.rest()
            assert steady is None or not steady()
            assert self.value("k") == value

    def test_an_empty_value_is_a_hit(self) -> None:
        """An entry without a byte is an entry."""
        self.put("k", b"")
        assert self.value("k") == b""
        assert [(entry.size, entry.value) for entry in self.db.entries(PLACE, "", 10, NOW)] == [(0, b"")]

    def test_base_and_context_are_different_entries(self) -> None:
        """`k` and `k__prod` do not answer for each other."""
        self.put("k__prod", b"overlay")
        assert self.found("k") is None
        self.put("k", b"base")
        assert (self.value("k"), self.value("k__prod")) == (b"base", b"overlay")

    @pytest.mark.parametrize("other", [at("K"), at("k", "N"), at("k", "n", "P"), at("k", "m"), at("kk"), at("k_"), at("ḱ")], ids=str)
    def test_every_part_of_an_address_counts(self, other: object) -> None:
        """Addresses that differ in one part, or in case, are different entries."""
        self.put("k")
        assert self.db.get(other, NOW) is None  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", ["_-/@+%", "ключ", "日本__prod", "𐎀", "a" * 255, "%25", "__x"])
    def test_every_name_works(self, name: str) -> None:
        """A name may hold whatever an address may."""
        self.put(name, b"v")
        assert self.value(name) == b"v"
        assert self.names() == [name]

    @pytest.mark.parametrize("size", SIZES)
    def test_any_bytes_of_any_size_come_back(self, size: int) -> None:
        """Binary values around every boundary are stored and read unchanged."""
        data = pattern(size)
        self.put("k", data)
        assert self.value("k") == data
        assert self.entry("k").size == size

    @pytest.mark.parametrize("size", [10, 2 * PIECE + 5])
    @pytest.mark.parametrize("step", [7, 1000])
    def test_content_may_come_in_short_pieces(self, size: int, step: int) -> None:
        """Pieces need not be of `PIECE` bytes, nor of equal size, nor hold anything."""
        data = pattern(size)
        step = step if size < PIECE else step * 100
        pieces = [b"", data[:1], *(data[start : start + step] for start in range(1, size, step)), b""]
        self.db.put(at("k"), Content(size, lambda: iter(pieces)), Write(), NOW)
        assert self.value("k") == data

    def test_a_large_value_is_given_in_pieces(self) -> None:
        """No piece is longer than `PIECE`."""
        self.put("k", LARGE)
        found = self.found("k")
        assert found is not None
        assert max(len(piece) for piece in found.pieces) <= PIECE

    def test_sizes_replace_each_other(self) -> None:
        """Small over large over small, each read as it is."""
        for data in (b"small", LARGE, b"", LARGE[:PIECE], pattern(600), b"last"):
            self.put("k", data)
            assert self.value("k") == data

    def test_a_value_not_read_to_its_end_holds_nothing_back(self) -> None:
        """Whoever drops a large value, read or not, sees what is written after."""
        self.put("k", LARGE)
        self.put("other", b"before")
        unread, begun = self.found("k"), self.found("k")
        assert begun is not None
        next(begun.pieces)
        self.put("other", b"after")
        assert self.value("other") == b"after"
        del unread, begun
        self.put("k", b"small")
        assert self.value("k") == b"small"

    def test_pieces_are_of_one_revision(self) -> None:
        """A value that is replaced or deleted while it is read: the old one to its end, or `Busy`, never a mixture."""
        for change in (lambda: self.put("k", LARGE[::-1]), lambda: self.db.delete([at("k")], NOW)):
            self.put("k", LARGE)
            found = self.found("k")
            assert found is not None
            read = next(found.pieces)
            change()
            try:
                assert read + found.read() == LARGE
            except Busy:
                pass

    def test_two_large_values_can_be_read_at_once(self) -> None:
        """Reading one does not disturb the other."""
        self.put("a", LARGE)
        self.put("b", LARGE[::-1])
        first, second = self.found("a"), self.found("b")
        assert first is not None
        assert second is not None
        pairs = list(zip(first.pieces, second.pieces, strict=True))
        assert b"".join(pair[0] for pair in pairs) == LARGE
        assert b"".join(pair[1] for pair in pairs) == LARGE[::-1]

    @pytest.mark.parametrize("size", [100, 2 * PIECE])
    def test_content_that_fails_changes_nothing(self, size: int) -> None:
        """A `put` whose content raises leaves the old value, its revision and its lifetime."""
        for old in (b"old", LARGE):
            revision = self.put("k", old, ttl=50)
            with pytest.raises(Cut):
                self.db.put(at("k"), failing(size), Write(), NOW)
            assert (self.value("k"), self.entry("k").revision, self.entry("k").expires) == (old, revision, NOW + 50)
        with pytest.raises(Cut):
            self.db.put(at("new"), failing(size), Write(), NOW)
        assert self.names() == ["k"]

    def test_absent_puts_where_nothing_stands(self) -> None:
        """`absent` stores a first value and refuses a second one, which changes nothing."""
        revision = self.put("k", b"first", absent=True)
        with pytest.raises(PreconditionFailed) as caught:
            self.put("k", b"second", absent=True)
        assert caught.value.address == "p.n.k"
        assert (self.value("k"), self.entry("k").revision) == (b"first", revision)

    def test_revision_puts_over_that_revision_only(self) -> None:
        """`revision` stores over the revision it names, and over no other."""
        first = self.put("k", LARGE)
        second = self.put("k", LARGE[::-1], revision=first)
        for wrong in (first, second + 1, 0):
            with pytest.raises(PreconditionFailed):
                self.put("k", b"wrong", revision=wrong)
        assert (self.value("k"), self.entry("k").revision) == (LARGE[::-1], second)

    def test_the_revision_of_a_missing_entry_is_0(self) -> None:
        """`revision=0` stores where nothing stands; any other number does not."""
        with pytest.raises(PreconditionFailed):
            self.put("k", revision=1)
        assert self.found("k") is None
        self.put("k", revision=0)
        assert self.value("k") == b"v"

    def test_revisions_only_grow(self) -> None:
        """Each write gets a higher revision, also after its entry was deleted and made anew."""
        given = [self.put("k"), self.put("other"), self.put("k")]
        self.db.delete([at("k")], NOW)
        given.append(self.put("k"))
        self.db.delete([at("k"), at("other")], NOW)
        given.append(self.put("other"))
        assert given == sorted(set(given))
        assert given[0] > 0
        assert self.entry("other").revision == given[-1]

    def test_a_note_stays_with_its_value(self) -> None:
        """`note` comes back with the entry, and goes when the value is replaced."""
        for value in (b"v", LARGE):
            self.put("k", value, note=b"why\n\xff")
            assert self.entry("k").note == b"why\n\xff"
            assert self.db.entries(PLACE, "", 10, NOW)[0].note == b"why\n\xff"
            self.put("k", value)
            assert self.entry("k").note == b""

    def test_many_are_read_as_of_one_moment(self) -> None:
        """`get_many` gives those that are there by address, each as `entries` tells it; twice asked is once given."""
        self.put("a", b"one", ttl=5, note=b"note")
        self.put("b", LARGE)
        self.put(at("a", "other"), b"elsewhere")
        self.put("gone", ttl=1)
        asked = [at("b"), at("missing"), at("a"), at("a"), at("gone"), at("a", "other"), at("b", "other")]
        found = self.db.get_many(iter(asked), NOW + 1)
        assert set(found) == {at("a"), at("b"), at("a", "other")}
        listed = {entry.name: shown(entry) for entry in self.db.entries(PLACE, "", 10, NOW + 1)}
        assert {name: shown(found[at(name)]) for name in ("a", "b")} == listed
        assert found[at("a", "other")].value == b"elsewhere"
        assert self.db.get_many([], NOW) == {}
        found[at("a")].value = b"changed"
        assert self.value("a") == b"one"

    def test_what_moves_between_two_addresses_is_always_seen(self) -> None:
        """While an entry goes back and forth between two addresses, `get_many` of both finds exactly one of them."""
        if not self.db.capabilities.durable:
            pytest.skip("made for one thread")
        self.put("a")
        mover = self.tenant("acme")
        done = threading.Event()

        def move() -> None:
            source, target = at("a"), at("b")
            while not done.is_set():
                mover.copy(source, target, Write(), NOW, move=True)
                source, target = target, source

        thread = threading.Thread(target=move)
        thread.start()
        try:
            seen = [len(self.db.get_many([at("a"), at("b")], NOW)) for _ in range(200)]
        finally:
            done.set()
            thread.join()
        assert seen == [1] * 200
