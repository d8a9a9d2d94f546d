"""Salvaging what is readable of a damaged SQLite file into a new one. The damaged one is kept, under another name."""

import os

from ..errors import Busy, Denied, StorageError
from ..files import sync_folder, unlink
from ..past import OVERHEAD
from .bodies import Bodies, marked
from .connect import guard
from .driver import APPLICATION_ID, ERRORS, Error, connect, pragma
from .failures import translate, unwritable
from .schema import COLUMNS, create
from .upkeep import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .driver import Connection

    Rows = Iterator[tuple[object, ...]]

PAGE = 500
ENDINGS = ("", "-wal", "-shm", "-journal")
FIRST = 4096
"""Bytes of a page, the first of which says what the file is: without it nothing can be read."""
NAMELESS = "recovered"
PLACES = "SELECT id, meta, project, namespace, ttl FROM place WHERE id {} ? ORDER BY id {} LIMIT ?"
_KNOWN = "revision, expires, size, body, note, value"
_NAMES = "SELECT name, {}, {} FROM entry WHERE place = ? AND name {{}} ? ORDER BY name {{}} LIMIT ?"
OLD_NAMES = _NAMES.format(_KNOWN, "NULL, NULL, NULL")
"""Of a database of version 1, which does not say who wrote what."""
NAMES = _NAMES.format(_KNOWN, "written, actor, previous")
PAST_NAMES = "SELECT DISTINCT name FROM past WHERE place = ? AND name {} ? ORDER BY name {} LIMIT ?"
_PAST = ("successor", *(column for column in COLUMNS["past"] if column not in ("place", "name", "successor")))
PAST = f"SELECT {', '.join(_PAST)} FROM past WHERE place = ? AND name = ? AND successor {{}} ? ORDER BY successor {{}} LIMIT ?"  # noqa: S608


class Recovered:
    """What came of it: entries and bytes that were saved, the names of those whose content is gone, and where the old file is."""

    def __init__(self) -> None:
        self.entries = 0
        self.size = 0
        self.lost: list[str] = []
        self.gaps = 0
        self.files: set[str] = set()
        self.kept = ""


def recover(path: str, owner: str, stamp: str, timeout: float) -> Recovered:
    """Makes a new file of what can be read in `path`, and gives it its place. The old one becomes `{path}.damaged-{stamp}`.

    Raises `Busy` where another process has the file open, `Denied` for another user's, `StorageError` where no new one can be made.
    """
    path = os.path.realpath(path)
    draft = f"{path}.{stamp}.repaired"
    lone(path, timeout)
    done = Recovered()
    try:
        create(draft, _owner(path, owner), folders=False, wal=False)
        _salvage(path, draft, done)
        done.kept = _swap(path, draft, f"{path}.damaged-{stamp}")
        for name in set(Bodies(path).names()) - done.files:
            # What was not saved has its name beside the damaged file.
            unlink(f"{Bodies(path).folder}/{name}")
    except OSError as error:
        raise unwritable(error, path) from error
    except Error as error:
        raise translate(error, draft) from error
    finally:
        for ending in ENDINGS:
            unlink(draft + ending)
    return done


def lone(path: str, timeout: float) -> None:
    """Finishes what the log holds, and raises `Busy` where somebody else has the file open. A file too damaged for that is nobody's."""
    try:
        db = connect(path, "mode=rw", timeout)
        try:
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("BEGIN EXCLUSIVE")
            db.execute("COMMIT")
        finally:
            db.close()
    except ERRORS as error:
        if isinstance(translate(error, path), Busy):
            raise Busy(f"Another process has {path} open", cure="end it, and run prontodb repair again") from error


def _owner(path: str, user: str) -> str:
    """The owner that the file names; where it cannot say, whoever repairs it. Raises `Denied`."""
    try:
        db = connect(path, "mode=ro&immutable=1", 0)
        try:
            guard(db, path, user)
            row = db.execute("SELECT value FROM state WHERE name = 'owner'").fetchone()
            return str(row[0]) if row else user
        finally:
            db.close()
    except Denied:
        raise
    except ERRORS:
        return user


