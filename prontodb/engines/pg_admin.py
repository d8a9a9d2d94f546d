"""What the administrator of a PostgreSQL server does for ProntoDB: make the schema, and let a login use a meta."""

import time

from ..errors import Denied, StorageError, UsageError
from . import pg_failures
from .pg_driver import Error, Stalled, Target, connect, execute, no_answer
from .pg_roles import owner_of, quoted, role_of
from .pg_schema import MINIMUM, TABLES, VERSION, schema, second, statistics_off

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .pg_driver import Connection, Row

PATIENCE = 30.0
"""Seconds for each statement: an administrator waits, but not for ever."""

TURN = 0x50524F4E
"""The number of that lock, which is each database's own."""

_ROLE = "SELECT rolsuper, rolbypassrls, rolcanlogin FROM pg_catalog.pg_roles WHERE rolname = %s"
_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'prontodb' ORDER BY 1, 2"


class Admin:
    """A connection with the rights of whoever the URL names. To be closed."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._db: Connection = self._connect()
        number, version = self.run("SELECT current_setting('server_version_num')::int, version()")[0]
        self.yugabyte = "-YB-" in version
        self.number = number
        if number < MINIMUM and not self.yugabyte:
            raise StorageError(f"{target.shown} is PostgreSQL {number // 10000}: too old", cure=f"{MINIMUM // 10000} or later is needed")

    def close(self) -> None:
        """Ends the connection."""
        self._db.close()

    def run(self, sql: str, values: "tuple[object, ...]" = ()) -> "list[Row]":
        """The rows of a statement. Raises `ProntoError`."""
        try:
            return execute(self._db, sql, values, PATIENCE)
        except Stalled:
            raise no_answer(self.target.shown, PATIENCE) from None
        except Error as error:
            if error.pgcode == "42501":
                raise Denied(
                    f"The login of {self.target.shown} may not do this", cure="name the database's administrator in the URL"
                ) from error
            raise pg_failures.translate(error, self.target.shown) from error

    def init(self) -> bool:
        """Makes the schema and its owner, or brings an older one up to date; False where it was there already."""
        self._take_turns()
        owner = owner_of(self.target.database)
        if self.run("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'prontodb'"):
            return self._update()
        self._make_role(owner)
        database = quoted(self.target.database)
        self.run(f"GRANT CREATE ON DATABASE {database} TO {quoted(owner)}")
        self._as_owner(self._make_tables)
        self.run(f"REVOKE CREATE ON DATABASE {database} FROM {quoted(owner)}")
        return True

    def grant(self, login: str, meta: str) -> str:
        """Lets a login use a meta, whose role is made where it is new; that role. Raises `UsageError` where there is no such login."""
        self._take_turns()
        found = self.run(_ROLE, (login,))
        if not found:
            raise UsageError(f"No such login: '{login}'", cure=f"CREATE ROLE {quoted(login)} LOGIN, as the server's administrator")
        if found[0][0] or found[0][1]:
            raise UsageError(
                f"'{login}' is a superuser, or bypasses row-level security: no server could keep it out of other metas",
                cure="grant to a login that is neither",
            )
        role = role_of(self.target.database, meta)
        self._make_role(role)
        self._open(role)
        self.run(f"GRANT {quoted(role)} TO {quoted(login)}")
        return role

    def _take_turns(self) -> None:
        """Until this connection ends, no other administrator changes anything here: the server itself lets them collide."""
        if not self.yugabyte:
            self.run("SELECT pg_advisory_lock(%s)", (TURN,))

    def _make_role(self, role: str) -> None:
        found = self.run(_ROLE, (role,))
        if not found:
            self.run(f"CREATE ROLE {quoted(role)} NOLOGIN NOINHERIT")
        elif any(found[0]):
            raise StorageError(
                f"There is a role {quoted(role)} which is no tenant's: it may log in, or has rights of its own", cure="drop it"
            )

    def _open(self, role: str) -> None:
        """What a meta's role may do: use the tables, as far as the policies let it."""
        tables = ", ".join(f"prontodb.{table}" for table in TABLES)
        self._as_owner(
            lambda: self.run(
                f"GRANT USAGE ON SCHEMA prontodb TO {quoted(role)}; GRANT SELECT ON prontodb.state TO {quoted(role)};"
                f" GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {quoted(role)}"
            )
        )

    def _as_owner(self, work: "Callable[[], object]") -> None:
        """Does something in one transaction as the owner of the tables, whose membership ends with it."""
        owner = quoted(owner_of(self.target.database))
        self.run(f"BEGIN; GRANT {owner} TO current_user; SET ROLE {owner}")
        work()
        self.run(f"RESET ROLE; REVOKE {owner} FROM current_user; COMMIT")

    def _make_tables(self) -> None:
        self.run(schema(yugabyte=self.yugabyte))
        self.run(statistics_off([(row[0], row[1]) for row in self.run(_COLUMNS)]))

    def _update(self) -> bool:
        """Brings an older schema up to date, in one transaction; whether it was one. Raises `NewerDatabase`."""
        found: list[int] = []
        self._as_owner(lambda: found.append(self.run("SELECT version FROM prontodb.state")[0][0]))
        if found[0] > VERSION:
            from .failures import NewerDatabase

            raise NewerDatabase(f"{self.target.shown} was made by a newer ProntoDB (schema {found[0]})", cure="upgrade prontodb")
        if found[0] < VERSION:
            self._as_owner(self._second)
        return found[0] < VERSION

    def _second(self) -> None:
        self.run(second(yugabyte=self.yugabyte))
        self.run(statistics_off([(row[0], row[1]) for row in self.run(_COLUMNS)]))

    def _connect(self) -> "Connection":
        end = time.monotonic() + PATIENCE
        reasons = []
        for parameters in self.target.hosts:
            try:
                return connect(parameters, max(1.0, end - time.monotonic()))
            except Stalled:
                reasons.append("no answer")
            except Error as error:
                _, reason, _ = pg_failures.connecting(error)
                reasons.append(reason)
        raise StorageError(f"Cannot use {self.target.shown}: {'; '.join(reasons)}", cure="look at the URL")
