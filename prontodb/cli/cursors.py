"""Verbs on cursors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..session import Session

from .. import render, saved
from ..ops import cursors, open_store
from .group import Verbs, verb
from .mistakes import likely, unknown
from .table import CURSOR_VERBS
from .tables import show


class Cursors(Verbs):
    """`cursor NAME` is short for `cursor use NAME`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb, or `use` for any other word that stands alone."""
        if args[0] not in self.rows and len(args) > 1 and likely(args[0], self.rows):
            raise unknown(args, self.rows, ctx.command_path)
        return super().resolve_command(ctx, args if args[0] in self.rows else ["use", *args])


cursor = Cursors(CURSOR_VERBS, name="cursor", help="Saved names for a database, a meta, a project and a namespace. cursor NAME uses one.")


@verb(epilog="Example: prontodb cursor set work main -p work -n notes")
@click.argument("name")
@click.argument("target")
@click.option("--shared", is_flag=True, help="Let other users open the database too, by a cursor or path of their own.")
def put(session: Session, name: str, target: str, shared: bool) -> int:
    """Save cursor NAME for TARGET, a database's name or path, with the --meta, -p and -n that are given. --user says whose cursor."""
    preset = cursors.put(session, name, target)
    if shared:
        session.flags.database = preset.database
        session.forget_context()
        open_store(session).engine.share(shared=True)
    render.note(session, f"Cursor {name}: {preset.database}")
    return 0


@verb(epilog="Example: prontodb cursor use work")
@click.argument("name")
def use(session: Session, name: str) -> int:
    """Make cursor NAME the active one: all commands of this user take from it what they are not told otherwise."""
    cursors.use(session, name)
    render.note(session, f"Active: {name}")
    return 0


@verb(epilog="Example: prontodb cursor active")
def active(session: Session) -> int:
    """Print the name of the active cursor."""
    render.page(session, [cursors.active(session)])
    return 0


@verb(epilog="Example: prontodb cursor list")
def list_(session: Session) -> int:
    """List the user's cursors; * marks the active one."""
    user = session.context().user.value
    current = saved.active(session.environ, user)
    rows = []
    for name in saved.names(session.environ, user):
        preset = saved.cursor(session.environ, user, name)
        fields = {field: getattr(preset, field) or None for field in saved.FIELDS}
        rows.append({"active": "*" if name == current else None, "name": name, **fields})
    return show(session, ("active", "name", *saved.FIELDS), rows)


@verb(epilog="Example: prontodb cursor clear")
def clear(session: Session) -> int:
    """Leave no cursor active."""
    cursors.clear(session)
    return 0


@verb(epilog="Example: prontodb cursor delete work")
@click.argument("name")
def delete(session: Session, name: str) -> int:
    """Delete a cursor. The data that it points to stays."""
    cursors.delete(session, name)
    render.note(session, f"Deleted cursor {name}")
    return 0
