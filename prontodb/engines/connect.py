"""Reading one SQLite file without leaving a trace, and telling whether it is one of ours."""

import os
import time

from ..errors import Busy, Denied, ProntoError, StorageError
from .driver import APPLICATION_ID, ERRORS, SCHEMA_VERSION, Error, connect, pragma

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from .driver import Connection

    T = TypeVar("T")
    Seen = tuple[int, int, int]

TICK = 0.012
"""Seconds within which two changes of a file can carry the same time stamp (a kernel's tick, at 100 Hz the longest)."""
COARSE_TICK = 2.5
"""The same on file systems that keep whole seconds only, or even ones."""
LOOKS = 8
"""Times that an answer is looked for in a file that changes meanwhile; from the third on under locks, where they can be had."""


class Reader:
    """Reads without writing or creating anything.

    A WAL database that nobody has open has no `-wal` file, and a plain read would make one. So such a file is read as it lies
    (`immutable`), each answer complete before it counts, and it counts only if the file has not changed meanwhile. One that somebody
    has open for writing is read under SQLite's own locks.
    """

    def __init__(self, path: str, timeout: "Callable[[], float]", *, user: str) -> None:
        self._path = path
        self._user = user
        self._timeout = timeout
        self._db: Connection | None = None
        self._seen: Seen | None = None
        self._file: tuple[int, int] | None = None

    def run(self, query: "Callable[[Connection], T]", default: "T") -> "T":
        """The answer of `query`, which must fetch all it needs; `default` where there is no database yet."""
        try:
            return self._run(query)
        except FileNotFoundError:
            return default
        except ERRORS as error:
            raise translated(error, self._path) from error
        except OSError as error:
            raise StorageError(f"Cannot read database {self._path}: {error.strerror}") from error

    @property
    def traceless(self) -> bool:
        """Whether it holds no lock and no journal: between two answers nobody can tell that the file is open."""
        return self._seen is not None

    def steady(self) -> "Callable[[], bool] | None":
        """What tells whether the file still is as it was read; None where it is not read as it lies."""
        path, seen = self._path, self._seen
        return (lambda: _same(path, seen)) if self._db and seen else None

    def close(self) -> None:
        """Lets go of the file; the next `run` opens it anew."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _run(self, query: "Callable[[Connection], T]") -> "T":
        if self._db is not None and self._seen is None and identity(self._path) != self._file:
            self.close()
        for look in range(LOOKS):
            try:
                self._db = self._db or self._open(locks=look > 1)
                answer = query(self._db)
            except ERRORS:
                # Damage, or a page that changed under our eyes: another look tells.
                if not self._stale():
                    raise
            else:
                if not self._stale():
                    return answer
            self.close()
        raise Busy(f"Database {self._path} changes faster than it can be read", cure="run it again")

    def _stale(self) -> bool:
        """Whether the file was read as it lay, and has changed since."""
        return self._seen is not None and quiet(self._path) != self._seen

    def _open(self, *, locks: bool) -> "Connection":
        self._seen = None if locks else settled(self._path)
        return self._locked() if self._seen is None else self._immutable()

    def _locked(self) -> "Connection":
        self._file = identity(self._path)
        try:
            return self._checked(connect(self._path, "mode=ro", self._timeout()))
        except Error as error:
            # A folder that takes no -shm file. Where there is no -wal file either, nothing is missing from the database itself.
            self._seen = settled(self._path) or quiet(self._path)
            if self._seen is None:
                from .failures import unreadable

                raise unreadable(error, self._path) from error
            return self._immutable()

    def _immutable(self) -> "Connection":
        return self._checked(connect(self._path, "mode=ro&immutable=1", 0))

    def _checked(self, db: "Connection") -> "Connection":
        """The connection, if the file is one of ours, of today's shape or an older one: what is read has not moved since version 1."""
        try:
            check(db, self._path)
            guard(db, self._path, self._user)
        except BaseException:
            db.close()
            raise
        return db


def check(db: "Connection", path: str) -> bool:
    """Whether the database has today's shape; False for an older one. Raises for a foreign, a newer and a damaged one."""
    version, ours = pragma(db, "user_version"), pragma(db, "application_id") == APPLICATION_ID
    if ours and 1 <= version <= SCHEMA_VERSION:
        return version == SCHEMA_VERSION
    from .failures import misfit

    raise misfit(path, version if ours else None)


def guard(db: "Connection", path: str, user: str) -> None:
    """Raises `Denied` where a database belongs to another user who does not share it."""
    facts = dict(db.execute("SELECT name, value FROM state WHERE name IN ('owner', 'shared')").fetchall())
    owner = facts.get("owner", "default")
    if owner != user and not facts.get("shared"):
        raise Denied(
            f"Database {path} belongs to user '{owner}', not to '{user}'",
            cure=f"--user {owner} if you are; or let them share it: prontodb --user {owner} --database {path} admin share",
        )


def identity(path: str) -> "tuple[int, int] | None":
    """Which file it is; None where there is none. A connection goes on with the file it has opened, whatever takes its place."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def quiet(path: str) -> "Seen | None":
    """What identifies the state of a file that is complete by itself; None where a journal belongs to it, or may be out of sight.

    A `-wal` with something in it is there while a process has the file open for writing. A `-journal`, of a database that was on a
    network file system once, is there while it is changed, or for good where that was cut off: then the file holds half a change.
    """
    status = os.stat(path)
    if not status.st_size:
        raise FileNotFoundError(path)
    if journaled(path) or (os.major(status.st_dev) == 0 and _on_network(path)):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _same(path: str, seen: "Seen") -> bool:
    try:
        return quiet(path) == seen
    except OSError:
        return False


def settled(path: str) -> "Seen | None":
    """The same, but None also where the time stamp could hide a change: then waits out the tick of the clock that made it."""
    seen = quiet(path)
    if seen is None:
        return None
    tick = TICK if seen[2] % 1_000_000 else COARSE_TICK
    age = time.time() - seen[2] / 1e9
    if 0 <= age < tick == TICK:
        time.sleep(TICK - age)
        return seen if quiet(path) == seen else None
    return seen if age >= tick else None


def journaled(path: str) -> bool:
    """Whether a journal lies beside a file. An empty log holds nothing: a writer has just begun, or found the disk full."""
    # access, not exists, here and elsewhere on the way of every call: half the time.
    if os.access(f"{path}-wal", os.F_OK):
        try:
            if os.stat(f"{path}-wal").st_size:
                return True
        except FileNotFoundError:
            pass
    return os.access(f"{path}-journal", os.F_OK)


def _on_network(path: str) -> bool:
    from .mounts import on_network

    return on_network(path)


def translated(error: "Error | UnicodeDecodeError", path: str) -> ProntoError:
    """Our error for one of SQLite's."""
    from .failures import translate

    return translate(error, path)
