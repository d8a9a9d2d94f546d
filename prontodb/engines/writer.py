"""Changing one SQLite file: a writer that waits its turn."""

import os
import time

from ..errors import Busy
from .connect import check, guard, identity, journaled, translated
from .driver import Error, connect
from .failures import DamagedDatabase, unwritable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from .driver import Connection

    T = TypeVar("T")


class Writer:
    """Changes one file, a transaction at a time, each with the write lock from its start: nobody can step in between."""

    def __init__(self, path: str, timeout: "Callable[[], float]", notices: list[str], *, user: str, folders: bool) -> None:
        self._path = path
        self._user = user
        self._timeout = timeout
        self._folders = folders
        self._db: Connection | None = None
        self._file: tuple[int, int] | None = None
        self.notices = notices

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
                raise translated(error, self._path) from error
            if isinstance(error, OSError):
                raise unwritable(error, self._path) from error
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
            raise unwritable(error, self._path) from error

    def close(self) -> None:
        """Closes the file, undoing what is not committed."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _begin(self, *, durable: bool) -> "Connection":
        """An open transaction. SQLite's own wait does not cover every lock that opening a database takes, hence the loop."""
        deadline = time.monotonic() + self._timeout()
        if self._db is not None and identity(self._path) != self._file:
            # Deleted or replaced by another: what is written to it would be gone.
            self.close()
        while True:
            try:
                self._db = self._db or self._open(max(0.0, deadline - time.monotonic()))
                self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._db.execute("BEGIN IMMEDIATE")
                return self._db
            except Error as error:
                self.close()
                if not isinstance(translated(error, self._path), Busy) or time.monotonic() >= deadline:
                    raise
                time.sleep(0.005)

    def _open(self, timeout: float) -> "Connection":
        if not self.exists():
            self._create()
        if not os.access(self._path, os.W_OK):
            # SQLite would open it all the same, and leave journals that are read-only when the file is not any more.
            raise translated(Error("readonly"), self._path)
        if journaled(self._path):
            refuse_foreign(self._path)
        self._file = identity(self._path)
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


def refuse_foreign(path: str) -> None:
    """Raises `ForeignDatabase` before the writer opens a file with a journal: opening alone would finish what another program began."""
    try:
        db = connect(path, "mode=ro&immutable=1", 0)
        try:
            check(db, path)
        finally:
            db.close()
    except (Error, DamagedDatabase):
        # What the file lacks may be in its journal, which the writer reads.
        pass
