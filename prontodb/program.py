"""The words that run this ProntoDB again from anywhere: what generated code calls."""

import os
import sys

from .errors import ProntoError

SHEBANG = 127
"""Bytes of a `#!` line that every kernel reads."""


def command(argv0: str, cwd: str) -> tuple[str, ...]:
    """The absolute path of the command, symbolic links and all, since they outlive an upgrade; with the interpreter in front where a
    `#!` line could not name it. Raises `ProntoError` where there is no command.
    """
    path = os.path.normpath(os.path.join(cwd, argv0))
    if os.path.basename(path) == "__main__.py":
        path = os.path.join(os.path.dirname(sys.executable), "prontodb")
    if not os.path.isfile(path):
        raise ProntoError(f"There is no command {path}, which the generated code could call", cure="install prontodb with pip, pipx or uv")
    if _startable(path):
        return (path,)
    return (sys.executable, path)


def _startable(path: str) -> bool:
    """Whether the operating system can start it: no white space in the interpreter's path, and not too long."""
    with open(path, "rb") as file:
        line = file.readline()
    interpreter = line[2:].strip()
    return line.startswith(b"#!") and len(line) <= SHEBANG and len(interpreter.split()) == 1 and os.access(path, os.X_OK)
