"""Leases, fences and queues in the Python API: kept by a thread, refused by the store once they are lost, each item to one worker."""

from __future__ import annotations

import gc
import io
import json
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

import prontodb

from .conftest import Home
from .pgserver import Database as Served
from .pgserver import Server
from .test_api import LARGE, python, threaded

LOCK = "w.lock.deploy"
SHORT = 2
"""Seconds of a lease that is to end, or to be renewed, within a test: a busy machine may be late by most of it."""


@pytest.fixture
def db(home: Home) -> Iterator[prontodb.Database]:
    """The database `main` of an empty home."""
    with prontodb.open(environ=home.env, actor="me") as opened:
        yield opened


def lose(home: Home, address: str = LOCK) -> None:
    """Another process takes a lease away."""
    assert home.run("del", address).status == 0


# Leases


def test_a_lease_is_held_for_the_block_and_released(home: Home, db: prontodb.Database) -> None:
    with db.claim(LOCK) as lease:
        assert (lease.address, lease.token, lease.lost) == (LOCK, db.entry(LOCK).revision, False)
        assert repr(lease) == f"<prontodb.Lease '{LOCK}', token={lease.token}>"
        assert "by me on" in home.run("claim", LOCK, "--ttl", "5s").err
        with pytest.raises(prontodb.LeaseHeld) as caught:
            db.claim(LOCK)
        assert (caught.value.code, caught.value.address) == (3, LOCK)
    assert (LOCK in db, lease.released) == (False, True)
    with db.claim(LOCK) as again:
        assert again.token > lease.token


def test_a_lease_is_renewed_by_a_thread_while_another_writes_behind_it(db: prontodb.Database) -> None:
    written = []

    def work(lease: prontodb.Lease) -> None:
        over = time.monotonic() + 2.5 * SHORT
        while time.monotonic() < over:
            written.append(db.incr("w.n.count", fence=lease))

    with db.claim(LOCK, SHORT) as lease:
        thread = threading.Thread(target=work, args=(lease,))
        thread.start()
        thread.join(60)
        with pytest.raises(prontodb.LeaseHeld):
            db.claim(LOCK)
    assert written == list(range(1, len(written) + 1))
    assert len(written) > 10


def test_a_lease_is_renewed_while_another_thread_has_the_turn_to_write(db: prontodb.Database) -> None:
    with db.claim(LOCK, SHORT) as lease:
        db.set("w.n.k", b"v")
        done = threading.Event()

        def hog() -> None:
            with db._seats.turn():
                done.wait(60)

        thread = threading.Thread(target=hog)
        thread.start()
        time.sleep(3 * SHORT)
        assert not lease.lost
        done.set()
        thread.join(60)
    assert LOCK not in db


def test_a_lease_that_is_lost_raises_at_the_end_of_the_block(home: Home, db: prontodb.Database) -> None:
    with pytest.raises(prontodb.LeaseLost), db.claim(LOCK, SHORT) as lease:  # noqa: PT012 - the end of the block raises
        lose(home)
        until(lambda: lease.lost)
    with pytest.raises(prontodb.LeaseLost), db.claim(LOCK, "1h") as lease:
        # No renewal has seen it.
        lose(home)
    assert not lease.released


def test_a_lease_that_others_have_by_now_stays_theirs(home: Home, db: prontodb.Database) -> None:
    with pytest.raises(prontodb.LeaseLost), db.claim(LOCK, "1h") as lease:  # noqa: PT012 - the end of the block raises
        lose(home)
        token = int(home.run("claim", LOCK, "--ttl", "1h").out)
        with pytest.raises(prontodb.LeaseLost):
            lease.renew()
        with pytest.raises(prontodb.LeaseLost):
            lease.release()
    assert db.entry(LOCK).revision == token


def test_what_the_block_raises_counts_more_than_a_lost_lease(home: Home, db: prontodb.Database) -> None:
    with pytest.raises(ZeroDivisionError), db.claim(LOCK, SHORT) as lease:  # noqa: PT012 - the end of the block raises
        lose(home)
        until(lambda: lease.lost)
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), db.claim(LOCK, "1h"):  # noqa: PT012 - likewise
        # No renewal has seen it.
        lose(home)
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), db.claim(LOCK):
        raise ZeroDivisionError
    assert LOCK not in db


