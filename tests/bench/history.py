"""What the history adds to a `set` in a process that stays: the same keys overwritten with it and without it, in turn."""

import os
from itertools import cycle
from statistics import median
from time import perf_counter

from prontodb.address import Address
from prontodb.engines import open_sqlite
from prontodb.engines.base import Engine
from prontodb.model import Content, Write
from prontodb.past import OFF, Keeping

from .clock import Samples
from .rows import Maker, Outcome, Row
from .world import NOW, World

KEYS = [Address("a", "b", f"key{number}") for number in range(50)]
VALUE = b"a value of the usual size"
ON = Keeping("default:4711", 86_400, 100, 256 << 20)
CALLS = 40
"""Overwrites with the history and without it, in each round."""


def _seconds(engine: Engine, address: Address) -> float:
    """One call as the helper makes it: stored, on disk, and nothing held when it ends."""
    began = perf_counter()
    engine.put(address, Content.of(VALUE), Write(), NOW)
    engine.rest()
    return perf_counter() - began


def _engine(path: str, keeping: Keeping) -> Engine:
    return open_sqlite(path, ("default", ""), (lambda: 5.0, lambda: keeping), folders=False)


def _added(world: World, samples: Samples) -> Outcome:
    folder = f"{world.folder}/history"
    os.mkdir(folder)
    made = {name: _engine(f"{folder}/{name}.db", keeping) for name, keeping in (("on", ON), ("off", OFF))}
    for _ in range(3):
        for engine in made.values():
            engine.put_many([(address, Content.of(VALUE)) for address in KEYS], Write(), NOW)
            engine.rest()
    ratios, off, turn = [], [], cycle(KEYS)
    for number in range(samples.rounds * CALLS):
        address = next(turn)
        order = ("on", "off") if number % 2 else ("off", "on")
        took = {name: _seconds(made[name], address) for name in order}
        ratios.append(took["on"] / took["off"])
        off.append(took["off"])
    for engine in made.values():
        engine.close()
    ratio = median(ratios)
    return Outcome(ratio, f"{ratio:.2f} ×", f"without a history {median(off) * 1000:.2f} ms")


COMMANDS: dict[str, Maker] = {}

ROWS = (Row("history", "warm `set` over a value that the history keeps", 1.25, "≤ 1.25 × the same without a history", _added),)
