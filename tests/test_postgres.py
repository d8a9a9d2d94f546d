"""The PostgreSQL engine under faults of the server and of the line to it, and under many writers at once."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from prontodb.address import Address, Place
from prontodb.engines import pg_link
from prontodb.engines.failures import NewerDatabase, PreconditionFailed, ReadOnlyDatabase
from prontodb.engines.pg_failures import NotDurable, SchemaMissing, Unconfirmed
from prontodb.engines.pg_roles import LONGEST, owner_of, role_of
from prontodb.engines.pg_schema import VERSION
from prontodb.engines.postgres import PostgresEngine
from prontodb.engines.sqlite import SqliteEngine
from prontodb.errors import Busy, Denied, InvalidDatabase, StorageError
from prontodb.model import PIECE, Content, Write

from .conftest import COMMAND, Home
from .helping import script
from .pgproxy import Proxy
from .pgserver import Database, Server, children, send, unprivileged

NOW = 1_000_000_000
PLACE = Place("p", "n")
SOON = {"PRONTO_BUSY_TIMEOUT": "0.3"}


def at(name: str) -> Address:
    """An address in the place `p.n`."""
    return Address("p", "n", name)


def put(engine: Any, name: str, value: bytes = b"v", **write: Any) -> int:
    """Stores a value; the revision."""
    return int(engine.put(at(name), Content.of(value), Write(**write), NOW))


def value(engine: Any, name: str) -> bytes | None:
    """A value; None where there is none."""
    found = engine.get(at(name), NOW)
    return None if found is None else found.read()


@pytest.fixture(scope="module")
def database(pg: Server) -> Database:
    """One for the tests of this file."""
    return Database(pg)


@pytest.fixture
def db(database: Database) -> Iterator[PostgresEngine]:
    """An engine of no meta on an empty database."""
    database.empty()
    engine = database.engine()
    yield engine
    engine.close()


@pytest.fixture
def proxied(database: Database, db: PostgresEngine) -> Iterator[tuple[Proxy, PostgresEngine]]:
    """An engine that reaches the server over a line that can be cut."""
    proxy = Proxy(database.server.port)
    url = database.url().replace(str(database.server.port), str(proxy.port))
    engine = PostgresEngine(url, ("default", ""), lambda: 1.0)
    yield proxy, engine
    engine.close()
    proxy.close()


@pytest.fixture
def lone() -> Iterator[Database]:
    """A database on a server of its own, which a test may kill."""
    server = Server()
    try:
        server.init()
        server.start()
        yield Database(server, "lone")
    finally:
        server.remove()


def all_at_once(work: Callable[[int], Any], count: int = 8) -> list[Any]:
    """Runs it in threads that begin at one moment; what each returned."""
    barrier, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        barrier.wait()
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results


# Order


def names(count: int) -> list[str]:
    """Names of any characters, many of them neighbours at the edges of UTF-8's lengths."""
    dice = random.Random(8)
    edges = "\x01 %_-/@+~\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U000323afaAzZ0ßäéﬁ日本𐎀𱍊"
    return list({"".join(dice.choice(edges) for _ in range(dice.randint(1, 12))) for _ in range(count * 2)})[:count]


def test_order_and_prefixes_are_those_of_sqlite(db: PostgresEngine, tmp_path: Path) -> None:
    sqlite = SqliteEngine(str(tmp_path / "x.db"), "", lambda: 5.0)
    wanted = names(2000)
    assert len(wanted) == 2000
    for engine in (db, sqlite):
        engine.put_many([(at(name), Content.of(name.encode())) for name in wanted], Write(), NOW)
    listed = db.names(PLACE, "", 3000, NOW)
    assert listed == sqlite.names(PLACE, "", 3000, NOW) == sorted(wanted, key=str.encode)
    prefixes = {name[:length] for name in wanted for length in (1, 2)}
    assert len(prefixes) > 300
    for prefix in prefixes:
        place = Place("p", "n", prefix)
        assert db.names(place, "", 3000, NOW) == sqlite.names(place, "", 3000, NOW), prefix
    sqlite.close()


# Many writers


def test_compare_and_set_is_exact(database: Database, db: PostgresEngine) -> None:
    """8 x 25 increments by reading, adding and storing over the revision that was read."""
    put(db, "n", b"0")

    def work(_: int) -> None:
        with contextlib.closing(database.engine()) as mine:
            for _ in range(25):
                while True:
                    found = mine.get(at("n"), NOW)
                    try:
                        put(mine, "n", b"%d" % (int(found.read()) + 1), revision=found.entry.revision)
                        break
                    except PreconditionFailed:
                        continue

    all_at_once(work)
    assert value(db, "n") == b"200"


