"""Several processes on one SQLite file: nothing acknowledged is lost, nothing half done is read."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from prontodb.engines import writer
from prontodb.engines.pieces import with_rows
from prontodb.errors import Busy
from prontodb.model import Content, Write

from .sqlite_base import NOW, PLACE, Child, at, engine, get, put, sql, together, unprivileged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database may be made, in a folder of its own."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "main.db"


class TestTogether:
    """Processes that do the same at the same moment."""

    PUTS = """
with closing(engine(path, 60)) as db:
    for number in range({count}):
        db.put(at(f"{{os.getpid()}}-{{number}}"), Content.of(b"%d" % number), Write(), NOW)
print(os.getpid())
"""

    def written(self, path: Path, said: list[str], count: int) -> None:
        """All there, and nothing else in the folder."""
        expected = {f"{pid.strip()}-{number}": b"%d" % number for pid in said for number in range(count)}
        with closing(engine(path)) as db:
            assert {entry.name: entry.value for entry in db.entries(PLACE, "", 10_000, NOW)} == expected
        assert os.listdir(path.parent) == ["main.db"]

    def test_eight_make_one_database(self, path: Path) -> None:
        """Eight processes that find no database make one, and not one of their 800 values is missing."""
        self.written(path, together(self.PUTS.format(count=100), path), 100)

    def test_eight_make_one_of_an_empty_file(self, path: Path) -> None:
        """The same where an empty file stood, as `mktemp` makes it."""
        for _ in range(3):
            path.unlink(missing_ok=True)
            path.touch()
            self.written(path, together(self.PUTS.format(count=5), path), 5)

    def test_an_empty_file_is_replaced_by_one_at_a_time(self, path: Path) -> None:
        """Who replaces an empty file holds a lock on it, and who waited for that lock looks again."""
        path.touch()
        ready = path.parent.parent / "ready.db"
        put(ready, "first")
        with path.open("rb") as empty:
            fcntl.flock(empty, fcntl.LOCK_EX)
            second = Child('put(path, "second")', path)
            deadline = time.monotonic() + 10
            while len(os.listdir(path.parent)) < 2 and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.1)
            assert path.stat().st_size == 0
            ready.rename(path)
        second.end()
        assert (get(path, "first"), get(path, "second")) == (b"v", b"v")

    def test_counting_loses_none(self, path: Path) -> None:
        """Eight processes that count with one entry each get numbers of their own."""
        script = """
with closing(engine(path, 60)) as db:
    print(*(db.increment(at("k"), 1, NOW) for _ in range(25)))
"""
        numbers = sorted(int(number) for said in together(script, path) for number in said.split())
        assert numbers == list(range(1, 201))

    def test_of_eight_only_one_is_first(self, path: Path) -> None:
        """`absent` lets one process in; the others learn that they came late."""
        script = """
from prontodb.engines.failures import PreconditionFailed
with closing(engine(path, 60)) as db:
    try:
        db.put(at("lock"), Content.of(b"%d" % os.getpid()), Write(absent=True), NOW)
        print(os.getpid())
    except PreconditionFailed:
        pass
"""
        assert "".join(together(script, path)).strip().encode() == get(path, "lock")


class Held:
    """A connection between whose statements something happens, behind the first query."""

    def __init__(self, path: Path, between: Callable[[], object]) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._between: Callable[[], object] | None = between

    @property
    def in_transaction(self) -> bool:
        """As the connection has it."""
        return self._db.in_transaction

    def execute(self, query: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor | First:
        """The connection's, but for the first query."""
        found = self._db.execute(query, values)
        if not query.startswith("SELECT") or self._between is None:
            return found
        row, between, self._between = found.fetchone(), self._between, None
        found.close()
        between()
        return First(row)


class First(NamedTuple):
    """A row that has been fetched."""

    row: Any

    def fetchone(self) -> Any:
        """As a cursor's."""
        return self.row


