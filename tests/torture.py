"""One worker of the torture: random verbs on keys of its own and on shared ones, each noted before it is tried and after it is done.

    python -m tests.torture FOLDER NUMBER SEED      until FOLDER/stop exists

What is noted is in `FOLDER/log.NUMBER`, which survives a kill: `try` and `done` lines as JSON. A value says what it is, and carries a
checksum: none can be torn unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from .conftest import Home

KEYS = 6
LARGE = 17_000_000


def value(name: str) -> bytes:
    """The value of a name such as `3.41`: of any size, and always the same."""
    dice = random.Random(name)
    size = LARGE if dice.random() < 0.004 else dice.choice((0, 30, 511, 600, 5_000, 70_000, 1_200_000 if dice.random() < 0.1 else 40))
    body = name.encode() + b":" + dice.randbytes(1000) * (size // 1000) + dice.randbytes(size % 1000)
    return hashlib.md5(body).hexdigest().encode() + body


def name_of(data: bytes) -> str:
    """The name of a value. Raises `AssertionError` where it is torn."""
    assert hashlib.md5(data[32:]).hexdigest().encode() == data[:32], f"torn: {data[:60]!r}"
    return data[32:].split(b":", 1)[0].decode()


def applied(state: dict[str, str], op: list[str]) -> dict[str, str]:
    """What the keys are after an operation that was done: names of values by key."""
    verb, key, *rest = op
    after = dict(state)
    if verb == "set":
        after[key] = rest[0]
    elif verb == "del":
        after.pop(key, None)
    elif verb in ("copy", "move") and key in state:
        after[rest[0]] = state[key]
        if verb == "move":
            del after[key]
    return after


class Worker:
    """See the module."""

    def __init__(self, folder: Path, number: int, seed: str) -> None:
        self.folder = folder
        self.number = number
        self.dice = random.Random(seed)
        self.home = Home(folder)
        self.home.env["PRONTO_BUSY_TIMEOUT"] = "60"
        self.count = 0
        self.seed = seed
        self.fd = os.open(folder / f"log.{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def run(self) -> None:
        """Until it is stopped, one way or another."""
        while not (self.folder / "stop").exists():
            self.dice.choices((self.own, self.shared, self.ending, self.back_up), (20, 6, 2, 0.3))[0]()

    def note(self, *what: Any) -> None:
        """A line in the log, in one write."""
        os.write(self.fd, json.dumps([time.time(), *what]).encode() + b"\n")

    def call(self, *argv: str, stdin: bytes | None = None) -> int:
        """A command; what no user may see of it is noted too."""
        process = self.dice.random() < 0.1
        done = self.home.run(*argv, stdin=stdin) if process else self.home.call(*argv, stdin=stdin)
        if done.status not in (0, 2) or done.err.replace("No such key", "").count("prontodb:") > (done.status == 2):
            self.note("bad", argv, repr(done))
        self.out = done.out
        return done.status

    def fresh(self) -> str:
        """A name for a value."""
        self.count += 1
        return f"{self.number}.{self.seed}.{self.count}"

    def own(self) -> None:
        """An operation on the keys that nobody else writes."""
        key, other = self.dice.sample([f"k{number}" for number in range(KEYS)], 2)
        verb = self.dice.choice(("set", "set", "set", "del", "copy", "move", "get"))
        place = f"own.w{self.number}"
        if verb == "get":
            if self.call("get", f"{place}.{key}") == 0:
                name_of(self.out)
            return
        op = [verb, key, *{"set": [self.fresh()], "del": []}.get(verb, [other])]
        self.note("try", op)
        if verb == "set":
            status = self.call("set", f"{place}.{key}", stdin=value(op[2]))
        else:
            status = self.call(verb, *(f"{place}.{word}" for word in op[1:]))
        self.note("done", op, status)

    def shared(self) -> None:
        """Everybody writes and reads these."""
        address = f"shared.all.k{self.dice.randrange(4)}"
        if self.dice.random() < 0.5:
            self.call("set", address, stdin=value(self.fresh()))
        elif self.call("get", address) == 0:
            name_of(self.out)

    def ending(self) -> None:
        """Something that ends soon is there until then, and never after."""
        address = f"ending.w{self.number}.k{self.dice.randrange(3)}"
        began = time.time()
        self.call("set", address, "v", "--ttl", "2")
        first = self.call("get", address)
        if time.time() < began + 1.9 and first != 0:
            self.note("bad", "gone too early", address)
        if self.dice.random() < 0.2:
            time.sleep(3.2)
            if self.call("get", address) != 2:
                self.note("bad", "there too long", address)

    def back_up(self) -> None:
        """A backup under everybody's hands."""
        file = f"backup-{self.fresh()}.tar"
        self.note("try", ["backup", file])
        status = self.call("backup", "--output", file)
        self.note("done", ["backup", file], status)


if __name__ == "__main__":
    Worker(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]).run()