def test_increments_are_exact(database: Database, db: PostgresEngine) -> None:
    def work(_: int) -> list[int]:
        with contextlib.closing(database.engine()) as mine:
            return [mine.increment(at("n"), 1, NOW) for _ in range(25)]

    assert sorted(number for given in all_at_once(work) for number in given) == list(range(1, 201))


def test_of_movers_one_wins(database: Database, db: PostgresEngine) -> None:
    for round_ in range(5):
        source = f"from{round_}"
        put(db, source, b"moved")

        def work(number: int, source: str = source) -> bool:
            with contextlib.closing(database.engine()) as mine:
                return bool(mine.copy(at(source), at(f"{source}-to{number}"), Write(), NOW, move=True))

        assert sorted(all_at_once(work)) == [False] * 7 + [True]
        assert len(db.names(Place("p", "n", source), "", 10, NOW)) == 1


def test_no_batch_is_seen_in_part(database: Database, db: PostgresEngine) -> None:
    """A reader beside a writer of batches, a part of each large, sees one batch or the next."""
    stop = threading.Event()

    def batch(number: int) -> list[tuple[Address, Content]]:
        return [(at(f"k{n}"), Content.of(b"%d" % number * (PIECE + 5 if n == 0 else 5))) for n in range(30)]

    def write() -> None:
        with contextlib.closing(database.engine()) as mine:
            number = 0
            while not stop.is_set():
                mine.put_many(batch(number % 9 + 1), Write(), NOW)
                number += 1

    db.put_many(batch(9), Write(), NOW)
    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    for _ in range(60):
        digits = {entry.value[:1] for entry in db.entries(PLACE, "", 100, NOW) if entry.value}
        assert len(digits) == 1
        seen |= digits
        whole = value(db, "k0")
        assert whole is not None
        assert set(whole) == {whole[0]}
    stop.set()
    writer.join()
    assert len(seen) > 2


def test_tenants_do_not_wait_for_each_other(database: Database, db: PostgresEngine) -> None:
    """A write of one meta that is held up holds up that meta alone, whose next writer is told in time."""
    put(db, "k")
    import psycopg2

    holder = psycopg2.connect(database.url("postgres").partition("?")[0])
    holder.cursor().execute("SELECT 1 FROM prontodb.tenant FOR UPDATE")
    other = database.engine("elsewhere", timeout=0.3)
    put(other, "k")
    impatient = database.engine(timeout=0.3)
    began = time.monotonic()
    with pytest.raises(Busy, match="busy"):
        put(impatient, "k", b"new")
    assert time.monotonic() - began < 5
    holder.close()
    put(impatient, "k", b"new")
    for engine in (other, impatient):
        engine.close()


def test_a_load_stores_each_with_its_lifetime(db: PostgresEngine) -> None:
    """Small and large, near and far apart; of equal addresses the last counts, and a fault leaves everything as it was."""
    db.set_default_ttl("p", "other", 9, NOW)
    large = b"x" * (2 * PIECE)
    items = [(at(f"k{n % 700}"), Content.of(b"%d" % n), (5, 0, None)[n % 3]) for n in range(2100)]
    items += [(Address("p", "other", "d"), Content.of(b"d"), None), (at("big"), Content.of(large), 7), (at("big"), Content.of(b"s"), 7)]
    items += [(at("big"), Content.of(large[1:]), 7)]
    assert db.load(iter(items), NOW) == 2104

    def entry(name: str, namespace: str = "n") -> tuple[bytes, int | None, int]:
        found = db.get(Address("p", namespace, name), NOW)
        assert found is not None
        return found.read(), found.entry.expires, found.entry.revision

    assert [entry(f"k{n % 700}")[:2] for n in (2097, 2098, 2099)] == [(b"2097", NOW + 5), (b"2098", None), (b"2099", None)]
    assert entry("d", "other")[:2] == (b"d", NOW + 9)
    assert entry("big")[:2] == (large[1:], NOW + 7)
    assert put(db, "later") > max(entry("big")[2], entry("k699")[2])
    before = [entry("big"), len(db.names(PLACE, "", 5000, NOW))]

    def broken() -> Iterator[tuple[Address, Content, None]]:
        for number in range(3000):
            yield at(f"new{number}"), Content.of(b"v"), None
        raise KeyError

    with pytest.raises(KeyError):
        db.load(broken(), NOW)
    assert [entry("big"), len(db.names(PLACE, "", 5000, NOW))] == before


