"""A SQLite file as of one moment, copied while others use it; and a copy put back into a file that others have open."""

import os

from ..errors import Busy, StorageError
from ..files import unlink
from .bodies import Bodies, Staged, stored
from .connect import Reader, check, guard, journaled, quiet
from .driver import ERRORS, SCHEMA_VERSION, connect, pragma
from .failures import misfit, translate, unwritable
from .schema import COLUMNS, migrate
from .upkeep import files
from .writer import Writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .connect import Seen
    from .driver import Connection


class Snapshot:
    """A database as of one moment: `file` holds the tables, `bulk` an open descriptor and the size of each large value's file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.bulk: dict[int, tuple[int, int]] = {}
        self.entries = 0

    def close(self) -> None:
        """Closes the large values and deletes the file."""
        while self.bulk:
            os.close(self.bulk.popitem()[1][0])
        unlink(self.file)


def take(path: str, target: str, user: str, timeout: "Callable[[], float]") -> Snapshot:
    """Copies a database to the file `target`, which must not exist, as of one moment. Others may read and write meanwhile.

    Raises `Denied` for another user's, `StorageError` or one of its kinds where it cannot be read, `OSError` for `target`.
    """
    path = os.path.realpath(path)
    snapshot = Snapshot(target)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        seen = None if _writable(path) else quiet(path)
        db = connect(path, "mode=ro&immutable=1" if seen else "mode=rw", timeout())
        try:
            if not check(db, path):
                migrate(db)
            guard(db, path, user)
            _freeze(db, path, snapshot, timeout())
            _copy(db, target)
            snapshot.entries = int(db.execute("SELECT count(*) FROM entry").fetchone()[0])
        finally:
            db.close()
        _unchanged(path, seen)
        return snapshot
    except ERRORS as error:
        snapshot.close()
        raise translate(error, path) from error
    except BaseException:
        snapshot.close()
        raise


def _unchanged(path: str, seen: "Seen | None") -> None:
    """Where it was read as it lay: it must lie so still."""
    if seen and quiet(path) != seen:
        raise Busy(f"Database {path} was changed while it was copied", cure="run it again")


def _writable(path: str) -> bool:
    """Whether it can be read under locks; it has to be where there is a journal."""
    return journaled(path) or (os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK))


def _freeze(db: "Connection", path: str, snapshot: Snapshot, timeout: float) -> None:
    """Begins to read: all that `db` sees from now on is of this moment, and so are the files of large values, which are opened."""
    bulk = Bodies(path)
    lock = connect(path, "mode=rw", timeout) if bulk.names() and _writable(path) else None
    try:
        if lock:
            # No file goes while they are being opened.
            lock.execute("BEGIN IMMEDIATE")
        db.execute("BEGIN")
        for name, body, size in files(db):
            try:
                fd = os.open(bulk.file(body), os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise StorageError(
                    f"Cannot read the content of '{name}': {bulk.file(body)}: {error.strerror}", cure="prontodb doctor"
                ) from error
            snapshot.bulk[body] = (fd, size)
            if os.fstat(fd).st_size != size:
                raise StorageError(f"The content of '{name}' was cut: {bulk.file(body)}", cure="prontodb doctor")
    finally:
        if lock:
            lock.close()


def _copy(db: "Connection", target: str) -> None:
    copy = connect(target, "mode=rw", 5)
    try:
        db.backup(copy)
        # By itself, without a log, so that it is one file.
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()


class Source:
    """A database in an archive that was unpacked: its file, and those of its large values by number."""

    def __init__(self, file: str, bulk: dict[int, str]) -> None:
        self.file = file
        self.bulk = bulk


def put_back(path: str, source: Source, user: str, timeout: "Callable[[], float]", *, folders: bool) -> None:
    """Makes the content of `path` that of `source`, in one transaction: others who have it open see all of it or nothing.

    Numbers go on: no revision and no number of a large value is given out twice. Who owns the database, and who may open it, stays.
    Raises `StorageError` or one of its kinds, and `Denied`.
    """
    path = os.path.realpath(path)
    old = _current(source.file)
    bulk = Bodies(path, folders=folders)
    writer = Writer(path, timeout, [], user=user, folders=folders)
    staged: dict[int, Staged] = {}
    try:
        for body, file in source.bulk.items():
            staged[body] = bulk.staged(stored(file))
        writer.run(lambda db: _exchange(db, old, bulk, staged))
        bulk.settle()
    except OSError as error:
        raise unwritable(error, path) from error
    finally:
        for content in staged.values():
            content.discard()
        writer.close()
        old.close()


def _current(file: str) -> "Connection":
    """A database of the archive, in today's shape."""
    db = connect(file, "mode=rw", 5)
    version = pragma(db, "user_version")
    if version > SCHEMA_VERSION:
        db.close()
        raise misfit(file, version)
    if version < SCHEMA_VERSION:
        migrate(db)
    return db


def _exchange(db: "Connection", old: "Connection", bulk: Bodies, staged: dict[int, Staged]) -> None:
    offset = int(db.execute("SELECT value FROM state WHERE name = 'body'").fetchone()[0])
    for _, body, _ in files(db):
        bulk.drop(db, body)
    for table in ("chunk", "entry", "past", "place"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names above
    for body, content in staged.items():
        bulk.place(body + offset, content)
    db.executemany("INSERT INTO place VALUES (?, ?, ?, ?, ?)", old.execute("SELECT id, meta, project, namespace, ttl FROM place"))
    for table, columns in COLUMNS.items():
        read = ", ".join("body + ?" if column == "body" else column for column in columns)
        marks = ", ".join("?" * len(columns))
        rows = old.execute(f"SELECT {read} FROM {table}", (offset,))  # noqa: S608 - constants
        db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - likewise
    db.executemany("INSERT INTO chunk VALUES (?, ?, ?)", old.execute("SELECT body + ?, number, data FROM chunk", (offset,)))
    last = int(old.execute("SELECT value FROM state WHERE name = 'body'").fetchone()[0])
    db.execute("UPDATE state SET value = ? WHERE name = 'body'", (offset + last,))
    db.execute("UPDATE revision SET held = 0")
    db.executemany(
        "INSERT INTO revision (meta, last, held) VALUES (?, ?, ?)"
        " ON CONFLICT (meta) DO UPDATE SET last = max(last, excluded.last), held = excluded.held",
        old.execute("SELECT meta, last, held FROM revision"),
    )


def set_aside(path: str, stamp: str) -> str:
    """Takes a damaged database, with all that belongs to it, out of the way; the name that it has then. Raises `OSError`."""
    kept = f"{path}.damaged-{stamp}"
    for ending in ("-bulk", "-wal", "-shm", "-journal", ""):
        if os.path.exists(path + ending):
            os.rename(path + ending, kept + ending)
    return kept


def count(path: str, user: str, timeout: "Callable[[], float]") -> int:
    """The entries of a database, looked at without a trace; 0 where it cannot be read."""
    reader = Reader(os.path.realpath(path), timeout, user=user)
    try:
        return reader.run(lambda db: int(db.execute("SELECT count(*) FROM entry").fetchone()[0]), 0)
    except StorageError:
        return 0
    finally:
        reader.close()
