"""One tenant's login tries, past ProntoDB and with any SQL it likes, to get at what another tenant has."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import pytest

from prontodb.address import Address
from prontodb.model import Content, Write
from prontodb.past import Keeping

from .pgserver import Database, Server

NOW = 1_000_000_000
SECRET = b"the secret of globex"
BIG = b"piece" * 500_000


@pytest.fixture(scope="module")
def database(pg: Server) -> Database:
    """The login `alice` has the meta `acme`; `bob` has `globex`, whose entries are what must stay his."""
    made = Database(pg)
    for login, meta in (("alice", "acme"), ("bob", "globex")):
        made.login(login)
        made.grant(meta, login)
    return made


@pytest.fixture
def state(database: Database) -> Iterator[list[object]]:
    """What bob has, compared after the test with what he had before; made anew only where a test has found a way to change it."""
    if held(database) != HIS or not HIS:
        database.empty()
        for name, value in (("k", SECRET), ("big", BIG)):
            fill(database, "globex", name, value)
        replace(database)
        HIS[:] = held(database)
    for table in TABLES:
        database.resident(f"DELETE FROM prontodb.{table} WHERE meta = '{database.name}:acme'")
    fill(database, "acme", "k", b"mine")
    before = list(HIS)
    assert len(before) == 5
    assert len(before[4]) == 2
    yield before
    assert held(database) == before


HIS: list[object] = []


def fill(database: Database, meta: str, name: str, value: bytes) -> None:
    """Stores a value, and gives its namespace a default lifetime."""
    engine = database.engine(meta)
    engine.put(Address("p", "n", name), Content.of(value), Write(1000), NOW)
    engine.set_default_ttl("p", "n", 60, NOW)
    engine.close()


def replace(database: Database) -> None:
    """Gives bob a history."""
    kept = database.engine("globex", lambda: Keeping("bob", 86_400, 100, 1 << 30))
    for value in (SECRET, BIG, b"last"):
        kept.put(Address("p", "n", "past"), Content.of(value), Write(), NOW)
    kept.close()


def held(database: Database) -> list[object]:
    """Everything that is bob's, as the superuser sees it."""
    his = f"{database.name}:globex"
    return [database.sql(f"SELECT t::text FROM prontodb.{table} t WHERE meta = %s ORDER BY 1", values=(his,)) for table in TABLES]


TABLES = ("tenant", "cache", "entry", "chunk", "past")


