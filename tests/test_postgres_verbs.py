"""The command table on a PostgreSQL server: the tests of the verbs once more, in a home whose database is a URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import test_parity
from .conftest import Home
from .pgserver import Database, Server
from .test_rescue import *  # noqa: F403 - the same tests
from .test_stdin import *  # noqa: F403 - likewise
from .test_verbs import *  # noqa: F403 - likewise

# These are about a file, which one it is and how it fails, or take long and never get to a database.
del test_purge, test_where, test_a_locked_database, test_a_damaged_database, test_a_database_that_is_a_folder  # type: ignore[name-defined] # noqa: F821
del test_the_spool_falls_back, test_where_nothing_takes_it_the_loss_is_said_plainly  # type: ignore[name-defined] # noqa: F821
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


@pytest.mark.parametrize("argv", test_parity.CALLS, ids=lambda argv: " ".join(map(ascii, argv))[:60])
def test_hot_and_cold_say_the_same(home: Home, argv: tuple[str, ...]) -> None:
    test_parity.test_hot_and_cold_say_the_same(home, argv, b"piped content")
