"""The lines between a shell and its helper: pairs of FIFOs in a folder of their own, and who has which.

Line 0 is the shell's. Any other belongs to the first subshell that creates `HELPER.N.taken`, which only one can, until that subshell ends:
`HELPER.N.ask` takes requests and `HELPER.N.say` gives replies. HELPER is a process id: one helper's lines are not the next one's.
"""

import os
import select
import time

from .protocol import CALLER, SAME, Decoder, Garbled, encode_refusal, placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .protocol import Request

CHUNK = 1 << 16
MORE = 64
"""Lines that are made at once."""
SPARE = 32
"""Lines that are free at least, as far as `MOST` allows."""
MOST = 256
KEPT = 64
"""Descriptors that no line gets, where there are few: databases are to be opened, and values laid down."""
EACH = 4
"""Descriptors that a line in use may take: two FIFOs, an eye on the holder, and a value."""
GRACE = 5.0
"""Seconds that a subshell may take between its two steps, to create a file and to write its number into it."""


class Line:
    """One pair of FIFOs."""

    __slots__ = ("_body", "_decoder", "_old", "_since", "_variables", "asks", "holder", "says", "taken", "watched")

    def __init__(self, stem: str) -> None:
        """Raises `OSError`, and leaves nothing open then."""
        self.taken = f"{stem}.taken"
        self.says = _fifo(f"{stem}.say")
        try:
            # This one last, and only once it is open: as soon as it is seen, it is written to, and closed again.
            self.asks = _fifo(f"{stem}.new")
            os.rename(f"{stem}.new", f"{stem}.ask")
        except OSError:
            os.close(self.says)
            os.unlink(f"{stem}.say")
            raise
        self.holder = b""
        """The process that has it, as it calls itself."""
        self.watched = -1
        """A descriptor that tells of the holder's end; -1: none."""
        self._body, self._since = -1, 0.0
        self._variables: tuple[bytes, ...] | None = None
        self._decoder = Decoder()
        self._old = select.poll()
        self._old.register(self.says, select.POLLIN)

    def read(self) -> "list[Request]":
        """The requests that have come. Raises `Garbled`."""
        try:
            found = self._decoder.feed(os.read(self.asks, CHUNK))
        except BlockingIOError:
            return []
        for request in found:
            if request.variables != SAME:
                self._variables = request.variables
            elif self._variables is None or not request.caller:
                # A trap that made a call between what its shell looked at and what it asks takes the caller's number away.
                raise Garbled("the variables of a request that there was not")
            else:
                request.variables = self._variables
        return found

    def send(self, frame: bytes, body: bytes = b"") -> None:
        """The answer to a request. What is left of an older one is of no use to anyone: its reader has given up. Raises `OSError`."""
        self.forget()
        if body:
            frame = placed(frame, self._lay(body))
        if self._old.poll(0):
            drain(self.says)
        os.write(self.says, frame)

    def object(self) -> None:
        """To nonsense: an answer to nobody, so that whoever waits goes to the command. The other lines know nothing of it."""
        self._decoder = Decoder()
        drain(self.asks)
        self.send(encode_refusal(b"0.0", CALLER))

    def _lay(self, body: bytes) -> bytes:
        """Puts it where the caller, and nobody else's process, can open it; where."""
        self._body, self._since = os.memfd_create("prontodb", os.MFD_CLOEXEC), time.monotonic()
        rest = memoryview(body)
        while rest:
            rest = rest[os.write(self._body, rest) :]
        return b"%d/fd/%d" % (os.getpid(), self._body)

    def forget(self, age: float = 0.0) -> None:
        """Gives the memory of the last answer back, if it is that old; whoever has opened it keeps it."""
        if self._body >= 0 and time.monotonic() - self._since >= age:
            os.close(self._body)
            self._body = -1

    def moved(self, folder: str) -> None:
        """Its folder has another name now."""
        self.taken = f"{folder}/{os.path.basename(self.taken)}"

    def hold(self, holder: bytes) -> bool:
        """Notes who has it; whether that one is still there: a subshell may end as soon as it has its answer."""
        self.holder = holder
        try:
            self.watched = os.pidfd_open(int(holder))
        except ProcessLookupError:
            return False
        except (AttributeError, OSError, ValueError, OverflowError):
            self.watched = -1
        return True

    def release(self) -> None:
        """Makes it free for the next one."""
        if self.watched >= 0:
            os.close(self.watched)
        self.forget()
        self.holder, self.watched, self._variables = b"", -1, None
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


def affordable() -> int:
    """How many lines this process can have, by its limit of open files, which is raised as far as that goes; one at least."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST * EACH + KEPT
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, (soft - KEPT) // EACH))


def make(stem: str, numbers: range) -> list[Line]:
    """Lines of these numbers; fewer where the system gives no more, which whoever finds none can bear."""
    lines: list[Line] = []
    try:
        for number in numbers:
            lines.append(Line(f"{stem}.{number}"))  # noqa: PERF401 - those that there are stay, whatever becomes of the next
    except OSError:
        pass
    return lines


def _fifo(path: str) -> int:
    os.mkfifo(path, 0o600)
    try:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        os.unlink(path)
        raise


def drain(fd: int) -> None:
    """Takes out whatever is in a FIFO."""
    try:
        while os.read(fd, CHUNK):
            pass
    except BlockingIOError:
        pass
