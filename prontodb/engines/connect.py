"""Connections to one SQLite file: a reader that leaves no trace, and a writer that waits its turn."""

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
    has open for writing is read under SQLite's own locks. With `held`, all answers until `close` are of one moment, as far as locks
    can be had.
    """

    def __init__(self, path: str, timeout: "Callable[[], float]", *, user: str, held: bool = False) -> None:
        self._path = path
        self._user = user
        self._timeout = timeout
        self._held = held
        self._db: Connection | None = None
        self._seen: Seen | None = None

    def run(self, query: "Callable[[Connection], T]", default: "T") -> "T":
        """The answer of `query`, which must fetch all it needs; `default` where there is no database yet."""
        try:
            return self._run(query)
        except FileNotFoundError:
            return default
        except ERRORS as error:
            raise _translated(error, self._path) from error
        except OSError as error:
            raise StorageError(f"Cannot read database {self._path}: {error.strerror}") from error

    def close(self) -> None:
        """Lets go of the file; the next `run` opens it anew."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _run(self, query: "Callable[[Connection], T]") -> "T":
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
        try:
            db = self._checked(connect(self._path, "mode=ro", self._timeout()))
            if self._held:
                db.execute("BEGIN")
            return db
        except Error as error:
            # A folder that takes no -shm file. Where there is no -wal file either, nothing is missing from the database itself.
            self._seen = settled(self._path) or quiet(self._path)
            if self._seen is None:
                raise _unreadable(error, self._path) from error
            return self._immutable()

    def _immutable(self) -> "Connection":
        return self._checked(connect(self._path, "mode=ro&immutable=1", 0))

    def _checked(self, db: "Connection") -> "Connection":
        try:
            if check(db, self._path):
                guard(db, self._path, self._user)
                return db
        except BaseException:
            db.close()
            raise
        db.close()
        raise NeedsWriter(f"Database {self._path} was made by an older ProntoDB", cure="write something to it, which brings it up to date")


class Writer:
    """Changes one file, a transaction at a time, each with the write lock from its start: nobody can step in between."""

    def __init__(self, path: str, timeout: "Callable[[], float]", *, user: str, folders: bool) -> None:
        self._path = path
        self._user = user
        self._timeout = timeout
        self._folders = folders
        self._db: Connection | None = None
        self.notices: list[str] = []

    def run(self, change: "Callable[[Connection], T]", *, durable: bool = True) -> "T":
        """What `change` returns, once it is committed; where it raises, nothing has changed.

        `durable`: on disk before this returns. Raises `Busy` when another process held the lock for longer than the timeout.
        """
        try:
            db = self._begin(durable=durable)
            result = change(db)
            db.execute("COMMIT")
            return result
        except BaseException as error:
            self.close()
            if isinstance(error, Error) or (isinstance(error, UnicodeDecodeError) and error.object.startswith(b"malformed")):
                raise _translated(error, self._path) from error
            if isinstance(error, OSError):
                raise _unwritable(error, self._path) from error
            raise

    @property
    def opened(self) -> bool:
        """Whether it has the file open."""
        return self._db is not None

    def exists(self) -> bool:
        """Whether there is a database to change; an empty file, as `mktemp` makes it, is none yet."""
        try:
            return os.stat(self._path).st_size > 0
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unwritable(error, self._path) from error

    def close(self) -> None:
        """Closes the file, undoing what is not committed."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _begin(self, *, durable: bool) -> "Connection":
        """An open transaction. SQLite's own wait does not cover every lock that opening a database takes, hence the loop."""
        deadline = time.monotonic() + self._timeout()
        while True:
            try:
                self._db = self._db or self._open(max(0.0, deadline - time.monotonic()))
                self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._db.execute("BEGIN IMMEDIATE")
                return self._db
            except Error as error:
                self.close()
                if not isinstance(_translated(error, self._path), Busy) or time.monotonic() >= deadline:
                    raise
                time.sleep(0.005)

    def _open(self, timeout: float) -> "Connection":
        if not self.exists():
            self._create()
        if not os.access(self._path, os.W_OK):
            # SQLite would open it all the same, and leave journals that are read-only when the file is not any more.
            raise _translated(Error("readonly"), self._path)
        if _journaled(self._path):
            _refuse_foreign(self._path)
        db = connect(self._path, "mode=rw", timeout)
        try:
            self._prepare(db)
            return db
        except BaseException:
            db.close()
            raise

    def _prepare(self, db: "Connection") -> None:
        current = check(db, self._path)
        guard(db, self._path, self._user)
        if not current:
            from .schema import migrate

            migrate(db)
        if os.major(os.stat(self._path).st_dev) == 0:
            self._mind_network(db)

    def _create(self) -> None:
        from .mounts import on_network
        from .schema import create

        create(os.path.realpath(self._path), self._user, folders=self._folders, wal=not on_network(self._path))

    def _mind_network(self, db: "Connection") -> None:
        """No WAL where its shared memory does not reach. The one warning comes when a database is made or moved there."""
        from .mounts import on_network

        if not on_network(self._path):
            return
        # Leaving WAL, SQLite takes the pages that it has read for current, though others may have changed them since: it must have none.
        db.execute("PRAGMA shrink_memory")
        db.execute("PRAGMA journal_mode = DELETE")
        said = db.execute("SELECT 1 FROM state WHERE name = 'network'").fetchone()
        # Another process may be quicker even now, and says it then.
        if not said and db.execute("INSERT OR IGNORE INTO state VALUES ('network', 1)").rowcount:
            self.notices.append(f"{self._path} is on a network file system: slower, and only as safe as its locks")


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


