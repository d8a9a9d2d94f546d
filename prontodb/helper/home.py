"""The folder through which a shell and its subshells find their helper: `pid`, and the FIFOs of `lines`.

It lies in a folder that is nobody else's, so its name need not be a secret. The shell chooses the name, which no other shell has.
"""

import fcntl
import os
import stat

from .lines import MORE, Line, affordable, make


class NoHome(Exception):
    """There can be no such folder."""


class Home:
    """One helper's folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.lines: list[Line] = []
        self.most = 1
        """Lines that there may be."""
        self._mark = (0, 0)

    def occupy(self) -> int:
        """Makes the folder, whole or not at all. Returns 0, or the process that serves there already. Raises `NoHome`."""
        with _Only(os.path.dirname(self.folder)):
            if other := _serves(self.folder):
                return other
            _sweep(os.path.dirname(self.folder), os.path.basename(self.folder))
            new = f"{self.folder}.new"
            os.mkdir(new, 0o700)
            self._furnish(new)
            os.rename(new, self.folder)
        return 0

    def _furnish(self, folder: str) -> None:
        with open(f"{folder}/pid", "x", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
            self._mark = _mark(os.fstat(file.fileno()))
        self.most = affordable()
        self.lines = make(f"{folder}/{os.getpid()}", range(min(MORE, self.most)))
        if not self.lines:
            raise NoHome("no more files can be opened")
        for line in self.lines:
            line.moved(self.folder)

    def grow(self) -> list[Line]:
        """More lines, as far as there may be any. Where the system gives none, it is not asked again."""
        first, wanted = len(self.lines), min(len(self.lines) + MORE, self.most)
        new = make(f"{self.folder}/{os.getpid()}", range(first, wanted))
        if len(new) < wanted - first:
            self.most = first + len(new)
        self.lines += new
        return new

    def lost(self) -> bool:
        """Whether the folder is gone, or another helper's by now."""
        try:
            return _mark(os.stat(f"{self.folder}/pid")) != self._mark
        except OSError:
            return True

    def leave(self) -> None:
        """Takes the folder away."""
        if not self.lost():
            remove(self.folder)


class _Only:
    """The parent folder, made where it is missing and checked, locked for one helper at a time."""

    def __init__(self, parent: str) -> None:
        self._parent = parent

    def __enter__(self) -> None:
        try:
            os.mkdir(self._parent, 0o700)
        except FileExistsError:
            pass
        except OSError as error:
            raise NoHome(str(error)) from error
        self._fd = os.open(self._parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        status = os.fstat(self._fd)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            raise NoHome(f"{self._parent} can be used by others")
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _mark(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _serves(folder: str) -> int:
    """The helper of a folder; 0 if there is none."""
    try:
        with open(f"{folder}/pid", encoding="ascii") as file:
            process = int(file.read())
        with open(f"/proc/{process}/cmdline", "rb") as file:
            return process if os.fsencode(folder) in file.read().split(b"\0") else 0
    except (OSError, ValueError):
        return 0


def _sweep(parent: str, own: str) -> None:
    """Removes what a helper that was killed has left: ours, and those of shells that are gone. Names begin with the shell's number."""
    for name in os.listdir(parent):
        if name.startswith(own) or not os.path.exists(f"/proc/{name.partition('.')[0]}"):
            remove(f"{parent}/{name}")


def remove(folder: str) -> None:
    """Removes a folder of files; first from sight."""
    gone = folder
    if not folder.endswith((".new", ".gone")):
        gone = f"{folder}.gone"
        try:
            os.rename(folder, gone)
        except OSError:
            return
    try:
        for name in os.listdir(gone):
            os.unlink(f"{gone}/{name}")
        os.rmdir(gone)
    except OSError:
        pass
