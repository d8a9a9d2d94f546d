"""The runs there have been, a line of JSON for each, and what has become slower since."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from statistics import median

from .rows import Row
from .world import ROOT

FILE = f"{ROOT}/docs/reference/performance-history.ndjson"
RUNS = 5
"""Of the last runs on a machine of this kind, whose median a run is held against: one noisy run is no measure."""
SLOWER = 1.2
NOISE = 0.1
"""Of a row's limit: what a difference of two times must come to, besides a fifth of itself, to mean anything."""


def load(path: str = FILE) -> list[dict[str, object]]:
    """All runs, oldest first."""
    try:
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def add(values: Mapping[str, float], about: Mapping[str, object], path: str = FILE) -> None:
    """Writes a run down; `about` tells the machine and the number of rounds."""
    run = {"date": date.today().isoformat(), **about, "values": {name: round(value, 4) for name, value in values.items()}}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(run) + "\n")


def slower(rows: Sequence[Row], values: Mapping[str, float], past: Sequence[Mapping[str, object]]) -> list[str]:
    """A line for each row that is more than a fifth worse than in the last runs. In every row less is better."""
    found = []
    for row in rows:
        before = [run["values"][row.name] for run in past[-RUNS:] if row.name in run["values"]]  # type: ignore[index,operator]
        if row.name in values and before and _worse(row, values[row.name], median(before)):
            found.append(f"{row.what}: {values[row.name]:.2f}, before {median(before):.2f} (median of {len(before)} runs)")
    return found


def _worse(row: Row, now: float, before: float) -> bool:
    return now > before * SLOWER and now - before > NOISE * abs(row.limit or before)
