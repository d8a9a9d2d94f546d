"""Many values at once, separated by NUL: `set -0` and `mget`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..address import Address
    from ..model import Write
    from ..ops.overlay import Answer
    from ..session import Session

from .. import intake, render
from ..errors import Miss, NoContent, UsageError
from ..model import Content
from ..ops import open_store
from ..session import Piped
from .group import verb
from .many import HoldsNul, looked_up
from .options import context_option, reveal_option


def put_pairs(session: Session, write: Write) -> int:
    """Stores pairs of an address and a value from standard input, all of them or none; what came in is rescued where one is wrong."""
    session.piped = session.piped or Piped(None, patient=True)
    session.piped.content = content = intake.read(session)
    if not content.size:
        raise NoContent("Nothing came in: pairs of an address and a value are wanted, each ended by NUL", cure=EXAMPLE)
    pairs = _pairs(session, content.read())
    count = open_store(session).engine.put_many(pairs, write, session.clock())
    session.piped = None
    content.discard()
    render.note(session, f"Stored {count} values")
    return 0


EXAMPLE = "printf '%s\\0' work.a.one 1 work.a.two 2 | prontodb set -0"


def _pairs(session: Session, data: bytes) -> list[tuple[Address, Content]]:
    *fields, rest = data.split(b"\0")
    if rest or len(fields) % 2:
        raise UsageError("An address without a value, or one that no NUL ends, at the end of what came in", cure=EXAMPLE)
    texts = (field.decode("utf-8", "surrogateescape") for field in fields[::2])
    return [(session.address(text, piped=True), Content.of(value)) for text, value in zip(texts, fields[1::2], strict=True)]


@verb(epilog="Example: mapfile -d '' -t values < <(prontodb mget -0 work.a.one work.a.two)")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.option("-0", "--null", is_flag=True, help="End each value with NUL instead of a newline.")
@reveal_option
@context_option
def mget(session: Session, addresses: tuple[str, ...], null: bool, reveal: bool, over: str | None) -> int:
    """Print the values of many addresses in their order, one after the other.

    One that is not there is an empty value, told of on standard error, and makes the status 2. A value that holds what separates them is
    refused (65 with -0, else 64): scan and get --from have forms for any bytes.
    """
    wanted = [session.address(text) for text in addresses]
    end, missed = b"\0" if null else b"\n", []
    values = []
    for address in wanted:
        try:
            values.append(_whole(looked_up(session, address, over, reveal=reveal), end))
        except Miss as miss:
            missed.append(miss)
            values.append(b"")
    session.stdout.write(b"".join(value + end for value in values))
    for each in missed:
        render.report(session, each)
    return 2 if missed else 0


def _whole(answer: Answer, end: bytes) -> bytes:
    value, address = answer.found.read(), answer.layer
    if end not in value:
        return value
    if end == b"\0":
        raise HoldsNul(
            f"{address} has a NUL in it, and would look like two values", cure=f"prontodb get {address} >FILE", address=str(address)
        )
    raise UsageError(f"{address} has a newline in it, and would look like two values", cure="prontodb mget -0", address=str(address))
