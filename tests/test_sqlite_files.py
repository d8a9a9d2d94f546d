"""SQLite files of other makes: older, newer, foreign, damaged, and on a network."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from prontodb.engines import connect, mounts, schema, writer
from prontodb.engines.failures import DamagedDatabase, ForeignDatabase, NewerDatabase
from prontodb.errors import StorageError
from prontodb.model import Content, Write

from .sqlite_base import LARGE, NOW, Child, at, crash_half_way, engine, folder_state, get, put, read_all, sql, together, value

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from prontodb.engines.sqlite import SqliteEngine

NEXT = len(schema.MIGRATIONS) + 1
"""A version that is still to come."""
SECOND = "ALTER TABLE entry ADD COLUMN colour TEXT;\nCREATE TABLE shelf (\n    id INTEGER PRIMARY KEY\n);\n"
"""A second version of the schema."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a small and a large value, in a folder of its own."""
    file = tmp_path / "data" / "main.db"
    file.parent.mkdir()
    put(file, "k", b"small")
    put(file, "large", LARGE)
    put(file, "number", b"7", expires=NOW + 1000)
    return file


def verbs(db: SqliteEngine) -> list[Callable[[], object]]:
    """Every verb, ready to be called."""
    return [
        lambda: read_all(db),
        lambda: db.put(at("k"), Content.of(b"new" * 300), Write(), NOW),
        lambda: db.put_many([(at("k"), Content.of(b"new"))], Write(), NOW),
        lambda: db.increment(at("number"), 1, NOW),
        lambda: db.copy(at("large"), at("other"), Write(), NOW, move=True),
        lambda: db.expire(at("large"), NOW + 5, NOW),
        lambda: db.delete([at("k")], NOW),
        lambda: db.set_default_ttl("p", "n", 5, NOW),
        lambda: db.purge(10, NOW + 10_000),
    ]


