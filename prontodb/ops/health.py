"""What `doctor` looks at: databases, folders, the spool, settings. It changes nothing, and each fault has a cure."""

import os
import sys

from .. import __version__, paths, spool
from ..engines import upkeep
from ..errors import ProntoError
from ..resolve import check_user
from . import rescued

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..session import Session
    from . import Store

DAY = 86_400
DRAFTS = (".new", ".repaired", ".restored")
ROOM = 64 << 20
"""Bytes below which a disk counts as nearly full, and above which it is worth a word that they are wasted."""
MANY = 10_000
"""Expired entries that later writes remove little by little; more are worth a word."""


class Finding:
    """One thing: `cure` is "" where it is in order."""

    def __init__(self, check: str, state: str, cure: str = "") -> None:
        self.check = check
        self.state = state
        self.cure = cure


def findings(session: "Session", store: "Store", others: list[str]) -> "Iterator[Finding]":
    """Everything about this call's user, its database, and `others`, the paths of further ones."""
    yield _versions()
    yield _settings(session)
    for folder in dict.fromkeys((paths.data_home(session.environ), paths.state_home(session.environ))):
        yield from _folder(folder)
    for path in dict.fromkeys((store.database, *others)):
        yield from _database(session, store, path)
    yield from _spool(store)
    yield from _drafts(session, store.now)


def databases(session: "Session") -> list[str]:
    """The paths of a user's named databases, in order: `NAME.db` of the default user, `NAME_USER.db` of another."""
    home, user = paths.data_home(session.environ), session.context().user.value
    try:
        names = sorted(name for name in os.listdir(home) if name.endswith(".db"))
    except OSError:
        return []
    return [f"{home}/{name}" for name in names if owner_of(name) == user]


def owner_of(name: str) -> str:
    """The user that a file of the data folder belongs to, by its name; "" for one that is none of ours."""
    bare, _, user = name.removesuffix(".db").partition("_")
    if not bare.replace("-", "").isalnum():
        return ""
    try:
        return check_user(user) if user else "default"
    except ProntoError:
        return ""


def _versions() -> Finding:
    facts = upkeep.facts()
    python = ".".join(map(str, sys.version_info[:3]))
    return Finding("versions", f"prontodb {__version__}, Python {python}, SQLite {facts['sqlite']}, schema {facts['schema']}")


def _settings(session: "Session") -> Finding:
    from ..settings import SETTINGS

    try:
        for name in SETTINGS:
            session.settings.number(name)
    except ProntoError as error:
        return Finding("settings", error.message, error.cure)
    return Finding("settings", "in order")


def _folder(folder: str) -> "Iterator[Finding]":
    try:
        status = os.stat(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        yield Finding(folder, f"cannot be looked at: {error.strerror}", "make it a folder of yours")
        return
    if status.st_mode & 0o077:
        yield Finding(folder, f"open to others: mode {status.st_mode & 0o777:04o}", f"chmod 700 {folder}")
    elif not os.access(folder, os.W_OK):
        yield Finding(folder, "takes no writes", f"chmod u+w {folder}, or look at the disk's mount")
    elif (room := _room(folder)) < ROOM:
        yield Finding(folder, f"nearly full: {room >> 20} MiB left", "free some space")
    else:
        yield Finding(folder, "in order")


def _database(session: "Session", store: "Store", path: str) -> "Iterator[Finding]":
    try:
        status = os.stat(path)
    except FileNotFoundError:
        yield Finding(path, "not made yet")
        return
    except OSError as error:
        yield Finding(path, f"cannot be looked at: {error.strerror}", "look at its folder: does it exist, and whose is it?")
        return
    if status.st_mode & 0o077:
        yield Finding(path, f"open to others: mode {status.st_mode & 0o777:04o}", f"chmod 600 {path}")
    if not os.access(path, os.W_OK):
        yield Finding(path, "takes no writes", f"chmod u+w {path}")
    yield from _inside(path, upkeep.look(path, store.whose, session.pool.timeout, store.now))


def _inside(path: str, health: upkeep.Health) -> "Iterator[Finding]":
    for fault in health.faults:
        yield Finding(path, fault, health.cure)
    for missing in health.missing:
        yield Finding(path, f"gone or cut: {missing}", "bring it back from where the database was copied, or restore a backup")
    if health.orphans:
        yield Finding(path, f"{len(health.orphans)} files in {path}-bulk that nothing needs", "prontodb admin purge")
    count, size = health.expired
    if count > MANY or size > ROOM:
        yield Finding(path, f"{count} expired entries, {size} bytes, not removed yet", "prontodb admin purge")
    if health.network:
        yield Finding(path, "on a network file system: slower, and only as safe as its locks", "--database with a path on a local disk")
    if not (health.faults or health.missing):
        yield Finding(path, "sound")


def _spool(store: "Store") -> "Iterator[Finding]":
    items = rescued.spool_items(store)
    cut = [item for item in items if item.partial and not item.arriving]
    whole = [item for item in items if not item.partial]
    cure = "prontodb rescue list shows them; copy or drop them"
    if cut:
        yield Finding("spool", f"{len(cut)} contents that were cut off, {sum(item.size for item in cut)} bytes", cure)
    if whole:
        yield Finding("spool", f"{len(whole)} contents that no database took, {sum(item.size for item in whole)} bytes", cure)
    if not cut and not whole:
        yield Finding("spool", "empty")


def _drafts(session: "Session", now: float) -> "Iterator[Finding]":
    """What a crash left of a file that was being made, long enough ago that nobody is still making it."""
    for folder in (paths.data_home(session.environ), f"{paths.data_home(session.environ)}/backups", spool.places(session.environ)[0]):
        try:
            names = [f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(DRAFTS) or _alone(f"{folder}/{name}")]
            old = [name for name in names if os.stat(name).st_mtime < now - DAY]
        except OSError:
            continue
        for name in old:
            yield Finding(name, "left by a process that was cut off", f"rm -r {name}")


def _alone(path: str) -> bool:
    """Whether it is a note of the spool, and its content is gone."""
    folder = os.path.basename(os.path.dirname(path))
    return folder == "rescue" and path.endswith(spool.NOTE) and not os.path.exists(path.removesuffix(spool.NOTE))


def _room(folder: str) -> int:
    try:
        state = os.statvfs(folder)
    except OSError:
        return ROOM
    return state.f_bavail * state.f_frsize
