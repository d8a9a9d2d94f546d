"""How far a long transfer is: one line on a terminal, for a person who would else wonder."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .session import Session

PATIENCE = 1.0
"""Seconds that nobody needs to be told anything."""
EVERY = 0.1
"""Seconds between two looks of the line."""
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Progress:
    """Bytes so far, of `total` where that is known. Shows nothing where standard error is no terminal, or with --quiet."""

    __slots__ = ("_began", "_clock", "_shown", "_sink", "_total")

    def __init__(self, session: "Session", total: int = 0) -> None:
        self._clock = session.clock
        self._sink = session.stderr if session.stderr.terminal and not session.flags.quiet else None
        self._total = total
        self._began = self._shown = session.clock()

    def at(self, size: int) -> None:
        """`size` bytes are done."""
        if self._sink is None:
            return
        now = self._clock()
        if now - self._began < PATIENCE or (now - self._shown < EVERY and self._shown > self._began):
            return
        self._shown = now
        self._write(f"\r{_told(size, self._total, now - self._began)}\x1b[K")

    def done(self) -> None:
        """Takes the line away."""
        if self._shown > self._began:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            if self._sink:
                self._sink.write(text.encode())
        except Exception:  # noqa: BLE001 - a terminal that went away must not cost the content
            self._sink = None


def _told(size: int, total: int, seconds: float) -> str:
    share = f" of {shown(total)} ({size * 100 // total} %)" if total else ""
    return f"prontodb: {shown(size)}{share}, {shown(int(size / seconds))}/s"


def shown(size: int) -> str:
    """A number of bytes for a person: `3.2 GiB`."""
    number, unit = float(size), 0
    while number >= 1024 and unit < len(UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.1f} {UNITS[unit]}" if unit else f"{size} B"
