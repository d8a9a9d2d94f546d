"""Verbs on the pipe cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..ops.rescued import Item
    from ..session import Session

from .. import durations, render
from ..errors import UsageError
from ..ops import open_store, rescued
from .group import Verbs, verb
from .table import RESCUE_VERBS
from .tables import show as show_rows

COLUMNS = ("name", "age", "left", "size", "state", "reason", "asked")

rescue = Verbs(RESCUE_VERBS, name="rescue", help="What was piped in and could not go where it was sent. prontodb copy takes it from there.")


@verb(epilog="Example: prontodb rescue list")
def list_(session: Session) -> int:
    """List rescued content: its name under pipe.cache, age, time left, size, whether it is whole, the reason, the address asked for."""
    store = open_store(session)
    return show_rows(session, COLUMNS, [_row(session, item) for item in rescued.items(store)])


@verb(epilog="Example: prontodb rescue show pipe.cache.1757569450_85e49569_notes")
@click.argument("name")
def show(session: Session, name: str) -> int:
    """Tell all that is known of one of them. NAME with or without pipe.cache. in front."""
    store = open_store(session)
    item = rescued.find(store, name)
    told = {"address": item.address, **_row(session, item), "file": item.spooled or None}
    return show_rows(session, ("field", "value"), [{"field": field, "value": value} for field, value in told.items()])


@verb(epilog="Example: prontodb rescue drop --all")
@click.argument("names", metavar="NAME...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Drop everything that is there.")
def drop(session: Session, names: tuple[str, ...], every: bool) -> int:
    """Delete rescued content for good."""
    if every == bool(names):
        raise UsageError("Nothing to drop named" if not every else "Both names and --all", cure="prontodb rescue drop NAME, or --all")
    store = open_store(session)
    dropped = [item for item in rescued.items(store) if not item.arriving] if every else [rescued.find(store, name) for name in names]
    rescued.drop(store, dropped)
    render.note(session, f"Dropped {len(dropped)}")
    return 0


def _row(session: Session, item: Item) -> dict[str, object]:
    # Not the store's time: this must tell what there is when the store cannot be had.
    now = session.now()
    left = None if item.expires is None else durations.show(item.expires - now)
    state = "arriving" if item.arriving else "partial" if item.partial else "spooled" if item.spooled else "cached"
    return {
        "name": item.name,
        "age": durations.show(max(0, now - item.created)),
        "left": left,
        "size": item.size,
        "state": state,
        "reason": item.reason or None,
        "asked": item.asked or None,
    }