def quiet(path: str) -> "Seen | None":
    """What identifies the state of a file that is complete by itself; None where a journal belongs to it, or may be out of sight.

    A `-wal` is there while a process has the file open for writing. A `-journal`, of a database that was on a network file system
    once, is there while it is changed, or for good where that was cut off: then the file holds half a change.
    """
    status = os.stat(path)
    if not status.st_size:
        raise FileNotFoundError(path)
    if _journaled(path) or (os.major(status.st_dev) == 0 and _on_network(path)):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


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


def _journaled(path: str) -> bool:
    return os.path.exists(f"{path}-wal") or os.path.exists(f"{path}-journal")


def _on_network(path: str) -> bool:
    from .mounts import on_network

    return on_network(path)


def _refuse_foreign(path: str) -> None:
    """Raises `ForeignDatabase` before the writer opens a file with a journal: opening alone would finish what another program began."""
    from .failures import DamagedDatabase

    try:
        db = connect(path, "mode=ro&immutable=1", 0)
        try:
            check(db, path)
        finally:
            db.close()
    except (Error, DamagedDatabase):
        # What the file lacks may be in its journal, which the writer reads.
        pass


class NeedsWriter(StorageError):
    """The database must be migrated, or a change that was cut off undone, before it can be read; `SqliteEngine` does so."""

    slug = "needs-writer"


def _unreadable(error: Error, path: str) -> ProntoError:
    if "readonly" in str(error) and os.path.exists(f"{path}-journal"):
        return NeedsWriter(f"Database {path} holds half a change", cure="write something to it, which undoes that")
    if "unable to open" in str(error) and os.path.exists(f"{path}-wal"):
        return StorageError(
            f"Cannot read {path}: its newest changes are in {path}-wal, which a read-only folder does not let SQLite read",
            cure="copy both files to a folder that can be written, and name it with --database",
        )
    return _translated(error, path)


def _translated(error: "Error | UnicodeDecodeError", path: str) -> ProntoError:
    from .failures import translate

    return translate(error, path)


def _unwritable(error: OSError, path: str) -> ProntoError:
    from .failures import unwritable

    return unwritable(error, path)
