"""Administration of a PostgreSQL database: schema, grants, and a look at what they rest on."""

from ..errors import UsageError
from ..urls import environment, is_postgres, shown
from .cursors import unpinned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..engines.pg_admin import Admin
    from ..engines.pg_check import Finding
    from ..session import Session


def init(session: "Session") -> bool:
    """Makes ProntoDB's schema in the database that the call names; False where it was there already."""
    unpinned(session.context(), "a server")
    admin = _admin(session)
    try:
        return admin.init()
    finally:
        admin.close()


def grant(session: "Session", login: str) -> str:
    """Lets a login of the server use the call's meta; the role that stands for it there."""
    context = session.context()
    unpinned(context, "a server")
    admin = _admin(session)
    try:
        return admin.grant(login, context.meta.value)
    finally:
        admin.close()


def check(session: "Session") -> "list[Finding]":
    """What was found of the server, of the login and of the call's meta."""
    from ..engines.pg_check import findings

    admin = _admin(session)
    try:
        return list(findings(admin, session.context().meta.value))
    finally:
        admin.close()


def _admin(session: "Session") -> "Admin":
    database = session.context().database.value
    if not is_postgres(database):
        raise UsageError(f"Not a PostgreSQL database: '{shown(database)}'", cure="--database postgresql://ADMIN@HOST/NAME")
    from ..engines.pg_admin import Admin
    from ..engines.pg_driver import Target

    return Admin(Target(database, environment(session.environ)))
