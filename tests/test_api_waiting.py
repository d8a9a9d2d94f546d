"""Waiting in the Python API: woken by any process, let go of by `close`, never in the way of a fork or of other threads."""

from __future__ import annotations

import gc
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

import prontodb

from .conftest import Home
from .pgserver import Database as Served
from .pgserver import Server
from .test_api import LARGE, python

STATE = "w.job.state"


@pytest.fixture
def db(home: Home) -> Iterator[prontodb.Database]:
    """The database `main` of an empty home."""
    with prontodb.open(environ=home.env) as opened:
        yield opened


class Thread(threading.Thread):
    """One that keeps what its work gives, or raises."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self.found: Any = None
        self._work = work
        self.start()

    def run(self) -> None:
        try:
            self.found = self._work()
        except prontodb.ProntoError as error:
            self.found = error

    def over(self) -> Any:
        self.join(60)
        assert not self.is_alive()
        return self.found


# Conditions


def test_a_condition_wakes_whoever_waits_for_it(home: Home, db: prontodb.Database) -> None:
    waiting = Thread(lambda: db.wait(f"{STATE} == done", timeout="1m"))
    db.set(STATE, b"begun")
    assert home.run("set", STATE, "done").status == 0
    assert waiting.over() == [f"{STATE} == done"]


def test_conditions_hold_together_or_one_of_them(db: prontodb.Database) -> None:
    db.set_many({STATE: "done", "w.job.count": "7", "w.results.one": "1"})
    tests = (f"{STATE} == done", "w.job.count >= 7", "! w.job.lock")
    assert db.wait(*tests, count={"w.results": "== 1"}, timeout=0) == [*tests, "--count w.results == 1"]
    assert db.wait("w.job.count > 7", STATE, any=True, timeout=0) == [STATE]
    with pytest.raises(prontodb.TimedOut) as caught:
        db.wait("w.job.count > 7", STATE, timeout=0.05)
    assert (caught.value.code, "w.job.count > 7" in caught.value.message) == (5, True)
    with pytest.raises(prontodb.TimedOut):
        db.wait(count={"w.results": ">= 2"}, timeout=timedelta(milliseconds=20))


@pytest.mark.parametrize("value", ["", "done", "two words", "'", '"quoted"', "back\\slash", "== 5", "a\nb", b"\xff\xfe", "=x", " lead"])
def test_a_condition_in_parts_needs_no_quotes(db: prontodb.Database, value: str | bytes) -> None:
    db.set(STATE, value)
    assert len(db.wait((STATE, "==", value), timeout=0)) == 1
    with pytest.raises(prontodb.TimedOut):
        db.wait((STATE, "!=", value), timeout=0)
    with pytest.raises(prontodb.TimedOut):
        db.wait((STATE, "==", "another"), timeout=0)
    assert db.wait(("!", "w.job.none"), timeout=0) == ["! w.job.none"]


def test_short_addresses_are_completed(home: Home) -> None:
    with prontodb.open(project="w", namespace="job", environ=home.env) as db:
        db.set("state", b"done")
        assert db.wait("state == done", ("state", "!=", "x"), count={"w.job": ">= 1"}, timeout=0)[0] == "state == done"


@pytest.mark.parametrize(
    "call",
    [
        lambda db: db.wait(),
        lambda db: db.wait("w.job.state ="),
        lambda db: db.wait("a..b == 1"),
        lambda db: db.wait((STATE, "~", "x")),
        lambda db: db.wait((STATE, "<", "x")),
        lambda db: db.wait((STATE,)),
        lambda db: db.wait(("w.job.state == x or", "==", "y")),
        lambda db: db.wait(count={"w.job": "many"}),
        lambda db: db.wait(STATE, timeout=-1),
        lambda db: db.watch("a.b.c.d"),
        lambda db: db.watch("w.job", timeout="junk"),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(db: prontodb.Database, call: Callable[[Any], Any]) -> None:
    with pytest.raises(prontodb.UsageError):
        call(db)
    with pytest.raises(TypeError):
        db.wait(5)  # type: ignore[arg-type]


def test_an_entry_that_ends_wakes_too(db: prontodb.Database) -> None:
    db.set("w.job.lock", b"v", ttl=1)
    assert db.wait("! w.job.lock", timeout=60) == ["! w.job.lock"]


def test_others_work_while_one_waits(db: prontodb.Database) -> None:
    waiting = Thread(lambda: db.wait("w.job.count >= 300", timeout=60))
    for _ in range(300):
        db.incr("w.job.count")
    assert waiting.over() == ["w.job.count >= 300"]


def test_closing_ends_a_wait_that_has_no_end(home: Home) -> None:
    db = prontodb.open(environ=home.env)
    db.set(STATE, b"v")
    waiting, watching = Thread(lambda: db.wait("w.job.never")), Thread(lambda: list(db.watch("w.job")))
    time.sleep(0.3)
    assert waiting.is_alive()
    assert watching.is_alive()
    db.close()
    assert isinstance(waiting.over(), prontodb.ClosedDatabase)
    assert isinstance(watching.over(), prontodb.ClosedDatabase)


def test_a_fork_does_not_wait_for_one_that_waits(home: Home) -> None:
    done = python(home, FORKED, "-W", "ignore")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"parent": ["w.job.go"], "children": [0, 0, 0]}


FORKED = """
import json, os, threading, time, prontodb
db = prontodb.open()
db.set("w.job.k", b"v")
found = []
thread = threading.Thread(target=lambda: found.extend(db.wait("w.job.go", timeout=60)))
thread.start()
time.sleep(0.3)
began, children = time.monotonic(), []
for _ in range(3):
    child = os.fork()
    if not child:
        os._exit(0 if db.get("w.job.k") == b"v" and db.wait("w.job.k", timeout=20) else 1)
    children.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