def test_a_lease_without_a_block_is_the_callers_to_renew_and_release(home: Home) -> None:
    now = [1000.0]
    with prontodb.open(environ=home.env, clock=lambda: now[0]) as db:
        lease = db.claim(LOCK, "1m")
        now[0] += 50
        lease.renew()
        assert db.ttl(LOCK) == 60
        lease.renew(timedelta(minutes=5))
        assert db.ttl(LOCK) == 300
        lease.release()
        assert LOCK not in db
        with pytest.raises(prontodb.LeaseLost):
            lease.release()
        with pytest.raises(prontodb.LeaseLost), lease:
            raise AssertionError


def test_a_lease_may_be_released_before_the_end_of_its_block(db: prontodb.Database) -> None:
    with db.claim(LOCK, SHORT) as lease:
        lease.release()
        time.sleep(SHORT)
        assert not lease.lost
        with pytest.raises(prontodb.LeaseLost):
            db.set("w.n.k", b"v", fence=lease)
    with db.claim(LOCK), pytest.raises(prontodb.LeaseHeld):
        db.claim(LOCK)


def test_a_renewal_in_a_block_counts_for_the_rest_of_it(db: prontodb.Database) -> None:
    before = threading.active_count()
    with db.claim(LOCK, SHORT) as lease:
        lease.renew("1h")
        time.sleep(SHORT)
        assert (db.ttl(LOCK) or 0) > 3000
        lease.renew(SHORT)
        time.sleep(2 * SHORT)
        assert not lease.lost
        assert threading.active_count() == before + 1
        assert LOCK in db
    assert threading.active_count() == before


def test_whoever_waits_for_a_lease_gets_it(db: prontodb.Database) -> None:
    order = []

    def work() -> None:
        with db.claim(LOCK, wait="1m"):
            order.append("in")
            time.sleep(0.05)
            order.append("out")

    threaded(work)
    assert order == ["in", "out"] * 4
    with db.claim(LOCK):
        for wait in (0, 0.1, "1s", timedelta(milliseconds=10)):
            with pytest.raises(prontodb.TimedOut) as caught:
                db.claim(LOCK, wait=wait)
            assert (caught.value.code, caught.value.address) == (5, LOCK)


@pytest.mark.parametrize("wait", [-1, "junk", float("nan"), float("inf"), timedelta(seconds=-1)])
def test_a_time_to_wait_that_is_none_is_refused(db: prontodb.Database, wait: Any) -> None:
    with pytest.raises(prontodb.UsageError):
        db.claim(LOCK, wait=wait)
    for none in (True, b"1", [1]):
        with pytest.raises(TypeError):
            db.claim(LOCK, wait=none)  # type: ignore[arg-type]
    assert LOCK not in db


def test_a_lease_of_the_commands_is_kept_here(home: Home, db: prontodb.Database) -> None:
    token = int(home.run("claim", LOCK, "--ttl", "1m").out)
    with db.lease(LOCK, token, "1h") as lease:
        assert lease.token == token
        assert (db.ttl(LOCK) or 0) > 3000
        db.set("w.n.k", b"v", fence=(LOCK, token))
    assert LOCK not in db
    with pytest.raises(prontodb.LeaseLost):
        db.lease(LOCK, token).renew()


def test_below_a_claim_of_the_commands_its_lease_is_a_fence(home: Home) -> None:
    script = home.folder / "deploy.py"
    script.write_text(BELOW)
    done = home.run("claim", LOCK, "--", sys.executable, str(script))
    assert (done.status, done.out, done.err) == (0, b"refused", "")


BELOW = """
import os, prontodb
with prontodb.open() as db:
    lease, token = os.environ["PRONTO_LEASE"], int(os.environ["PRONTO_TOKEN"])
    db.set("w.n.k", b"v", fence=(lease, token))
    try:
        db.set("w.n.k", b"w", fence=(lease, token + 1))
    except prontodb.LeaseLost:
        print("refused", end="")
"""


