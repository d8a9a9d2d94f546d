"""Cold commands: what a call costs from the start of its process to the end."""

import subprocess

from .clock import Command
from .rows import Maker, more, ratio
from .world import BIN, World

KEY = "key0000500"
VALUE = b"v500"
SMALL, LARGE = 1_000, 1_000_000
SELECT = f"SELECT e.value FROM place p JOIN entry e ON e.place = p.id WHERE p.project = 'a' AND p.namespace = 'b' AND e.name = '{KEY}'"


def _python(world: World, code: str, folder: str = BIN) -> Command:
    return Command([f"{folder}/python", "-c", code], world.env)


def _get(world: World, database: str, count: int) -> Command:
    world.database(database, count)
    return world.prontodb(database, "get", f"a.b.{KEY}", shows=VALUE)


def _get_pinned(world: World) -> Command:
    """A call as a wrapper makes it, with user and database pinned."""
    plain = _get(world, "small", SMALL)
    pins = {"PRONTO_FORCE_USER": "default", "PRONTO_FORCE_DATABASE": "small"}
    env = {name: value for name, value in plain.env.items() if name != "PRONTO_DB"}
    return Command(plain.argv, env | pins, shows=VALUE)


def _get_by_cursor(world: World) -> Command:
    """A call that finds its database by the active cursor."""
    path = world.database("small", SMALL)
    env = world.env | {"XDG_DATA_HOME": f"{world.folder}/cursors"}
    for words in (("set", "bench", path), ("use", "bench")):
        subprocess.run([f"{BIN}/prontodb", "cursor", *words], env=env, check=True)
    return Command([f"{BIN}/prontodb", "get", f"a.b.{KEY}"], env, shows=VALUE)


def _get_from_wheel(world: World) -> Command:
    folder = world.wheel_bin
    world.database("small", SMALL)
    return world.prontodb("small", "get", f"a.b.{KEY}", folder=folder, shows=VALUE)


def _sqlite_set(world: World) -> Command:
    """As durable as ours: a WAL, synchronised at the commit."""
    table = "CREATE TABLE IF NOT EXISTS kv (k TEXT PRIMARY KEY, v)"
    script = f"PRAGMA journal_mode = WAL; {table}; INSERT OR REPLACE INTO kv VALUES ('a.b.c', 'v')"
    return world.tool("sqlite3", f"{world.folder}/peer.db", script)


def _set_then_get(world: World, database: str) -> Command:
    """Two calls in a script; the second reads `database`."""
    world.database("small", SMALL)
    script = f"{BIN}/prontodb set a.b.{KEY} v500; PRONTO_DB={database} exec {BIN}/prontodb get a.b.{KEY}"
    return Command(["/bin/sh", "-c", script], {**world.env, "PRONTO_DB": "pairs"}, shows=VALUE)


COMMANDS: dict[str, Maker] = {
    "python -c pass": lambda world: _python(world, "pass"),
    "python + sqlite3": lambda world: _python(world, "import sqlite3"),
    "python of the wheel's venv": lambda world: _python(world, "pass", world.wheel_bin),
    "get": lambda world: _get(world, "small", SMALL),
    "get, pinned": _get_pinned,
    "get by cursor": _get_by_cursor,
    "get of a million": lambda world: _get(world, "large", LARGE),
    "get from a wheel": _get_from_wheel,
    "set": lambda world: world.prontodb("writes", "set", "a.b.c", "v"),
    "set from a pipe": lambda world: world.prontodb("pipes", "set", "a.b.c", feeds=True),
    "rescue": lambda world: world.prontodb("pipes", "set", "bad.address", feeds=True, status=4),
    "set, get": lambda world: _set_then_get(world, "pairs"),
    "set, get elsewhere": lambda world: _set_then_get(world, "small"),
    "sqlite3": lambda world: world.tool("sqlite3", world.database("small", SMALL), SELECT, shows=VALUE + b"\n"),
    "sqlite3 set": _sqlite_set,
    "redis-cli": lambda world: world.tool("redis-cli", "-p", world.redis, "GET", KEY, shows=VALUE + b"\n"),
}

ROWS = (
    ratio("get", "cold `get`", 1.3, ("get", "python -c pass"), ("sqlite3", "redis-cli", "python + sqlite3")),
    ratio("get-wheel", "cold `get`, from a wheel that pip 23 installed", 1.3, ("get from a wheel", "python of the wheel's venv")),
    ratio("set", "cold `set A V`", 1.8, ("set", "python -c pass"), ("sqlite3 set",)),
    more("rescue", "rescue of piped content with a bad address", 1, ("rescue", "set from a pipe")),
    ratio("million", "cold `get` among a million keys", 1.1, ("get of a million", "get")),
    ratio("pinned", "cold `get` with user and database pinned", 1.15, ("get, pinned", "get")),
    ratio("cursor", "cold `get` by the active cursor", 1.15, ("get by cursor", "get")),
    more("set-get", "`get` right after a `set` of the same database", None, ("set, get", "set, get elsewhere")),
)