class TestReadersBesideWriters:
    """What a reader sees is one committed state, and none older than what was acknowledged before it asked."""

    HEAD = """
import itertools, mmap
shared = memoryview(mmap.mmap(os.open(f"{path}.shared", os.O_RDWR), 24)).cast("q")
ACKNOWLEDGED, SEEN, OVER = range(3)
"""
    WRITER = """
number, began = 0, time.monotonic()
while (lasted := time.monotonic() - began) < 2.5 or (shared[SEEN] < 10 and lasted < 40):
    with closing(engine(path, 60)) as db:
        for _ in range(number % 4 + 1):
            number += 1
            items = [(at(f"k{i:02}"), Content.of(b"%08d" % number * (1 + i))) for i in range(60)]
            db.put_many([*items, (at("large"), Content.of(b"%08d" % number * 150_000))], Write(), NOW)
            shared[ACKNOWLEDGED] = number
    # Longer than a tick of the clock every now and then: then the file is read as it lies.
    time.sleep(number % 3 * 0.015)
shared[OVER] = 1
print(number)
"""
    READER = """
from prontodb.errors import StorageError
def numbers(db):
    yield {entry.value[at:at + 8] for entry in db.entries(Place("p", "n", "k"), "", 100, NOW) for at in range(0, entry.size, 8)}
    data = value(db, "large")
    yield {data[at:at + 8] for at in range(0, len(data), 8)}
    yield {get(path, "k07")[:8]}
answers = set()
refused = []
with closing(engine(path)) as lasting:
    while not shared[OVER]:
        for db in (lasting, engine(path)):
            floor = shared[ACKNOWLEDGED]
            try:
                for found in numbers(db):
                    assert len(found) == 1 and int(min(found)) >= floor, (found, floor)
                    answers |= found
                    shared[SEEN] = len(answers)
                    floor = shared[ACKNOWLEDGED]
            except StorageError as error:
                refused.append(f"{error.message}, after {error.__cause__!r}")
            if db is not lasting:
                db.close()
for said in (len(answers), *refused):
    print(said)
"""
    NOISE = """
with closing(engine(path, 60)) as db:
    for number in itertools.count():
        if shared[OVER]:
            break
        db.put(at(f"noise{number % 50}"), Content.of(b"n" * (number * 997 % 9000)), Write(), NOW)
        db.delete([at(f"noise{number * 7 % 50}")], NOW)
        if number % 40 == 39:
            db.close()
            time.sleep(0.1)
"""

    def prepare(self, path: Path) -> None:
        """A first state, and the memory that the processes share."""
        path.with_name("main.db.shared").write_bytes(bytes(24))
        items = [(at(f"k{number:02}"), Content.of(b"%08d" % 0 * (1 + number))) for number in range(60)]
        with closing(engine(path)) as db:
            db.put_many([*items, (at("large"), Content.of(b"%08d" % 0 * 150_000))], Write(), NOW)

    @pytest.mark.parametrize("noise", [False, True])
    def test_no_answer_is_mixed_or_stale(self, path: Path, noise: bool) -> None:
        """Beside writers that come and go, every page of entries and every large value is of one write, and of the newest.

        Only a large value may be refused: one that was begun while nobody had the file open, so without a lock, and then replaced.
        """
        self.prepare(path)
        others = [Child(self.HEAD + self.NOISE, path)] if noise else []
        writer, reader = (Child(self.HEAD + script, path) for script in (self.WRITER, self.READER))
        written = int(writer.end())
        answers, *refused = reader.end().splitlines()
        for other in others:
            other.end()
        assert [said for said in refused if "'large' was replaced while it was read" not in said] == []
        assert written + 1 >= int(answers) >= 10

    def test_a_value_and_its_pieces_are_of_one_moment(self, path: Path) -> None:
        """Whatever a writer does between the two statements that they are read with."""
        with closing(engine(path)) as db:
            db.put(at("large"), Content.of(b"1" * 600_000), Write(), NOW)
            held = Held(path, lambda: db.delete([at("large")], NOW, purge=True))
            row, rows = with_rows(held, "SELECT name, size, 0, 0, 0, 0, body FROM entry WHERE name = ?", ("large",))  # type: ignore[arg-type]
            assert row
            assert sum(len(data) for _, data in rows) == row[1] == 600_000
            assert not held.in_transaction
            assert get(db, "large") is None

    def test_nor_in_a_folder_that_may_only_be_read(self, path: Path) -> None:
        """Where a reader cannot have locks it may be refused, and is never given a mixture."""
        if os.geteuid():
            pytest.skip("needs a writer with more rights than the reader")
        self.prepare(path)
        path.parent.chmod(0o555)
        writer = Child(self.HEAD + self.WRITER, path)
        reader = Child(self.HEAD + self.READER, path, before=unprivileged())
        written = int(writer.end())
        answers = int(reader.end().split()[0])
        path.parent.chmod(0o755)
        assert written + 1 >= answers >= 10


