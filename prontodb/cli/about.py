"""Verbs about ProntoDB itself: where, help, version, admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..session import Session

from ..errors import UsageError
from ..ops import open_store
from ..paths import config_home, state_home
from ..settings import SETTINGS
from ..urls import shown
from . import group
from .group import Verbs, verb
from .mistakes import likely
from .table import ADMIN_VERBS
from .tables import show
from .topics import TOPICS

admin = Verbs(ADMIN_VERBS, name="admin", help="Upkeep of a database.")


@verb(epilog="Example: prontodb where --database ./notes.db")
def where(session: Session) -> int:
    """Tell which data a command with these options would use, and where each choice came from."""
    return show(session, ("name", "value", "source"), choices(session) + _folders(session) + _settings(session))


def choices(session: Session) -> list[dict[str, object]]:
    """User, cursor, database, meta, project and namespace: `name`, `value` and `source` of each."""
    context = session.context()
    chosen = {"user": context.user, "cursor": context.cursor, "database": context.database, "meta": context.meta}
    chosen |= {"project": context.scope.project, "namespace": context.scope.namespace}
    return [{"name": name, "value": shown(choice.value) or None, "source": choice.source} for name, choice in chosen.items()]


def _folders(session: Session) -> list[dict[str, object]]:
    places = {
        "file": open_store(session).database,
        "rescue": f"{state_home(session.environ)}/rescue",
        "settings": f"{config_home(session.environ)}/config.toml",
    }
    return [{"name": name, "value": path, "source": "path"} for name, path in places.items()]


def _settings(session: Session) -> list[dict[str, object]]:
    found = ((name, *session.settings.explained(name)) for name in SETTINGS)
    return [{"name": name, "value": value, "source": source} for name, value, source in found]


@verb(epilog="Example: prontodb help set")
@click.argument("words", metavar="[VERB...|TOPIC|errors KIND|errors STATUS]", nargs=-1)
def help_(session: Session, words: tuple[str, ...]) -> int:
    """Help on a verb, or on one of the topics addresses, formats, streams, errors, exit-codes, settings.

    After errors, the kind of an error (denied) or an exit status (4) tells of that one.
    """
    session.stdout.write(_text(words).encode() + b"\n")
    return 0


def _text(words: tuple[str, ...]) -> str:
    if words[:1] == ("errors",) and len(words) > 1:
        from . import errorpages

        return errorpages.text(words[1:])
    return TOPICS[words[0]]() if len(words) == 1 and words[0] in TOPICS else _help_on(words)


def _help_on(words: tuple[str, ...]) -> str:
    context = click.Context(group.root(), info_name="prontodb", max_content_width=100)
    for at, word in enumerate(words):
        command = context.command.get_command(context, word) if isinstance(context.command, Verbs) else None
        if command is None:
            raise UsageError(f"No help on '{' '.join(words)}'", cure=_nearest(context, words[at:]))
        context = click.Context(command, info_name=word, parent=context, max_content_width=100)
    return context.get_help()


def _nearest(context: click.Context, rest: tuple[str, ...]) -> str:
    """What may have been meant by words of which there is no help on the first, after those of the context."""
    path = context.command_path.replace("prontodb", "prontodb help", 1)
    if not isinstance(context.command, Verbs):
        return f"{path} is all there is on it"
    near = likely(rest[0], [*context.command.rows, *([] if context.parent else TOPICS)])
    if near:
        return f"did you mean {' '.join([path, near, *rest[1:]])}?"
    return f"prontodb help lists the verbs; topics are {', '.join(TOPICS)}"


@verb(epilog="Example: prontodb version")
def version(session: Session) -> int:
    """Print the version."""
    return group.print_version(session)
