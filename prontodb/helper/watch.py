"""Whether the shell is still the shell, and this program still the installed one."""

import os
import time

import prontodb

PAUSE = 0.02
"""Seconds between two looks at the installed version: to install one takes longer."""


class Watch:
    """An eye on one process, which may exit, be killed, or become another program while its id stays.

    The FIFOs cannot tell: bash cannot keep its descriptors from the programs that it runs, so a job in the background would hold them
    open long after the shell is gone.
    """

    def __init__(self, shell: int) -> None:
        self._shell = shell
        self._seen = self._fingerprint()
        self._package = _identity()
        self._looked = 0.0
        self.ends: list[int] = []
        """Descriptors that become readable when the process ends, or another without which nobody is to be served."""
        self.also(_pidfd(shell))

    def also(self, fd: int) -> None:
        """One more of them; -1 where the operating system has no such thing."""
        if fd >= 0:
            self.ends.append(fd)

    def alive(self) -> bool:
        """Whether the process is there and runs the program that it ran."""
        try:
            os.kill(self._shell, 0)
        except OSError:
            return False
        return self._fingerprint() == self._seen

    def replaced(self) -> bool:
        """Whether another version has been installed over this one, whose modules would no longer fit those that are loaded."""
        now = time.monotonic()
        if now - self._looked < PAUSE:
            return False
        self._looked = now
        return _identity() != self._package

    def _fingerprint(self) -> tuple[str, ...]:
        """When the process began and where its stack does: `exec` gives it another stack."""
        try:
            with open(f"/proc/{self._shell}/stat", encoding="latin-1") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            return ()
        return (fields[19], fields[25])


def _pidfd(process: int) -> int:
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):
        return -1


def _identity() -> tuple[int, int]:
    try:
        status = os.stat(prontodb.__file__)
    except OSError:
        return (0, 0)
    return status.st_ino, status.st_mtime_ns
