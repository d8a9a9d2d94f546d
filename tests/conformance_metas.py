"""Conformance: two metas on one store see nothing of each other, in any verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from prontodb.engines.failures import PreconditionFailed
from prontodb.model import Content, Write

from .conformance_base import LARGE, NOW, PLACE, Conformance, at, writing

if TYPE_CHECKING:
    from prontodb.engines.base import Engine

NEIGHBOURS = ["acme-inc", "acm", "ACME", "", "acme.p", "%", "acme\0", "é"]
"""What may stand beside the meta `acme`: longer, shorter, in another case, none at all, patterns."""


beside_each = pytest.mark.parametrize("meta", NEIGHBOURS)


class MetasConformance(Conformance):
    def neighbour(self, meta: str) -> Engine:
        """The engine of another meta, which holds the same addresses with values of its own, and more."""
        other = self.tenant(meta)
        for name, value in (("k", b"theirs"), ("large", LARGE), ("number", b"7"), ("only", b"theirs")):
            other.put(at(name), Content.of(value), Write(100), NOW)
        other.put(at("k", "theirs"), Content.of(b"theirs"), Write(), NOW)
        other.set_default_ttl("p", "n", 77, NOW)
        return other

    def state(self, other: Engine) -> list[object]:
        """All that a neighbour holds."""
        addresses = [at("k"), at("large"), at("number"), at("only"), at("k", "theirs")]
        found = [other.get(address, NOW) for address in addresses]
        spaces = [(space.project, space.namespace, space.ttl) for space in (*other.spaces(NOW), *other.caches())]
        entries = [item and (item.entry.revision, item.entry.expires, item.read()) for item in found]
        return [spaces, entries, other.names(PLACE, "", 100, NOW)]

    @beside_each
    def test_nothing_of_theirs_can_be_read(self, meta: str) -> None:
        """`get`, `names`, `entries`, `spaces` and `caches` are empty beside a neighbour that is full."""
        self.neighbour(meta)
        assert [self.found(name) for name in ("k", "large", "number", "only")] == [None] * 4
        assert self.found("k", NOW + 200, expired=True) is None
        assert self.db.get_many([at("k"), at("large")], NOW) == {}
        assert (self.names(), self.db.entries(PLACE, "", 10, NOW), self.spaces(), self.caches()) == ([], [], [], [])

    @beside_each
    def test_nothing_of_theirs_can_be_changed(self, meta: str) -> None:
        """No verb finds, or touches, what a neighbour has under the same address."""
        other = self.neighbour(meta)
        before = self.state(other)
        assert self.db.delete([at("k"), at("only"), at("large")], NOW) == []
        assert not self.db.copy(at("k"), at("mine"), Write(), NOW)
        assert not self.db.copy(at("large"), at("mine"), Write(), NOW, move=True)
        assert not self.db.expire(at("k"), NOW + 1, NOW)
        assert not self.db.set_default_ttl("p", "n", None, NOW)
        assert self.db.increment(at("number"), 1, NOW) == 1
        self.put("k", LARGE[::-1], absent=True)
        self.put("large", b"mine", revision=0)
        self.db.put_many([(at("only"), Content.of(b"mine"))], writing(absent=True), NOW)
        self.db.copy(at("k"), at("only"), Write(5), NOW)
        self.db.purge(100, NOW)
        assert self.state(other) == before
        assert (self.value("k"), self.value("large"), self.value("number")) == (LARGE[::-1], b"mine", b"1")

    @beside_each
    def test_deleting_mine_leaves_theirs(self, meta: str) -> None:
        """What both have is removed from one only."""
        other = self.neighbour(meta)
        before = self.state(other)
        for name in ("k", "large", "only"):
            self.put(name, LARGE)
        assert len(self.db.delete([at("k"), at("large")], NOW)) == 2
        assert self.db.copy(at("only"), at("k"), Write(), NOW, move=True)
        assert self.state(other) == before

    @beside_each
    def test_their_default_is_not_mine(self, meta: str) -> None:
        """A default lifetime holds in the meta that set it."""
        self.neighbour(meta)
        self.put("k")
        self.db.increment(at("number"), 1, NOW)
        assert (self.entry("k").expires, self.entry("number").expires) == (None, None)

    @beside_each
    def test_their_writes_do_not_show_in_my_revisions(self, meta: str) -> None:
        """Revisions run on as if nobody else were there."""
        alone = self.put("k")
        other = self.neighbour(meta)
        other.increment(at("number"), 1, NOW)
        assert self.put("k") == alone + 1
        with pytest.raises(PreconditionFailed):
            self.put("k", revision=alone)
