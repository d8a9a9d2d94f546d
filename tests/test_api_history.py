"""The history, variables and memos in the Python API."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import prontodb
from prontodb.ops import flight

from .conftest import Home
from .pgserver import Database as Served
from .pgserver import Server
from .test_api import LARGE, python, threaded

KEY = "w.config.port"


@pytest.fixture
def db(home: Home) -> Iterator[prontodb.Database]:
    """The database `main` of an empty home."""
    with prontodb.open(environ=home.env, actor="ann") as opened:
        yield opened


@pytest.fixture
def other(home: Home) -> Iterator[prontodb.Database]:
    """The same data, in somebody else's hands."""
    with prontodb.open(environ=home.env, actor="bob") as opened:
        yield opened


# The history


def test_every_change_is_told_with_who_made_it(home: Home, db: prontodb.Database, other: prontodb.Database) -> None:
    first, second = db.set(KEY, b"80"), other.set(KEY, b"8080", ttl="1h")
    assert home.run("del", KEY, env={"PRONTO_ACTOR": "cy"}).status == 0
    deleted, changed, created = db.history(KEY)
    assert [(each.actor, each.what, each.size, each.kept) for each in (deleted, changed, created)] == [
        ("cy", "deleted", None, None),
        ("bob", "changed", 4, True),
        ("ann", "created", 2, True),
    ]
    assert (created.address, created.revision, changed.revision, created.expires) == (KEY, first, second, None)
    assert changed.expires is not None
    assert abs((created.time or 0) - time.time()) < 3600
    with pytest.raises(prontodb.Miss) as caught:
        db.blame(KEY)
    assert "cy" in caught.value.message
    other.undo(KEY)
    assert (db.get(KEY), db.blame(KEY).actor) == (b"8080", "bob")


def test_a_log_is_of_a_place_or_of_everything(db: prontodb.Database, other: prontodb.Database) -> None:
    db.set_many({"w.config.a": "1", "w.config.b": "2"})
    other.set("w.other.c", b"3")
    assert [(each.address, each.what) for each in db.log("w.config.b")] == [("w.config.b", "created")]
    assert [(each.address, each.actor) for each in db.log(everywhere=True)] == [
        ("w.other.c", "bob"),
        ("w.config.b", "ann"),
        ("w.config.a", "ann"),
    ]
    assert [each.address for each in db.log(everywhere=True, limit=1)] == ["w.other.c"]
    assert db.log() == []
    for limit in (0, -1):
        with pytest.raises(prontodb.UsageError):
            db.log("w.config", limit=limit)
    for number in range(120):
        db.set(f"w.config.k{number}", str(number))
    assert (len(db.log("w.config")), len(db.log("w.config", limit=None))) == (100, 122)


@pytest.mark.parametrize("given", ["revision", "datetime", "naive", "timedelta", "text", "clock"])
def test_what_was_there_can_be_had(home: Home, given: str) -> None:
    now = [1_700_000_000.0]
    with prontodb.open(environ=home.env, clock=lambda: now[0]) as db:
        first = db.set(KEY, LARGE)
        now[0] += 60.75
        db.set(KEY, b"new")
        now[0] += 30.5
        at = datetime.fromtimestamp(1_700_000_060, tz=timezone.utc)
        ways: dict[str, Any] = {
            "revision": first,
            "datetime": at,
            "naive": at.astimezone().replace(tzinfo=None),
            "timedelta": timedelta(seconds=31),
            "text": "31s",
            "clock": "@1700000060.5",
        }
        entry = db.entry_at(KEY, ways[given])
        assert (entry.value, entry.revision, entry.address) == (LARGE, first, KEY)
        assert db.entry_at(KEY, timedelta(0)).value == b"new"
        with pytest.raises(prontodb.Miss):
            db.entry_at(KEY, timedelta(minutes=5))


def test_what_was_a_secret_before_it_was_marked_is_not_printed(db: prontodb.Database) -> None:
    first = db.set(KEY, b"hunter2")
    assert not db.entry_at(KEY, first).secret
    db.set(KEY, b"hunter2", secret=True)
    entry = db.entry_at(KEY, first)
    assert (entry.value, entry.secret, "hunter2" in repr(entry)) == (b"hunter2", True, False)


