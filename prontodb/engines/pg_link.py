"""A connection to PostgreSQL that is asked, before each call uses it, whether it is alive, whose it is and what it may do."""

import os
import time

from ..errors import Busy, Denied, ProntoError, StorageError
from . import pg_failures
from .failures import NewerDatabase
from .pg_driver import Error, Stalled, Target, connect, execute, no_answer
from .pg_failures import AGAIN
from .pg_roles import quoted, role_of
from .pg_schema import MINIMUM, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .pg_driver import Connection, Row, Values

    T = TypeVar("T")

LEAST = 1.0
"""Seconds that a server is given to answer, however short `busy_timeout` is: a network is no lock."""
IDLE = 300.0
"""Seconds after which the server ends a connection that rests: a shell that nobody types in must not keep others out."""
PAUSE = 0.1
"""Seconds between two attempts to connect."""
DURABLE = ("on", "remote_apply")
"""Values of `synchronous_commit` that wait until standbys have a commit on disk."""
FLUSHED = (*DURABLE, "local", "remote_write")
"""Those that wait until the server itself has."""
ALONE = "synchronous_standby_names is empty"

_ASK = """SET ROLE {role}; SET search_path = pg_catalog; SET client_min_messages = warning; SET bytea_output = hex;
SET statement_timeout = {statement}; SET lock_timeout = {lock}; SET idle_session_timeout = {idle};
SELECT current_setting('server_version_num')::int, version(), current_setting('fsync'), current_setting('synchronous_commit'),
    current_setting('synchronous_standby_names'), extract(epoch FROM clock_timestamp())::float8,
    (SELECT version FROM prontodb.state), t.owner, t.shared
FROM (SELECT 1) AS one LEFT JOIN prontodb.tenant t ON t.meta = current_user"""
_BEGIN = """BEGIN; INSERT INTO prontodb.tenant AS t (meta, owner, shared, revision, token) VALUES (current_user, %s, false, 1, %s)
ON CONFLICT (meta) DO UPDATE SET revision = t.revision + 1, token = excluded.token RETURNING t.revision, t.owner, t.shared"""
# It waits until a transaction that is still being committed is over: an insert does so for a row that is not to be seen yet. And it
# writes, so it waits for the standbys: an earlier commit that is seen by then has reached them too.
_DID = """INSERT INTO prontodb.tenant AS t (meta, owner, shared, revision, token) VALUES (current_user, %s, false, 0, '')
ON CONFLICT (meta) DO UPDATE SET revision = t.revision RETURNING t.revision, t.token"""
_WHY = "SELECT to_regnamespace('prontodb') IS NOT NULL, EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s)"
BROKE = "the connection broke"
SILENT = "neither it nor its standbys confirmed it in time"


