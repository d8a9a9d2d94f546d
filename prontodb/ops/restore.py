"""Putting a backup back: verified before anything is replaced, the replaced data kept, safe while others have the databases open."""

import os
import shutil

from .. import paths, profiles
from ..engines import snapshot, upkeep
from ..engines.recover import lone
from ..errors import Denied, ProntoError, StorageError, UsageError
from ..files import make_folders, replace_file, sync_folder, unlink
from ..resolve import check_user
from . import backup
from .archive import DamagedBackup, unpack
from .cursors import unpinned
from .repair import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..session import Session
    from . import Store


class Step:
    """What restoring does to one thing: a database or a file, `member` in the archive, `path` where it goes. Counts of entries."""

    __slots__ = ("after", "before", "member", "path", "user")

    def __init__(self, member: str, path: str, user: str, counts: tuple[int | None, int | None]) -> None:
        self.member = member
        self.path = path
        self.user = user
        self.before, self.after = counts

    @property
    def change(self) -> str:
        """In a word."""
        if self.member == "":
            return "removed"
        return "replaced" if os.path.exists(self.path) else "made"


class Unpacked:
    """A backup in a folder of its own, everything in it verified; gone with `discard`."""

    def __init__(self, file: str, folder: str) -> None:
        make_folders(os.path.dirname(folder))
        self.folder = folder
        self.file = file
        os.mkdir(folder, 0o700)
        try:
            told = unpack(file, folder)
            self.user = str(told["user"])
            self.databases: list[dict[str, object]] = told["databases"]  # type: ignore[assignment]
            for item in self.databases:
                self._check(item)
        except BaseException:
            self.discard()
            raise

    def source(self, item: "dict[str, object]") -> snapshot.Source:
        """One of its databases."""
        file = f"{self.folder}/{item['member']}"
        return snapshot.Source(file, {int(name): f"{file}-bulk/{name}" for name in _names(f"{file}-bulk")})

    def files(self) -> "Iterator[str]":
        """The members that are no databases."""
        for found, _, names in os.walk(self.folder):
            member = os.path.relpath(found, self.folder)
            if not member.startswith("databases"):
                yield from sorted(os.path.normpath(f"{member}/{name}") for name in names)

    def discard(self) -> None:
        """Deletes the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _check(self, item: "dict[str, object]") -> None:
        if not _sensible(item):
            raise DamagedBackup(f"Cannot use backup {self.file}: its manifest makes no sense", cure="prontodb backup --list shows others")
        source = self.source(item)
        bulk = {body: os.stat(file).st_size for body, file in source.bulk.items()}
        if faults := upkeep.sound(source.file, bulk):
            raise DamagedBackup(
                f"Cannot use backup {self.file}: {item['member']} is {faults[0]}", cure="prontodb backup --list shows others"
            )


def _sensible(item: "dict[str, object]") -> bool:
    """Whether what a manifest says of a database leads nowhere but where databases are: it may have been made with bad intent."""
    try:
        member, name, path = str(item["member"]), str(item["name"]), str(item["path"])
        check_user(str(item["user"]))
        int(str(item["entries"]))
        paths.database_file(name or path, {"HOME": "/"}, "")
    except (ProntoError, KeyError, TypeError, ValueError):
        return False
    return member.startswith("databases/") and member.count("/") == 1 and "/" not in name and path.startswith("/")


def restore(session: "Session", store: "Store", file: str, *, dry: bool) -> "tuple[list[Step], str]":
    """Makes the user's databases, cursors and profiles what they were; what was done, and the backup of what was there before, "" for none.

    Nothing is replaced before all of the archive is verified, and with `dry` nothing at all. Raises `DamagedBackup`, `Denied` for
    another user's, `StorageError`.
    """
    opened = _open(session, store, file)
    try:
        steps = list(_steps(session, store, opened))
        if dry:
            return steps, ""
        kept = _keep(session, store, opened, steps)
        try:
            for step in steps:
                _take(session, opened, step)
        except ProntoError as error:
            undo = f"; prontodb restore {kept} brings back what was there" if kept else ""
            raise StorageError(f"Restored in part: {error.message}", cure=f"{error.cure}{undo}") from error
        return steps, kept
    finally:
        opened.discard()


def into(session: "Session", store: "Store", file: str, target: str) -> list[str]:
    """Unpacks a backup as databases in a new folder, where nothing else is; their paths."""
    folder = os.path.join(session.cwd, target)
    if os.path.exists(folder) and (not os.path.isdir(folder) or os.listdir(folder)):
        raise UsageError(f"{folder} is there already, and not an empty folder", cure="--into a folder that does not exist")
    opened = _open(session, store, file, beside=os.path.dirname(os.path.abspath(folder)))
    try:
        make_folders(folder)
        made = []
        for item in opened.databases:
            path = f"{folder}/{_file_name(item)}"
            snapshot.put_back(path, opened.source(item), str(item["user"]), session.pool.timeout, folders=False)
            made.append(path)
        for member in opened.files():
            make_folders(os.path.dirname(f"{folder}/{member}"))
            os.rename(f"{opened.folder}/{member}", f"{folder}/{member}")
        return made
    except OSError as error:
        raise StorageError(f"Cannot write {folder}: {error.strerror}", cure="--into another folder") from error
    finally:
        opened.discard()


def _open(session: "Session", store: "Store", file: str, beside: str = "") -> Unpacked:
    unpinned(session.context(), "whole databases")
    path = os.path.join(session.cwd, file)
    if not os.path.exists(path):
        raise UsageError(f"There is no backup {path}", cure="prontodb backup --list shows those that there are")
    where = beside or paths.data_home(session.environ)
    try:
        opened = Unpacked(path, f"{where}/.{os.getpid()}-{os.urandom(4).hex()}.restored")
    except OSError as error:
        raise StorageError(f"Cannot unpack into {where}: {error.strerror}", cure="free some space and run it again") from error
    try:
        _allowed(session, store, opened)
    except BaseException:
        opened.discard()
        raise
    return opened


def _allowed(session: "Session", store: "Store", opened: Unpacked) -> None:
    """Raises `Denied` for what is another user's."""
    from .users import admit

    for user in dict.fromkeys(str(item["user"]) for item in opened.databases):
        if user != store.whose[0] and opened.user != "all":
            raise Denied(f"Backup {opened.file} is of user '{user}', not of '{store.whose[0]}'", cure=f"--user {user} if you are")
        admit(session, user)


