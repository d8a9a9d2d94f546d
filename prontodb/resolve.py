"""Which data a command works on: one pure function (DESIGN §5).

Precedence, for each of user, database, meta, project and namespace: pin (a contradiction is refused) > flag > environment > cursor >
profile > default. What is saved, cursors and profiles, comes in as functions, asked only where it matters.
"""

from .address import DELIMITER, Choice, Scope, is_word
from .errors import Denied, InvalidDatabase, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Environ = Mapping[str, str]

USER_LENGTH = 32
RESERVED = frozenset(
    {"pronto", "prontodb", "pdb", "main", "rust", "user", "name", "config", "cache", "data", "temp", "tmp"}
    | {"system", "admin", "root", "database", "db", "storage", "cursor", "meta", "namespace", "project"}
)
"""Names that no user may have: each would make a file or a message ambiguous."""
PINS = ("user", "meta", "cursor", "database", "profile")
NO_META = "-"
"""What `PRONTO_FORCE_META` says to pin that there is no meta; no meta can be called that."""
REFUSED = "PRONTO_REFUSED"
"""Set by a generated function that is pinned to another context than the one in force: every call with it is denied. So a function that
must not run still hands its standard input to the one who can rescue it."""
VARIABLES = {
    "user": "PRONTO_USER",
    "database": "PRONTO_DB",
    "cursor": "PRONTO_CURSOR",
    "meta": "PRONTO_META",
    "project": "PRONTO_PROJECT",
    "namespace": "PRONTO_NAMESPACE",
}


class Flags:
    """The options that every verb takes; None or False where they were not given."""

    __slots__ = (
        "admitted",
        "color",
        "cursor",
        "database",
        "delim",
        "json",
        "meta",
        "namespace",
        "password_file",
        "project",
        "quiet",
        "raw",
        "user",
        "verbose",
    )

    def __init__(self) -> None:
        self.user: str | None = None
        self.database: str | None = None
        self.cursor: str | None = None
        self.meta: str | None = None
        self.project: str | None = None
        self.namespace: str | None = None
        self.delim: str | None = None
        self.password_file: str | None = None
        self.admitted: str | None = None
        """The user whose password came with the call in another way, and was right."""
        self.json = False
        self.quiet = False
        self.verbose = False
        self.raw = False
        self.color = True

    def given(self) -> bool:
        """Whether any of those that choose data was given."""
        return any(getattr(self, name) is not None for name in ("user", "database", "cursor", "meta", "project", "namespace", "delim"))


class Preset:
    """A saved choice of database, meta, project and namespace, each "" where it is left open: a cursor, or a profile.

    A profile may also name a user and a cursor.
    """

    __slots__ = ("cursor", "database", "meta", "namespace", "project", "user")

    def __init__(self, database: str = "", meta: str = "", project: str = "", namespace: str = "") -> None:
        self.database = database
        self.meta = meta
        self.project = project
        self.namespace = namespace
        self.user = ""
        self.cursor = ""


class Saved:
    """What is kept between calls. The functions raise `UsageError` for a name that nobody has saved."""

    __slots__ = ("active", "cursor", "profile")

    def __init__(
        self,
        active: "Callable[[str], str]",
        cursor: "Callable[[str, str], Preset]",
        profile: "Callable[[str], Preset]",
    ) -> None:
        self.active = active
        """The active cursor of a user; "" where there is none."""
        self.cursor = cursor
        """The cursor of a user, by name."""
        self.profile = profile
        """A profile, by name."""


class Context:
    """The outcome: a choice for each of them, and the pins in force."""

    __slots__ = ("cursor", "database", "meta", "pins", "scope", "user")

    def __init__(self, user: Choice, cursor: Choice, pins: dict[str, str]) -> None:
        self.user = user
        self.cursor = cursor
        self.pins = pins
        self.database = Choice("main", "default")
        self.meta = Choice("", "default")
        self.scope = Scope(Choice("default", "default"), Choice("default", "default"))


def resolve(flags: Flags, environ: "Environ", saved: Saved) -> Context:
    """The context that all of it comes to. Raises `Denied` where a pin is contradicted, `UsageError` for what makes no sense."""
    if REFUSED in environ:
        raise Denied(
            f"'{environ[REFUSED]}' is pinned to another context than the one in force here", cure="prontodb where tells what is pinned here"
        )
    chooser = _Chooser(flags, environ, saved)
    context = Context(chooser.user(), chooser.cursor(), chooser.pins)
    context.database = chooser.choose("database", "main")
    context.meta = chooser.choose("meta", "")
    context.scope = Scope(chooser.choose("project", "default"), chooser.choose("namespace", "default"), flags.delim or DELIMITER)
    if not context.database.value:
        raise InvalidDatabase("Invalid database '': a name or a path is wanted", cure="--database NAME")
    if context.meta.value or context.meta.source == "flag":
        check_meta(context.meta.value)
    return context