def _salvage(path: str, draft: str, done: Recovered) -> None:
    old, patched = _opened(path, draft)
    new = connect(draft, "mode=rw", 5)
    try:
        new.execute("BEGIN")
        known = list(_rows(old, PLACES, (), (-1, 1 << 62), done))
        names = NAMES if _has(old, "SELECT previous FROM entry LIMIT 0") else OLD_NAMES
        # A first page that is not the file's own cannot tell where a table is that came later.
        past = not patched and _has(old, "SELECT 1 FROM past LIMIT 0")
        for place in [*known, *_nameless(old, {place[0] for place in known})]:
            new.execute("INSERT INTO place VALUES (?, ?, ?, ?, ?)", place)
            for row in _rows(old, names, (place[0],), ("", "\U0010ffff"), done):
                _entry((old, new), (place, row), Bodies(path), done)
            for name in list(_rows(old, PAST_NAMES, (place[0],), ("", "\U0010ffff"), done)) if past else ():
                _history((old, new), (place[0], name[0]), Bodies(path), done)
        _counters(old, new)
        done.files = {str(body) for _, body, _ in files(new)}
        new.execute("COMMIT")
        new.execute("PRAGMA journal_mode = WAL")
    finally:
        new.close()
        old.close()
        if patched:
            unlink(patched)


def _has(db: "Connection", query: str) -> bool:
    try:
        db.execute(query)
    except ERRORS:
        return False
    return True


def _nameless(db: "Connection", known: set[object]) -> "list[tuple[object, ...]]":
    """Namespaces whose row is gone while their entries are there: they get a meta of their own, for whose they are nobody knows."""
    try:
        ids = [row[0] for row in db.execute("SELECT DISTINCT place FROM entry").fetchall()]
    except ERRORS:
        return []
    return [(number, NAMELESS, "recovered", f"namespace{number}", None) for number in ids if number not in known]


def _opened(path: str, draft: str) -> "tuple[Connection, str]":
    """The old file; where its first bytes are gone, a copy that has those of a new one. The copy's path, "" for none."""
    db = connect(path, "mode=ro&immutable=1", 0)
    try:
        if pragma(db, "application_id") == APPLICATION_ID:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
            return db, ""
    except ERRORS:
        pass
    db.close()
    patched = f"{draft}-patched"
    _transplant(path, draft, patched)
    return connect(patched, "mode=ro&immutable=1", 0), patched


