"""Cursors: saved, made active, listed and deleted. None of it while a pin is in force."""

from .. import saved
from ..address import is_word
from ..errors import Denied, Miss, UsageError
from ..files import make_folders, replace_file, unlink
from ..paths import database_file
from ..resolve import Context, Preset
from ..urls import is_postgres, to_keep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..session import Session

WORDS = frozenset(("set", "use", "active", "list", "clear", "delete", "help"))
"""What `cursor` itself understands: no cursor can have such a name."""


def unpinned(context: Context, what: str) -> None:
    """Raises `Denied` where a pin is in force: a pinned process changes nothing that outlives it."""
    if context.pins:
        names = ", ".join(f"{name} '{value}'" for name, value in sorted(context.pins.items()))
        raise Denied(f"Cannot change {what} while pinned to {names}", cure="do it in a shell without the pin")


def put(session: "Session", name: str, target: str) -> Preset:
    """Saves a cursor from a target and the call's flags; its database is stored absolute. Returns it."""
    context = session.context()
    unpinned(context, "cursors")
    _check(name)
    flags, user = session.flags, context.user.value
    database = to_keep(target, "A cursor") if is_postgres(target) else database_file(target, session.environ, session.cwd, user)
    preset = Preset(database, flags.meta or "", flags.project or "", flags.namespace or "")
    _write(session, user, f"{name}{saved.ENDING}", _json(preset))
    return preset


def use(session: "Session", name: str) -> None:
    """Makes a cursor the active one. Raises `UsageError` where there is none of that name."""
    context = session.context()
    unpinned(context, "the active cursor")
    saved.cursor(session.environ, context.user.value, name)
    _write(session, context.user.value, saved.ACTIVE, name.encode())


def active(session: "Session") -> str:
    """The active cursor's name. Raises `Miss` where there is none."""
    name = saved.active(session.environ, session.context().user.value)
    if not name:
        raise Miss("No active cursor", cure="prontodb cursor use NAME makes one active")
    return name


def clear(session: "Session") -> None:
    """Leaves no cursor active."""
    context = session.context()
    unpinned(context, "the active cursor")
    unlink(f"{saved.folder(session.environ, context.user.value)}/{saved.ACTIVE}")


def delete(session: "Session", name: str) -> None:
    """Deletes a cursor, not its data. Raises `UsageError` where there is none of that name."""
    context = session.context()
    unpinned(context, "cursors")
    user = context.user.value
    saved.cursor(session.environ, user, name)
    if saved.active(session.environ, user) == name:
        clear(session)
    unlink(f"{saved.folder(session.environ, user)}/{name}{saved.ENDING}")


def _check(name: str) -> None:
    if not is_word(name) or name in WORDS:
        why = "it is a word of the command itself" if name in WORDS else "letters, digits, '_' and '-', a letter or digit first"
        raise UsageError(f"Invalid cursor name '{name}': {why}", cure="prontodb cursor set NAME TARGET")


def _json(preset: Preset) -> bytes:
    import json

    return json.dumps({field: getattr(preset, field) for field in saved.FIELDS if getattr(preset, field)}).encode()


def _write(session: "Session", user: str, file: str, data: bytes) -> None:
    folder = saved.folder(session.environ, user)
    make_folders(folder)
    replace_file(f"{folder}/{file}", data)
