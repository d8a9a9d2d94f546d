"""The helper's own loop: a line to the shell, and an eye on it.

It is started as `prontodb __helper SHELL REQUESTS REPLIES`: a process id, and two FIFOs that have no name any more. That process prints
the helper's number and ends once the helper runs on behind it; so the shell has no job of it. `__helper` is no verb: nobody is meant to
type it.
"""

import functools  # noqa: F401 - SQLite's driver keeps its statements where this is loaded before it: a process that stays wants that
import os
import select
import signal

from .calls import Calls
from .protocol import GONE, Decoder, Garbled, encode_refusal
from .watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from .protocol import Request

SECOND = 1000
"""Milliseconds between two looks at the shell."""
CHUNK = 1 << 16
AT_ONCE = select.PIPE_BUF
"""Bytes that a pipe takes without making the writer wait, once it takes any."""


class Line:
    """One pair of FIFOs, and the part of a reply that is still to be written."""

    def __init__(self, requests: int, replies: int) -> None:
        self.requests = requests
        self.replies = replies
        self.decoder = Decoder()
        self.rest = memoryview(b"")
        self._room = select.poll()
        self._room.register(replies, select.POLLOUT)

    def read(self) -> "list[Request]":
        """The requests that have come."""
        return self.decoder.feed(os.read(self.requests, CHUNK))

    def send(self, reply: bytes) -> None:
        """As much as goes without waiting: a caller that was interrupted may never read the rest."""
        if reply:
            self.rest = memoryview(bytes(self.rest) + reply)
        while self.rest and self._room.poll(0):
            self.rest = self.rest[os.write(self.replies, self.rest[:AT_ONCE]) :]


class Server:
    """Serves lines until the shell is gone."""

    def __init__(self, lines: list[Line], calls: Calls, watch: Watch) -> None:
        self._requests = {line.requests: line for line in lines}
        self._replies = {line.replies: line for line in lines}
        self._calls = calls
        self._watch = watch
        self._waiting: set[Line] = set()
        self._poll = select.poll()
        for fd in [*self._requests, *([watch.fd] if watch.fd >= 0 else [])]:
            self._poll.register(fd, select.POLLIN)

    def run(self) -> None:
        """Returns when there is nobody left to serve, when another version has been installed, or at nonsense."""
        while True:
            ready = self._poll.poll(SECOND)
            for fd, _ in ready:
                if not self._served(fd):
                    return
            if not ready and not self._watch.alive():
                return

    def _served(self, fd: int) -> bool:
        line = self._requests.get(fd) or self._replies.get(fd)
        if line is None:
            return False
        if fd == line.replies:
            line.send(b"")
        else:
            try:
                for request in line.read():
                    if self._watch.replaced():
                        line.send(encode_refusal(request.id, GONE))
                        return False
                    line.send(self._calls.answer(request))
            except Garbled:
                return False
        self._mind(line)
        return True

    def _mind(self, line: Line) -> None:
        """Waits for room for the rest of a reply, if there is one."""
        if line.rest and line not in self._waiting:
            self._poll.register(line.replies, select.POLLOUT)
            self._waiting.add(line)
        elif not line.rest and line in self._waiting:
            self._poll.unregister(line.replies)
            self._waiting.remove(line)


def main(arguments: list[str], program: str) -> "NoReturn":
    """The helper's whole life."""
    shell, *fds = (int(word) for word in arguments)
    watch = Watch(shell)
    server = Server([Line(*fds)], Calls(program), watch)
    if not watch.alive():
        os._exit(1)
    if number := os.fork():
        os.write(1, b"%d\n" % number)
        os._exit(0)
    _detach([*fds, watch.fd])
    try:
        server.run()
    finally:
        os._exit(0)


def _detach(kept: list[int]) -> None:
    """Leaves behind whatever the shell had: its terminal, folder, signals, open files and locks."""
    os.setsid()
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    low = 3
    for fd in [*sorted(fd for fd in kept if fd > 2), os.sysconf("SC_OPEN_MAX")]:
        os.closerange(low, fd)
        low = fd + 1
