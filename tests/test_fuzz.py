"""Thousands of random command lines with random bytes on standard input: no traceback, no hang, no other status, and nothing piped is lost."""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from prontodb.cli import group
from prontodb.cli.completions import _commands
from prontodb.cli.table import GROUPS, POSTGRES_VERBS, VERBS
from prontodb.dispatch import dispatch
from prontodb.session import Input, Session

from .conftest import COMMAND, Home, Sink

LINES = int(os.environ.get("PRONTO_TEST_LINES", "2000"))
GROUPS_OF = 4
LONGEST = 60
"""Seconds for one line: a bound against hangs."""
REAL = 25
"""One line of so many runs in a process of its own."""
STATUSES = {0, 1, 2, 3, 4, 5, 6, 64, 65, 126, 127}
COMMANDS = {words: command for words, command in _commands(group.root(), ()) if not isinstance(command, group.Verbs)}
"""Every verb there is, by its words."""
OUTSIDE = {("shell", "use"), ("shell", "check")}
"""These take this process's place, or look at files with other programs, which is what they are for."""
PROGRAMS = {"run", "memo", "claim", "pop", "watch"}
"""These may start a program, or become one: always in a process of their own. Its standard input is the program's."""
ENDLESS = {"--timeout", "--wait"}
"""Options that come with a value that ends soon, or not at all."""
WAITING = {"wait", "watch"}
"""Without an end of their own."""
ADDRESSES = [
    "a.b.c",
    "a.b.c__x",
    "a..b",
    "",
    ".",
    "a.b",
    "k",
    "pipe.cache.x",
    "é.ü.ö",
    "a.b.c.d",
    "..",
    "a.b.big",
    "a.b.\x00c".replace("\x00", ""),
]
VALUES = [
    "v",
    "-",
    "--",
    "-5",
    "0",
    "15m",
    "junk",
    "\udcff\udcfe",
    "'",
    '"; rm',
    "x" * 5000,
    "\n",
    "a=b;",
    "*",
    "~",
    "./x.db",
    "main",
    "other",
    "f",
    ".",
    "true",
    "cat",
    "errors",
    "10m",
    "a.b.c == v",
    "args,stdin",
    "17-42",
    "prod",
]
VALUED = {name for command in COMMANDS.values() for param in command.params if not getattr(param, "is_flag", True) for name in param.opts}
OPTIONS = sorted(
    {name for command in COMMANDS.values() for param in command.params for name in param.opts if name.startswith("-")} - ENDLESS
)
OPTIONS += [
    "--help",
    "-h",
    "--bogus",
    "--ttl=5",
    "--ttl=junk",
    "--wait=1",
    "--timeout=junk",
    "--meta=acme",
    "--user=alice",
    "-pwork",
    "--=",
    "-",
]
ENVIRONMENT = {
    "PRONTO_META": ["acme", "", "bad meta"],
    "PRONTO_USER": ["alice", "admin"],
    "PRONTO_DB": ["other", "./x.db", "/nonexistent/x.db", "../x"],
    "PRONTO_FORCE_META": ["acme", "-", ""],
    "PRONTO_FORCE_DATABASE": ["main"],
    "PRONTO_CURSOR": ["work", "none"],
    "PRONTO_PROJECT": ["p"],
    "PRONTO_SECURITY": ["strict"],
    "PRONTO_PIPE_TTL": ["junk", "0"],
    "HOME": ["relative"],
}


def command_line(dice: random.Random) -> list[str]:
    """Some words, most of which make sense somewhere."""
    verb = dice.choice([words for words in COMMANDS if words not in OUTSIDE])
    own = [name for param in COMMANDS[verb].params for name in param.opts if name in OPTIONS] or OPTIONS
    words = [*verb] if dice.random() < 0.95 else []
    for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 5))):
        word = dice.choice(dice.choice((ADDRESSES, ADDRESSES, VALUES, OPTIONS, own)))
        words += [word, dice.choice(VALUES)] if word in VALUED and dice.random() < 0.7 else [word]
    if dice.random() < 0.25:
        words = [dice.choice(("set", "set", "import")), *words[len(verb) :]]
    if dice.random() < 0.1:
        dice.shuffle(words)
    return _bounded(words)


def _bounded(words: list[str]) -> list[str]:
    """The words, so that what they start ends soon, and is no shell."""
    for at in reversed(range(len(words))):
        if words[at] in WAITING:
            words[at + 1 : at + 1] = ["--timeout", "0.05"]
    return [] if any(word == "shell" and {verb for _, verb in OUTSIDE} & {*words} for word in words) else words


