"""Values of 16 MiB and more are files beside the database: whole, private, never mixed, and gone with their entries."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from prontodb.engines.bodies import LEAST
from prontodb.errors import ProntoError
from prontodb.model import Content, Write

from .conftest import Home
from .sqlite_base import NOW, at, engine, get, sql

SIZES = (LEAST - 1, LEAST, LEAST + 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "main.db"


def bulk(path: Path) -> list[str]:
    """The files beside a database."""
    folder = Path(f"{path}-bulk")
    return sorted(os.listdir(folder)) if folder.exists() else []


def fresh(size: int = LEAST) -> bytes:
    """Bytes that were never there before."""
    return os.urandom(1024) * (size // 1024) + os.urandom(size % 1024)


def put(path: Path, name: str, data: bytes, *, expires: int | None = None) -> None:
    write = Write()
    write.expires = expires
    with closing(engine(path)) as db:
        db.put(at(name), Content.of(data), write, NOW)


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out(path: Path, size: int) -> None:
    data = fresh(size)
    put(path, "k", data)
    assert get(path, "k") == data
    assert len(bulk(path)) == (size >= LEAST)


def test_the_files_are_private(home: Home) -> None:
    assert home.shell("umask 0; head -c 17000000 /dev/zero | prontodb set a.b.c").status == 0
    folder = Path(f"{home.database}-bulk")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


def test_a_file_goes_with_its_entry(path: Path) -> None:
    put(path, "k", fresh())
    put(path, "k", fresh())
    assert len(bulk(path)) == 1
    put(path, "k", b"small")
    assert bulk(path) == []
    put(path, "k", fresh())
    with closing(engine(path)) as db:
        db.delete([at("k")], NOW)
    assert bulk(path) == []
    put(path, "k", fresh(), expires=NOW + 1)
    with closing(engine(path)) as db:
        assert db.purge(10, NOW + 1) == 1
    assert bulk(path) == []


def test_copies_are_of_their_own(path: Path) -> None:
    data = fresh()
    put(path, "k", data)
    with closing(engine(path)) as db:
        assert db.copy(at("k"), at("copy"), Write(), NOW)
        assert db.copy(at("k"), at("k"), Write(), NOW)
        db.delete([at("k")], NOW)
    assert get(path, "copy") == data
    assert len(bulk(path)) == 1
    with closing(engine(path)) as db:
        assert db.copy(at("copy"), at("moved"), Write(), NOW, move=True)
    assert get(path, "moved") == data


def test_a_reader_keeps_what_it_reads(path: Path) -> None:
    """Overwritten and deleted meanwhile, with and without a lock: the value is read to its end."""
    first, second = fresh(LEAST * 2), fresh(LEAST)
    put(path, "k", first)
    with closing(engine(path)) as db:
        found = db.get(at("k"), NOW)
        assert found
        begun = next(found.pieces)
        put(path, "k", second)
        with closing(engine(path)) as other:
            other.delete([at("k")], NOW)
        assert begun + found.read() == first


def test_an_untouched_reader_closes_its_file(path: Path) -> None:
    put(path, "k", fresh())
    before = len(os.listdir("/proc/self/fd"))
    with closing(engine(path)) as db:
        assert db.get(at("k"), NOW)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_transaction_that_fails_keeps_the_old_value(path: Path) -> None:
    data = fresh()
    put(path, "k", data)
    with closing(engine(path)) as db, pytest.raises(ProntoError):
        db.put(at("k"), Content.of(fresh()), Write(absent=True), NOW)

    def broken() -> list[tuple[object, Content]]:
        yield at("k"), Content.of(fresh())
        raise ProntoError("broken")

    with closing(engine(path)) as db, pytest.raises(ProntoError, match="broken"):
        db.put_many(broken(), Write(), NOW)  # type: ignore[arg-type]
    assert get(path, "k") == data


def test_what_a_crash_left_is_swept(path: Path) -> None:
    put(path, "k", b"small")
    folder = Path(f"{path}-bulk")
    folder.mkdir()
    for name in ("7", "1", "new-123-abc"):
        (folder / name).write_bytes(b"left")
    (folder / "mine.txt").write_bytes(b"not ours")
    data = fresh()
    put(path, "large", data)
    number = sql(path, "SELECT body FROM entry WHERE body IS NOT NULL")[0][0]
    assert bulk(path) == [str(number), "mine.txt"]
    assert get(path, "large") == data


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_file_that_is_gone_or_cut_is_an_error_that_says_so(home: Home, damage: str) -> None:
    home.shell("head -c 17000000 /dev/zero | prontodb set a.b.c")
    file = next(Path(f"{home.database}-bulk").iterdir())
    if damage == "gone":
        file.unlink()
    else:
        os.truncate(file, 1000)
    done = home.run("get", "a.b.c")
    assert (done.status, done.out) == (1, b"")
    assert "damaged" in done.err
    assert home.run("set", "a.b.c", "new").status == 0


def test_without_hard_links_it_is_copied(home: Home) -> None:
    """Two file systems: the spool is on one, the database on another."""
    other = Path(f"/dev/shm/prontodb-test-{os.getpid()}")
    other.mkdir()
    try:
        data = fresh(LEAST + 5)
        done = home.run("set", "a.b.c", "--database", f"{other}/x.db", stdin=data)
        assert (done.status, done.err) == (0, "")
        assert home.run("get", "a.b.c", "--database", f"{other}/x.db").out == data
        assert home.spool.exists()
        assert list(home.spool.iterdir()) == []
        assert len(list(Path(f"{other}/x.db-bulk").iterdir())) == 1
    finally:
        subprocess.run(["rm", "-rf", str(other)], check=True)


def test_a_file_that_is_stored_is_no_link_to_it(home: Home) -> None:
    (home.folder / "f").write_bytes(bytes(LEAST))
    assert home.run("set", "a.b.c", "--file", "f").status == 0
    with open(home.folder / "f", "r+b") as file:
        file.write(b"changed")
    assert home.run("get", "a.b.c").out == bytes(LEAST)


def test_content_in_memory_has_no_file_that_could_be_linked() -> None:
    content = Content.of(b"v")
    assert (content.file, content.read()) == ("", b"v")
