"""Running a command for each event of `watch`."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click

    from ..ops.watching import Event
    from ..session import Session

from .. import children, render
from ..errors import UsageError
from .group import Verb

PASSED_ON = (signal.SIGTERM, signal.SIGHUP)
"""What a supervisor sends to one process; what a person types goes to all that are in the foreground."""
HELD = (signal.SIGINT, *PASSED_ON)


class WithCommand(Verb):
    """A verb whose arguments may be followed by `--` and a command, which is left as it is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """click's, of what stands before the command; that becomes the parameter `command`, None where there is none."""
        command = None
        if "--" in args:
            at = args.index("--")
            args, command = args[:at], args[at + 1 :]
            if not command:
                raise UsageError("There is no command after --", cure=f"{ctx.command_path.replace('prontodb', 'prontodb help', 1)}")
        left = super().parse_args(ctx, args)
        ctx.params["command"] = command
        return left

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """click's, and the command."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


class Handler:
    """A command that is run for events, with the caller's environment, folder, output and errors."""

    def __init__(self, session: Session, command: list[str], *, keep_going: bool) -> None:
        self._session = session
        self._keep_going = keep_going
        self._command = [children.find(command[0], session.environ), *command[1:]]

    def run(self, event: Event, line: bytes) -> int:
        """Its status, or 0 where it is to go on all the same; 128 and the number of a signal that ended it."""
        status = self._status(event, line)
        if status and self._keep_going:
            render.line(self._session.stderr, f"prontodb: {self._command[0]} failed for {event.address} with status {status}")
            return 0
        return status

    def _status(self, event: Event, line: bytes) -> int:
        own = {"PRONTO_EVENT": event.kind, "PRONTO_ADDRESS": str(event.address), "PRONTO_REVISION": str(event.revision)}
        with Forwarded() as forwarded:
            child = self._start({**self._session.environ, **own})
            forwarded.to(child)
            child.communicate(line)
        return child.returncode if child.returncode >= 0 else 128 - child.returncode

    def _start(self, environ: dict[str, str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(self._command, stdin=subprocess.PIPE, env=environ, cwd=self._session.cwd or None)  # noqa: S603 - asked for
        except OSError as error:
            raise children.not_run(self._command[0], error) from error


class Forwarded:
    """While a child runs, signals that would end this process are passed on to it, and act here when it has ended."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._came = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Forwarded:
        for signum in HELD:
            if signal.getsignal(signum) != signal.SIG_IGN:
                self._before[signum] = signal.signal(signum, self._hold)
        return self

    def __exit__(self, *_: object) -> None:
        for signum, before in self._before.items():
            signal.signal(signum, before)
        if self._came:
            os.kill(os.getpid(), self._came)

    def to(self, child: subprocess.Popen[bytes]) -> None:
        """Whom they are passed on to."""
        self._child = child
        if self._came in PASSED_ON:
            child.send_signal(self._came)

    def _hold(self, signum: int, _: object) -> None:
        self._came = self._came or signum
        if self._child is not None and signum in PASSED_ON:
            self._child.send_signal(signum)
