"""Whatever is wrong with the place where content is sent: it is kept, it can be had back, and the message says what is wrong."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from prontodb.engines.driver import SCHEMA_VERSION
from prontodb.engines.failures import StorageFull, unwritable

from .conftest import COMMAND, Home
from .sqlite_base import sql, unprivileged

SIZES = (100, 700_000, 17_000_000)


@contextmanager
def locked(home: Home) -> Iterator[None]:
    """Held by another process for longer than anybody waits."""
    with closing(sqlite3.connect(home.database, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def read_only_file(home: Home) -> Iterator[None]:
    home.database.chmod(0o400)
    yield
    home.database.chmod(0o600)


@contextmanager
def read_only_folder(home: Home) -> Iterator[None]:
    home.database.parent.chmod(0o500)
    yield
    home.database.parent.chmod(0o700)


@contextmanager
def damaged(home: Home) -> Iterator[None]:
    good = home.database.read_bytes()
    home.database.write_bytes(good[:100] + bytes(len(good) - 100))
    yield
    home.database.write_bytes(good)


@contextmanager
def newer(home: Home) -> Iterator[None]:
    sql(home.database, "PRAGMA user_version = 99")
    yield
    sql(home.database, f"PRAGMA user_version = {SCHEMA_VERSION}")


@contextmanager
def foreign(home: Home) -> Iterator[None]:
    sql(home.database, "PRAGMA application_id = 7")
    yield
    sql(home.database, f"PRAGMA application_id = {0x50524F4E}")


@contextmanager
def folder_gone(home: Home) -> Iterator[None]:
    """In its place is a file: no folder can be made there."""
    home.database.parent.rename(home.folder / "away")
    home.database.parent.write_text("in the way")
    yield
    home.database.parent.unlink()
    (home.folder / "away").rename(home.database.parent)


FAULTS: dict[str, tuple[Callable[[Home], object], str]] = {
    "locked": (locked, "busy"),
    "read-only file": (read_only_file, "read-only"),
    "read-only folder": (read_only_folder, "read-only"),
    "damaged": (damaged, "damaged"),
    "newer": (newer, "newer ProntoDB"),
    "foreign": (foreign, "Not a ProntoDB database"),
    "folder gone": (folder_gone, "Cannot"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FAULTS)
def test_content_is_kept_and_comes_home(home: Home, name: str, size: int) -> None:
    home.run("set", "a.b.old", "before")
    content = os.urandom(size)
    fault, said = FAULTS[name]
    env = home.env | {"PRONTO_BUSY_TIMEOUT": "0.2"}
    with fault(home):  # type: ignore[attr-defined]
        for address in ("a.b.c", "bad..address"):
            argv = [*unprivileged(), COMMAND, "set", address]
            done = subprocess.run(argv, input=content, env=env, cwd=home.folder, capture_output=True, timeout=60, check=False)
            err = done.stderr.decode()
            assert done.returncode == 4, err
            assert said in err or "Permission denied" in err or address != "a.b.c", err
            assert "Internal" not in err
            key = err.split("cached as: ")[1].split("\n")[0]
            assert home.run("get", key).out == content
    assert home.run("copy", key, "a.b.c").status == 0
    assert home.run("get", "a.b.c").out == content
    assert home.run("get", "a.b.old").out == b"before"
    assert home.run("doctor").out.count(b"sound") == 1


def test_a_quota_is_a_full_disk() -> None:
    """The one fault that cannot be made without a file system of one's own that has quotas."""
    for number in (122, 28, 27):
        assert isinstance(unwritable(OSError(number, "x"), "/x"), StorageFull)


@pytest.mark.skipif(os.geteuid() != 0, reason="the home of the account is put aside by a mount")
def test_without_a_home(home: Home) -> None:
    """HOME unset: the account's own folder, as the system knows it. HOME nonsense: the content is kept all the same."""
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no right to mount")
    script = """
mkdir -p /root/.local && mount -t tmpfs none /root/.local || exit 9
unset HOME; cd /
echo content | prontodb set a.b.c && prontodb get a.b.c && ls /root/.local/share/prontodb
echo content | prontodb set a..c 2>&1 | head -1 | cut -c 1-40
echo more | HOME=relative prontodb set a.b.d 2>&1 | head -1; HOME=relative prontodb rescue list
"""
    done = subprocess.run(["unshare", "-m", "bash", "-c", script], env=home.env, capture_output=True, check=False)
    assert done.stdout.decode().splitlines()[:3] == ["content", "main.db", "Invalid address 'a..c' - content cached "], done
    assert b"cached as: pipe.cache." in done.stdout.splitlines()[3]


def test_a_reader_is_never_refused_for_a_value_that_is_replaced(home: Home) -> None:
    """At every size: rows inline, pieces, a file."""
    for size in (100, 5_000_000, 17_000_000):
        script = (
            f"while [ ! -e stop ]; do head -c {size} /dev/zero | prontodb set a.b.c; head -c {size} /dev/zero | prontodb set a.b.c; done"
        )
        home.run("set", "a.b.c", stdin=bytes(size))
        writer = subprocess.Popen(["bash", "-c", script], env=home.env, cwd=home.folder)
        for _ in range(12):
            done = home.run("get", "a.b.c")
            assert (done.status, len(done.out), done.err) == (0, size, "")
        (home.folder / "stop").touch()
        writer.wait()
        (home.folder / "stop").unlink()


def test_what_a_denied_call_was_given_can_be_found(home: Home) -> None:
    """In strict mode no command shows it: the message names the file."""
    done = home.run("set", "a.b.c", stdin=b"content", env={"PRONTO_SECURITY": "strict"})
    assert done.status == 4
    path = done.err.splitlines()[2].partition("it is the file ")[2]
    assert home.shell(f"cat {path}").out == b"content"
    assert home.run("get", done.rescued).out == b"content"
