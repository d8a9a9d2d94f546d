"""Verbs that list: names, values, namespaces, projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..address import Address, Place
    from ..session import Session

from .. import formats
from ..address import check_project, parse_place
from ..errors import UsageError
from ..ops import Store, open_store, overlay, places, secrets
from ..render import is_text, summary
from .group import verb
from .kinds import PREFIX
from .options import context_option, null_option

FULL = 1 << 16
"""Bytes that are gathered before they are written."""

_NAMES = (
    null_option,
    click.option("--ndjson", is_flag=True, help="JSON, one value a line."),
)
_VALUES = (
    click.option("--stream", is_flag=True, help="Tokens, as prontodb stream reads them."),
    click.option("--env", is_flag=True, help="Lines of a dotenv file."),
    click.option("--sh", is_flag=True, help="Assignments that a shell can eval."),
    click.option("--var-prefix", type=PREFIX, metavar="P", default="", help="What the variables of --env and --sh start with."),
)


def options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several decorators as one."""

    def decorate(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


@verb(epilog="Example: prontodb keys work.notes")
@click.argument("place", required=False)
@options(*_NAMES, context_option)
def keys(session: Session, place: str | None, over: str | None, **chosen: bool) -> int:
    """List the names in PLACE, in byte order: project.namespace or project.namespace.prefix; without it, in the current place.

    With --context, each key once that is there under these contexts or plain.
    """
    at, store = parse_place(place, session.scope()), open_store(session)
    found = places.names(store, at) if over is None else overlay.names(store, at, overlay.contexts(over))
    return emit(session, formats.names(kind(session, chosen), found))


@verb(epilog='Example: eval "$(prontodb scan work.config --sh)"')
@click.argument("place", required=False)
@options(*_NAMES, *_VALUES, context_option)
@click.option("--reveal", is_flag=True, help="Show secrets, too.")
def scan(session: Session, place: str | None, var_prefix: str, over: str | None, reveal: bool, **chosen: bool) -> int:
    r"""List names and values in PLACE, as keys does. With --context, each key once, with the value that get --context gives.

    A line is the name, a tab and the value, in which \n, \t and \\ stand for newline, tab and backslash. Secrets are marked as such; from
    what a program takes for values (-0, --stream, --env, --sh) they are left out, with a word on it and status 6.
    """
    at, form = parse_place(place, session.scope()), kind(session, chosen)
    if var_prefix and form not in ("env", "sh"):
        raise UsageError("--var-prefix is for the variables of --env and --sh", cure="give one of them, or leave it out")
    store = open_store(session)
    veil = Veil(form, reveal=reveal)
    found = veil.over(records(store, at) if over is None else _effective(store, at, over))
    if form == "lines" and session.stdout.terminal and not session.flags.raw:
        found = map(_shown, found)
    emit(session, formats.records(form, found, at, var_prefix, now=store.now))
    return veil.done()


@verb(epilog="Example: prontodb projects")
@options(*_NAMES)
def projects(session: Session, **chosen: bool) -> int:
    """List the projects that hold something."""
    return emit(session, formats.names(kind(session, chosen), _page(places.projects(open_store(session)))))


@verb(epilog="Example: prontodb namespaces -p work")
@click.argument("which", metavar="[PROJECT]", required=False)
@options(*_NAMES)
def namespaces(session: Session, which: str | None, **chosen: bool) -> int:
    """List the namespaces of PROJECT (or of -p, or of the current one) that hold something."""
    wanted = check_project(session.scope().project.value if which is None else which)
    return emit(session, formats.names(kind(session, chosen), _page(places.namespaces(open_store(session), wanted))))


@verb(epilog="Example: prontodb nss")
@options(*_NAMES)
def nss(session: Session, **chosen: bool) -> int:
    """List all namespaces that hold something, as project.namespace."""
    found = [f"{space.project}.{space.namespace}" for space in places.spaces(open_store(session))]
    return emit(session, formats.names(kind(session, chosen), _page(found)))


def kind(session: Session, chosen: dict[str, bool]) -> str:
    """The one format that was asked for. Raises `UsageError` for two."""
    asked = [name for name, value in {"json": session.flags.json, **chosen}.items() if value]
    if len(asked) > 1:
        raise UsageError(f"Two formats: {' and '.join(f'--{name}' for name in asked)}", cure="choose one")
    return asked[0] if asked else "lines"


def emit(session: Session, parts: Iterable[bytes]) -> int:
    """Writes what a format makes, in pieces of a decent size."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= FULL:
            session.stdout.write(b"".join(held))
            held, size = [], 0
    if held:
        session.stdout.write(b"".join(held))
    return 0


def _page(names: list[str]) -> list[list[str]]:
    return [names] if names else []


class Veil:
    """Keeps the secrets of a listing back: marked as such in a format that can say so, else left out and told of."""

    def __init__(self, form: str, *, reveal: bool) -> None:
        self._marks = form in formats.MARKING
        self._reveal = reveal
        self._left_out: list[Address] = []

    def over(self, found: Iterable[formats.Record]) -> Iterator[formats.Record]:
        """The records, as they may be shown."""
        for record in found:
            record.hidden = record.secret and not self._reveal
            if record.hidden and not self._marks:
                self._left_out.append(record.address)
            else:
                yield record

    def done(self) -> int:
        """The status of the listing. Raises `Secret` where something is missing in it."""
        if not self._left_out:
            return 0
        more = f" and {len(self._left_out) - 1} more" if len(self._left_out) > 1 else ""
        first = self._left_out[0]
        raise secrets.Secret(f"Left out, being secret: {first}{more}", cure="--reveal, where you mean it", address=str(first))


def _shown(record: formats.Record) -> formats.Record:
    """A record as a terminal can show it."""
    if not record.hidden and not is_text(record.value):
        record.entry.value = summary(record.entry.size).encode()
    return record


def records(store: Store, place: Place) -> Iterator[formats.Record]:
    """The entries of a place."""
    for entry in places.entries(store, place):
        address = place.address(entry.name)
        yield formats.Record(entry.name, address, entry, secret=secrets.is_secret(address, entry))


def _effective(store: Store, place: Place, over: str) -> Iterator[formats.Record]:
    for one in overlay.entries(store, place, overlay.contexts(over)):
        secret = secrets.is_secret(one.layer, one.entry)
        yield formats.Record(one.key, place.address(one.key), one.entry, one.layer, secret=secret)