def test_every_write_behind_a_stale_fence_is_refused_and_changes_nothing(db: prontodb.Database) -> None:
    db.set("w.n.k", "1")
    lease = db.claim(LOCK)
    lease.release()
    calls: list[Callable[[Any], Any]] = [
        lambda fence: db.set("w.n.k", b"2", fence=fence),
        lambda fence: db.set_many({"w.n.k": b"2"}, fence=fence),
        lambda fence: db.delete("w.n.k", fence=fence),
        lambda fence: db.delete("w.n.k", fence=fence, purge=True),
        lambda fence: db.incr("w.n.k", fence=fence),
        lambda fence: db.decr("w.n.k", fence=fence),
        lambda fence: db.append("w.n.k", b"2", fence=fence),
        lambda fence: db.push("w.n.jobs", b"2", fence=fence),
    ]
    for call in calls:
        for fence in (lease, (LOCK, lease.token), (LOCK.encode(), 10**17)):
            with pytest.raises(prontodb.LeaseLost):
                call(fence)
    assert {entry.key: entry.value for entry in db.scan("w.n")} == {"k": b"1"}
    with db.claim(LOCK) as held:
        for call in calls:
            call(held)
    # 2, 2, gone, gone, 1, 0, "02".
    assert (db.get("w.n.k"), db.pop("w.n.jobs")) == (b"02", b"2")


def test_what_is_no_fence_is_refused(home: Home, db: prontodb.Database) -> None:
    for number in (0, -1, 10**18):
        with pytest.raises(prontodb.UsageError):
            db.set("w.n.k", b"v", fence=(LOCK, number))
    for wrong in ("1", True, None, 1.5):
        with pytest.raises(TypeError):
            db.set("w.n.k", b"v", fence=(LOCK, wrong))  # type: ignore[arg-type]
    for strange in ("w.lock.d", 5, (LOCK,), [LOCK, 5], db):
        with pytest.raises(TypeError):
            db.set("w.n.k", b"v", fence=strange)  # type: ignore[arg-type]
    with pytest.raises(prontodb.InvalidAddress):
        db.set("w.n.k", b"v", fence=("a..b", 5))
    assert list(db.keys("w.n")) == []


def test_a_lease_of_another_tenant_or_database_is_no_fence_here(home: Home, db: prontodb.Database) -> None:
    for other in ({"meta": "acme"}, {"user": "bob"}, {"database": "other"}):
        with prontodb.open(environ=home.env, **other) as there, there.claim(LOCK) as lease:  # type: ignore[arg-type]
            with pytest.raises(prontodb.UsageError):
                db.set("w.n.k", b"v", fence=lease)
            with prontodb.open(environ=home.env, **other) as same:  # type: ignore[arg-type]
                same.set("w.n.k", b"v", fence=lease)
    assert "w.n.k" not in db
    (home.folder / "link.db").symlink_to(home.database)
    with prontodb.open(f"{home.folder}/link.db", environ=home.env) as linked, db.claim(LOCK) as lease:
        linked.set("w.n.k", b"v", fence=lease)


def test_a_file_that_a_fence_keeps_out_is_rescued(db: prontodb.Database) -> None:
    for call in (db.set, db.append, db.push):
        with pytest.raises(prontodb.Rescued) as caught:
            call("w.n.k", io.BytesIO(b"precious"), fence=(LOCK, 5))  # type: ignore[operator]
        assert (caught.value.slug, db.get(caught.value.rescued)) == ("lease-lost", b"precious")
    assert list(db.keys("w.n")) == []


def test_closing_the_database_under_a_lease_is_the_end_of_it(home: Home) -> None:
    db = prontodb.open(environ=home.env)
    with pytest.raises(prontodb.LeaseLost, match="renewed: The database is closed"), db.claim(LOCK, SHORT) as lease:  # noqa: PT012 - likewise
        db.close()
        until(lambda: lease.lost)
    db = prontodb.open(environ=home.env)
    with pytest.warns(UserWarning, match="left to end by itself"), db.claim("w.lock.other", "1h"):
        db.close()


def test_a_fork_leaves_the_lease_to_the_parent(home: Home) -> None:
    done = python(home, FORKED, "-W", "error")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "0\n")


