"""The API's verbs that wait: for conditions, and for whatever happens."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import TypeAlias

    from typing_extensions import Self

    from ..address import Place
    from ..ops.waiting import Many, One
    from ..ops.watching import Wanted
    from .arguments import Data, Key, Timeout

    Test: TypeAlias = str | tuple[str, str] | tuple[str, str, Data]

from ..errors import UsageError
from . import records
from .arguments import data, timeout
from .caller import text
from .core import Core
from .records import Event
from .steps import Steps


class Watch(Iterator[Event]):
    """What happens in a place, as an iterator of `Event`: it waits for the next one, and ends with its time, or when it is closed.

    It begins when it is made: nothing that happens between two events is missed, but of several changes of one entry the last is told.
    A context manager; `close` may be called from another thread, and is noticed within a second.
    """

    def __init__(self, steps: Steps, place: Place, wanted: Wanted, wait: float | None) -> None:
        self._steps = steps
        from ..ops.looks import Looks
        from ..ops.watching import Watcher

        # By itself, or the generator would hold us, and we it: nobody would give the seat back.
        self._over = over = threading.Event()
        self._turn = threading.Lock()
        try:
            store = steps.begin()
            self._events = Watcher(store, place, wanted, Looks(store, wait, _warn)).events(lambda: not over.is_set())
        except BaseException:
            steps.end()
            raise

    def __next__(self) -> Event:
        with self._turn:
            try:
                event = next(self._events, None)
            except BaseException:
                self._over.set()
                raise
            finally:
                self._tidy()
        if event is None:
            self.close()
            raise StopIteration
        return records.event(event)

    def close(self) -> None:
        """Ends it. A second time does nothing."""
        self._over.set()
        # Whoever is waiting for an event tidies up when that is over.
        if self._turn.acquire(blocking=False):
            try:
                self._tidy()
            finally:
                self._turn.release()

    def _tidy(self) -> None:
        if self._over.is_set():
            self._steps.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self._steps.end()


class Waiting(Core):
    """See the module."""

    def wait(
        self,
        *conditions: Test,
        count: Mapping[str, str] | None = None,
        any: bool = False,  # noqa: A002 - what the command calls it
        timeout: Timeout | None = None,
    ) -> list[str]:
        """Waits until all conditions hold at one moment, with `any` one of them; those that do. Raises `TimedOut` after `timeout`.

        A condition is what the command takes: `"work.job.state == done"`, `"! work.lock.deploy"`, `"work.job.done >= 8"`,
        `"work.job.result"`; or the same in parts, of which the last needs no quotes: `("work.job.state", "==", state)`,
        `("!", "work.lock.deploy")`. `count` is for numbers of entries: `{"work.results": ">= 8"}`. With `timeout=0` it looks once;
        without, it waits for ever.
        """
        from ..ops.waiting import until

        wanted = self._wanted(conditions, count or {})
        wait = None if timeout is None else _seconds(timeout)
        with self._steps() as store:
            return until(store, wanted, every=not any, timeout=wait, told=_warn)

    def watch(self, place: Key | None = None, *, initial: bool = False, values: bool = True, timeout: Timeout | None = None) -> Watch:
        """Tells what happens in a place from now on: `for event in db.watch("work.results"):`. With `initial`, what is there comes first.

        Without `values` none is told; one beyond 64 KiB never is, but its size. Ends after `timeout`; without, never.
        """
        from ..ops.watching import Wanted

        wait = None if timeout is None else _seconds(timeout)
        return Watch(Steps(self._seats), self._place(place), Wanted(values=values, secrets=True, initial=initial), wait)

    def _wanted(self, conditions: tuple[Test, ...], count: Mapping[str, str]) -> list[One | Many]:
        from .. import conditions as grammar
        from ..ops.waiting import Many, One

        if not conditions and not count:
            raise UsageError("Nothing to wait for", cure='db.wait("work.job.state == done")')
        parsed = [grammar.parse(_spelled(test), self._make.scope.delim) for test in conditions]
        many = [Many(self._place(place), text(place, "a place"), grammar.parse_amount(test)) for place, test in count.items()]
        return [*(One(self._address(condition.address), condition) for condition in parsed), *many]


_seconds = timeout
"""Its name is that of an argument here."""


def _spelled(test: Test) -> str:
    """A condition as the grammar has it."""
    from .. import conditions as grammar

    if not isinstance(test, tuple):
        return text(test, "a condition")
    if len(test) == 2 and test[0] == grammar.ABSENT:
        return str(grammar.Condition(test[1], grammar.ABSENT))
    if len(test) == 3 and test[1] in grammar.OPERATORS:
        return str(grammar.Condition(test[0], test[1], data(test[2])))
    raise UsageError(f"Malformed condition {test!r}", cure=f'("work.job.state", "==", "done"), with one of {" ".join(grammar.OPERATORS)}')


def _warn(told: str) -> None:
    warnings.warn(told, stacklevel=2)
