"""What a command of `memo` is given, and what of it its result depends on."""

from __future__ import annotations

import hashlib
import os
import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..session import Session

from ..errors import StorageError, UsageError
from ..files import write_all
from ..model import PIECE, Content
from ..session import Piped

ITEMS = "args, stdin, cwd, env:NAME and file:F"


def items(on: tuple[str, ...]) -> list[str]:
    """What the result depends on; `file:` takes all that follows, commas included."""
    found: list[str] = []
    for text in on or ("args",):
        before, mark, path = f",{text}".partition(",file:")
        found += [item for item in before.split(",") if item]
        found += [f"file:{path}"] if mark else []
    return found


class Inputs:
    """What a command is given, and what of it is said to matter. `used`: the command has had it, or there was no need to."""

    def __init__(self, session: Session, argv: list[bytes]) -> None:
        self._session = session
        self.argv = argv
        self.stdin = session.stdin.claim()
        self.used = False
        self._size = 0
        self._spooled: IO[bytes] | None = None

    def of(self, item: str) -> list[bytes]:
        """What an item of --on comes to, the item itself first."""
        kind, _, name = item.partition(":")
        if item == "args":
            return [b"args", b"%d" % len(self.argv), *self.argv]
        if item == "stdin":
            return [b"stdin", self._read()]
        if item == "cwd":
            return [b"cwd", os.fsencode(self._session.cwd)]
        if kind == "env" and name:
            value = self._session.environ.get(name)
            return [b"env", name.encode(), b"unset" if value is None else b"=" + os.fsencode(value)]
        if kind == "file" and name:
            return [b"file", os.fsencode(name), self._file(name)]
        raise UsageError(f"Unknown item '{item}' in --on", cure=f"known are {ITEMS}")

    def close(self) -> None:
        """Nobody reads it any more."""
        if self._spooled is not None:
            self._spooled.close()

    def _read(self) -> bytes:
        """Takes standard input into a file, for the command to read; its digest."""
        if self._spooled is None:
            self._spooled = temporary(self._session)
            self.stdin = self._spooled.fileno()
            for piece in iter(lambda: self._session.stdin.read(PIECE), b""):
                self._spool(piece)
        digest = hashlib.sha256()
        for piece in self._pieces():
            digest.update(piece)
        os.lseek(self.stdin, 0, os.SEEK_SET)
        return digest.digest()

    def _spool(self, piece: bytes) -> None:
        try:
            write_all(self.stdin, piece)
        except OSError as error:
            raise StorageError(f"Cannot keep standard input: {error.strerror}", cure="TMPDIR with a folder that has room for it") from error
        self._size += len(piece)

    def left(self, address: str) -> Piped | None:
        """What was read and given to nobody, to be rescued."""
        if self._spooled is None or self.used:
            return None
        piped = Piped(address, patient=True)
        piped.content = Content(self._size, self._pieces)
        return piped

    def _pieces(self) -> Iterator[bytes]:
        return (os.pread(self.stdin, min(PIECE, self._size - at), at) for at in range(0, self._size, PIECE))

    def _file(self, name: str) -> bytes:
        try:
            with open(os.path.join(self._session.cwd, name), "rb", buffering=0) as file:
                return _digest(file)
        except OSError as error:
            raise UsageError(f"Cannot read '{name}': {error.strerror}", cure="--on file:F with a file that can be read") from error


def _digest(file: IO[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in iter(lambda: file.read(PIECE), b""):
        digest.update(piece)
    return digest.digest()


def temporary(session: Session) -> IO[bytes]:
    """A file without a name, which is gone with this process."""
    folder = session.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - it has no name there
    try:
        return tempfile.TemporaryFile(dir=folder, buffering=0)
    except OSError as error:
        raise StorageError(f"Cannot make a file in {folder}: {error.strerror}", cure="TMPDIR with a folder that can be written") from error