# The line breaks


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_whose_answer_is_lost_is_found_out(proxied: tuple[Proxy, PostgresEngine], db: PostgresEngine, cut: str) -> None:
    """Each change is made exactly once, whether the line broke before the server committed or after."""
    proxy, mine = proxied
    put(mine, "n", b"1")
    put(mine, "moved", b"m")
    items = [(at("a"), Content.of(b"1")), (at("b"), Content.of(b"2"))]
    changes: list[Callable[[], Any]] = [
        lambda: mine.increment(at("n"), 1, NOW),
        lambda: put(mine, "new", absent=True) > 0,
        lambda: mine.copy(at("moved"), at("there"), Write(), NOW, move=True),
        lambda: mine.delete([at("new"), at("never")], NOW),
        lambda: mine.put_many(iter(items) if cut == "after" else items, Write(), NOW),
        lambda: mine.expire(at("there"), NOW + 9, NOW),
        lambda: mine.set_default_ttl("p", "n", 5, NOW),
        lambda: mine.set_default_ttl("p", "n", None, NOW),
    ]
    results = []
    for change in changes:
        proxy.cut = cut
        results.append(change())
        assert proxy.cut == ""
    assert results == [2, True, True, [at("new")], 2, True, True, True]
    assert value(db, "n") == b"2"
    assert db.names(PLACE, "", 10, NOW) == ["a", "b", "n", "there"]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_what_cannot_be_found_out_is_said_or_done_again(
    proxied: tuple[Proxy, PostgresEngine], database: Database, db: PostgresEngine, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write before this one can look: what may be done twice is done again, of the rest nobody knows."""
    proxy, mine = proxied
    put(mine, "n", b"1")
    find_out = pg_link.Link._find_out

    def late(link: Any, token: bytes) -> Any:
        put(db, "other")
        put(db, "other")
        return find_out(link, token)

    monkeypatch.setattr(pg_link.Link, "_find_out", late)
    proxy.cut = cut
    with pytest.raises(Unconfirmed) as caught:
        mine.increment(at("n"), 1, NOW)
    assert caught.value.code == 5
    proxy.cut = cut
    assert put(mine, "k", b"again") > 0
    assert value(db, "k") == b"again"
    proxy.cut = cut
    assert mine.delete([at("k")], NOW) == [at("k")]


def test_an_iterator_that_was_read_is_not_begun_again(proxied: tuple[Proxy, PostgresEngine], db: PostgresEngine) -> None:
    proxy, mine = proxied
    put(mine, "k")
    proxy.cut = "before"
    with pytest.raises(Busy, match="none was"):
        mine.put_many(iter([(at("a"), Content.of(b"1"))]), Write(), NOW)
    assert db.names(PLACE, "", 10, NOW) == ["k"]


def test_silence_is_bounded(proxied: tuple[Proxy, PostgresEngine]) -> None:
    """A server that says nothing any more, in the middle of a session or from the start: an error in time, and no hang."""
    proxy, mine = proxied
    put(mine, "k")
    proxy.silent = True
    for call in (lambda: value(mine, "k"), lambda: put(mine, "k"), lambda: value(mine, "k")):
        began = time.monotonic()
        with pytest.raises(Busy) as caught:
            call()
        assert caught.value.code == 5
        assert time.monotonic() - began < 6
    proxy.silent = False
    assert value(mine, "k") == b"v"


def test_a_connection_that_died_at_rest_is_replaced(database: Database, db: PostgresEngine) -> None:
    """Between two calls of a process that stays, the server may drop the connection: nobody notices."""
    for verb in (lambda: value(db, "k"), lambda: put(db, "k"), lambda: db.increment(at("n"), 1, NOW)):
        put(db, "k")
        db.rest()
        database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'agent'")
        time.sleep(0.05)
        assert verb() is not None


def test_a_connection_that_rests_for_long_is_ended(database: Database, db: PostgresEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the server, and nobody notices."""
    monkeypatch.setattr(pg_link, "IDLE", 0.2)
    put(db, "k")
    db.rest()
    _until(lambda: database.sql("SELECT 1 FROM pg_stat_activity WHERE usename = 'agent'") == [])
    assert value(db, "k") == b"v"


def test_at_rest_it_holds_nothing(database: Database, db: PostgresEngine) -> None:
    """The connection stays, idle, outside of any transaction; a large value that was begun lets go of its own."""
    put(db, "large", b"x" * (3 * PIECE))
    found = db.get(at("large"), NOW)
    assert found is not None
    next(found.pieces)
    db.rest()
    time.sleep(0.1)
    assert database.sql("SELECT state FROM pg_stat_activity WHERE usename = 'agent'") == [("idle",)]
    assert database.sql("SELECT count(*) FROM pg_locks WHERE relation = 'prontodb.entry'::regclass") == [(0,)]


def test_a_transaction_that_stood_in_anothers_way_is_made_again(database: Database, db: PostgresEngine) -> None:
    """Serialization failures, which the server asks to be repeated: here every other write has one."""
    database.sql("CREATE SEQUENCE public.tries; GRANT ALL ON SEQUENCE public.tries TO PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC")
    database.sql(
        "CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('public.tries') % 2 = 1 THEN"
        " RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$"
    )
    database.sql("CREATE TRIGGER fail BEFORE INSERT ON prontodb.entry FOR EACH ROW EXECUTE FUNCTION public.fail()")
    try:
        assert [db.increment(at(name), 1, NOW) for name in ("a", "b", "c")] == [1, 1, 1]
        assert database.sql("SELECT last_value FROM public.tries") == [(6,)]
    finally:
        database.sql("DROP TRIGGER fail ON prontodb.entry; DROP FUNCTION public.fail(); DROP SEQUENCE public.tries")


# The server goes


def test_killed_it_loses_nothing_that_it_acknowledged(lone: Database) -> None:
    """-9 to all of its processes in the middle of writes, twice; 2,000 acknowledged writes and whatever was under way."""
    acknowledged: list[str] = []
    stop = threading.Event()
    lone.grant()

    def work(number: int) -> None:
        engine = lone.engine(timeout=20)
        for count in range(10_000):
            if stop.is_set():
                break
            name = f"w{number}-{count}"
            try:
                put(engine, name, name.encode(), absent=True)
            except Busy:
                continue
            acknowledged.append(name)
        engine.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for level in (700, 1400):
        _until(lambda level=level: len(acknowledged) > level)  # type: ignore[misc]
        lone.server.kill()
        time.sleep(0.2)
        lone.server.start()
    _until(lambda: len(acknowledged) >= 2000)
    stop.set()
    for thread in threads:
        thread.join(60)
    lone.server.kill()
    lone.server.start()
    engine = lone.engine()
    stored = {entry.name for entry in engine.entries(PLACE, "", 20_000, NOW)}
    engine.close()
    assert len(acknowledged) >= 2000
    assert set(acknowledged) <= stored


def _until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_content_for_a_server_that_is_gone_is_rescued(lone: Database, home: Home) -> None:
    """Piped while it is down: exit 4, kept here; copied over when it is back."""
    lone.grant()
    url = lone.url()
    assert home.run("set", "a.b.c", "before", "--database", url).status == 0
    lone.server.kill()
    content = bytes(range(256)) * 9000
    lost = home.run("set", "a.b.c", "--database", url, stdin=content, env=SOON)
    assert (lost.status, lost.out) == (4, b"")
    assert "Connection refused" in lost.err
    typed = home.run("set", "a.b.c", "typed", "--database", url, env=SOON)
    assert (typed.status, "PRONTO_BUSY_TIMEOUT" in typed.err) == (5, True)
    listed = home.run("rescue", "list", "--database", url, env=SOON)
    assert lost.rescued.removeprefix("pipe.cache.") in listed.out.decode()
    assert home.run("get", lost.rescued, "--database", url, env=SOON).out == content
    lone.server.start()
    assert home.run("get", "a.b.c", "--database", url).out == b"before"
    command = lost.err.split("Use: prontodb ")[1].split("\n")[0].replace("<proper.address>", "a.b.saved")
    assert home.shell(f"prontodb {command}").status == 0
    assert home.run("get", "a.b.saved", "--database", url).out == content
    assert home.run("rescue", "list", "--database", url).out == b""


def test_a_frozen_server_is_not_waited_for(lone: Database, home: Home) -> None:
    """Stopped, not dead: it takes connections and answers nothing."""
    lone.grant()
    process = lone.server.process
    assert process
    stopped = [process.pid, *children(process.pid)]
    for number in stopped:
        send(number, signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert home.run("get", "a.b.c", "--database", lone.url(), env=SOON).status == 5
        lost = home.run("set", "a.b.c", "--database", lone.url(), stdin=b"content", env=SOON)
        assert (lost.status, time.monotonic() - began < 10) == (4, True)
    finally:
        for number in stopped:
            send(number, signal.SIGCONT)
    assert home.run("get", lost.rescued, "--database", lone.url()).out == b"content"


def test_it_waits_for_a_server_that_comes_back(lone: Database, home: Home) -> None:
    """Within `busy_timeout`, a restart or a failover is not noticed."""
    lone.grant()
    home.run("set", "a.b.c", "v", "--database", lone.url())
    lone.server.kill()
    call = subprocess.Popen([COMMAND, "get", "a.b.c"], env=home.env | {"PRONTO_DB": lone.url(), "PRONTO_BUSY_TIMEOUT": "20"}, stdout=-1)
    time.sleep(1)
    lone.server.start()
    assert call.communicate(timeout=30)[0] == b"v"


# Durability


def test_settings_that_could_lose_writes_refuse_them(lone: Database, home: Home) -> None:
    """Reads are allowed; writes are not, and content that is piped is rescued here."""
    lone.grant()
    cluster = lone.url().replace("durability=local", "durability=quorum")
    bare = lone.url().partition("?")[0]
    assert home.run("set", "a.b.c", "v", "--database", lone.url()).status == 0
    for setting, local, wide in (
        ("ALTER ROLE agent SET synchronous_commit = off", False, False),
        ("ALTER ROLE agent SET synchronous_commit = local", True, False),
        ("ALTER ROLE agent SET synchronous_commit = remote_apply", True, False),
        ("ALTER SYSTEM SET fsync = off", False, False),
    ):
        lone.sql(setting)
        lone.sql("SELECT pg_reload_conf()")
        time.sleep(0.3)
        for url, allowed in ((lone.url(), local), (cluster, wide), (bare, wide)):
            assert home.run("get", "a.b.c", "--database", url).out == b"v"
            done = home.run("set", "a.b.c", "v", "--database", url)
            assert done.status == (0 if allowed else 1), (setting, url)
            assert allowed or "could lose" in done.err
        lost = home.run("set", "a.b.c", "--database", cluster, stdin=b"x", env=SOON)
        assert lost.status == 4
        assert home.run("get", lost.rescued, "--database", cluster).out == b"x"


def test_a_wait_for_standbys_that_is_called_off_is_no_success(lone: Database, home: Home) -> None:
    """No standby answers: the server commits, and says so with a warning. Nobody may be told that it is safe."""
    lone.grant()
    quorum = lone.url().replace("durability=local", "durability=quorum")
    lone.sql("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (ghost)'")
    lone.sql("SELECT pg_reload_conf()")
    time.sleep(0.3)
    began = time.monotonic()
    with contextlib.closing(PostgresEngine(quorum, ("default", ""), lambda: 0.5)) as engine, pytest.raises(Unconfirmed, match="standbys"):
        put(engine, "k")
    assert time.monotonic() - began < 5
    assert home.run("set", "a.b.c", "typed", "--database", quorum, env=SOON).status == 5
    lost = home.run("set", "a.b.c", "--database", quorum, stdin=b"content", env=SOON)
    assert lost.status == 4
    assert home.run("get", lost.rescued, "--database", quorum).out == b"content"
    # Nor is one where somebody else calls it off, and the server says that all is well, with a warning.
    cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with contextlib.closing(PostgresEngine(quorum, ("default", ""), lambda: 20)) as engine:
        for name in ("cancelled", "cancelled again"):
            lone.sql(cancel)
            threading.Timer(0.5, lone.sql, (cancel,)).start()
            with pytest.raises(Unconfirmed, match="called off"):
                put(engine, name)
        assert value(engine, "cancelled") == b"v"


# Bad input


BAD_URLS = [
    ("postgresql://agent@HOST/nosuch", "no such database"),
    ("postgresql://nosuch@HOST/DB", "no such user"),
    ("postgresql://careful:wrong-s3cr3t@HOST/DB", "wrong password"),
    ("postgresql://careful@HOST/DB", "a password is wanted"),
    ("postgresql://agent:s3cr3t@nosuch.invalid/DB", "no such host"),
    ("postgresql://agent:s3cr3t@127.0.0.1:1/DB", "Connection refused"),
    ("postgresql://agent:s3c@r3t:9@HOST/DB", "not a URL"),
    ("postgresql://agent:s3c@r3t@HOST/DB", "not a URL"),
    ("postgresql://agent:9/s3c@HOST/DB", "not a URL"),
    ("postgresql://agent:s3c/r3t@HOST/DB", "not a URL"),
    ("postgresql://agent:s3c?r3t@HOST/nosuch?durability=local", "no such database"),
    ("postgresql://agent:s3cr3t@HOST/DB?sslmode=require", "no encrypted connection"),
    ("postgresql://agent:s3cr3t@HOST", "names no database"),
    ("postgresql:///DB?password=s3cr3t", "names no host"),
    ("postgresql://agent:s3cr3t@h1:1,h2:2,h3:3/DB?port=1,2", "do not match"),
    ("postgresql://agent@HOST/DB?durability=wrong", "durability"),
    ("postgresql://agent@HOST/DB?passwort=s3cr3t", "not a URL"),
    ("mysql://agent:s3cr3t@HOST/DB", "no engine"),
]


@pytest.mark.parametrize(("url", "said"), BAD_URLS)
def test_a_bad_url_is_one_line_and_a_cure(database: Database, home: Home, url: str, said: str) -> None:
    """Which it is and what to do, and never a secret, wherever a database is shown."""
    hba = database.server.data / "pg_hba.conf"
    if "careful" not in hba.read_text():
        database.login("careful")
        database.server.sql("ALTER ROLE careful PASSWORD 'right'")
        hba.write_text("host all careful 127.0.0.1/32 scram-sha-256\n" + hba.read_text())
        database.server.sql("SELECT pg_reload_conf()")
        time.sleep(0.3)
    url = url.replace("HOST", f"127.0.0.1:{database.server.port}").replace("DB", database.name)
    for words in (
        ("get", "a.b.c"),
        ("set", "a.b.c", "v"),
        ("where",),
        ("rescue", "list"),
        ("admin", "postgres", "check"),
        ("get", "a.b.c", "--json"),
    ):
        done = home.call(*words, "--database", url, env=SOON)
        assert "s3c" not in done.err + done.out.decode()
        assert "Traceback" not in done.err
        if words[0] == "get" and "--json" not in words:
            assert (said in done.err, "Cure: " in done.err, done.err.count("\n")) == (True, True, 2), done.err
    lost = home.call("set", "a.b.c", "--database", url, stdin=b"content", env=SOON)
    assert (lost.status, "s3c" not in lost.err) == (4, True)
    kept = b"".join(file.read_bytes() for file in home.spool.iterdir())
    assert (b"content" in kept, b"s3c" in kept) == (True, False)


def test_passwords_come_from_where_they_belong(database: Database, home: Home) -> None:
    """~/.pgpass and PGPASSWORD of the call, not of this process; a cursor and a profile take none."""
    test_a_bad_url_is_one_line_and_a_cure(database, home, *BAD_URLS[2])
    database.grant("", "careful")
    url = database.url("careful")
    assert home.run("set", "a.b.c", "v", "--database", url).status == 1
    assert home.run("set", "a.b.c", "v", "--database", url, env={"PGPASSWORD": "right"}).status == 0
    passfile = home.folder / ".pgpass"
    passfile.write_text(f"127.0.0.1:{database.server.port}:*:careful:right\n")
    passfile.chmod(0o600)
    assert home.call("get", "a.b.c", "--database", url).out == b"v"
    secret = url.replace("careful@", "careful:right@")
    for words in (
        ("cursor", "set", "c", secret),
        ("profile", "add", "p", "--database", secret),
        ("shell", "wrapper", "f", "bash", "--database", secret),
    ):
        kept = home.run(*words)
        assert (kept.status, "keeps no password" in kept.err, "right" in kept.err, kept.out in (b"", b"false\n")) == (
            64,
            True,
            False,
            True,
        ), kept
    assert home.run("cursor", "set", "c", url).status == 0
    assert home.run("get", "a.b.c", "--cursor", "c").out == b"v"
    refused = home.run("get", "a.b.c", "--database", secret, env={"PRONTO_FORCE_DATABASE": url})
    assert (refused.status, "right" in refused.err) == (6, False)


def test_a_server_of_another_shape_is_told(database: Database, db: PostgresEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer schema, an older one, none at all, an older server, a standby."""
    put(db, "k")
    db.rest()
    for version, kind in ((99, NewerDatabase), (0, SchemaMissing)):
        database.sql(f"UPDATE prontodb.state SET version = {version}")
        with pytest.raises(kind):
            value(db, "k")
    database.sql(f"UPDATE prontodb.state SET version = {VERSION}")
    empty = f"{database.name}-empty"
    database.server.sql(f'CREATE DATABASE "{empty}"')
    with pytest.raises(SchemaMissing, match="No ProntoDB schema"):
        value(PostgresEngine(database.server.url(empty, "agent"), ("default", ""), lambda: 1.0), "k")
    read_only = database.engine(options="-c%20default_transaction_read_only%3Don")
    assert value(read_only, "k") == b"v"
    with pytest.raises(ReadOnlyDatabase):
        put(read_only, "k")
    read_only.close()
    monkeypatch.setattr(pg_link, "MINIMUM", 990000)
    with pytest.raises(StorageError, match=r"PostgreSQL 1\d: too old"):
        value(db, "k")


def test_without_the_driver_it_says_which_extra_to_install(home: Home) -> None:
    """Nothing is lost, and SQLite goes on as ever."""
    hide = "import sys; sys.modules['psycopg2'] = None; sys.argv[0] = 'prontodb'; from prontodb.__main__ import main; main()"
    argv = [sys.executable, "-c", hide, "set", "a.b.c"]
    done = subprocess.run(argv, input=b"content", env=home.env | {"PRONTO_DB": "postgresql://h/db"}, capture_output=True, check=False)
    assert done.returncode == 4
    assert b"the extra 'postgres'" in done.stderr
    assert subprocess.run(argv, input=b"content", env=home.env, capture_output=True, check=False).returncode == 0


# Users, roles, time


def test_what_a_meta_has_belongs_to_a_user(database: Database, db: PostgresEngine) -> None:
    """As a file does: another user is refused until its owner shares it."""
    put(db, "k")
    bob = database.engine(user="bob")
    for call in (lambda: value(bob, "k"), lambda: put(bob, "k"), lambda: bob.share(shared=True)):
        with pytest.raises(Denied, match="belongs to user 'default'"):
            call()
    db.share(shared=True)
    assert value(bob, "k") == b"v"
    with pytest.raises(Denied, match="Only its owner"):
        bob.share(shared=False)
    db.share(shared=False)
    bob.rest()
    with pytest.raises(Denied):
        value(bob, "k")
    bob.close()


def test_roles_never_meet() -> None:
    """Two metas, or two databases, have two roles, of names that the server does not cut."""
    metas = ["", "a", "A", "b", "-", "~", "a" * 63, "a" * 64, "é" * 100, "a\0", "a:b", ":owner", "owner"]
    bases = ["a", "b", "A", "x" * 50, "x" * 63, "é"]
    pairs = [(base, meta) for base in bases for meta in metas if meta != "-"]
    roles = [role_of(*pair) for pair in pairs] + [owner_of(base) for base in bases]
    assert len(set(roles)) == len(roles)
    assert max(len(role.encode()) for role in roles) <= LONGEST
    assert role_of("shop", "acme") == "shop:acme"
    assert role_of("shop", "") == "shop:-"
    with pytest.raises(InvalidDatabase):
        PostgresEngine("postgresql://h/a:b", ("default", ""), lambda: 1.0)


def test_a_grant_that_is_taken_back_ends_with_the_next_call(database: Database, home: Home) -> None:
    """Also over a connection that was open; what is piped then is kept here."""
    engine = database.engine("fleeting")
    put(engine, "k")
    engine.rest()
    database.sql(f'REVOKE "{role_of(database.name, "fleeting")}" FROM agent')
    with pytest.raises(Denied, match="not granted meta 'fleeting'"):
        value(engine, "k")
    lost = home.run("set", "a.b.c", "--database", database.url(), "--meta", "fleeting", stdin=b"content")
    assert lost.status == 4
    assert home.run("get", lost.rescued, "--database", database.url(), "--meta", "fleeting").out == b"content"
    assert home.run("get", lost.rescued, "--database", database.url(), "--meta", "other").status != 0


def test_encryption_is_checked(home: Home) -> None:
    """`sslmode=verify-full`: a server whose certificate is signed by the given authority, and no other, under its own name only."""
    server = Server(ssl="on", ssl_cert_file="server.crt", ssl_key_file="server.key")
    try:
        server.init()
        make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout {0}.key -out {0}.crt"
        for name in (f"{server.data}/server", f"{server.folder}/other"):
            subprocess.run(make.format(name).split(), check=True, capture_output=True, **unprivileged())
        (server.data / "server.key").chmod(0o600)
        server.start()
        tls = Database(server, "tls")
        tls.grant()
        named = tls.url(sslmode="verify-full", sslrootcert=str(server.data / "server.crt")).replace("127.0.0.1", "localhost")
        assert home.run("set", "a.b.c", "v", "--database", named).status == 0
        assert home.run("get", "a.b.c", "--database", named).out == b"v"
        checked = home.run("admin", "postgres", "check", "--database", named)
        assert "encrypted" in checked.out.decode()
        for wrong in (named.replace("localhost", "127.0.0.1"), named.replace(f"{server.data}/server.crt", f"{server.folder}/other.crt")):
            done = home.run("get", "a.b.c", "--database", wrong)
            assert (done.status, "certificate" in done.err, done.out) == (1, True, b""), done
    finally:
        server.remove()


def test_the_time_is_the_servers(database: Database, db: PostgresEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose clock is an hour fast, or slow, stores and reads as all others do."""
    now = time.time()
    assert db.time(now) == now
    real = time.time
    for wrong in (3600, -3600):
        fast = database.engine()
        monkeypatch.setattr(pg_link.time, "time", lambda wrong=wrong: real() + wrong)
        assert abs(fast.time(now + wrong) - now) < 2
        monkeypatch.undo()
        fast.close()


def test_check_finds_what_was_changed(database: Database, home: Home) -> None:
    """Each thing that isolation and durability rest on, broken and found; and all is well before and after."""
    database.grant("acme")
    words = ("admin", "postgres", "check", "--meta", "acme", "--json", "--database", database.url())
    assert home.call(*words).status == 0, home.call(*words)
    broken = [
        (
            "row-level security",
            "ALTER TABLE prontodb.entry NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE prontodb.entry FORCE ROW LEVEL SECURITY",
        ),
        (
            "row-level security",
            "ALTER TABLE prontodb.chunk DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE prontodb.chunk ENABLE ROW LEVEL SECURITY",
        ),
        ("row-level security", "CREATE POLICY more ON prontodb.entry USING (true)", "DROP POLICY more ON prontodb.entry"),
        ("owner", "ALTER TABLE prontodb.entry OWNER TO postgres", f'ALTER TABLE prontodb.entry OWNER TO "{database.name}::owner"'),
        ("owner", f'GRANT "{database.name}::owner" TO agent', f'REVOKE "{database.name}::owner" FROM agent'),
        ("public", "GRANT SELECT ON prontodb.entry TO PUBLIC", "REVOKE SELECT ON prontodb.entry FROM PUBLIC"),
        ("tenants' roles", f'ALTER ROLE "{database.name}:acme" BYPASSRLS', f'ALTER ROLE "{database.name}:acme" NOBYPASSRLS'),
        ("meta", f'REVOKE "{database.name}:acme" FROM agent', f'GRANT "{database.name}:acme" TO agent'),
        ("durability", "ALTER ROLE agent SET synchronous_commit = off", "ALTER ROLE agent RESET synchronous_commit"),
    ]
    import json

    for check, breaking, mending in broken:
        database.sql(breaking)
        done = home.call(*words)
        database.sql(mending)
        assert done.status == 1, breaking
        assert [row["check"] for row in json.loads(done.out) if row["cure"]] == [check], breaking
    assert home.call(*words).status == 0


def test_only_a_login_that_policies_stop_is_granted(database: Database, home: Home) -> None:
    """Not a superuser, not one that bypasses row-level security, not one that does not exist."""
    url = database.server.url(database.name)
    database.login("mighty")
    database.server.sql("ALTER ROLE mighty BYPASSRLS")
    for login, said in (("postgres", "superuser"), ("mighty", "bypasses"), ("nosuch", "CREATE ROLE")):
        done = home.call("admin", "postgres", "grant", login, "--meta", "acme", "--database", url)
        assert (done.status, said in done.err) == (64, True)
    pinned = home.call("admin", "postgres", "grant", "agent", "--database", url, env={"PRONTO_FORCE_META": "acme"})
    assert pinned.status == 6
    assert home.call("admin", "postgres", "init", "--database", "main").status == 64


def test_grants_at_once_do_not_meet(database: Database) -> None:
    """Eight administrators grant eight metas, and one of them all at once."""
    for metas in ([f"at-once{number}" for number in range(8)], ["the-same"] * 8):

        def grant(number: int, metas: list[str] = metas) -> bool:
            with contextlib.closing(database.admin()) as admin:
                admin.grant("agent", metas[number])
            return True

        assert all_at_once(grant) == [True] * 8
        for meta in set(metas):
            with contextlib.closing(database.engine(meta)) as engine:
                put(engine, "k")


def test_an_administrator_need_not_be_a_superuser(database: Database, home: Home) -> None:
    """One who owns the database and may make roles is enough; afterwards nobody is a member of the tables' owner."""
    name = f"{database.name}-own"
    database.login("boss")
    database.server.sql("ALTER ROLE boss CREATEROLE")
    database.server.sql(f'CREATE DATABASE "{name}" OWNER boss')
    url = database.server.url(name, "boss")
    for _ in range(2):
        assert home.call("admin", "postgres", "init", "--database", url).status == 0
        assert home.call("admin", "postgres", "grant", "agent", "--database", url).status == 0
    agent = database.server.url(name, "agent", durability="local")
    assert home.run("set", "a.b.c", "v", "--database", agent).status == 0
    assert home.run("get", "a.b.c", "--database", agent).out == b"v"
    assert home.call("admin", "postgres", "check", "--database", agent).status == 0
    assert home.call("admin", "postgres", "init", "--database", agent.replace(name, database.name)).status == 6


# The helper


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_helper_keeps_one_connection(database: Database, db: PostgresEngine, home: Home, shell: str) -> None:
    """All calls of a shell go over one connection; one that the server drops between two calls is not missed."""
    script_text = f"""
    export PRONTO_DB='{database.url(application_name="kept")}'
    pronto set p.n.k v
    pronto get -v A p.n.k; pronto get -v B p.n.k; pronto set p.n.k w; pronto get -v C p.n.k
    echo "$A$B$C"
    touch ready; while ! [ -e go ]; do sleep 0.05; done
    pronto get -v D p.n.k; pronto set p.n.k x; pronto get -v E p.n.k; echo "$D$E"
    """
    seen: list[Any] = []

    def watch() -> None:
        _until((home.folder / "ready").exists)
        seen.extend(database.sql("SELECT state FROM pg_stat_activity WHERE application_name = 'kept'"))
        database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kept'")
        (home.folder / "go").touch()

    thread = threading.Thread(target=watch)
    thread.start()
    done = script(home, shell, script_text)
    thread.join()
    assert (done.lines, done.err) == (["vvw", "wx"], "")
    assert seen == [("idle",)]


# Unused by a file


def test_a_refused_write_is_a_storage_error() -> None:
    """So that piped content goes to the spool, and is not sent to the same server again."""
    assert issubclass(NotDurable, StorageError)
    assert issubclass(Unconfirmed, StorageError)
    assert issubclass(SchemaMissing, StorageError)
