"""Opening a shell that is pinned: this process becomes it, so that signals and status are the shell's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from ..session import Session

from .. import children
from ..paths import resource
from ..shellwords import quote
from .specs import MARKER, VARIABLES


def shell(environ: Mapping[str, str], wanted: str | None) -> list[str]:
    """The command of the shell to open: the one that is wanted, else $SHELL, else bash."""
    return [wanted or environ.get("SHELL") or "bash"]


def replace(session: Session, profile: str, command: list[str]) -> NoReturn:
    """Becomes the command, pinned to the profile. Raises `ProntoError` where it cannot be started, `Denied` where it could use nothing."""
    session.environ = environ = {**session.environ, VARIABLES["profile"]: profile, "PRONTO_PROMPT": MARKER.format(profile)}
    session.forget_context()
    # A flag or a variable that contradicts the profile would make every call in there fail.
    session.context()
    path = children.find(command[0], environ)
    session.close()
    argv, environ = _prepared(command, environ)
    children.become(path, [word.encode("utf-8", "surrogateescape") for word in argv], environ)


def _prepared(command: list[str], environ: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """The arguments and the environment: a shell that is to be interactive sets the marker after its user's own files."""
    name = os.path.basename(command[0]) if len(command) == 1 else ""
    if name == "bash":
        return [*command, "--rcfile", f"{resource('shell')}/use.bash"], environ
    if name == "zsh":
        theirs = {"PRONTO_ZDOTDIR": environ["ZDOTDIR"]} if "ZDOTDIR" in environ else {}
        environ.pop("PRONTO_ZDOTDIR", None)
        return command, {**environ, **theirs, "ZDOTDIR": f"{resource('shell')}/zsh"}
    if name == "fish":
        return [*command, "--init-command", f"source {quote(resource('shell') + '/marker.fish', 'fish')}; __pronto_mark"], environ
    return command, environ
