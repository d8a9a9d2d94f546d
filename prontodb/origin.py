"""Whose a piped content is, as far as a call tells, and whether it is a secret: what stands beside it, so that nobody else is shown it
(DESIGN §6).
"""

from .errors import Denied, ProntoError
from .model import SECRETS
from .paths import database_file, state_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .resolve import Context
    from .session import Piped, Session


def home(session: "Session", database: str | None = None) -> dict[str, str]:
    """`user`, `meta`, `database` (a path; "" where no sensible one was asked for) and `origin`. With `database`, that one."""
    said = {"origin": folder(session.environ)}
    context = _context(session)
    if context is None:
        return {**_said(session), "database": database or "", **said}
    user = context.user.value
    path = _path(session, context.database.value, user) if database is None else database
    return {"user": user, "meta": context.meta.value, "database": path, **said}


def options(session: "Session", *, database: bool = True) -> str:
    """What a command needs to find kept content again, from the shell that made the call: the context that it has by flags and pins, as
    options. `database` False: the one that was asked for cannot be had, and the content is shown in each.
    """
    try:
        return _options(session, database=database)
    except Exception:  # noqa: BLE001 - whatever it was, it must not cost the news of where the content is
        return ""


def _options(session: "Session", *, database: bool) -> str:
    context = _context(session)
    if context is None or not database:
        told = home(session, "")
        given = {"user": "" if told["user"] == "default" else told["user"], "meta": told["meta"]}
    else:
        given = _given(session, context)
    return "".join(f" --{name} {_shown(value)}" for name, value in given.items() if value)


def _shown(value: str) -> str:
    """As it is typed in a shell, and without a password. What most calls do not need is not imported for them."""
    if value.replace("-", "").replace("_", "").isalnum() and value.isascii():
        return value
    from shlex import quote

    from .urls import shown

    return quote(shown(value))


def _given(session: "Session", context: "Context") -> dict[str, str]:
    """What of the context the shell itself does not have, since a wrapper or a flag has said it. What is saved, every shell has: an active
    cursor, and what a cursor says.
    """
    choices = {"user": context.user, "meta": context.meta, "cursor": context.cursor, "database": context.database}
    given = {name: choice.value for name, choice in choices.items() if choice.source in ("flag", "pin")}
    if "cursor" in given and context.database.source == "pin" and "PRONTO_FORCE_DATABASE" not in session.environ:
        # The cursor's own.
        del given["database"]
    elif context.pins and "cursor" not in given and context.database.source != "environment":
        # Inside a pin an active cursor does not count; elsewhere it might.
        given["database"] = context.database.value
    return given


def secret(session: "Session", piped: "Piped | None") -> bool:
    """Whether piped content was to become a secret: so it was said, or it was sent to the namespace of secrets, perhaps misspelled."""
    if piped is None:
        return False
    layers = (piped.address or "").split(session.flags.delim or ".")[:-1]
    if piped.secret or SECRETS in layers or session.flags.namespace == SECRETS:
        return True
    try:
        return not layers and session.scope().namespace.value == SECRETS
    except ProntoError:
        return False


def folder(environ: "Mapping[str, str]") -> str:
    """What tells one home from another in folders that all homes of an operating-system user share; "" where there is no home."""
    try:
        return state_home(environ)
    except ProntoError:
        return ""


def _context(session: "Session") -> "Context | None":
    """The call's context; where it is denied, that of the pin it is inside. Changes nothing in the session."""
    from .session import Pool, Session

    inside = Session(session.environ, session.cwd, session.clock, (session.stdin, session.stdout, session.stderr), Pool())
    for name in session.flags.__slots__:
        setattr(inside.flags, name, getattr(session.flags, name))
    for _ in ("as asked", "without a refusal", "inside the pin"):
        try:
            return inside.context()
        except Denied:
            if not inside.may_retreat():
                return None
            inside.retreat()
        except ProntoError:
            return None
    return None


def _path(session: "Session", database: str, user: str) -> str:
    try:
        return database_file(database, session.environ, session.cwd, user)
    except ProntoError:
        return ""


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
