"""The helper's own loop: lines to the shell and its subshells, and an eye on it.

It is started as `prontodb __helper SHELL FOLDER`: a process id, and the folder to serve from, which `home` makes. That process ends at
once, and the shell has no job of it; the helper that it leaves behind prints its number when it can be talked to. `__helper` is no verb:
nobody is meant to type it.
"""

import functools  # noqa: F401 - SQLite's driver keeps its statements where this is loaded before it: a process that stays wants that
import os
import select
import signal
import time

from .calls import Calls
from .home import Home, NoHome
from .lines import MOST, SPARE
from .protocol import GONE, Garbled, encode_refusal
from .watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from .lines import Line

SECOND = 1.0
"""Between two looks at the shell."""
LOOP = 0.0005
"""Seconds between an answer and the next request that mean a loop."""
SPIN = 0.0003
"""Seconds for which the next request of a loop is waited for awake: to fall asleep and be woken takes longer than most calls."""


class Server:
    """Serves lines until the shell is gone."""

    def __init__(self, home: Home, calls: Calls, watch: Watch) -> None:
        self._home = home
        self._calls = calls
        self._watch = watch
        self._held = 0
        self._poll = select.epoll()
        self._asks: dict[int, Line] = {}
        self._says: dict[int, Line] = {}
        self._ends: dict[int, Line] = {}
        self._admit(home.lines)
        if watch.fd >= 0:
            self._poll.register(watch.fd, select.EPOLLIN)

    def _admit(self, lines: "list[Line]") -> None:
        for line in lines:
            self._asks[line.asks] = line
            self._says[line.says] = line
            self._poll.register(line.asks, select.EPOLLIN)

    def run(self) -> None:
        """Returns when there is nobody left to serve, when another version has been installed, or at nonsense."""
        loop, answered = False, 0.0
        while True:
            ready = (loop and self._awake(answered + SPIN)) or self._poll.poll(SECOND)
            loop = time.monotonic() - answered < LOOP
            for fd, _ in ready:
                if not self._served(fd):
                    return
            if not ready and not self._looked():
                return
            answered = time.monotonic()

    def _awake(self, end: float) -> list[tuple[int, int]]:
        """What comes until then; whoever wants the processor gets it."""
        while not (ready := self._poll.poll(0)) and time.monotonic() < end:
            os.sched_yield()
        return ready

    def _served(self, fd: int) -> bool:
        if line := self._asks.get(fd):
            return self._asked(line)
        if line := self._says.get(fd):
            line.go_on()
            self._mind(line)
            return True
        if line := self._ends.pop(fd, None):
            self._release(line)
            return True
        return False

    def _asked(self, line: "Line") -> bool:
        try:
            for request in line.read():
                if self._watch.replaced():
                    line.send(encode_refusal(request.whose, GONE))
                    return False
                line.send(self._calls.answer(request))
                if request.caller != line.holder:
                    self._hold(line, request.caller)
        except Garbled:
            return False
        if line.rest or line.waits:
            self._mind(line)
        return True

    def _mind(self, line: "Line") -> None:
        """Waits for room for the rest of a reply, if there is one."""
        if line.rest and not line.waits:
            self._poll.register(line.says, select.EPOLLOUT)
        elif line.waits and not line.rest:
            self._poll.unregister(line.says)
        line.waits = bool(line.rest)

    def _hold(self, line: "Line", caller: bytes) -> None:
        """A subshell has taken a line. The first one is the shell's for good."""
        if line is self._home.lines[0]:
            line.holder = caller
            return
        line.hold(caller)
        if line.watched >= 0:
            self._ends[line.watched] = line
            self._poll.register(line.watched, select.EPOLLIN)
        self._held += 1
        if len(self._home.lines) - self._held <= SPARE and len(self._home.lines) < MOST:
            self._admit(self._home.grow())

    def _release(self, line: "Line") -> None:
        if line.watched >= 0:
            self._poll.unregister(line.watched)
        line.release()
        self._mind(line)
        self._held -= 1

    def _looked(self) -> bool:
        """A look around, when nobody has asked for a second: whether to go on."""
        for line in self._home.lines[1:]:
            if line.watched < 0 and line.abandoned():
                self._held += not line.holder
                self._release(line)
        return self._watch.alive() and not self._home.lost()


def main(arguments: list[str], program: str) -> "NoReturn":
    """The helper's whole life."""
    shell, folder = arguments
    watch, home = Watch(int(shell)), Home(folder)
    if not watch.alive():
        os._exit(1)
    if os.fork():
        os._exit(0)
    _detach([1, watch.fd])
    try:
        if other := home.occupy():
            os.write(1, b"%d\n" % other)
        else:
            _serve(Server(home, Calls(program), watch), home)
    except (NoHome, OSError):
        pass
    finally:
        os._exit(0)


def _serve(server: Server, home: Home) -> None:
    os.write(1, b"%d\n" % os.getpid())
    os.dup2(0, 1)
    try:
        server.run()
    finally:
        home.leave()


def _detach(kept: list[int]) -> None:
    """Leaves behind whatever the shell had: its terminal, folder, signals, open files and locks."""
    os.setsid()
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2} - set(kept):
        os.dup2(null, standard)
    low = 3
    for fd in [*sorted(fd for fd in kept if fd > 2), os.sysconf("SC_OPEN_MAX")]:
        os.closerange(low, fd)
        low = fd + 1
