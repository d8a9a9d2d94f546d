"""Piped content that a failed call leaves behind: into the pipe cache with it, whatever went wrong (DESIGN §6)."""

from .errors import InvalidAddress, ProntoError, Rescued, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Content
    from .ops import Store
    from .ops.rescue import Lost
    from .session import Piped, Session


def salvage(session: "Session", error: ProntoError) -> ProntoError:
    """What the call ends with: `Rescued` where content was piped in, else the error itself. Raises `ContentLost`."""
    piped, session.piped = session.piped, None
    content = _content(session, piped) if piped else None
    if piped is None or content is None or not content.size:
        return error
    address = _keep(session, piped, content, error)
    content.discard()
    return Rescued(error, address, options=_options(session), hints=_hints(session, error))


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


def _keep(session: "Session", piped: "Piped", content: "Content", error: ProntoError) -> str:
    from .ops import rescue

    lost = rescue.Lost(piped.address, error.slug)
    store = _store(session)
    if store and not isinstance(error, StorageError):
        try:
            return rescue.keep(store, content, lost, int(session.settings.lenient("pipe_ttl")))
        except Exception:  # noqa: BLE001, S110 - whatever it was, the spool takes what the database does not
            pass
    return _spooled(session, store, content, lost)


def _store(session: "Session") -> "Store | None":
    from .ops import open_store

    try:
        return open_store(session)
    except ProntoError:
        return None


def _spooled(session: "Session", store: "Store | None", content: "Content", lost: "Lost") -> str:
    from .ops import rescue
    from .spool import places

    database = store.database if store else ""
    return rescue.keep_spooled(places(session.environ), content, lost, database, session.now())


def _options(session: "Session") -> str:
    """What the command that is offered needs besides, to find the content again."""
    database = session.flags.database
    if not database:
        return ""
    from shlex import quote

    return f" --database {quote(database)}"


def _hints(session: "Session", error: ProntoError) -> list[str]:
    if not isinstance(error, InvalidAddress) or not session.settings.lenient("hints"):
        return []
    from .suggest import address_for

    likely = address_for(error.address, session.scope())
    return [f"Did you mean: {likely}"] if likely and likely != error.address else []
