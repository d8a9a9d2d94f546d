"""Verbs on queues: `push`, `pop`, `ack`, `nack`."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, BinaryIO

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session

from .. import durations, formats, render
from ..errors import ProntoError
from ..model import INHERIT, Write
from ..ops import open_store, queues, renewal
from . import keeping
from .counters import given, stored
from .fencing import Fenced, fenced
from .group import verb
from .leases import wait_option, waited

PRINTING = 60
"""Seconds for which an item is kept from others while it is printed."""


@verb(epilog="Example: git diff | prontodb push work.jobs.review")
@click.argument("queue")
@click.argument("value", required=False)
@click.option("--ttl", metavar="D", help="How long the item lives: seconds, or 15m, 1h30m, 7d.")
@fenced
def push(session: Session, queue: str, value: str | None, ttl: str | None, fence: Fenced) -> int:
    """Add VALUE, or what standard input holds, to the end of a queue. Items are entries: keys QUEUE lists them."""
    at, content = given(session, queue, value, "push")
    write = fence.before(Write(INHERIT if ttl is None else durations.parse(ttl)))
    item = queues.push(open_store(session), queues.check(at), content, write)
    stored(session, content)
    render.note(session, f"Pushed {content.size} bytes as {item}")
    return 0


@verb(epilog="Example: prontodb pop work.jobs.review --lease 5m --wait 1h -- ./review.sh")
@click.argument("queue")
@click.argument("command", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@click.option("--lease", metavar="D", help="Hide the item for D instead of deleting it; ack deletes it, nack gives it back.")
@wait_option
def pop(session: Session, queue: str, command: tuple[str, ...], lease: str | None, wait: str | None) -> int:
    """Print the oldest item of a queue, and delete it. Nothing there, or all of it leased to others: 2.

    With --lease the item comes back unless it is done in time: --json prints its `id`, which ack and nack take. With COMMAND, the item is
    its standard input, under a lease (60s) that is renewed: status 0 deletes the item, any other leaves it hidden until the lease is over.
    """
    at, patient = queues.check(session.address(queue)), None if wait is None else durations.parse(wait, "time to wait")
    ttl = PRINTING if lease is None else durations.parse(lease)
    if command or patient:
        session.own_process()
    taken, sent = waited(session, lambda: queues.take(open_store(session), at, renewal.holder(session), ttl), patient)
    if command:
        return _run(session, taken, renewal.Keeper(session, taken.lease, ttl, sent), command)
    _safely(session, taken, lambda: _print(session, taken, leased=lease is not None))
    if lease is None:
        queues.finish(open_store(session), taken)
    else:
        render.note(session, f"Leased {taken.item} as {taken.id} for {durations.show(ttl)}")
    return 0


@verb(epilog="Example: prontodb ack work.jobs.review 17-42")
@click.argument("queue")
@click.argument("id", metavar="ID")
def ack(session: Session, queue: str, id: str) -> int:  # noqa: A002 - what the argument is called
    """Delete an item that is done: ID is what pop --lease D --json tells. Where the lease is over: 3, and the item stays."""
    return _settle(session, queue, id, queues.finish, "Done with")


@verb(epilog="Example: prontodb nack work.jobs.review 17-42")
@click.argument("queue")
@click.argument("id", metavar="ID")
def nack(session: Session, queue: str, id: str) -> int:  # noqa: A002 - likewise
    """Give an item back to the queue, where it is the oldest again. Where the lease is over: 3."""
    return _settle(session, queue, id, queues.give_back, "Gave back")


def _settle(session: Session, queue: str, text: str, how: Callable[..., None], said: str) -> int:
    taken = queues.named(queues.check(session.address(queue)), text)
    how(open_store(session), taken)
    render.note(session, f"{said} {taken.item}")
    return 0


def _safely(session: Session, taken: queues.Taken, action: Callable[[], None]) -> None:
    """Where what is to be done with an item fails, others get it."""
    try:
        action()
    except BaseException:
        try:
            queues.give_back(open_store(session), taken)
        except ProntoError:
            # It comes back by itself.
            pass
        raise


def _print(session: Session, taken: queues.Taken, *, leased: bool) -> None:
    found = taken.found
    assert found is not None
    if not session.flags.json:
        render.value(session, found)
        return
    found.entry.value = found.read()
    told = formats.described(formats.Record(str(taken.item), taken.item, found.entry))
    if leased:
        told = {"id": taken.id, **told, "lease": str(taken.lease[0]), "token": taken.lease[1]}
    session.stdout.write(json.dumps(told).encode() + b"\n")


def _run(session: Session, taken: queues.Taken, keeper: renewal.Keeper, command: tuple[str, ...]) -> int:
    def finish(status: int | None) -> None:
        if status is None:
            queues.give_back(open_store(session), taken)
        elif status == 0:
            queues.finish(open_store(session), taken)

    with tempfile.TemporaryFile(dir=session.environ.get("TMPDIR") or None) as file:
        _safely(session, taken, lambda: _fill(file, taken))
        return keeping.run(session, keeper, command, finish, more={"PRONTO_ITEM": str(taken.item)}, stdin=file.fileno())


def _fill(file: BinaryIO, taken: queues.Taken) -> None:
    assert taken.found is not None
    for piece in taken.found.pieces:
        file.write(piece)
    file.flush()
    file.seek(0)
