"""Verbs of the history: `history`, `log`, `blame`, `undo`; and `get --at`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..address import Place
    from ..past import Version
    from ..session import Session

from .. import formats, render
from ..address import parse_place
from ..errors import UsageError
from ..ops import history as ops
from ..ops import open_store, secrets
from ..ops.moments import moment, show, since
from .group import verb
from .kinds import Whole
from .tables import show as table

LOGGED = 100
"""Changes that `log` lists unless it is told otherwise."""

_ndjson = click.option("--ndjson", is_flag=True, help="JSON, one change a line.")


@verb(epilog="Example: prontodb history work.config.port")
@click.argument("address")
@click.option("--drop", is_flag=True, help="Remove the history for good; the entry stays.")
@_ndjson
def history(session: Session, address: str, drop: bool, ndjson: bool) -> int:
    """List the changes of an entry, the last one first: revision, time, actor, what it was, size, and whether the value can be had.

    Values that were replaced or deleted are kept for history_ttl (24h), as long as history_count and history_bytes leave room.
    """
    at, store = session.address(address), open_store(session)
    if drop:
        ops.drop(store, at)
        render.note(session, f"Removed the history of {at}")
        return 0
    found = ops.versions(store, at)
    by_revision = {version.made.revision: version for version in found}
    rows = [_row(event, by_revision.get(event.change.revision)) for event in reversed(ops.changes(found))]
    return table(session, ("revision", "time", "actor", "change", "size", "kept"), rows, ndjson=ndjson)


@verb(epilog="Example: prontodb log work.config --limit 20")
@click.argument("place", required=False)
@click.option("--all", "every", is_flag=True, help="All places of the database, but for the pipe cache.")
@click.option("--limit", type=Whole(), default=LOGGED, metavar="N", help="At most N changes (100); 0 for all.")
@_ndjson
def log(session: Session, place: str | None, every: bool, limit: int, ndjson: bool) -> int:
    """List the changes in PLACE (or in the current place), the last one first: time, revision, actor, what it was, address.

    What was neither replaced nor deleted is listed however old it is; what was, for as long as the history keeps it.
    """
    if every and place is not None:
        raise UsageError(f"Both a place, '{place}', and --all", cure="give one of them")
    at = None if every else parse_place(place, session.scope())
    rows = [_row(event, None) for event in ops.events(open_store(session), at, limit or ops.ALL)]
    return table(session, ("time", "revision", "actor", "change", "address"), rows, ndjson=ndjson)


@verb(epilog="Example: prontodb blame work.config.port")
@click.argument("address")
def blame(session: Session, address: str) -> int:
    """Tell who wrote the value that stands there: actor, time, revision. Of a deleted one (2), who deleted it."""
    version = ops.blame(open_store(session), session.address(address))
    return table(session, ("actor", "time", "revision"), [_row(ops.changes([version])[0], version)])


@verb(epilog="Example: prontodb undo --actor agent-7 --since 10m work.config")
@click.argument("address", metavar="[ADDRESS | PLACE]", required=False)
@click.option("--actor", metavar="X", help="Take back all that X has changed since --since.")
@click.option("--since", "start", metavar="T", help="From when on: 10m (ago), 2026-11-23T12:00, @UNIXSECONDS.")
@click.option("--force", is_flag=True, help="Take back too what others did to the same keys afterwards.")
@click.option("--skip", is_flag=True, help="Leave alone what others have changed afterwards, and what is not kept.")
@click.option("--dry-run", "dry", is_flag=True, help="Show what would be done: restored, deleted, or what bars it.")
def undo(session: Session, address: str | None, actor: str | None, start: str | None, force: bool, skip: bool, dry: bool) -> int:
    """Take back the last change of ADDRESS, whoever made it: what it replaced or deleted stands there again, what it created is gone.

    With --actor, every key that X has changed in that time goes back to what it was before X's first change, all in one step: in
    PLACE, or without one everywhere. Where others have changed one of them since, nothing is done (3), but see --force and --skip.
    Values come back with the lifetimes that they had. An undo is a change like any other: a second one takes the first one back.
    """
    if actor is not None:
        return _undo_actor(session, _wish(session, (address, actor, start), force=force, skip=skip), dry=dry)
    if address is None or start is not None or force or skip or dry:
        alone = "--since, --force, --skip and --dry-run go with --actor"
        why = "An address, or an actor, is wanted" if address is None else f"An address goes alone: {alone}"
        raise UsageError(why, cure="prontodb undo ADDRESS, or prontodb undo --actor X --since 10m [PLACE]")
    at = session.address(address)
    ops.undo(open_store(session), at)
    render.note(session, f"Took back the last change of {at}")
    return 0


def get_at(session: Session, text: str, at: str, *, newline: bool, rev: bool, reveal: bool = False) -> int:
    """Prints a value as it was."""
    address, store = session.address(text), open_store(session)
    found = ops.at(store, address, moment(session, at, store.now))
    if not (reveal or rev):
        secrets.check(session, address, found.entry)
        # What a secret was before it was marked as one is likely to be the same.
        secrets.check(session, address, secrets.standing(store, address))
    if rev:
        session.stdout.write(b"%d\n" % found.entry.revision)
    elif session.flags.json:
        import json

        found.entry.value = found.read()
        session.stdout.write(json.dumps(formats.described(formats.Record(str(address), address, found.entry))).encode() + b"\n")
    else:
        render.value(session, found, newline=newline)
    return 0


def _wish(session: Session, words: tuple[str | None, str, str | None], *, force: bool, skip: bool) -> ops.Wish:
    where, actor, start = words
    if force and skip:
        raise UsageError("--force and --skip contradict each other", cure="give one of them")
    if start is None:
        raise UsageError(f"Since when are the changes of '{actor}' to be undone?", cure="--since 10m")
    narrowed = where is not None or session.flags.project or session.flags.namespace
    place: Place | None = parse_place(where, session.scope()) if narrowed else None
    return ops.Wish(actor, since(session, start, open_store(session).now), place, force=force, skip=skip)


def _undo_actor(session: Session, wish: ops.Wish, *, dry: bool) -> int:
    store = open_store(session)
    planned = ops.plan(store, wish)
    if dry:
        return table(session, ("address", "change", "revision"), _planned(planned))
    ops.carry_out(store, wish, planned)
    render.note(session, f"Took {len(planned.steps)} keys back to what they were")
    return 0


def _planned(planned: ops.Plan) -> list[dict[str, object]]:
    rows = [(step.address, "restored" if step.to else "deleted", step.to or None) for step in planned.steps]
    rows += [(address, "changed by others", None) for address in planned.touched]
    rows += [(address, "not kept", None) for address in planned.gone]
    return [{"address": str(address), "change": change, "revision": revision} for address, change, revision in rows]


def _row(event: ops.Event, version: Version | None) -> dict[str, object]:
    change = event.change
    return {
        "address": str(event.address),
        "revision": change.revision,
        "time": show(change.time),
        "actor": change.actor or None,
        "change": event.what,
        "size": event.size,
        "kept": None if version is None else "yes" if version.kept else "no",
        "expires": version.expires if version else None,
    }
