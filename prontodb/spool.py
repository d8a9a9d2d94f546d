"""Spool files: content on disk outside any database, while it arrives and where no database takes it (DESIGN §6).

A kept item is two files, `NAME` with the bytes and `NAME.json` with what is known of them, in the first of these folders that takes
it: `$XDG_STATE_HOME/prontodb/rescue`, one of the user's own below `$TMPDIR`, one below `/dev/shm`. A name ending in `.part` is still
arriving, or was cut off.
"""

import os

from .errors import ProntoError
from .files import make_folders, replace_file, sync_folder, unlink, write_all
from .model import PIECE, Content
from .paths import state_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARTIAL = ".part"
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
    """A file that holds a run of the content."""

    __slots__ = ("fd", "path", "size")

    def __init__(self, path: str) -> None:
        self.path = path
        self.size = 0
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.fchmod(self.fd, 0o600)

    def append(self, data: bytes) -> bool:
        """Whether all of it was written; what an attempt leaves behind `size` does not count."""
        try:
            write_all(self.fd, data)
        except OSError:
            return False
        self.size += len(data)
        return True

    def pieces(self) -> "Iterator[bytes]":
        """The bytes, read without moving the place where the next are written."""
        for at in range(0, self.size, PIECE):
            yield os.pread(self.fd, min(PIECE, self.size - at), at)


class Spool(Content):
    """Content written to files as it arrives. Where a folder fails midway the next one goes on; after the last, memory."""

    __slots__ = ("_folders", "_held", "_segments", "_stem")

    def __init__(self, folders: list[str], now: int) -> None:
        super().__init__(0, self._read)
        self._folders = list(folders)
        self._stem = f"{now}_{os.getpid()}_{os.urandom(4).hex()}{PARTIAL}"
        self._segments: list[_Segment] = []
        self._held = bytearray()

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
        """Makes durable what is on disk."""
        for segment in self._segments:
            os.fsync(segment.fd)

    def discard(self) -> None:
        """Deletes the files."""
        for segment in self._segments:
            unlink(segment.path)
            os.close(segment.fd)
        self._segments = []

    def whole_in(self, folder: str) -> str:
        """The path of its one file where all of it lies in `folder`, else ""."""
        alone = len(self._segments) == 1 and not self._held
        return self._segments[0].path if alone and os.path.dirname(self._segments[0].path) == folder else ""

    def _drop_empty(self) -> None:
        """A last file that took nothing at all."""
        if not self._segments[-1].size:
            segment = self._segments.pop()
            unlink(segment.path)
            os.close(segment.fd)

    def _open_next(self) -> bool:
        while self._folders:
            try:
                self._segments.append(_Segment(f"{private(self._folders.pop(0))}/{self._stem}"))
                return True
            except OSError:
                continue
        return False

    def _read(self) -> "Iterator[bytes]":
        for segment in self._segments:
            yield from segment.pieces()
        yield from (bytes(self._held[at : at + PIECE]) for at in range(0, len(self._held), PIECE))


def keep(content: Content, folders: list[str], name: str, note: dict[str, object]) -> str:
    """Keeps content under `name`, or `name_2` where that is taken; the name it got. Raises `ContentLost` where no folder takes it."""
    reasons = []
    for folder in folders:
        try:
            return _keep_in(private(folder), content, name, note)
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror}")
    raise ContentLost(
        f"LOST: {content.size} bytes of piped content could not be kept anywhere ({'; '.join(reasons)})",
        cure="free some space and run the command that made the content again",
    )


def _keep_in(folder: str, content: Content, name: str, note: dict[str, object]) -> str:
    arrived = content.whole_in(folder) if isinstance(content, Spool) else ""
    part = arrived or _write_part(f"{folder}/{name}-{os.urandom(4).hex()}{PARTIAL}", content)
    taken = _link_free(part, f"{folder}/{name}")
    write_note(f"{taken}{NOTE}", note)
    unlink(part)
    sync_folder(folder)
    return os.path.basename(taken)


def _write_part(path: str, content: Content) -> str:
    segment = _Segment(path)
    try:
        for piece in content.pieces():
            write_all(segment.fd, piece)
        os.fsync(segment.fd)
    except BaseException:
        unlink(path)
        raise
    finally:
        os.close(segment.fd)
    return path


def _link_free(part: str, wanted: str) -> str:
    for number in range(1, 10_000):
        path = wanted if number == 1 else f"{wanted}_{number}"
        try:
            os.link(part, path)
            return path
        except FileExistsError:
            continue
    raise FileExistsError(17, "no free name", wanted)


def write_note(path: str, note: dict[str, object]) -> None:
    """What is known of an item; the content is safe without it, so a full disk is no error here."""
    import json

    try:
        replace_file(path, json.dumps(note).encode())
    except OSError:
        unlink(path)


def read_note(path: str) -> dict[str, object]:
    """What is known of an item; {} where nothing can be read of it."""
    import json

    try:
        with open(f"{path}{NOTE}", "rb") as file:
            note = json.load(file)
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def size(path: str) -> int:
    """Bytes of a file; 0 for one that is gone."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
