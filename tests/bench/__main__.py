"""`python -m tests.bench [--rounds N] [--only NAME]…`: measures, prints the table and what has become slower, and writes both down."""

import argparse
from collections.abc import Sequence

from . import earlier, history, large, lifetimes, listings, postgres, report, shells, startup, streams, waiting
from .clock import Command, Samples, Unavailable, interleave
from .rows import Row
from .world import World

FAMILIES = (startup, shells, listings, lifetimes, history, streams, large, postgres, waiting)
ROWS = {row.name: row for family in FAMILIES for row in family.ROWS}
MAKERS = {name: make for family in FAMILIES for name, make in family.COMMANDS.items()}


def main() -> None:
    """Runs the rows that are asked for; only a run of all of them is written to the documentation."""
    asked = _arguments()
    rows = [ROWS[name] for name in asked.only or ROWS]
    with World() as world:
        values: dict[str, float] = {}
        lines = measure(world, rows, asked.rounds, values)
        print(report.table(lines))
        machine = report.machine(world.folder)
        past = [run for run in earlier.load() if run["machine"] == machine[:2]]
        slower = earlier.slower(rows, values, past)
        print("\n".join(f"SLOWER  {text}" for text in slower) or f"nothing is slower than in {len(past)} earlier runs on such a machine")
        if not asked.only:
            report.write(lines, asked.rounds, machine, slower)
            earlier.add(values, {"rounds": asked.rounds, "machine": machine[:2]})


def measure(world: World, rows: Sequence[Row], rounds: int, values: dict[str, float]) -> list[report.Line]:
    """All commands in turn, then the verdicts; the number that each row came to goes into `values`."""
    samples = Samples(rounds)
    commands = _commands(world, rows, samples)
    interleave(commands, samples)
    return [_line(world, row, samples, values) for row in rows]


def _commands(world: World, rows: Sequence[Row], samples: Samples) -> dict[str, Command]:
    """What the rows need, each once; what cannot be had is noted in `samples`."""
    commands = {}
    for name in dict.fromkeys(name for row in rows for name in row.commands):
        try:
            commands[name] = MAKERS[name](world)
        except Unavailable as reason:
            samples.missing[name] = str(reason)
    return commands


def _line(world: World, row: Row, samples: Samples, values: dict[str, float]) -> report.Line:
    try:
        outcome = row.measure(world, samples)
        values[row.name] = outcome.value
        return report.line(row, outcome)
    except Unavailable as reason:
        return report.skipped(row, str(reason))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures ProntoDB's targets for speed.")
    parser.add_argument("--rounds", type=int, default=30, help="rounds of the commands (default 30)")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="NAME", help=f"one row, repeatable: {', '.join(ROWS)}")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error("--rounds takes a number from 1")
    return asked


if __name__ == "__main__":
    main()
