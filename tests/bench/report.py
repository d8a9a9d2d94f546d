"""The table, for the terminal and for the documentation, and the machine that it was measured on."""

import os
import platform
import sqlite3
from collections.abc import Sequence

from prontodb import __version__

from .rows import Outcome, Row
from .world import ROOT

PAGE = f"{ROOT}/docs/reference/performance.md"
HEAD = ("what", "ours", "target", "peer(s)", "met?")
Line = tuple[str, str, str, str, str]

_PAGE = """\
# Performance

This page is written by `make bench`, which measures every target in one run: all commands in turn, once in each of {rounds} rounds. A
time is the median over the rounds; a ratio or a difference is taken round by round, and its median is shown. Absolute times are those
of one machine and of whatever else it did at that moment; the ratios carry over. No test asserts any of them.

Commands run as users run them: the installed script, in a new process, with an environment that holds nothing but a home of its own,
their output to `/dev/null`. A write is on disk before its command ends. The purge runs inside one process, in batches of 100.

{table}

Where a peer's time is followed by brackets, they hold its multiple of the first peer in that row. Rows without a target are for
information.

## Slower than before

More than a fifth worse than the median of the last runs on such a machine, which `performance-history.ndjson` beside this page holds:

{slower}

## The machine

{machine}
"""


def line(row: Row, outcome: Outcome) -> Line:
    """One row as it came out."""
    met = "" if row.limit is None else "yes" if outcome.value <= row.limit else "no"
    return row.what, outcome.ours, row.target, outcome.peers, met


def skipped(row: Row, reason: str) -> Line:
    """One row that could not be measured."""
    return row.what, "not measured", row.target, reason, ""


def table(lines: Sequence[Line]) -> str:
    """As Markdown, with columns that line up."""
    everything = [HEAD, *lines]
    widths = [max(len(cells[column]) for cells in everything) for column in range(len(HEAD))]
    rows = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |" for cells in everything]
    return "\n".join([rows[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *rows[1:]])


def write(lines: Sequence[Line], rounds: int, about: Sequence[str], slower: Sequence[str]) -> None:
    """The page of the documentation; `about` is the machine, `slower` what was quicker in earlier runs."""
    told = "\n".join(f"- {text}" for text in slower) or "Nothing."
    with open(PAGE, "w", encoding="utf-8") as page:
        page.write(_PAGE.format(rounds=rounds, table=table(lines), machine="\n".join(f"- {text}" for text in about), slower=told))


def machine(folder: str) -> list[str]:
    """What a run was measured on; the first two lines tell one kind of machine from another. The databases were in `folder`."""
    return [
        f"CPU: {_cpu()}, {os.cpu_count()} cores",
        f"Python: {platform.python_implementation()} {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        f"Kernel: {platform.system()} {platform.release()}",
        f"File system of the databases: {_file_system(folder)}",
        f"ProntoDB: {__version__}",
    ]


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [text.partition(":")[2].strip() for text in file if text.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def _file_system(folder: str) -> str:
    """The type of the last mount among those that the folder lies in, the deepest first."""
    try:
        with open("/proc/self/mounts", encoding="utf-8") as file:
            mounts = [text.split()[1:3] for text in file]
    except OSError:
        return "unknown"
    above = [(len(at), kind) for at, kind in mounts if f"{folder}/".startswith(at.rstrip("/") + "/")]
    return max(above, key=lambda mount: mount[0])[1] if above else "unknown"
