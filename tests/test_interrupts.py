"""Signals and kills while something is piped in: what had come is kept, listed and can be copied (DESIGN §6)."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .conftest import COMMAND, Home

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GOOD, BAD, SHORT = ("set", "a.b.c"), ("set", "bad..address"), ("set",)


@contextmanager
def reading(home: Home, *argv: str, content: bytes, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A command that has been given `content` on a pipe that stays open, and has put it into the spool, as it does before it waits."""
    process = subprocess.Popen(
        [COMMAND, *argv], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=home.env | options.pop("env", {}), cwd=home.folder, **options
    )
    assert process.stdin
    process.stdin.write(content)
    process.stdin.flush()
    deadline = time.monotonic() + 20
    while sum(path.stat().st_size for path in home.partial()) < len(content):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def rows(home: Home, *flags: str) -> list[dict[str, Any]]:
    """What `rescue list` tells."""
    done = home.run("rescue", "list", "--json", *flags)
    assert done.status == 0, done
    found: list[dict[str, Any]] = json.loads(done.out)
    return found


@pytest.mark.parametrize("argv", [GOOD, BAD, SHORT], ids=" ".join)
@pytest.mark.parametrize("signum", ENDING)
def test_a_signal_keeps_what_had_come_and_says_where(home: Home, argv: tuple[str, ...], signum: int) -> None:
    with reading(home, *argv, content=b"first part") as process:
        process.send_signal(signum)
        err = process.communicate(timeout=20)[1].decode()
        assert process.returncode == -signum
    address = err.split("cached as: ")[1].split("\n")[0]
    assert err == (f"Interrupted after 10 bytes - what had come is cached as: {address}\nUse: prontodb copy {address} <proper.address>\n")
    row = rows(home)[0]
    assert (row["state"], row["size"], row["reason"], row["left"]) == ("partial", 10, "interrupted", None)
    assert row["asked"] == (argv[1] if len(argv) > 1 else None)
    assert home.run("exists", "a.b.c").status == 2
    assert home.run("copy", address, "a.b.rest").status == 0
    assert home.run("get", "a.b.rest").out == b"first part"
    assert list(home.spool.iterdir()) == []


@pytest.mark.parametrize("size", [1, 100_000, (3 << 20) + 1])
def test_kill_9_leaves_every_byte_that_was_read(home: Home, size: int) -> None:
    content = os.urandom(size)
    with reading(home, *GOOD, content=content) as process:
        assert [row["state"] for row in rows(home)] == ["arriving"]
        process.kill()
        process.wait()
    row = rows(home)[0]
    assert (row["state"], row["size"]) == ("partial", size)
    assert home.run("get", f"pipe.cache.{row['name']}").out == content
    assert home.run("rescue", "drop", row["name"]).status == 0
    assert list(home.spool.iterdir()) == []


def test_what_is_arriving_is_left_to_the_one_who_reads_it(home: Home) -> None:
    with reading(home, *GOOD, content=b"abc") as process:
        address = f"pipe.cache.{rows(home)[0]['name']}"
        assert home.run("get", address).status == 2
        assert home.run("copy", address, "a.b.d").status == 2
        assert home.run("del", address).status == 2
        assert home.run("rescue", "drop", "--all").status == 0
        assert process.stdin
        process.stdin.write(b"def")
        process.communicate(timeout=20)
        assert process.returncode == 0
    assert home.run("get", "a.b.c").out == b"abcdef"
    assert list(home.spool.iterdir()) == []


def test_a_signal_before_anything_came_just_ends_it(home: Home) -> None:
    with reading(home, *GOOD, content=b"") as process:
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[1] == b""
        assert process.returncode == -signal.SIGTERM
    assert rows(home) == []


def test_a_signal_that_is_ignored_from_the_start_stays_ignored(home: Home) -> None:
    with reading(home, *GOOD, content=b"abc", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGPIPE)
        process.communicate(b"def", timeout=20)
        assert process.returncode == 0
    assert home.run("get", "a.b.c").out == b"abcdef"


