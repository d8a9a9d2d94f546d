"""What was there, who changed it, and the way back."""

from ..engines.failures import PreconditionFailed
from ..errors import Miss, UsageError
from ..past import Change, Step, Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..address import Address, Place
    from ..model import Found
    from . import Store

ALL = 1 << 62
"""More than there are."""
NAMED = 5
"""Keys that a refusal names."""
CREATED, CHANGED, DELETED = "created", "changed", "deleted"


class Event:
    """One change of one key: `what` is one of the words above; `before` the revision of what it replaced, 0 for nothing, None where that
    is not known; `size` that of the value that it left, None for a deletion or where that has ended since.
    """

    __slots__ = ("address", "before", "change", "size", "what")

    def __init__(self, address: "Address", change: Change, what: str, before: int | None) -> None:
        self.address = address
        self.change = change
        self.what = what
        self.before = before
        self.size: int | None = None


class Moment:
    """What `get --at` takes: a revision of the meta, or a time in Unix seconds. `text` is how it was given."""

    __slots__ = ("revision", "text", "time")

    def __init__(self, text: str, *, revision: int | None = None, time: float | None = None) -> None:
        self.text = text
        self.revision = revision
        self.time = time


class Wish:
    """What `undo --actor` is to undo: the changes of `actor` from `since` on (Unix seconds), in a place, or everywhere.

    Of keys that others have written to since, `force` takes back their changes too, and `skip` leaves them alone.
    """

    __slots__ = ("actor", "force", "place", "since", "skip")

    def __init__(self, actor: str, since: float, place: "Place | None", *, force: bool = False, skip: bool = False) -> None:
        self.actor = actor
        self.since = since
        self.place = place
        self.force = force
        self.skip = skip


class Plan:
    """What is to be done, and why some keys bar it: those that others have written to, those whose values are not kept."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.touched: list[Address] = []
        self.gone: list[Address] = []
        self.found = 0
        """Keys that the actor has changed."""


def versions(store: "Store", address: "Address") -> list[Version]:
    """The versions of an entry, the last one first. Raises `Miss` where there is none."""
    found = store.engine.versions(address, 0, ALL, store.now)
    if not found:
        raise Miss(f"No such key, and no history of one: {address}", address=str(address))
    return found


def at(store: "Store", address: "Address", moment: Moment) -> "Found":
    """The entry as it was. Raises `Miss` where nothing was there, or what was is not kept, `UsageError` for a revision still to come."""
    version = next((one for one in store.engine.versions(address, 0, ALL, store.now) if _stood(one, moment)), None)
    _require_past(store, moment)
    if version is None:
        raise Miss(f"{address} had no value at {moment.text}, or none that is kept", cure=_tell(address), address=str(address))
    found = store.engine.recall(address, version.made.revision, store.now) if version.kept else None
    if found is None:
        raise _unkept(address, version.made.revision)
    return found


def events(store: "Store", place: "Address | Place | None", limit: int) -> list[Event]:
    """The changes in a place, or in all but the pipe cache, the last one first."""
    found = [event for those in _by_key(store.engine.versions(place, 0, limit, store.now)).values() for event in changes(those)]
    return sorted(found, key=lambda event: -event.change.revision)[:limit]


def blame(store: "Store", address: "Address") -> Version:
    """The live entry's version. Raises `Miss`, which tells who deleted it."""
    last = versions(store, address)[0]
    if last.ended is None:
        return last
    how = "deleted" if last.deleted else "given another value, which has ended since,"
    raise Miss(
        f"No such key: {address}; {how} by {last.ended.actor or 'somebody'} (revision {last.ended.revision})",
        cure=f"prontodb undo {address} takes that back",
        address=str(address),
    )


def undo(store: "Store", address: "Address") -> list[Step]:
    """Takes back the last change of a key. Raises `Miss` where there is none, or what it replaced is not kept."""
    found = versions(store, address)
    event = changes(found)[-1]
    to = _target(found, event, store.now)
    if to is None:
        raise _unkept(address, event.before or 0)
    if not to and found[0].ended:
        raise Miss(f"{address} had a value whose lifetime is over", cure=_tell(address), address=str(address))
    steps = [Step(address, event.change.revision, to)]
    store.engine.revert(steps, store.now)
    return steps


