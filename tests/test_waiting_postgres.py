"""`wait` and `watch` on a PostgreSQL server: woken across connections, by this meta alone, and through the loss of the line or the server."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from .conftest import Home
from .pgproxy import Proxy
from .pgserver import Database, Server
from .test_waiting import LONG, asleep, brief, event, started, watching


@pytest.fixture(scope="module")
def served(pg: Server) -> Database:
    """One for the tests of this file."""
    made = Database(pg)
    made.grant("")
    made.grant("acme")
    return made


@pytest.fixture
def remote(home: Home, served: Database) -> Home:
    """A home whose database is on the server, and empty."""
    served.empty()
    home.env["PRONTO_DB"] = served.url()
    return home


@pytest.fixture
def line(served: Database) -> Iterator[Proxy]:
    """A line to the server that can be cut."""
    proxy = Proxy(served.server.port)
    yield proxy
    proxy.close()


def by(line: Proxy, served: Database) -> dict[str, str]:
    """The environment of a command that goes by that line, and gives up on it soon."""
    return {"PRONTO_DB": served.url().replace(str(served.server.port), str(line.port)), "PRONTO_BUSY_TIMEOUT": "1"}


def test_a_change_of_this_meta_wakes_it(remote: Home) -> None:
    with started(remote, "wait", "p.n.k == new") as process, watching(remote, "p.n") as watch:
        asleep(process)
        remote.run("set", "p.n.k", "new", "--meta", "acme")
        time.sleep(0.5)
        assert (process.poll(), watch.poll()) == (None, None)
        remote.run("set", "p.n.k", "new")
        assert process.wait(LONG) == 0
        assert brief(event(watch)) == ("set", "p.n.k", "new")
        remote.run("expire", "p.n.k", "1")
        assert [event(watch)["event"] for _ in range(2)] == ["lifetime", "expired"]
        remote.run("set", "p.n.large", "-", stdin=b"x" * 20_000)
        assert len(event(watch)["value"]) == 20_000
        remote.run("del", "p.n.large")
        assert brief(event(watch)) == ("deleted", "p.n.large", None)
    assert remote.run("wait", "--count", "p.n", ">= 1", "--timeout", "0.3").status == 5


def test_a_line_that_is_cut_is_found_again(remote: Home, served: Database, line: Proxy) -> None:
    with started(remote, "wait", "p.n.k == new", env=by(line, served)) as process, watching(remote, "p.n", env=by(line, served)) as watch:
        asleep(process)
        for sock in list(line._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(2)
        remote.run("set", "p.n.k", "new")
        assert process.communicate(timeout=LONG) == (b"", b"")
        assert process.returncode == 0
        assert brief(event(watch)) == ("set", "p.n.k", "new")


def test_a_server_that_is_away_is_waited_for_and_told_of_once(remote: Home, served: Database) -> None:
    env = {"PRONTO_BUSY_TIMEOUT": "0.5"}
    with started(remote, "wait", "p.n.k == new", env=env) as process, started(remote, "wait", "p.n.no", "--timeout", "3", env=env) as timed:
        asleep(process)
        asleep(timed)
        served.server.stop()
        assert timed.wait(LONG) == 5
        assert timed.stderr
        said = timed.stderr.read().decode()
        assert said.count("waiting all the same") == 1
        assert "Not so after 3s: p.n.no (Cannot reach postgresql://" in said
        served.server.start()
        remote.run("set", "p.n.k", "new")
        out, err = process.communicate(timeout=LONG)
        assert (process.returncode, out, err.count(b"waiting all the same")) == (0, b"", 1)


def test_a_server_that_is_not_there_at_first_is_an_error(remote: Home) -> None:
    away = {"PRONTO_DB": "postgresql://agent@127.0.0.1:1/none", "PRONTO_BUSY_TIMEOUT": "0.2"}
    for argv in (("wait", "p.n.k"), ("watch", "p.n")):
        done = remote.run(*argv, env=away)
        assert (done.status, done.err.startswith("prontodb: Cannot reach")) == (5, True)
