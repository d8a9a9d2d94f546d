"""Looking a SQLite file over, without changing anything: what `doctor` and `backup` want to know of it."""

import os

from ..errors import ProntoError
from .bodies import MARK, Bodies
from .connect import Reader
from .driver import APPLICATION_ID, SCHEMA_VERSION, connect, pragma, sqlite_version
from .mounts import on_network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .driver import Connection

MOST = 20
"""Faults of one file that are told of."""


class Health:
    """What was found. `faults` are what SQLite says is broken, or why it could not look; `version` None where that is not known.

    `missing` are files of large values that are gone or cut; `orphans` those that nothing needs; `expired` is (entries, bytes) of one meta
    that have ended and were not removed yet.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.cure = ""
        self.missing: list[str] = []
        self.orphans: list[str] = []
        self.expired = (0, 0)
        self.network = False


def look(path: str, whose: tuple[str, str], timeout: "Callable[[], float]", now: float) -> Health:
    """Looks a file over that exists. Raises `Denied` where it is another user's."""
    from ..errors import Denied

    health, (user, meta) = Health(), whose
    path = os.path.realpath(path)
    health.network = on_network(path)
    reader = Reader(path, timeout, user=user)
    try:
        reader.run(lambda db: _look(db, Bodies(path), health, (meta, now)), None)
    except Denied:
        raise
    except ProntoError as error:
        health.faults.append(error.message)
        health.cure = "prontodb repair" if error.slug == "damaged" else error.cure
    finally:
        reader.close()
    return health


def facts() -> dict[str, str]:
    """The versions that matter."""
    return {"sqlite": sqlite_version, "schema": str(SCHEMA_VERSION)}


def integrity(db: "Connection") -> list[str]:
    """What is broken in an open database, in SQLite's words; [] where nothing is. Foreign rows count: a piece without its entry."""
    said = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({MOST})").fetchall()]
    found = [] if said == ["ok"] else said
    lost = "SELECT count(*) FROM {} e WHERE e.body IS NOT NULL AND NOT EXISTS (SELECT 1 FROM chunk c WHERE c.body = e.body)"
    count = 0 if found else sum(int(db.execute(lost.format(table)).fetchone()[0]) for table in holders(db))
    return [*found, f"{count} large values have no content"] if count else found


def sound(path: str, bulk: "dict[int, int]") -> list[str]:
    """What is wrong with a database file that nobody uses, of our making; `bulk` are the sizes of its large values' files, by number."""
    try:
        db = connect(path, "mode=ro&immutable=1", 0)
        try:
            if pragma(db, "application_id") != APPLICATION_ID:
                return ["not a ProntoDB database"]
            if not 1 <= pragma(db, "user_version") <= SCHEMA_VERSION:
                return [f"made by a newer ProntoDB (schema {pragma(db, 'user_version')})"]
            wanted = {body: size for _, body, size in files(db)}
            return integrity(db) or ([] if wanted == bulk else ["the files of its large values are not those that it names"])
        finally:
            db.close()
    except Exception as error:  # noqa: BLE001 - a damaged file fails in many ways, and each is an answer
        return [f"damaged: {error}"]


def files(db: "Connection") -> "list[tuple[str, int, int]]":
    """The large values that are files, those of the history too: name, number and size."""
    query = "SELECT e.name, e.body, e.size FROM {} e JOIN chunk c ON c.body = e.body WHERE c.number = ?"
    rows = [row for table in holders(db) for row in db.execute(query.format(table), (MARK,)).fetchall()]
    return sorted(((str(name), int(body), int(size)) for name, body, size in rows), key=lambda row: row[1])


def holders(db: "Connection") -> tuple[str, ...]:
    """The tables whose rows may have large values."""
    return ("entry", "past") if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'past'").fetchone() else ("entry",)


def _look(db: "Connection", bulk: Bodies, health: Health, at: tuple[str, float]) -> None:
    """Everything anew: it is called again where the file changed meanwhile."""
    health.faults = integrity(db)
    health.cure = "prontodb repair" if health.faults else ""
    known = files(db)
    health.missing = [f"{bulk.file(body)} (of '{name}')" for name, body, size in known if _size(bulk.file(body)) != size]
    names = {str(body) for _, body, _ in known}
    health.orphans = [name for name in bulk.names() if name not in names]
    query = "SELECT count(*), coalesce(sum(e.size), 0) FROM entry e JOIN place p ON p.id = e.place WHERE p.meta = ? AND e.expires <= ?"
    count, size = db.execute(query, at).fetchone()
    health.expired = (int(count), int(size))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1
