"""Opening a shell that is pinned: this process becomes it, so that signals and status are the shell's own."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from ..session import Session

from ..errors import ProntoError
from ..paths import resource
from ..shellwords import quote
from .specs import MARKER, VARIABLES

IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python ignores: it would stay ignored in the new program."""


def shell(environ: Mapping[str, str], wanted: str | None) -> list[str]:
    """The command of the shell to open: the one that is wanted, else $SHELL, else bash."""
    return [wanted or environ.get("SHELL") or "bash"]


def replace(session: Session, profile: str, command: list[str]) -> NoReturn:
    """Becomes the command, pinned to the profile. Raises `ProntoError` where it cannot be started, `Denied` where it could use nothing."""
    session.environ = environ = {**session.environ, VARIABLES["profile"]: profile, "PRONTO_PROMPT": MARKER.format(profile)}
    session.forget_context()
    # A flag or a variable that contradicts the profile would make every call in there fail.
    session.context()
    path = shutil.which(command[0], path=environ.get("PATH", os.defpath))
    if path is None:
        raise ProntoError(f"No such command: {command[0]}")
    session.close()
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execve(path, *_prepared(command, environ))  # noqa: S606 - what was asked for
    except OSError as error:
        raise ProntoError(f"Cannot run {path}: {error.strerror}") from error


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
