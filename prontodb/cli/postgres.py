"""Verbs for the administrator of a PostgreSQL server. The login in the URL is theirs, not that of daily work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..session import Session

from .. import render
from ..ops import postgres as ops
from .group import Verbs, verb
from .table import POSTGRES_VERBS
from .tables import show

postgres = Verbs(
    POSTGRES_VERBS,
    name="postgres",
    help="A PostgreSQL database as a store for several machines: its schema, and which login may use which meta.",
    epilog="Example: prontodb admin postgres check --database postgresql://admin@db1/shop",
)


@verb(epilog="Example: prontodb admin postgres init --database postgresql://admin@db1/shop")
def init(session: Session) -> int:
    """Make ProntoDB's tables, their owner and the policies that keep tenants apart. Done once; again, it changes nothing."""
    made = ops.init(session)
    render.note(session, "Made the schema" if made else "The schema is there already")
    return 0


@verb(epilog="Example: prontodb admin postgres grant alice --meta acme --database postgresql://admin@db1/shop")
@click.argument("login")
def grant(session: Session, login: str) -> int:
    """Let LOGIN, a role of the server that can log in, use the meta given by --meta; without it, entries of no meta."""
    role = ops.grant(session, login)
    render.note(session, f"{login} may become {role}")
    return 0


@verb(epilog="Example: prontodb admin postgres check --meta acme --database postgresql://alice@db1/shop")
def check(session: Session) -> int:
    """Look whether the server keeps what it is given and keeps tenants apart. The exit status is 1 where something is wrong."""
    found = ops.check(session)
    show(session, ("check", "state", "cure"), [{"check": one.check, "state": one.state, "cure": one.cure or None} for one in found])
    return int(any(one.cure for one in found))
