"""Verbs on leases: `claim`, `renew`, `release`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session

from .. import durations, render
from ..ops import leases, open_store, patience, renewal
from . import keeping
from .fencing import token
from .group import verb

T = TypeVar("T")

wait_option = click.option("--wait", metavar="D", help="Wait for it, for at most D; then 5.")
token_option = click.option("--token", "text", metavar="N", required=True, help="The token that claim gave.")


@verb(epilog="Example: prontodb claim work.lock.deploy --ttl 60s --wait 10m -- ./deploy.sh")
@click.argument("address")
@click.argument("command", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@click.option("--ttl", metavar="D", default="60s", show_default=True, help="How long the lease lasts, unless it is renewed.")
@wait_option
def claim(session: Session, address: str, command: tuple[str, ...], ttl: str, wait: str | None) -> int:
    """Get a lease that one at a time can have, and run COMMAND while it is kept; the status is the command's. Held by others: 3.

    The lease is renewed while the command runs, and ends with it. Where it is lost, the command and all of its process group is ended
    (3). PRONTO_TOKEN and PRONTO_LEASE tell the command its fence: prontodb set A V --fence "$PRONTO_TOKEN" is refused once the lease is
    over. Without COMMAND, print the token: renew and release go on with it.
    """
    at, seconds = session.address(address), durations.parse(ttl)
    patient = None if wait is None else durations.parse(wait, "time to wait")
    if command or patient:
        session.own_process()
    got, sent = waited(session, lambda: leases.claim(open_store(session), at, renewal.holder(session), seconds), patient)
    render.note(session, f"Claimed {at} with token {got} for {durations.show(seconds)}")
    if not command:
        session.stdout.write(b"%d\n" % got)
        return 0
    keeper = renewal.Keeper(session, (at, got), seconds, sent)
    return keeping.run(session, keeper, command, lambda _: leases.release(open_store(session), keeper.lease), more={}, stdin=None)


@verb(epilog='Example: prontodb renew work.lock.deploy --token "$token" --ttl 60s')
@click.argument("address")
@token_option
@click.option("--ttl", metavar="D", default="60s", show_default=True, help="How long it is to last from now.")
def renew(session: Session, address: str, text: str, ttl: str) -> int:
    """Let a lease last longer; its token stays. Where it is over, or somebody else's: 3."""
    lease, seconds = (session.address(address), token(text, "--token")), durations.parse(ttl)
    leases.renew(open_store(session), lease, seconds)
    render.note(session, f"{lease[0]} is held for {durations.show(seconds)}")
    return 0


@verb(epilog='Example: prontodb release work.lock.deploy --token "$token"')
@click.argument("address")
@token_option
def release(session: Session, address: str, text: str) -> int:
    """End a lease before its time. Where it is over, or somebody else's: 3, and theirs stays."""
    lease = (session.address(address), token(text, "--token"))
    leases.release(open_store(session), lease)
    render.note(session, f"Released {lease[0]}")
    return 0


def waited(session: Session, attempt: Callable[[], T], seconds: int | None) -> tuple[T, float]:
    """What `attempt` returns, at once or within so many seconds; and when it was sent, by `renewal.elapsed`."""
    sent = [0.0]

    def once() -> T:
        sent[0] = renewal.elapsed()
        return attempt()

    def pause(seconds: float) -> None:
        open_store(session).engine.rest()
        time.sleep(seconds)

    if seconds is None:
        return once(), sent[0]
    return patience.patiently(once, seconds, patience.Pace(time.monotonic, pause)), sent[0]
