"""Spool files: content on disk outside any database, while it arrives and where no database takes it (DESIGN §6).

A kept item is two files, `NAME` with the bytes and `NAME.json` with what is known of them, in the first of these folders that takes
it: `$XDG_STATE_HOME/prontodb/rescue`, one of the user's own below `$TMPDIR`, one below `/dev/shm`. A name with `+partial` in it (that of
whole content can have no `+`) is still arriving, as long as its writer holds the lock on it; then it was cut off.
"""

import os

from .errors import ProntoError
from .files import make_folders, replace_file, sync_folder, unlink, write_all
from .model import PIECE, Content
from .paths import state_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARTIAL = "+partial"
NOTE = ".json"


class ContentLost(ProntoError):
    """Piped content that no place would take. The one error that means data is gone."""

    slug = "content-lost"


def places(environ: "Mapping[str, str]") -> list[str]:
    """The folders to try, best first."""
    own = f"prontodb-rescue-{os.getuid()}"
    temporary = environ.get("TMPDIR", "") or "/tmp"  # noqa: S108 - `private` makes a folder of our own in it
    fallbacks = [f"{temporary}/{own}", f"/dev/shm/{own}"]  # noqa: S108 - likewise
    try:
        return [f"{state_home(environ)}/rescue", *fallbacks]
    except ProntoError:
        # A HOME that is no path must not cost the content.
        return fallbacks


def private(folder: str) -> str:
    """The folder, made 0700. Raises `OSError` where it cannot be made or is somebody else's, as may be in `/tmp`."""
    make_folders(folder)
    status = os.lstat(folder)
    if status.st_uid != os.geteuid() or status.st_mode & 0o170077 != 0o040000:
        raise PermissionError(13, "not a private folder of this user", folder)
    return folder


class _Segment:
    """A file that holds a run of the content, locked while its writer lives."""

    __slots__ = ("fd", "path", "size")

    def __init__(self, path: str) -> None:
        import fcntl

        self.path = path
        self.size = 0
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.fchmod(self.fd, 0o600)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # No locks here: it is shown as partial while it arrives.
            pass

    def append(self, data: bytes) -> bool:
        """Whether all of it was written; what an attempt leaves behind `size` is taken away again, as far as that goes."""
        try:
            write_all(self.fd, data)
        except OSError:
            os.ftruncate(self.fd, self.size)
            return False
        self.size += len(data)
        return True

    def pieces(self) -> "Iterator[bytes]":
        """The bytes, read without moving the place where the next are written."""
        for at in range(0, self.size, PIECE):
            yield os.pread(self.fd, min(PIECE, self.size - at), at)

    def remove(self) -> None:
        """The file and its note."""
        unlink(self.path)
        unlink(self.path + NOTE)
        os.close(self.fd)


class Spool(Content):
    """Content written to files as it arrives. Where a folder fails midway the next one goes on; after the last, memory.

    `stem` is what its name is made from, as `time_hex/address`, until it is whole, and `note` what is known of it, in case it is cut off.
    """

    __slots__ = ("_doubtful", "_folders", "_held", "_label", "_note", "_segments", "_stem")

    def __init__(self, folders: list[str], stem: str, note: "dict[str, object]") -> None:
        super().__init__(0, self._read)
        self._folders = list(folders)
        self._note = note
        self._stem, _, self._label = stem.partition("/")
        self._segments: list[_Segment] = []
        self._held = bytearray()
        self._doubtful = False

    @property
    def in_memory(self) -> bool:
        """Whether some of it is in memory only, since no folder took it."""
        return bool(self._held)

    def write(self, data: bytes) -> None:
        """Appends. Does not fail for a full or missing disk."""
        self.size += len(data)
        while not self._held and (self._segments or self._open_next()):
            if self._segments[-1].append(data):
                return
            self._drop_empty()
            if not self._open_next():
                break
        self._held += data

    def finish(self) -> None:
        """Makes durable what is on disk. Where that fails, it is not relied upon: whoever takes it must make a copy."""
        for segment in self._segments:
            try:
                os.fsync(segment.fd)
                sync_folder(os.path.dirname(segment.path))
            except OSError:
                self._doubtful = True

    def leave(self) -> str:
        """Lets the files stay as partial ones; the name of the first."""
        self.finish()
        for segment in self._segments:
            os.close(segment.fd)
        return os.path.basename(self._segments[0].path)

    def discard(self) -> None:
        """Deletes the files."""
        while self._segments:
            self._segments.pop().remove()

    def whole_in(self, folder: str) -> str:
        """The path of its one file where all of it lies in `folder`, else ""."""
        path = self.file
        return path if os.path.dirname(path) == folder else ""

    @property
    def file(self) -> str:
        """The path of its one file, where all of it is in one and durable, else ""."""
        alone = len(self._segments) == 1 and not self._held and not self._doubtful
        return self._segments[0].path if alone else ""

    def _drop_empty(self) -> None:
        """A last file that took nothing at all."""
        if not self._segments[-1].size:
            self._segments.pop().remove()

    def _open_next(self) -> bool:
        number = len(self._segments) + 1
        while self._folders:
            try:
                path = f"{private(self._folders.pop(0))}/{self._stem}{'' if number == 1 else f'-{number}'}{PARTIAL}_{self._label}"
                # The note first: content that nobody knows the owner of might be shown to others.
                _put_note(path, self._note)
                self._segments.append(_opened(path))
                return True
            except OSError:
                continue
        return False

    def _read(self) -> "Iterator[bytes]":
        for segment in self._segments:
            yield from segment.pieces()
        yield from (bytes(self._held[at : at + PIECE]) for at in range(0, len(self._held), PIECE))


