"""The verbs on token streams, and the list of optional parts. What they work with is imported only where it is switched on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model import Content
    from ..ops.streamed import Entries
    from ..session import Session

from .. import features as optional
from .. import formats, intake, render
from ..errors import NoContent
from ..model import Entry
from ..ops import kv, open_store, secrets
from ..progress import Progress
from ..session import Piped
from ..settings import FEATURES
from .group import verb
from .listings import emit
from .tables import show

LARGEST = 1 << 16
"""Bytes of a value that --dry-run shows."""


@verb(epilog="Example: echo 'ns=notes; todo=buy milk;' | prontodb stream")
@click.option("--from", "source", metavar="A", help="Take the stream from address A, such as one in the pipe cache; - is standard input.")
@click.option("--dry-run", is_flag=True, help="Print what would be stored, and store nothing.")
def stream(session: Session, source: str | None, dry_run: bool) -> int:
    """Store a token stream: all of it or, where anything is wrong with it, nothing; then the whole input is rescued.

    prontodb help streams tells what one looks like. One that --from has taken out of the pipe cache is removed there.
    """
    if source not in (None, "-"):
        return _from_address(session, source or "", dry_run=dry_run)
    session.piped = Piped(None, patient=True)
    optional.require(session.settings, "streaming")
    if session.stdin.is_terminal():
        session.piped = None
        raise NoContent("No token stream on standard input", cure="pipe one in, or --from ADDRESS")
    content = session.piped.content = intake.read(session)
    status = take(session, content, dry_run=dry_run)
    session.piped = None
    content.discard()
    return status


@verb(epilog="Example: prontodb features")
def features(session: Session) -> int:
    """List the optional parts: whether each is on, what switched it, and what it needs that is missing."""
    rows = []
    for name, feature in FEATURES.items():
        on, source = optional.explained(session.settings, name)
        missing = ", ".join(optional.missing(name)) or None
        rows.append({"name": name, "state": "on" if on else "off", "source": source, "missing": missing, "what": feature.summary})
    return show(session, ("name", "state", "source", "missing", "what"), rows)


def _from_address(session: Session, text: str, *, dry_run: bool) -> int:
    optional.require(session.settings, "streaming")
    store, address = open_store(session), session.address(text)
    found = kv.get(store, address)
    if secrets.is_secret(address, found.entry):
        # Its parts would be entries like any others, and --dry-run shows them.
        raise secrets.Secret(
            f"{address} is a secret, not a stream to be stored openly",
            cure=f"prontodb get {address} --reveal | prontodb stream",
            address=str(address),
        )
    content = intake.copied(session, found.pieces)
    try:
        status = take(session, content, dry_run=dry_run)
    finally:
        content.discard()
    if kv.cached(address) and not dry_run:
        kv.delete(store, [address])
    return status


def take(session: Session, content: Content, *, dry_run: bool) -> int:
    """Stores the stream in `content`, or shows what would be stored; the exit status."""
    optional.require(session.settings, "streaming")
    from ..ops import streams
    from ..ops.streamed import Stream

    progress = Progress(session, content.size)
    found = Stream(content, progress.at)
    try:
        if dry_run:
            streams.preview(session, found, lambda entries: emit(session, _shown(session, entries)))
            return 0
        done = streams.store(session, found)
    finally:
        progress.done()
    if session.flags.json:
        told = {"stored": done.stored, "bytes": done.size, "tokens": done.tokens}
        session.stdout.write(json.dumps(told).encode() + b"\n")
    render.note(session, f"Stored {done.stored} entries ({done.size} bytes)")
    return 0


def _shown(session: Session, entries: Entries) -> Iterator[bytes]:
    """Address and value of each, as a line or as an object with size and lifetime in seconds."""
    records = ((formats.Record(str(address), address, _entry(content)), ttl) for address, content, ttl in entries)
    if not session.flags.json:
        return formats.records("lines", (record for record, _ in records), None)
    return formats.array(json.dumps(_told(record, ttl)) for record, ttl in records)


def _entry(content: Content) -> Entry:
    value = content.read() if content.size <= LARGEST else f"<{content.size} bytes>".encode()
    return Entry("", content.size, 0, None, value)


def _told(record: formats.Record, ttl: int | None) -> dict[str, object]:
    told = formats.described(record)
    return {name: value for name, value in told.items() if name not in ("revision", "expires")} | {"ttl": ttl}
