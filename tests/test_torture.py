"""Eight processes of random verbs, killed at random, against a model (promise one)."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import Home
from .sqlite_base import ROOT, sql
from .torture import KEYS, applied, name_of

SECONDS = float(os.environ.get("PRONTO_TEST_SECONDS", "10"))
WORKERS = 8


def log(home: Home, number: int) -> list[list[Any]]:
    """What a worker has noted."""
    file = home.folder / f"log.{number}"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def states(entries: list[list[Any]]) -> list[dict[str, str]]:
    """The states of a worker's keys, one after the other; what was cut off counts as soon as somebody saw that it was done."""
    found: list[dict[str, str]] = [{}]
    for _, kind, *rest in entries:
        if kind == "done" and rest[0][0] != "backup" and rest[1] == 0:
            found.append(applied(found[-1], rest[0]))
        elif kind == "seen":
            found.append(rest[0])
    return found


def start(home: Home, number: int, seed: str) -> subprocess.Popen[bytes]:
    """A worker, once what its predecessor left is noted: what was being done when it was killed is done or not, and never half."""
    entries = log(home, number)
    if entries:
        seen = current(home, f"own.w{number}")
        check(entries, seen)
        with open(home.folder / f"log.{number}", "a") as file:
            file.write(json.dumps([time.time(), "seen", seen]) + "\n")
    argv = [sys.executable, "-m", "tests.torture", str(home.folder), str(number), seed]
    return subprocess.Popen(argv, cwd=ROOT, env=home.env, start_new_session=True)


def current(home: Home, place: str, *flags: str) -> dict[str, str]:
    """The names of the values in a place; none of them torn."""
    found = {}
    for number in range(KEYS):
        done = home.call("get", f"{place}.k{number}", *flags)
        assert done.status in (0, 2), done
        if done.status == 0:
            found[f"k{number}"] = name_of(done.out)
    return found


def check(entries: list[list[Any]], seen: dict[str, str]) -> None:
    """Everything that was acknowledged is there; only what was under way at the end may be or not be."""
    state = states(entries)[-1]
    under_way = next((rest[0] for _, kind, *rest in reversed(entries) if kind in ("try", "done", "seen")), None)
    last = next(kind for _, kind, *_ in reversed(entries) if kind in ("try", "done", "seen"))
    allowed = [state, applied(state, under_way)] if last == "try" and under_way[0] != "backup" else [state]
    assert seen in allowed, (seen, allowed)


@pytest.mark.slow
def test_no_acknowledged_write_is_lost(home: Home) -> None:
    home.run("set", "own.first.k", "v")
    workers = [start(home, number, "0") for number in range(WORKERS)]
    try:
        torment(home, workers)
        (home.folder / "stop").touch()
        for worker in workers:
            # A deadlock would show here.
            assert worker.wait(timeout=90) == 0
    finally:
        for worker in workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
    logs = [log(home, number) for number in range(WORKERS)]
    assert [entry for entries in logs for entry in entries if entry[1] == "bad"] == []
    for number, entries in enumerate(logs):
        check(entries, current(home, f"own.w{number}"))
    assert sql(home.database, "PRAGMA integrity_check") == [("ok",)]
    assert home.run("admin", "purge").status == 0
    assert [row for row in json.loads(home.run("doctor", "--json").out) if row["cure"] and row["check"] != "spool"] == []
    assert sum(len(entries) for entries in logs) > SECONDS * 5
    check_backups(home, logs)


def torment(home: Home, workers: list[subprocess.Popen[bytes]]) -> None:
    """Kills one of them now and then, and starts another in its place."""
    dice = random.Random(os.environ.get("PRONTO_TEST_SEED", "1"))
    deadline, kills = time.monotonic() + SECONDS, 0
    while time.monotonic() < deadline:
        time.sleep(dice.uniform(0.05, 0.6))
        number = dice.randrange(WORKERS)
        assert workers[number].poll() is None, "a worker ended by itself"
        # With the command that it may be running: that would go on.
        os.killpg(workers[number].pid, signal.SIGKILL)
        workers[number].wait()
        kills += 1
        workers[number] = start(home, number, str(kills))


def check_backups(home: Home, logs: list[list[list[Any]]]) -> None:
    """Each is of one moment: of every worker's keys it holds a state that they had, and the moments lie within the backup's time."""
    times: dict[str, list[float]] = {}
    for entries in logs:
        for at, kind, *rest in entries:
            if kind in ("try", "done") and rest[0][0] == "backup":
                times.setdefault(rest[0][1], []).append(at)
    files = sorted(home.folder.glob("backup-*.tar"))
    assert {Path(file).name for file in files} >= {name for name, moments in times.items() if len(moments) == 2}
    for file in files[:: max(1, len(files) // 12)]:
        assert home.call("restore", str(file), "--into", file.stem).status == 0
        flags = ("--database", f"./{file.stem}/main.db")
        assert home.call("doctor", *flags).out.count(b"sound") == 1
        for number, entries in enumerate(logs):
            seen = current(home, f"own.w{number}", *flags)
            known = states(entries)
            tried = [applied(state, rest[0]) for state, (_, kind, *rest) in _attempts(entries)]
            assert seen in known or seen in tried, (file, number)


def _attempts(entries: list[list[Any]]) -> list[tuple[dict[str, str], list[Any]]]:
    """Every operation that was tried, with the state before it."""
    found: list[tuple[dict[str, str], list[Any]]] = []
    state: dict[str, str] = {}
    for entry in entries:
        _, kind, *rest = entry
        if kind == "try" and rest[0][0] != "backup":
            found.append((state, entry))
        elif kind == "seen":
            state = rest[0]
        elif kind == "done" and rest[0][0] != "backup" and rest[1] == 0:
            state = applied(state, rest[0])
    return found
