"""Values of 16 MiB and more: a file each, in the folder `NAME.db-bulk` beside the database.

Through the database they would be written three times, to the spool, the log and the file; so the spool file itself is linked into
place. The row of `chunk` with the number -1 says that a body is such a file, whose name is the body's number. The file is there, and on
disk, before the row is committed, and goes after the row is gone: what a crash leaves is a file too many, which the next one who stores
there takes away. A body never changes, so whoever has it open reads it to its end, whatever becomes of the entry.
"""

import os

from ..files import make_folders, sync_folder, unlink, write_all
from ..model import PIECE, Content
from .failures import DamagedDatabase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .driver import Connection

LEAST = 16 << 20
"""Bytes from which a value is a file of its own."""
MARK = -1
DRAFT = "new-"


class Bodies:
    """The folder of one database. Everything but `open` and `staged` is called under the write lock. Raises `OSError`."""

    def __init__(self, path: str, *, folders: bool = False) -> None:
        self._database = path
        self.folder = f"{path}-bulk"
        self._folders = folders
        self._dropped: list[int] = []

    def file(self, body: int) -> str:
        """Where a body's bytes are."""
        return f"{self.folder}/{body}"

    def staged(self, content: Content) -> "Staged":
        """The content in a file of this folder, made before the lock is taken: nobody waits for the copy."""
        self._make()
        return Staged(content, f"{self.folder}/{DRAFT}{os.getpid()}-{os.urandom(4).hex()}")

    def store(self, db: "Connection", body: int, content: Content) -> None:
        """Makes the content a body."""
        self._make()
        unlink(self.file(body))
        os.close(link_or_copy(content, self.file(body)))
        sync_folder(self.folder)
        db.execute("INSERT INTO chunk VALUES (?, ?, ?)", (body, MARK, b"%d" % content.size))

    def place(self, body: int, content: Content) -> None:
        """Gives a body's name to content that is in a file already."""
        unlink(self.file(body))
        os.close(link_or_copy(content, self.file(body)))
        sync_folder(self.folder)

    def copy(self, body: int, copy: int) -> None:
        """Makes a second name for a body."""
        unlink(self.file(copy))
        os.close(link_or_copy(stored(self.file(body)), self.file(copy)))
        sync_folder(self.folder)

    def drop(self, db: "Connection", body: int) -> None:
        """Notes a body that goes with this transaction, if it is a file."""
        if marked(db, body):
            self._dropped.append(body)

    def begin(self) -> None:
        """Forgets what a transaction that failed would have dropped."""
        self._dropped = []

    def settle(self) -> None:
        """Removes what a committed transaction dropped."""
        while self._dropped:
            _remove(self.file(self._dropped.pop()))

    def sweep(self, db: "Connection") -> int:
        """Removes files that no entry needs: what a crash left; how many. In a transaction of its own: another could be undone."""
        gone = [name for name in self.names() if not _needed(db, self.folder, name)]
        for name in gone:
            _remove(f"{self.folder}/{name}")
        return len(gone)

    def names(self) -> list[str]:
        """What is in the folder."""
        try:
            return os.listdir(self.folder)
        except OSError:
            return []

    def open(self, body: int, size: int) -> "Iterator[bytes] | None":
        """The bytes of a body; None where there is no such file (any more). Raises `DamagedDatabase` for one of another size.

        The first piece is empty, and taken already: whoever drops the rest, read or not, closes the file.
        """
        try:
            fd = os.open(self.file(body), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        pieces = _read(fd)
        next(pieces)
        if os.fstat(fd).st_size != size:
            raise DamagedDatabase(f"Database is damaged: {self.file(body)} has another size than it had", cure="prontodb doctor")
        return pieces

    def _make(self) -> None:
        if os.path.isdir(self.folder):
            return
        if self._folders:
            make_folders(self.folder)
        else:
            os.mkdir(self.folder, 0o700)
        os.chmod(self.folder, 0o700)
        sync_folder(os.path.dirname(self.folder))


class Staged(Content):
    """Content in a file that is on its way; `discard` takes the file away, and the folder if nothing else is in it."""

    __slots__ = ("_fd", "_file")

    def __init__(self, content: Content, path: str) -> None:
        super().__init__(content.size, content.pieces)
        self._fd = link_or_copy(content, path)
        self._file = path

    @property
    def file(self) -> str:
        """See `Content`."""
        return self._file

    def discard(self) -> None:
        """See `Content`."""
        _remove(self._file)
        os.close(self._fd)
        try:
            os.rmdir(os.path.dirname(self._file))
        except OSError:
            pass


def marked(db: "Connection", body: int) -> bool:
    """Whether a body is a file."""
    return db.execute("SELECT 1 FROM chunk WHERE body = ? AND number = ?", (body, MARK)).fetchone() is not None


def stored(path: str) -> Content:
    """A file that does not change any more, as content."""
    return _File(os.stat(path).st_size, lambda: _again(path), path)


class _File(Content):
    """See `stored`."""

    __slots__ = ("_path",)

    def __init__(self, size: int, pieces: "Callable[[], Iterator[bytes]]", path: str) -> None:
        super().__init__(size, pieces)
        self._path = path

    @property
    def file(self) -> str:
        """See `Content`."""
        return self._path


def link_or_copy(content: Content, path: str) -> int:
    """Gives content a name, durably: the name of its own file where that is possible. A descriptor of it, locked where it is new."""
    if content.file:
        try:
            os.link(content.file, path)
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            # Another file system, or one without hard links.
            unlink(path)
    return _copied(content, path)


def _copied(content: Content, path: str) -> int:
    import fcntl

    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(fd, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for piece in content.pieces():
            write_all(fd, piece)
        os.fsync(fd)
        return fd
    except BaseException:
        os.close(fd)
        unlink(path)
        raise


def _needed(db: "Connection", folder: str, name: str) -> bool:
    if name.isascii() and name.isdigit():
        return marked(db, int(name))
    from ..spool import arriving

    return not name.startswith(DRAFT) or arriving(f"{folder}/{name}")


def _again(path: str) -> "Iterator[bytes]":
    pieces = _read(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
    next(pieces)
    return pieces


def _read(fd: int) -> "Iterator[bytes]":
    try:
        yield b""
        while piece := os.read(fd, PIECE):
            yield piece
    finally:
        os.close(fd)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        # Gone, or not to be had now: the next sweep finds it.
        pass
