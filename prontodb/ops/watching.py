"""What happens in a place, as events: found by comparing what is there with what was there at the look before."""

from ..model import Entry
from .looks import Looks
from .places import ENTRIES
from .secrets import is_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..address import Address, Place
    from . import Store

    State = tuple[int, int | None]

LARGEST = 64 << 10
"""Bytes of a value that an event carries; of a larger one it has the size, and `get` the bytes."""
BEAT = 1.0
"""Seconds after which it is looked whether anybody still listens."""


class Event:
    """What happened to an entry: `set`, `lifetime` (it ends at another time), `deleted` or `expired`.

    `time` is when that was seen, in Unix seconds, or when an entry expired; `entry` what is there now, with its value where that is told.
    """

    __slots__ = ("address", "entry", "initial", "kind", "revision", "secret", "time")

    def __init__(self, kind: str, address: "Address", revision: int, time: float) -> None:
        self.kind = kind
        self.address = address
        self.revision = revision
        self.time = time
        self.entry: Entry | None = None
        self.initial = False
        self.secret = False
        """Whether its value is not to be told."""


class Wanted:
    """What of a place is told: values, those of secrets too, and what is there at first."""

    __slots__ = ("initial", "secrets", "values")

    def __init__(self, *, values: bool = True, secrets: bool = False, initial: bool = False) -> None:
        self.values = values
        self.secrets = secrets
        self.initial = initial


class Watcher:
    """Tells of the changes in a place, from its making on. Remembers revision and end of each entry, and nothing else of it."""

    def __init__(self, store: "Store", place: "Place", wanted: Wanted, looks: Looks) -> None:
        """Takes note of what is there. Raises `ProntoError` where that cannot be had."""
        self._store = store
        self._place = place
        self._wanted = wanted
        self._looks = looks
        self._known: dict[str, State] = {}
        self._ends: int | None = None
        """When the first of them ends, in Unix seconds."""
        self._stale = wanted.initial
        self._initial = wanted.initial
        looks.changed(0)
        if not wanted.initial:
            looks.take(self._changes)

    def events(self, listening: "Callable[[], bool]") -> "Iterator[Event]":
        """The events of each look: first what has gone, then what was written, in the order of that. Ends with the time, or when nobody
        listens any more.

        It looks again when those of a look have been dealt with. Nothing is lost meanwhile, but of several changes of one entry between two
        looks the last is told.
        """
        while listening():
            over = self._looks.over
            for event in self._look():
                yield self._told(event)
            if over:
                return
            self._wait()

    def _look(self) -> list[Event]:
        """What has happened since the last look, where anything may have."""
        now = self._looks.now()
        if not (self._stale or (now and self._ends is not None and now >= self._ends)):
            return []
        found = self._looks.take(self._changes)
        self._stale = found is None
        if found:
            initial, self._initial = self._initial, False
            for event in found:
                event.initial = initial
        return found or []

    def _wait(self) -> None:
        now = self._looks.now()
        left = BEAT if now is None or self._ends is None else max(0.0, self._ends - now)
        # In this order: it has to be asked each time, as what it has said is not said again.
        self._stale = self._looks.changed(min(BEAT, left)) or self._stale

    def _changes(self) -> list[Event]:
        now, known = self._store.now, self._known
        found: dict[str, State] = {}
        written: list[Event] = []
        for entry in self._entries(now):
            before = known.get(entry.name)
            state = (entry.revision, entry.expires)
            found[entry.name] = before if before == state else state
            if before != state:
                kind = "lifetime" if before and before[0] == entry.revision else "set"
                written.append(self._event(kind, entry.name, state, now))
                written[-1].entry = entry
        gone = [self._event(_end(state, now), name, state, now) for name, state in known.items() if name not in found]
        self._known = found
        self._ends = min((expires for _, expires in found.values() if expires is not None), default=None)
        return gone + sorted(written, key=lambda event: event.revision)

    def _entries(self, now: float) -> "Iterator[Entry]":
        after = ""
        while page := self._store.engine.entries(self._place, after, ENTRIES, now):
            after = page[-1].name
            yield from page

    def _event(self, kind: str, name: str, state: "State", now: float) -> Event:
        event = Event(kind, self._place.address(name), state[0], now)
        if kind == "expired":
            event.time = state[1] or now
        return event

    def _told(self, event: Event) -> Event:
        """The event with as much of the value as is to be told."""
        entry = event.entry
        if entry is None:
            return event
        event.secret = self._hidden(event.address, entry)
        if event.kind != "set" or event.secret or not self._wanted.values or entry.size > LARGEST:
            entry.value = None
        elif entry.value is None:
            self._fill(event)
        return event

    def _fill(self, event: Event) -> None:
        """Reads a value that its listing left out. One that was written since is told of now, and not once more."""
        found = self._looks.take(lambda: self._store.engine.get(event.address, self._store.now))
        if found is None:
            return
        event.entry, event.revision = found.entry, found.entry.revision
        self._known[found.entry.name] = (found.entry.revision, found.entry.expires)
        event.secret = self._hidden(event.address, found.entry)
        if found.entry.size <= LARGEST and not event.secret:
            found.entry.value = found.read()

    def _hidden(self, address: "Address", entry: Entry) -> bool:
        return not self._wanted.secrets and is_secret(address, entry)


def _end(state: "State", now: float) -> str:
    return "deleted" if state[1] is None or state[1] > now else "expired"