FORKED = """
import os, sys, time, prontodb
db = prontodb.open()
child = 0
try:
    with db.claim("w.lock.d", 2) as lease:
        child = os.fork()
        if not child:
            db.set("w.n.child", b"v", fence=lease)
            sys.exit()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        time.sleep(4)
        assert "w.lock.d" in db and not lease.lost
    assert "w.lock.d" not in db and db.get("w.n.child") == b"v"
finally:
    db.close()
print(status)
"""


def test_no_thread_is_left_when_the_block_is_over(db: prontodb.Database) -> None:
    before = threading.active_count()
    for _ in range(5):
        with db.claim(LOCK):
            assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_a_server_keeps_leases_and_queues_too(home: Home, pg: Server) -> None:
    served = Served(pg)
    served.grant("")
    with prontodb.open(served.url(), environ=home.env) as db:
        with db.claim(LOCK, SHORT) as lease:
            time.sleep(2 * SHORT)
            db.set("w.n.k", b"v", fence=lease)
            db.push("w.q.jobs", b"one", fence=lease)
        with pytest.raises(prontodb.LeaseLost):
            db.incr("w.n.c", fence=lease)
        with db.take("w.q.jobs") as item:
            assert item.value == b"one"
        assert db.pop("w.q.jobs") is None


# Queues


def test_items_come_out_in_the_order_in_which_they_went_in(home: Home, db: prontodb.Database) -> None:
    addresses = [db.push("w.q.jobs", value) for value in (b"one", "two", io.BytesIO(b"three"), LARGE)]
    assert [address.rpartition("/")[0] for address in addresses] == ["w.q.jobs"] * 4
    assert [f"w.q.{name}" for name in db.keys("w.q.jobs")] == addresses
    assert home.run("pop", "w.q.jobs").out == b"one"
    assert [db.pop("w.q.jobs") for _ in range(4)] == [b"two", b"three", LARGE, None]
    assert db.pop("w.q.jobs", b"nothing") == b"nothing"
    db.push("w.q.jobs", b"short", ttl="1h")
    assert (db.ttl(f"w.q.{next(db.keys('w.q.jobs'))}") or 0) > 3000


def test_an_item_that_is_worked_on_is_hidden_and_gone_when_it_is_done(db: prontodb.Database) -> None:
    db.push("w.q.jobs", "work")
    with db.take("w.q.jobs", SHORT) as item:
        assert (item.value, item.text, item.address) == (b"work", "work", f"w.q.{next(db.keys('w.q.jobs'))}")
        assert repr(item) == f"<prontodb.Item '{item.address}', 4 bytes>"
        # Longer than the lease: it is renewed.
        time.sleep(2 * SHORT)
        assert db.pop("w.q.jobs") is None
        db.set("w.n.result", b"v", fence=item.lease)
    assert list(db.keys("w.q")) == []
    with pytest.raises(prontodb.Miss):
        db.take("w.q.jobs")


def test_an_item_whose_work_fails_stays_hidden_until_its_lease_is_over(db: prontodb.Database) -> None:
    db.push("w.q.jobs", b"one")
    db.push("w.q.jobs", b"two")
    with pytest.raises(ZeroDivisionError), db.take("w.q.jobs", SHORT):
        raise ZeroDivisionError
    assert (db.pop("w.q.jobs"), db.pop("w.q.jobs")) == (b"two", None)
    assert db.pop("w.q.jobs", wait=60) == b"one"


def test_an_item_is_settled_by_hand_or_by_its_id(home: Home, db: prontodb.Database) -> None:
    for value in (b"one", b"two", b"three"):
        db.push("w.q.jobs", value)
    item = db.take("w.q.jobs")
    item.nack()
    with db.take("w.q.jobs", SHORT) as item:
        assert item.value == b"one"
        item.ack()
        time.sleep(SHORT)
    with pytest.raises(prontodb.LeaseLost):
        item.ack()
    assert home.run("ack", "w.q.jobs", db.take("w.q.jobs").id).status == 0
    told = json.loads(home.run("pop", "w.q.jobs", "--lease", "1h", "--json").out)
    db.nack("w.q.jobs", told["id"])
    with pytest.raises(prontodb.LeaseLost):
        db.ack("w.q.jobs", told["id"])
    db.ack("w.q.jobs", db.take("w.q.jobs").id)
    assert list(db.keys("w.q")) == []
    with pytest.raises(prontodb.UsageError):
        db.ack("w.q.jobs", "nonsense")
    with pytest.raises(TypeError):
        db.ack("w.q.jobs", 5)  # type: ignore[arg-type]