def plan(store: "Store", wish: Wish) -> Plan:
    """What undoing an actor's changes comes to."""
    made = Plan()
    for address, found in _by_key(store.engine.versions(wish.place, wish.since, ALL, store.now)).items():
        _plan_key(made, wish, (address, found), store.now)
    return made


def carry_out(store: "Store", wish: Wish, planned: Plan) -> None:
    """Does it, all in one step. Raises `Miss` where there is nothing, `PreconditionFailed` where something bars it."""
    if not planned.found:
        raise Miss(f"No change by '{wish.actor}' in that time", cure="prontodb log tells who changed what")
    if not wish.skip:
        _refuse(planned.touched, "others have changed since", "--skip leaves them alone, --force takes back what others did there too")
        _refuse(planned.gone, "what was there is not kept any more", "--skip leaves them alone")
    if planned.steps:
        store.engine.revert(planned.steps, store.now)


def drop(store: "Store", address: "Address") -> None:
    """Removes the history of a key, not its entry. Raises `Miss` where it has none."""
    if not store.engine.drop([address], store.now):
        raise Miss(f"No history: {address}", address=str(address))


def changes(found: "Iterable[Version]") -> list[Event]:
    """The changes that the versions of one key tell of, the first one first."""
    made: dict[int, Event] = {}
    versions = sorted(found, key=lambda version: version.made.revision)
    for version in versions:
        event = Event(version.address, version.made, CHANGED if version.previous != 0 else CREATED, version.previous)
        event.size = version.size
        made[version.made.revision] = event
    for version in versions:
        if version.ended and version.ended.revision not in made:
            # Where it was no deletion, what came then has ended by itself since.
            what = DELETED if version.deleted else CHANGED
            made[version.ended.revision] = Event(version.address, version.ended, what, version.made.revision)
    return [made[revision] for revision in sorted(made)]


def _plan_key(made: Plan, wish: Wish, key: "tuple[Address, list[Version]]", now: float) -> None:
    address, found = key
    told = changes(found)
    mine = [event for event in told if event.change.actor == wish.actor and (event.change.time or 0) >= wish.since]
    if not mine:
        return
    made.found += 1
    later = [event for event in told if event.change.revision > mine[0].change.revision and event.change.actor != wish.actor]
    to = _target(found, mine[0], now)
    if later and not wish.force:
        made.touched.append(address)
    elif to is None:
        made.gone.append(address)
    elif to or found[0].ended is None:
        made.steps.append(Step(address, told[-1].change.revision, to))


def _target(found: list[Version], event: Event, now: float) -> int | None:
    """The version that an event has replaced: 0 for none, or one whose lifetime is over; None where it is not kept."""
    if event.before == 0:
        return 0
    version = next((one for one in found if one.made.revision == event.before), None)
    if version is None or version.kept:
        return version.made.revision if version else None
    return 0 if version.expires is not None and version.expires <= now else None


def _require_past(store: "Store", moment: Moment) -> None:
    if moment.revision is not None and moment.revision > (latest := store.engine.latest()):
        raise UsageError(f"Revision {moment.revision} lies ahead: the last one was {latest}", cure="prontodb log tells of the last changes")


def _stood(version: Version, moment: Moment) -> bool:
    """Whether a version is the one of that moment. One from before a history was kept counts as having been there always."""
    made, ended = version.made, version.ended
    if moment.revision is not None:
        return made.revision <= moment.revision and (ended is None or moment.revision < ended.revision)
    time = moment.time or 0
    over = version.expires is not None and version.expires <= time
    return (made.time or 0) <= time and (ended is None or time < (ended.time or 0)) and not over


def _by_key(found: list[Version]) -> "dict[Address, list[Version]]":
    keys: dict[Address, list[Version]] = {}
    for version in found:
        keys.setdefault(version.address, []).append(version)
    return keys


def _refuse(addresses: "list[Address]", why: str, cure: str) -> None:
    if not addresses:
        return
    named = ", ".join(str(address) for address in addresses[:NAMED])
    more = f" and {len(addresses) - NAMED} more" if len(addresses) > NAMED else ""
    raise PreconditionFailed(f"Nothing was undone: {why}: {named}{more}", cure=cure, address=str(addresses[0]))


def _unkept(address: "Address", revision: int) -> Miss:
    what = f"revision {revision}" if revision else "what it replaced"
    return Miss(f"{address}: {what} is not kept (any more)", cure=_tell(address), address=str(address))


def _tell(address: "Address") -> str:
    return f"prontodb history {address} lists what is kept"