def _file_name(item: "dict[str, object]") -> str:
    """The name of a database's file: as in the data folder, or as it was elsewhere."""
    user = str(item["user"])
    own = "" if user == "default" else f"_{user}"
    return f"{item['name']}{own}.db" if item["name"] else str(item["member"]).removeprefix("databases/")


def _steps(session: "Session", store: "Store", opened: Unpacked) -> "Iterator[Step]":
    home, alone = paths.data_home(session.environ), session.flags.database is not None
    elsewhere = backup.behind_cursors(session, store.whose[0])
    for item in opened.databases:
        path = _goes_to(session, item)
        if (alone or not item["name"]) and path != store.database and (alone or path not in elsewhere):
            if not alone:
                store.engine.notices.append(f"{path} is not restored: no cursor points to it; --database {path} restores it")
            continue
        before = snapshot.count(path, str(item["user"]), session.pool.timeout) if os.path.exists(path) else None
        yield Step(str(item["member"]), path, str(item["user"]), (before, int(str(item["entries"]))))
    if alone:
        return
    members = list(opened.files())
    for member in members:
        target = profiles.own_file(session.environ) if member == "profiles.toml" else f"{home}/{member}"
        yield Step(member, target, "", (None, None))
    for user in {opened.user} - {"", "all"}:
        for name in _names(f"{home}/cursors/{user}"):
            if f"cursors/{user}/{name}" not in members and not name.endswith(".new"):
                yield Step("", f"{home}/cursors/{user}/{name}", "", (None, None))


def _keep(session: "Session", store: "Store", opened: Unpacked, steps: list[Step]) -> str:
    """A backup of what will be replaced. A database that is too damaged for that is set aside, under another name."""
    wanted, now = [], stamp(store.now)
    store.engine.close()
    for step in steps:
        if not step.user or not os.path.exists(step.path):
            continue
        faults = upkeep.look(step.path, (step.user, ""), session.pool.timeout, store.now).faults
        if faults:
            _set_aside(session, step.path, now)
        elif os.path.getsize(step.path):
            wanted.append(backup.Wanted(step.path, step.user, ""))
    if not wanted:
        return ""
    for item in wanted:
        item.name = next((str(found["name"]) for found in opened.databases if _goes_to(session, found) == item.path), "")
    return backup.make(
        session, wanted, (backup.folder(session), f"prontodb-{store.whose[0]}-{now}-before-restore.tar"), user=opened.user
    ).path


def _goes_to(session: "Session", item: "dict[str, object]") -> str:
    return f"{paths.data_home(session.environ)}/{_file_name(item)}" if item["name"] else str(item["path"])


def _set_aside(session: "Session", path: str, now: str) -> None:
    lone(path, session.pool.timeout())
    try:
        snapshot.set_aside(path, now)
    except OSError as error:
        raise StorageError(f"Cannot set the damaged {path} aside: {error.strerror}") from error


def _take(session: "Session", opened: Unpacked, step: Step) -> None:
    if step.user:
        item = next(item for item in opened.databases if item["member"] == step.member)
        named = bool(item["name"])
        snapshot.put_back(step.path, opened.source(item), step.user, session.pool.timeout, folders=named)
        return
    try:
        if not step.member:
            unlink(step.path)
            sync_folder(os.path.dirname(step.path))
            return
        make_folders(os.path.dirname(step.path))
        with open(f"{opened.folder}/{step.member}", "rb") as file:
            replace_file(step.path, file.read())
    except OSError as error:
        raise StorageError(f"Cannot write {step.path}: {error.strerror}") from error


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
