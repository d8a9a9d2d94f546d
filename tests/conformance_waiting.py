"""Conformance: `changed` tells of every change, whoever made it, and sleeps where there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from prontodb.engines.base import Engine
from prontodb.model import Content, Write

from .conformance_base import LARGE, NOW, Conformance, at

LONG = 30.0
"""Seconds after which a wait that should have ended is a failure."""

CHANGES: dict[str, Callable[[Engine], object]] = {
    "put": lambda db: db.put(at("k"), Content.of(b"new"), Write(), NOW),
    "the same value": lambda db: db.put(at("k"), Content.of(b"old"), Write(), NOW),
    "put, large": lambda db: db.put(at("k"), Content.of(LARGE), Write(), NOW),
    "put elsewhere": lambda db: db.put(at("x", "elsewhere"), Content.of(b"v"), Write(), NOW),
    "put_many": lambda db: db.put_many([(at("a"), Content.of(b"v"))], Write(), NOW),
    "load": lambda db: db.load([(at("a"), Content.of(b"v"), None)], NOW),
    "delete": lambda db: db.delete([at("k")], NOW),
    "increment": lambda db: db.increment(at("n"), 1, NOW),
    "copy": lambda db: db.copy(at("k"), at("c"), Write(), NOW),
    "move": lambda db: db.copy(at("k"), at("c"), Write(), NOW, move=True),
    "expire": lambda db: db.expire(at("k"), NOW + 100, NOW),
    "persist": lambda db: db.expire(at("ending"), None, NOW),
}


def settle(db: Engine) -> None:
    """Calls it until it has nothing to say: it may say too much, but not for ever."""
    end = time.monotonic() + LONG
    while db.changed(0.4):
        assert time.monotonic() < end


class WaitingConformance(Conformance):
    def test_the_first_call_says_so_at_once(self) -> None:
        """Whoever has not looked yet has everything to see; also in a store that holds nothing."""
        assert self.db.changed(LONG)

    def test_nothing_is_no_change(self) -> None:
        """It waits for its time, and says that nothing has changed; reading changes nothing."""
        self.put("k", LARGE)
        settle(self.db)
        assert (self.value("k"), self.names()) == (LARGE, ["k"])
        began = time.monotonic()
        assert not self.db.changed(0.3)
        assert time.monotonic() - began >= 0.3
        assert not self.db.changed(0)

    @pytest.mark.parametrize("whose", ["its own", "another's"])
    @pytest.mark.parametrize("change", CHANGES)
    def test_a_change_before_the_call_is_told(self, change: str, whose: str) -> None:
        """What was committed after the call before had returned is never missed."""
        self.put("k", b"old")
        self.put("ending", ttl=100)
        other = self.db if whose == "its own" else self.tenant("acme")
        settle(self.db)
        CHANGES[change](other)
        assert self.db.changed(LONG)

    @pytest.mark.parametrize("change", ["put", "delete", "expire"])
    def test_a_change_while_it_waits_wakes_it(self, change: str) -> None:
        """And then there is what has changed."""
        self.put("k", b"old")
        other = self.tenant("acme")
        settle(self.db)
        timer = threading.Timer(0.3, CHANGES[change], [other])
        timer.start()
        woken = self.db.changed(LONG)
        timer.join()
        assert woken

    def test_a_store_that_comes_into_being_wakes_it(self) -> None:
        """To wait for the first entry of all is to wait, too."""
        settle(self.db)
        timer = threading.Timer(0.2, lambda: self.tenant("acme").put(at("k"), Content.of(b"v"), Write(), NOW))
        timer.start()
        deadline = time.monotonic() + LONG
        while self.value("k") is None:
            self.db.changed(LONG)
            assert time.monotonic() < deadline
        timer.join()

    def test_no_change_of_many_is_missed(self) -> None:
        """A reader that looks only when it is told to sees the last of hundreds of quick changes."""
        other = self.tenant("acme")
        count = 300

        def write() -> None:
            for _ in range(count):
                other.increment(at("n"), 1, NOW)

        writer = threading.Thread(target=write)
        writer.start()
        seen: list[bytes | None] = []
        deadline = time.monotonic() + 2 * LONG
        while not seen or seen[-1] != b"%d" % count:
            assert self.db.changed(LONG)
            seen.append(self.value("n"))
            assert time.monotonic() < deadline
        writer.join()

    def test_it_can_be_used_in_between(self) -> None:
        """Reading, writing and resting between two calls lose nothing."""
        settle(self.db)
        self.put("k")
        self.db.rest()
        assert self.db.changed(LONG)
        assert self.value("k") == b"v"
        settle(self.db)
        self.db.delete([at("k")], NOW)
        assert self.db.changed(LONG)
