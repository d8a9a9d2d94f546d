"""Conformance: fences, which a stale token does not pass, and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from prontodb.engines.failures import LeaseLost, PreconditionFailed
from prontodb.model import Content, Write

from .conformance_base import LARGE, NOW, Conformance, at, writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from prontodb.model import Fence

LEASE = at("lease")
QUEUE = at("jobs")
TTL = 10


def fenced(fence: Fence, **options: Any) -> Write:
    """A write behind a fence."""
    write = writing(**options)
    write.fence = fence
    return write


class LeasesConformance(Conformance):
    def claim(self, now: float = NOW) -> int:
        """Puts the lease; its token."""
        return self.put(LEASE, b"me", ttl=TTL, absent=True, now=now)

    def writes(self, fence: Fence, now: float) -> list[Callable[[], Any]]:
        """Every verb that a fence can stand before."""
        db, content = self.db, Content.of(b"new")
        return [
            lambda: db.put(at("k"), content, fenced(fence), now),
            lambda: db.put(at("large"), Content.of(LARGE), fenced(fence), now),
            lambda: db.put(QUEUE, content, self.numbered(fence), now),
            lambda: db.put_many([(at("k"), content), (at("j"), content)], fenced(fence), now),
            lambda: db.copy(at("count"), at("k"), fenced(fence), now),
            lambda: db.copy(at("count"), at("k"), fenced(fence), now, move=True),
            lambda: db.copy(at("none"), at("k"), fenced(fence), now),
            lambda: db.increment(at("count"), 1, now, fence=fence),
            lambda: db.expire(at("k"), NOW + 5, now, fence=fence),
            lambda: db.expire(at("none"), NOW + 5, now, fence=fence),
            lambda: db.delete([at("none")], now, fence=fence),
            lambda: db.delete([at("k")], now, fence=fence),
        ]

    def numbered(self, fence: Fence | None = None) -> Write:
        """A write of an item."""
        write = writing()
        write.fence, write.numbered = fence, True
        return write

    def push(self, value: bytes, now: float = NOW) -> int:
        """Puts an item into the queue."""
        return self.db.put(QUEUE, Content.of(value), self.numbered(), now)

    def take(self, now: float = NOW, ttl: int = TTL) -> tuple[str, int] | None:
        """Leases an item: its name and its token."""
        taken = self.db.take(QUEUE, Content.of(b"me"), ttl, now)
        return taken and (taken[0].name, taken[1])

    def test_with_its_token_every_verb_passes_the_fence(self) -> None:
        """A fence that holds changes nothing of what a verb does."""
        token = self.claim()
        self.put("k")
        self.put("count", b"1")
        for number in range(len(self.writes((LEASE, token), NOW))):
            self.put("k")
            self.put("count", b"1")
            self.writes((LEASE, token), NOW)[number]()
        assert self.value("large") == LARGE
        assert self.value("j") == b"new"

    @pytest.mark.parametrize("how", ["another token", "over", "released", "claimed anew", "never there", "other meta"])
    def test_a_stale_token_is_refused_by_every_verb(self, how: str) -> None:
        """Whatever became of the lease: `LeaseLost`, and nothing is changed."""
        now, fence = NOW, (LEASE, self.claim())
        self.put("k", b"old")
        self.put("count", b"1")
        if how == "another token":
            fence = (LEASE, fence[1] + 1)
        elif how == "over":
            now = NOW + TTL
        elif how == "released":
            assert self.db.delete([LEASE], NOW, fence=fence) == [LEASE]
        elif how == "claimed anew":
            now = NOW + TTL
            assert self.claim(now) > fence[1]
        elif how == "never there":
            fence = (at("other"), fence[1])
        else:
            other = self.tenant("globex")
            for name in ("k", "count"):
                other.put(at(name), Content.of(b"1"), Write(), NOW)
            self.db = other
        before = [(name, self.value(name), self.entry(name, now).revision) for name in self.names(now=now)]
        for number in range(len(self.writes(fence, now))):
            with pytest.raises(LeaseLost) as raised:
                self.writes(fence, now)[number]()
            assert (raised.value.code, raised.value.address) == (3, str(fence[0]))
        assert [(name, self.value(name), self.entry(name, now).revision) for name in self.names(now=now)] == before
        assert self.entry("k", now).expires is None

    def test_a_fence_and_another_precondition_both_hold(self) -> None:
        """The fence is asked first; behind it the others count as ever."""
        token = self.claim()
        self.put("k")
        with pytest.raises(PreconditionFailed):
            self.db.put(at("k"), Content.of(b"new"), fenced((LEASE, token), absent=True), NOW)
        with pytest.raises(LeaseLost):
            self.db.put(at("k"), Content.of(b"new"), fenced((LEASE, token + 1), absent=True), NOW)

    def test_renewal_keeps_the_token(self) -> None:
        """`expire` behind the lease itself renews it: the token stays, and nobody else gets the lease meanwhile."""
        token = self.claim()
        assert self.db.expire(LEASE, NOW + 2 * TTL, NOW + 5, fence=(LEASE, token)) is True
        with pytest.raises(PreconditionFailed):
            self.claim(NOW + TTL + 1)
        self.db.put(at("k"), Content.of(b"v"), fenced((LEASE, token)), NOW + TTL + 1)
        assert self.claim(NOW + 2 * TTL) > token

    def test_tokens_only_ever_grow(self) -> None:
        """After a release, an end, a purge, a failed write and a new engine on the store: never a token twice, never a lower one."""
        tokens = [self.claim()]
        self.db.delete([LEASE], NOW, fence=(LEASE, tokens[0]))
        tokens.append(self.claim())
        tokens.append(self.claim(NOW + TTL))
        while self.db.purge(100, NOW + 3 * TTL):
            pass
        assert self.names(now=NOW + 3 * TTL) == []
        tokens.append(self.claim(NOW + 3 * TTL))
        with pytest.raises(PreconditionFailed):
            self.claim(NOW + 3 * TTL)
        self.db.delete([LEASE], NOW + 3 * TTL)
        if self.db.capabilities.durable:
            self.db.close()
            self.db = self.tenant("acme")
        tokens.append(self.claim(NOW + 3 * TTL))
        assert tokens == sorted(set(tokens))

    def test_items_are_ordinary_entries_in_their_order(self) -> None:
        """Each push makes an entry of its own below the queue's address, whose number only grows."""
        numbers = [self.push(value) for value in (b"a", LARGE, b"", b"c\0\xff")]
        assert numbers == sorted(set(numbers))
        names = [f"jobs/{number:016d}" for number in numbers]
        assert self.names() == names
        assert [self.value(name) for name in names] == [b"a", LARGE, b"", b"c\0\xff"]

    def test_a_push_replaces_nothing(self) -> None:
        """Neither what stands at the queue's own address nor an item that came with a higher number, expired or not."""
        self.put("jobs", LARGE)
        self.put("jobs/0000000000000900", b"imported")
        self.put("jobs/0000000000000950", b"over", ttl=1)
        assert [self.push(b"x"), self.push(b"y", NOW + 5)] == [951, 952]
        assert (self.value("jobs"), self.value("jobs/0000000000000900")) == (LARGE, b"imported")
        for name in ("jobs/zzz", "jobs/0000000000000953@lease", "jobs/00000000000009990", "jobs/000000000000099x", "jobs/٣000000000000999"):
            self.put(name)
        assert self.push(b"z") == 953

    def test_items_get_the_namespace_s_lifetime(self) -> None:
        """As every entry does."""
        self.db.set_default_ttl("p", "n", 60, NOW)
        assert self.entry(f"jobs/{self.push(b'x'):016d}").expires == NOW + 60

    def test_taking_leases_the_first_that_is_free(self) -> None:
        """Each item goes to one taker; then there is none, and what is leased comes back, first, when its lease is over."""
        names = [f"jobs/{self.push(value):016d}" for value in (b"a", b"b")]
        first = self.take()
        assert first is not None
        assert first[0] == names[0]
        second = self.take(NOW + 1)
        assert second is not None
        assert (second[0], second[1] > first[1]) == (names[1], True)
        assert self.take(NOW + 1) is None
        again = self.take(NOW + TTL)
        assert again is not None
        assert (again[0], again[1] > second[1]) == (names[0], True)
        assert self.entry(f"{names[0]}@lease", NOW + TTL).expires == NOW + 2 * TTL

    def test_who_is_done_removes_item_and_lease(self) -> None:
        """With the token it had; one whose lease is over, or somebody else's, removes nothing."""
        self.push(b"a")
        item, stale = self.take() or ("", 0)
        _, token = self.take(NOW + TTL) or ("", 0)
        both = [at(item), at(f"{item}@lease")]
        with pytest.raises(LeaseLost):
            self.db.delete(both, NOW + TTL, fence=(both[1], stale))
        assert self.value(item, NOW + TTL) == b"a"
        assert self.db.delete(both, NOW + TTL, fence=(both[1], token)) == both
        assert (self.names(now=NOW + TTL), self.take(NOW + TTL)) == ([], None)

    def test_only_items_are_taken(self) -> None:
        """Not what else lies below the queue's address, not what has expired, nor what lies in another queue or meta."""
        for name in ("jobs", "jobs/", "jobs/9", "jobs/zzz", "jobs/000000000000001x", "jobs/00000000000000011", "jobs2/0000000000000001"):
            self.put(name)
        self.put("jobs/0000000000000001", ttl=1)
        self.tenant("globex").put(QUEUE, Content.of(b"theirs"), self.numbered(), NOW)
        assert self.take(NOW + 1) is None
        number = self.push(b"mine", NOW + 1)
        assert (self.take(NOW + 1) or ("",))[0] == f"jobs/{number:016d}"

    def test_what_stands_beside_an_item_changes_nothing(self) -> None:
        """Neither before its lease, in the order of names, nor after it; nor a lease whose item is gone."""
        numbers = [self.push(value) for value in (b"a", b"b", b"c")]
        names = [f"jobs/{number:016d}" for number in numbers]
        for name in (f"{names[0]}+note", f"{names[0]}@lease2", f"{names[1]}/0000000000000001", f"{names[1]}-x"):
            self.put(name)
        assert (self.take() or ("",))[0] == names[0]
        assert (self.take() or ("",))[0] == names[1]
        self.db.delete([at(names[1])], NOW)
        assert (self.take() or ("",))[0] == names[2]
        assert self.take() is None

    def test_many_that_are_leased_are_stepped_over(self) -> None:
        """However many of them there are."""
        numbers = [self.push(b"%d" % number) for number in range(250)]
        taken = [self.take() for _ in numbers]
        assert [each and each[0] for each in taken] == [f"jobs/{number:016d}" for number in numbers]
        assert self.take() is None
