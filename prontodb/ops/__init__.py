"""The operations: one function each, values in, values or exceptions out. No click, no printing, no environment."""

import os

from ..engines import open_sqlite, scheme
from ..paths import data_home, database_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..engines.base import Engine
    from ..session import Session


class Store:
    """What an operation works on: an engine, the time, and the folders that hold what no engine would take."""

    __slots__ = ("_session", "database", "engine", "whose")

    def __init__(self, engine: "Engine", database: str, session: "Session") -> None:
        context = session.context()
        self.whose = (context.user.value, context.meta.value)
        self.engine = engine
        self.database = database
        self._session = session

    @property
    def now(self) -> float:
        """Unix seconds, by the store's clock."""
        return self.engine.time(self._session.clock())

    @property
    def origin(self) -> str:
        """What tells this home from others."""
        from ..origin import folder

        return folder(self._session.environ)

    @property
    def folders(self) -> list[str]:
        """Where spool files of this call may lie, best first."""
        from ..spool import places

        return places(self._session.environ)


def open_store(session: "Session") -> Store:
    """The store that a call's flags and environment name; opened at its first use, closed with the session."""
    locked, key = session.opening = session.opening or _opening(session)
    if os.access(locked, os.F_OK):
        from .users import admit

        admit(session, key[1])
    if not key[0].startswith("/"):
        return _open_postgres(session, key[0])
    engine = session.pool.engines.get(key)
    if engine is None:
        engine = session.pool.engines[key] = open_sqlite(key[0], key[1:3], session.pool.asked, folders=key[3])
    return Store(engine, key[0], session)


def _opening(session: "Session") -> tuple[str, tuple[str, str, str, bool]]:
    """The file that a user with a password has; and what the engine is opened for: file or URL, user, meta, and if we chose it."""
    context = session.context()
    database, user = context.database.value, context.user.value
    scheme(database)
    named = not database.startswith(("/", "./", "sqlite:"))
    remote = "://" in database and not database.startswith("sqlite:")
    path = database if remote else database_file(database, session.environ, session.cwd, user)
    return f"{data_home(session.environ)}/users/{user}.json", (path, user, context.meta.value, named)


def _open_postgres(session: "Session", url: str) -> Store:
    from ..engines import open_postgres
    from ..urls import environment, identity

    context, variables = session.context(), environment(session.environ)
    whose = (context.user.value, context.meta.value)
    key = (f"{url} {variables}", *whose, False)
    engine = session.pool.engines.get(key)
    if engine is None:
        engine = session.pool.engines[key] = open_postgres(url, whose, session.pool.asked, variables)
    return Store(engine, identity(url), session)
