"""How far a long call has come, for a person at a terminal; nobody else sees anything of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..session import Input, Session

WAIT = 0.5
"""Seconds before the first sign of it."""
EVERY = 0.1
"""Seconds between two."""
WIDTH = 30
"""Characters of the bar."""


class Progress:
    """A line on standard error that is drawn over and over; `total` bytes where it is known how many will come."""

    def __init__(self, session: Session, what: str, total: int | None = None) -> None:
        self._session = session
        self._seen = session.stderr.terminal and not session.flags.quiet and session.environ.get("TERM") != "dumb"
        self._what = what
        self._total = total
        self._done = 0
        self._next = session.clock() + WAIT
        self._drawn = False

    def __call__(self, size: int) -> None:
        """So many bytes more."""
        self._done += size
        if self._seen and (now := self._session.clock()) >= self._next:
            self._next = now + EVERY
            self._drawn = True
            self._session.stderr.write(f"\r{self._what} {self._shown()}\x1b[K".encode())

    def end(self) -> None:
        """Takes the line away."""
        if self._drawn:
            self._session.stderr.write(b"\r\x1b[K")
            self._drawn = False

    def _shown(self) -> str:
        done = f"{self._done / 1e6:.0f} MB"
        if not self._total:
            return done
        share = min(self._done / self._total, 1)
        return f"[{'#' * int(share * WIDTH):{WIDTH}}] {share:4.0%} of {self._total / 1e6:.0f} MB"


class Watched:
    """Standard input whose bytes are counted as they come."""

    def __init__(self, stdin: Input, progress: Progress) -> None:
        self._stdin = stdin
        self._progress = progress
        self.fd = stdin.fd

    def is_terminal(self) -> bool:
        """As `Input`."""
        return self._stdin.is_terminal()

    def is_pipe(self) -> bool:
        """As `Input`."""
        return self._stdin.is_pipe()

    def wait(self, seconds: float) -> bool:
        """As `Input`."""
        return self._stdin.wait(seconds)

    def read(self, size: int) -> bytes:
        """As `Input`."""
        data = self._stdin.read(size)
        self._progress(len(data))
        return data
