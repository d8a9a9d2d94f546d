"""`kill -9` at random moments: what was reported safe is there, nothing is torn, and what was cut off is listed as partial."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time

import pytest

from .conftest import COMMAND, Home, Result
from .sqlite_base import sql

KILLS = int(os.environ.get("PRONTO_TEST_KILLS", "100"))
GROUPS = 4
"""In which the kills of each address are dealt out, so that they can run side by side."""
SIZE = 18_000_000
CONTENT = random.Random(7).randbytes(SIZE)


def killed(home: Home, argv: tuple[str, ...], moment: float) -> Result:
    """A command with the content on a pipe, killed after so many seconds unless it has ended by then."""
    command = subprocess.Popen([COMMAND, *argv], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=home.env, cwd=home.folder)
    assert command.stdin
    assert command.stderr
    feeder = subprocess.Popen(["cat", str(home.folder / "content")], stdout=command.stdin)
    command.stdin.close()
    with command, feeder:
        try:
            command.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            command.kill()
        err = command.stderr.read()
    return Result(command.returncode, b"", err)


def took(home: Home, argv: tuple[str, ...]) -> float:
    """Seconds that the command takes undisturbed: the moments are drawn from a little more."""
    began = time.monotonic()
    killed(home, argv, 60)
    return time.monotonic() - began


def check(home: Home, done: Result) -> None:
    """Everything that was promised, after one kill."""
    assert done.status in (0, 4, -signal.SIGKILL), done
    value = home.call("get", "a.b.c")
    assert value.status == 2 or value.out == CONTENT
    if done.status == 0:
        assert value.out == CONTENT
    if done.status == 4:
        assert home.call("get", done.rescued).out == CONTENT
    assert sql(home.database, "PRAGMA integrity_check") == [("ok",)]
    for line in home.call("rescue", "list").lines:
        name, _, _, size, state, *_ = line.split("\t")
        kept = home.call("get", f"pipe.cache.{name}").out
        assert kept == CONTENT[: int(size)]
        assert state == "partial" or int(size) == SIZE
        assert (state == "partial") == ("+partial" in name)


@pytest.mark.slow
@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize("argv", [("set", "a.b.c"), ("set", "bad..address")], ids=["good", "bad"])
def test_kill_9_at_random_moments(home: Home, argv: tuple[str, ...], group: int) -> None:
    (home.folder / "content").write_bytes(CONTENT)
    home.run("set", "a.b.other", "v")
    dice = random.Random(f"{argv} {group}")
    longest = took(home, argv) * 1.2
    states = set()
    for _ in range(KILLS // GROUPS // 2):
        home.call("del", "a.b.c")
        home.call("rescue", "drop", "--all")
        began = time.monotonic()
        done = killed(home, argv, dice.uniform(0, longest))
        if done.status != -signal.SIGKILL:
            # The first time may have been a slow one, of a busy machine: then all kills would come too late.
            longest = min(longest, (time.monotonic() - began) * 1.2)
        states.add(done.status)
        check(home, done)
        assert home.call("get", "a.b.other").out == b"v"
    assert -signal.SIGKILL in states
    # Nothing of all that is left behind once it is dropped.
    home.call("del", "a.b.c")
    home.call("rescue", "drop", "--all")
    assert [path.name for path in home.spool.iterdir() if not path.name.endswith((".new", ".json"))] == []
    # But for notes without content, of a process that died between the two: doctor tells of them when they are old.
    for path in home.spool.iterdir():
        os.utime(path, (1, 1))
    for row in json.loads(home.call("doctor", "--json").out):
        assert not row["cure"] or home.shell(row["cure"]).status == 0, row
    assert list(home.spool.iterdir()) == []
