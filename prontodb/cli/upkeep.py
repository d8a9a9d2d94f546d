"""Verbs that look after whole databases: doctor, repair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..session import Session

from .. import render
from ..ops import health, open_store
from ..ops import repair as repairs
from ..ops.cursors import unpinned
from ..progress import shown
from .group import verb
from .tables import show


@verb(epilog="Example: prontodb doctor --all")
@click.option("--all", "every", is_flag=True, help="All databases of the user, not only the current one.")
def doctor(session: Session, every: bool) -> int:
    """Look everything over, and say the cure where something is wrong: the database, modes, the spool, settings. Changes nothing.

    The exit status is 1 where something is wrong. It reads the whole database.
    """
    store = open_store(session)
    if every:
        unpinned(session.context(), "to other databases")
    rows = list(health.findings(session, store, health.databases(session) if every else []))
    show(session, ("check", "state", "cure"), [row.__dict__ for row in rows])
    return int(any(row.cure for row in rows))


@verb(epilog="Example: prontodb repair --database work")
@click.option("--force", is_flag=True, help="Also where nothing is found wrong: a new file of all that is there.")
def repair(session: Session, force: bool) -> int:
    """Make a sound database of a damaged one: what can be read goes into a new file, which takes its place. The old one is kept beside it.

    What could not be saved is named on standard error, and makes the exit status 1.
    """
    store = open_store(session)
    done = repairs.repair(session, store, force=force)
    if done is None:
        render.note(session, f"Nothing to repair: {store.database} is sound")
        return 0
    said = f"Saved {done.entries} entries ({shown(done.size)}) into {store.database}; the damaged file is {done.kept}"
    render.line(session.stderr, said)
    for name in done.lost:
        render.line(session.stderr, f"Lost: the content of {name}")
    if done.gaps:
        render.line(session.stderr, f"{done.gaps} runs of entries could not be read: compare with a backup (prontodb backup --list)")
    return int(bool(done.lost or done.gaps))
