"""What every engine must keep to: the promises of `prontodb/engines/base.py`, each as a test.

To hold an engine to them, subclass and say how one is made:

    class TestMine(EngineConformance):
        def make(self, meta):
            return MyEngine(self.folder / "store", meta, lambda: self.keeping)

Every engine that one test makes must work on the same store, empty when the test begins, and see only its own meta in it.
`self.folder` is an empty folder for its use. Engines are closed when the test ends.
"""

from __future__ import annotations

from .conformance_changes import ChangesConformance
from .conformance_history import HistoryConformance
from .conformance_leases import LeasesConformance
from .conformance_lifetimes import LifetimesConformance
from .conformance_listings import ListingsConformance
from .conformance_metas import MetasConformance
from .conformance_model import ModelConformance
from .conformance_undo import UndoConformance
from .conformance_values import ValuesConformance
from .conformance_waiting import WaitingConformance


class EngineConformance(
    ValuesConformance,
    LifetimesConformance,
    ChangesConformance,
    LeasesConformance,
    ListingsConformance,
    MetasConformance,
    HistoryConformance,
    UndoConformance,
    WaitingConformance,
    ModelConformance,
):
    """See the module. Not collected by itself: its name does not begin with `Test`."""

    def test_an_engine_says_what_it_can(self) -> None:
        """Capabilities are three facts, and there is nothing to tell the user at first."""
        can = self.db.capabilities
        assert {can.durable, can.shared, can.large_values} <= {True, False}
        assert self.db.notices == []

    def test_closing_lets_go_and_is_quiet(self) -> None:
        """An engine closes whether or not it was used, opens again when it is, and a durable one finds everything again."""
        self.tenant("unused").close()
        self.put("k")
        self.db.close()
        assert self.value("k") == b"v"
        self.put("k2")
        self.db.close()
        if self.db.capabilities.durable:
            self.db = self.tenant("acme")
            assert self.value("k") == b"v"