class Attempt:
    """alice's session, in her own meta's role; `{bob}` in a statement is the role of his."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.db = psycopg2.connect(database.server.url(database.name, "alice"))
        self.db.autocommit = True
        self.cursor = self.db.cursor()
        self.run('SET ROLE "{alice}"')

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """The rows that it gives."""
        names = {"bob": f"{self.database.name}:globex", "alice": f"{self.database.name}:acme", "owner": f"{self.database.name}::owner"}
        for name, role in names.items():
            statement = statement.replace(f"{{{name}}}", role)
        self.cursor.execute(statement)
        return self.cursor.fetchall() if self.cursor.description else []


@pytest.fixture
def alice(database: Database, state: list[object]) -> Iterator[Attempt]:
    """Her session."""
    attempt = Attempt(database)
    yield attempt
    attempt.db.close()


REFUSED = [
    ("insert as his", "INSERT INTO prontodb.cache VALUES ('{bob}', 'p', 'x', 1)"),
    (
        "overwrite by conflict",
        "INSERT INTO prontodb.tenant VALUES ('{bob}', 'alice', true, 9, 'x') ON CONFLICT (meta) DO UPDATE SET shared = true",
    ),
    ("do nothing by conflict", "INSERT INTO prontodb.tenant VALUES ('{bob}', 'alice', true, 9, 'x') ON CONFLICT DO NOTHING"),
    (
        "copy into his",
        "INSERT INTO prontodb.entry SELECT '{bob}', project, namespace, 'new', 9, NULL, 1, NULL, NULL, value FROM prontodb.entry",
    ),
    (
        "copy into his history",
        "INSERT INTO prontodb.past SELECT '{bob}', project, namespace, name, 1, true, 1, 'bob', 1, 1 FROM prontodb.entry",
    ),
    ("no longer force those of the history", "ALTER TABLE prontodb.past NO FORCE ROW LEVEL SECURITY"),
    ("give away", "UPDATE prontodb.entry SET meta = '{bob}'"),
    ("become him", 'SET ROLE "{bob}"'),
    ("become the owner", 'SET ROLE "{owner}"'),
    ("become the superuser", "SET ROLE postgres"),
    ("become him for the session", "SET SESSION AUTHORIZATION bob"),
    ("grant oneself", 'RESET ROLE; GRANT "{bob}" TO alice'),
    ("switch the policies off", "ALTER TABLE prontodb.entry DISABLE ROW LEVEL SECURITY"),
    ("no longer force them", "ALTER TABLE prontodb.entry NO FORCE ROW LEVEL SECURITY"),
    ("add a policy", "CREATE POLICY mine ON prontodb.entry USING (true)"),
    ("drop the policy", "DROP POLICY own ON prontodb.entry"),
    ("ignore the policies", "SET row_security = off; SELECT * FROM prontodb.entry"),
    ("take the table", "ALTER TABLE prontodb.entry OWNER TO alice"),
    ("truncate", "TRUNCATE prontodb.entry"),
    ("drop", "DROP TABLE prontodb.chunk"),
    ("put a trigger on it", "CREATE TRIGGER t BEFORE INSERT ON prontodb.entry EXECUTE FUNCTION suppress_redundant_updates_trigger()"),
    ("make a function beside it", "CREATE FUNCTION prontodb.f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    ("make a table beside it", "CREATE TABLE prontodb.mine (a int)"),
    ("change the version", "UPDATE prontodb.state SET version = 99"),
    ("read the statistics", "SELECT * FROM pg_catalog.pg_statistic"),
    ("read the files", "SELECT pg_read_file('PG_VERSION')"),
    ("bypass as a role", "RESET ROLE; ALTER ROLE alice BYPASSRLS"),
    ("make a role that may", "RESET ROLE; CREATE ROLE eve BYPASSRLS"),
]


@pytest.mark.parametrize("statement", [one[1] for one in REFUSED], ids=[one[0] for one in REFUSED])
def test_the_server_refuses(alice: Attempt, statement: str) -> None:
    with pytest.raises(psycopg2.Error) as caught:
        alice.run(statement)
    assert caught.value.pgcode in ("42501", "0A000")


BLIND = [
    ("plain", "SELECT value FROM prontodb.entry WHERE meta = '{bob}'"),
    ("by his key", "SELECT 1 FROM prontodb.entry WHERE name = 'big'"),
    ("what he had", "SELECT value FROM prontodb.past"),
    ("when he changed it", "SELECT ended FROM prontodb.past WHERE meta = '{bob}'"),
    ("delete what he had", "DELETE FROM prontodb.past RETURNING 1"),
    ("pieces", "SELECT data FROM prontodb.chunk"),
    ("another tenant's row", "SELECT * FROM prontodb.tenant WHERE meta <> current_user"),
    ("his defaults", "SELECT * FROM prontodb.cache WHERE meta <> '{alice}'"),
    ("as nobody in particular", "RESET ROLE; SELECT * FROM prontodb.entry"),
    ("delete", "DELETE FROM prontodb.entry WHERE meta = '{bob}' RETURNING 1"),
    ("update", "UPDATE prontodb.entry SET value = 'mine now' WHERE meta <> current_user RETURNING 1"),
    ("lock", "SELECT 1 FROM prontodb.tenant WHERE meta = '{bob}' FOR UPDATE"),
    ("by a join", "SELECT e.value FROM prontodb.tenant t RIGHT JOIN prontodb.entry e USING (meta) WHERE e.meta = '{bob}'"),
    ("by a sample", "SELECT 1 FROM prontodb.entry TABLESAMPLE SYSTEM (100) WHERE meta = '{bob}'"),
    ("by where it lies", "SELECT 1 FROM prontodb.entry WHERE ctid IN ('(0,1)', '(0,2)', '(0,3)', '(0,4)') AND meta <> current_user"),
    ("by an error", "SELECT 1 / (CASE WHEN value = 'the secret of globex' THEN 0 ELSE 1 END) FROM prontodb.entry WHERE meta = '{bob}'"),
    ("by a cast that fails", "SELECT convert_from(value, 'UTF8')::int FROM prontodb.entry WHERE meta = '{bob}'"),
    ("what others run", "SELECT query FROM pg_stat_activity WHERE usename = 'bob' AND query LIKE '%globex%'"),
    ("what is common", "SELECT most_common_vals FROM pg_stats WHERE schemaname = 'prontodb'"),
]


@pytest.mark.parametrize("statement", [one[1] for one in BLIND], ids=[one[0] for one in BLIND])
def test_the_server_shows_nothing(alice: Attempt, statement: str) -> None:
    alice.database.sql("ANALYZE prontodb.entry")
    assert alice.run(statement) == []


def test_a_cheap_function_is_not_run_on_what_is_hidden(alice: Attempt) -> None:
    """A condition that tells what it sees, and costs so little that the planner would put it first."""
    alice.run(
        "CREATE FUNCTION pg_temp.tell(bytea) RETURNS bool COST 0.0000001 LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE NOTICE '%', encode($1, 'escape'); RETURN true; END $$"
    )
    alice.run("SELECT * FROM prontodb.entry WHERE pg_temp.tell(value)")
    said = "".join(alice.db.notices)
    assert "mine" in said
    assert SECRET.decode() not in said


def test_copying_the_table_out_gives_ones_own(alice: Attempt) -> None:
    from io import BytesIO

    out = BytesIO()
    alice.cursor.copy_expert("COPY prontodb.entry TO STDOUT", out)
    assert out.getvalue().count(b"\n") == 1


def test_estimates_do_not_depend_on_what_others_have(alice: Attempt) -> None:
    """The planner knows nothing of the columns: its guess is the same for a name that bob has and one that nobody has."""
    alice.database.sql("ANALYZE prontodb.entry")
    plans = [alice.run(f"EXPLAIN SELECT 1 FROM prontodb.entry WHERE name = '{name}'")[0][0] for name in ("big", "none")]
    assert plans[0] == plans[1]
    assert alice.database.sql("SELECT count(*) FROM pg_stats WHERE schemaname = 'prontodb'") == [(0,)]


def test_a_unique_key_does_not_tell_of_his(alice: Attempt) -> None:
    """What he has under the same name is no conflict."""
    alice.run("INSERT INTO prontodb.entry (project, namespace, name, revision, size) VALUES ('p', 'n', 'big', 9, 0)")
    assert alice.run("DELETE FROM prontodb.entry WHERE name = 'big' RETURNING meta::text") == [(f"{alice.database.name}:acme",)]


def test_a_member_of_two_metas_sees_one_at_a_time(database: Database, state: list[object]) -> None:
    """The role decides, not what it inherits."""
    for meta in ("acme", "globex"):
        seen = [database.engine(meta).get(Address("p", "n", "k"), NOW).read()]
        assert seen == [b"mine" if meta == "acme" else SECRET]
    assert database.sql("SELECT * FROM prontodb.entry", user="agent") == []


def test_a_login_without_the_grant_is_told_so(database: Database, state: list[object]) -> None:
    from prontodb.engines.postgres import PostgresEngine
    from prontodb.errors import Denied

    for meta, said in (("globex", "not granted"), ("nobody", "no role")):
        engine = PostgresEngine(database.url("alice"), ("default", meta), lambda: 5.0)
        with pytest.raises(Denied, match=said):
            engine.get(Address("p", "n", "k"), NOW)