@pytest.mark.parametrize("signum", ENDING)
def test_a_signal_while_the_database_is_waited_for(home: Home, signum: int) -> None:
    home.run("set", "a.b.c", "before")
    lock = sqlite3.connect(home.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    process = subprocess.Popen(
        [COMMAND, *GOOD], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=home.env | {"PRONTO_BUSY_TIMEOUT": "1"}, cwd=home.folder
    )
    assert process.stdin
    process.stdin.write(b"content")
    process.stdin.close()
    time.sleep(0.5)
    process.send_signal(signum)
    with process:
        process.wait(timeout=20)
    lock.close()
    assert process.returncode == -signum
    assert home.run("get", f"pipe.cache.{rows(home)[0]['name']}").out == b"content"


def test_a_source_that_fails_midway(home: Home) -> None:
    """A terminal that goes away gives an error where a pipe gives an end."""
    controller, terminal = os.openpty()
    os.set_blocking(controller, True)
    process = subprocess.Popen(
        [COMMAND, "set", "a.b.c", "-"], stdin=terminal, stderr=subprocess.PIPE, env=home.env, cwd=home.folder, start_new_session=True
    )
    os.write(controller, b"typed\n")
    while not home.partial():
        time.sleep(0.01)
    os.close(terminal)
    os.close(controller)
    err = process.communicate(timeout=20)[1]
    assert process.returncode in (0, 4), err
    kept = home.run("get", "a.b.c" if process.returncode == 0 else f"pipe.cache.{rows(home)[0]['name']}")
    assert kept.out == b"typed\n"


def test_a_partial_one_belongs_to_its_user_meta_and_database(home: Home) -> None:
    for flags in (("--meta", "acme"), ("--user", "alice"), ("--database", "other")):
        with reading(home, *GOOD, *flags, content=b"secret"):
            pass
        assert [row["state"] for row in rows(home, *flags)] == ["partial"]
        assert rows(home) == []
        home.run("rescue", "drop", "--all", *flags)


def test_a_pin_holds_for_a_partial_one_too(home: Home) -> None:
    pin = {"PRONTO_FORCE_META": "acme"}
    with reading(home, *GOOD, "--meta", "globex", content=b"secret", env=pin):
        pass
    assert rows(home, "--meta", "globex") == []
    assert [row["state"] for row in rows(home, "--meta", "acme")] == ["partial"]


def test_homes_of_one_person_do_not_share_the_last_places(home: Home, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Home(tmp_path / "other")
    other.env["TMPDIR"] = home.env["TMPDIR"]
    (home.folder / ".local").write_text("in the way")
    done = home.run("set", "bad..address", "--database", "../x", stdin=b"content")
    assert done.status == 4
    assert rows(other) == []
    (home.folder / ".local").unlink()
    assert [row["size"] for row in rows(home)] == [7]


@pytest.mark.parametrize("flags", [(), ("--quiet",)])
def test_a_person_sees_how_far_it_is(home: Home, flags: tuple[str, ...]) -> None:
    """On a terminal, for what takes longer than a second: one line, gone at the end."""
    controller, terminal = os.openpty()
    process = subprocess.Popen([COMMAND, "set", "a.b.c", *flags], stdin=subprocess.PIPE, stderr=terminal, env=home.env, cwd=home.folder)
    os.close(terminal)
    assert process.stdin
    for _ in range(4):
        process.stdin.write(bytes(1 << 20))
        process.stdin.flush()
        time.sleep(0.5)
    process.stdin.close()
    assert process.wait(timeout=20) == 0
    said = b""
    try:
        while piece := os.read(controller, 1000):
            said += piece
    except OSError:
        # Nobody has the other end any more, and all is read.
        pass
    os.close(controller)
    if flags:
        assert said == b""
    else:
        assert b"\rprontodb: 4.0 MiB, " in said
        assert said.endswith(b"\r\x1b[K")
