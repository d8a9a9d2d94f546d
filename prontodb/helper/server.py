"""The helper's own loop: lines to the shell and its subshells, and an eye on it.

It is started as `prontodb __helper SHELL FOLDER`: a process id, and the folder to serve from, which `home` makes. That process ends at
once, and the shell has no job of it; the helper that it leaves behind, with a guard, prints its number when it can be talked to.
`__helper` is no verb: nobody is meant to type it.
"""

import functools  # noqa: F401 - SQLite's driver keeps its statements where this is loaded before it: a process that stays wants that
import os
import select
import signal
import time

from . import guard
from .calls import Calls
from .home import Home, NoHome
from .lines import SPARE
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
UNREAD = 60.0
"""Seconds for which an answer is kept that nobody has taken."""
LONGEST = 60
"""Seconds that an answer may take: who waits for a helper that has lost its way would wait for good."""
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
        self._ends: dict[int, Line] = {}
        self._admit(home.lines)
        for fd in watch.ends:
            self._poll.register(fd, select.EPOLLIN)

    def _admit(self, lines: "list[Line]") -> None:
        for line in lines:
            self._asks[line.asks] = line
            self._poll.register(line.asks, select.EPOLLIN)

    def run(self) -> None:
        """Returns when there is nobody left to serve, or when another version has been installed."""
        loop, answered, looked = False, 0.0, time.monotonic()
        while True:
            ready = (loop and self._awake(answered + SPIN)) or self._poll.poll(SECOND)
            loop = time.monotonic() - answered < LOOP
            for fd, _ in ready:
                if not self._served(fd):
                    return
            answered = time.monotonic()
            if not ready or answered - looked >= SECOND:
                if not self._looked():
                    return
                looked = answered

    def _awake(self, end: float) -> list[tuple[int, int]]:
        """What comes until then; whoever wants the processor gets it."""
        while not (ready := self._poll.poll(0)) and time.monotonic() < end:
            os.sched_yield()
        return ready

    def _served(self, fd: int) -> bool:
        if line := self._asks.get(fd):
            return self._asked(line)
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
                signal.alarm(LONGEST)
                line.send(*self._calls.answer(request))
                if request.caller != line.holder:
                    self._hold(line, request.caller)
        except Garbled:
            line.object()
        return True

    def _hold(self, line: "Line", caller: bytes) -> None:
        """A subshell has taken a line. The first one is the shell's for good."""
        if line is self._home.lines[0]:
            line.holder = caller
            return
        there = line.hold(caller)
        self._held += 1
        if not there:
            self._release(line)
            return
        if line.watched >= 0:
            self._ends[line.watched] = line
            self._poll.register(line.watched, select.EPOLLIN)
        if len(self._home.lines) - self._held <= SPARE and len(self._home.lines) < self._home.most:
            self._admit(self._home.grow())

    def _release(self, line: "Line") -> None:
        if line.watched >= 0:
            self._poll.unregister(line.watched)
        line.release()
        self._held -= 1

    def _looked(self) -> bool:
        """A look around, once in a second: whether to go on."""
        signal.alarm(0)
        for number, line in enumerate(self._home.lines):
            line.forget(UNREAD)
            if number and line.watched < 0 and line.abandoned():
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
    _detach([1, *watch.ends])
    watch.also(guard.begin())
    status = 0
    try:
        if other := home.occupy():
            os.write(1, b"%d\n" % other)
        else:
            _serve(Server(home, Calls(program), watch), home)
    except NoHome:
        status = 2
    except Exception as error:  # noqa: BLE001 - there is no terminal that a traceback could go to
        status = 1
        if os.environ.get("PRONTO_DEBUG"):
            _note(error)
    finally:
        os._exit(status)


def _note(error: Exception) -> None:
    """Where a fault was, for whoever looks for it: into a file, and without the error's own words, which might tell of values."""
    import traceback

    from ..paths import state_home

    steps = "".join(traceback.format_tb(error.__traceback__))
    path = f"{state_home(os.environ)}/helper.log"
    os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    os.write(fd, f"{stamp} helper {os.getpid()}: {type(error).__name__}\n{steps}".encode())


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
