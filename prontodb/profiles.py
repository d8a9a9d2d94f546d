"""Profiles, who may use them, and strict mode (DESIGN §5).

`/etc/prontodb/profiles.toml` is root's and wins; `$XDG_CONFIG_HOME/prontodb/profiles.toml` is the user's own.

    security = "strict"              # in root's file: no user can lower it

    [profiles.keeper]
    user = "keeper"
    meta = "keeper"
    database = "pantheon"            # or: cursor = "pantheon_keeper"
    project = "iterations"
    namespace = "sessions"
    os_users = ["alice"]             # who may use it; with neither list, everybody
    os_groups = ["pantheon"]
"""

import os

from . import paths
from .errors import Denied, UsageError
from .resolve import Context, Preset, check_meta, check_user
from .tomlfile import InvalidSetting, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Environ = Mapping[str, str]
    Table = dict[str, object]

TEXTS = ("user", "meta", "cursor", "database", "project", "namespace")
LISTS = ("os_users", "os_groups")
MODES = ("PRONTO_SECURITY", "PANTHEON_SECURITY_MODE")


class Profile:
    """A saved context, the operating-system users and groups that may use it, and whether root has said so."""

    __slots__ = ("groups", "name", "preset", "system", "users")

    def __init__(self, name: str, table: "Table", *, system: bool) -> None:
        self.name = name
        self.system = system
        self.users, self.groups = ([str(item) for item in _list(table, field)] for field in LISTS)
        self.preset = Preset(*(str(table.get(field, "")) for field in ("database", "meta", "project", "namespace")))
        self.preset.user, self.preset.cursor = str(table.get("user", "")), str(table.get("cursor", ""))

    def allows(self, user: str, groups: list[str]) -> bool:
        """Whether an operating-system user in these groups may use it."""
        return not (self.users or self.groups) or user in self.users or bool({*groups} & {*self.groups})


class Profiles:
    """All profiles, and whether root demands strict mode."""

    def __init__(self, environ: "Environ") -> None:
        own, system = load(own_file(environ)), load(paths.SYSTEM_PROFILES)
        found = {name: Profile(name, table, system=False) for name, table in _tables(own, own_file(environ)).items()}
        self.all = found | {name: Profile(name, table, system=True) for name, table in _tables(system, paths.SYSTEM_PROFILES).items()}
        self.strict = system.get("security") == "strict"

    def find(self, name: str) -> Profile:
        """One of them. Raises `UsageError` where there is none of that name."""
        if name in self.all:
            return self.all[name]
        from difflib import get_close_matches

        near = get_close_matches(name, self.all, n=1, cutoff=0.5)
        raise UsageError(f"Unknown profile '{name}'", cure=f"did you mean {near[0]}?" if near else "prontodb profile list shows them")


def own_file(environ: "Environ") -> str:
    """The user's own file of profiles."""
    return f"{paths.config_home(environ)}/profiles.toml"


def find(environ: "Environ", name: str) -> Preset:
    """What a profile says, for one who may use it. Raises `Denied` for others."""
    profile = Profiles(environ).find(name)
    user, groups = identity()
    if not profile.allows(user, groups):
        raise Denied(f"Profile '{name}' is not for the operating-system user '{user}'", cure="prontodb profile list shows what is")
    return profile.preset


def enforce(context: Context, environ: "Environ", cursor: "Callable[[str, str], Preset]") -> None:
    """In strict mode, raises `Denied` unless a profile allows this combination of user, meta and database to this user."""
    profiles = Profiles(environ)
    if not (profiles.strict or _asked(environ)):
        return
    user, groups = identity()
    wanted = (context.user.value, context.meta.value, context.database.value)
    for profile in profiles.all.values():
        # Where root demands it, only root's profiles count: one's own would lower it.
        if (profile.system or not profiles.strict) and profile.allows(user, groups) and _combination(profile.preset, cursor) == wanted:
            return
    from .urls import shown

    combination = "user '{}', meta '{}', database '{}'".format(*map(shown, wanted))
    raise Denied(f"Strict mode: no profile allows {combination} to '{user}'", cure="prontodb profile list shows what is allowed")


def identity() -> tuple[str, list[str]]:
    """The operating-system user of this process, and the groups."""
    import grp
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return user, [entry.gr_name for entry in grp.getgrall() if entry.gr_gid in {os.getegid(), *os.getgroups()}]


def _combination(preset: Preset, cursor: "Callable[[str, str], Preset]") -> tuple[str, str, str]:
    user, meta, database = preset.user or "default", preset.meta, preset.database
    if preset.cursor:
        try:
            saved = cursor(user, preset.cursor)
        except UsageError:
            return user, "", ""
        meta, database = meta or saved.meta, database or saved.database
    return user, meta, database or "main"


def _asked(environ: "Environ") -> bool:
    for variable in MODES:
        mode = environ.get(variable, "")
        if mode not in ("", "strict", "normal"):
            raise InvalidSetting(f"Invalid {variable}: '{mode}'", cure="it takes strict or normal")
    return "strict" in {environ.get(variable, "") for variable in MODES}


def _tables(file: "Table", path: str) -> "dict[str, Table]":
    if unknown := set(file) - {"security", "profiles"}:
        raise InvalidSetting(f"Unknown '{min(unknown)}' in {path}", cure="known are security and [profiles.NAME]")
    tables = file.get("profiles", {})
    if not isinstance(tables, dict):
        raise InvalidSetting(f"'profiles' in {path} is no table", cure="[profiles.NAME] begins one")
    return {name: checked(name, table, path) for name, table in tables.items()}


def checked(name: str, table: object, path: str) -> "Table":
    """A profile's table, once everything in it makes sense. Raises `InvalidSetting`."""
    if not isinstance(table, dict) or set(table) - {*TEXTS, *LISTS} or not all(isinstance(table.get(field, ""), str) for field in TEXTS):
        raise InvalidSetting(f"Profile '{name}' in {path} is malformed", cure=f"it has texts {', '.join(TEXTS)}; lists {', '.join(LISTS)}")
    if table.get("cursor") and table.get("database"):
        raise InvalidSetting(f"Profile '{name}' in {path} names both a cursor and a database", cure="name one of them")
    if "://" in str(table.get("database", "")):
        from .urls import to_keep

        to_keep(str(table["database"]), f"Profile '{name}'")
    for field, check in (("user", check_user), ("meta", check_meta)):
        if field in table:
            check(str(table[field]))
    return table


def _list(table: "Table", field: str) -> list[object]:
    value = table.get(field, [])
    return value if isinstance(value, list) else [value]
