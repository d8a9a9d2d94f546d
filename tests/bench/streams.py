"""Token streams: the library in this process, and what `prontodb stream` takes for many tokens and for many bytes."""

import random
import subprocess
import sys
from functools import cache
from statistics import median
from time import perf_counter

from prontodb.xstream import collect_stream

from .clock import Command, Samples
from .rows import Maker, Outcome, Row
from .world import BIN, World

MIXED, RATE, SPEED = 10_000_000, 1.2e6, 35e6
"""Bytes of the mixed input; tokens and bytes a second that the Rust original comes to."""
TOKENS, LARGE = 100_000, 1_000_000_000
ROUNDS = 10
"""Rounds of the library at most."""
_FORMS = ("{k}={n};", "{ns}:{k}=value{n};", '{k}="a quoted value; number {n}";', "{k}='single {n}';", "ns={ns};", '{k}="esc \\"{n}\\"";')
_GENERATOR = "import sys\nsys.stdout.write('meta:path=p.n;')\nfor n in range({}): sys.stdout.write(f'k{{n}}=' + 'v' * 100000 + ';\\n')"

_MEASURED = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"


@cache
def _mixed() -> tuple[bytes, int]:
    """Ten megabytes of all kinds of tokens, the same in every run, and how many."""
    dice, parts, size = random.Random(6), [], 0
    while size < MIXED:
        form = dice.choices(_FORMS, (30, 20, 25, 10, 7, 8))[0]
        parts.append(
            form.format(k=f"key{dice.randrange(1000)}", n=dice.randrange(10**6), ns=f"area{dice.randrange(20)}") + dice.choice(" \n")
        )
        size += len(parts[-1])
    return "".join(parts).encode(), len(parts)


def _library(world: World, samples: Samples) -> Outcome:
    data, count = _mixed()
    times = []
    for _ in range(min(samples.rounds, ROUNDS)):
        start = perf_counter()
        collect_stream(data)
        times.append(perf_counter() - start)
    rates = [(count / took, len(data) / took) for took in (median(times), min(times))]
    shown = [f"{tokens / 1e6:.2f} million tokens/s, {speed / 1e6:.0f} MB/s" for tokens, speed in rates]
    return Outcome(max(RATE / rates[0][0], SPEED / rates[0][1]), f"{shown[0]} (best round {shown[1]})")


def _many(world: World) -> Command:
    path = f"{world.folder}/tokens"
    with open(path, "w", encoding="utf-8") as file:
        file.write("meta:path=a.b;\n")
        file.writelines(f'key{number}="value number {number}";\n' for number in range(TOKENS))
    return Command(["/bin/sh", "-c", f"exec {BIN}/prontodb stream <{path}"], {**world.env, "PRONTO_DB": "streams"})


def _stored(world: World, samples: Samples) -> Outcome:
    took = samples.median("stream")
    return Outcome(took, f"{took:.2f} s")


def _large(world: World, samples: Samples) -> Outcome:
    """The most memory that the process of a large stream ever has."""
    code = _GENERATOR.format(LARGE // 100_000)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as source:
        env = {**world.env, "PRONTO_DB": "large-stream"}
        start = perf_counter()
        # From a small process: what a child starts with is its parent's size.
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED, f"{BIN}/prontodb", "stream"], stdin=source.stdout, env=env, capture_output=True, check=True
        )
        took = perf_counter() - start
    most = int(done.stdout) / 1024
    return Outcome(most, f"{most:.0f} MB ({took:.0f} s)")


COMMANDS: dict[str, Maker] = {"stream": _many}

ROWS = (
    Row("xstream", "mixed 10 MB, tokenized and collected", 1, "≥ 1.2 million tokens/s, ≥ 35 MB/s", _library),
    Row("stream", "`stream` of 100,000 tokens", 1, "≤ 1 s", _stored, ("stream",)),
    Row("stream-memory", "memory of a `stream` of 1 GB", 80, "≤ 80 MB", _large),
)
