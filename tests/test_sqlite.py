"""SQLite's own: what reading leaves behind, whose files they are, how they are found, and where they lie."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from prontodb.engines import connect, table, writer
from prontodb.model import Content, Write

from .sqlite_base import LARGE, NOW, PLACE, Child, at, crash_half_way, engine, folder_state, get, put, read_all, sql, unprivileged, value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database may be made, in a folder of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "main.db"


def fill(path: Path) -> None:
    """A database with a small and a large value."""
    put(path, "k", b"small")
    put(path, "large", LARGE)


class TestTraces:
    """Reading writes nothing and makes nothing."""

    @pytest.mark.parametrize("empty", [False, True])
    def test_what_is_not_there_is_not_made(self, path: Path, empty: bool) -> None:
        """No verb but a write makes a database, where there is none or an empty file."""
        if empty:
            path.touch()
        before = folder_state(path.parent)
        with closing(engine(path)) as db:
            assert read_all(db) == [[], [], [], None, None, None]
            assert db.delete([at("k")], NOW) == []
            assert not db.copy(at("k"), at("j"), Write(), NOW)
            assert not db.expire(at("k"), None, NOW)
            assert not db.set_default_ttl("p", "n", None, NOW)
            assert db.purge(10, NOW) == 0
        assert folder_state(path.parent) == before

    def test_reading_leaves_no_trace(self, path: Path) -> None:
        """After any reading verb the folder, the file and their times are as before, while it is read and after."""
        fill(path)
        before = folder_state(path.parent)
        with closing(engine(path)) as db:
            assert read_all(db)[3:] == [b"small", LARGE, None]
            assert folder_state(path.parent) == before
        assert folder_state(path.parent) == before

    def test_reading_what_others_changed_leaves_no_trace(self, path: Path) -> None:
        """A reader that has seen an older state reads the newer one, and still makes no file."""
        fill(path)
        with closing(engine(path)) as db:
            for number in range(5):
                put(path, "k", b"%d" % number)
                assert value(db, "k") == b"%d" % number
                assert os.listdir(path.parent) == ["main.db"]

    def test_what_is_committed_is_read_and_nothing_else(self, path: Path) -> None:
        """Beside a writer that has the file open, its commits show at once and its open transaction does not."""
        fill(path)
        with closing(engine(path)) as early, closing(sqlite3.connect(path, isolation_level=None)) as writer:
            assert value(early, "k") == b"small"
            for number in range(3):
                writer.execute("BEGIN IMMEDIATE")
                writer.execute("UPDATE entry SET size = 1, value = ? WHERE name = 'k'", (b"%d" % number,))
                expected = b"%d" % (number - 1) if number else b"small"
                assert (value(early, "k"), get(path, "k")) == (expected, expected)
                writer.execute("COMMIT")
                assert (value(early, "k"), get(path, "k"), get(path, "large")) == (b"%d" % number, b"%d" % number, LARGE)

    def test_a_link_leads_to_the_newest_state(self, path: Path) -> None:
        """Through a symbolic link, what a writer has not yet brought into the file itself is read as well."""
        link = path.parent.parent / "link.db"
        link.symlink_to(path)
        put(link, "k", b"old")
        with closing(engine(path)) as writer:
            writer.put(at("k"), Content.of(b"new"), Write(), NOW)
            assert get(link, "k") == b"new"
        assert os.listdir(path.parent) == ["main.db"]

    def test_half_a_change_is_undone_and_not_read(self, path: Path) -> None:
        """A database that was on a network once has a rollback journal; one that a crash left behind is heeded."""
        with closing(engine(path)) as db:
            db.put_many([(at(f"k{number}"), Content.of(b"old" * 100)) for number in range(300)], Write(), NOW)
        crash_half_way(path, "PRAGMA journal_mode = DELETE")
        assert sorted(os.listdir(path.parent)) == ["main.db", "main.db-journal"]
        with closing(engine(path)) as db:
            assert {entry.value for entry in db.entries(PLACE, "", 1000, NOW)} == {b"old" * 100}

    def test_closing_lets_go_of_what_is_still_read(self, path: Path) -> None:
        """An engine that closes takes the readers of large values with it, so that the writer can tidy up."""
        fill(path)
        db = engine(path)
        db.put(at("k"), Content.of(b"new"), Write(), NOW)
        found = db.get(at("large"), NOW)
        assert found
        next(found.pieces)
        db.close()
        assert os.listdir(path.parent) == ["main.db"]

    def test_a_time_stamp_counts_when_its_tick_is_over(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A file that changed just now is read as it lies once no other change can carry that time; locks serve where it is unsure."""
        put(path, "k")
        stamp = time.time_ns() // 1_000_000 * 1_000_000 + 1
        os.utime(path, ns=(stamp, stamp))
        assert connect.settled(str(path)) == connect.quiet(str(path))
        assert time.time_ns() - stamp > 0.95e9 * connect.TICK
        for unsure in (time.time_ns() + 10**10 + 1, time.time_ns() // 10**9 * 10**9):
            os.utime(path, ns=(unsure, unsure))
            assert connect.settled(str(path)) is None
        stamp = time.time_ns() // 1_000_000 * 1_000_000 + 1
        os.utime(path, ns=(stamp, stamp))
        monkeypatch.setattr(time, "sleep", lambda _: os.utime(path))
        assert connect.settled(str(path)) is None


class TestPermissions:
    """Files are 0600 in folders 0700; what may not be written can still be read."""

    @pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
    def _umask(self, request: pytest.FixtureRequest) -> Iterator[None]:
        before = os.umask(request.param)
        yield
        os.umask(before)

    @pytest.mark.usefixtures("_umask")
    def test_nobody_else_can_look_in(self, tmp_path: Path) -> None:
        """Whatever the umask, the new folders are 0700, and the file and its journals 0600, while they are there."""
        path = tmp_path / "a" / "b" / "main.db"
        with closing(engine(path, folders=True)) as db:
            db.put(at("k"), Content.of(LARGE), Write(), NOW)
            assert value(db, "k") == LARGE
            files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
            assert files == dict.fromkeys(("main.db", "main.db-wal", "main.db-shm"), 0o600)
        assert [stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]

    @pytest.mark.parametrize(("file", "folder"), [(0o400, 0o700), (0o600, 0o500), (0o400, 0o500)])
    def test_read_only_still_answers(self, path: Path, file: int, folder: int) -> None:
        """A read-only file, a read-only folder, or both: everything can be read, writing is a clean error."""
        fill(path)
        before = folder_state(path.parent)
        path.chmod(file)
        path.parent.chmod(folder)
        script = """
from prontodb.errors import StorageError
with closing(engine(path)) as db:
    assert read_all(db)[3:] == [b"small", LARGE, None]
    try:
        db.put(at("k"), Content.of(b"new"), Write(), NOW)
    except StorageError as error:
        print(type(error).__name__, error.cure != "")
    assert read_all(db)[3:] == [b"small", LARGE, None]
"""
        said = Child(script, path, before=unprivileged()).end()
        path.parent.chmod(0o755)
        path.chmod(0o600)
        assert said == "ReadOnlyDatabase True\n"
        assert {name: state[2] for name, state in folder_state(path.parent).items()} == {name: state[2] for name, state in before.items()}

    def test_a_file_made_writable_takes_writes_again(self, path: Path) -> None:
        """A write that was refused leaves nothing that refuses the next one."""
        put(path, "k")
        path.chmod(0o400)
        script = """
from prontodb.engines.failures import ReadOnlyDatabase
try:
    put(path, "k", b"refused")
except ReadOnlyDatabase:
    os.chmod(path, 0o600)
    put(path, "k", b"taken")
"""
        Child(script, path, before=unprivileged()).end()
        assert get(path, "k") == b"taken"

    def test_a_read_only_folder_follows_a_writer(self, path: Path) -> None:
        """Who may only read the folder sees what is committed beside it, the file's journal open or not."""
        fill(path)
        script = """
with closing(engine(path)) as db:
    for _ in range(3):
        print(value(db, "k").decode(), get(path, "k").decode(), len(value(db, "large")) == len(LARGE), flush=True)
        sys.stdin.readline()
"""
        with closing(engine(path)) as writer:
            writer.put(at("k"), Content.of(b"1"), Write(), NOW)
            path.parent.chmod(0o555)
            reader = Child(script, path, before=unprivileged())
            assert reader.line() == "1 1 True"
            writer.put(at("k"), Content.of(b"2"), Write(), NOW)
            reader.go()
            assert reader.line() == "2 2 True"
        put(path, "k", b"3")
        assert reader.end() == "3 3 True\n"

    def test_what_cannot_be_read_is_said(self, path: Path) -> None:
        """Where the newest changes are in a journal that a read-only folder hides, that is an error, and never an old value."""
        fill(path)
        Child('db = engine(path); db.put(at("k"), Content.of(b"new"), Write(), NOW); os.kill(os.getpid(), 9)', path).process.communicate()
        path.with_name("main.db-shm").unlink()
        path.parent.chmod(0o500)
        script = """
from prontodb.errors import StorageError
try:
    print(get(path, "k"))
except StorageError as error:
    print(error.message)
"""
        said = Child(script, path, before=unprivileged()).end()
        path.parent.chmod(0o755)
        assert f"newest changes are in {path}-wal" in said
        assert get(path, "k") == b"new"

    @pytest.mark.parametrize("what", ["file", "folder"])
    def test_what_is_closed_to_us_is_an_error(self, path: Path, what: str) -> None:
        """A file or folder that may not be read at all is no miss."""
        fill(path)
        (path if what == "file" else path.parent).chmod(0)
        script = """
from prontodb.errors import StorageError
for verb in (lambda: get(path, "k"), lambda: put(path, "k"), lambda: engine(path).delete([at("k")], NOW)):
    try:
        verb()
    except StorageError as error:
        print(error.code)
"""
        said = Child(script, path, before=unprivileged()).end()
        path.parent.chmod(0o755)
        assert said == "1\n1\n1\n"


class TestPaths:
    """Any name of a file is one."""

    @pytest.mark.parametrize(
        "name",
        ["a b", "a?mode=memory", "a#b", "a%41", "a&b=c", "ключ", "a\nb", "'\"`$(x)", ":memory:", "file:x?y", "-wal", "\udcff", "x" * 200],
        ids=ascii,
    )
    def test_any_name_works(self, path: Path, name: str) -> None:
        """Nothing in a path is taken for an option, an escape or an end, in a file's name or a folder's."""
        for file in (path.with_name(name), path.parent / "in" / name / "main.db"):
            with closing(engine(file, folders=True)) as db:
                db.put(at("k"), Content.of(LARGE), Write(), NOW)
                assert get(file, "k") == LARGE
            assert get(file, "k") == LARGE
            assert set(os.listdir(file.parent)) - {"in"} == {file.name}


class TestStatements:
    """What the statements cost, and what they leave in the tables."""

    @pytest.fixture
    def statements(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Every statement that engines run from here on."""
        seen: list[str] = []

        def traced(*arguments: Any) -> sqlite3.Connection:
            db = original(*arguments)
            db.set_trace_callback(seen.append)
            return db

        original = writer.connect
        for module in (connect, writer):
            monkeypatch.setattr(module, "connect", traced)
        return seen

    def test_no_verb_scans(self, path: Path, statements: list[str]) -> None:
        """Every statement of every verb finds its rows by an index and sorts nothing; purging has an index of its own."""
        fill(path)
        with closing(engine(path)) as db:
            read_all(db)
            db.names(PLACE, "a", 10, NOW)
            db.put_many([(at("a"), Content.of(b"1" * 600))], Write(5), NOW)
            db.copy(at("a"), at("b"), Write(absent=True), NOW, move=True)
            db.increment(at("number"), 1, NOW)
            db.expire(at("k"), NOW + 5, NOW)
            db.delete([at("b")], NOW)
            db.set_default_ttl("p", "n", 5, NOW)
            db.purge(10, NOW + 5)
        plans = {statement: self.plan(path, statement) for statement in statements if statement.startswith(("SELECT", "UPDATE", "DELETE"))}
        assert len(plans) > 20
        for statement, plan in plans.items():
            assert not any("SCAN" in step or "TEMP B-TREE" in step for step in plan), (statement, plan)
        purging = [plan for statement, plan in plans.items() if "WHERE expires <=" in statement]
        assert purging
        assert all("INDEX entry_expires" in step for plan in purging for step in plan)
        listing = [plan for statement, plan in plans.items() if "ORDER BY e.name" in statement]
        assert any("PRIMARY KEY (place=? AND name>? AND name<?)" in plan[-1] for plan in listing)

    @staticmethod
    def plan(path: Path, statement: str) -> list[str]:
        """How SQLite goes about a statement."""
        return [row[3] for row in sql(path, f"EXPLAIN QUERY PLAN {statement}")]

    def test_a_write_is_on_disk_before_it_returns(self, path: Path, statements: list[str]) -> None:
        """Each commit waits for the disk, but for one that only clears away."""
        with closing(engine(path)) as db:
            for verb, expected in (
                (lambda: put(path, "k"), "FULL"),
                (lambda: db.purge(1, NOW), "NORMAL"),
                (lambda: db.delete([], NOW), "FULL"),
            ):
                verb()
                told = [statement for statement in statements if statement.startswith(("PRAGMA synchronous", "COMMIT"))]
                assert told[-2:] == [f"PRAGMA synchronous = {expected}", "COMMIT"]

    def test_no_piece_is_left_over(self, path: Path) -> None:
        """However a large value goes, its pieces go with it."""
        with closing(engine(path)) as db:
            for name in ("overwritten", "replaced", "deleted", "moved", "expiring", "stays"):
                db.put(at(name), Content.of(LARGE), Write(5 if name == "expiring" else None), NOW)
            db.put(at("overwritten"), Content.of(b"small"), Write(), NOW)
            db.put(at("replaced"), Content.of(LARGE), Write(), NOW)
            db.copy(at("stays"), at("replaced"), Write(), NOW)
            db.copy(at("moved"), at("stays"), Write(), NOW, move=True)
            db.delete([at("deleted")], NOW)
            db.purge(10, NOW + 5)
        bodies = sql(path, "SELECT body, COUNT(*) FROM chunk GROUP BY body ORDER BY body")
        assert bodies == [(body, 3) for (body,) in sql(path, "SELECT body FROM entry WHERE body IS NOT NULL ORDER BY body")]
        assert len(bodies) == 2

    def test_no_piece_is_left_over_by_a_load(self, path: Path) -> None:
        """Nor where a load replaces large values: stored before, or by itself a moment ago."""
        large = b"v" * 900
        with closing(engine(path)) as db:
            db.put(at("before"), Content.of(large), Write(), NOW)
            names = ["before", "twice", "small", "twice", "small"]
            values = [large, large, large, large, b"v"]
            db.load([(at(name), Content.of(text), None) for name, text in zip(names, values, strict=True)], NOW)
        bodies = sql(path, "SELECT body FROM entry WHERE body IS NOT NULL ORDER BY body")
        assert len(bodies) == 2
        assert sql(path, "SELECT DISTINCT body FROM chunk ORDER BY body") == bodies

    def test_a_write_clears_away_a_bounded_batch(self, path: Path) -> None:
        """Each write removes some of what has expired, of every meta, and never more than its share."""
        items = [(at(f"k{number:03}"), Content.of(b"v")) for number in range(250)]
        with closing(engine(path)) as db:
            db.put_many(items, Write(5), NOW)
            left = []
            for number in range(4):
                db.put(at("fresh"), Content.of(b"%d" % number), Write(), NOW + 5)
                left += sql(path, "SELECT COUNT(*) FROM entry WHERE expires IS NOT NULL")[0]
        assert left == [250 - table.BATCH, 250 - 2 * table.BATCH, 0, 0]

    def test_a_batch_of_large_values_is_smaller(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A batch ends after so many bytes, so that it never holds the lock for long."""
        monkeypatch.setattr(table, "BATCH_BYTES", 2000)
        with closing(engine(path)) as db:
            db.put_many([(at(f"k{number}"), Content.of(b"v" * 900)) for number in range(7)], Write(5), NOW)
            assert [db.purge(100, NOW + 5) for _ in range(4)] == [3, 3, 1, 0]