class Undecided(Exception):
    """The connection broke while a transaction was being committed; `result` is what it would have returned."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


class Gone(Exception):
    """The transaction is undone, and can be made again: the connection broke before its end, or another one stood in its way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class Link:
    """One meta's connection. `timeout` gives `busy_timeout` in seconds; `user` is the one whose data it must be, or shared."""

    def __init__(self, target: Target, meta: str, user: str, timeout: "Callable[[], float]") -> None:
        self.target = target
        self.user = user
        self._meta = meta
        self._role = role_of(target.database, meta)
        self._timeout = timeout
        self._db: Connection | None = None
        self._asked = False
        self._refusal: StorageError | None = None
        self._revision = 0
        self.skew = 0.0
        """Seconds that the server's clock is ahead of this machine's; 0 where the difference is below what can be measured."""

    def close(self) -> None:
        """Ends the connection, undoing what is not committed."""
        if self._db is not None:
            self._db.close()
        self._db = None
        self._asked = False

    def rest(self) -> None:
        """Keeps the connection, which is outside of any transaction, and asks it again before its next use."""
        self._asked = False

    def run(self, sql: str, values: "Values" = ()) -> "list[Row]":
        """The rows of a query, asked again on a new connection where the old one is gone. Raises `ProntoError`."""
        for _ in range(2):
            self.ready()
            try:
                return self.execute(sql, values)
            except Gone:
                continue
        raise no_answer(self.target.shown, self.patience)

    def execute(self, sql: str, values: "Values" = ()) -> "list[Row]":
        """The same on the connection as it is. Raises `Gone` where that is lost, else `ProntoError`."""
        try:
            return execute(self._db, sql, values, self.patience + LEAST)
        except Stalled:
            self.close()
            raise no_answer(self.target.shown, self.patience) from None
        except Error as error:
            translated = pg_failures.translate(error, self.target.shown)
            if pg_failures.lost(error, closed=self._db is None or bool(self._db.closed)):
                self.close()
                raise Gone(translated) from error
            raise (Gone(translated) if error.pgcode in pg_failures.LATER else translated) from error

    @property
    def patience(self) -> float:
        """Seconds to wait for an answer."""
        return max(self._timeout(), LEAST)

    def ready(self) -> None:
        """Sees to a connection that has been asked. Raises `ProntoError`: `Busy` where none can be had in time."""
        if self._asked:
            return
        end = time.monotonic() + self._timeout()
        while True:
            try:
                if self._db is None:
                    self._db = self._connect(end)
                self._ask()
                return
            except Gone:
                # It was lost while it rested: another one.
                if time.monotonic() > end:
                    raise no_answer(self.target.shown, self.patience) from None
            except BaseException:
                self.close()
                raise

    def _connect(self, end: float) -> "Connection":
        while True:
            reasons, hopeless = self._try_each(end)
            if isinstance(reasons, list):
                if hopeless:
                    raise StorageError(f"Cannot reach {self.target.shown}: no such host", cure="look at the host in the URL")
                if time.monotonic() + PAUSE > end:
                    raise Busy(f"Cannot reach {self.target.shown}: {'; '.join(reasons)}", cure=AGAIN)
                time.sleep(PAUSE)
            else:
                return reasons

    def _try_each(self, end: float) -> "tuple[Any, bool]":
        """A connection to the first host that gives one; else why none did, and whether none of them exists at all."""
        reasons, kinds = [], set()
        for number, parameters in enumerate(self.target.hosts):
            share = max(LEAST, end - time.monotonic()) / (len(self.target.hosts) - number)
            try:
                return connect(parameters, share), False
            except Stalled:
                kind, reason, cure = "later", "no answer", ""
            except Error as error:
                kind, reason, cure = pg_failures.connecting(error)
            if kind == "fatal":
                raise StorageError(f"Cannot use {self.target.shown}: {reason}", cure=cure)
            kinds.add(kind)
            reasons.append(f"{parameters.get('host') or parameters.get('hostaddr')}:{parameters['port']}: {reason}")
        return reasons, kinds == {"unknown"}

    def _ask(self) -> None:
        """Asks one question: whether it is alive, the role ours, the schema today's, the server durable, the data this user's; the time."""
        limits = {"statement": self.patience, "lock": self._timeout(), "idle": IDLE}
        sql = _ASK.format(role=quoted(self._role), **{name: max(1, int(seconds * 1000)) for name, seconds in limits.items()})
        before = time.time()
        try:
            number, version, fsync, commit, standbys, clock, schema, owner, shared = self.execute(sql)[0]
        except Denied as error:
            raise self._refused() from error
        after = time.time()
        self.skew = 0.0 if before <= clock <= after else clock - (before + after) / 2
        if number < MINIMUM and "-YB-" not in version:
            raise StorageError(
                f"{self.target.shown} is PostgreSQL {number // 10000}: too old", cure=f"{MINIMUM // 10000} or later is needed"
            )
        self._check_schema(schema)
        self.guard(owner, shared=shared)
        self._refusal = None if "-YB-" in version else self._gate((fsync, commit, standbys))
        self._asked = True

    def _refused(self) -> ProntoError:
        """Why the role cannot be had: there is none, it is not this login's, or there is nothing yet that it could be for."""
        made, known = self.execute(_WHY, (self._role,))[0]
        if not made:
            return pg_failures.schema_missing(self.target.shown)
        shown = f"meta '{self._meta}'" if self._meta else "entries without a meta"
        option = f" --meta {self._meta}" if self._meta else ""
        why = f"this login was not granted {shown}" if known else f"there is no role for {shown}"
        return Denied(f"{self.target.shown}: {why}", cure=f"prontodb admin postgres grant LOGIN{option}, by its administrator")

    def _check_schema(self, schema: int) -> None:
        if schema > VERSION:
            raise NewerDatabase(f"{self.target.shown} was made by a newer ProntoDB (schema {schema})", cure="upgrade prontodb")
        if schema < VERSION:
            raise pg_failures.SchemaMissing(
                f"{self.target.shown} was made by an older ProntoDB (schema {schema})",
                cure="prontodb admin postgres init brings it up to date",
            )

    def guard(self, owner: "str | None", *, shared: "bool | None") -> None:
        """Raises `Denied` where the data belong to another user who does not share them."""
        if owner not in (None, self.user) and not shared:
            raise Denied(
                f"What this meta has at {self.target.shown} belongs to user '{owner}', not to '{self.user}'",
                cure=f"--user {owner} if you are; or let them share it: prontodb --user {owner} admin share",
            )

    def _gate(self, settings: tuple[str, str, str]) -> StorageError | None:
        """What speaks against writing; None where nothing does."""
        wrong = gate(self.target.durability, *settings)
        if not wrong:
            return None
        cure = "name the standbys, or for a single server add durability=local to the URL" if wrong == [ALONE] else "set it at the server"
        return pg_failures.NotDurable(f"{self.target.shown} could lose what it acknowledges: {', '.join(wrong)}", cure=cure)

    # Transactions

    def transact(self, change: "Callable[[int], T]", *, again: bool) -> "T":
        """What `change` returns, committed. It gets a revision, new and above all others of this meta, whose writers take turns.

        `again`: to do it twice comes to the same. Else, where it cannot be found out whether it was done, raises `Unconfirmed`.
        """
        end = time.monotonic() + self.patience
        first: list[Any] = []
        while True:
            token = os.urandom(8)
            try:
                result = self._attempt(change, token)
                # What an attempt whose end nobody saw has done already, a second one cannot find to do.
                return result or (first or [result])[0]
            except Gone as gone:
                failure: Exception = gone.error
            except Undecided as undecided:
                done = self._find_out(token)
                if done:
                    return undecided.result  # type: ignore[return-value]
                first = [] if done is False else [undecided.result]
                failure = self._unconfirmed(BROKE) if first else Busy(f"{self.target.shown} broke off: nothing was stored", cure=AGAIN)
                if first and not again:
                    raise failure from undecided
            if time.monotonic() > end:
                raise failure

    def _attempt(self, change: "Callable[[int], T]", token: bytes) -> "T":
        self.ready()
        if self._refusal is not None:
            raise self._refusal
        try:
            revision, owner, shared = self.execute(_BEGIN, (self.user, token))[0]
            self._revision = int(revision)
            self.guard(owner, shared=shared)
            result = change(self._revision)
        except BaseException:
            self._undo()
            raise
        self._commit(result)
        return result

    def _undo(self) -> None:
        if self._db is not None:
            try:
                self.execute("ROLLBACK")
            except Exception:  # noqa: BLE001 - what is closed is undone as well
                self.close()

    def _commit(self, result: object) -> None:
        assert self._db is not None
        del self._db.notices[:]
        try:
            self.execute("COMMIT")
        except Gone as error:
            raise Undecided(result) from error
        except Busy as error:
            # `statement_timeout` does not end this wait. The server goes on with it, and this meta's next writers wait for that.
            self.close()
            raise self._unconfirmed(SILENT) from error
        if self._db.notices:
            # The wait for the standbys was called off: it says so by a warning, and calls it a success.
            raise self._unconfirmed("the wait for its standbys was called off")

    def _find_out(self, token: bytes) -> "bool | None":
        """Whether the transaction with this token was committed, once it is over; None where nobody can tell any more."""
        try:
            last, theirs = self.run(_DID, (self.user,))[0]
        except StorageError as error:
            raise self._unconfirmed(error.message) from error
        if self._db is not None and self._db.notices:
            raise self._unconfirmed("the wait for its standbys was called off")
        if bytes(theirs) == token:
            return True
        # A revision that was not reached, or that somebody else was given: ours was undone.
        return False if last <= self._revision else None

    def _unconfirmed(self, why: str) -> pg_failures.Unconfirmed:
        return pg_failures.Unconfirmed(
            f"{self.target.shown} may have stored it, or not: {why}", cure="look whether it is there; then run it again"
        )


def gate(durability: str, fsync: str, commit: str, standbys: str) -> list[str]:
    """The settings of a server under which a write that was acknowledged could be lost: with one machine, or with `local` by a crash."""
    single = durability == "local"
    wrong = []
    if fsync != "on":
        wrong.append(f"fsync is {fsync}")
    if commit not in (FLUSHED if single else DURABLE):
        wrong.append(f"synchronous_commit is {commit}")
    if not standbys and not single:
        wrong.append(ALONE)
    return wrong
