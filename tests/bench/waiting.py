"""Waiting for a change: how late it is noticed, and what the waiting costs, beside a loop that asks and sleeps."""

import os
import resource
import subprocess
import time
from statistics import median

from prontodb.address import Address
from prontodb.model import Content, Write

from .clock import Samples
from .rows import Maker, Outcome, Row
from .world import BIN, NOW, World, engine

ROUNDS = 15
WARM = 1.0
"""Seconds after which a command has started and waits."""
SPAN = 10
"""Seconds of waiting whose cost is measured."""
LOOP = "while ! prontodb exists a.b.flag; do sleep 0.1; done"


def _latency(world: World, command: list[str]) -> float:
    """Milliseconds from the commit of a change until the command has ended, in the median: the wake-up, one look and its end."""
    path, took = f"{world.folder}/waiting.db", []
    store = engine(path)
    for _ in range(ROUNDS):
        store.delete([Address("a", "b", "flag")], NOW)
        store.rest()
        process = subprocess.Popen(command, env=_env(world, path))
        time.sleep(WARM)
        store.put(Address("a", "b", "flag"), Content.of(b"v"), Write(), NOW)
        began = time.perf_counter()
        store.rest()
        process.wait()
        took.append(time.perf_counter() - began)
    store.close()
    return median(took) * 1000


def _env(world: World, path: str) -> dict[str, str]:
    return {**world.env, "PRONTO_DB": path, "PATH": f"{BIN}:{os.environ['PATH']}"}


def _share(world: World, command: list[str], *, start: float) -> float:
    """Percent of one core that waiting takes, without the `start` (seconds) of the command."""
    return (_spent([*command], _env(world, f"{world.folder}/nothing.db")) - start) / SPAN * 100


def _spent(command: list[str], env: dict[str, str]) -> float:
    """Seconds of the processor that a command and its children take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=env, check=False, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _woken(world: World, _: Samples) -> Outcome:
    ours, loop = _latency(world, [f"{BIN}/prontodb", "wait", "a.b.flag"]), _latency(world, ["bash", "-c", LOOP])
    return Outcome(ours, f"{ours:.0f} ms", f"loop of `exists` and `sleep 0.1` {loop:.0f} ms")


def _cost(world: World, _: Samples) -> Outcome:
    wait = [f"{BIN}/prontodb", "wait", "a.b.flag", "--timeout"]
    start = _spent([*wait, "0"], _env(world, f"{world.folder}/nothing.db"))
    ours, loop = _share(world, [*wait, str(SPAN)], start=start), _share(world, ["timeout", str(SPAN), "bash", "-c", LOOP], start=0)
    return Outcome(ours, f"{ours:.2f} %", f"loop of `exists` and `sleep 0.1` {loop:.0f} %")


COMMANDS: dict[str, Maker] = {}

ROWS = (
    Row("wait-latency", "`wait`: from the commit of a change until it has ended", 50, "≤ 50 ms in the median", _woken),
    Row("wait-cost", "`wait`: share of a core while nothing happens", 1, "≤ 1 %", _cost),
)
