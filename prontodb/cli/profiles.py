"""Verbs on profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ..profiles import Profile
    from ..session import Session

from .. import profiles, render
from ..errors import Denied
from ..ops import profiles as own
from .group import Verbs, verb
from .kinds import NAMED
from .table import PROFILE_VERBS
from .tables import show

profile = Verbs(PROFILE_VERBS, name="profile", help="Saved contexts, which PRONTO_FORCE_PROFILE pins and strict mode demands.")


@verb(epilog="Example: prontodb profile add keeper --user keeper --meta keeper --os-user alice")
@click.argument("name")
@click.option(
    "--os-user", "os_users", type=NAMED, metavar="U", multiple=True, help="An operating-system user who may use it; several times for more."
)
@click.option("--os-group", "os_groups", type=NAMED, metavar="G", multiple=True, help="A group that may use it.")
def add(session: Session, name: str, os_users: tuple[str, ...], os_groups: tuple[str, ...]) -> int:
    """Add profile NAME to one's own file, from --user, --meta, --cursor or --database, -p and -n. With no --os-user and no --os-group,
    everybody may use it.
    """
    flags = session.flags
    table: dict[str, object] = {field: value for field in profiles.TEXTS if (value := getattr(flags, field)) is not None}
    table |= {field: list(value) for field, value in (("os_users", os_users), ("os_groups", os_groups)) if value}
    # What the flags say is for the profile; the call itself needs none of it.
    session.flags = type(flags)()
    session.forget_context()
    own.add(session, name, table)
    render.note(session, f"Added profile {name}")
    return 0


@verb(epilog="Example: prontodb profile list")
def list_(session: Session) -> int:
    """List the profiles, root's and one's own, and whether one may use them."""
    rows = [_row(profile) for profile in profiles.Profiles(session.environ).all.values()]
    return show(session, ("name", "allowed", "file", *profiles.TEXTS), rows)


@verb(epilog="Example: prontodb profile show keeper")
@click.argument("name")
def show_one(session: Session, name: str) -> int:
    """Tell all that a profile says."""
    found = profiles.Profiles(session.environ).find(name)
    told = {**_row(found), "os_users": " ".join(found.users) or None, "os_groups": " ".join(found.groups) or None}
    return show(session, ("field", "value"), [{"field": field, "value": value} for field, value in told.items()])


@verb(epilog="Example: prontodb profile remove keeper")
@click.argument("name")
def remove(session: Session, name: str) -> int:
    """Remove a profile from one's own file."""
    own.remove(session, name)
    render.note(session, f"Removed profile {name}")
    return 0


@verb(epilog="Example: prontodb profile check keeper && echo yes")
@click.argument("name")
def check(session: Session, name: str) -> int:
    """Tell by the exit status whether one may use a profile: 0, or 6."""
    found = profiles.Profiles(session.environ).find(name)
    if not _allowed(found):
        raise Denied(f"Profile '{name}' is not for the operating-system user '{profiles.identity()[0]}'")
    return 0


def _row(found: Profile) -> dict[str, object]:
    file = "system" if found.system else "own"
    fields = {field: getattr(found.preset, field) or None for field in profiles.TEXTS}
    return {"name": found.name, "allowed": "yes" if _allowed(found) else "no", "file": file, **fields}


def _allowed(found: Profile) -> bool:
    return found.allows(*profiles.identity())
