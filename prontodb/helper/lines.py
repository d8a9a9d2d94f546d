"""The lines between a shell and its helper: pairs of FIFOs in a folder of their own, and who has which.

Line 0 is the shell's. Any other belongs to the first subshell that creates `N.taken`, which only one can, until that subshell ends:
`DIR/N.ask` takes requests and `DIR/N.say` gives replies.
"""

import os
import select
import time

from .protocol import Decoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .protocol import Request

CHUNK = 1 << 16
AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe takes without making the writer wait, once it takes any."""
MORE = 64
"""Lines that are made at once."""
SPARE = 32
"""Lines that are free at least, as far as `MOST` allows."""
MOST = 256
GRACE = 5.0
"""Seconds that a subshell may take between its two steps, to create a file and to write its number into it."""


class Line:
    """One pair of FIFOs, and the part of a reply that is still to be written."""

    __slots__ = ("_decoder", "_old", "asks", "holder", "rest", "says", "taken", "waits", "watched")

    def __init__(self, folder: str, number: int) -> None:
        self.taken = f"{folder}/{number}.taken"
        self.asks = _fifo(f"{folder}/{number}.ask")
        self.says = _fifo(f"{folder}/{number}.say")
        self.holder = b""
        """The process that has it, as it calls itself."""
        self.watched = -1
        """A descriptor that tells of the holder's end; -1: none."""
        self.rest = memoryview(b"")
        self.waits = False
        self._decoder = Decoder()
        self._old = select.poll()
        self._old.register(self.says, select.POLLIN)

    def read(self) -> "list[Request]":
        """The requests that have come. Raises `Garbled`."""
        try:
            return self._decoder.feed(os.read(self.asks, CHUNK))
        except BlockingIOError:
            return []

    def send(self, reply: bytes) -> None:
        """The answer to a request. What is left of an older reply is of no use to anyone: its reader has given up."""
        if self.rest or self._old.poll(0):
            drain(self.says)
        self.rest = memoryview(reply)
        self.go_on()

    def go_on(self) -> None:
        """As much as goes without waiting: a caller that was interrupted may never read the rest."""
        try:
            while self.rest:
                self.rest = self.rest[os.write(self.says, self.rest[:AT_ONCE]) :]
        except BlockingIOError:
            pass

    def moved(self, folder: str) -> None:
        """Its folder has another name now."""
        self.taken = f"{folder}/{os.path.basename(self.taken)}"

    def hold(self, holder: bytes) -> None:
        """Notes who has it."""
        self.holder = holder
        try:
            self.watched = os.pidfd_open(int(holder))
        except (AttributeError, OSError, ValueError, OverflowError):
            self.watched = -1

    def release(self) -> None:
        """Makes it free for the next one."""
        if self.watched >= 0:
            os.close(self.watched)
        self.holder, self.watched, self.rest = b"", -1, memoryview(b"")
        self._decoder = Decoder()
        drain(self.asks)
        drain(self.says)
        try:
            os.unlink(self.taken)
        except OSError:
            pass

    def abandoned(self) -> bool:
        """Whether it is taken by a process that is gone, perhaps before it said anything."""
        try:
            with open(self.taken, encoding="ascii", errors="replace") as file:
                holder = file.read()
                age = time.time() - os.fstat(file.fileno()).st_mtime
        except OSError:
            return False
        return not os.path.exists(f"/proc/{holder}") if holder.isdigit() else age > GRACE


def _fifo(path: str) -> int:
    os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def drain(fd: int) -> None:
    """Takes out whatever is in a FIFO."""
    try:
        while os.read(fd, CHUNK):
            pass
    except BlockingIOError:
        pass