class TestVersions:
    """Older databases are brought forward, newer ones refused."""

    @pytest.fixture
    def _next(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, SECOND])
        monkeypatch.setattr(connect, "SCHEMA_VERSION", NEXT)

    def test_there_is_a_step_to_every_version(self, path: Path) -> None:
        """The version is the number of steps, and a new database has it."""
        assert len(schema.MIGRATIONS) == connect.SCHEMA_VERSION
        assert sql(path, "PRAGMA user_version") == [(connect.SCHEMA_VERSION,)]

    @pytest.mark.parametrize("number", range(9))
    @pytest.mark.usefixtures("_next")
    def test_any_verb_brings_an_older_one_forward(self, path: Path, number: int) -> None:
        """The first verb that writes migrates, and what is new is there; reading leaves the file as it is. What was stored can be read."""
        assert sql(path, "PRAGMA user_version") == [(NEXT - 1,)]
        with closing(engine(path)) as db:
            verbs(db)[number]()
        assert sql(path, "PRAGMA user_version") == [(NEXT if number else NEXT - 1,)]
        if number:
            assert sql(path, "SELECT colour FROM entry LIMIT 1", "SELECT * FROM shelf") == []
        else:
            assert (get(path, "k"), get(path, "large"), get(path, "number")) == (b"small", LARGE, b"7")

    @pytest.mark.usefixtures("_next")
    def test_a_new_one_gets_all_steps(self, tmp_path: Path) -> None:
        """A database that is made now has the newest version from the start."""
        put(tmp_path / "new.db", "k")
        assert sql(tmp_path / "new.db", "SELECT * FROM shelf", "PRAGMA user_version") == [(NEXT,)]

    def test_a_step_that_fails_changes_nothing(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A migration is one transaction: where it cannot be done, the database stays as it is, and readable by its own version."""
        with monkeypatch.context() as patch:
            patch.setattr(schema, "MIGRATIONS", [*schema.MIGRATIONS, SECOND + "CREATE TABLE place (id INTEGER);\n"])
            patch.setattr(connect, "SCHEMA_VERSION", NEXT)
            for verb in verbs(engine(path))[1:3]:
                with pytest.raises(StorageError):
                    verb()
        assert sql(path, "PRAGMA user_version") == [(NEXT - 1,)]
        assert sql(path, "SELECT name FROM sqlite_master WHERE name = 'shelf'") == []
        assert get(path, "k") == b"small"

    @pytest.mark.parametrize("number", range(9))
    def test_a_newer_one_is_refused(self, path: Path, number: int) -> None:
        """No verb reads or changes what a later version has made, and the error says what to do."""
        sql(path, "PRAGMA user_version = 99")
        before = folder_state(path.parent)
        with closing(engine(path)) as db, pytest.raises(NewerDatabase, match="schema 99") as caught:
            verbs(db)[number]()
        assert caught.value.cure == "upgrade prontodb"
        assert {name: state[2] for name, state in folder_state(path.parent).items()} == {name: state[2] for name, state in before.items()}


class TestForeign:
    """A file of another program is never touched."""

    @pytest.mark.parametrize("number", range(9))
    @pytest.mark.parametrize("journal", ["DELETE", "WAL"])
    def test_a_foreign_database_is_refused(self, tmp_path: Path, journal: str, number: int) -> None:
        """No verb takes an SQLite file that is not ours, though it has tables of our names."""
        path = tmp_path / "foreign.db"
        sql(path, f"PRAGMA journal_mode = {journal}", "CREATE TABLE entry (name, value)", "INSERT INTO entry VALUES ('k', 'theirs')")
        before = path.read_bytes()
        with closing(engine(path)) as db, pytest.raises(ForeignDatabase):
            verbs(db)[number]()
        assert path.read_bytes() == before
        assert os.listdir(tmp_path) == ["foreign.db"]

    @pytest.mark.parametrize("number", range(9))
    @pytest.mark.parametrize("journal", ["DELETE", "WAL"])
    def test_nor_is_its_unfinished_work_finished(self, tmp_path: Path, journal: str, number: int) -> None:
        """A journal that a crash of the other program left behind is not played into its file, nor removed."""
        path = tmp_path / "foreign.db"
        rows = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000) INSERT INTO entry SELECT x, 'old' FROM n"
        crash_half_way(path, f"PRAGMA journal_mode = {journal}", "CREATE TABLE entry (name, value)", rows)
        before = {name: (tmp_path / name).read_bytes() for name in ("foreign.db", f"foreign.db-{'wal' if journal == 'WAL' else 'journal'}")}
        with closing(engine(path)) as db, pytest.raises(ForeignDatabase):
            verbs(db)[number]()
        assert {name: (tmp_path / name).read_bytes() for name in before} == before


class TestDamage:
    """What is no database, or not any more, is an error of ours, and reading it changes nothing."""

    @staticmethod
    def failures(path: Path) -> list[StorageError]:
        """What the verbs say, each to a copy of the file; anything but an error of ours fails the test."""
        found = []
        for number in range(9):
            copy = path.with_name("copy.db")
            shutil.copyfile(path, copy)
            os.utime(copy, (NOW, NOW + 0.123456))
            before = copy.read_bytes()
            with closing(engine(copy, 0.1)) as db:
                try:
                    verbs(db)[number]()
                except StorageError as error:
                    found.append(error)
            assert number or copy.read_bytes() == before
            for file in path.parent.glob("copy.db*"):
                file.unlink()
        return found

    @pytest.mark.parametrize("content", [b"x", b"no database\n" * 1000, b"SQLite format 3\0", b"\0" * 8192, b"\x1f\x8b" + b"\xff" * 5000])
    def test_what_is_no_database_is_said(self, tmp_path: Path, content: bytes) -> None:
        """Text, an archive or zeros: every verb refuses, naming the file."""
        path = tmp_path / "main.db"
        path.write_bytes(content)
        failures = self.failures(path)
        assert len(failures) == 9
        assert {type(error) for error in failures} <= {DamagedDatabase, ForeignDatabase}
        assert all(str(tmp_path) in error.message and error.cure for error in failures)

    @pytest.mark.parametrize("left", [99, 100, 511, 4095, 4096, 5000, 12288, 2 << 20])
    def test_a_file_that_was_cut_is_damaged(self, path: Path, left: int) -> None:
        """A file that lost its end: whatever needs it says so."""
        assert path.stat().st_size > left
        os.truncate(path, left)
        failures = self.failures(path)
        assert failures
        assert {type(error) for error in failures} <= {DamagedDatabase, StorageError}
        with pytest.raises(StorageError):
            get(path, "large")

    @pytest.mark.parametrize("kind", ["zeros", "noise"])
    def test_pages_that_were_overwritten_are_damage(self, tmp_path: Path, kind: str) -> None:
        """Whichever page is destroyed, every verb works or says so."""
        path = tmp_path / "main.db"
        put(path, "k", b"small")
        put(path, "large", b"x" * 3000)
        put(path, "number", b"7", expires=NOW + 1000)
        good, failed = path.read_bytes(), 0
        noise = random.Random(1)
        for start in range(0, len(good), 4096):
            page = bytes(4096) if kind == "zeros" else noise.randbytes(4096)
            path.write_bytes(good[:start] + page + good[start + 4096 :])
            failures = self.failures(path)
            assert {type(error) for error in failures} <= {DamagedDatabase, StorageError}
            failed += bool(failures)
        assert failed >= 5

    def test_a_schema_that_is_no_text_is_damage(self, path: Path) -> None:
        """Where SQLite cannot even quote what is wrong, that is still our error."""
        good = path.read_bytes()
        path.write_bytes(good.replace(b"WITHOUT ROWID", b"WITHOUT R\xff\xfeID"))
        assert [type(error) for error in self.failures(path)] == [DamagedDatabase] * 9

    def test_a_folder_is_no_database(self, tmp_path: Path) -> None:
        """A path that leads to a folder, or through a file, is an error of ours."""
        (tmp_path / "file").touch()
        for wrong in (tmp_path, tmp_path / "file" / "main.db", tmp_path / "missing" / "main.db"):
            with closing(engine(wrong)) as db, pytest.raises(StorageError):
                db.put(at("k"), Content.of(b"v"), Write(), NOW)

    def test_a_full_disk_changes_nothing(self, path: Path) -> None:
        """A write that finds no room leaves what was there."""
        script = """
import resource
from prontodb.errors import StorageError
size = os.stat(path).st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    put(path, "k", LARGE * 3)
except StorageError as error:
    print(error.code)
"""
        assert Child(script, path).end() == "1\n"
        assert (get(path, "k"), get(path, "large")) == (b"small", LARGE)


SAMPLE = """22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
36 27 0:50 / /mnt/nfs\\040share rw,relatime shared:2 master:1 - nfs4 server:/a rw,vers=4.2
37 27 0:5 / /mnt/a rw - tmpfs tmpfs rw
38 27 0:51 /sub /mnt/s rw,nosuid shared:7 - fuse.sshfs me@host:/ rw
39 27 0:52 / /mnt/odd rw - cifs //host/a\\040-\\040b rw
"""


class TestNetwork:
    """Where shared memory does not reach, no write-ahead log is used."""

    @pytest.mark.parametrize(
        ("device", "expected"),
        [("0:21", "proc"), ("254:0", "ext4"), ("0:50", "nfs4"), ("0:5", "tmpfs"), ("0:51", "fuse.sshfs"), ("0:52", "cifs"), ("0:2", "")],
    )
    def test_the_table_of_mounts_is_understood(self, device: str, expected: str) -> None:
        """The type stands behind the optional fields, for exactly that device."""
        assert mounts.kind(device, SAMPLE) == expected
        assert mounts.kind(device, "") == mounts.kind(device, "\n - \nx y") == ""

    @staticmethod
    def mount(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """From here on, as if the folder lay on a file system of that type."""
        table = folder / "mountinfo"
        table.write_text(f"36 27 0:{os.minor(folder.stat().st_dev)} / /mnt rw - {kind} server:/ rw\n")
        monkeypatch.setattr(mounts, "MOUNTINFO", str(table))
        monkeypatch.setattr(os, "major", lambda device: 0)

    def test_on_a_network_there_is_no_log_and_one_notice(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The journal is the old one, reading works beside writing, and the user hears of it once."""
        self.mount("nfs4", tmp_path, monkeypatch)
        path = tmp_path / "net.db"
        with closing(engine(path)) as db, closing(engine(path)) as other:
            db.put(at("k"), Content.of(LARGE), Write(), NOW)
            assert len(db.notices) == 1
            assert f"{path} is on a network file system" in db.notices.pop()
            other.put(at("j"), Content.of(b"2"), Write(), NOW)
            db.put(at("j"), Content.of(b"3"), Write(), NOW)
            assert (value(db, "k"), value(other, "j"), get(path, "j")) == (LARGE, b"3", b"3")
            assert (db.notices, other.notices) == ([], [])
            assert sorted(os.listdir(tmp_path)) == ["mountinfo", "net.db"]
        assert sql(path, "PRAGMA journal_mode") == [("delete",)]

    def test_one_that_was_moved_there_is_converted(self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A database from a local disk gives up its log at the first write, with one notice."""
        assert sql(path, "PRAGMA journal_mode") == [("wal",)]
        self.mount("cifs", tmp_path, monkeypatch)
        with closing(engine(path)) as db:
            assert value(db, "k") == b"small"
            db.put(at("k"), Content.of(b"new"), Write(), NOW)
            assert len(db.notices) == 1
        assert sql(path, "PRAGMA journal_mode") == [("delete",)]
        monkeypatch.undo()
        assert get(path, "k") == b"new"

    @pytest.mark.parametrize("kind", ["tmpfs", "fuse.gocryptfs", "btrfs"])
    def test_other_file_systems_without_a_disk_keep_the_log(self, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Not everything without a block device is a network."""
        self.mount(kind, tmp_path, monkeypatch)
        with closing(engine(tmp_path / "local.db")) as db:
            db.put(at("k"), Content.of(b"v"), Write(), NOW)
            assert db.notices == []
        assert sql(tmp_path / "local.db", "PRAGMA journal_mode") == [("wal",)]

    def test_a_crash_there_is_undone_by_the_next_reader(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A writer that died half way does not shut the readers out, and they see nothing of what it was doing."""
        self.mount("nfs", tmp_path, monkeypatch)
        path = tmp_path / "net.db"
        with closing(engine(path)) as db:
            db.put_many([(at(f"k{number}"), Content.of(b"old" * 100)) for number in range(300)], Write(), NOW)
        crash_half_way(path)
        assert {get(path, f"k{number}") for number in (0, 150, 299)} == {b"old" * 100}

    @pytest.mark.parametrize("moment", ["SELECT 1 FROM state", "PRAGMA journal_mode", "INSERT OR IGNORE"])
    def test_who_comes_second_says_nothing(self, path: Path, tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What another process writes, whenever it is while the log is given up, stays, and only one of the two speaks."""
        self.mount("nfs", tmp_path, monkeypatch)
        moments, original = [moment], writer.connect

        def quicker(statement: str) -> None:
            if moments and statement.startswith(moment):
                moments.clear()
                sql(path, "UPDATE state SET value = 77 WHERE name = 'body'", "INSERT INTO state VALUES ('network', 1)")

        def traced(*arguments: Any) -> sqlite3.Connection:
            db = original(*arguments)
            db.set_trace_callback(quicker)
            return db

        monkeypatch.setattr(writer, "connect", traced)
        with closing(engine(path, 1)) as db:
            db.put(at("k"), Content.of(b"new"), Write(), NOW)
            assert (moments, db.notices, value(db, "k")) == ([], [], b"new")
        assert sql(path, "SELECT name, value FROM state WHERE name IN ('body', 'network') ORDER BY name") == [("body", 77), ("network", 1)]

    def test_many_makers_there_give_one_notice(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Several processes that make one database at once all succeed, and one of them says where it is."""
        self.mount("nfs", tmp_path, monkeypatch)
        script = f"""
from prontodb.engines import mounts
mounts.MOUNTINFO, os.major = {mounts.MOUNTINFO!r}, lambda device: 0
with closing(engine(path, 60)) as db:
    for number in range(5):
        db.put(at(f"{{os.getpid()}}-{{number}}"), Content.of(b"v"), Write(), NOW)
    print(len(db.notices))
"""
        path = tmp_path / "net.db"
        assert sorted(together(script, path)) == ["0\n"] * 7 + ["1\n"]
        assert sql(path, "SELECT COUNT(*) FROM entry") == [(40,)]
