"""Trying something again until it works or the time is over, without a busy loop."""

from ..errors import Busy, Miss, ProntoError
from .leases import LeaseHeld

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

FIRST = 0.02
LONGEST = 0.5
"""Seconds between two attempts: they grow from the one to the other."""
GROWTH = 1.5


class TimedOut(ProntoError):
    """What was waited for did not come in time."""

    code = 5
    slug = "timeout"


class Pace:
    """A clock in seconds, which only grows, and how to let some pass: of the process, so that tests need not wait."""

    __slots__ = ("clock", "pause")

    def __init__(self, clock: "Callable[[], float]", pause: "Callable[[float], None]") -> None:
        self.clock = clock
        self.pause = pause


def patiently(attempt: "Callable[[], T]", seconds: float, pace: Pace) -> "T":
    """What `attempt` returns, within `seconds`. Raises `TimedOut` where all it raised was `LeaseHeld`, `Miss` or `Busy`."""
    over, pause = pace.clock() + seconds, FIRST
    while True:
        try:
            return attempt()
        except (LeaseHeld, Miss, Busy) as error:
            left = over - pace.clock()
            if left <= 0:
                raise TimedOut(f"Waited {seconds:g} seconds: {error.message}", cure="wait longer", address=error.address) from error
            held = getattr(error, "left", None)
            pace.pause(min(left, pause, max(held, FIRST) if held is not None else pause))
        pause = min(LONGEST, pause * GROWTH)
