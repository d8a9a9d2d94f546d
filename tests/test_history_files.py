"""The history in SQLite files: databases of version 1, backup and restore, repair, and the files of large values."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from prontodb.engines import schema
from prontodb.engines.driver import APPLICATION_ID
from prontodb.engines.sqlite import SqliteEngine
from prontodb.model import Content, Write
from prontodb.past import Keeping

from .conftest import Home
from .sqlite_base import NOW, at, sql, unprivileged

ALL = 1 << 62
HUGE = b"large value" * (2 << 20)
KEEPING = Keeping("me", 86_400, 100, 1 << 30)


def engine(path: Path, keeping: Keeping = KEEPING) -> SqliteEngine:
    """An engine of the meta `m` that keeps a history."""
    return SqliteEngine(str(path), "m", lambda: 10, lambda: keeping)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A database as version 1 made it, with entries of the metas `m` and `other`."""
    path = tmp_path / "first.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(schema.MIGRATIONS[0])
        db.execute("PRAGMA user_version = 1")
        db.executemany("INSERT INTO state VALUES (?, ?)", [("owner", "default")])
        db.executemany("INSERT INTO place VALUES (?, ?, 'p', 'n', NULL)", [(1, "m"), (2, "other")])
        db.executemany("INSERT INTO entry VALUES (?, 'k', 7, NULL, 3, NULL, NULL, ?)", [(1, b"old"), (2, b"abc")])
        db.executemany("INSERT INTO revision VALUES (?, 7)", [("m",), ("other",)])
    return path


class TestFirstVersion:
    def test_it_is_read_as_it_is(self, first: Path) -> None:
        """Reading, also of the history, changes nothing: the entry is there, and nobody knows who wrote it or when."""
        before = first.read_bytes()
        with closing(engine(first)) as db:
            found = db.get(at("k"), NOW)
            assert found is not None
            assert found.read() == b"old"
            assert db.names(db_place(), "", 10, NOW) == ["k"]
            version = db.versions(at("k"), 0, ALL, NOW)[0]
            assert (version.made.revision, version.made.time, version.made.actor, version.previous) == (7, None, "", None)
            recalled = db.recall(at("k"), 7, NOW)
            assert recalled is not None
            assert recalled.read() == b"old"
            assert db.recall(at("k"), 6, NOW) is None
        assert first.read_bytes() == before
        assert sql(first, "PRAGMA user_version") == [(1,)]

    def test_a_read_only_file_is_read_too(self, first: Path) -> None:
        """Also where it could not be brought forward."""
        first.chmod(0o400)
        first.parent.chmod(0o500)
        script = (
            f"import sys; from tests.test_history_files import *; db = engine(Path({str(first)!r})); print(db.get(at('k'), NOW).read())"
        )
        import subprocess
        import sys

        done = subprocess.run([*unprivileged(), sys.executable, "-c", script], capture_output=True, text=True, check=False)
        first.parent.chmod(0o700)
        assert (done.stdout, done.stderr) == ("b'old'\n", "")

    def test_the_first_write_brings_it_forward(self, first: Path) -> None:
        """What is replaced then is kept, with all that is known of it; other metas are as they were."""
        with closing(engine(first)) as db:
            revision = db.put(at("k"), Content.of(b"new"), Write(), NOW)
            told = [(one.made.revision, one.made.time, one.made.actor, one.previous) for one in db.versions(at("k"), 0, ALL, NOW)]
            assert told == [(8, NOW, "me", 7), (7, None, "", None)]
            recalled = db.recall(at("k"), 7, NOW)
            assert recalled is not None
            assert (recalled.read(), revision) == (b"old", 8)
        assert sql(first, "PRAGMA user_version") == [(2,)]
        assert sql(first, "PRAGMA integrity_check") == [("ok",)]
        assert sql(first, "SELECT value, previous FROM entry WHERE place = 2") == [(b"abc", None)]
        made = first.with_name("made.db")
        schema.create(str(made), "me", folders=False, wal=True)
        shape = "SELECT name, sql FROM sqlite_master ORDER BY name"
        assert sql(first, shape) == sql(made, shape)


def db_place() -> object:
    """The place `p.n`."""
    from prontodb.address import Place

    return Place("p", "n")


