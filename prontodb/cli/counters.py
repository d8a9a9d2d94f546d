"""Verbs that change what stands there: `incr`, `decr`, `append`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..address import Address
    from ..session import Session

from .. import hot, intake, render
from ..errors import NoContent
from ..model import Content
from ..ops import conditional, open_store
from ..session import Piped
from .fencing import Fenced, fenced
from .group import verb


@verb(epilog="Example: n=$(prontodb incr work.build.number)")
@click.argument("address")
@click.argument("by", metavar="[N]", default="1")
@fenced
def incr(session: Session, address: str, by: str, fence: Fenced) -> int:
    """Add N (by default 1) to an integer, and print the sum. What is not there counts as 0; its lifetime stays.

    Exact, however many do it at once. What is no integer is left alone (3). A negative N goes after --, or use decr.
    """
    return hot.counted(session, address, hot.number(by, "incr"), fence())


@verb(epilog="Example: prontodb decr work.build.left")
@click.argument("address")
@click.argument("by", metavar="[N]", default="1")
@fenced
def decr(session: Session, address: str, by: str, fence: Fenced) -> int:
    """Take N (by default 1) from an integer, and print the difference; as incr otherwise."""
    return hot.counted(session, address, -hot.number(by, "decr"), fence())


@verb(epilog="Example: date | prontodb append work.build.log")
@click.argument("address")
@click.argument("value", required=False)
@fenced
def append(session: Session, address: str, value: str | None, fence: Fenced) -> int:
    """Add VALUE, or what standard input holds, at the end of a value, or make it. Its lifetime stays.

    Nothing is lost where many append at once; which comes first is open.
    """
    at, content = given(session, address, value, "append")
    conditional.append(open_store(session), at, content, fence())
    stored(session, content)
    render.note(session, f"Appended {content.size} bytes to {at}")
    return 0


def given(session: Session, address: str, value: str | None, verb: str) -> tuple[Address, Content]:
    """Where to put what: a value that was typed, or what standard input holds, which is rescued from now on until it is `stored`."""
    if value is not None:
        return session.address(address), Content.of(value.encode("utf-8", "surrogateescape"))
    if session.stdin.is_terminal():
        raise NoContent(f"No value for '{address}'", cure=f"prontodb {verb} {address} VALUE, or pipe it in", address=address)
    session.piped = Piped(address, patient=True)
    session.piped.content = content = intake.read(session)
    at = session.address(address, piped=True)
    if not content.size:
        raise NoContent(f"Nothing came in for {at}", cure=f"prontodb {verb} {at} VALUE, or pipe something in", address=str(at))
    return at, content


def stored(session: Session, content: Content) -> None:
    """To be called once such content is safe."""
    session.piped = None
    content.discard()
