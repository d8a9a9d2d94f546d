"""Verbs that carry entries elsewhere and back: export, import, export-fs, import-fs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..address import Place
    from ..interchange import Item
    from ..model import Content
    from ..ops import Store
    from ..ops.transfer import Source
    from ..session import Session

from .. import formats, intake, render, tree
from ..address import parse_place
from ..errors import StorageError, UsageError
from ..files import replace_from
from ..interchange import ENDINGS, FORMATS, lines
from ..ops import open_store, transfer
from ..session import Piped
from .group import verb
from .kinds import NAMED
from .listings import emit, records
from .tables import show

COLUMNS = ("address", "change", "size")

STREAM = "stream"
"""A token stream, which has a verb of its own to read it."""

_format = click.option("--format", "kind", type=click.Choice([*FORMATS, STREAM]), help="By default what the file's name says, else ndjson.")
_dry = click.option("--dry-run", "dry", is_flag=True, help="Show what would change: new, changed, same or expired.")
_reveal = click.option("--reveal", is_flag=True, help="Write secrets, too; without it, a place that holds some is not exported (6).")
_every = click.option("--all", "every", is_flag=True, help="All places of the database, but for the pipe cache.")


@verb(epilog="Example: prontodb export work.config --output config.env")
@click.argument("place", required=False)
@_every
@_format
@_reveal
@click.option(
    "--output", type=NAMED, metavar="F", help="The file to make or replace, when all of it is written; without it, standard output."
)
def export(session: Session, place: str | None, every: bool, kind: str | None, output: str | None, reveal: bool) -> int:
    """Write the entries of PLACE (or of the current place) with their lifetimes, in a form that import reads back, any bytes."""
    store = open_store(session)
    at, form = _places(session, store, place, every=every), _kind(kind, output)
    parts = _streamed(store, at, reveal=reveal) if form == STREAM else FORMATS[form].write(_items(store, at, reveal=reveal))
    if not reveal:
        transfer.refuse_secrets(store, at)
    if output is None:
        return emit(session, parts)
    path = os.path.join(session.cwd, output)
    try:
        replace_from(path, parts)
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error.strerror}", cure="--output with a file that can be written") from error
    render.note(session, f"Wrote {path}")
    return 0


@verb(epilog="Example: prontodb import config.env --dry-run")
@click.argument("file", required=False, type=NAMED)
@_format
@_dry
def import_(session: Session, file: str | None, kind: str | None, dry: bool) -> int:
    """Store what export has written, from FILE or standard input: all of it or nothing. What stands at the addresses is replaced.

    The names of a dotenv file of other making go where -p and -n say.
    """
    content = _content(session, file)
    form = _kind(kind, file)
    if form == STREAM:
        from .streams import take

        status = take(session, content, dry_run=dry)
        session.piped = None
        content.discard()
        return status
    return _load(session, lambda: FORMATS[form].read(lines(content.pieces()), session.scope()), content, dry=dry)


@verb(epilog="Example: prontodb export-fs work.notes --output notes")
@click.argument("place", required=False)
@_every
@_reveal
@click.option("--output", type=NAMED, metavar="DIR", required=True, help="The folder to make; it gets its name when all of it is written.")
def export_fs(session: Session, place: str | None, every: bool, output: str, reveal: bool) -> int:
    """Write the entries of PLACE as files DIR/PROJECT/NAMESPACE/NAME; lifetimes go to DIR/.prontodb.ndjson."""
    store = open_store(session)
    folder = os.path.normpath(os.path.join(session.cwd, output))
    if os.path.lexists(folder):
        raise UsageError(f"{folder} is there already", cure="--output with a folder that does not exist")
    try:
        count = tree.write(folder, _items(store, _places(session, store, place, every=every), reveal=reveal))
    except OSError as error:
        raise StorageError(f"Cannot write {folder}: {error.strerror}", cure="--output elsewhere") from error
    render.note(session, f"Wrote {count} files below {folder}")
    return 0


@verb(epilog="Example: prontodb import-fs notes --dry-run")
@click.argument("folder", metavar="DIR", type=NAMED)
@_dry
def import_fs(session: Session, folder: str, dry: bool) -> int:
    """Store the files DIR/PROJECT/NAMESPACE/NAME: all of them or none. What stands at the addresses is replaced."""
    path = os.path.join(session.cwd, folder)
    return _load(session, lambda: tree.read(path), None, dry=dry)


def _load(session: Session, source: Source, content: Content | None, *, dry: bool) -> int:
    store = open_store(session)
    if dry:
        rows = [{"address": str(item.address), "change": item.kind, "size": item.size} for item in transfer.changes(store, source)]
        session.piped = None
        return show(session, COLUMNS, rows)
    count = transfer.load(store, source, lambda pieces: intake.copied(session, pieces))
    session.piped = None
    if content:
        content.discard()
    render.note(session, f"Stored {count} entries")
    return 0


def _items(store: Store, at: list[Place], *, reveal: bool) -> Iterator[Item]:
    return transfer.items(store, at) if reveal else transfer.public(transfer.items(store, at))


def _streamed(store: Store, at: list[Place], *, reveal: bool) -> Iterator[bytes]:
    """Each place as `scan --stream` has it; a lifetime of the one before must not hold for the next."""
    for place in at:
        yield b"meta:ttl=none;\n"
        found = records(store, place)
        yield from formats.records("stream", found if reveal else transfer.public(found), place, now=store.now)


def _content(session: Session, file: str | None) -> Content:
    if file is not None and file != "-":
        return intake.file_content(file, session.cwd)
    if file is None and session.stdin.is_terminal():
        raise UsageError("Nothing to import named", cure="prontodb import FILE, or - for what is typed")
    session.piped = Piped(None, patient=True)
    session.piped.content = content = intake.read(session)
    return content


def _kind(kind: str | None, file: str | None) -> str:
    name = os.path.basename(file or "")
    return kind or ENDINGS.get(os.path.splitext(name)[1], "env" if name == ".env" else "ndjson")


def _places(session: Session, store: Store, place: str | None, *, every: bool) -> list[Place]:
    if not every:
        return [parse_place(place, session.scope())]
    if place is not None:
        raise UsageError(f"Both a place, '{place}', and --all", cure="give one of them")
    return transfer.whole(store)
