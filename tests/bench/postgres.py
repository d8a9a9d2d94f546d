"""A PostgreSQL server on loopback: what a cold command pays for it, and what a connection costs that is kept."""

import statistics
import time

from prontodb.address import Address
from prontodb.engines.base import Engine
from prontodb.model import Content, Write
from tests.pgserver import Database, Server, binaries

from .clock import Command, Samples, Unavailable
from .rows import Maker, Outcome, Row, ratio
from .startup import KEY, VALUE
from .world import NOW, World

CALLS = 500
AT = Address("a", "b", KEY)


def _database(world: World) -> Database:
    """The one of this run, with a few entries in it. Raises `Unavailable`."""
    if world.served is None:
        if binaries() is None:
            raise Unavailable("no PostgreSQL server is installed")
        server = Server()
        world.at_end(server.remove)
        server.init()
        server.start()
        world.served = Database(server)
        engine = world.served.engine()
        engine.put_many([(Address("a", "b", f"key{n:07}"), Content.of(b"v%d" % n)) for n in range(1000)], Write(), NOW)
        engine.close()
    return world.served


def _get(world: World) -> Command:
    return world.prontodb(_database(world).url(), "get", f"a.b.{KEY}", shows=VALUE)


def _put(world: World) -> Command:
    return world.prontodb(_database(world).url(), "set", "a.b.c", "v")


def _median(engine: Engine, put: bool) -> float:
    """Seconds of one call, as a process that stays makes them: with a look at the connection before each."""
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        now = engine.time(NOW)
        if put:
            engine.put(AT, Content.of(VALUE), Write(), now)
        else:
            assert engine.get(AT, now)
        engine.rest()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _warm(world: World, samples: Samples) -> Outcome:
    engine = _database(world).engine()
    get, put = _median(engine, put=False), _median(engine, put=True)
    engine.close()
    return Outcome(get * 1000, f"{get * 1000:.2f} ms", f"`set` {put * 1000:.2f} ms")


COMMANDS: dict[str, Maker] = {"get from PostgreSQL": _get, "set to PostgreSQL": _put}

ROWS = (
    ratio("postgres", "cold `get` from PostgreSQL", 6, ("get from PostgreSQL", "python -c pass"), ("get",)),
    ratio("postgres-set", "cold `set A V` to PostgreSQL", None, ("set to PostgreSQL", "python -c pass"), ("set",)),
    Row("postgres-warm", "`get` over a connection that is kept", 1, "≤ 1 ms", _warm),
)
