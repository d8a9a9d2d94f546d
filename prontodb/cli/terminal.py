"""The terminal that commands share: who may read from it, and gets its Ctrl-C and Ctrl-Z, is one process group at a time."""

from __future__ import annotations

import os
import signal
import termios
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Terminal:
    """The terminal of this process, if it has one, to be lent to a job as a shell does."""

    def __init__(self) -> None:
        self.lent = False
        self._modes: list[Any] | None = None
        try:
            self.fd = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            self.fd = -1

    def ours(self) -> bool:
        """Whether this process's group is the one that has it."""
        try:
            return self.fd >= 0 and os.tcgetpgrp(self.fd) == os.getpgrp()
        except OSError:
            return False

    def lend(self, group: int) -> None:
        """Gives it to another group."""
        self._modes = self._modes or _tried(lambda: termios.tcgetattr(self.fd))
        self._give(group)
        self.lent = True

    def take_back(self, *, restore: bool = False) -> None:
        """Takes it back, if it was lent; with `restore`, as it was: who is killed does not tidy up."""
        if self.lent:
            self._give(os.getpgrp())
            self.lent = False
            if restore and self._modes:
                _tried(lambda: termios.tcsetattr(self.fd, termios.TCSADRAIN, self._modes))  # type: ignore[arg-type]

    def _give(self, group: int) -> None:
        # Who takes it from the background is stopped for that, unless the signal is blocked.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        _tried(lambda: os.tcsetpgrp(self.fd, group))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tried(action: Callable[[], Any]) -> Any:
    """The result, or None: a terminal may hang up at any time, or the group be gone already."""
    try:
        return action()
    except (OSError, termios.error):
        return None
