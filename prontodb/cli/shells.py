"""Verbs that print shell code, or open a pinned shell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..session import Session

from .. import profiles
from ..address import is_word
from ..engines import scheme
from ..errors import Denied, UsageError
from ..paths import database_file
from ..resolve import NO_META, VARIABLES
from ..shellwords import SHELLS, function_name
from ..urls import to_keep
from . import specs
from .generator import Generators, generator
from .table import SHELL_VERBS

shell = Generators(SHELL_VERBS, name="shell", help="Functions and completion for bash, zsh and fish.")

SHELL = click.Choice(SHELLS)
KINDRED = "pantheon"
"""The template whose functions choose a context for each call, by the kin that is named."""
DEFINITION = {"bash": r"^function (\w+) \{$", "zsh": r"^function (\w+) \{$", "fish": r"^function (\w+)\b"}
"""How a line begins that defines a function."""
SAID = ("user", "meta", "cursor", "database", "project", "namespace")


@generator(epilog='Example: eval "$(prontodb shell init bash)"')
@click.argument("kind", metavar="SHELL", type=SHELL)
def init(session: Session, kind: str) -> str:
    """Print what a shell's start needs: the function pronto, completion, and pronto_unload. SHELL is bash, zsh or fish."""
    return specs.text(session, {"make": "init", "shell": kind})


@generator(epilog='Example: eval "$(prontodb shell wrapper acme bash --profile acme)"')
@click.argument("name")
@click.argument("kind", metavar="SHELL", type=SHELL)
@click.option("--profile", metavar="P", help="Pin what this profile says.")
@click.option("--template", metavar="T", default="fx", help="What to make it from: fx, pantheon, or one of your own.")
def wrapper(session: Session, name: str, kind: str, profile: str | None, template: str) -> str:
    """Print the function NAME, which runs prontodb pinned: to a profile, or to --user, --meta, --cursor, --database.

    SHELL is bash, zsh or fish. What is not named is pinned as `prontodb where` shows it. -p and -n become defaults, which options of a
    call replace.
    """
    spec = {"make": "wrapper", "template": template, "name": function_name(name, kind), "shell": kind, "kin": ""}
    if profile is not None:
        _not_both(session)
    if template == KINDRED:
        return specs.text(session, {**spec, "kin": _kin(session, profile), "pins": {}, "defaults": {}})
    pins = _flag_pins(session) if profile is None else {"profile": _allowed(session, profile)}
    return specs.text(session, {**spec, "pins": pins, "defaults": _defaults(session)})


@generator(epilog='Example: eval "$(prontodb shell unload bash acme)"')
@click.argument("kind", metavar="SHELL", type=SHELL)
@click.argument("names", metavar="[NAME...]", nargs=-1)
@click.option("--template", metavar="T", default="fx", help="What they were made from: all functions of that template go.")
def unload(session: Session, kind: str, names: tuple[str, ...], template: str) -> str:
    """Print what takes the functions NAME away again; with no name, what prontodb shell init has brought."""
    functions: dict[str, None] = {}
    for name in names:
        spec = {"make": "wrapper", "template": template, "name": function_name(name, kind), "shell": kind, "kin": ""}
        text = specs.text(session, {**spec, "pins": {"user": "default"}, "defaults": {}})
        functions |= dict.fromkeys(re.findall(DEFINITION[kind], text, re.MULTILINE))
    return specs.text(session, {"make": "unload", "shell": kind, "names": list(names), "functions": list(functions)})


@generator(epilog='Example: prontodb shell use keeper, or: eval "$(prontodb shell use keeper --eval bash)"')
@click.argument("profile")
@click.argument("command", metavar="[-- COMMAND...]", nargs=-1, type=click.UNPROCESSED)
@click.option("--eval", "kind", metavar="SHELL", type=SHELL, help="Print what pins the shell that evaluates it; pronto_unpin ends it.")
@click.option("--shell", "opened", metavar="S", help="The shell to open, instead of $SHELL.")
def use(session: Session, profile: str, command: tuple[str, ...], kind: str | None, opened: str | None) -> str | int:
    """Open a shell that is pinned to a profile, or run COMMAND in its place."""
    _allowed(session, profile)
    if kind is None:
        from . import child

        return child.replace(session, profile, list(command) or child.shell(session.environ, opened))
    if command or opened:
        raise UsageError("--eval prints code, and runs nothing", cure=f'eval "$(prontodb shell use {profile} --eval {kind})"')
    return specs.text(session, {"make": "pin", "shell": kind, "profile": profile})


def _allowed(session: Session, profile: str) -> str:
    """The profile's name. Raises where it is unknown, not for this person, or contradicted by a pin in force."""
    profiles.find(session.environ, profile)
    if session.pinned() and session.context().pins.get("profile") != profile:
        raise Denied(f"Profile '{profile}' is not what is pinned here", cure="use it in a shell without a pin")
    return profile


def _not_both(session: Session) -> None:
    if any(getattr(session.flags, name) is not None for name in SAID):
        raise UsageError("Both --profile and options that say what it says", cure="use one or the other")


def _kin(session: Session, profile: str | None) -> str:
    """The only kin that the functions are for; "" where each call may name its own."""
    flags = session.flags
    if any(getattr(flags, name) is not None for name in SAID if name != "user"):
        raise UsageError("A kin's meta, cursor and database follow from its name", cure="name it with --user KIN, or name none")
    if profile is None:
        return session.context().user.value if flags.user is not None else ""
    preset = profiles.find(session.environ, _allowed(session, profile))
    if not preset.user or preset.meta not in ("", preset.user):
        raise UsageError(
            f"Profile '{profile}' is not a kin's: it names a user, and no other meta than that", cure="name it with --user KIN"
        )
    return preset.user


def _flag_pins(session: Session) -> dict[str, str]:
    flags, context = session.flags, session.context()
    if flags.user is flags.meta is flags.cursor is flags.database is None:
        raise UsageError("Nothing to pin named", cure="--profile P, or some of --user, --meta, --cursor, --database")
    pins = {"user": context.user.value}
    if flags.cursor is not None:
        pins["cursor"] = flags.cursor
    if flags.cursor is None or flags.meta is not None:
        pins["meta"] = context.meta.value or NO_META
    if flags.cursor is None or flags.database is not None:
        pins["database"] = _database(session, context.database.value, context.user.value)
    _try(session, pins)
    return pins


def _try(session: Session, pins: dict[str, str]) -> None:
    """Raises what every call of a function with these pins would raise: where a cursor says otherwise, or strict mode forbids it."""
    from ..session import Session

    environ = {name: value for name, value in session.environ.items() if name not in VARIABLES.values()}
    environ |= {specs.VARIABLES[pin]: value for pin, value in pins.items()}
    Session(environ, session.cwd, session.clock, (session.stdin, session.stdout, session.stderr)).context()


def _database(session: Session, database: str, user: str) -> str:
    """The database, with an absolute path where it is one, since the function will be called from anywhere. Raises `InvalidDatabase`."""
    if scheme(database) != "sqlite":
        return to_keep(database, "A function")
    file = database_file(database, session.environ, session.cwd, user)
    return file if database.startswith(("./", "sqlite://./")) else database


def _defaults(session: Session) -> dict[str, str]:
    defaults = {name: value for name in ("project", "namespace") if (value := getattr(session.flags, name)) is not None}
    for name, value in defaults.items():
        if not is_word(value):
            raise UsageError(f"Invalid {name} '{value}': letters, digits, '_' and '-', a letter or digit first", cure=f"--{name} NAME")
    return defaults