def keep(content: Content, folders: list[str], name: str, note: dict[str, object]) -> str:
    """Keeps content under `name`, or `name_2` where that is taken; the name it got. Raises `ContentLost` where no folder takes it.

    A folder that does not even take the note comes last, and is used without.
    """
    reasons: dict[str, str] = {}
    for noted in (True, False):
        for folder in folders:
            try:
                return _keep_in(private(folder), content, name, note if noted else None)
            except OSError as error:
                reasons[folder] = f"{folder}: {error.strerror}"
    raise ContentLost(
        f"LOST: {content.size} bytes of piped content could not be kept anywhere ({'; '.join(reasons.values())})",
        cure="free some space and run the command that made the content again",
    )


def _keep_in(folder: str, content: Content, name: str, note: "dict[str, object] | None") -> str:
    arrived = content.whole_in(folder) if isinstance(content, Spool) else ""
    stamp, _, label = name.split("_", 2)
    part = arrived or f"{folder}/{stamp}_{os.urandom(4).hex()}{PARTIAL}_{label}"
    if note is not None:
        _note_part(part, note)
    if not arrived:
        _write_part(part, content)
    taken = _link_free(part, f"{folder}/{name}")
    if os.path.exists(part + NOTE):
        os.replace(part + NOTE, taken + NOTE)
    unlink(part)
    sync_folder(folder)
    return os.path.basename(taken)


def _note_part(part: str, note: dict[str, object]) -> None:
    """What is known of it now; on a full disk what was known when it began to arrive will do. Raises `OSError` where there is neither."""
    try:
        _put_note(part, note)
    except OSError:
        if not os.path.exists(part + NOTE):
            raise


def _write_part(path: str, content: Content) -> None:
    try:
        segment = _opened(path)
        try:
            for piece in content.pieces():
                write_all(segment.fd, piece)
            os.fsync(segment.fd)
        except BaseException:
            unlink(path)
            raise
        finally:
            os.close(segment.fd)
    except BaseException:
        unlink(path + NOTE)
        raise


def _opened(path: str) -> _Segment:
    try:
        return _Segment(path)
    except OSError:
        unlink(path + NOTE)
        raise


def _link_free(part: str, wanted: str) -> str:
    for number in range(1, 10_000):
        path = wanted if number == 1 else f"{wanted}_{number}"
        try:
            os.link(part, path)
            return path
        except FileExistsError:
            continue
    raise FileExistsError(17, "no free name", wanted)


def _put_note(path: str, note: dict[str, object]) -> None:
    """Raises `OSError`."""
    import json

    replace_file(path + NOTE, json.dumps(note).encode())


def read_note(path: str) -> dict[str, object]:
    """What is known of an item; {} where nothing can be read of it."""
    import json

    try:
        with open(f"{path}{NOTE}", "rb") as file:
            note = json.load(file)
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def arriving(path: str) -> bool:
    """Whether the writer of a partial file lives: it holds the lock."""
    import fcntl

    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(fd)


def size(path: str) -> int:
    """Bytes of a file; 0 for one that is gone."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
