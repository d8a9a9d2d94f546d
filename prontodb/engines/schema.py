"""The shape of a SQLite database, how one is made and how an old one is brought forward.

History
    1   first version
    2   who wrote an entry and when; the history
"""

import os

from ..files import make_folders, sync_folder, unlink
from .driver import APPLICATION_ID, complete_statement, connect, pragma

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .driver import Connection

MIGRATIONS = [
    """
    -- A namespace. `meta` is the tenant in front of it; `ttl` the default lifetime of its entries in seconds.
    CREATE TABLE place (
        id INTEGER PRIMARY KEY,
        meta TEXT NOT NULL,
        project TEXT NOT NULL,
        namespace TEXT NOT NULL,
        ttl INTEGER,
        UNIQUE (meta, project, namespace)
    );
    -- A value. `name` is key or key__context; `expires` in Unix seconds; a small value is in `value`, a large one in the rows of
    -- `chunk` under `body`. The value comes last, so that a listing need not step over it.
    CREATE TABLE entry (
        place INTEGER NOT NULL REFERENCES place (id),
        name TEXT NOT NULL,
        revision INTEGER NOT NULL,
        expires INTEGER,
        size INTEGER NOT NULL,
        body INTEGER,
        note BLOB,
        value BLOB,
        PRIMARY KEY (place, name)
    ) WITHOUT ROWID;
    CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
    -- The pieces of a large value. A body is never changed and its number never used again: a reader cannot mix two values.
    CREATE TABLE chunk (
        body INTEGER NOT NULL,
        number INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (body, number)
    );
    -- The last revision given out, for each meta of its own: another tenant's writes must not show.
    CREATE TABLE revision (meta TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
    -- Facts about the database as a whole: `owner`, the user who made it; `shared`, whether others may open it; `body`, the last number
    -- given to a large value; `network`, once somebody was told that it lies on one.
    CREATE TABLE state (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
    INSERT INTO state VALUES ('body', 0);
    """,
    """
    -- When an entry was written (milliseconds) and by whom, and the revision of what it replaced: 0 where nothing stood there. All three
    -- are NULL from before version 2.
    ALTER TABLE entry ADD COLUMN written INTEGER;
    ALTER TABLE entry ADD COLUMN actor TEXT;
    ALTER TABLE entry ADD COLUMN previous INTEGER;
    -- A value that the change `successor` replaced, or with `deleted` deleted, at `ended` (milliseconds), by `ender`. From `revision` on as
    -- in `entry`; but `kept` is 0 where the value was not taken over, or is gone because `expires` has come. The row goes at `until`.
    CREATE TABLE past (
        place INTEGER NOT NULL REFERENCES place (id),
        name TEXT NOT NULL,
        successor INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        ender TEXT NOT NULL,
        until INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        written INTEGER,
        actor TEXT,
        previous INTEGER,
        expires INTEGER,
        size INTEGER NOT NULL,
        kept INTEGER NOT NULL,
        body INTEGER,
        note BLOB,
        value BLOB,
        PRIMARY KEY (place, name, successor)
    ) WITHOUT ROWID;
    CREATE INDEX past_until ON past (until);
    CREATE INDEX past_expires ON past (expires) WHERE kept AND expires IS NOT NULL;
    -- Bytes that each meta has in its history.
    ALTER TABLE revision ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
    """,
]

_VERSION = ("revision", "written", "actor", "previous", "expires", "size", "body", "note", "value")
COLUMNS = {
    "entry": ("place", "name", *_VERSION),
    "past": ("place", "name", "successor", "deleted", "ended", "ender", "until", "kept", *_VERSION),
}
"""The columns of the tables that hold values, for whoever copies them."""


def create(path: str, owner: str, *, folders: bool, wal: bool) -> None:
    """Makes a new database of `owner`'s, whole or not at all: it gets its name when it is complete, and the first of several makers wins.

    With `folders`, folders that are missing above it are made too. Raises `OSError`, or the driver's `Error`.
    """
    folder = os.path.dirname(path)
    if folders:
        make_folders(folder)
    draft = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.new"
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    try:
        os.chmod(draft, 0o600)
        _build(draft, owner, wal=wal)
        _publish(draft, path)
        sync_folder(folder)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            unlink(draft + ending)


def migrate(db: "Connection") -> None:
    """Brings an older database forward, in one transaction. Raises the driver's `Error`."""
    db.execute("BEGIN IMMEDIATE")
    try:
        for number in range(pragma(db, "user_version"), len(MIGRATIONS)):
            _run(db, MIGRATIONS[number])
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _build(draft: str, owner: str, *, wal: bool) -> None:
    db = connect(draft, "mode=rw", 5)
    try:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
        migrate(db)
        db.execute("INSERT INTO state VALUES ('owner', ?)", (owner,))
    finally:
        db.close()


def _publish(draft: str, path: str) -> None:
    try:
        os.link(draft, path)
    except OSError:
        # The name is taken (by a quicker process, or an empty file as mktemp makes it), or the file system has no hard links.
        _replace_empty(draft, path)


def _replace_empty(draft: str, path: str) -> None:
    """Takes the place of an empty file, under a lock on it: of two processes here, the second must not replace the first's work."""
    import fcntl

    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        empty = os.fstat(fd)
        if empty.st_size == 0 and os.path.samestat(empty, os.stat(path)):
            os.replace(draft, path)
    finally:
        os.close(fd)


def _run(db: "Connection", script: str) -> None:
    """The statements of a script one by one: `executescript` would commit first."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if complete_statement(statement):
            db.execute(statement)
            statement = ""
