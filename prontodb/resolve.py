"""Which data a command works on: one pure function, from flags and environment (DESIGN §5: flag > environment > default)."""

from .address import DELIMITER, Choice, Scope
from .errors import InvalidDatabase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Flags:
    """The options that every verb takes; None or False where they were not given."""

    __slots__ = ("color", "database", "delim", "json", "namespace", "project", "quiet", "raw", "verbose")

    def __init__(self) -> None:
        self.project: str | None = None
        self.namespace: str | None = None
        self.delim: str | None = None
        self.database: str | None = None
        self.json = False
        self.quiet = False
        self.verbose = False
        self.raw = False
        self.color = True


class Context:
    """The outcome: a choice for each of the four, and what they come to."""

    __slots__ = ("database", "meta", "scope", "user")

    def __init__(self, database: Choice, scope: Scope) -> None:
        self.database = database
        self.scope = scope
        self.user = Choice("default", "default")
        self.meta = Choice("", "default")


def resolve(flags: Flags, environ: "Mapping[str, str]") -> Context:
    """The context that flags and environment come to."""
    project = _choose(flags.project, "PRONTO_PROJECT", "default", environ)
    namespace = _choose(flags.namespace, "PRONTO_NAMESPACE", "default", environ)
    database = _choose(flags.database, "PRONTO_DB", "main", environ)
    if not database.value:
        raise InvalidDatabase("Invalid database '': a name or a path is wanted", cure="--database NAME")
    return Context(database, Scope(project, namespace, flags.delim or DELIMITER))


def _choose(flag: str | None, variable: str, default: str, environ: "Mapping[str, str]") -> Choice:
    if flag is not None:
        return Choice(flag, "flag")
    value = environ.get(variable, "")
    return Choice(value, "environment") if value else Choice(default, "default")
