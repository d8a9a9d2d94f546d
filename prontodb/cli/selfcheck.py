"""The verb `self-check`: whether this installation can do what it is for. It looks at no data of anybody's, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session

from .. import program
from ..address import Address
from ..engines import driver, open_sqlite
from ..errors import ProntoError
from ..model import Content, Write
from ..past import OFF
from ..paths import data_home, state_home
from ..shellwords import SHELLS
from . import specs
from .group import verb
from .tables import show

OK, FAILED, MISSING = "ok", "failed", "not installed"
OLDEST = (3, 24)
"""Of SQLite: the first with `ON CONFLICT … DO UPDATE`."""
SIZES = (0, 100, 100_000, 20 << 20)
"""Bytes of values that lie in each of the ways there are: in a row, in pieces, in a file."""
AGAIN = "install prontodb again: pipx reinstall prontodb, or pip install --force-reinstall prontodb"


class Wrong(Exception):
    """What was found wrong, and its cure."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what = what
        self.cure = cure


@verb(epilog="Example: prontodb self-check --json")
def self_check(session: Session) -> int:
    """Check this installation: the command, SQLite, a database in a temporary folder, templates, folders; and what else it finds here.

    The exit status is 1 where something has failed. What is optional and missing is no failure. prontodb doctor looks at your data.
    """
    rows = [_row(name, session) for name in CHECKS]
    show(session, ("check", "state", "found", "cure"), rows)
    return int(any(row["state"] == FAILED for row in rows))


def _row(name: str, session: Session) -> dict[str, object]:
    try:
        found = CHECKS[name](session)
    except Wrong as wrong:
        return {"check": name, "state": FAILED, "found": wrong.what, "cure": wrong.cure}
    except Exception as error:  # noqa: BLE001 - whatever an installation lacks, the other checks are told of
        said = error.message if isinstance(error, ProntoError) else f"{type(error).__name__}: {error}"
        return {"check": name, "state": FAILED, "found": said, "cure": getattr(error, "cure", "") or AGAIN}
    return {"check": name, "state": OK if found else MISSING, "found": found or None, "cure": None}


def _python(_: Session) -> str:
    return f"{sys.version.split()[0]} ({sys.executable})"


def _command(session: Session) -> str:
    return " ".join(program.command(session.program, session.cwd))


def _sqlite(_: Session) -> str:
    version = driver.sqlite_version
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise Wrong(f"{version} is too old", f"a Python with SQLite {'.'.join(map(str, OLDEST))} or later")
    return version


def _database(session: Session) -> str:
    """Values of every kind, written, read by another connection, and deleted."""
    now, asked = session.clock(), (session.pool.timeout, lambda: OFF)
    with tempfile.TemporaryDirectory(prefix="prontodb-", dir=session.environ.get("TMPDIR") or None) as folder:
        path = f"{folder}/check.db"
        with closing(open_sqlite(path, ("default", ""), asked, folders=False)) as writer:
            for size in SIZES:
                writer.put(Address("self", "check", f"k{size}"), Content.of(_pattern(size)), Write(), now)
            with closing(open_sqlite(path, ("default", ""), asked, folders=False)) as reader:
                for size in SIZES:
                    found = reader.get(Address("self", "check", f"k{size}"), now)
                    if found is None or found.read() != _pattern(size):
                        raise Wrong(f"a value of {size} bytes did not come back as it was", "check the disk and the memory of this machine")
            writer.delete([Address("self", "check", f"k{size}") for size in SIZES], now)
    return f"wrote and read {len(SIZES)} values in {os.path.dirname(folder)}"


def _pattern(size: int) -> bytes:
    return (bytes(range(256)) * (size // 256 + 1))[:size]


def _templates(session: Session) -> str:
    for shell in SHELLS:
        specs.text(session, {"make": "init", "shell": shell})
    return f"shell init for {', '.join(SHELLS)}"


def _writable(home: Callable[[Session], str]) -> Callable[[Session], str]:
    """A check of a folder: that it can be written to or, where there is none yet, made."""

    def check(session: Session) -> str:
        folder = home(session)
        there = folder
        while not os.path.exists(there):
            there = os.path.dirname(there)
        if not os.path.isdir(there) or not os.access(there, os.W_OK | os.X_OK):
            raise Wrong(f"{there} cannot be written to", f"give yourself the right to, or set another folder than {folder}")
        return folder

    return check


def _on_path(name: str) -> Callable[[Session], str]:
    return lambda session: shutil.which(name, path=session.environ.get("PATH", os.defpath)) or ""


def _postgres(_: Session) -> str:
    try:
        import importlib

        return str(importlib.import_module("psycopg2").__version__)
    except ImportError:
        return ""


CHECKS: dict[str, Callable[[Session], str]] = {
    "python": _python,
    "command": _command,
    "sqlite": _sqlite,
    "database": _database,
    "templates": _templates,
    "data folder": _writable(lambda session: data_home(session.environ)),
    "rescue folder": _writable(lambda session: state_home(session.environ)),
    **{shell: _on_path(shell) for shell in SHELLS},
    "postgres": _postgres,
}
"""What is looked at; each gives what it has found, "" for what is optional and missing, or raises what is wrong."""
