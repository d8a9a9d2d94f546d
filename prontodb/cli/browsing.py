"""The verb `browse`: a picker at the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..session import Session

from .. import features
from ..address import parse_place
from ..errors import ProntoError, UsageError
from ..ops import open_store
from .group import verb


@verb(epilog='Example: prontodb get "$(prontodb browse work.notes)"')
@click.argument("place", required=False)
def browse(session: Session, place: str | None) -> int:
    """Pick an address at the terminal: projects, namespaces, keys, and a preview of the value. Enter prints the address.

    / keeps the keys with a prefix, c copies, d deletes, s shows a hidden value, q leaves: with status 2, since nothing was picked.
    """
    if not (session.stdin.is_terminal() and session.stderr.terminal):
        raise UsageError("browse needs a terminal: standard input and standard error", cure="prontodb keys lists names without one")
    features.require(session.settings, "browse")
    if features.missing("browse"):
        raise ProntoError(
            "browse needs the extra 'browse', which is not installed", cure="pip install 'prontodb[browse]', or prontodb scan"
        )
    where = None if place is None and not _placed(session) else parse_place(place, session.scope())
    from ..browser import Browser

    picked = Browser(open_store(session), where, session.scope()).run()
    if not picked:
        return 2
    session.stdout.write(picked.encode() + b"\n")
    return 0


def _placed(session: Session) -> bool:
    """Whether anything but the default names the place to start from."""
    scope = session.scope()
    return not scope.project.source == scope.namespace.source == "default"
