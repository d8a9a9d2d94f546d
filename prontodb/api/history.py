"""The API's verbs of the history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from typing import TypeAlias

    from ..address import Place
    from .arguments import Key
    from .caller import Caller
    from .records import Change, Entry, Undone

    Moment: TypeAlias = str | int | timedelta | datetime

from ..errors import UsageError
from ..ops import history, open_store, secrets
from . import records
from .caller import text
from .core import Core

LOGGED = 100
"""Changes that `log` lists unless it is told otherwise, as the command."""


class History(Core):
    """See the module."""

    def history(self, key: Key) -> list[Change]:
        """The changes of an entry, the last one first. Raises `Miss` where there is none and was none."""
        address = self._address(key)
        with self._call() as store:
            found = history.versions(store, address)
        by_revision = {version.made.revision: version for version in found}
        return [records.change(event, by_revision.get(event.change.revision)) for event in reversed(history.changes(found))]

    def log(self, place: Key | None = None, *, everywhere: bool = False, limit: int | None = LOGGED) -> list[Change]:
        """The changes in a place, the last one first, at most `limit`; `everywhere`: in all of the database but the pipe cache."""
        at = self._within(place, everywhere=everywhere)
        if limit is not None and limit < 1:
            raise UsageError(f"Invalid limit {limit}", cure="a number of changes, or None for all")
        with self._call() as store:
            return [records.change(event, None) for event in history.events(store, at, history.ALL if limit is None else limit)]

    def blame(self, key: Key) -> Change:
        """Who wrote the value that stands there, and when. Raises `Miss`, which tells who deleted it."""
        address = self._address(key)
        with self._call() as store:
            version = history.blame(store, address)
        return records.change(history.changes([version])[0], version)

    def entry_at(self, key: Key, at: Moment) -> Entry:
        """The entry as it was at a revision, or at a time: a `datetime`, how long ago (`timedelta`, `"10m"`), or as `get --at` takes it.

        Raises `Miss` where nothing was there, or what was is not kept.
        """
        address = self._address(key)
        with self._seats.taken() as session:
            store = open_store(session)
            found = history.at(store, address, _moment(session, at))
            entry = records.entry(address, found.entry, found.read())
            # What a secret was before it was marked as one is likely to be the same.
            return replace(entry, secret=entry.secret or secrets.is_secret(address, secrets.standing(store, address)))

    def undo(self, key: Key) -> None:
        """Takes back the last change of an entry, whoever made it; a second time takes that back. Raises `Miss`."""
        address = self._address(key)
        with self._change() as store:
            history.undo(store, address)

    def undo_actor(
        self,
        actor: str,
        since: Moment,
        place: Key | None = None,
        *,
        everywhere: bool = False,
        force: bool = False,
        skip: bool = False,
        dry_run: bool = False,
    ) -> Undone:
        """Takes back, in one step, all that an actor has changed in a place since a time, as in `entry_at`; a number is seconds ago.

        Where others have changed one of the keys since, nothing is done: raises `PreconditionFailed`. `force` takes back what they did,
        too; `skip` leaves those keys alone, and those of which what was there is not kept. `dry_run` tells what would be done.
        """
        if force and skip:
            raise UsageError("force and skip contradict each other", cure="give one of them")
        within = self._within(place, everywhere=everywhere)
        with self._seats.turn() as session:
            store = open_store(session)
            wish = history.Wish(actor, _since(session, since), within, force=force, skip=skip)
            plan = history.plan(store, wish)
            if not dry_run:
                history.carry_out(store, wish, plan)
        return records.undone(plan)

    def drop_history(self, key: Key) -> None:
        """Removes the history of an entry for good; the entry stays. Raises `Miss`."""
        address = self._address(key)
        with self._change() as store:
            history.drop(store, address)

    def _within(self, place: Key | None, *, everywhere: bool) -> Place | None:
        if everywhere and place is not None:
            raise UsageError(f"Both a place, '{text(place)}', and everywhere", cure="give one of them")
        return None if everywhere else self._place(place)


def _moment(session: Caller, at: Moment) -> history.Moment:
    from ..ops import moments

    now = open_store(session).now
    return moments.moment(session, _spelled(at, now), now)


def _since(session: Caller, since: Moment) -> float:
    from ..ops import moments

    now = open_store(session).now
    return moments.since(session, _spelled(since, now), now)


def _spelled(when: Moment, now: float) -> str:
    """A time as the command takes it. Changes have one in milliseconds: what was just done is not to be left out for a part of one."""
    from datetime import datetime, timedelta

    if isinstance(when, (timedelta, datetime)):
        time = now - when.total_seconds() if isinstance(when, timedelta) else when.timestamp()
        return f"@{time * 1000 // 1 / 1000!r}"
    if isinstance(when, bool) or not isinstance(when, (int, str)):
        raise TypeError(f"a time is int, str, timedelta or datetime, not {type(when).__name__}")
    return str(when)