class TestLocks:
    """Who waits for whom, and how long."""

    HOLDER = """
db = sqlite3.connect(path, isolation_level=None)
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE entry SET value = 'uncommitted'")
print("held", flush=True)
sys.stdin.readline()
"""

    @pytest.fixture
    def holder(self, path: Path) -> Child:
        """Another process, in the middle of a write."""
        put(path, "k", b"old")
        holder = Child(self.HOLDER, path)
        assert holder.line() == "held"
        return holder

    def test_a_write_waits_no_longer_than_it_may(self, path: Path, holder: Child) -> None:
        """While another process has the lock, a write is `Busy` after its time, and has changed nothing."""
        for verb in (
            lambda db: db.put(at("k"), Content.of(b"new"), Write(), NOW),
            lambda db: db.delete([at("k")], NOW),
            lambda db: db.purge(10, NOW),
        ):
            began = time.monotonic()
            with closing(engine(path, 0.3)) as db, pytest.raises(Busy) as caught:
                verb(db)
            assert 0.25 < time.monotonic() - began < 3
            assert (caught.value.code, "PRONTO_BUSY_TIMEOUT" in caught.value.cure) == (5, True)
        holder.end()
        assert get(path, "k") == b"old"

    def test_a_write_that_may_wait_gets_its_turn(self, path: Path, holder: Child) -> None:
        """When the lock comes free in time, the write is done."""
        waiting = Child('put(path, "k", b"new")', path)
        time.sleep(0.2)
        assert waiting.process.poll() is None
        holder.end()
        waiting.end()
        assert get(path, "k") == b"new"

    def test_a_lock_that_sqlite_does_not_wait_for_is_waited_for(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some locks of opening a database fail at once; within the time allowed that is tried again."""
        put(path, "k", b"old")
        refusals, original = iter(["database is locked"] * 3), writer.connect

        def refusing(*arguments: Any) -> sqlite3.Connection:
            for said in refusals:
                raise sqlite3.OperationalError(said)
            return original(*arguments)

        monkeypatch.setattr(writer, "connect", refusing)
        put(path, "k", b"new")
        assert get(path, "k") == b"new"

    def test_reading_does_not_wait(self, path: Path, holder: Child) -> None:
        """A write in progress is no obstacle to readers."""
        began = time.monotonic()
        with closing(engine(path, 5)) as db:
            assert [entry.value for entry in db.entries(PLACE, "", 10, NOW)] == [b"old"]
        assert time.monotonic() - began < 2
        holder.end()

    def test_a_reader_does_not_hold_up_writers(self, path: Path) -> None:
        """A large value that is read slowly keeps nobody from writing, and stays what it was."""
        put(path, "large", b"1" * 3_000_000)
        with closing(engine(path)) as db, closing(engine(path)) as writer:
            writer.put(at("k"), Content.of(b"v"), Write(), NOW)
            found = db.get(at("large"), NOW)
            assert found
            read = next(found.pieces)
            Child('put(path, "large", b"2" * 3_000_000)', path).end()
            assert read + found.read() == b"1" * 3_000_000
            assert get(path, "large") == b"2" * 3_000_000


class TestKilled:
    """A process that is killed takes nothing with it that it had acknowledged."""

    def test_no_acknowledged_write_is_lost(self, path: Path) -> None:
        """`kill -9` in the middle of 500 writes: every one that returned is there, and nothing hinders the next process."""
        script = """
with closing(engine(path)) as db:
    for number in range(500):
        db.put(at(f"k{number:03}"), Content.of(b"%d" % number * (900 if number % 5 == 0 else 1)), Write(), NOW)
        os.write(1, b"%d\\n" % number)
"""
        for stop in (1, 40, 230):
            path.unlink(missing_ok=True)
            child = Child(script, path)
            lines = [child.line() for _ in range(stop)]
            acknowledged = [*lines, *child.kill().split()]
            assert len(acknowledged) < 500
            with closing(engine(path)) as db:
                stored = {entry.name: entry for entry in db.entries(PLACE, "", 1000, NOW)}
                assert set(stored) >= {f"k{int(number):03}" for number in acknowledged}
                assert len(stored) <= len(acknowledged) + 1
                assert get(path, "k000") == b"0" * 900
            put(path, "after")
            assert sql(path, "PRAGMA integrity_check") == [("ok",)]
            assert sorted(os.listdir(path.parent)) == ["main.db"]
