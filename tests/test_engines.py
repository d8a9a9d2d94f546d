"""The engines keep the contract: see `conformance`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

TOPICS = ("base", "values", "lifetimes", "leases", "changes", "listings", "metas", "history", "undo", "waiting", "model")
pytest.register_assert_rewrite("tests.conformance", *(f"tests.conformance_{topic}" for topic in TOPICS))

from prontodb.engines.memory import MemoryEngine  # noqa: E402 - asserts are rewritten at import
from prontodb.engines.sqlite import SqliteEngine  # noqa: E402
from prontodb.engines.tenant import Tenant  # noqa: E402 - likewise

from .conformance import EngineConformance  # noqa: E402

if TYPE_CHECKING:
    from prontodb.engines.base import Engine


class TestMemory(EngineConformance):
    def make(self, meta: str) -> Engine:
        shared: dict[str, Tenant] = vars(self).setdefault("shared", {})
        return MemoryEngine(meta, shared, lambda: self.keeping)


class TestSqlite(EngineConformance):
    def make(self, meta: str) -> Engine:
        return SqliteEngine(str(self.folder / "data.db"), meta, lambda: 5.0, lambda: self.keeping)
