"""The tables in a PostgreSQL database, the roles that may use them, and what makes the server keep tenants apart (DESIGN §11).

Every row belongs to a role, `meta`; row-level security, forced, lets each see and write its own: `meta = current_user`. The tables
belong to a role of their own that nobody logs in as. Statistics of columns are off: by a planner's estimates one tenant could guess
what others hold.

History
    1   first version
    2   who wrote an entry and when; the history
"""

VERSION = 2
MINIMUM = 150000
"""The oldest server that this was tested with, as `server_version_num`."""
TABLES = ("tenant", "cache", "entry", "chunk", "past")

SCHEMA = """
CREATE SCHEMA prontodb;
CREATE TABLE prontodb.state (version integer NOT NULL);
INSERT INTO prontodb.state VALUES (1);
-- One row for each meta that has stored something: the user who did so first, whether others may, and the last revision given out.
-- Whoever writes locks it, so that writers of one meta take turns. `token` tells a writer whose connection broke whether it was done.
CREATE TABLE prontodb.tenant (
    meta name NOT NULL DEFAULT current_user PRIMARY KEY,
    owner text NOT NULL,
    shared boolean NOT NULL,
    revision bigint NOT NULL,
    token bytea NOT NULL
) WITH (fillfactor = 50);
-- The default lifetime of a namespace, in seconds.
CREATE TABLE prontodb.cache (
    meta name NOT NULL DEFAULT current_user,
    project bytea NOT NULL,
    namespace bytea NOT NULL,
    ttl bigint NOT NULL,
    PRIMARY KEY ({key}, project, namespace)
);
-- A value. Names are the bytes of their UTF-8, so that their order is that of bytes in every locale. `name` is key or key__context;
-- `expires` in Unix seconds; up to 1 MiB is in `value`, more in the rows of `chunk` under `body`.
CREATE TABLE prontodb.entry (
    meta name NOT NULL DEFAULT current_user,
    project bytea NOT NULL,
    namespace bytea NOT NULL,
    name bytea NOT NULL,
    revision bigint NOT NULL,
    expires bigint,
    size bigint NOT NULL,
    body bigint,
    note bytea,
    value bytea,
    PRIMARY KEY ({key}, project, namespace, name)
);
CREATE INDEX entry_expires ON prontodb.entry (meta, expires) WHERE expires IS NOT NULL;
-- The pieces of a large value. A body is the revision that it was stored with, so its number is never used again.
CREATE TABLE prontodb.chunk (
    meta name NOT NULL DEFAULT current_user,
    body bigint NOT NULL,
    number integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY ({key}, body, number)
);
ALTER TABLE prontodb.chunk ALTER COLUMN data SET STORAGE EXTERNAL;
"""

HISTORY = """
-- When an entry was written (milliseconds) and by whom, and the revision of what it replaced: 0 where nothing stood there. All three are
-- NULL from before version 2.
ALTER TABLE prontodb.entry ADD COLUMN written bigint, ADD COLUMN actor text, ADD COLUMN previous bigint;
-- Bytes that a meta has in its history.
ALTER TABLE prontodb.tenant ADD COLUMN held bigint NOT NULL DEFAULT 0;
-- A value that the change `successor` replaced, or with `deleted` deleted, at `ended` (milliseconds), by `ender`. From `revision` on as in
-- `entry`; but `kept` is false where the value was not taken over, or is gone because `expires` has come. The row goes at `until`.
CREATE TABLE prontodb.past (
    meta name NOT NULL DEFAULT current_user,
    project bytea NOT NULL,
    namespace bytea NOT NULL,
    name bytea NOT NULL,
    successor bigint NOT NULL,
    deleted boolean NOT NULL,
    ended bigint NOT NULL,
    ender text NOT NULL,
    until bigint NOT NULL,
    revision bigint NOT NULL,
    written bigint,
    actor text,
    previous bigint,
    expires bigint,
    size bigint NOT NULL,
    kept boolean NOT NULL,
    body bigint,
    note bytea,
    value bytea,
    PRIMARY KEY ({key}, project, namespace, name, successor)
);
CREATE INDEX past_until ON prontodb.past (meta, until);
CREATE INDEX past_expires ON prontodb.past (meta, expires) WHERE kept AND expires IS NOT NULL;
UPDATE prontodb.state SET version = 2;
"""

GUARD = """
ALTER TABLE prontodb.{table} ENABLE ROW LEVEL SECURITY;
ALTER TABLE prontodb.{table} FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON prontodb.{table} USING (meta = current_user) WITH CHECK (meta = current_user);
"""


def schema(*, yugabyte: bool) -> str:
    """What makes the tables, for one transaction. YugabyteDB spreads rows by the hash of a first column that is not said to be in order."""
    key = "meta ASC" if yugabyte else "meta"
    return (SCHEMA + HISTORY).format(key=key) + "".join(GUARD.format(table=table) for table in TABLES)


def second(*, yugabyte: bool) -> str:
    """What makes version 2 of version 1. Whoever may use the entries may use their history."""
    grants = """
DO $$ DECLARE role name; BEGIN
    FOR role IN SELECT DISTINCT pg_get_userbyid(a.grantee) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
        aclexplode(c.relacl) a WHERE n.nspname = 'prontodb' AND c.relname = 'entry' AND a.grantee NOT IN (0, c.relowner)
    LOOP EXECUTE 'GRANT SELECT, INSERT, UPDATE, DELETE ON prontodb.past TO ' || quote_ident(role); END LOOP; END $$;
"""
    return HISTORY.format(key="meta ASC" if yugabyte else "meta") + GUARD.format(table="past") + grants


def statistics_off(columns: "list[tuple[str, str]]") -> str:
    """What keeps the planner from learning of what tenants hold."""
    return "".join(f'ALTER TABLE prontodb."{table}" ALTER COLUMN "{column}" SET STATISTICS 0;\n' for table, column in columns)
