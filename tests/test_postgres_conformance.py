"""The PostgreSQL engine keeps the contract: see `conformance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

TOPICS = ("base", "values", "lifetimes", "leases", "changes", "listings", "metas", "history", "undo", "waiting", "model")
pytest.register_assert_rewrite("tests.conformance", *(f"tests.conformance_{topic}" for topic in TOPICS))

from .conformance import EngineConformance  # noqa: E402 - asserts are rewritten at import
from .pgserver import Database, Server  # noqa: E402

if TYPE_CHECKING:
    from prontodb.engines.base import Engine


@pytest.fixture(autouse=True, scope="module")
def _database(pg: Server) -> None:
    TestPostgres.database = Database(pg)


class TestPostgres(EngineConformance):
    HISTORIES = 20
    """Fewer than of other engines: each step is a dozen round trips."""
    database: Database

    def make(self, meta: str) -> Engine:
        if not self.made:
            self.database.empty()
        return self.database.engine(meta, lambda: self.keeping)
