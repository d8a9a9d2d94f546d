"""Backing up whole databases, and what is kept beside them. None of it while a pin is in force: a database holds all its tenants."""

import os
import re

from .. import paths, profiles, saved
from ..engines import snapshot, upkeep
from ..errors import ProntoError, StorageError, UsageError
from ..files import unlink
from .archive import Maker, manifest
from .cursors import unpinned
from .health import databases, owner_of
from .repair import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..session import Session
    from . import Store

NAME = re.compile(r"prontodb-([A-Za-z0-9]+|all)-\d{8}T\d{6}Z(?:-\d+)?\.tar\Z")
"""What a backup is called that nobody gave another name: the user, or `all`, and when."""


class Wanted:
    """A database that goes into a backup: its path, its user, and its name, "" for one that has only a path."""

    __slots__ = ("name", "path", "user")

    def __init__(self, path: str, user: str, name: str) -> None:
        self.path = path
        self.user = user
        self.name = name


class Made:
    """A backup: its path, its size in bytes, and what is in it."""

    __slots__ = ("databases", "entries", "path", "size")

    def __init__(self, path: str, told: list[dict[str, object]]) -> None:
        self.path = path
        self.size = os.stat(path).st_size
        self.databases = len(told)
        self.entries = sum(int(str(item["entries"])) for item in told)


def folder(session: "Session") -> str:
    """Where backups go that are sent nowhere else."""
    return f"{paths.data_home(session.environ)}/backups"


def backup(session: "Session", store: "Store", output: str | None, *, every: bool = False) -> Made:
    """Makes one: of the user's databases, cursors and profiles; with a database named by --database, of that alone; with `every`, of all
    users of this home. `output` is a folder or a file that does not exist yet.

    Raises `Denied`, `UsageError` where there is nothing to back up, and `StorageError` for a database that cannot be read.
    """
    unpinned(session.context(), "to whole databases")
    wanted = list(_wanted(session, store, every=every))
    if not wanted:
        raise UsageError("There is no database to back up", cure="prontodb where tells which one is looked for")
    user = "all" if every else store.whose[0]
    where, name = _target(session, output, f"prontodb-{user}-{stamp(store.now)}.tar")
    alone = session.flags.database is not None
    return make(session, wanted, (where, name), user="" if alone else user, exact=output is not None and name == os.path.basename(output))


def make(session: "Session", wanted: list[Wanted], at: tuple[str, str], *, user: str, exact: bool = False) -> Made:
    """The archive `at` (folder, name) of databases and, where `user` is given (or `all`), of what is kept beside them."""
    now = session.now()
    try:
        maker = Maker(*at)
    except OSError as error:
        raise StorageError(
            f"Cannot write a backup to {at[0]}: {error.strerror}", cure="--output with a folder that can be written"
        ) from error
    try:
        told = [_add_database(session, maker, item, number) for number, item in enumerate(wanted)]
        for name, path in _kept_beside(session, user) if user else ():
            _add_file(maker, name, path)
        path = maker.finish({"user": user, "databases": told}, now, exact=exact)
    except FileExistsError as error:
        raise UsageError(f"There is a file {at[0]}/{at[1]} already", cure="name another one, or a folder") from error
    except OSError as error:
        raise StorageError(
            f"Cannot write the backup {at[0]}/{at[1]}: {error.strerror}", cure="free some space, or --output elsewhere"
        ) from error
    finally:
        maker.discard()
    return Made(path, told)


def listed(session: "Session", where: str | None) -> "Iterator[dict[str, object]]":
    """The backups in a folder, the newest last; one that is cut off is told of as such."""
    at = folder(session) if where is None else os.path.join(session.cwd, where)
    try:
        names = sorted((name for name in os.listdir(at) if name.endswith(".tar")), key=lambda name: (_time(f"{at}/{name}"), name))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"Cannot list {at}: {error.strerror}", cure="--output with a folder") from error
    for name in names:
        yield _told(f"{at}/{name}")


def prune(session: "Session", where: str | None, user: str, keep: int) -> list[str]:
    """Deletes the oldest of a user's backups in a folder, so that `keep` are left; their paths. Others, and other names, stay."""
    if keep < 1:
        raise UsageError(f"Cannot keep {keep} backups", cure="--prune takes a number from 1")
    at = folder(session) if where is None else os.path.join(session.cwd, where)
    if not os.path.isdir(at):
        raise UsageError(f"Not a folder: {at}", cure="--prune goes with --output FOLDER, or without --output")
    found = [name for name in os.listdir(at) if (match := NAME.match(name)) and match[1] == user]
    old = sorted(found, key=lambda name: (_time(f"{at}/{name}"), name))[:-keep]
    for name in old:
        unlink(f"{at}/{name}")
    return [f"{at}/{name}" for name in old]


