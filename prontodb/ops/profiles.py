"""One's own file of profiles, changed as text, so that comments and order stay. None of it while a pin is in force."""

import os

from .. import profiles
from ..address import is_word
from ..errors import UsageError
from ..files import make_folders, replace_file
from .cursors import unpinned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..session import Session


def add(session: "Session", name: str, table: dict[str, object]) -> None:
    """Adds a profile. Raises `UsageError` where there is one of that name."""
    unpinned(session.context(), "profiles")
    if not is_word(name):
        raise UsageError(
            f"Invalid profile name '{name}': letters, digits, '_' and '-', a letter or digit first",
            cure="prontodb profile add NAME --user U",
        )
    path = profiles.own_file(session.environ)
    profiles.checked(name, table, path)
    if name in profiles.Profiles(session.environ).all:
        raise UsageError(f"Profile '{name}' exists already", cure=f"prontodb profile remove {name}")
    lines = [f"[profiles.{_quoted(name)}]", *(f"{field} = {_quoted(value)}" for field, value in table.items())]
    _save(path, (_text(path).rstrip("\n") + "\n\n").lstrip("\n") + "\n".join(lines) + "\n")


def remove(session: "Session", name: str) -> None:
    """Removes a profile of one's own. Raises `UsageError` where there is none, or where it is root's."""
    unpinned(session.context(), "profiles")
    if profiles.Profiles(session.environ).find(name).system:
        raise UsageError(f"Profile '{name}' is root's", cure="it stands in /etc/prontodb/profiles.toml")
    path = profiles.own_file(session.environ)
    kept, inside = [], False
    for line in _text(path).splitlines(keepends=True):
        if line.lstrip().startswith("["):
            inside = line.strip() in (f"[profiles.{name}]", f"[profiles.{_quoted(name)}]")
        if not inside:
            kept.append(line)
    _save(path, "".join(kept))


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _save(path: str, text: str) -> None:
    make_folders(os.path.dirname(path))
    replace_file(path, text.encode())


def _quoted(value: object) -> str:
    """A TOML string, or list of them: JSON's spelling is within TOML's."""
    import json

    return json.dumps(value, ensure_ascii=False)
