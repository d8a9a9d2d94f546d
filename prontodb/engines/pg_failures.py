"""PostgreSQL's errors in our words: by SQLSTATE where there is one, by libpq's own words (never translated) while connecting."""

from ..errors import Busy, Denied, ProntoError, StorageError
from .failures import DamagedDatabase, ReadOnlyDatabase, StorageFull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pg_driver import Error

LATER = ("40001", "40P01")
"""Serialization failure and deadlock: the transaction is undone, and may be tried again."""
GONE = ("57P01", "57P02", "57P03", "57P05")
"""The server says good-bye. Class 08 and no state at all mean the same."""
AGAIN = "run it again, or wait longer with PRONTO_BUSY_TIMEOUT=SECONDS"


INIT = "prontodb admin postgres init, by the database's administrator"
GRANT = "prontodb admin postgres grant LOGIN --meta META, by the database's administrator"


class Unconfirmed(Busy):
    """The server may have stored it, or may not: the connection broke, or its standbys did not confirm, while it was being committed."""

    slug = "unconfirmed"


class SchemaMissing(StorageError):
    """A PostgreSQL database in which `admin postgres init` has not made ProntoDB's tables, or only those of an older version."""

    slug = "schema-missing"


class NotDurable(StorageError):
    """A PostgreSQL server whose settings could lose an acknowledged write; reads are allowed."""

    slug = "not-durable"


_STATES: "dict[str, tuple[type[ProntoError], str, str]]" = {
    "22023": (Denied, "No such role at {url}", GRANT),
    "25006": (ReadOnlyDatabase, "{url} is read-only: a standby", "add target_session_attrs=read-write to the URL, and all hosts"),
    "3F000": (SchemaMissing, "No ProntoDB schema at {url}", INIT),
    "42501": (Denied, "The login of {url} may not do this", GRANT),
    "42P01": (SchemaMissing, "No ProntoDB schema at {url}", INIT),
    "53100": (StorageFull, "The disk of {url} is full", "free some space there and run it again"),
    "53300": (Busy, "{url} takes no more connections", AGAIN),
    "55P03": (Busy, "Database is busy: {url}", AGAIN),
    "57014": (Busy, "{url} took too long", AGAIN),
    "40001": (Busy, "Database is busy: {url}", AGAIN),
    "40P01": (Busy, "Database is busy: {url}", AGAIN),
    "XX001": (DamagedDatabase, "Database is damaged: {url}", "restore a backup of the server"),
    "XX002": (DamagedDatabase, "An index is damaged: {url}", "REINDEX, as the database's administrator"),
}

_SAID: "tuple[tuple[str, str, str, str], ...]" = (
    ("password authentication failed", "fatal", "wrong password", "put the right one into ~/.pgpass (mode 0600) or PGPASSWORD"),
    ("no password supplied", "fatal", "a password is wanted", "put it into ~/.pgpass (mode 0600) or PGPASSWORD"),
    (
        "pg_hba.conf",
        "fatal",
        "the server does not let this user in from here",
        "a line in the server's pg_hba.conf, or sslmode=require in the URL",
    ),
    (
        "certificate",
        "fatal",
        "its certificate cannot be trusted",
        "sslrootcert=FILE in the URL names the authority; the host must be the one it says",
    ),
    ("does not support SSL", "fatal", "no encrypted connection", "sslmode in the URL says what is wanted; the server must offer it"),
    ("terminating connection", "later", "it is shutting down", ""),
    ("too many clients", "later", "it takes no more connections", ""),
    ("remaining connection slots", "later", "it takes no more connections", ""),
    ("starting up", "later", "it is starting", ""),
    ("shutting down", "later", "it is shutting down", ""),
    ("recovery mode", "later", "it is recovering", ""),
    ("not yet accepting", "later", "it is starting", ""),
    ("read-only", "later", "it is read-only", ""),
    ("hot standby", "later", "it is not the kind of server that target_session_attrs asks for", ""),
    ("Temporary failure in name resolution", "later", "its name cannot be looked up now", ""),
    ("could not translate host name", "unknown", "no such host", "look at the host in the URL"),
    ("database", "fatal", "no such database", "CREATE DATABASE, as the server's administrator; or look at the URL"),
    ("role", "fatal", "no such user", "CREATE ROLE ... LOGIN, as the server's administrator; or look at the URL"),
)


def connecting(error: "Error") -> tuple[str, str, str]:
    """Why a host could not be had, and what to do: `fatal` (trying again, or elsewhere, is no use), `unknown` or `later`."""
    said = str(error)
    for words, kind, reason, cure in _SAID:
        if words in said and (kind != "fatal" or words not in ("database", "role") or "does not exist" in said):
            return kind, reason, cure
    first = said.strip().split("\n")[0]
    kind = "fatal" if "FATAL:" in said else "later"
    return kind, first.partition("FATAL:")[2].strip() or first or "it closed the connection", "the server's log tells more"


def lost(error: "Error", *, closed: bool) -> bool:
    """Whether the connection is gone, and with it whatever was not committed."""
    state = error.pgcode or ""
    return closed or state in GONE or state.startswith("08")


def translate(error: "Error", url: str) -> ProntoError:
    """Our error for one of the server's."""
    kind, headline, cure = _STATES.get(error.pgcode or "", (None, "", ""))
    if kind:
        return kind(headline.format(url=url), cure=cure)
    said = (str(error).strip() or type(error).__name__).split("\n")[0]
    return StorageError(f"Cannot use {url}: {said}", cure="the server's log tells more")


def schema_missing(url: str) -> SchemaMissing:
    """The error for a database in which nothing was made yet."""
    return SchemaMissing(f"No ProntoDB schema at {url}", cure=INIT)
