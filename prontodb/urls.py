"""Databases that are URLs: told from names and paths, taken apart, and shown without their secrets. Pure."""

from .errors import InvalidDatabase, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

POSTGRES = ("postgresql://", "postgres://")
SHOWN = frozenset(
    {"application_name", "connect_timeout", "dbname", "durability", "host", "hostaddr", "keepalives", "options", "port", "sslmode"}
    | {"sslcert", "sslkey", "sslrootcert", "target_session_attrs", "user"}
)
"""Parameters that hold no secret. Whatever else a URL says is not shown."""
VARIABLES = ("PGPASSWORD", "PGPASSFILE", "PGUSER", "PGSSLMODE", "PGSSLROOTCERT")
"""What may be left out of a URL, and is looked for in the environment of the call."""


def is_postgres(database: str) -> bool:
    """Whether a database is a URL of PostgreSQL's."""
    return database.startswith(POSTGRES)


def shown(database: str) -> str:
    """A database as it may be printed and saved: a URL without password, and without parameters that may be one.

    The user's part reaches to the last `@`: a password that somebody forgot to encode must not show either.
    """
    scheme, mark, rest = database.partition("://")
    if not mark:
        return database
    before, at, after = rest.rpartition("@")
    place, question, query = after.partition("?")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] in SHOWN]
    hidden = len(kept) < len(query.split("&")) and bool(query)
    tail = "&".join([*kept, *(["..."] if hidden else [])])
    return f"{scheme}://{before.partition(':')[0]}{at}{place}" + (f"{question}{tail}" if tail else "")


def to_keep(database: str, where: str) -> str:
    """A URL as a cursor, a profile or a function keeps it. Raises `UsageError` where it holds a secret: those are shown and copied."""
    if shown(database) != database:
        raise UsageError(f"{where} keeps no password: '{shown(database)}'", cure="put it into ~/.pgpass (mode 0600), and leave it out here")
    return database


def identity(database: str) -> str:
    """Which database a URL leads to, whoever asks and however: hosts and database. Rescued content remembers its home by it."""
    place = database.partition("://")[2].rpartition("@")[2].partition("?")[0]
    hosts, slash, name = place.partition("/")
    return f"postgresql://{','.join(host.removesuffix(':5432') for host in hosts.split(','))}{slash}{name}"


def take(database: str, name: str, default: str) -> tuple[str, str]:
    """A parameter of our own, and the URL without it, as libpq wants it."""
    authority = database[: database.find("/", database.find("://") + 3)]
    mark = database.find("?", authority.rfind("@") + 1)
    place, pairs = (database[:mark], database[mark + 1 :].split("&")) if mark >= 0 else (database, [])
    own = [pair.partition("=")[2] for pair in pairs if pair.partition("=")[0] == name]
    rest = "&".join(pair for pair in pairs if pair.partition("=")[0] != name)
    return (own[-1] if own else default), place + (f"?{rest}" if rest else "")


def environment(environ: "Mapping[str, str]") -> tuple[tuple[str, str], ...]:
    """What a call's environment says of the connection. The process may have another one: it is not asked."""
    return tuple((name, environ.get(name, "")) for name in (*VARIABLES, "HOME"))


def check_durability(word: str) -> str:
    """`quorum`, or `local` for one server. Raises `InvalidDatabase`."""
    if word in ("quorum", "local"):
        return word
    raise InvalidDatabase(
        "Invalid database: its durability is neither quorum nor local", cure="durability=quorum, or durability=local for a single server"
    )