class _Chooser:
    """The steps of `resolve`, in their order: pins, user, cursor, then the rest."""

    def __init__(self, flags: Flags, environ: "Environ", saved: Saved) -> None:
        self._flags = flags
        self._environ = environ
        self._saved = saved
        self._presets: list[tuple[str, Preset]] = []
        self.pins = read_pins(environ)
        if "profile" in self.pins:
            self._pin_profile(saved.profile(self.pins["profile"]))

    def user(self) -> Choice:
        """The user; from here on cursors are that user's."""
        choice = self.choose("user", "default")
        check_user(choice.value)
        self._user = choice.value
        return choice

    def cursor(self) -> Choice:
        """The cursor, whose values stand in for what is not given otherwise; a pinned one pins them."""
        choice = self.choose("cursor", "")
        if choice.source == "default" and not {"meta", "database", "profile"} & set(self.pins):
            choice = Choice(self._saved.active(self._user), "active")
        if choice.value or choice.source == "flag":
            preset = self._saved.cursor(self._user, choice.value)
            self._presets.append(("cursor", preset))
            self._bind(preset)
        return choice

    def choose(self, name: str, default: str) -> Choice:
        """One of the values, by precedence."""
        flag, variable = getattr(self._flags, name), self._environ.get(VARIABLES[name], "")
        if name in self.pins:
            self._refuse(name, flag, f"--{name}")
            self._refuse(name, variable or None, VARIABLES[name])
            return Choice(self.pins[name], "pin")
        if flag is not None:
            return Choice(flag, "flag")
        if variable:
            return Choice(variable, "environment")
        for source, preset in self._presets:
            if value := getattr(preset, name, ""):
                return Choice(value, source)
        return Choice(default, "default")

    def _refuse(self, name: str, value: str | None, where: str) -> None:
        if value is not None and value != self.pins[name]:
            raise Denied(
                f"{where} says {name} {_shown(value)}, but it is pinned to {_shown(self.pins[name])}",
                cure="use what the pin says, or leave it out",
            )

    def _bind(self, cursor: Preset) -> None:
        """Holds a cursor to the pins; a pinned one pins what it says, and that there is no meta where it says none."""
        for name in ("database", "meta"):
            value = getattr(cursor, name)
            if value and self.pins.get(name, value) != value:
                raise Denied(
                    f"The cursor says {name} {_shown(value)}, but it is pinned to {_shown(self.pins[name])}",
                    cure="use another cursor, or none",
                )
            if "cursor" in self.pins:
                self.pins.setdefault(name, value)

    def _pin(self, name: str, value: str, by: str) -> None:
        pinned = self.pins.setdefault(name, value)
        if pinned != value:
            raise Denied(f"The pinned {by} says {name} {_shown(value)}, but it is pinned to {_shown(pinned)}", cure="pin only one of them")

    def _pin_profile(self, profile: Preset) -> None:
        """Everything that a profile says is pinned; that it says nothing of a meta pins there being none."""
        for name in ("user", "cursor", "database"):
            if value := getattr(profile, name):
                self._pin(name, value, "profile")
        if not profile.cursor:
            self._pin("user", profile.user or "default", "profile")
            self._pin("database", profile.database or "main", "profile")
            self._pin("meta", profile.meta, "profile")
        elif profile.meta:
            self._pin("meta", profile.meta, "profile")
        self._presets.append(("profile", profile))


def read_pins(environ: "Environ") -> dict[str, str]:
    """The pins in force. One that is set but empty or malformed is an error: half a pin is none."""
    pins = {name: environ[f"PRONTO_FORCE_{name.upper()}"] for name in PINS if f"PRONTO_FORCE_{name.upper()}" in environ}
    for name, value in pins.items():
        if (name, value) == ("meta", NO_META):
            continue
        if not value or (name not in {"user", "database"} and not is_word(value)):
            raise UsageError(f"PRONTO_FORCE_{name.upper()} is set to '{value}', which pins nothing", cure="give it a value, or unset it")
    if pins.get("meta") == NO_META:
        pins["meta"] = ""
    return pins


def _shown(value: str) -> str:
    if "://" in value:
        from .urls import shown

        value = shown(value)
    return f"'{value}'" if value else "none"


def check_user(name: str) -> str:
    """A user's name: letters and digits, a letter first, at most 32. Raises `UsageError`."""
    if name.isascii() and name.isalnum() and name[0].isalpha() and len(name) <= USER_LENGTH and name.lower() not in RESERVED:
        return name
    why = "it is reserved" if name.lower() in RESERVED else f"letters and digits, a letter first, at most {USER_LENGTH}"
    raise UsageError(f"Invalid user '{name}': {why}", cure="--user NAME")


def check_meta(name: str) -> str:
    """A meta's name: as a project's. Raises `UsageError`."""
    if is_word(name):
        return name
    raise UsageError(f"Invalid meta '{name}': letters, digits, '_' and '-', a letter or digit first", cure="--meta NAME")
