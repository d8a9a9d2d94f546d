"""The command table on a PostgreSQL server: the tests of the verbs once more, in a home whose database is a URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import test_parity
from .conftest import Home
from .pgserver import TABLES, Database, Server
from .test_rescue import *  # noqa: F403 - the same tests
from .test_stdin import *  # noqa: F403 - likewise
from .test_verbs import *  # noqa: F403 - likewise

# These are about a file, which one it is and how it fails, or take long and never get to a database.
del test_purge, test_where, test_a_locked_database, test_a_damaged_database, test_a_database_that_is_a_folder  # type: ignore[name-defined] # noqa: F821
del test_the_spool_falls_back, test_where_nothing_takes_it_the_loss_is_said_plainly  # type: ignore[name-defined] # noqa: F821
del test_the_offered_command_finds_it_from_any_shell  # type: ignore[name-defined] # noqa: F821
del test_interrupted_it_dies_quietly_of_the_signal  # type: ignore[name-defined] # noqa: F821
del test_a_disk_that_fills_up_midway_loses_nothing_silently  # type: ignore[name-defined] # noqa: F821

METAS = ("", "acme", "acme-inc", "org", "org1", "company_engineering")


class ServedHome(Home):
    """A home whose commands work on a server, unless they name another database."""

    def __init__(self, folder: Path, served: Database) -> None:
        super().__init__(folder)
        self.served = served
        self.env["PRONTO_DB"] = served.url()

    def wipe(self) -> None:
        self.served.empty()


@pytest.fixture(scope="module")
def served(pg: Server) -> Database:
    """A database with a role for each meta that the tests use."""
    made = Database(pg)
    for meta in METAS:
        made.grant(meta)
    return made


@pytest.fixture
def home(tmp_path: Path, served: Database) -> Home:
    """An empty home, and a database that is empty too."""
    served.empty()
    return ServedHome(tmp_path, served)


@pytest.fixture(scope="module")
def parallel(pg: Server, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A database with what the hot forms are tried on, and a copy of it beside, from which it is brought back."""
    made = Database(pg)
    made.grant()
    test_parity.fill(ServedHome(tmp_path_factory.mktemp("parallel"), made))
    made.resident("".join(f"CREATE TABLE public.{table} AS TABLE prontodb.{table};" for table in TABLES))
    return made


BACK = "".join(
    f"DELETE FROM prontodb.{table}; INSERT INTO prontodb.{table} TABLE public.{table};" for table in ("tenant", "cache", "entry", "past")
)
# A piece is never changed, and its number never used again.
BACK += "DELETE FROM prontodb.chunk WHERE body NOT IN (SELECT body FROM public.chunk);"
BACK += "INSERT INTO prontodb.chunk SELECT * FROM public.chunk c WHERE NOT EXISTS (SELECT FROM prontodb.chunk WHERE body = c.body);"
HELD = (
    " UNION ALL ".join(f"SELECT '{table}', md5(t::text) FROM prontodb.{table} t" for table in ("cache", "entry", "past", "chunk"))
    + " UNION ALL SELECT 'tenant', revision::text FROM prontodb.tenant ORDER BY 1, 2"
)


@pytest.mark.parametrize("argv", test_parity.CALLS, ids=lambda argv: " ".join(map(ascii, argv))[:60])
def test_hot_and_cold_say_the_same(tmp_path: Path, parallel: Database, argv: tuple[str, ...]) -> None:
    home = ServedHome(tmp_path, parallel)
    test_parity.compare(home, argv, b"piped content", lambda: parallel.resident(BACK), lambda: parallel.sql(HELD))
