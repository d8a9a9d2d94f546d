"""Running a program whose output goes through this process.

It is in this process's group, so the terminal's signals reach both and job control works. What is sent to this process alone is passed
on. Should this process be killed, the program is ended, too.
"""

import ctypes
import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import time
from contextlib import suppress
from threading import Event, Lock, Thread

from .children import not_run
from .errors import OutputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Protocol

    Program = tuple[str, Sequence[bytes], Mapping[str, str]]

    class Outlet(Protocol):
        """Where a stream of a program goes. `fd` is that of a terminal, for which the program is given one; else -1."""

        fd: int

        def write(self, data: bytes) -> None:
            """Takes a piece. Raises `OutputError` or `BrokenPipeError`: then nothing more is read of the program."""

        def finish(self) -> None:
            """There is no more."""


PIECE = 1 << 16
GRACE = 2.0
"""Seconds in which those that a program has left behind may still say something in its name."""
CAPACITY = 1 << 20
"""Bytes that a pipe may hold when its writer ends: they are the program's own."""
BEAT = 1.0
"""Seconds between two calls of `tick`."""
PASSED_ON = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM}
WATCHED = PASSED_ON | {signal.SIGCHLD, signal.SIGWINCH}
_DEATH = 1
"""Linux' `PR_SET_PDEATHSIG`."""


def run(
    program: "Program",
    outlets: "tuple[Outlet, ...]",
    *,
    stdin: int | None = None,
    tick: "Callable[[], None] | None" = None,
) -> int:
    """Runs a program; its status, or a signal's number below zero. `outlets` take standard output and error; one alone takes both.

    `stdin` is a descriptor (by default this process's own); `tick` is called about once a second meanwhile, and must not raise. Raises
    `NotRun`, and `OutputError` where what it said could not be written.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    # Ignored, as some parents leave it, it would take the status along.
    ignored = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        return _Run(program, before).attend(outlets, stdin, tick)
    finally:
        signal.signal(signal.SIGCHLD, ignored)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Run:
    """One program, from its start to its end, with the signals of `WATCHED` blocked in this thread."""

    def __init__(self, program: "Program", mask: "set[int | signal.Signals]") -> None:
        self._program = program
        self._mask = mask

    def attend(self, outlets: "tuple[Outlet, ...]", stdin: int | None, tick: "Callable[[], None] | None") -> int:
        """Start, wait, and take in what is left."""
        streams = [_Stream(outlet) for outlet in outlets]
        process = self._start(streams, stdin)
        ended = _Ended()
        threads = [Thread(target=stream.pump, args=(ended,), daemon=True) for stream in streams]
        for thread in threads:
            thread.start()
        try:
            self._wait(process, streams, tick)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            ended.set()
            for thread in threads:
                thread.join()
            ended.close()
        for stream in streams:
            if stream.error is not None:
                raise stream.error
        return int(process.returncode)

    def _start(self, streams: "list[_Stream]", stdin: int | None) -> "subprocess.Popen[bytes]":
        path, command, environ = self._program
        files = {"stdin": stdin, "stdout": streams[0].theirs, "stderr": streams[-1].theirs}
        try:
            # The function runs before there is any thread.
            return subprocess.Popen(list(command), executable=path, env=environ, preexec_fn=self._prepare, **files)  # type: ignore[call-overload,no-any-return]  # noqa: S603, PLW1509
        except (OSError, ValueError) as error:
            for stream in streams:
                os.close(stream.ours)
            raise not_run(path, error) from error
        finally:
            for stream in streams:
                os.close(stream.theirs)

    def _prepare(self) -> None:
        """In the child, before it becomes the program: no thread runs yet."""
        _end_with_parent()
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _wait(self, process: "subprocess.Popen[bytes]", streams: "list[_Stream]", tick: "Callable[[], None] | None") -> None:
        due = time.monotonic() + BEAT
        while process.poll() is None:
            came = signal.sigtimedwait(WATCHED, max(due - time.monotonic(), 0.01))
            if came is not None and came.si_signo == signal.SIGWINCH:
                for stream in streams:
                    stream.resize()
            elif came is not None and came.si_signo in PASSED_ON and came.si_code <= 0:
                # Above zero it is the terminal's, and the program has got it itself.
                process.send_signal(came.si_signo)
            if time.monotonic() >= due:
                due = time.monotonic() + BEAT
                if tick:
                    tick()


class _Ended:
    """Tells the threads that read that the program has ended: `fd` can be read then."""

    def __init__(self) -> None:
        self.fd, self._write = os.pipe()
        self._event = Event()

    def set(self) -> None:
        """It has."""
        self._event.set()
        os.close(self._write)

    def close(self) -> None:
        """Nobody reads any more."""
        os.close(self.fd)

    def is_set(self) -> bool:
        """Whether it has."""
        return self._event.is_set()


class _Stream:
    """One output of a program: `theirs` is its end, `ours` the other one."""

    def __init__(self, outlet: "Outlet") -> None:
        self._outlet = outlet
        self.error: OutputError | None = None
        self._lock = Lock()
        self._deadline = 0.0
        self._late = 0
        self.ours, self.theirs = pty.openpty() if outlet.fd >= 0 else os.pipe()
        if outlet.fd >= 0:
            self._unprocessed()
            self.resize()

    def resize(self) -> None:
        """Gives the program's terminal the size of ours."""
        with self._lock, suppress(OSError):
            if self._outlet.fd >= 0 and self.ours >= 0:
                size = fcntl.ioctl(self._outlet.fd, termios.TIOCGWINSZ, bytes(8))
                fcntl.ioctl(self.ours, termios.TIOCSWINSZ, size)

    def pump(self, ended: _Ended) -> None:
        """All that the program says, to its outlet; in a thread of its own."""
        try:
            while data := self._next(ended):
                self._outlet.write(data)
            self._outlet.finish()
        except BrokenPipeError:
            # The program learns it when it writes next.
            pass
        except OutputError as error:
            self.error = error
        finally:
            with self._lock:
                os.close(self.ours)
                self.ours = -1

    def _next(self, ended: _Ended) -> bytes:
        if not ended.is_set():
            poll = select.poll()
            poll.register(self.ours, select.POLLIN)
            poll.register(ended.fd, select.POLLIN)
            if any(fd == self.ours for fd, _ in poll.poll()):
                return self._read()
        return self._rest()

    def _rest(self) -> bytes:
        """What is there when the program has ended, and comes soon after. Time in which nobody took what we write does not count."""
        self._deadline = self._deadline or time.monotonic() + GRACE
        left = self._deadline - time.monotonic()
        poll = select.poll()
        poll.register(self.ours, select.POLLIN)
        if not poll.poll(max(0.0, left) * 1000) or (left < 0 and self._late > CAPACITY):
            return b""
        data = self._read()
        self._late += len(data)
        return data

    def _read(self) -> bytes:
        try:
            return os.read(self.ours, PIECE)
        except OSError:
            # How a terminal says that nobody has it open any more.
            return b""

    def _unprocessed(self) -> None:
        """What the program writes comes out as it is: the real terminal does the rest."""
        attributes = termios.tcgetattr(self.theirs)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(self.theirs, termios.TCSANOW, attributes)


def _end_with_parent() -> None:
    """Lets the system end the program when this process is killed: nobody would take its output, or know that it runs."""
    try:
        _LIBC.prctl(_DEATH, signal.SIGTERM)
    except AttributeError:
        # Another system than Linux.
        pass


_LIBC = ctypes.CDLL(None)
