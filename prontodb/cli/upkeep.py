"""Verbs that look after whole databases: doctor, repair, backup, restore."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..ops import Store
    from ..session import Session

from .. import render
from ..errors import UsageError
from ..ops import backup as backups
from ..ops import health, open_store
from ..ops import repair as repairs
from ..ops import restore as restores
from ..ops.cursors import unpinned
from ..progress import shown
from .group import verb
from .kinds import NAMED, Whole
from .tables import show

COLUMNS = ("file", "created", "user", "databases", "entries", "size", "state")


def _file_store(session: Session) -> Store:
    """The call's store, which must be a file: another engine's server has tools of its own for this."""
    store = open_store(session)
    if "://" in store.database:
        raise UsageError(f"{store.database} is no SQLite file", cure="its server's own tools, or prontodb export --all")
    return store


@verb(epilog="Example: prontodb doctor --all")
@click.option("--all", "every", is_flag=True, help="All databases of the user, not only the current one.")
def doctor(session: Session, every: bool) -> int:
    """Look everything over, and say the cure where something is wrong: the database, modes, the spool, settings. Changes nothing.

    The exit status is 1 where something is wrong. It reads the whole database.
    """
    store = _file_store(session)
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
    store = _file_store(session)
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


@verb(epilog="Example: prontodb backup --prune 7")
@click.option("--output", type=NAMED, metavar="F", help="The folder, or the file, to make; without it, $XDG_DATA_HOME/prontodb/backups.")
@click.option("--all", "every", is_flag=True, help="All users of this home.")
@click.option("--prune", "keep", type=Whole(1), metavar="N", help="Then delete the user's oldest, so that N are left in that folder.")
@click.option("--list", "listing", is_flag=True, help="List the backups that are there instead.")
def backup(session: Session, output: str | None, every: bool, keep: int | None, listing: bool) -> int:
    """Back up the user's databases, with those that cursors point to, cursors and profiles; with --database, that one alone.

    Others may go on reading and writing. It is verified before it gets its name, which is printed.
    """
    if listing:
        if every or keep is not None:
            raise UsageError("--list goes with --output only", cure="prontodb backup --list")
        return show(session, COLUMNS, list(backups.listed(session, output)))
    store = _file_store(session)
    made = backups.backup(session, store, output, every=every)
    gone = [] if keep is None else backups.prune(session, output, "all" if every else store.whose[0], keep)
    told = {"file": made.path, "size": made.size, "databases": made.databases, "entries": made.entries, "pruned": gone}
    if session.flags.json:
        session.stdout.write(json.dumps(told).encode() + b"\n")
    else:
        render.page(session, [made.path])
    render.note(session, f"{made.databases} databases, {made.entries} entries, {shown(made.size)}; {len(gone)} older ones deleted")
    return 0


@verb(epilog="Example: prontodb restore backups/prontodb-default-20260131T235959Z.tar --dry-run")
@click.argument("file", type=NAMED)
@click.option("--into", type=NAMED, metavar="DIR", help="Unpack it as databases in a new folder instead; replaces nothing.")
@click.option("--dry-run", "dry", is_flag=True, help="Verify it, and show what would change.")
def restore(session: Session, file: str, into: str | None, dry: bool) -> int:
    """Put a backup back: databases, cursors and profiles become what they were; with --database, that database alone.

    All of it is verified first. What is replaced is backed up before, and the name of that backup printed. Others may have the
    databases open: they see the old content or the new.
    """
    store = _file_store(session)
    if into is not None:
        if dry:
            raise UsageError("--into and --dry-run contradict each other", cure="give one of them")
        render.page(session, restores.into(session, store, file, into))
        return 0
    steps, kept = restores.restore(session, store, file, dry=dry)
    if dry:
        rows = [{"what": step.path, "change": step.change, "before": step.before, "after": step.after} for step in steps]
        return show(session, ("what", "change", "before", "after"), rows)
    if kept:
        render.page(session, [kept])
    render.note(session, f"Restored {len(steps)} files from {file}")
    return 0