def _transplant(path: str, draft: str, patched: str) -> None:
    """The first page of every database of ours is the same, but for counters: it lists the tables, and where they begin."""
    with open(draft, "rb") as new, open(path, "rb") as old, open(patched, "xb") as file:
        os.fchmod(file.fileno(), 0o600)
        first = new.read(FIRST)
        old.seek(len(first))
        file.write(first)
        while piece := old.read(1 << 20):
            file.write(piece)
        pages = max(1, file.tell() // FIRST)
        # The size in pages (bytes 28 to 31), and that of the free list, which nobody needs.
        file.seek(28)
        file.write(pages.to_bytes(4, "big") + bytes(8))


def _rows(db: "Connection", query: str, fixed: tuple[object, ...], ends: tuple[object, object], done: Recovered) -> "Rows":
    """All rows that can be read: from the front up to the first fault, then from the back down to it."""
    seen: set[object] = set()
    for sign, order, start in ((">", "", ends[0]), ("<", "DESC", ends[1])):
        at, limit = start, PAGE
        while True:
            try:
                rows = db.execute(query.format(sign, order), (*fixed, at, limit)).fetchall()
            except ERRORS:
                if limit == 1:
                    done.gaps += sign == ">"
                    break
                limit = 1
                continue
            for row in rows:
                if row[0] not in seen:
                    seen.add(row[0])
                    yield row
            if not rows:
                return
            at = rows[-1][0]


def _entry(
    dbs: "tuple[Connection, Connection]", found: "tuple[tuple[object, ...], tuple[object, ...]]", bulk: Bodies, done: Recovered
) -> None:
    old, new = dbs
    place, (name, revision, expires, size, body, note, value, *made) = found
    pieces = [] if body is None else _body(old, body, size, bulk)  # type: ignore[arg-type]
    whole = isinstance(value, bytes) and len(value) == size if body is None else pieces is not None
    if not whole:
        done.lost.append(f"{place[2]}.{place[3]}.{name}")
        return
    new.executemany("INSERT OR REPLACE INTO chunk VALUES (?, ?, ?)", ((body, number, data) for number, data in pieces or []))
    entry = (place[0], name, revision, expires, size, body, note, value, *made)
    new.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", entry)
    done.entries += 1
    done.size += int(str(size))


def _history(dbs: "tuple[Connection, Connection]", at: tuple[object, object], bulk: Bodies, done: Recovered) -> None:
    """The history of a key; none of it where some cannot be read, for with a gap it would give back what was not there."""
    old, new = dbs
    gaps = done.gaps
    rows = [dict(zip(_PAST, row, strict=True)) for row in _rows(old, PAST, at, (-1, 1 << 62), done)]
    for row in rows if done.gaps == gaps else ():
        pieces = None if row["body"] is None else _body(old, row["body"], row["size"], bulk)  # type: ignore[arg-type]
        if row["body"] is not None and pieces is None:
            row |= {"kept": 0, "body": None}
        new.executemany("INSERT OR REPLACE INTO chunk VALUES (?, ?, ?)", ((row["body"], number, data) for number, data in pieces or []))
        columns = ("place", "name", *_PAST)
        marks = ", ".join("?" * len(columns))
        query = f"INSERT OR REPLACE INTO past ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - constants
        new.execute(query, (*at, *row.values()))


def _body(db: "Connection", body: int, size: int, bulk: Bodies) -> "list[tuple[int, bytes]] | None":
    """The pieces of a large value, or what says that it is a file; None where not all is there."""
    try:
        rows: list[tuple[int, bytes]] = db.execute("SELECT number, data FROM chunk WHERE body = ? ORDER BY number", (body,)).fetchall()
        if marked(db, body):
            return rows if os.stat(bulk.file(body)).st_size == size else None
    except (*ERRORS, OSError):
        return None
    return rows if sum(len(data) for _, data in rows) == size else None


def _counters(old: "Connection", new: "Connection") -> None:
    """No number is given out again: what cannot be read is made up from what was saved."""
    _attempt(lambda: new.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", old.execute("SELECT name, value FROM state").fetchall()))
    _attempt(
        lambda: new.executemany(
            "INSERT OR REPLACE INTO revision (meta, last) VALUES (?, ?)", old.execute("SELECT meta, last FROM revision").fetchall()
        )
    )
    for table, revision in (("entry", "revision"), ("past", "successor")):
        new.execute(
            f"INSERT INTO revision (meta, last) SELECT p.meta, max(e.{revision}) FROM {table} e JOIN place p ON p.id = e.place"  # noqa: S608
            " GROUP BY p.meta ON CONFLICT (meta) DO UPDATE SET last = max(last, excluded.last)"
        )
        last = new.execute(f"SELECT coalesce(max(body), 0) FROM {table}").fetchone()[0]  # noqa: S608 - the names above
        new.execute("UPDATE state SET value = max(value, ?) WHERE name = 'body'", (last,))
    new.execute(
        "UPDATE revision SET held = (SELECT coalesce(sum(? + q.size * q.kept), 0) FROM past q JOIN place p ON p.id = q.place"
        " WHERE p.meta = revision.meta)",
        (OVERHEAD,),
    )


def _attempt(action: "Callable[[], object]") -> None:
    try:
        action()
    except ERRORS:
        pass


def _swap(path: str, draft: str, kept: str) -> str:
    """Gives the new file its place, and the old one, with its journals and a name of its own for each large value, the name `kept`."""
    bulk, old = Bodies(path), Bodies(kept)
    if bulk.names():
        os.mkdir(old.folder, 0o700)
        for name in bulk.names():
            os.link(f"{bulk.folder}/{name}", f"{old.folder}/{name}")
    os.link(path, kept)
    for ending in ENDINGS[1:]:
        if os.path.exists(path + ending):
            os.rename(path + ending, kept + ending)
    os.rename(draft, path)
    sync_folder(os.path.dirname(path))
    return kept


def check_repairable(path: str) -> None:
    """Raises `StorageError` where a file is none of ours, or a newer one: nothing of it is to be repaired here."""
    from .connect import check
    from .failures import DamagedDatabase

    try:
        db = connect(path, "mode=ro&immutable=1", 0)
        try:
            check(db, path)
        finally:
            db.close()
    except (DamagedDatabase, *ERRORS):
        return
    except StorageError:
        raise
