"""Signals that would end the process while piped content is in its memory only: held back until the content is somewhere else."""

import _signal  # type: ignore[import-not-found]  # `signal` itself would import enum
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

ENDING = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)
"""What a person, a supervisor and a closing terminal send. SIGPIPE is ignored by Python, so a write fails instead."""


class Stopped(BaseException):
    """A signal came while nothing was under way but waiting. No `Exception`: it is not a fault."""


class Guard:
    """From `arm` to `release` an ending signal is remembered; while `waiting`, it raises `Stopped` besides. `release` lets it act.

    Signals that the process was started to ignore (as by nohup) stay ignored. Off the main thread there is nothing to guard.
    """

    __slots__ = ("_before", "signum", "waiting")

    def __init__(self) -> None:
        self.signum = 0
        """The first of them that came; 0 for none."""
        self.waiting = False
        self._before: dict[int, object] = {}

    def arm(self) -> None:
        """From now on."""
        for signum in ENDING:
            try:
                if _signal.getsignal(signum) in (_signal.SIG_DFL, _signal.default_int_handler):
                    self._before[signum] = _signal.signal(signum, self._came)
            except ValueError:
                return

    def release(self) -> None:
        """Signals act as before, and the one that came does so now."""
        self.waiting = False
        while self._before:
            _signal.signal(*self._before.popitem())
        came, self.signum = self.signum, 0
        if came:
            os.kill(os.getpid(), came)

    def _came(self, signum: int, _: "FrameType | None") -> None:
        self.signum = self.signum or signum
        if self.waiting:
            self.waiting = False
            raise Stopped