def content(dice: random.Random, number: int) -> bytes:
    """Bytes that nothing else holds, or none."""
    if dice.random() < 0.1:
        return b""
    return dice.randbytes(dice.choice((1, 40, 300, 3000, 30_000))) + b"<%d>" % number + dice.choice((b"", b"\n", b"\0"))


def environment(home: Home, dice: random.Random) -> dict[str, str]:
    """Mostly the usual one."""
    env = dict(home.env)
    if dice.random() < 0.25:
        name = dice.choice(list(ENVIRONMENT))
        env[name] = dice.choice(ENVIRONMENT[name])
    return env


def in_process(home: Home, argv: list[str], env: dict[str, str], fd: int) -> tuple[int, bytes]:
    """The status, and all that was said."""
    out, err = Sink(terminal=False), Sink(terminal=False)
    session = Session(env, str(home.folder), __import__("time").time, (Input(fd), out, err))
    session.program = COMMAND
    return dispatch(argv, session), out.data + err.data


def in_a_process(home: Home, argv: list[str], env: dict[str, str], fd: int) -> tuple[int, bytes]:
    """The same by the real command."""
    words = [os.fsencode(word) for word in argv]
    done = subprocess.run([COMMAND, *words], stdin=fd, env=env, cwd=home.folder, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def kept(home: Home, data: bytes, *, appended: bool = False) -> bool:
    """Whether the bytes are some entry of some database, or its end where they were `appended`; or in the spool."""
    trimmed = data.removesuffix(b"\n")
    for path in home.folder.rglob("*"):
        if path.suffix == ".db" and path.is_file() and path.stat().st_size:
            with closing(sqlite3.connect(path)) as db:
                try:
                    found = db.execute(HELD, (data, trimmed, -len(data) if appended else 0)).fetchone()
                except sqlite3.Error:
                    continue
            if found:
                return True
        elif "rescue" in str(path.parent) and path.is_file() and path.read_bytes() == data:
            return True
    return False


HELD = " UNION ALL ".join(
    f"SELECT 1 FROM {table} WHERE {column} IN (?1, ?2) OR (?3 AND substr({column}, ?3) = ?1)"
    for table, column in (("entry", "value"), ("chunk", "data"))
)


@pytest.mark.slow
@pytest.mark.parametrize("group", range(GROUPS_OF))
def test_nothing_that_one_can_type_breaks_it(home: Home, group: int) -> None:
    dice = random.Random(f"{os.environ.get('PRONTO_TEST_SEED', '1')} {group}")
    (home.folder / "f").write_text("a.b.c\n")
    before = signal.signal(signal.SIGALRM, _hangs)
    faulthandler.dump_traceback_later(1200, exit=True, file=sys.__stderr__)
    try:
        for number in range(LINES // GROUPS_OF):
            one(home, dice, number)
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _hangs(*_: object) -> None:
    raise AssertionError("this line does not end")


def test_every_verb_gets_its_turn() -> None:
    """Those of groups too, and `shell use` and `shell check` alone are left out."""
    everything = {(verb,) for verb in VERBS if verb not in GROUPS} | {(name, verb) for name, rows in GROUPS.items() for verb in rows}
    everything = (everything - {("admin", "postgres")}) | {("admin", "postgres", verb) for verb in POSTGRES_VERBS}
    assert set(COMMANDS) == everything
    dice = random.Random("turns")
    lines = [command_line(dice) for _ in range(4000)]
    assert {words for words in COMMANDS for line in lines if tuple(line[: len(words)]) == words} == everything - OUTSIDE
    assert set(OPTIONS) <= {word for line in lines for word in line}


def one(home: Home, dice: random.Random, number: int) -> None:
    """One command line, and everything that must hold after it."""
    argv, data, env = command_line(dice), content(dice, number), environment(home, dice)
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    run = in_a_process if number % REAL == 0 or PROGRAMS & {*argv} else in_process
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    status, said = run(home, argv, env, reading)
    signal.setitimer(signal.ITIMER_REAL, 0)
    rest = os.read(reading, 1 << 20)
    os.close(reading)
    told = (argv, env.keys() - home.env.keys(), status, said[-500:])
    assert status in STATUSES, told
    assert b"Traceback" not in said, told
    # Help tells of it, too.
    assert status == 0 or b"Internal error" not in said, told
    # What was read is somewhere, but for lists of addresses, which are read as such.
    if data and rest != data and "--from" not in argv:
        assert rest == b"", told
        # An operator on streams hands on what it has read, and where it stops the rest.
        passed = bool(PROGRAMS & {*argv}) or (
            argv[:1] == ["xstream"] and (data.rstrip(b"\n") in said or b"stopped-here" in said or status == 0)
        )
        assert passed or kept(home, data, appended="append" in argv), told
