"""Conformance: names, entries and namespaces, in byte order, a page at a time."""

from __future__ import annotations

import pytest

from prontodb.address import Place

from .conformance_base import LARGE, NOW, PLACE, Conformance, at, shown

UNICODE = ["Z", "_", "a", "a%", "a-", "a__x", "aa", "z", "ß", "ä", "é", "ключ", "日本", "ﬁ", "𐎀", "𱍊"]
"""In byte order of UTF-8, which is not that of UTF-16 (the last two) nor of any language."""


class ListingsConformance(Conformance):
    def test_nothing_lists_as_nothing(self) -> None:
        """An empty store, an empty namespace and an unknown prefix have no names, entries or namespaces."""
        assert (self.names(), self.db.entries(PLACE, "", 10, NOW), self.spaces()) == ([], [], [])
        self.put(at("k", "other"))
        self.put("k")
        self.db.delete([at("k")], NOW)
        assert (self.names(), self.db.entries(PLACE, "", 10, NOW)) == ([], [])
        assert self.spaces() == [("p", "other", None)]

    def test_names_are_in_byte_order(self) -> None:
        """The order is that of the UTF-8 bytes, whatever order they came in."""
        for name in reversed(UNICODE):
            self.put(name)
        assert self.names() == UNICODE
        assert sorted(UNICODE, key=str.encode) == UNICODE
        assert [entry.name for entry in self.db.entries(PLACE, "", 100, NOW)] == UNICODE

    @pytest.mark.parametrize("limit", [1, 3, 100])
    def test_pages_join_to_the_whole(self, limit: int) -> None:
        """Asking for what follows the last name of each page gives every name once."""
        for name in UNICODE:
            self.put(name)
        read: list[str] = []
        while page := self.names(after=read[-1] if read else "", limit=limit):
            assert len(page) <= limit
            read += page
        assert read == UNICODE

    def test_entries_are_paged_like_names(self) -> None:
        """`entries` takes the same prefix, `after` and `limit`."""
        for name in ("a", "b1", "b2", "b3", "b4", "c"):
            self.put(name)
        assert [entry.name for entry in self.db.entries(Place("p", "n", "b"), "b1", 2, NOW)] == ["b2", "b3"]

    def test_a_page_may_follow_a_name_that_is_gone(self) -> None:
        """`after` need not be the name of an entry."""
        for name in ("a", "c"):
            self.put(name)
        assert self.names(after="b") == ["c"]
        assert self.names(after="zz") == []

    def test_a_prefix_holds_whatever_the_page(self) -> None:
        """A name `after` that comes before the prefix does not let others in, and one behind it ends the list."""
        for name in ("a", "b", "c1", "c2", "d"):
            self.put(name)
        assert self.names("c", after="a") == ["c1", "c2"]
        assert self.names("c", after="c1") == ["c2"]
        assert self.names("c", after="d") == []

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("a_", ["a_", "a_b"]),
            ("a", ["a%b", "a_", "a_b", "axb", "a𱍊"]),
            ("A", ["A_b"]),
            ("%", ["%"]),
            ("a%", ["a%b"]),
            ("é", ["é", "é1"]),
            ("axb", ["axb"]),
            ("axbc", []),
        ],
    )
    def test_a_prefix_is_bytes_and_no_pattern(self, prefix: str, expected: list[str]) -> None:
        """`_` and `%` stand for themselves, and case counts."""
        for name in ("%", "A_b", "a%b", "a_", "a_b", "axb", "a𱍊", "é", "é1", "è", "e"):
            self.put(name)
        assert self.names(prefix) == expected
        assert [entry.name for entry in self.db.entries(Place("p", "n", prefix), "", 100, NOW)] == expected

    def test_a_place_is_one_namespace(self) -> None:
        """Names of other namespaces and projects, also of longer or differently cased names, do not show."""
        self.put("k")
        for other in (at("o", "n2"), at("o", "N"), at("o", "n", "p2"), at("o", "p", "n"), at("o", "n_"), at("o", "nn", "P")):
            self.put(other)
        assert self.names() == ["k"]

    def test_what_has_expired_takes_no_room_on_a_page(self) -> None:
        """A limit counts live entries, so a page that is short is the last one."""
        for number in range(20):
            self.put(f"a{number:02}", ttl=5)
        self.put("b")
        self.put("c")
        assert self.names(limit=2, now=NOW + 5) == ["b", "c"]
        assert len(self.db.entries(PLACE, "", 2, NOW + 5)) == 2

    def test_entries_tell_what_get_tells(self) -> None:
        """Name, size, revision, end and note are the same; a small value is there, a large one left out."""
        self.put("a", b"small", ttl=5, note=b"note")
        self.put("b", LARGE, ttl=7)
        entries = self.db.entries(PLACE, "", 10, NOW)
        assert [entry.value for entry in entries] == [b"small", None]
        for entry in entries:
            found = self.found(entry.name)
            assert found is not None
            found.entry.value = entry.value
            assert shown(found.entry) == shown(entry)
        assert (entries[1].size, entries[1].expires) == (len(LARGE), NOW + 7)

    def test_an_entry_is_the_callers_own(self) -> None:
        """Changing what a listing or `get` handed out changes nothing in the store."""
        self.put("k", b"v")
        for entry in (self.entry("k"), *self.db.entries(PLACE, "", 10, NOW)):
            entry.value, entry.expires, entry.note, entry.size = b"changed", NOW, b"changed", 0
        assert (self.value("k"), self.entry("k").size, self.entry("k").note) == (b"v", 1, b"")

    def test_contexts_are_names(self) -> None:
        """An overlay shows up under its own name, behind its base."""
        for name in ("k__prod", "k", "k__dev"):
            self.put(name)
        assert self.names() == ["k", "k__dev", "k__prod"]

    def test_namespaces_are_in_order(self) -> None:
        """`spaces` gives each namespace that holds something once, by project and then namespace, in byte order."""
        for project, namespace in (("p", "n"), ("p", "é"), ("p", "Z"), ("P", "z"), ("p2", "a"), ("é", "a"), ("p", "n")):
            self.put(at("k", namespace, project))
            self.put(at("j", namespace, project))
        expected = [("P", "z"), ("p", "Z"), ("p", "n"), ("p", "é"), ("p2", "a"), ("é", "a")]
        assert self.spaces() == [(*pair, None) for pair in expected]