def _wanted(session: "Session", store: "Store", *, every: bool) -> "Iterator[Wanted]":
    user = store.whose[0]
    if session.flags.database is not None:
        if os.path.exists(store.database):
            yield _named(session, store.database, user)
        return
    found = dict.fromkeys(_named_paths(session) if every else databases(session))
    if os.path.exists(store.database):
        found.setdefault(store.database)
    for path in found:
        whose = owner_of(os.path.basename(path)) if path.startswith(f"{paths.data_home(session.environ)}/") else user
        if whose != user:
            _admit(session, whose)
        yield _named(session, path, whose or user)
    for path in behind_cursors(session, user):
        if path not in found:
            yield Wanted(path, user, "")


def _named(session: "Session", path: str, user: str) -> Wanted:
    home, name = os.path.split(path)
    own = home == paths.data_home(session.environ) and owner_of(name) == user
    return Wanted(path, user, name.removesuffix(".db").partition("_")[0] if own else "")


def _named_paths(session: "Session") -> list[str]:
    home = paths.data_home(session.environ)
    try:
        return [f"{home}/{name}" for name in sorted(os.listdir(home)) if name.endswith(".db") and owner_of(name)]
    except OSError:
        return []


def _admit(session: "Session", user: str) -> None:
    from .users import admit

    admit(session, user)


def behind_cursors(session: "Session", user: str) -> list[str]:
    """Databases elsewhere that the user's cursors point to."""
    targets = [saved.cursor(session.environ, user, name).database for name in saved.names(session.environ, user)]
    return [path for path in dict.fromkeys(targets) if path.startswith("/") and os.path.isfile(path)]


def _add_database(session: "Session", maker: Maker, item: Wanted, number: int) -> dict[str, object]:
    bare = os.path.basename(item.path).removesuffix(".db")[:100]
    member = f"databases/{number}-{bare}.db"
    taken = snapshot.take(item.path, f"{maker.draft}-{number}.new", item.user, session.pool.timeout)
    try:
        faults = upkeep.sound(taken.file, {body: size for body, (_, size) in taken.bulk.items()})
        if faults:
            raise StorageError(f"Database {item.path} is damaged: {faults[0]}", cure="prontodb repair, then back up again")
        _add_file(maker, member, taken.file)
        for body, (fd, size) in taken.bulk.items():
            with open(fd, "rb", closefd=False) as file:
                maker.add(f"{member}-bulk/{body}", file, size, session.now())
    finally:
        taken.close()
    return {"member": member, "name": item.name, "path": item.path, "user": item.user, "entries": taken.entries}


def _add_file(maker: Maker, name: str, path: str) -> None:
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        maker.add(name, file, status.st_size, int(status.st_mtime))


def _kept_beside(session: "Session", user: str) -> "Iterator[tuple[str, str]]":
    """Members and paths of cursors, passwords and profiles: of one user, or of all."""
    home = paths.data_home(session.environ)
    for kind in ("cursors", "users"):
        for found, _, names in os.walk(f"{home}/{kind}"):
            for name in sorted(names):
                member = os.path.relpath(f"{found}/{name}", home)
                whose = member.split("/")[1].removesuffix(".json")
                if user in ("all", whose) and (name.endswith(".json") or name == saved.ACTIVE) and not name.endswith(".new"):
                    yield member, f"{found}/{name}"
    own = profiles.own_file(session.environ)
    if os.path.exists(own):
        yield "profiles.toml", own


def _target(session: "Session", output: str | None, name: str) -> tuple[str, str]:
    if output is None:
        return folder(session), name
    path = os.path.join(session.cwd, output)
    if os.path.isdir(path) or path.endswith("/"):
        return path.rstrip("/") or "/", name
    where, given = os.path.split(path)
    if not os.path.isdir(where):
        raise UsageError(f"There is no folder {where}", cure="make it, or name another one")
    return where, given


def _told(path: str) -> dict[str, object]:
    told: dict[str, object] = {"file": path, "size": os.stat(path).st_size}
    try:
        found = manifest(path)
    except ProntoError as error:
        return {**told, "created": None, "user": None, "databases": None, "entries": None, "state": error.message.rpartition(": ")[2]}
    inside: list[dict[str, int]] = found["databases"]  # type: ignore[assignment]
    entries = sum(item["entries"] for item in inside)
    made = stamp(int(str(found["created"])))
    return {**told, "created": made, "user": found["user"] or None, "databases": len(inside), "entries": entries, "state": "sealed"}


def _time(path: str) -> int:
    return os.stat(path).st_mtime_ns
