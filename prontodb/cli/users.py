"""Verbs on users: passwords, login and logout. A password comes from a file or the terminal, never from an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..session import Session

from .. import credentials, durations, render
from ..errors import UsageError
from ..ops import users
from ..resolve import check_user
from .group import Verbs, verb
from .kinds import NAMED
from .table import USER_VERBS
from .tables import show

user = Verbs(USER_VERBS, name="user", help="Passwords of users. Users need not be added: --user NAME is enough for one without a password.")

new_password = click.option("--new-password-file", "source", type=NAMED, metavar="F", help="Take the new password from file F.")


@verb(epilog="Example: prontodb user add alice")
@click.argument("name")
@new_password
def add(session: Session, name: str, source: str | None) -> int:
    """Give user NAME a password, asked for at the terminal or taken from a file."""
    users.add(session, check_user(name), _new(session, name, source))
    return 0


@verb(epilog="Example: prontodb user passwd alice")
@click.argument("name")
@new_password
def passwd(session: Session, name: str, source: str | None) -> int:
    """Give user NAME another password, and end all sessions. Needs a session, or the old one by --password-file."""
    users.change(session, name, _new(session, name, source))
    return 0


@verb(epilog="Example: prontodb user list")
def list_(session: Session) -> int:
    """List the users who have a password, and whether there is a session."""
    names = credentials.names(session.environ)
    rows = [{"name": name, "session": "yes" if credentials.logged_in(session.environ, name, session.now()) else "no"} for name in names]
    return show(session, ("name", "session"), rows)


@verb(epilog="Example: prontodb user remove alice")
@click.argument("name")
def remove(session: Session, name: str) -> int:
    """Take the password of user NAME away. The data stays, and is open from then on."""
    users.remove(session, name)
    return 0


@verb(epilog="Example: prontodb login --user alice")
@click.option("--ttl", "lifetime", metavar="D", default="12h", help="How long the session lasts; 12h.")
def login(session: Session, lifetime: str) -> int:
    """Open a session for the user (--user), with the password from the terminal or --password-file."""
    name, path = session.context().user.value, session.flags.password_file
    seconds = durations.parse(lifetime)
    password = _asked(session, f"Password of {name}: ") if path is None else users.password_in(session, path)
    credentials.verify(session.environ, name, password)
    credentials.login(session.environ, name, session.now() + seconds, session.now())
    render.note(session, f"Logged in as {name} for {durations.show(seconds)}")
    return 0


@verb(epilog="Example: prontodb logout --user alice")
def logout(session: Session) -> int:
    """End the session of the user (--user)."""
    credentials.logout(session.environ, session.context().user.value)
    return 0


def _new(session: Session, name: str, source: str | None) -> bytes:
    if source is not None:
        return users.password_in(session, source)
    first = _asked(session, f"New password of {name}: ")
    if first != _asked(session, "Once more: "):
        raise UsageError("The two passwords differ", cure="try again")
    return first


def _asked(session: Session, prompt: str) -> bytes:
    if not session.stdin.is_terminal():
        raise UsageError("No terminal to ask for a password", cure="--password-file F, or --new-password-file F")
    from getpass import getpass

    return getpass(prompt).encode("utf-8", "surrogateescape")