def test_the_moment_of_a_change_is_after_it(db: prontodb.Database) -> None:
    for number in range(20):
        db.set(KEY, str(number))
        assert db.entry_at(KEY, datetime.now().astimezone()).text == str(number)


def test_what_was_done_in_the_same_millisecond_is_taken_back_too(home: Home) -> None:
    now = [1_700_000_000.0014]
    with prontodb.open(environ=home.env, clock=lambda: now[0], actor="ann") as db:
        since = datetime.fromtimestamp(1_700_000_000.0012)
        db.set(KEY, b"v")
        assert db.undo_actor("ann", since, "w.config").deleted == [KEY]


@pytest.mark.parametrize("at", ["junk", "", "@", -5, timedelta(days=-1), datetime(2999, 1, 1)])
def test_a_time_that_is_none_or_lies_ahead_is_refused(db: prontodb.Database, at: Any) -> None:
    db.set(KEY, b"v")
    with pytest.raises(prontodb.UsageError):
        db.entry_at(KEY, at)
    with pytest.raises(prontodb.UsageError):
        db.undo_actor("ann", at, everywhere=True)
    for none in (1.5, True, None):
        with pytest.raises(TypeError):
            db.entry_at(KEY, none)  # type: ignore[arg-type]
    assert db.get(KEY) == b"v"


def test_a_revision_still_to_come_is_refused(db: prontodb.Database) -> None:
    last = db.set(KEY, b"v")
    assert db.entry_at(KEY, last).value == b"v"
    with pytest.raises(prontodb.UsageError, match="lies ahead"):
        db.entry_at(KEY, last + 1)


def test_what_an_actor_did_is_taken_back_in_one_step(db: prontodb.Database, other: prontodb.Database) -> None:
    db.set_many({"w.config.a": "1", "w.config.b": "2", "w.other.c": "3"})
    other.set_many({"w.config.a": "bad", "w.config.new": "bad", "w.other.c": "bad"})
    other.delete("w.config.b")
    plan = db.undo_actor("bob", "10m", "w.config", dry_run=True)
    assert plan == prontodb.Undone(["w.config.b", "w.config.a"], ["w.config.new"], [], [])
    assert db.get("w.config.a") == b"bad"
    assert db.undo_actor("bob", timedelta(minutes=10), "w.config") == plan
    assert {entry.key: entry.text for entry in db.scan("w.config")} == {"a": "1", "b": "2"}
    assert db.get("w.other.c") == b"bad"
    assert db.undo_actor("bob", 600, "w.other").restored == ["w.other.c"]
    assert db.get("w.other.c") == b"3"
    with pytest.raises(prontodb.Miss):
        db.undo_actor("nobody", "10m", everywhere=True)


def test_what_others_have_changed_since_bars_it(db: prontodb.Database, other: prontodb.Database) -> None:
    db.set_many({"w.config.a": "1", "w.config.b": "2"})
    other.set_many({"w.config.a": "bad", "w.config.b": "bad"})
    db.set("w.config.a", "mended")
    with pytest.raises(prontodb.PreconditionFailed) as caught:
        db.undo_actor("bob", "10m", "w.config")
    assert (caught.value.address, db.get("w.config.b")) == ("w.config.a", b"bad")
    with pytest.raises(prontodb.UsageError):
        db.undo_actor("bob", "10m", "w.config", force=True, skip=True)
    found = db.undo_actor("bob", "10m", "w.config", skip=True)
    assert (found.restored, found.touched, db.get("w.config.a")) == (["w.config.b"], ["w.config.a"], b"mended")
    db.undo_actor("bob", "10m", "w.config.a", force=True)
    assert db.get("w.config.a") == b"1"


