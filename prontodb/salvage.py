"""Piped content that a failed call leaves behind: into the pipe cache with it, whatever went wrong (DESIGN §6)."""

from .errors import Denied, InvalidAddress, ProntoError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Content
    from .ops import Store
    from .session import Piped, Session


class Rescued(ProntoError):
    """The content is safe under `address` in the pipe cache, but not where it was sent.

    `options` name the database where it is not the usual one; `hints` are further lines for a person; `slug` is that of the error
    which caused the rescue.
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
    piped, session.piped = session.piped, None
    content = _content(session, piped) if piped else None
    if piped is None or content is None or not content.size:
        return error
    address = _keep(session, piped, content, error)
    hints = _hints(session, error, content, address)
    content.discard()
    return Rescued(error, address, options=_options(session), hints=hints)


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

    store = _store(session)
    lost = rescue.Lost(piped.address, error.slug, _home(session, store))
    if store and not isinstance(error, StorageError):
        try:
            return rescue.keep(store, content, lost, int(session.settings.lenient("pipe_ttl")))
        except Denied:
            lost.home["database"] = ""
            session.flags.database = None
        except Exception:  # noqa: BLE001, S110 - whatever it was, the spool takes what the database does not
            pass
    from .spool import places

    return rescue.keep_spooled(places(session.environ), content, lost, session.now())


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


def _home(session: "Session", store: "Store | None") -> dict[str, str]:
    """Whose content it is, for the spool: nobody else may be shown it."""
    try:
        context = session.context()
    except ProntoError:
        return {**_said(session), "database": ""}
    return {"user": context.user.value, "meta": context.meta.value, "database": store.database if store else ""}


def _said(session: "Session") -> dict[str, str]:
    """User and meta as flags and environment have them, where they can exist at all."""
    from .resolve import check_meta, check_user

    said = {}
    for name, check, default in (("user", check_user, "default"), ("meta", check_meta, "")):
        value = getattr(session.flags, name) or session.environ.get(f"PRONTO_{name.upper()}", "")
        try:
            said[name] = check(value) if value else default
        except ProntoError:
            said[name] = default
    return said


def _options(session: "Session") -> str:
    """What the command that is offered needs besides, to find the content again."""
    given = [(name, getattr(session.flags, name)) for name in ("user", "meta", "cursor", "database")]
    if not any(value for _, value in given):
        return ""
    from shlex import quote

    from .urls import shown

    return "".join(f" --{name} {quote(shown(value))}" for name, value in given if value)


def _hints(session: "Session", error: ProntoError, content: "Content", address: str) -> tuple[str, ...]:
    """At most three lines. A fault of theirs must not cost the news of the rescue."""
    if not session.settings.lenient("hints"):
        return ()
    try:
        if hints := _stream_hints(session, error, content, address):
            return hints
    except Exception:  # noqa: BLE001, S110 - whatever it was, the content is safe, which is what counts
        pass
    if not isinstance(error, InvalidAddress):
        return ()
    from .suggest import address_for

    likely = address_for(error.address, session.scope())
    return (f"Did you mean: {likely}",) if likely and likely != error.address else ()


def _stream_hints(session: "Session", error: ProntoError, content: "Content", address: str) -> tuple[str, ...]:
    """Hints on token streams, for content that may be one; most is not, and is spared the modules."""
    if error.slug == "feature-off" or not _could_be_tokens(content):
        return ()
    from .features import enabled

    if not enabled(session.settings, "streaming"):
        return ()
    options = _options(session)
    if error.slug == "malformed-stream":
        return (f"Mend it: prontodb get {address}{options} >FILE, and then prontodb stream{options} <FILE",)
    from .education import hints

    return hints(content, session.scope(), f"{address}{options}")


def _could_be_tokens(content: "Content") -> bool:
    head = next(content.pieces(), b"")[:4096]
    return b"=" in head and (b";" in head or b":" in head or head.lstrip().startswith(b"ns"))
