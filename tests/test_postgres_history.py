"""A PostgreSQL database of version 1 is brought forward by `admin postgres init`, and keeps its tenants apart while it is."""

from __future__ import annotations

import pytest

from prontodb.address import Address
from prontodb.engines.pg_schema import GUARD, SCHEMA, TABLES
from prontodb.errors import StorageError
from prontodb.model import Content, Write
from prontodb.past import Keeping

from .pgserver import Database, Server

NOW = 1_000_000_000
K = Address("p", "n", "k")


@pytest.fixture
def first(pg: Server) -> Database:
    """A database as version 1 made it: two metas, each with an entry, and grants on the tables that there were."""
    database = Database(pg)
    database.grant("acme")
    database.grant("globex")
    owner = f'"{database.name}::owner"'
    database.sql("DROP SCHEMA prontodb CASCADE")
    tables = [table for table in TABLES if table != "past"]
    guards = "".join(GUARD.format(table=table) for table in tables)
    database.sql(f'GRANT CREATE ON DATABASE "{database.name}" TO {owner}; GRANT {owner} TO postgres')
    database.sql(f"SET ROLE {owner}; {SCHEMA.format(key='meta')}{guards}")
    for meta in ("acme", "globex"):
        role = f'"{database.name}:{meta}"'
        names = ", ".join(f"prontodb.{table}" for table in tables)
        database.sql(
            f"GRANT USAGE ON SCHEMA prontodb TO {role}; GRANT SELECT ON prontodb.state TO {role};"
            f" GRANT SELECT, INSERT, UPDATE, DELETE ON {names} TO {role}; SET ROLE {role};"
            f" INSERT INTO prontodb.tenant VALUES (current_user, 'default', false, 3, '');"
            f" INSERT INTO prontodb.entry VALUES (current_user, 'p', 'n', 'k', 3, NULL, {len(meta)}, NULL, NULL, '{meta}')"
        )
    database.sql(f'REVOKE {owner} FROM postgres; REVOKE CREATE ON DATABASE "{database.name}" FROM {owner}')
    return database


def test_init_brings_it_forward(first: Database) -> None:
    engine = first.engine("acme", lambda: Keeping("me", 86_400, 100, 1 << 30))
    with pytest.raises(StorageError, match="older ProntoDB") as caught:
        engine.get(K, NOW)
    assert "admin postgres init" in caught.value.cure
    admin = first.admin()
    try:
        from prontodb.engines.pg_check import findings

        found = {finding.check: finding for finding in findings(admin, "acme")}
        assert found["schema"].cure == "prontodb admin postgres init"
        assert (admin.init(), admin.init()) == (True, False)
        found = {finding.check: finding for finding in findings(admin, "acme")}
        assert [found[check].cure for check in ("schema", "row-level security", "owner", "public", "tenants' roles", "meta")] == [""] * 6
    finally:
        admin.close()
    assert engine.put(K, Content.of(b"new"), Write(), NOW) == 4
    told = [(one.made.revision, one.made.time, one.made.actor, one.previous) for one in engine.versions(K, 0, 10, NOW)]
    assert told == [(4, NOW, "me", 3), (3, None, "", None)]
    assert engine.recall(K, 3, NOW).read() == b"acme"
    engine.close()
    other = first.engine("globex")
    assert (other.get(K, NOW).read(), other.versions(None, 0, 10, NOW)[0].ended) == (b"globex", None)
    other.close()
