"""What the tests of the SQLite engine share, in this process and in the processes that they start."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from prontodb.address import Address, Place
from prontodb.engines.sqlite import SqliteEngine
from prontodb.model import PIECE, Content, Write

ROOT = Path(__file__).parent.parent
NOW = 1_000_000_000
PLACE = Place("p", "n")
LARGE = b"large" * (PIECE // 2)
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
"""What takes from root the right to ignore permissions."""


def at(name: str) -> Address:
    """An address in the place `p.n`."""
    return Address("p", "n", name)


def engine(path: str | Path, timeout: float = 10, *, folders: bool = False) -> SqliteEngine:
    """The engine of the meta `m` on a file."""
    return SqliteEngine(str(path), "m", lambda: timeout, folders=folders)


def put(path: str | Path, name: str, value: bytes = b"v", *, expires: int | None = None) -> None:
    """Stores a value, as a command does: opened, written, closed."""
    write = Write()
    write.expires = expires
    with closing(engine(path)) as db:
        db.put(at(name), Content.of(value), write, NOW)


def get(path: str | Path, name: str) -> bytes | None:
    """Reads a value, as a command does."""
    with closing(engine(path)) as db:
        return value(db, name)


def value(db: SqliteEngine, name: str) -> bytes | None:
    """A value of an open engine."""
    found = db.get(at(name), NOW)
    return None if found is None else found.read()


def read_all(db: SqliteEngine) -> list[object]:
    """What every reading verb says."""
    entries = [(entry.name, entry.size, entry.value) for entry in db.entries(PLACE, "", 1000, NOW)]
    spaces = [(space.project, space.namespace, space.ttl) for space in (*db.spaces(NOW), *db.caches())]
    return [db.names(PLACE, "", 1000, NOW), entries, spaces, value(db, "k"), value(db, "large"), value(db, "none")]


def sql(path: str | Path, *statements: str) -> list[Any]:
    """Runs statements on a file past the engine; what the last one gives."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        rows = [db.execute(statement).fetchall() for statement in statements]
    return rows[-1]


def folder_state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything that a trace could show in: names, modes, times and bytes, also of the folder itself."""
    paths = [folder, *sorted(folder.iterdir())]
    return {str(path): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in paths}


class Child:
    """A process that runs a script; `path` in it is the database."""

    HEAD = "import os, sys, time; from contextlib import closing; from tests.sqlite_base import *; path = sys.argv[1]\n"

    def __init__(self, script: str, path: str | Path, *, before: tuple[str, ...] = ()) -> None:
        argv = [*before, sys.executable, "-c", self.HEAD + script, str(path)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(argv, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def line(self) -> str:
        """The next line of its output."""
        assert self.process.stdout
        return self.process.stdout.readline().rstrip("\n")

    def go(self) -> None:
        """Lets it go on where it waits for a line."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """Lets it go on to its end, which must be a good one; what is left of its output."""
        out, err = self.process.communicate("\n", timeout=60)
        assert (self.process.returncode, err) == (0, ""), err
        return out

    def kill(self) -> str:
        """Kills it without a warning; what is left of its output."""
        assert self.process.stdout
        self.process.kill()
        # Not `communicate`, which would pass over what `readline` has buffered.
        rest = self.process.stdout.read()
        self.process.communicate()
        return rest


def together(script: str, path: str | Path, count: int = 8) -> list[str]:
    """Runs a script in several processes that begin at one moment; what each said."""
    children = [Child("print(flush=True); sys.stdin.readline()\n" + script, path) for _ in range(count)]
    for child in children:
        assert child.line() == ""
    for child in children:
        child.go()
    return [child.end() for child in children]


def crash_half_way(path: str | Path, *before: str) -> None:
    """Lets a process die in the middle of changing every value `old`, when part of that is in the file already."""
    script = f"""
db = sqlite3.connect(path, isolation_level=None)
for statement in {before!r}:
    db.execute(statement)
db.execute("PRAGMA cache_size = 5")
db.execute("BEGIN IMMEDIATE")
db.execute("UPDATE entry SET value = cast(replace(cast(value AS text), 'old', 'new') AS blob)")
os.kill(os.getpid(), 9)
"""
    Child(script, path).process.communicate()


def unprivileged() -> tuple[str, ...]:
    """What to put before a command that shall heed permissions; skips the test where that cannot be had."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        # Not at the top: each process that a test starts would load it.
        import pytest

        pytest.skip("setpriv is missing, and root ignores permissions")
    return UNPRIVILEGED
