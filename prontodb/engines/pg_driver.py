"""psycopg2, used so that no call waits without a limit, whatever the network or the server does.

Connections are asynchronous: the driver sends and takes apart, the waiting is ours. libpq's own timeout ends with the connection, and a
server that is stopped in the middle of an answer would be waited for without end.
"""

import select
import sys
import time

from ..errors import Busy, InvalidDatabase, StorageError
from ..urls import check_durability, shown, take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

    Row = tuple[Any, ...]
    Connection = Any
    Values = Sequence[object]


def _load() -> "tuple[ModuleType, ModuleType]":
    # It imports `ssl` for nothing but to know who sets up OpenSSL, and does without where there is none: 15 ms of a cold command.
    hidden = "ssl" not in sys.modules
    if hidden:
        sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import psycopg2
        from psycopg2 import extensions
    except ImportError as error:
        raise StorageError(
            "PostgreSQL needs the extra 'postgres', which is not installed", cure="pip install 'prontodb[postgres]', or psycopg2-binary"
        ) from error
    finally:
        if hidden:
            del sys.modules["ssl"]
    return psycopg2, extensions


psycopg2, extensions = _load()

Error = psycopg2.Error


class Stalled(Exception):
    """No answer in time."""


class Target:
    """A URL, taken apart: the ways to connect, one for each host, and what it asks for in durability.

    `variables` are those of `urls.environment`. What neither says has libpq's default, whatever the environment of this process says.
    """

    __slots__ = ("database", "durability", "hosts", "shown")

    def __init__(self, url: str, variables: "Sequence[tuple[str, str]]") -> None:
        self.shown = shown(url)
        durability, rest = take(url, "durability", "quorum")
        self.durability = check_durability(durability)
        given = _parsed(rest, self.shown)
        self.hosts = _each_host({**_defaults(dict(variables)), **given}, self.shown)
        self.database = given.get("dbname", "")
        if not self.database or ":" in self.database:
            raise InvalidDatabase(
                f"Invalid database {self.shown}: it names no database, or one with ':' in it", cure="postgresql://HOST/NAME"
            )


def _parsed(url: str, shown: str) -> dict[str, str]:
    """What libpq reads in it. Raises `InvalidDatabase`, without its words: it quotes, and what it quotes may be half a password."""
    try:
        given: dict[str, str] = extensions.parse_dsn(url)
    except Error:
        given = {"host": "@"}
    # A password with an odd character in it ends early, and its rest is taken for a host, a port or a database.
    odd = "@" in given.get("host", "") or any(mark in given.get("dbname", "") for mark in "@/")
    if odd or given.get("port", "0").replace(",", "0").strip("0123456789"):
        raise InvalidDatabase(
            f"Invalid database {shown}: not a URL of PostgreSQL's", cure="postgresql://USER@HOST:PORT/DATABASE; write odd characters as %XX"
        )
    return given


def _defaults(environ: dict[str, str]) -> dict[str, str]:
    home = environ.get("HOME", "")
    found = {
        "password": environ.get("PGPASSWORD", ""),
        "passfile": environ.get("PGPASSFILE") or f"{home}/.pgpass",
        "sslmode": environ.get("PGSSLMODE") or "prefer",
        "sslrootcert": environ.get("PGSSLROOTCERT") or f"{home}/.postgresql/root.crt",
        "user": environ.get("PGUSER", ""),
    }
    fixed = {
        "gssencmode": "disable",
        "port": "5432",
        "options": "",
        "target_session_attrs": "any",
        "application_name": "prontodb",
        "client_encoding": "UTF8",
    }
    return {name: value for name, value in {**found, **fixed}.items() if value or name in {"password", "options"}}


def _each_host(parameters: dict[str, str], url: str) -> list[dict[str, str]]:
    """The parameters once for each host: libpq would try them all in one go, for longer than a call may wait."""
    names, addresses = (parameters.get(name, "").split(",") for name in ("host", "hostaddr"))
    ports = parameters["port"].split(",")
    count = max(len(names), len(addresses))
    if names == addresses == [""]:
        raise InvalidDatabase(
            f"Invalid database {url}: it names no host", cure="postgresql://HOST/NAME; a socket's folder as ?host=/FOLDER"
        )
    if len(ports) not in (1, count) or len(names) not in (1, count) or len(addresses) not in (1, count):
        raise InvalidDatabase(f"Invalid database {url}: hosts and ports do not match", cure="postgresql://H1:P1,H2:P2/NAME")
    each = ({"host": _at(names, n), "hostaddr": _at(addresses, n), "port": _at(ports, n) or "5432"} for n in range(count))
    return [{**parameters, **own} for own in ({name: value for name, value in one.items() if value} for one in each)]


def _at(values: list[str], number: int) -> str:
    return values[number] if len(values) > 1 else values[0]


def connect(parameters: dict[str, str], seconds: float) -> "Connection":
    """A connection to one host, in autocommit mode. Raises `Error` or `Stalled`."""
    db = psycopg2.connect(**parameters, async_=1)
    try:
        _wait(db, seconds)
        return db
    except BaseException:
        db.close()
        raise


def execute(db: "Connection", sql: str, values: "Values", seconds: float) -> "list[Row]":
    """Runs statements, and gives the rows of the last one. Raises `Error`, or `Stalled`: then the connection is of no more use."""
    cursor = db.cursor()
    cursor.execute(sql, values or None)
    try:
        _wait(db, seconds)
    except Stalled:
        db.close()
        raise
    return cursor.fetchall() if cursor.description else []


def _wait(db: "Connection", seconds: float) -> None:
    end = time.monotonic() + seconds
    poll = select.poll()
    while (state := db.poll()) != extensions.POLL_OK:
        fd = db.fileno()
        poll.register(fd, select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        ready = poll.poll(max(0.0, end - time.monotonic()) * 1000)
        poll.unregister(fd)
        if not ready:
            raise Stalled


def no_answer(url: str, seconds: float) -> Busy:
    """The error for a server that has not answered."""
    return Busy(f"No answer from {url} within {seconds:g} seconds", cure="run it again, or wait longer with PRONTO_BUSY_TIMEOUT=SECONDS")
