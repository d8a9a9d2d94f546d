"""Programs that a call becomes, or runs and then ends as. `outlets` runs one whose output goes through this process."""

import os
import shutil
import signal

from .errors import ProntoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python ignores: it would stay ignored in the new program."""


EMPTY = "''"
"""How an empty name is shown."""


class NoProgram(ProntoError):
    """There is no program of that name; as shells have it."""

    code = 127
    slug = "no-such-program"


class NotRun(ProntoError):
    """A program is there, but the system does not run it: no permission, no program at all, arguments and environment too large."""

    code = 126
    slug = "not-run"


def find(name: str, environ: "Mapping[str, str]") -> str:
    """The path of a program. Raises `NoProgram`, `NotRun`."""
    path = shutil.which(name, path=environ.get("PATH", os.defpath))
    if path is not None:
        return path
    if "/" in name and os.path.isfile(name):
        raise NotRun(f"Cannot run {name}: it is no program that may be run", cure=f"chmod +x {name}, if it is one")
    raise NoProgram(f"No such command: {name or EMPTY}", cure="name a program on the PATH, or its path")


def become(path: str, command: "Sequence[bytes]", environ: "Mapping[str, str]") -> "NoReturn":
    """Replaces this process by the program. Raises `NotRun`."""
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execve(path, list(command), environ)  # noqa: S606 - what was asked for
    except (OSError, ValueError) as error:
        raise not_run(path, error) from error


def not_run(path: str, error: Exception) -> NotRun:
    """The error for a program that the system has refused to start."""
    import errno

    if getattr(error, "errno", None) == errno.E2BIG:
        return NotRun(f"Cannot run {path}: arguments and environment are too large together", cure="fewer or smaller entries, or arguments")
    return NotRun(f"Cannot run {path}: {getattr(error, 'strerror', None) or error}")


def end_as(status: int) -> int:
    """Ends this process by the signal that ended a program, so that whoever waits for it sees the same; else the status."""
    if status >= 0:
        return status
    import resource

    # One core dump of it is enough.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if -status not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(-status, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {-status})
    os.kill(os.getpid(), -status)
    return 128 - status