def test_an_undo_stays_where_it_is_told_to(home: Home, other: prontodb.Database) -> None:
    other.set_many({"w.config.a": "1", "w.other.b": "2", "z.config.c": "3"})
    with prontodb.open(environ=home.env, project="w", namespace="config") as db:
        assert db.undo_actor("bob", "10m").deleted == ["w.config.a"]
        assert [other.exists(key) for key in ("w.config.a", "w.other.b", "z.config.c")] == [False, True, True]
        with pytest.raises(prontodb.UsageError):
            db.undo_actor("bob", "10m", "w.other", everywhere=True)
        assert sorted(db.undo_actor("bob", "10m", everywhere=True, skip=True).deleted) == ["w.other.b", "z.config.c"]


def test_a_history_is_removed_for_good(db: prontodb.Database) -> None:
    first = db.set(KEY, b"old")
    db.set(KEY, b"new")
    db.drop_history(KEY)
    with pytest.raises(prontodb.Miss):
        db.entry_at(KEY, first)
    assert db.get(KEY) == b"new"
    db.delete(KEY, purge=True)
    for call in (db.history, db.undo, db.drop_history, db.blame):
        with pytest.raises(prontodb.Miss):
            call(KEY)


@pytest.mark.parametrize("actor", ["two\nlines", " padded", "x" * 200])
def test_an_actor_that_no_listing_could_show_is_refused(home: Home, actor: str) -> None:
    with pytest.raises(prontodb.UsageError):
        prontodb.open(environ=home.env, actor=actor)


def test_a_server_has_a_history_too(home: Home, pg: Server) -> None:
    served = Served(pg)
    served.grant("")
    with prontodb.open(served.url(), environ=home.env, actor="ann") as db:
        db.set_many({"w.config.a": "1", "w.config.b": "2"})
        db.undo("w.config.a")
        assert [each.what for each in db.history("w.config.a")] == ["deleted", "created"]
        assert db.undo_actor("ann", "10m", "w.config").deleted == ["w.config.b"]


# Variables


def test_entries_become_the_environment_of_a_program(home: Home, db: prontodb.Database) -> None:
    db.set_many({"w.config.db-host": b"h\xff\n", "w.config.port": "1", "w.config.port__prod": "2", "w.more.port": "3", "w.sec.key": "s"})
    environ = db.environment("w.config", "w.sec")
    script = "import os; print(os.environb[b'DB_HOST'], os.environ['PORT'], os.environ['KEY'])"
    done = subprocess.run([sys.executable, "-c", script], env={**home.env, **environ}, capture_output=True, text=True, check=True)
    assert done.stdout == "b'h\\xff' 1 s\n"
    assert db.environment("w.config", context="eu,prod")["PORT"] == "2"
    assert db.environment("w.config.db", prefix="X_", exact=True) == {"X_DB_HOST": os.fsdecode(b"h\xff\n")}
    with pytest.raises(prontodb.ProntoError) as caught:
        db.environment("w.config", "w.more")
    assert caught.value.slug == "no-variable"
    assert db.environment("w.config", "w.more", override=True)["PORT"] == "3"
    with pytest.raises(prontodb.Miss):
        db.environment("w.none")
    assert db.environment("w.none", empty=True) == {}
    db.set("w.tools.path", b"/x")
    with pytest.raises(prontodb.ProntoError):
        db.environment("w.tools")
    assert db.environment("w.tools", unsafe=True) == {"PATH": "/x"}
    with prontodb.open(environ=home.env, project="w", namespace="more") as here:
        assert here.environment() == {"PORT": "3"}


# Memos


def test_a_result_is_made_once_and_kept(home: Home) -> None:
    now, made = [1000.0], []

    def make() -> str:
        made.append(1)
        return f"result {len(made)}"

    with prontodb.open(environ=home.env, clock=lambda: now[0]) as db:
        assert [db.memo("w.cache.report", make, ttl="10m") for _ in range(3)] == [b"result 1"] * 3
        assert (db.ttl("w.cache.report"), list(db.keys("w.cache"))) == (600, ["report"])
        now[0] += 600
        assert db.memo("w.cache.report", make, ttl=5) == b"result 2"
        db.delete("w.cache.report")
        assert db.memo("w.cache.report", lambda: LARGE, ttl=5) == db.memo("w.cache.report", make, ttl=5) == LARGE


