"""A gibibyte through a pipe, onto the disk and back: against `cat > file; sync` in the same minute."""

import os
import subprocess
import time
from statistics import median

from .clock import Samples, Unavailable
from .rows import Maker, Outcome, Row
from .world import BIN, World

SIZE = 1 << 30
ROUNDS = 5
ROOM = 6 * SIZE
_TIMES: dict[str, list[float]] = {}


def _source(size: int) -> str:
    return f"head -c {size} /dev/zero"


def _timed(world: World, script: str, status: int = 0) -> float:
    # Nobody shall pay for what the one before has left to be written.
    os.sync()
    began = time.perf_counter()
    done = subprocess.run(["/bin/bash", "-c", script], env=world.env, cwd=world.folder, capture_output=True, check=False)
    took = time.perf_counter() - began
    if done.returncode != status:
        raise AssertionError(f"{script} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return took


def _run(world: World) -> dict[str, list[float]]:
    """Each in turn, in every round."""
    if _TIMES:
        return _TIMES
    state = os.statvfs(world.folder)
    if state.f_bavail * state.f_frsize < ROOM:
        raise Unavailable(f"less than {ROOM >> 30} GiB free")
    prontodb = f"PRONTO_DB=bulk {BIN}/prontodb"
    scripts = {
        "cat": (f"rm -f file; {_source(SIZE)} | cat >file; sync file", 0),
        "set": (f"{_source(SIZE)} | {prontodb} set a.b.c", 0),
        "get": (f"{prontodb} get a.b.c >/dev/null", 0),
        "copy": (f"{prontodb} copy a.b.c a.b.d", 0),
        "rescue": (f"{_source(SIZE)} | {prontodb} set a..c", 4),
    }
    for number in range(-1, ROUNDS):
        for name, (script, status) in scripts.items():
            took = _timed(world, script, status)
            if number >= 0:
                _TIMES.setdefault(name, []).append(took)
        _timed(world, f"{prontodb} rescue drop --all; {prontodb} del a.b.c; {prontodb} del a.b.d")
    return _TIMES


def _ratio(name: str, world: World, samples: Samples) -> Outcome:
    times = _run(world)
    value = median(ours / theirs for ours, theirs in zip(times[name], times["cat"], strict=True))
    return Outcome(value, f"{value:.2f} × ({median(times[name]):.2f} s)", f"cat >file; sync {median(times['cat']):.2f} s")


COMMANDS: dict[str, Maker] = {}
ROWS = (
    Row("large-set", "1 GiB from a pipe, stored", 1.6, "≤ 1.6 × cat >file; sync", lambda world, samples: _ratio("set", world, samples)),
    Row("large-rescue", "1 GiB from a pipe to a bad address", None, "", lambda world, samples: _ratio("rescue", world, samples)),
    Row("large-get", "1 GiB read", None, "", lambda world, samples: _ratio("get", world, samples)),
    Row("large-copy", "1 GiB copied to another address", None, "", lambda world, samples: _ratio("copy", world, samples)),
)