assert time.monotonic() - began < 20
db.set("w.job.go", b"v")
thread.join(60)
db.close()
print(json.dumps({"parent": found, "children": children}))
"""


def test_a_server_wakes_whoever_waits_too(home: Home, pg: Server) -> None:
    served = Served(pg)
    served.grant("")
    with prontodb.open(served.url(), environ=home.env) as db:
        waiting = Thread(lambda: db.wait(f"{STATE} == done", timeout=60))
        with db.watch("w.job", timeout=60) as events:
            db.set(STATE, b"done")
            assert [(event.kind, event.value) for event in [next(events)]] == [("set", b"done")]
        assert waiting.over() == [f"{STATE} == done"]


# Events


def test_events_come_as_they_happen(home: Home, db: prontodb.Database) -> None:
    db.set("w.results.old", b"before")
    with db.watch("w.results", timeout=60) as events:
        revision = db.set("w.results.one", b"1")
        event = next(events)
        assert (event.kind, event.address, event.revision, event.value, event.text) == ("set", "w.results.one", revision, b"1", "1")
        assert (event.size, event.expires, event.initial, event.secret) == (1, None, False, False)
        assert abs(event.time - time.time()) < 3600
        home.run("expire", "w.results.one", "1h")
        event = next(events)
        assert (event.kind, event.value, (event.expires or 0) > time.time() + 3000) == ("lifetime", None, True)
        home.run("del", "w.results.old")
        event = next(events)
        assert (event.kind, event.address, event.value, event.size, event.text) == ("deleted", "w.results.old", None, None, None)
        db.set("w.results.brief", b"v", ttl=1)
        assert [next(events).kind, next(events).kind] == ["set", "expired"]
        db.set("w.other.k", b"elsewhere")
        db.set("w.results.end", b"v")
        assert next(events).address == "w.results.end"


def test_what_was_there_comes_first_where_it_is_asked_for(db: prontodb.Database) -> None:
    db.set_many({"w.results.one": "1", "w.results.two": "2"})
    found = [(event.address, event.value, event.initial) for event in db.watch("w.results", initial=True, timeout=0)]
    assert found == [("w.results.one", b"1", True), ("w.results.two", b"2", True)]
    assert [event.value for event in db.watch("w.results", initial=True, values=False, timeout=0)] == [None, None]
    assert list(db.watch("w.results", timeout=0.05)) == []


def test_nothing_is_missed_between_two_events(db: prontodb.Database) -> None:
    events = db.watch("w.results", timeout=60)
    for number in range(50):
        db.set(f"w.results.k{number:02}", b"v")
    assert [next(events).address for _ in range(50)] == [f"w.results.k{number:02}" for number in range(50)]
    events.close()


def test_a_large_value_is_told_by_its_size_and_a_secret_is_not_printed(db: prontodb.Database) -> None:
    with db.watch("w.results", timeout=60) as events, db.watch("w.sec", timeout=60) as secret:
        db.set("w.results.large", LARGE)
        event = next(events)
        assert (event.value, event.size) == (None, len(LARGE))
        db.set("w.sec.key", b"hunter2")
        event = next(secret)
        assert (event.value, event.secret, "hunter2" in repr(event), "w.sec.key" in repr(event)) == (b"hunter2", True, False, True)
        db.set("w.results.key", b"hunter2", secret=True)
        assert "hunter2" not in repr(next(events))


def test_a_watch_is_closed_from_another_thread(db: prontodb.Database) -> None:
    events = db.watch("w.results")
    watching = Thread(lambda: list(events))
    db.set("w.results.one", b"1")
    time.sleep(0.3)
    events.close()
    assert [event.address for event in watching.over()] == ["w.results.one"]
    assert list(events) == []
    events.close()


def test_watches_that_are_dropped_leave_nothing_open(db: prontodb.Database) -> None:
    db.set("w.results.one", b"1")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(30):
        db.watch("w.results")
        next(db.watch("w.results", initial=True))
        with db.watch("w.results", timeout=0) as events:
            list(events)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 8
    assert len(db._seats._all) <= 3
