"""When to look again, for verbs that wait: after each change, and when time alone changes something, but never all the time."""

import time

from ..errors import Busy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from . import Store

    T = TypeVar("T")

CHEAP = 0.005
"""Seconds of the processor that a look may take without a rest after it."""
REST = 10
"""How many times as long as a look that took longer is rested after it: no place is so large that watching it fills a core."""
PAUSE = 0.2
"""Seconds between two attempts while the store cannot be had."""


class Looks:
    """Looks at a store for at most `timeout` seconds (None: without an end).

    What cannot be had at the first look is an error; later it is waited for, since a leader may be changing, and `told` of once.
    """

    def __init__(self, store: "Store", timeout: float | None, told: "Callable[[str], None]") -> None:
        self._store = store
        self._end = None if timeout is None else time.monotonic() + timeout
        self._told = told
        self._had = False
        self._rest = 0.0
        self.trouble: Busy | None = None
        """Why the store cannot be had at this moment."""

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self._end is not None and time.monotonic() >= self._end

    def now(self) -> float | None:
        """Unix seconds by the store's clock; None where that cannot be asked at this moment."""
        try:
            return self._store.now
        except Busy as error:
            self._failed(error)
            return None

    def take(self, look: "Callable[[], T]") -> "T | None":
        """What `look` says; None where the store cannot be had at this moment. Raises what it raises."""
        # Not by the clock: what others do to the machine, or other threads to this process, must not make this one late.
        began = time.thread_time()
        try:
            found = look()
        except Busy as error:
            self._failed(error)
            return None
        took = time.thread_time() - began
        # The first look loads what is needed for it.
        self._rest = took * REST if took > CHEAP and self._had else 0.0
        self._had, self.trouble = True, None
        return found

    def changed(self, seconds: float) -> bool:
        """Waits for a change, at most so many seconds and not beyond the end; whether there may have been one."""
        self._sleep(self._rest)
        try:
            return self._store.engine.changed(self._left(seconds))
        except Busy as error:
            self._failed(error)
            self._sleep(PAUSE)
            return True

    def _failed(self, error: Busy) -> None:
        if not self._had:
            raise error
        if self.trouble is None:
            self._told(f"{error.message}; waiting all the same")
        self.trouble = error

    def _sleep(self, seconds: float) -> None:
        time.sleep(self._left(seconds))

    def _left(self, seconds: float) -> float:
        return seconds if self._end is None else max(0.0, min(seconds, self._end - time.monotonic()))
