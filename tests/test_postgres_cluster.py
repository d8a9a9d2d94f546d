"""Three servers, one of which takes writes and is killed: nothing that was acknowledged is lost, and writes go on."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from prontodb.address import Address, Place
from prontodb.engines.pg_admin import Admin
from prontodb.engines.pg_driver import Target
from prontodb.engines.pg_failures import Unconfirmed
from prontodb.engines.postgres import PostgresEngine
from prontodb.errors import Busy, StorageError
from prontodb.model import Content, Write

from .patroni import Cluster

NOW = 1_000_000_000
BEFORE, AFTER = 300, 150
"""Acknowledged writes before the leader is killed, and after."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    try:
        made.install()
        made.start()
        yield made
    finally:
        made.remove()


class Writers:
    """Threads that store, each name once, and note what was acknowledged."""

    def __init__(self, url: str, count: int) -> None:
        self.acknowledged: list[str] = []
        self.failures: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(url, number)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def wait(self, count: int, seconds: float) -> None:
        """Until so many were acknowledged."""
        end = time.monotonic() + seconds
        while len(self.acknowledged) < count:
            assert not self.failures, self.failures
            assert time.monotonic() < end, len(self.acknowledged)
            time.sleep(0.05)

    def stop(self) -> None:
        """After what is under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _work(self, url: str, number: int) -> None:
        try:
            with contextlib.closing(PostgresEngine(url, ("default", ""), lambda: 5.0)) as engine:
                for count in range(100_000):
                    if self._stop.is_set():
                        return
                    self._store(engine, f"w{number}-{count}")
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failures.append(error)

    def _store(self, engine: PostgresEngine, name: str) -> None:
        try:
            engine.put(Address("p", "n", name), Content.of(name.encode()), Write(absent=True), NOW)
        except (Busy, Unconfirmed):
            # No leader just now: this one is not acknowledged, and the next may be.
            return
        self.acknowledged.append(name)


@pytest.mark.slow
def test_a_leader_that_is_killed_takes_nothing_with_it(cluster: Cluster) -> None:
    """Quorum commit and no `durability=local`: what one standby has confirmed is there on the next leader."""
    admin = Admin(Target(cluster.url("postgres"), ()))
    admin.run("CREATE ROLE agent LOGIN")
    admin.init()
    admin.grant("agent", "")
    admin.close()
    url = cluster.url("postgres", "agent")
    writers = Writers(url, 3)
    try:
        writers.wait(BEFORE, 60)
        leader = cluster.leader()
        leader.kill()
        began, count = time.monotonic(), len(writers.acknowledged)
        writers.wait(count + AFTER, 90)
        took = time.monotonic() - began
    finally:
        writers.stop()
    assert not writers.failures, writers.failures
    assert cluster.leader() is not leader
    assert took < 60
    with contextlib.closing(PostgresEngine(url, ("default", ""), lambda: 20.0)) as engine:
        stored = {entry.name for entry in engine.entries(Place("p", "n"), "", 100_000, NOW)}
    lost = set(writers.acknowledged) - stored
    print(f"{len(writers.acknowledged)} acknowledged, {len(lost)} lost; writes went on after {took:.0f} s")
    assert lost == set()


@pytest.mark.slow
def test_without_standbys_a_cluster_takes_no_writes(cluster: Cluster) -> None:
    """Both standbys gone: a write is never acknowledged by the leader alone, and is not waited for without an end."""
    admin = Admin(Target(cluster.url("postgres"), ()))
    admin.run("CREATE ROLE agent LOGIN")
    admin.init()
    admin.grant("agent", "")
    admin.close()
    leader = cluster.leader()
    for node in cluster.nodes:
        if node is not leader:
            node.kill()
    with contextlib.closing(PostgresEngine(cluster.url("postgres", "agent"), ("default", ""), lambda: 1.0)) as engine:
        began = time.monotonic()
        with pytest.raises(StorageError):
            engine.put(Address("p", "n", "k"), Content.of(b"v"), Write(), NOW)
        assert time.monotonic() - began < 20
