"""Piped content that a failed call leaves behind: into the pipe cache with it, whatever went wrong (DESIGN §6)."""

import os

from .errors import Denied, InvalidAddress, ProntoError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Content
    from .ops import Store
    from .session import Piped, Session


class Rescued(ProntoError):
    """The content is safe in the pipe cache, but not where it was sent.

    `address` is where it is; `options` name the database where it is not the usual one; `hints` are further lines for a person; `slug` is
    that of the error which caused the rescue.
    """

    code = 4

    def __init__(self, cause: ProntoError, address: str, *, options: str = "", hints: tuple[str, ...] = ()) -> None:
        super().__init__(
            f"{cause.headline} - content cached as: {address}",
            cure=f"prontodb copy {address} <proper.address>{options}",
            address=cause.address,
        )
        self.slug = cause.slug
        self.rescued = address
        self.hints = hints


def salvage(session: "Session", error: ProntoError) -> ProntoError:
    """What the call ends with: `Rescued` where content was piped in, else the error itself. Raises `ContentLost`."""
    piped = session.piped
    content = _content(session, piped) if piped else None
    session.piped = None
    if piped is None or content is None or not content.size:
        return error
    address, options = _keep(session, piped, content, error)
    hints = () if isinstance(error, Denied) else _hints(session, error, content, (address, options))
    content.discard()
    hints = hints or (_where(session, address) if isinstance(error, Denied) else ())
    return Rescued(error, address, options=options, hints=hints)


def _content(session: "Session", piped: "Piped") -> "Content | None":
    """What stands on standard input. Beside a value (not `patient`) only a pipe counts, and only one that says something soon."""
    if piped.content is not None:
        return piped.content
    from . import intake

    stdin = session.stdin
    if stdin.is_terminal():
        return None
    if not piped.patient and not (stdin.is_pipe() and stdin.wait(session.settings.lenient("stdin_wait"))):
        return None
    return intake.read(session)


def _keep(session: "Session", piped: "Piped", content: "Content", error: ProntoError) -> tuple[str, str]:
    """Where the content is now, and the options by which any shell finds it there."""
    from . import origin
    from .ops import rescue

    store = _store(session)
    database = store.database if store else ""
    secret = origin.secret(session, piped) or (store is not None and _over_secret(session, store, piped))
    lost = rescue.Lost(piped.address, error.slug, secret=secret)
    if store and not isinstance(error, StorageError):
        try:
            return rescue.keep(store, content, lost, int(session.settings.lenient("pipe_ttl"))), origin.options(session)
        except Denied:
            database = ""
            session.flags.database = None
        except Exception:  # noqa: BLE001, S110 - whatever it was, the spool takes what the database does not
            pass
    from .spool import places

    lost.home = origin.home(session, database)
    address = rescue.keep_spooled(places(session.environ), content, lost, session.now())
    return address, origin.options(session, database=bool(lost.home["database"]))


def _over_secret(session: "Session", store: "Store", piped: "Piped") -> bool:
    """Whether a secret stands where content was sent: it would have become one, too."""
    from .ops import kv

    try:
        return kv.get(store, session.address(piped.address or "")).entry.marked
    except Exception:  # noqa: BLE001 - whatever it is, it must not stop the rescue
        return False


def _store(session: "Session") -> "Store | None":
    from .ops import open_store

    for _ in ("as asked", "without a refusal", "inside the pin"):
        try:
            return open_store(session)
        except Denied:
            if not session.may_retreat():
                return None
            # The content stays inside the pin: what contradicts it no longer counts.
            session.retreat()
        except ProntoError:
            return None
    return None


def _where(session: "Session", address: str) -> tuple[str, ...]:
    """For content of a call that was denied: the next one may be denied too, and could not show it."""
    from .spool import places

    name = address.rpartition(".")[2]
    found = [f"{folder}/{name}" for folder in places(session.environ) if os.path.exists(f"{folder}/{name}")]
    return tuple(f"Until that is allowed, it is the file {path}" for path in found[:1])


def _hints(session: "Session", error: ProntoError, content: "Content", kept: tuple[str, str]) -> tuple[str, ...]:
    """At most three lines. A fault of theirs must not cost the news of the rescue."""
    if not session.settings.lenient("hints"):
        return ()
    try:
        if hints := _stream_hints(session, error, content, kept):
            return hints
    except Exception:  # noqa: BLE001, S110 - whatever it was, the content is safe, which is what counts
        pass
    if not isinstance(error, InvalidAddress):
        return ()
    from .suggest import address_for

    likely = address_for(error.address, session.scope())
    return (f"Did you mean: {likely}",) if likely and likely != error.address else ()


def _stream_hints(session: "Session", error: ProntoError, content: "Content", kept: tuple[str, str]) -> tuple[str, ...]:
    """Hints on token streams, for content that may be one; most is not, and is spared the modules."""
    if error.slug == "feature-off" or not _could_be_tokens(content):
        return ()
    from .features import enabled

    if not enabled(session.settings, "streaming"):
        return ()
    address, options = kept
    if error.slug == "malformed-stream":
        return (f"Mend it: prontodb get {address}{options} >FILE, and then prontodb stream{options} <FILE",)
    from .education import hints

    return hints(content, session.scope(), f"{address}{options}")


def _could_be_tokens(content: "Content") -> bool:
    head = next(content.pieces(), b"")[:4096]
    return b"=" in head and (b";" in head or b":" in head or head.lstrip().startswith(b"ns"))
