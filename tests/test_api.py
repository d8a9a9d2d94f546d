"""The Python API: the command's operations under the command's rules, from many threads and across forks."""

from __future__ import annotations

import ast
import gc
import io
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import prontodb
from prontodb import errors

from .conftest import Home
from .pgserver import Database as Served
from .pgserver import Server

BINARY = bytes(range(256))
LARGE = BINARY * 12_000
HUGE = 17 << 20


@pytest.fixture
def db(home: Home) -> Iterator[prontodb.Database]:
    """The database `main` of an empty home."""
    with prontodb.open(environ=home.env) as opened:
        yield opened


def python(home: Home, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a process of its own."""
    argv = [sys.executable, *options, "-c", script]
    return subprocess.run(argv, env=home.env, cwd=home.folder, capture_output=True, text=True, timeout=100, check=False)


# The same data as the command's


def test_what_is_set_here_is_there_for_the_command_and_the_other_way(home: Home, db: prontodb.Database) -> None:
    revision = db.set("work.config.host", BINARY)
    assert home.run("get", "work.config.host").out == BINARY
    assert home.run("get", "work.config.host", "--rev").out == b"%d\n" % revision
    home.run("set", "work.config.host", "mine")
    assert (db.get("work.config.host"), db.get_text(b"work.config.host")) == (b"mine", "mine")
    assert db.set("work.config.host", "é") > revision
    assert db.get("work.config.host") == "é".encode()


def test_nothing_is_made_before_something_is_stored(home: Home) -> None:
    with prontodb.open(environ=home.env) as db:
        assert (db.get("a.b.c"), list(db.keys("a.b")), db.projects(), db.exists("a.b.c"), db.delete("a.b.c")) == (None, [], [], False, 0)
    assert not (home.folder / ".local").exists()


def test_a_miss_is_a_default_or_an_error(db: prontodb.Database) -> None:
    nothing = object()
    assert db.get("a.b.c") is None
    assert db.get("a.b.c", nothing) is nothing
    assert db.get_text("a.b.c", "x") == "x"
    for call in (db.entry, db.open_value, db.ttl, db.persist, lambda key: db.copy(key, "a.b.d"), lambda key: db.expire(key, 5)):
        with pytest.raises(prontodb.Miss) as caught:
            call("a.b.c")
        assert (caught.value.address, caught.value.code) == ("a.b.c", 2)


def test_an_entry_tells_everything(home: Home) -> None:
    with prontodb.open(environ=home.env, clock=lambda: 1000.0) as db:
        revision = db.set("a.b.c__ctx", "text", ttl="1h")
        entry = db.entry("a.b.c__ctx")
        assert entry == prontodb.Entry("a.b.c__ctx", b"text", revision, 4600, "a.b.c__ctx")
        assert (entry.key, entry.context, entry.size, entry.text) == ("c", "ctx", 4, "text")


@pytest.mark.parametrize("ttl", [90, "1m30s", "90", timedelta(minutes=1, seconds=30)])
def test_lifetimes_are_seconds_words_or_timedeltas(home: Home, ttl: Any) -> None:
    now = [1000.0]
    with prontodb.open(environ=home.env, clock=lambda: now[0]) as db:
        db.set("a.b.c", b"v", ttl=ttl)
        db.set("a.b.d", b"v")
        db.expire("a.b.d", ttl)
        assert (db.ttl("a.b.c"), db.ttl("a.b.d")) == (90, 90)
        db.persist("a.b.d")
        assert db.ttl("a.b.d") is None
        now[0] = 1090.0
        assert (db.get("a.b.c"), db.get("a.b.d")) == (None, b"v")
        db.create_cache("a.cache", ttl)
        db.set("a.cache.x", b"v")
        db.drop_cache("a.cache")
        db.set("a.cache.y", b"v")
        assert (db.ttl("a.cache.x"), db.ttl("a.cache.y")) == (90, None)
        with pytest.raises(prontodb.Miss):
            db.drop_cache("a.cache")


@pytest.mark.parametrize("ttl", [0, -1, "junk", "", 10**12, timedelta(seconds=1.5), timedelta(0)])
def test_a_lifetime_that_is_none_is_refused(db: prontodb.Database, ttl: Any) -> None:
    with pytest.raises(prontodb.UsageError):
        db.set("a.b.c", b"v", ttl=ttl)
    assert db.get("a.b.c") is None


@pytest.mark.parametrize(
    "call",
    [
        lambda db: db.set("a.b.c", 5),
        lambda db: db.set("a.b.c", {"k": "v"}),
        lambda db: db.set("a.b.c", ["text"]),
        lambda db: db.set("a.b.c", io.StringIO("text")),
        lambda db: db.set("a.b.c", b"v", ttl=1.5),
        lambda db: db.set("a.b.c", b"v", ttl=True),
        lambda db: db.set(5, b"v"),
        lambda db: db.get(None),
        lambda db: db.set_many({"a.b.c": 5}),
    ],
)
def test_what_is_of_no_fitting_type_is_a_type_error(db: prontodb.Database, call: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError):
        call(db)
    assert list(db.keys("a.b")) == []


@pytest.mark.parametrize("key", ["bad..key", "", "a.b.c.d", "a.b.c d", b"a.b.\xff"])
def test_a_wrong_address_is_refused_and_nothing_is_rescued(db: prontodb.Database, key: Any) -> None:
    source = io.BytesIO(b"unread")
    for call in (lambda: db.set(key, b"v"), lambda: db.get(key), lambda: db.set(key, source), lambda: db.delete("a.b.c", key)):
        with pytest.raises(prontodb.InvalidAddress):
            call()
    assert (source.tell(), db.rescued()) == (0, [])


def test_conditions(db: prontodb.Database) -> None:
    first = db.set("a.b.c", b"one", if_absent=True)
    for wrong in ({"if_absent": True}, {"if_rev": first + 1}, {"if_value": b"other"}, {"if_rev": 0}):
        with pytest.raises(prontodb.PreconditionFailed):
            db.set("a.b.c", b"two", **wrong)  # type: ignore[arg-type]
    second = db.set("a.b.c", b"two", if_rev=first)
    assert db.set("a.b.c", b"three", if_value="two") > second
    assert db.set("a.b.new", b"v", if_rev=0)
    with pytest.raises(prontodb.UsageError):
        db.set("a.b.c", b"v", if_absent=True, if_rev=0)
    assert db.get("a.b.c") == b"three"


def test_counting_and_appending(db: prontodb.Database) -> None:
    assert [db.incr("a.b.n"), db.incr("a.b.n", 41), db.decr("a.b.n", 2), db.decr("a.b.n")] == [1, 42, 40, 39]
    db.append("a.b.log", "one ")
    db.append("a.b.log", io.BytesIO(b"two"))
    assert db.get("a.b.log") == b"one two"
    with pytest.raises(prontodb.PreconditionFailed):
        db.incr("a.b.log")
    for wrong in (10**18, 1.5, True):
        with pytest.raises(prontodb.UsageError):
            db.incr("a.b.n", wrong)  # type: ignore[arg-type]


def test_many_at_once(db: prontodb.Database) -> None:
    assert db.set_many({"a.b.one": b"1", b"a.b.two": "2"}, ttl=60) == 2  # type: ignore[dict-item]
    assert db.set_many([("a.b.big", LARGE)]) == 1
    assert db.get_many(["a.b.two", "a.b.none", "a.b.big", "a.b.one"]) == {"a.b.two": b"2", "a.b.big": LARGE, "a.b.one": b"1"}
    assert db.ttl("a.b.one") in (59, 60)
    with pytest.raises(prontodb.InvalidAddress):
        db.set_many([("a.b.three", b"3"), ("bad..key", b"4")])
    assert "a.b.three" not in db
    assert db.delete("a.b.one", "a.b.two", "a.b.none", "a.b.one") == 2


def test_copying_and_moving(home: Home) -> None:
    with prontodb.open(environ=home.env, clock=lambda: 1000.0) as db:
        db.set("a.b.c", b"v", ttl=50)
        db.copy("a.b.c", "a.b.d")
        db.copy("a.b.c", "a.b.e", keep_ttl=True)
        db.move("a.b.c", "a.b.f", ttl=9)
        assert [db.ttl("a.b.d"), db.ttl("a.b.e"), db.ttl("a.b.f"), db.get("a.b.c")] == [None, 50, 9, None]
        with pytest.raises(prontodb.UsageError):
            db.copy("a.b.d", "a.b.g", ttl=1, keep_ttl=True)


def test_listings(db: prontodb.Database) -> None:
    db.set_many({"a.b.k1": "1", "a.b.k2": LARGE, "a.b.x": "3", "a.c.y": "4", "other.n.z": "5"})
    assert list(db.keys("a.b")) == ["k1", "k2", "x"]
    assert [(entry.address, entry.size) for entry in db.scan("a.b.k")] == [("a.b.k1", 1), ("a.b.k2", len(LARGE))]
    assert (db.projects(), db.namespaces("a"), db.namespaces("none")) == (["a", "other"], ["b", "c"], [])
    with pytest.raises(prontodb.InvalidAddress):
        db.keys("a.b.c.d")
    with pytest.raises(prontodb.InvalidAddress):
        db.scan("..")


def test_contexts(db: prontodb.Database) -> None:
    db.set_many({"a.b.host": "base", "a.b.host__prod": "prod", "a.b.only__eu": "eu", "a.b.port": "1"})
    assert (db.get("a.b.host", context="eu,prod"), db.get("a.b.host", context=["eu"]), db.get("a.b.host", context=[])) == (
        b"prod",
        b"base",
        b"base",
    )
    assert (db.exists("a.b.only"), db.exists("a.b.only", context="eu"), "a.b.only" in db) == (False, True, False)
    assert list(db.keys("a.b", context="prod")) == ["host", "port"]
    assert [(entry.key, entry.text, entry.layer) for entry in db.scan("a.b.host", context="prod")] == [("host", "prod", "a.b.host__prod")]
    found = list(db.diff("-", ["prod", "eu"], "a.b"))
    assert [(each.key, each.left and each.left.text, each.right and each.right.text) for each in found] == [
        ("host", "base", "prod"),
        ("only", None, "eu"),
    ]
    with pytest.raises(prontodb.UsageError):
        db.get("a.b.host__prod", context="eu")
    with pytest.raises(prontodb.UsageError):
        db.get("a.b.host", context="a,,b")
    with pytest.raises(prontodb.UsageError):
        db.get("a.b.host", context=5)  # type: ignore[call-overload]


def test_streams(home: Home, db: prontodb.Database) -> None:
    assert db.stream("meta:path=a.b; one=1; two='2;';") == 2
    assert db.stream(io.BytesIO(b"a.b:three=3;")) == 1
    assert db.get_many(["a.b.one", "a.b.two", "a.b.three"]) == {"a.b.one": b"1", "a.b.two": b"2;", "a.b.three": b"3"}
    with pytest.raises(prontodb.UsageError) as caught:
        db.stream(b"a.b:four=4; nonsense")
    assert (caught.value.slug, db.get("a.b.four"), db.rescued()) == ("malformed-stream", None, [])
    with prontodb.open(environ=home.env | {"PRONTO_FEATURES": "-streaming"}) as off, pytest.raises(prontodb.UsageError):
        off.stream(b"a.b:x=1;")


# Files and large values


def test_files_and_iterables_are_stored(db: prontodb.Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    with open(tmp_path / "file", "rb") as file:
        db.set("a.b.file", file)
    db.set("a.b.pieces", (BINARY for _ in range(12_000)))
    db.set("a.b.list", [b"one", bytearray(b"two"), memoryview(b"three"), b""])
    db.set("a.b.nothing", io.BytesIO())
    assert db.get("a.b.file") == db.get("a.b.pieces") == LARGE
    assert (db.get("a.b.list"), db.get("a.b.nothing")) == (b"onetwothree", b"")


def test_a_large_value_is_read_in_pieces(db: prontodb.Database) -> None:
    db.set("a.b.c", LARGE, ttl=100)
    with db.open_value("a.b.c") as value:
        assert (value.size, value.revision, value.expires is not None) == (len(LARGE), db.entry("a.b.c").revision, True)
        assert value.read(1000) == LARGE[:1000]
        db.set("a.b.c", b"replaced")
        assert value.read() == LARGE[1000:]
    db.set("a.b.text", b"one\ntwo\n")
    with db.open_value("a.b.text") as value:
        assert list(value) == [b"one\n", b"two\n"]


def test_huge_values_take_little_memory(home: Home) -> None:
    done = python(home, MEMORY)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 60_000


MEMORY = """
import prontodb, resource
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with prontodb.open() as db:
    db.set("a.b.c", (bytes(1 << 20) for _ in range(200)))
    with db.open_value("a.b.c") as value:
        assert sum(len(piece) for piece in iter(lambda: value.read(1 << 16), b"")) == 200 << 20
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_value_that_can_be_read_no_more_never_ends_early(db: prontodb.Database) -> None:
    db.set("a.b.c", (BINARY * 4096 for _ in range(HUGE >> 20)))
    value = db.open_value("a.b.c")
    value.read(100)
    db.close()
    with pytest.raises(prontodb.ClosedDatabase):
        value.read()
    value.close()


def test_what_could_be_read_only_once_is_rescued(db: prontodb.Database) -> None:
    db.set("a.b.c", b"there")
    for source in (io.BytesIO(b"precious"), iter([b"prec", b"ious"]), (BINARY for _ in range(12_000))):
        with pytest.raises(prontodb.Rescued) as caught:
            db.set("a.b.c", source, if_absent=True)
        assert isinstance(caught.value.__cause__, prontodb.PreconditionFailed)
        assert db.get(caught.value.rescued) in (b"precious", LARGE)
        assert db.rescued()[0].asked == "a.b.c"
        db.copy(caught.value.rescued, "a.b.home")
        assert (db.rescued(), len(db.get("a.b.home") or b"") > 7) == ([], True)
    with pytest.raises(prontodb.Rescued):
        db.stream(io.BytesIO(b"malformed stream"))
    assert [(each.reason, each.state) for each in db.rescued()] == [("malformed-stream", "cached")]
    db.delete(db.rescued()[0].address)
    assert db.rescued() == []


def test_what_the_caller_still_has_is_not_rescued(db: prontodb.Database) -> None:
    db.set("a.b.c", b"there")
    with pytest.raises(prontodb.PreconditionFailed):
        db.set("a.b.c", b"mine", if_absent=True)
    assert db.rescued() == []


def test_a_source_that_fails_leaves_everything_as_it_was(home: Home, db: prontodb.Database) -> None:
    db.set("a.b.c", b"old")

    def broken() -> Iterator[bytes]:
        yield LARGE
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.set("a.b.c", broken())
    assert (db.get("a.b.c"), home.partial()) == (b"old", [])


# Which data


def test_arguments_are_the_options_of_the_command(home: Home) -> None:
    with prontodb.open("notes", user="alice", meta="acme", project="p", namespace="n", environ=home.env) as db:
        db.set("k", b"v")
        assert repr(db) == "<prontodb.Database 'notes', user='alice', meta='acme'>"
        assert list(db.keys()) == list(db.keys("k")) == list(db.keys("p.n")) == ["k"]
        assert [db.get(entry.address) for entry in db.scan()] == [b"v"] == [db.get("n.k")]
    assert home.run("get", "p.n.k", "--database", "notes", "--user", "alice", "--meta", "acme").out == b"v"
    assert home.run("get", "p.n.k").status == 2
    with prontodb.open(f"{home.folder}/own.db", environ=home.env) as db:
        db.set("a.b.c", b"v")
    assert (home.folder / "own.db").exists()


def test_the_environment_counts_as_it_was(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PRONTO_META", "acme")
    with prontodb.open() as db:
        monkeypatch.setenv("PRONTO_META", "globex")
        db.set("a.b.c", b"v")
        assert threaded(lambda: db.get("a.b.c")) == [b"v"] * 4
    assert home.run("get", "a.b.c", "--meta", "acme").out == b"v"
    assert home.run("get", "a.b.c", "--meta", "globex").status == 2


def test_a_cursor_counts_as_it_was(home: Home) -> None:
    home.run("cursor", "set", "one", "./one.db", "-p", "p", "-n", "n")
    home.run("cursor", "set", "two", "./two.db")
    home.run("cursor", "use", "one")
    with prontodb.open(environ=home.env) as db, prontodb.open(cursor="two", environ=home.env) as two:
        home.run("cursor", "use", "two")
        db.set("k", b"v")
        assert threaded(lambda: db.get("k")) == [b"v"] * 4
        assert two.get("p.n.k") is None
    assert home.run("get", "p.n.k", "--cursor", "one").out == b"v"
    with pytest.raises(prontodb.UsageError):
        prontodb.open(cursor="none", environ=home.env)


def test_nothing_leads_out_of_a_pin(home: Home) -> None:
    pin = {"PRONTO_FORCE_USER": "keeper", "PRONTO_FORCE_META": "acme"}
    with prontodb.open(environ=home.env | pin) as db:
        db.set("a.b.c", b"pinned")
        with pytest.raises(prontodb.UsageError):
            db.stream("meta:meta=other; a.b:c=2;")
        with pytest.raises(prontodb.Denied):
            db.stream("sec:user=bob; a.b:c=2;")
        assert db.get("a.b.c") == b"pinned"
    assert home.run("get", "a.b.c", "--user", "keeper", "--meta", "acme").out == b"pinned"
    for contradiction in ({"user": "bob"}, {"meta": "globex"}):
        with pytest.raises(prontodb.Denied):
            prontodb.open(environ=home.env | pin, **contradiction)  # type: ignore[arg-type]
    with pytest.raises(prontodb.UsageError):
        prontodb.open(environ=home.env | {"PRONTO_FORCE_META": ""})
    with pytest.raises(prontodb.Denied):
        prontodb.open(environ=home.env | {"PRONTO_REFUSED": "wrapper"})


def test_a_password_is_asked_for_when_it_is_opened(home: Home) -> None:
    (home.folder / "password").write_text("secret\n")
    assert home.run("user", "add", "alice", "--new-password-file", str(home.folder / "password")).status == 0
    with pytest.raises(prontodb.Denied):
        prontodb.open(user="alice", environ=home.env)
    with prontodb.open(user="alice", password_file=str(home.folder / "password"), environ=home.env) as db:
        (home.folder / "password").unlink()
        db.set("a.b.c", b"v")
        assert threaded(lambda: db.get("a.b.c")) == [b"v"] * 4


@pytest.mark.parametrize("database", ["no_name", "", "./missing/../x.db", "mysql://host/db"])
def test_a_wrong_name_is_refused_when_it_is_opened(home: Home, database: str) -> None:
    with pytest.raises(prontodb.UsageError):
        prontodb.open(database, environ=home.env)


def test_a_server_is_a_database_too(home: Home, pg: Server) -> None:
    served = Served(pg)
    served.grant("")
    with prontodb.open(served.url(), environ=home.env) as db:
        db.set("a.b.c", LARGE)
        db.set("a.b.c__x", b"over")
        assert threaded(lambda: [db.incr("a.b.n") for _ in range(25)][:0]) == [[]] * 4
        assert (db.get("a.b.n"), db.get("a.b.c"), db.get("a.b.c", context="x")) == (b"100", LARGE, b"over")
        with db.open_value("a.b.c") as value:
            assert value.read(10) + value.read() == LARGE
        assert db.get_many(["a.b.c__x", "a.b.none"]) == {"a.b.c__x": b"over"}


# Threads


def threaded(work: Callable[[], Any], count: int = 4) -> list[Any]:
    """What the work gives in so many threads at once."""
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results


@pytest.fixture
def hasty(home: Home) -> Iterator[prontodb.Database]:
    """One that waits for nobody for long."""
    with prontodb.open(environ=home.env | {"PRONTO_BUSY_TIMEOUT": "0.1"}) as opened:
        yield opened


def test_eight_threads_count_exactly_while_others_read(hasty: prontodb.Database) -> None:
    db = hasty
    done = threading.Event()
    seen: list[list[int]] = []

    def read() -> None:
        values = []
        while not done.is_set():
            values.append(int(db.get("a.b.n") or 0))
            assert [entry.key for entry in db.scan("a.b")] in ([], ["n"])
            time.sleep(0.002)
        seen.append(values)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        given = threaded(lambda: [db.incr("a.b.n") for _ in range(500)], 8)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert sorted(number for each in given for number in each) == list(range(1, 4001))
    assert len(seen) == 3
    assert all(values == sorted(values) for values in seen)


def test_threads_that_come_and_go_leave_nothing_open(db: prontodb.Database) -> None:
    db.set("a.b.c", b"v")
    threaded(lambda: db.get("a.b.c"))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        threaded(lambda: db.get("a.b.c"), 2)
    assert len(os.listdir("/proc/self/fd")) <= before + 8


def test_a_loop_over_a_listing_may_write_and_may_end_early(db: prontodb.Database) -> None:
    db.set_many({f"a.b.k{number:03}": "v" for number in range(300)})
    for name in db.keys("a.b"):
        db.delete(f"a.b.{name}")
    assert list(db.keys("a.b")) == []
    db.set_many({f"a.b.k{number}": "v" for number in range(30)})
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        for _ in db.scan("a.b"):
            break
        next(db.keys("a.b"))
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before + 4


def test_a_listing_begun_in_one_thread_goes_on_in_another(db: prontodb.Database) -> None:
    db.set_many({"a.b.one": "1", "a.b.two": "2"})
    found = db.scan("a.b")
    next(found)
    assert [entry.key for entry in threaded(lambda: next(found), 1)] == ["two"]


def test_a_database_that_is_deleted_or_replaced_is_noticed(home: Home, db: prontodb.Database) -> None:
    db.set("a.b.c", b"old")
    assert (db.get("a.b.c"), db.incr("a.b.n")) == (b"old", 1)
    for path in home.database.parent.glob("main.db*"):
        path.unlink()
    assert db.get("a.b.c") is None
    db.set("a.b.c", b"new")
    assert home.run("get", "a.b.c").out == b"new"
    home.run("set", "a.b.c", "another", "--database", "other")
    for path in home.database.parent.glob("main.db*"):
        path.unlink()
    (home.database.parent / "other.db").rename(home.database)
    assert db.get("a.b.c") == b"another"
    db.append("a.b.c", b" one")
    assert home.run("get", "a.b.c").out == b"another one"
    for path in home.database.parent.glob("main.db*"):
        path.unlink()
    db.set("a.b.c", b"written first")
    assert home.run("get", "a.b.c").out == b"written first"


# The end


def test_a_closed_database_says_so(home: Home) -> None:
    db = prontodb.open(environ=home.env)
    db.set_many({"a.b.one": "1", "a.b.two": "2"})
    names = db.keys("a.b")
    entries = db.scan("a.b")
    next(entries)
    db.close()
    db.close()
    assert db.closed
    calls = [lambda: db.get("a.b.c"), lambda: db.set("a.b.c", b"v"), lambda: next(names), lambda: next(entries), db.projects, db.rescued]
    for call in calls:
        with pytest.raises(prontodb.ClosedDatabase):
            call()


def test_closing_waits_for_calls_that_run(home: Home) -> None:
    db = prontodb.open(environ=home.env)
    db.set("a.b.c", b"v")
    seat = db._seats.take()
    closer = threading.Thread(target=db.close)
    with db._seats.at_work(seat) as session:
        closer.start()
        closer.join(0.2)
        assert closer.is_alive()
        assert session.pool.engines
    closer.join(60)
    assert not session.pool.engines
    assert not list(home.database.parent.glob("*-wal"))


def test_closing_in_the_midst_of_writing_loses_nothing(home: Home) -> None:
    db = prontodb.open(environ=home.env)
    stored = []

    def work(thread: int) -> None:
        for number in range(10_000):
            try:
                db.set(f"a.b.k{thread}-{number}", LARGE)
                stored.append(f"k{thread}-{number}")
            except prontodb.ClosedDatabase:
                return

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    while len(stored) < 5:
        time.sleep(0.005)
    db.close()
    for thread in threads:
        thread.join(60)
    with prontodb.open(environ=home.env) as again:
        assert sorted(stored) == list(again.keys("a.b"))


def test_one_that_is_not_closed_warns(home: Home) -> None:
    kept = [prontodb.open(environ=home.env)]
    kept[0].set("a.b.c", b"v")
    with pytest.warns(ResourceWarning, match="main.*not closed"):
        kept.clear()
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prontodb.open(environ=home.env)
        gc.collect()


def test_what_an_engine_wants_known_is_a_warning(db: prontodb.Database) -> None:
    db.set("a.b.c", b"v")
    db.get("a.b.c")
    seat = db._seats.take()
    next(iter(seat.session.pool.engines.values())).notices.append("something to know")
    db._seats.give(seat)
    with pytest.warns(UserWarning, match="something to know"):
        db.get("a.b.c")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        db.get("a.b.c")


# Forks


def test_parent_and_child_go_on_after_a_fork(home: Home) -> None:
    done = python(home, FORKS)
    assert (done.returncode, done.stderr, done.stdout.split()) == (0, "", ["0"] * 8)
    assert home.run("get", "a.b.n").out == b"902"
    assert home.run("doctor").status == 0


FORKS = """
import os, prontodb
db = prontodb.open()
db.incr("a.b.n")
db.set("a.b.c", b"v")
names = db.scan("a.b")
next(names)
children = []
for _ in range(8):
    child = os.fork()
    if not child:
        try:
            assert db.get("a.b.c") == b"v"
            assert [entry.key for entry in names] == ["n"]
            for _ in range(100):
                db.incr("a.b.n")
            db.close()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    children.append(child)
for _ in range(100):
    db.incr("a.b.n")
for child in children:
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
db.incr("a.b.n")
assert [entry.key for entry in names] == ["n"]
db.close()
"""


def test_a_fork_carries_no_connection_into_the_child(home: Home) -> None:
    done = python(home, CARRIED)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "some\nnone\n0\n")


CARRIED = """
import os, prontodb
def opened():
    links = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{fd}"))
        except OSError:
            pass
    return "some" if any("prontodb" in link and ".db" in link for link in links) else "none"
db = prontodb.open()
db.set("a.b.c", b"v")
db.get("a.b.c")
print(opened(), flush=True)
child = os.fork()
if not child:
    print(opened(), flush=True)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
db.close()
"""


def test_a_fork_in_the_midst_of_other_threads_calls(home: Home) -> None:
    done = python(home, BUSY, "-W", "ignore")
    assert (done.returncode, done.stderr) == (0, "")
    assert home.run("get", "a.b.n").out == done.stdout.strip().encode()
    assert home.run("doctor").status == 0


BUSY = """
import os, threading, prontodb
db = prontodb.open()
stop, counts = threading.Event(), []
def work():
    count = 0
    while not stop.is_set():
        db.incr("a.b.n")
        count += 1
    counts.append(count)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
children = []
for number in range(15):
    child = os.fork()
    if not child:
        for _ in range(5):
            db.incr("a.b.n")
        db.close()
        os._exit(0)
    children.append(child)
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 15
stop.set()
for thread in threads: thread.join()
db.close()
print(sum(counts) + 75)
"""


def test_a_value_that_is_open_across_a_fork(home: Home) -> None:
    done = python(home, ACROSS)
    assert (done.returncode, done.stderr) == (0, "")


ACROSS = """
import os, prontodb
db = prontodb.open()
db.set("a.b.small", bytes(3 << 20))
db.set("a.b.huge", (bytes(1 << 20) for _ in range(17)))
small, huge = db.open_value("a.b.small"), db.open_value("a.b.huge")
small.read(10), huge.read(10)
def refused(value):
    try:
        value.read()
    except prontodb.Busy:
        return True
child = os.fork()
if not child:
    os._exit(0 if refused(small) and refused(huge) and len(db.get("a.b.huge")) == 17 << 20 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert len(small.read()) == (3 << 20) - 10
assert refused(huge)
small.close(), huge.close(), db.close()
"""


def test_a_fork_does_not_wait_for_ever_for_another_threads_call(home: Home) -> None:
    done = python(home, STUCK, "-W", "ignore")
    assert (done.returncode, done.stderr, home.run("get", "a.b.c").out) == (0, "", b"child")


STUCK = """
import os, signal, threading, prontodb
from prontodb.api import seats
seats.WAIT = 0.1
db = prontodb.open()
db.set("a.b.c", b"v")
inside, done = threading.Event(), threading.Event()
def work():
    with db._seats.turn() as session:
        inside.set()
        done.wait(60)
thread = threading.Thread(target=work)
thread.start()
inside.wait()
child = os.fork()
if not child:
    signal.alarm(20)
    assert db.get("a.b.c") == b"v"
    db.set("a.b.c", b"child")
    db.close()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
done.set()
thread.join()
assert db.get("a.b.c") == b"child"
db.close()
"""


def test_one_that_is_left_to_the_end_of_the_interpreter(home: Home) -> None:
    script = "import prontodb; db = prontodb.open(); db.set('a.b.c', b'v')"
    assert python(home, script).stderr == ""
    assert "ResourceWarning: <prontodb.Database 'main', user='default'> was not closed" in python(home, script, "-X", "dev").stderr
    assert "Exception ignored" not in python(home, f"{script}; import sys; sys.db = db", "-X", "dev").stderr


# The package


def test_importing_the_package_imports_nothing_else(home: Home) -> None:
    script = "import sys; bare = set(sys.modules); import prontodb; print(sorted(set(sys.modules) - bare)); prontodb.open; dir(prontodb)"
    assert python(home, script).stdout == "['prontodb']\n"
    with pytest.raises(AttributeError):
        _ = prontodb.nonsense  # type: ignore[attr-defined]


def test_everything_that_is_promised_is_there() -> None:
    from prontodb import api

    assert sorted(prontodb.__all__) == sorted(api.__all__)
    for name in prontodb.__all__:
        assert getattr(prontodb, name) is getattr(api, name)
    assert set(prontodb.__all__) <= set(dir(prontodb))
    assert (Path(prontodb.__file__).parent / "py.typed").exists()
    assert issubclass(prontodb.Miss, errors.ProntoError)


def test_every_method_is_typed_and_documented() -> None:
    for path in (Path(prontodb.__file__).parent / "api").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not any(map(_overload, node.decorator_list)):
                assert node.returns is not None, node.name
    for name in dir(prontodb.Database):
        if not name.startswith("_"):
            assert getattr(prontodb.Database, name).__doc__, name


def _overload(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "overload"
