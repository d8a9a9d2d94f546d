"""Verbs about how long entries live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..session import Session

from .. import durations, render
from ..address import parse_namespace
from ..errors import UsageError
from ..ops import kv, open_store, places
from .group import verb
from .tables import show


@verb(epilog="Example: prontodb create-cache work.cache 15m")
@click.argument("words", metavar="[NAMESPACE] D", nargs=-1)
def create_cache(session: Session, words: tuple[str, ...]) -> int:
    """Let what is stored in NAMESPACE (project.namespace) from now on live for D: seconds, or 15m, 1h30m, 7d. `timeout=D` will do."""
    scope = session.scope()
    if not 1 <= len(words) <= 2 or (len(words) == 1 and scope.namespace.source != "flag"):
        raise UsageError("A namespace and a lifetime are wanted", cure="prontodb create-cache project.namespace 15m")
    place = parse_namespace(words[0] if len(words) == 2 else None, scope)
    ttl = durations.parse(words[-1].removeprefix("timeout="))
    places.create_cache(open_store(session), place, ttl)
    render.note(session, f"Entries of {place} live for {durations.show(ttl)}")
    return 0


@verb(epilog="Example: prontodb drop-cache work.cache")
@click.argument("name", metavar="[NAMESPACE]", required=False)
def drop_cache(session: Session, name: str | None) -> int:
    """End the default lifetime of NAMESPACE. What is stored there keeps the lifetime that it has."""
    if name is None and session.scope().namespace.source != "flag":
        raise UsageError("Which namespace?", cure="prontodb drop-cache project.namespace; prontodb admin caches lists them")
    place = parse_namespace(name, session.scope())
    places.drop_cache(open_store(session), place)
    render.note(session, f"Entries of {place} live for ever")
    return 0


@verb(epilog="Example: prontodb admin caches")
def caches(session: Session) -> int:
    """List the namespaces that have a default lifetime, and how many seconds it is."""
    found = open_store(session).engine.caches()
    rows = [{"namespace": f"{cache.project}.{cache.namespace}", "ttl": cache.ttl} for cache in found]
    return show(session, ("namespace", "ttl"), rows)


@verb(epilog="Example: prontodb admin purge -v")
def purge(session: Session) -> int:
    """Remove everything that has expired, in steps that each hold the database for milliseconds. Writes do it little by little."""
    count = places.purge(open_store(session))
    render.note(session, f"Removed {count} expired entries and old versions")
    return 0


@verb(epilog="Example: prontodb admin share --database team")
def share(session: Session) -> int:
    """Let other users open the database. What is theirs there they keep apart by --meta."""
    open_store(session).engine.share(shared=True)
    return 0


@verb(epilog="Example: prontodb admin unshare --database team")
def unshare(session: Session) -> int:
    """Let nobody but the owner open the database."""
    open_store(session).engine.share(shared=False)
    return 0


@verb(epilog="Example: prontodb ttl work.cache.token")
@click.argument("address")
def ttl(session: Session, address: str) -> int:
    """Print how many seconds an entry has left, or `never` where it does not expire (with --json, null)."""
    left = kv.remaining(open_store(session), session.address(address))
    if session.flags.json:
        left_json = "null" if left is None else str(left)
        session.stdout.write(f'{{"ttl": {left_json}}}\n'.encode())
    else:
        render.page(session, ["never" if left is None else str(left)])
    return 0


@verb(epilog="Example: prontodb expire work.cache.token 1h")
@click.argument("address")
@click.argument("lifetime", metavar="D")
def expire(session: Session, address: str, lifetime: str) -> int:
    """Let an entry live for D from now: seconds, or 15m, 1h30m, 7d."""
    at, seconds = session.address(address), durations.parse(lifetime)
    kv.expire(open_store(session), at, seconds)
    render.note(session, f"{at} expires in {durations.show(seconds)}")
    return 0


@verb(epilog="Example: prontodb persist work.cache.token")
@click.argument("address")
def persist(session: Session, address: str) -> int:
    """Let an entry live for ever."""
    at = session.address(address)
    kv.expire(open_store(session), at, None)
    render.note(session, f"{at} never expires")
    return 0