def test_an_item_whose_lease_is_lost_raises_and_is_not_deleted(home: Home, db: prontodb.Database) -> None:
    db.push("w.q.jobs", b"one")
    with pytest.raises(prontodb.LeaseLost), db.take("w.q.jobs") as item:
        lose(home, item.lease.address)
    assert db.pop("w.q.jobs") == b"one"


def test_four_threads_do_each_item_once_whatever_fails(db: prontodb.Database) -> None:
    done: list[str] = []
    failed: set[str] = set()

    def fail_once(text: str) -> None:
        if text.endswith("0") and text not in failed:
            failed.add(text)
            raise ZeroDivisionError

    def work() -> None:
        while len(done) < 60:
            try:
                with db.take("w.q.jobs", SHORT) as item:
                    fail_once(item.text)
                    done.append(item.text)
            except (ZeroDivisionError, prontodb.Miss):
                time.sleep(0.01)

    for number in range(60):
        db.push("w.q.jobs", str(number))
    threaded(work)
    assert sorted(done, key=int) == [str(number) for number in range(60)]
    assert len(failed) == 6
    assert list(db.keys("w.q")) == []


def test_whoever_waits_for_an_item_gets_it(db: prontodb.Database) -> None:
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(db.pop("w.q.jobs", wait="1m"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(3):
        db.push("w.q.jobs", str(number))
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [b"0", b"1", b"2"]
    with pytest.raises(prontodb.TimedOut):
        db.pop("w.q.jobs", b"not this", wait=0.05)


@pytest.mark.parametrize("queue", ["w.q.jobs__prod", "w..q", "w.q." + "x" * 250])
def test_what_is_no_queue_is_refused(db: prontodb.Database, queue: str) -> None:
    source = io.BytesIO(b"unread")
    for call in (lambda: db.push(queue, source), lambda: db.pop(queue), lambda: db.take(queue), lambda: db.ack(queue, "1-2")):
        with pytest.raises(prontodb.UsageError):
            call()
    assert source.tell() == 0


# Secrets


def test_a_secret_is_one_for_the_command_too(home: Home, db: prontodb.Database) -> None:
    db.set("w.n.key", b"hunter2", secret=True)
    assert home.run("get", "w.n.key").status == 6
    db.set("w.n.key", b"hunter3")
    assert home.run("get", "w.n.key").status == 6
    assert (db.get("w.n.key"), db.entry("w.n.key").secret, db.entry("w.n.key").text) == (b"hunter3", True, "hunter3")
    assert "hunter3" not in repr(db.entry("w.n.key")) + repr(list(db.scan("w.n")))
    db.set("w.n.key", b"known", secret=False)
    assert (home.run("get", "w.n.key").out, db.entry("w.n.key").secret) == (b"known", False)
    db.set("w.sec.key", b"hunter2")
    assert [entry.secret for entry in (db.entry("w.sec.key"), *db.scan("w.sec"), *db.scan("w.sec", context="x"))] == [True] * 3


def test_a_secret_that_could_not_be_stored_is_rescued_as_one(home: Home, db: prontodb.Database) -> None:
    db.set("w.n.key", b"there")
    for source in (io.BytesIO(b"hunter2"), io.BytesIO(LARGE)):
        with pytest.raises(prontodb.Rescued) as caught:
            db.set("w.n.key", source, if_absent=True, secret=True)
        assert home.run("get", caught.value.rescued).status == 6
        assert db.get(caught.value.rescued) in (b"hunter2", LARGE)


def until(found: Callable[[], bool]) -> None:
    """Waits until it is so."""
    over = time.monotonic() + 60
    while not found():
        assert time.monotonic() < over
        time.sleep(0.02)


def test_a_lease_that_is_forgotten_ends_by_itself_and_keeps_nothing_alive(home: Home) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with prontodb.open(environ=home.env) as db:
            db.claim(LOCK, SHORT)
            gc.collect()
            with db.claim(LOCK, wait=60):
                pass
