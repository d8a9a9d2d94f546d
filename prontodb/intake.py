"""Reading standard input without ever holding more than 1 MiB of it, and never while waiting for more: what it has is then in a spool
file, where no kill can reach it.
"""

import os

from .errors import ProntoError, StorageError, UsageError
from .guard import Guard, Stopped
from .model import PIECE, Content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .progress import Progress
    from .session import Session
    from .spool import Spool

LONGEST = 64
"""Characters of an address that come into a name of the pipe cache."""
UNADDRESSED = "unaddressed"


class Interrupted(ProntoError):
    """A signal, or a fault of its source, cut piped content off. What had come is kept; a process ends by the signal then."""

    code = 4
    slug = "interrupted"


def read(session: "Session") -> Content:
    """Standard input to its end. What it leaves in a spool file goes with `discard`, once the content is stored.

    Where the session has a `piped`, what arrives is content, that no signal may lose: until the session lets go of its `guard` they are
    held back, or the bytes are in a file. Raises `Interrupted`, and `StorageError` for what cannot be read at all.
    """
    if session.piped is None:
        return Content.of(b"".join(iter(lambda: session.stdin.read(PIECE), b"")))
    session.guard = Guard()
    session.guard.arm()
    return _Arrival(session, session.guard).content()


class _Arrival:
    """One content on its way in: in memory while it comes at once, in a spool from the first pause or mebibyte on."""

    def __init__(self, session: "Session", guard: Guard) -> None:
        self._session = session
        self._guard = guard
        self._held = bytearray()
        self._spool: Spool | None = None
        self._progress: Progress | None = None

    def content(self) -> Content:
        """All of it."""
        try:
            while piece := self._next():
                self._add(piece)
        except (Stopped, OSError) as cause:
            raise self._cut(cause) from None
        if self._spool is None:
            return Content.of(bytes(self._held))
        self._spill()
        self._spool.finish()
        if self._progress:
            self._progress.done()
        if self._guard.signum:
            raise self._cut(Stopped())
        if not self._spool.in_memory:
            # On disk: from here on a signal may end the process, and what is there is listed as partial.
            self._guard.release()
        return self._spool

    def _next(self) -> bytes:
        """The next piece; b"" at the end. Only the wait can be interrupted: a piece that was read is never dropped."""
        stdin = self._session.stdin
        if self._held and not stdin.wait(0):
            self._spill()
        self._guard.waiting = True
        if self._guard.signum:
            raise Stopped
        while not stdin.wait(3600):
            pass
        self._guard.waiting = False
        return stdin.read(PIECE)

    def _add(self, piece: bytes) -> None:
        if self._spool and not self._held:
            self._spool.write(piece)
            if self._progress:
                self._progress.at(self._spool.size)
            return
        self._held += piece
        if len(self._held) >= PIECE:
            self._spill()

    def _spill(self) -> None:
        if self._spool is None:
            from .progress import Progress

            self._spool = _spool(self._session)
            self._progress = Progress(self._session)
            self._session.stdin.widen()
        if self._held:
            self._spool.write(bytes(self._held))
            self._held.clear()
        if self._progress:
            self._progress.at(self._spool.size)

    def _cut(self, cause: BaseException) -> BaseException:
        """What the call ends with; what has come stays in the spool."""
        self._guard.waiting = False
        if not self._held and self._spool is None:
            self._session.piped = None
            return KeyboardInterrupt() if isinstance(cause, Stopped) else StorageError(f"Cannot read standard input: {_why(cause)}")
        self._spill()
        assert self._spool is not None
        if self._spool.in_memory:
            # No disk takes it: `salvage` may still find a database that does.
            assert self._session.piped is not None
            self._session.piped.content = self._spool
            return Interrupted(f"{_what(cause)} after {self._spool.size} bytes")
        self._session.piped = None
        return _kept(cause, self._spool, self._session)


def copied(session: "Session", pieces: "Iterator[bytes]") -> Content:
    """What can be read once, as something that can be read again: in memory up to 1 MiB, else in a spool file, until its `discard`."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= PIECE:
            break
    else:
        return Content.of(bytes(held))
    spool = _spool(session)
    try:
        spool.write(bytes(held))
        for piece in pieces:
            spool.write(piece)
        spool.finish()
    except BaseException:
        spool.discard()
        raise
    return spool


def _kept(cause: BaseException, spool: "Spool", session: "Session") -> Interrupted:
    from . import origin

    address = f"pipe.cache.{spool.leave()}"
    error = Interrupted(
        f"{_what(cause)} after {spool.size} bytes - what had come is cached as: {address}",
        cure=f"prontodb copy {address} <proper.address>{origin.options(session)}",
    )
    error.rescued = address
    return error


def _what(cause: BaseException) -> str:
    return "Interrupted" if isinstance(cause, Stopped) else f"Standard input failed ({_why(cause)})"


def _why(cause: BaseException) -> str:
    return getattr(cause, "strerror", None) or type(cause).__name__


def _spool(session: "Session") -> "Spool":
    from . import origin
    from .spool import Spool, places

    asked, now = session.piped.address if session.piped else None, session.now()
    note: dict[str, object] = {"asked": asked, "reason": Interrupted.slug, "created": now, **origin.home(session)}
    if origin.secret(session, session.piped):
        note["secret"] = True
    return Spool(places(session.environ), f"{now}_{os.urandom(4).hex()}/{plain(asked)}", note)


def plain(address: str | None) -> str:
    """An address as it stands in a name of the pipe cache: whatever cannot stand there is `_`."""
    marks = (mark if mark.isascii() and (mark.isalnum() or mark == "-") else "_" for mark in (address or "")[:LONGEST])
    return "".join(marks) or UNADDRESSED


def trimmed(content: Content) -> Content:
    """The same without one newline at its end."""
    last = b""
    for piece in content.pieces():
        last = piece
    if not last.endswith(b"\n"):
        return content
    return Content(content.size - 1, lambda: _shortened(content))


def _shortened(content: Content) -> "Iterator[bytes]":
    left = content.size - 1
    for piece in content.pieces():
        if left:
            yield piece[:left]
        left -= len(piece[:left])


def file_content(path: str, cwd: str) -> Content:
    """The bytes of a file, a relative one from `cwd`; `-` is standard input's business. Raises `UsageError`."""
    at = os.path.join(cwd, path)
    try:
        with open(at, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            # What has no size beforehand (a process substitution, a file in /proc) is read at once.
            return Content(size, lambda: _from_file(at, size)) if size else Content.of(file.read())
    except OSError as error:
        raise UsageError(f"Cannot read '{path}': {error.strerror}", cure="name a file that can be read") from error


def _from_file(path: str, size: int) -> "Iterator[bytes]":
    with open(path, "rb") as file:
        while size > 0 and (piece := file.read(min(PIECE, size))):
            size -= len(piece)
            yield piece
    if size:
        raise UsageError(f"'{path}' was cut while it was read", cure="run it again")