class TestLarge:
    """Values of 16 MiB and more are files beside the database, and those of the history are too."""

    def files(self, path: Path) -> list[str]:
        """The names in the folder of large values."""
        folder = Path(f"{path}-bulk")
        return sorted(os.listdir(folder)) if folder.exists() else []

    def test_the_file_is_handed_over(self, tmp_path: Path) -> None:
        """No byte is copied: the file of the replaced value stays the same file until its time in the history is over."""
        path = tmp_path / "data.db"
        with closing(engine(path)) as db:
            one = db.put(at("k"), Content.of(HUGE), Write(), NOW)
            inode = os.stat(f"{path}-bulk/1").st_ino
            db.put(at("k"), Content.of(b"small"), Write(), NOW)
            assert os.stat(f"{path}-bulk/1").st_ino == inode
            recalled = db.recall(at("k"), one, NOW)
            assert recalled is not None
            assert recalled.read() == HUGE
            db.purge(10, NOW + 86_399)
            db.put(at("other"), Content.of(HUGE), Write(), NOW)
            assert self.files(path) == ["1", "2"]
            db.purge(10, NOW + 86_400)
            assert self.files(path) == ["2"]

    def test_above_the_bound_it_is_dropped_at_once(self, tmp_path: Path) -> None:
        """As before there was a history."""
        path = tmp_path / "data.db"
        with closing(engine(path, Keeping("me", 86_400, 100, len(HUGE)))) as db:
            db.put(at("k"), Content.of(HUGE), Write(), NOW)
            db.put(at("k"), Content.of(b"small"), Write(), NOW)
            assert self.files(path) == []


@pytest.fixture
def kept(home: Home) -> Home:
    """A home whose database has a history: small, large in rows, large in a file."""
    for number, value in enumerate((b"one", b"two", b"x" * 200_000, HUGE, b"last")):
        assert home.call("set", "p.n.k", "-", stdin=value, now=NOW + number, env={"PRONTO_ACTOR": f"a{number}"}).status == 0
    home.call("set", "p.n.gone", "v", now=NOW + 10)
    home.call("del", "p.n.gone", now=NOW + 11)
    return home


def told(home: Home) -> list[tuple[object, ...]]:
    """All versions of the database, with their bytes."""
    with closing(SqliteEngine(str(home.database), "", lambda: 10)) as db:
        found = db.versions(None, 0, ALL, NOW + 20)
        return [
            (one.address.name, one.made.revision, one.made.actor, one.size, one.kept, recalled and recalled.read() == bytes(recalled_bytes))
            for one in found
            for recalled in [db.recall(one.address, one.made.revision, NOW + 20)]
            for recalled_bytes in [VALUES[one.made.revision]]
        ]


VALUES = {1: b"one", 2: b"two", 3: b"x" * 200_000, 4: HUGE, 5: b"last", 6: b"v"}


def test_backup_and_restore_take_the_history_along(kept: Home, tmp_path: Path) -> None:
    before = told(kept)
    assert len(before) == 6
    assert all(one[-1] for one in before)
    archive = str(tmp_path / "archive.tar.gz")
    made = kept.run("backup", "--output", archive)
    assert made.status == 0, made.err
    for name in ("k", "gone"):
        kept.call("set", f"p.n.{name}", "-", stdin=HUGE[::-1], now=NOW + 20)
    with closing(SqliteEngine(str(kept.database), "", lambda: 10)) as db:
        db.delete([at("k"), at("gone")], NOW + 20, purge=True)
    assert told(kept) == []
    back = kept.run("restore", archive)
    assert back.status == 0, back.err
    assert told(kept) == before
    held = "SELECT held FROM revision WHERE meta = ''"
    counted = "SELECT sum(100 + kept * size) FROM past"
    assert sql(kept.database, held) == sql(kept.database, counted)
    doctor = kept.run("doctor", "--json")
    assert b"is gone" not in doctor.out
    kept.call("set", "p.n.k", "next", now=NOW + 21)
    assert sql(kept.database, "SELECT revision FROM entry")[0][0] > 8


def test_repair_saves_the_history(kept: Home) -> None:
    before = told(kept)
    kept.call("set", "p.n.fill", "x", now=NOW + 12)
    done = kept.run("repair")
    assert done.status == 0, done.err
    assert told_without(kept, "fill") == before
    assert sql(kept.database, "SELECT held FROM revision WHERE meta = ''") == sql(kept.database, "SELECT sum(100 + kept * size) FROM past")
    assert kept.run("doctor").status == 0


def told_without(home: Home, name: str) -> list[tuple[object, ...]]:
    """The same but for one key."""
    VALUES[8] = b"x"
    return [one for one in told(home) if one[0] != name]


def test_doctor_misses_the_content_of_a_version(kept: Home) -> None:
    """A file that the history refers to is needed: it is no orphan, and told of where it is gone."""
    whole = kept.run("doctor")
    assert whole.status == 0, whole.out
    Path("{}-bulk/{}".format(kept.database, *sql(kept.database, "SELECT body FROM past WHERE revision = 4")[0])).unlink()
    broken = kept.run("doctor")
    assert broken.status == 1
    assert b"of 'k'" in broken.out
