"""The benchmark's own arithmetic; what it measures is never asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from .bench import earlier
from .bench.__main__ import MAKERS, ROWS
from .bench.rows import Outcome, Row

ROW = Row("get", "cold get", 1.3, "≤ 1.3 ×", lambda world, samples: Outcome(1.0, ""))


@pytest.mark.parametrize(
    ("now", "before", "named"),
    [(1.0, [1.0], False), (1.19, [1.0], False), (1.4, [1.0], True), (1.4, [1.0, 1.0, 9.0], True), (1.4, [], False), (0.03, [0.01], False)],
)
def test_what_is_a_fifth_slower_than_the_last_runs_is_named(now: float, before: list[float], *, named: bool) -> None:
    past = [{"values": {"get": value}} for value in before]
    assert [text.partition(":")[0] for text in earlier.slower([ROW], {"get": now}, past)] == ["cold get"] * named


def test_a_row_that_was_not_measured_then_or_now_is_not_judged() -> None:
    assert earlier.slower([ROW], {}, [{"values": {"get": 1}}]) == earlier.slower([ROW], {"get": 9}, [{"values": {}}]) == []


def test_runs_are_kept_in_order(tmp_path: Path) -> None:
    file = str(tmp_path / "runs")
    assert earlier.load(file) == []
    for value in (1.0, 2.00001):
        earlier.add({"get": value}, {"rounds": 7, "machine": ["x"]}, file)
    runs = earlier.load(file)
    assert [run["values"] for run in runs] == [{"get": 1.0}, {"get": 2.0}]
    assert runs[0]["machine"] == ["x"]


def test_every_row_has_the_commands_that_it_names() -> None:
    assert {name for row in ROWS.values() for name in row.commands} <= set(MAKERS)
