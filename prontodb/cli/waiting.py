"""Verbs that wait: `wait` for conditions, `watch` for whatever happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..address import Place
    from ..ops.watching import Event
    from ..session import Session

from .. import formats, render
from ..address import parse_place
from ..conditions import EXAMPLE, OPERATORS, parse, parse_amount
from ..durations import parse_timeout
from ..errors import UsageError
from ..ops import open_store
from ..ops.looks import Looks
from ..ops.patience import TimedOut
from ..ops.waiting import Many, One, until
from ..ops.watching import Wanted, Watcher
from ..session import Output
from .following import Handler, WithCommand
from .group import verb
from .kinds import Whole

timeout_option = click.option("--timeout", metavar="D", help="How long at most: 30, 0.5, 15m, 1h30m.")


@verb(epilog="Example: prontodb wait 'work.job.state == done' --timeout 10m && echo done")
@click.argument("conditions", metavar="[CONDITION...]", nargs=-1)
@click.option(
    "--count", "counts", metavar="PLACE TEST", nargs=2, multiple=True, help="The number of entries in PLACE is as TEST says: '>= 8'."
)
@click.option("--any", "some", is_flag=True, help="Until one of the conditions holds.")
@click.option("--all", "every", is_flag=True, help="Until all of them hold at one moment (the default).")
@timeout_option
def wait(
    session: Session, conditions: tuple[str, ...], counts: tuple[tuple[str, str], ...], some: bool, every: bool, timeout: str | None
) -> int:
    """Wait until conditions hold: 0; or for the time given: 5. With --timeout 0, look once. With --json, print which hold.

    \b
    A CONDITION is one argument, in quotes:
      ADDRESS                          there is such an entry
      ! ADDRESS                        there is none
      ADDRESS == VALUE, != VALUE       its text is this, or another (newlines at its end aside)
      ADDRESS < N, <= N, > N, >= N     it is a number for which this holds

    What is not there compares with nothing. A VALUE with spaces in it takes quotes of its own.
    """  # noqa: D301 - click's mark for what is not to be wrapped
    session.own_process()
    if some and every:
        raise UsageError("--any and --all contradict each other", cure="give one of them")
    wanted = _conditions(session, conditions, counts)
    seconds = None if timeout is None else parse_timeout(timeout)
    holding = until(open_store(session), wanted, every=not some, timeout=seconds, told=_teller(session))
    if session.flags.json:
        session.stdout.write(json.dumps({"holds": holding}).encode() + b"\n")
    render.note(session, f"Holds: {'; '.join(holding)}")
    return 0


@verb(cls=WithCommand, epilog="Example: prontodb watch work.results -- sh -c 'prontodb get \"$PRONTO_ADDRESS\"'")
@click.argument("place", required=False)
@click.option("--initial", is_flag=True, help='Begin with what is there already, as events with "initial": true.')
@click.option("--no-values", is_flag=True, help="Leave values out.")
@click.option("--reveal", is_flag=True, help="Tell the values of secrets: of namespaces called sec.")
@click.option("--events", "most", metavar="N", type=Whole(1), help="Stop after N events.")
@click.option("--keep-going", is_flag=True, help="Go on where COMMAND fails.")
@timeout_option
def watch(
    session: Session, command: list[str] | None, place: str | None, timeout: str | None, most: int | None, keep_going: bool, **chosen: bool
) -> int:
    """Tell what happens in PLACE (as keys takes it), as lines of JSON: "event" is set, lifetime, deleted or expired.

    With -- COMMAND, run that for each event, one after another: the line is its standard input, and PRONTO_EVENT, PRONTO_ADDRESS and
    PRONTO_REVISION are set. Where it fails, stop with its status.

    Changes of one entry in quick succession may come as one event, with the last value. A value beyond 64 KiB is left out. After --timeout
    the status is 0, or 5 where fewer than N events came.
    """
    session.own_process()
    at = parse_place(place, session.scope())
    seconds = None if timeout is None else parse_timeout(timeout)
    handler = _handler(session, command, keep_going=keep_going)
    wanted = Wanted(values=not chosen["no_values"], secrets=chosen["reveal"], initial=chosen["initial"])
    return _told(session, _events(session, at, wanted, seconds), most, handler)


def _handler(session: Session, command: list[str] | None, *, keep_going: bool) -> Handler | None:
    if command is None and keep_going:
        raise UsageError("--keep-going is about a command, and there is none", cure="prontodb watch PLACE --keep-going -- COMMAND")
    return None if command is None else Handler(session, command, keep_going=keep_going)


def _events(session: Session, place: Place, wanted: Wanted, timeout: float | None) -> Iterator[Event]:
    store, out = open_store(session), session.stdout
    watcher = Watcher(store, place, wanted, Looks(store, timeout, _teller(session)))
    render.note(session, f"Watching {place}")
    for event in watcher.events(lambda: not (isinstance(out, Output) and out.closed())):
        # Whatever deals with the event may take its time: nobody is to notice that the database is open.
        store.engine.rest()
        yield event


def _told(session: Session, events: Iterator[Event], most: int | None, handler: Handler | None) -> int:
    """Prints the events, or runs the command for them; the exit status."""
    count = 0
    for count, event in enumerate(events, 1):
        status = 0
        if handler is None:
            session.stdout.write(_line(event))
        else:
            status = handler.run(event, _line(event))
        if status or count == most:
            return status
    if most is not None and count < most:
        raise TimedOut(f"{count} events of {most}", cure="wait longer with --timeout, or without it for ever")
    return 0


def _line(event: Event) -> bytes:
    told: dict[str, object] = {"event": event.kind, "address": str(event.address), "revision": event.revision, "time": event.time}
    if event.initial:
        told["initial"] = True
    if event.entry is not None:
        told |= {"expires": event.entry.expires, "size": event.entry.size}
        if event.secret:
            told["secret"] = True
        elif event.entry.value is not None:
            told |= formats.valued(event.entry.value)
    return json.dumps(told).encode() + b"\n"


def _conditions(session: Session, texts: tuple[str, ...], counts: tuple[tuple[str, str], ...]) -> list[One | Many]:
    if not texts and not counts:
        raise UsageError("Nothing to wait for", cure=EXAMPLE)
    if any(text.strip() in (*OPERATORS, "!", "=") for text in texts):
        raise UsageError("A condition is one argument: quotes go around the whole of it", cure=f"prontodb wait '{' '.join(texts)}'")
    scope = session.scope()
    parsed = [parse(text, scope.delim) for text in texts]
    many = [Many(parse_place(place, scope), place, parse_amount(test)) for place, test in counts]
    return [*(One(session.address(condition.address), condition) for condition in parsed), *many]


def _teller(session: Session) -> Callable[[str], None]:
    def tell(text: str) -> None:
        if not session.flags.quiet:
            render.line(session.stderr, f"prontodb: {text}")

    return tell
