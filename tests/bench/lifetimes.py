"""Removing what has expired, in process and in batches, as `purge` does."""

import os
import shutil
import sqlite3
from dataclasses import dataclass
from functools import cache
from statistics import median, quantiles
from time import perf_counter

from .clock import Samples
from .rows import Maker, Outcome, Row
from .world import NOW, World, engine

FEW, MANY = 1_000, 100_000
BATCH = 100
LONGEST = 3
"""Rounds of the large purge at most: it takes seconds."""


@dataclass(frozen=True)
class Purged:
    """Seconds: of each purge, of each batch of all of them, and of SQLite deleting as many rows in one statement."""

    totals: list[float]
    batches: list[float]
    plain: list[float]


def _batches(path: str) -> list[float]:
    """Seconds of each batch until nothing is left. What comes before and after the lock counts too."""
    store, times, left = engine(path), [], 1
    while left:
        start = perf_counter()
        left = store.purge(BATCH, NOW)
        times.append(perf_counter() - start)
    store.close()
    return times


def _plain(path: str) -> float:
    """Seconds of the shortest way, which locks everybody out from start to end."""
    db = sqlite3.connect(path)
    start = perf_counter()
    with db:
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("DELETE FROM entry WHERE expires <= ?", (NOW,))
    took = perf_counter() - start
    db.close()
    return took


@cache
def _purged(world: World, count: int, rounds: int) -> Purged:
    """Ours and the plain way in turn, each on a fresh copy of one database."""
    made, copy = world.database(f"ended-{count}", count, ended=True), f"{world.folder}/ended.db"
    done = Purged([], [], [])
    for _ in range(rounds):
        shutil.copy(made, copy)
        times = _batches(copy)
        done.totals.append(sum(times))
        done.batches.extend(times)
        shutil.copy(made, copy)
        done.plain.append(_plain(copy))
    os.unlink(copy)
    return done


def _total(count: int, world: World, samples: Samples) -> Outcome:
    done = _purged(world, count, min(samples.rounds, LONGEST if count == MANY else samples.rounds))
    took, plain = median(done.totals) * 1000, median(done.plain) * 1000
    return Outcome(took, f"{took:.1f} ms", f"one DELETE of all {plain:.1f} ms")


def _batch(world: World, samples: Samples) -> Outcome:
    done = _purged(world, MANY, min(samples.rounds, LONGEST))
    took, slow, slowest = (seconds * 1000 for seconds in (median(done.batches), quantiles(done.batches, n=100)[98], max(done.batches)))
    return Outcome(took, f"{took:.2f} ms (99 of 100 below {slow:.1f}, longest {slowest:.1f})")


COMMANDS: dict[str, Maker] = {}

ROWS = (
    Row("purge-1000", "purge of 1,000 expired", 15, "≤ 15 ms", lambda world, samples: _total(FEW, world, samples)),
    Row("purge-100000", "purge of 100,000 expired", 2500, "≤ 2500 ms", lambda world, samples: _total(MANY, world, samples)),
    Row("purge-batch", "one batch of 100 of it, which locks for less than that", 5, "≤ 5 ms in the median", _batch),
)
