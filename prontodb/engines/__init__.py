"""Engines, chosen by the scheme of the database (DESIGN §11)."""

from ..errors import InvalidDatabase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..past import Keeping
    from .base import Engine

    Asked = tuple[Callable[[], float], Callable[[], Keeping]]

SCHEMES = ("sqlite", "postgresql", "postgres")
"""What may stand before `://` in a database; without it, a name or a path is SQLite's."""


def scheme(target: str) -> str:
    """The scheme of a database. Raises `InvalidDatabase` for one that no engine has."""
    name = target.split("://", 1)[0] if "://" in target else "sqlite"
    if name not in SCHEMES:
        raise InvalidDatabase(f"Invalid database: no engine for '{name}://'", cure=f"known are a name, a path, and {', '.join(SCHEMES)}://")
    return name


def open_sqlite(path: str, whose: tuple[str, str], asked: "Asked", *, folders: bool) -> "Engine":
    """The SQLite engine on a file, which need not exist, for a user and a meta. Nothing is opened before the first verb.

    `asked` is what each call is asked for: how long it waits, and what becomes of values that are replaced.
    """
    from .sqlite import SqliteEngine

    user, meta = whose
    return SqliteEngine(path, meta, *asked, folders=folders, user=user)


def open_postgres(url: str, whose: tuple[str, str], asked: "Asked", variables: "Sequence[tuple[str, str]]") -> "Engine":
    """The PostgreSQL engine on a URL. Nothing is connected before the first verb. Raises `InvalidDatabase` for a URL that is none."""
    from .postgres import PostgresEngine

    return PostgresEngine(url, whose, *asked, variables=variables)
