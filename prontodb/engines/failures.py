"""How engines fail (the tree is drawn in `errors`)."""

import os

from ..errors import Busy, ProntoError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model import Fence
    from .driver import Error


class DamagedDatabase(StorageError):
    """The file is not a database any more, or parts of it cannot be read."""

    slug = "damaged"


class ForeignDatabase(StorageError):
    """A sound SQLite file which another program made: it is never touched."""

    slug = "not-a-prontodb-database"


class NewerDatabase(StorageError):
    """A later version of ProntoDB has migrated the file."""

    slug = "newer-schema"


class ReadOnlyDatabase(StorageError):
    """The file, its folder or the file system takes no writes."""

    slug = "read-only"


class StorageFull(StorageError):
    """No space, or a quota or size limit reached."""

    slug = "storage-full"


class NeedsWriter(StorageError):
    """A change that was cut off must be undone before the database can be read; `SqliteEngine` does so."""

    slug = "needs-writer"


class PreconditionFailed(ProntoError):
    """The entry exists already, or its revision is another one."""

    code = 3
    slug = "precondition-failed"


class LeaseLost(ProntoError):
    """A lease is over, or somebody else has it now: the token that was given is stale. Nothing was changed."""

    code = 3
    slug = "lease-lost"


def stale(fence: "Fence") -> LeaseLost:
    """The error for a token that does not hold."""
    lease, token = fence
    return LeaseLost(f"{lease} is not held with token {token}", cure="stop, and claim it anew", address=str(lease))


_KINDS = (
    ("locked", Busy, "Database is busy"),
    ("busy", Busy, "Database is busy"),
    ("readonly", ReadOnlyDatabase, "Database is read-only"),
    ("is full", StorageFull, "Disk is full"),
    ("malformed", DamagedDatabase, "Database is damaged"),
    ("not a database", DamagedDatabase, "Database is damaged, or no database"),
)
_CURES = {
    Busy: "run it again, or wait longer with PRONTO_BUSY_TIMEOUT=SECONDS",
    ReadOnlyDatabase: "use another one with --database, or make the file and its folder writable",
    StorageFull: "free some space and run it again",
    DamagedDatabase: "prontodb doctor tells more, prontodb repair saves what can be read, prontodb restore takes a backup",
}


def translate(error: "Error | UnicodeDecodeError", path: str) -> ProntoError:
    """Our error for one of SQLite's. By its words, since Python 3.10 has no error codes; SQLite never translates them."""
    said = error.object.decode("utf-8", "replace") if isinstance(error, UnicodeDecodeError) else str(error)
    # Python 3.10 has no words at all where a damaged schema is no text any more.
    said = said or "malformed"
    if "disk I/O" in said and _full(path):
        said = "is full"
    for word, kind, headline in _KINDS:
        if word in said:
            return kind(f"{headline}: {path}", cure=_CURES[kind])
    return StorageError(f"Cannot use database {path}: {said}", cure="look at the file and its folder: do they exist, and whose are they?")


def _full(path: str) -> bool:
    """Whether the disk has no room, which SQLite calls an I/O error where it is the index of its log that finds none."""
    try:
        state = os.statvfs(os.path.dirname(path))
    except OSError:
        return False
    return state.f_bavail * state.f_frsize < 1 << 16


def misfit(path: str, version: int | None) -> StorageError:
    """Our error for a database that is not of today's shape or an older one; `version` None where it is not ours at all."""
    if version is None:
        return ForeignDatabase(f"Not a ProntoDB database: {path}", cure="use another file with --database")
    if version < 1:
        return DamagedDatabase(f"Database is damaged: {path} has no schema version", cure="move the file away and restore a backup")
    return NewerDatabase(f"Database {path} was made by a newer ProntoDB (schema {version})", cure="upgrade prontodb")


def unwritable(error: OSError, path: str) -> ProntoError:
    """Our error for one of the operating system's."""
    kind = {28: StorageFull, 122: StorageFull, 27: StorageFull, 30: ReadOnlyDatabase, 13: ReadOnlyDatabase}.get(
        error.errno or 0, StorageError
    )
    return kind(f"Cannot write database {path}: {error.strerror}", cure="name another one with --database")


def unreadable(error: "Error", path: str) -> ProntoError:
    """Our error for a file that cannot be read even under locks."""
    if "readonly" in str(error) and os.path.exists(f"{path}-journal"):
        return NeedsWriter(f"Database {path} holds half a change", cure="write something to it, which undoes that")
    if "unable to open" in str(error) and os.path.exists(f"{path}-wal"):
        return StorageError(
            f"Cannot read {path}: its newest changes are in {path}-wal, which a read-only folder does not let SQLite read",
            cure="copy both files to a folder that can be written, and name it with --database",
        )
    return translate(error, path)
