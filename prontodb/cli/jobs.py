"""A program that runs in a process group of its own, under our eyes: signals are passed on to it, and all of it can be ended."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from .terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

PASSED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP)
STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""What stops a job for a terminal's sake. Who sends SIGSTOP means the job alone, and goes on with it."""
TYPED = (signal.SIGINT, signal.SIGQUIT)
LOOK = 0.02
"""Seconds between two looks at a group that is being ended."""
DEATH = 1
"""PR_SET_PDEATHSIG, from Linux's <sys/prctl.h>."""


class Signals:
    """While it is entered, signals are not acted upon but told by `wait`; those that were ignored stay so."""

    def __enter__(self) -> Signals:
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._woken = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        told = [signum for signum in PASSED if signal.getsignal(signum) is not signal.SIG_IGN]
        self._before = {signum: signal.signal(signum, _nothing) for signum in (*told, signal.SIGCHLD)}
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        signal.set_wakeup_fd(self._woken)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> list[int]:
        """The signals that come, as soon as one does; none, where none does in time."""
        if not select.select([self._read], [], [], max(0.0, seconds))[0]:
            return []
        return list(os.read(self._read, 4096))


class Job:
    """A running program, and the terminal that it may have borrowed. Raises `OSError` where it cannot be started."""

    def __init__(self, command: tuple[str, ...], environ: Mapping[str, str], *, stdin: int | None = None) -> None:
        self.terminal = Terminal()
        self.died = 0
        """The signal that ended it; 0 for none."""
        self._borrowed = False
        lend = self.terminal.ours() and os.isatty(0) and os.isatty(1)
        self._process = subprocess.Popen(  # noqa: S603 - what was asked for
            command,
            env=environ,
            stdin=stdin,
            close_fds=False,
            preexec_fn=_entrance(self.terminal, os.getpid(), lend=lend),  # noqa: PLW1509 - there are no other threads
        )
        self.group = self._process.pid
        if lend:
            self.terminal.lend(self.group)

    def ended(self, resumed: Callable[[], None]) -> int | None:
        """Its status as shells count it, once it has ended. Where it stops, all stops; `resumed` is called as it goes on."""
        while True:
            pid, status = os.waitpid(self.group, os.WNOHANG | os.WUNTRACED)
            if not pid:
                return None
            if not os.WIFSTOPPED(status):
                return self._over(status)
            self._stopped(os.WSTOPSIG(status), resumed)

    def send(self, signum: int) -> None:
        """Sends a signal to all of it."""
        try:
            os.killpg(self.group, signum)
        except (ProcessLookupError, PermissionError):
            pass

    def end(self, grace: float) -> None:
        """Ends all of it: it may tidy up for `grace` seconds."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        over = time.monotonic() + grace
        while time.monotonic() < over and self._alive():
            time.sleep(LOOK)
        self.send(signal.SIGKILL)
        if self._process.returncode is None:
            self._over(os.waitpid(self.group, 0)[1])
        self.terminal.take_back(restore=True)

    def die_likewise(self) -> None:
        """After a Ctrl-C that the job alone was sent, having the terminal: our group, with the script that we may be in, gets it now."""
        if self.died in TYPED and self._borrowed:
            signal.signal(self.died, signal.SIG_DFL)
            os.kill(0, self.died)

    def _over(self, status: int) -> int:
        code = os.waitstatus_to_exitcode(status)
        self._process.returncode = code
        self.died = max(0, -code)
        self._borrowed = self.terminal.lent
        self.terminal.take_back(restore=code < 0)
        return code if code >= 0 else 128 - code

    def _alive(self) -> bool:
        """Whether anything of the group is left; takes note of the end of its first process."""
        if self._process.returncode is None:
            pid, status = os.waitpid(self.group, os.WNOHANG)
            if pid:
                self._over(status)
        try:
            os.killpg(self.group, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def _stopped(self, signum: int, resumed: Callable[[], None]) -> None:
        if signum not in STOPS:
            return
        if signum != signal.SIGTSTP and self.terminal.ours():
            # It wants the terminal, which our group has and does not use.
            self.terminal.lend(self.group)
            self.send(signal.SIGCONT)
            return
        lent = self.terminal.lent
        self.terminal.take_back()
        _stop(signum)
        resumed()
        if lent and self.terminal.ours():
            self.terminal.lend(self.group)
        self.send(signal.SIGCONT)


def _stop(signum: int) -> None:
    """Stops our group, as the terminal would have; where nobody could go on with it, the kernel lets that pass."""
    before = signal.signal(signum, signal.SIG_DFL)
    os.kill(0, signum)
    signal.signal(signum, before)


def _nothing(*_: Any) -> None:
    """A signal's handler: that it came is told by the descriptor."""


def _entrance(terminal: Terminal, parent: int, *, lend: bool) -> Callable[[], None]:
    """What the new process does before it becomes the program."""
    orphaned = _prctl()

    def enter() -> None:
        os.setpgid(0, 0)
        if lend:
            terminal.lend(os.getpid())
        orphaned(DEATH, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return enter


def _prctl() -> Callable[..., Any]:
    """Linux's call by which a process asks for a signal at its parent's death; elsewhere, nothing."""
    try:
        import ctypes

        call: Callable[..., Any] = ctypes.CDLL(None).prctl
        return call
    except (ImportError, OSError, AttributeError):
        return _nothing
