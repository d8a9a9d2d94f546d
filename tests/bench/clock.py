"""Timing whole processes: commands run in turn, and what their times come to."""

import os
import random
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

WARM_UP = 2
"""Rounds that are not counted: they compile byte code and fill the caches of the disk."""


class Unavailable(Exception):
    """What is to be measured is not there; the message says why."""


@dataclass(frozen=True)
class Command:
    """A process to time. With `feeds` it reads a few bytes from a pipe, others in every round; `shows` is what it must print."""

    argv: list[str]
    env: Mapping[str, str]
    status: int = 0
    feeds: bool = False
    shows: bytes | None = None


@dataclass
class Samples:
    """Seconds by command, a number for each round; and why a command could not be had."""

    rounds: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def median(self, name: str) -> float:
        """Of one command, in seconds. Raises `Unavailable`."""
        return median(self._of(name))

    def ratio(self, name: str, base: str) -> float:
        """The median of the ratios round by round."""
        return median(ours / theirs for ours, theirs in zip(self._of(name), self._of(base), strict=True))

    def more(self, name: str, base: str) -> float:
        """The median of the differences round by round, in seconds."""
        return median(ours - theirs for ours, theirs in zip(self._of(name), self._of(base), strict=True))

    def _of(self, name: str) -> list[float]:
        if name in self.missing:
            raise Unavailable(self.missing[name])
        return self.seconds[name]


def interleave(commands: Mapping[str, Command], samples: Samples) -> None:
    """Times every command once in each round. The order within a round changes, so that none always follows the same other one."""
    order = list(commands)
    for command in commands.values():
        _check(command)
    for number in range(-WARM_UP, samples.rounds):
        random.Random(number).shuffle(order)
        for name in order:
            took = _timed(commands[name], number)
            if number >= 0:
                samples.seconds.setdefault(name, []).append(took)


def _check(command: Command) -> None:
    """A command that fails is quick; it must not count as fast."""
    fed = _food(-WARM_UP - 1) if command.feeds else b""
    done = subprocess.run(command.argv, env=command.env, capture_output=True, check=False, input=fed)
    _expect(command, done.returncode, done.stderr)
    if command.shows is not None and done.stdout != command.shows:
        raise AssertionError(f"{command.argv} printed {done.stdout[:100]!r}")


def _timed(command: Command, number: int) -> float:
    stdin = _pipe(_food(number)) if command.feeds else os.open(os.devnull, os.O_RDONLY)
    out = os.open(os.devnull, os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, fd, target) for target, fd in enumerate((stdin, out, out))]
    try:
        start = time.perf_counter()
        pid = os.posix_spawn(command.argv[0], command.argv, command.env, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        took = time.perf_counter() - start
    finally:
        os.close(stdin)
        os.close(out)
    _expect(command, os.waitstatus_to_exitcode(status))
    return took


def _expect(command: Command, status: int, said: bytes = b"") -> None:
    if status != command.status:
        raise AssertionError(f"{command.argv} ended with {status} instead of {command.status}: {said.decode(errors='replace')}")


def _food(number: int) -> bytes:
    """Different in every round, so that rescued content never meets its like; always of one length."""
    return b"%04d" % (number + 100)


def _pipe(data: bytes) -> int:
    """The reading end of a pipe that holds all there will be, as `printf x |` leaves it."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return reading
