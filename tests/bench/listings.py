"""What many keys cost: listings, and reads in one process."""

from statistics import median
from time import perf_counter

from prontodb.address import Address

from .clock import Command, Samples
from .rows import Maker, Outcome, Row, more
from .startup import LARGE, SMALL
from .world import NOW, World, engine

MANY = 100_000
READS = 200
"""Of one turn in process."""


def _keys(world: World) -> Command:
    world.database("many", MANY)
    return world.prontodb("many", "keys", "a.b")


def _reads(path: str, count: int) -> list[float]:
    """Seconds of reads spread over a database, by one engine that stays open."""
    store, times = engine(path), []
    for number in range(0, count, count // READS):
        address = Address("a", "b", f"key{number:07d}")
        start = perf_counter()
        store.get(address, NOW)
        times.append(perf_counter() - start)
    store.close()
    return times


def _in_process(world: World, samples: Samples) -> Outcome:
    """Reads of both databases in turn."""
    small, large = world.database("small", SMALL), world.database("large", LARGE)
    turns = [(median(_reads(large, LARGE)), median(_reads(small, SMALL))) for _ in range(samples.rounds)]
    times = median(ours / base for ours, base in turns)
    ours, base = (median(column) * 1e6 for column in zip(*turns, strict=True))
    return Outcome(times, f"{times:.2f} × ({ours:.0f} µs)", f"among a thousand {base:.0f} µs")


COMMANDS: dict[str, Maker] = {
    "keys": _keys,
    "sqlite3 listing": lambda world: world.tool("sqlite3", world.database("many", MANY), "SELECT name FROM entry"),
}

ROWS = (
    more("keys", "`keys` of 100,000 names", 60, ("keys", "get"), ("sqlite3 listing",)),
    Row("million-in-process", "`get` among a million keys, in one process", None, "", _in_process),
)