def test_of_many_threads_one_makes_it(db: prontodb.Database) -> None:
    made = []

    def make() -> bytes:
        made.append(1)
        # Longer than an unrenewed lease.
        time.sleep(4)
        return b"slow"

    assert threaded(lambda: db.memo("w.cache.report", make, ttl=60)) == [b"slow"] * 4
    assert made == [1]
    assert list(db.keys("w.cache")) == ["report"]


def test_a_result_that_came_at_the_last_moment_is_taken(
    db: prontodb.Database, other: prontodb.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = flight.Lease.take

    def late(lease: flight.Lease) -> bool:
        other.set("w.cache.report", b"theirs")
        return take(lease)

    monkeypatch.setattr(flight.Lease, "take", late)
    assert db.memo("w.cache.report", lambda: b"ours", ttl=60) == b"theirs"


def test_of_many_processes_one_makes_it_and_one_that_dies_is_followed(home: Home, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", MAKES, str(tmp_path / "log")]
    first = subprocess.Popen([*argv, "die"], env=home.env)
    until((tmp_path / "log").exists)
    others = [subprocess.Popen([*argv, "live"], env=home.env, stdout=subprocess.PIPE) for _ in range(3)]
    first.kill()
    first.wait(60)
    assert {process.communicate(timeout=60)[0] for process in others} == {b"made by live"}
    assert (tmp_path / "log").read_text() == "die live "


MAKES = """
import sys, time, prontodb
log, how = sys.argv[1:]
def make():
    with open(log, "a") as file:
        file.write(how + " ")
    time.sleep(60 if how == "die" else 0.2)
    return f"made by {how}"
with prontodb.open() as db:
    print(db.memo("w.cache.report", make, ttl=60).decode(), end="")
"""


def test_what_raises_is_not_kept(db: prontodb.Database) -> None:
    with pytest.raises(ZeroDivisionError):
        db.memo("w.cache.report", lambda: str(1 // 0), ttl=60)
    assert list(db.keys("w.cache")) == []
    assert db.memo("w.cache.report", lambda: "fine", ttl=60) == b"fine"
    with pytest.raises(TypeError):
        db.memo("w.cache.other", lambda: 5, ttl=60)  # type: ignore[arg-type, return-value]
    for wrong in (lambda: db.memo("w.cache." + "x" * 250, lambda: "v", ttl=60), lambda: db.memo("a..b", lambda: "v", ttl=60)):
        with pytest.raises(prontodb.InvalidAddress):
            wrong()


def test_a_result_that_cannot_be_stored_is_handed_over_all_the_same(home: Home, db: prontodb.Database) -> None:
    def make() -> str:
        db.close()
        return "made"

    with pytest.warns(UserWarning, match="not kept at w.cache.report"):
        assert db.memo("w.cache.report", make, ttl=60) == b"made"


def test_a_function_may_use_the_database(db: prontodb.Database) -> None:
    def make() -> bytes:
        db.incr("w.n.made")
        return db.memo("w.cache.inner", lambda: b"inner", ttl=60) + b" and outer"

    assert db.memo("w.cache.outer", make, ttl=60) == b"inner and outer"
    assert not any(thread.name == "prontodb renewal" for thread in threading.enumerate())


def test_a_memo_goes_on_after_a_fork(home: Home) -> None:
    done = python(home, "import os, prontodb\n" + FORKED, "-W", "ignore")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "0 made\n")


FORKED = """
db = prontodb.open()
def make():
    child = os.fork()
    if not child:
        os._exit(0 if db.get("w.cache.x") is None else 1)
    return f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])} made"
print(db.memo("w.cache.x", make, ttl=60).decode())
db.close()
"""


def until(found: Callable[[], bool]) -> None:
    """Waits until it is so."""
    over = time.monotonic() + 60
    while not found():
        assert time.monotonic() < over
        time.sleep(0.02)
