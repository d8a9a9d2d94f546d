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
        """Unix seconds."""
        return self._session.clock()

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
    context = session.context()
    database = context.database.value
    scheme(database)
    user = context.user.value
    if os.path.exists(f"{data_home(session.environ)}/users/{user}.json"):
        from .users import admit

        admit(session, user)
    path = database_file(database, session.environ, session.cwd, user)
    named = not database.startswith(("/", "./", "sqlite:"))
    key = (path, user, context.meta.value, named)
    engine = session.pool.engines.get(key)
    if engine is None:
        engine = session.pool.engines[key] = open_sqlite(path, key[1:3], session.pool.timeout, folders=named)
    return Store(engine, path, session)
