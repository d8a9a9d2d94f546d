"""Conformance: changes of several entries, or from one entry to another, each in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from prontodb.engines.failures import PreconditionFailed
from prontodb.model import FOREVER, SECRET, Content, Write

from .conformance_base import LARGE, NOW, PLACE, Conformance, Cut, at, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prontodb.address import Address

    Item = tuple[Address, Content]


def item(name: str, value: bytes = b"new") -> Item:
    """One of the items that `put_many` takes."""
    return at(name), Content.of(value)


def secret(marked: bool) -> Write:
    """A `Write` that says whether it is one."""
    write = Write()
    write.secret = marked
    return write


class ChangesConformance(Conformance):
    def test_many_are_put_at_once(self) -> None:
        """`put_many` stores all, whatever their sizes and places, with one `Write`, and says how many."""
        items = [item("a"), item("b", LARGE), (at("c", "other"), Content.of(b""))]
        assert self.db.put_many(iter(items), Write(5), NOW) == 3
        assert (self.value("a"), self.value("b"), self.value(at("c", "other"))) == (b"new", LARGE, b"")
        assert {self.entry(address).expires for address, _ in items} == {NOW + 5}

    def test_putting_none_is_nothing(self) -> None:
        """`put_many` of no items stores none."""
        assert self.db.put_many([], Write(), NOW) == 0
        assert self.spaces() == []

    def test_of_equal_addresses_the_last_counts(self) -> None:
        """An address that comes twice is stored once."""
        assert self.db.put_many([item("k", b"1"), item("j", b"2"), item("k", b"3")], Write(), NOW) == 2
        assert (self.value("k"), self.value("j")) == (b"3", b"2")

    def test_all_or_none_where_the_items_fail(self) -> None:
        """Items that raise midway leave everything as it was: values, revisions, new names."""
        revision = self.put("k", b"old")

        def items() -> Iterator[Item]:
            yield item("k")
            yield item("large", LARGE)
            yield (at("x", "elsewhere"), Content.of(b""))
            raise Cut

        with pytest.raises(Cut):
            self.db.put_many(items(), Write(), NOW)
        assert (self.value("k"), self.names()) == (b"old", ["k"])
        assert self.spaces() == [("p", "n", None)]
        assert self.put("k", revision=revision) > revision

    @pytest.mark.parametrize("write", [writing(absent=True), writing(revision=0)])
    def test_all_or_none_where_a_precondition_fails(self, write: Write) -> None:
        """One item that may not be stored keeps the others out."""
        self.put("taken", b"old")
        with pytest.raises(PreconditionFailed):
            self.db.put_many([item("a"), item("taken"), item("z")], write, NOW)
        assert (self.value("taken"), self.names()) == (b"old", ["taken"])

    def test_a_load_stores_each_with_its_lifetime(self) -> None:
        """`load` stores all, whatever their sizes and places, each with its own lifetime, and says how many were given."""
        self.db.set_default_ttl("p", "other", 9, NOW)
        lives = [("a", "n", 5), ("b", "n", FOREVER), ("c", "n", None), ("d", "other", None), ("e", "other", FOREVER), ("f", "other", 5)]
        items = [(at(name, space), Content.of(LARGE if name == "b" else name.encode()), ttl) for name, space, ttl in lives]
        assert self.db.load(iter(items), NOW) == 6
        assert [self.entry(address).expires for address, _, _ in items] == [NOW + 5, None, None, NOW + 9, None, NOW + 5]
        assert (self.value("a"), self.value("b")) == (b"a", LARGE)
        assert self.db.load([], NOW) == 0

    def test_a_load_of_many_keeps_their_order(self) -> None:
        """Of equal addresses the last one counts, near or far apart, small or large; revisions only ever grow."""
        before = self.put("k", LARGE)
        values = [b"%d" % number for number in range(2000)]
        items = [(at(name), Content.of(value), None) for value in values for name in ("k", f"n{value[-1:].decode()}")]
        items += [(at("big"), Content.of(value), None) for value in (LARGE, b"small", LARGE + b"2", LARGE)]
        assert self.db.load(iter(items), NOW) == 4004
        assert (self.value("k"), self.value("n7"), self.value("big")) == (b"1999", b"1997", LARGE)
        revisions = [self.entry(at(name)).revision for name in self.names()]
        assert len(set(revisions)) == len(revisions)
        assert min(revisions) > before
        assert self.put("later") > max(revisions)

    def test_a_load_that_fails_leaves_everything_as_it_was(self) -> None:
        """Items that raise midway store nothing, also where a page of them is written already."""
        revision = self.put("k", LARGE)

        def items() -> Iterator[tuple[Address, Content, None]]:
            for number in range(3000):
                yield at(f"k{number}"), Content.of(b"v"), None
            yield at("k"), Content.of(LARGE), None
            raise Cut

        with pytest.raises(Cut):
            self.db.load(items(), NOW)
        assert (self.value("k"), self.names()) == (LARGE, ["k"])
        assert self.put("k", revision=revision) > revision

    def test_deleting_tells_which_were_there(self) -> None:
        """`delete` removes all that are there and gives those back, each once, in the order asked."""
        for name in ("a", "b", "c", "k__x"):
            self.put(name, LARGE if name == "b" else b"v")
        asked = [at("c"), at("missing"), at("b"), at("c"), at("k")]
        assert self.db.delete(iter(asked), NOW) == [at("c"), at("b")]
        assert self.names() == ["a", "k__x"]
        assert self.db.delete(asked, NOW) == []

    def test_deleting_from_nothing_is_nothing(self) -> None:
        """An empty store has nothing to delete, and no address is no deletion."""
        assert self.db.delete([at("k")], NOW) == []
        assert self.db.delete([], NOW) == []

    def test_deleting_is_one_step(self) -> None:
        """Addresses that raise midway: nothing is deleted."""
        self.put("k")

        def addresses() -> Iterator[Address]:
            yield at("k")
            raise Cut

        with pytest.raises(Cut):
            self.db.delete(addresses(), NOW)
        assert self.value("k") == b"v"

    @pytest.mark.parametrize("value", [b"", b"v", LARGE], ids=len)
    def test_a_copy_keeps_its_source(self, value: bytes) -> None:
        """`copy` gives the target the value under a revision of its own; both can then be changed apart."""
        source = self.put("a", value)
        assert self.db.copy(at("a"), at("b", "other"), Write(), NOW)
        target = at("b", "other")
        assert (self.value("a"), self.value(target)) == (value, value)
        assert self.entry("a").revision == source
        assert self.entry(target).revision > source
        self.db.delete([at("a")], NOW)
        assert self.value(target) == value

    @pytest.mark.parametrize("old", [b"", b"old", LARGE], ids=len)
    def test_a_copy_replaces_its_target(self, old: bytes) -> None:
        """What stood at the target is gone, its lifetime and note too."""
        self.put("b", old, ttl=5, note=b"note")
        for value in (b"v", LARGE[::-1]):
            self.put("a", value)
            assert self.db.copy(at("a"), at("b"), Write(), NOW)
            assert (self.value("b"), self.entry("b").expires, self.entry("b").note) == (value, None, b"")
            assert self.names() == ["a", "b"]

    @pytest.mark.parametrize("value", [b"v", LARGE], ids=len)
    @pytest.mark.parametrize("move", [False, True])
    def test_a_secret_stays_one_where_it_goes(self, value: bytes, move: bool) -> None:
        """Of a note, `copy` takes the mark of a secret along and nothing else; `Write.secret` puts one."""
        self.put("a", value, note=SECRET + b"reason")
        assert self.db.copy(at("a"), at("b"), Write(), NOW, move=move)
        assert (self.value("b"), self.entry("b").note) == (value, SECRET)
        self.put("plain", value)
        assert self.db.copy(at("plain"), at("c"), secret(True), NOW, move=move)
        assert self.entry("c").note == SECRET

    @pytest.mark.parametrize("value", [b"v", LARGE], ids=len)
    def test_what_is_written_over_a_secret_is_one(self, value: bytes) -> None:
        """Every verb that writes over a live secret keeps its mark, whatever the size; `Write.secret` False takes it away."""
        self.put("plain", value)
        changes: list[Callable[[], object]] = [
            lambda: self.put("k", value),
            lambda: self.db.put_many([item("k", value)], Write(), NOW),
            lambda: self.db.load([(at("k"), Content.of(value), None)], NOW),
            lambda: self.db.load([(at("k"), Content.of(old), None) for old in (value, b"2", value)], NOW),
            lambda: self.db.copy(at("plain"), at("k"), Write(), NOW),
        ]
        for change in changes:
            for old in (b"old", LARGE):
                self.db.put(at("k"), Content.of(old), secret(True), NOW)
                change()
                assert (self.value("k"), self.entry("k").note) == (value, SECRET)
                assert [entry.note for entry in self.db.entries(PLACE, "", 9, NOW)] == [SECRET, b""]
        assert self.entry("plain").note == b""
        self.db.put(at("k"), Content.of(value), secret(False), NOW)
        assert self.entry("k").note == b""
        self.put("count", b"1", note=SECRET)
        self.db.increment(at("count"), 1, NOW)
        assert self.entry("count").note == SECRET

    def test_a_secret_that_has_expired_leaves_nothing(self) -> None:
        """What does not exist any more has no say, though it was not removed yet."""
        for change in (
            lambda: self.put("k", now=NOW + 9),
            lambda: self.db.load([(at("k"), Content.of(b"v"), None)], NOW + 9),
            lambda: self.db.put_many([item("k")], Write(), NOW + 9),
        ):
            self.put("k", ttl=1, note=SECRET)
            change()
            assert self.entry("k", NOW + 9).note == b""

    @pytest.mark.parametrize("value", [b"v", LARGE], ids=len)
    def test_of_many_each_may_be_a_secret(self, value: bytes) -> None:
        """`Content.secret` marks one of several that share a write; of equal addresses, one that was a secret makes the last one too."""
        hidden = Content.of(value)
        hidden.secret = True
        self.db.load([(at("a"), hidden, None), (at("b"), Content.of(value), None), (at("a"), Content.of(value), None)], NOW)
        assert (self.entry("a").note, self.entry("b").note) == (SECRET, b"")
        self.db.put_many([(at("c"), hidden), item("d")], Write(), NOW)
        assert (self.entry("c").note, self.entry("d").note) == (SECRET, b"")
        assert self.value("c") == value

    @pytest.mark.parametrize("value", [b"v", LARGE], ids=len)
    def test_a_move_removes_its_source(self, value: bytes) -> None:
        """With `move` the source is gone once the target is there."""
        self.put("a", value)
        self.put("b", b"old")
        assert self.db.copy(at("a"), at("b"), Write(), NOW, move=True)
        assert (self.found("a"), self.value("b")) == (None, value)
        assert self.names() == ["b"]

    def test_a_missing_source_changes_nothing(self) -> None:
        """`copy` and `move` are False, and the target stays."""
        assert not self.db.copy(at("a"), at("b"), Write(), NOW)
        self.put("b", b"old")
        assert not self.db.copy(at("a"), at("b"), Write(), NOW)
        assert not self.db.copy(at("a"), at("b"), Write(), NOW, move=True)
        assert (self.value("b"), self.names()) == (b"old", ["b"])

    @pytest.mark.parametrize("move", [False, True])
    def test_a_copy_keeps_to_its_preconditions(self, move: bool) -> None:
        """A target that stands in the way keeps its value, and the source stays."""
        self.put("a", LARGE)
        self.put("b", b"old")
        for write in (writing(absent=True), writing(revision=99)):
            with pytest.raises(PreconditionFailed):
                self.db.copy(at("a"), at("b"), write, NOW, move=move)
        assert (self.value("a"), self.value("b")) == (LARGE, b"old")

    def test_a_copy_may_keep_the_lifetime(self) -> None:
        """With `keep` the target ends when the source does, whatever `write` and the namespace say."""
        self.db.set_default_ttl("p", "n", 60, NOW)
        self.put("ending", ttl=5)
        self.put("endless", ttl=FOREVER)
        for write in (Write(), Write(30), writing(expires=NOW + 7)):
            for source, end in (("ending", NOW + 5), ("endless", None)):
                self.db.copy(at(source), at("target"), write, NOW + 1, keep=True)
                assert self.entry("target", NOW + 1).expires == end
        self.db.copy(at("ending"), at("target"), Write(), NOW + 1)
        assert self.entry("target", NOW + 1).expires == NOW + 61

    @pytest.mark.parametrize("value", [b"v", LARGE], ids=len)
    @pytest.mark.parametrize("move", [False, True])
    def test_a_copy_onto_itself_loses_nothing(self, value: bytes, move: bool) -> None:
        """Source and target may be one entry, which keeps its value."""
        self.put("k", value)
        assert self.db.copy(at("k"), at("k"), Write(), NOW, move=move)
        assert self.value("k") == value

    def test_counting_starts_at_0(self) -> None:
        """`increment` makes a missing entry and gives the new value, which `get` sees as decimal text."""
        assert [self.db.increment(at("k"), by, NOW) for by in (1, 41, -50, 0)] == [1, 42, -8, -8]
        assert self.value("k") == b"-8"

    @pytest.mark.parametrize(("text", "result"), [(b"41", 42), (b"-1", 0), (b"007", 8), (b" 5\n", 6), (b"9223372036854775806", 2**63 - 1)])
    def test_decimal_integers_count(self, text: bytes, result: int) -> None:
        """White space around a number, such as the newline of `echo`, does not matter."""
        self.put("k", text)
        assert self.db.increment(at("k"), 1, NOW) == result

    @pytest.mark.parametrize(
        "value", [b"", b"x", b"1.5", b"1 2", b"1_000", b"0x10", b"--1", b"+-1", b"-", "٣".encode(), b"1" * 600], ids=str
    )
    def test_what_is_no_integer_is_left_alone(self, value: bytes) -> None:
        """`increment` refuses anything else and changes nothing."""
        revision = self.put("k", value)
        with pytest.raises(PreconditionFailed):
            self.db.increment(at("k"), 1, NOW)
        assert (self.value("k"), self.entry("k").revision) == (value, revision)

    def test_counting_keeps_the_lifetime(self) -> None:
        """An entry that ends still ends then, one that does not, does not; a new one gets the namespace's default."""
        self.put("ending", b"1", ttl=5)
        self.put("endless", b"1")
        self.db.set_default_ttl("p", "n", 60, NOW)
        for name, end in (("ending", NOW + 5), ("endless", None), ("new", NOW + 63)):
            before = self.found(name)
            self.db.increment(at(name), 1, NOW + 3)
            assert self.entry(name, NOW + 3).expires == end
            assert before is None or self.entry(name, NOW + 3).revision > before.entry.revision
