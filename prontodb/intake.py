"""Reading standard input without ever holding more than 1 MiB of it: what comes beyond goes to a spool file as it arrives."""

from .errors import UsageError
from .model import PIECE, Content

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .session import Input, Session


def read(session: "Session") -> Content:
    """Standard input to its end. A large one leaves a spool file; its `discard` removes that once the content is stored."""
    held = _hold(session.stdin)
    if len(held) < PIECE:
        return Content.of(held)
    return _spool(session, held, iter(lambda: session.stdin.read(PIECE), b""))


def copied(session: "Session", pieces: "Iterator[bytes]") -> Content:
    """What can be read once, as something that can be read again."""
    held = b""
    for piece in pieces:
        held += piece
        if len(held) >= PIECE:
            return _spool(session, held, pieces)
    return Content.of(held)


def _hold(stdin: "Input") -> bytes:
    held = bytearray()
    while len(held) < PIECE and (piece := stdin.read(PIECE - len(held))):
        held += piece
    return bytes(held)


def _spool(session: "Session", held: bytes, more: "Iterator[bytes]") -> Content:
    from .spool import Spool, places

    spool = Spool(places(session.environ), session.now())
    spool.write(held)
    for piece in more:
        spool.write(piece)
    spool.finish()
    return spool


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
    import os

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
