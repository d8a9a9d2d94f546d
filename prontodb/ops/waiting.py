"""Waiting until conditions hold."""

from ..address import Address, Place
from ..conditions import Amount, Condition
from ..durations import show
from ..errors import Miss, ProntoError
from ..model import Entry
from . import kv, places
from .looks import Looks
from .patience import TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from . import Store

SHOWN = 3
"""Conditions that an error names."""


class One:
    """A condition on one entry."""

    def __init__(self, address: Address, condition: Condition) -> None:
        self._address = address
        self._condition = condition
        self._known: tuple[int, bool] | None = None

    def holds(self, store: "Store") -> bool:
        """Whether it holds now. A value is read once for each revision, and only where it matters."""
        entry = _entry(store, self._address)
        if entry is None:
            return self._condition.holds(None)
        if not self._condition.by_value:
            return self._condition.holds(b"")
        if self._known is None or self._known[0] != entry.revision:
            self._known = _judged(store, self._address, self._condition)
        return self._known is not None and self._known[1]

    def __str__(self) -> str:
        return str(self._condition)


class Many:
    """A condition on the number of entries in a place."""

    def __init__(self, place: Place, text: str, amount: Amount) -> None:
        self._place = place
        self._text = text
        self._amount = amount

    def holds(self, store: "Store") -> bool:
        """Whether it holds now. Counts no further than one beyond the number that matters."""
        count = 0
        for page in places.names(store, self._place):
            count += len(page)
            if count > self._amount.least:
                break
        return self._amount.holds(min(count, self._amount.least + 1))

    def __str__(self) -> str:
        return f"--count {self._text} {self._amount}"


def until(
    store: "Store", conditions: "Sequence[One | Many]", *, every: bool, timeout: float | None, told: "Callable[[str], None]"
) -> list[str]:
    """Waits until one of the conditions holds, or with `every` all of them at one look; those that do. Raises `TimedOut`.

    It looks once at least, whatever `timeout` (seconds; None: for ever), and a last time when that is over.
    """
    looks = Looks(store, timeout, told)
    while True:
        over = looks.over
        found = looks.take(lambda: (store.now, [str(one) for one in conditions if one.holds(store)]))
        now, holding = found or (0.0, [])
        if found and (len(holding) == len(conditions) if every else holding):
            return holding
        if over:
            raise _timed_out([str(one) for one in conditions if str(one) not in holding], timeout or 0.0, looks.trouble)
        # Entries end on whole seconds.
        looks.changed(1 - now % 1)


def _judged(store: "Store", address: Address, condition: Condition) -> tuple[int, bool] | None:
    """The revision that stands there and whether the condition holds of its value; None where it has gone meanwhile."""
    try:
        found = kv.get(store, address)
    except Miss:
        return None
    return found.entry.revision, condition.holds(found.read())


def _entry(store: "Store", address: Address) -> Entry | None:
    """The entry at an address without a value that is large; the first in the order of names that begin with its own."""
    if kv.cached(address):
        try:
            return kv.get(store, address).entry
        except Miss:
            return None
    found = store.engine.entries(Place(address.project, address.namespace, address.name), "", 1, store.now)
    return found[0] if found and found[0].name == address.name else None


def _timed_out(missing: list[str], timeout: float, trouble: ProntoError | None) -> TimedOut:
    shown = "; ".join(missing[:SHOWN]) + (f"; and {len(missing) - SHOWN} more" if len(missing) > SHOWN else "")
    after = f"Not so after {show(int(timeout)) if timeout == int(timeout) else f'{timeout:g}s'}" if timeout else "Not so"
    why = f" ({trouble.message})" if trouble else ""
    return TimedOut(
        f"{after}: {shown}{why}", cure=(trouble.cure if trouble else "") or "wait longer with --timeout, or without it for ever"
    )
