"""A row of the table: what is measured, its target, and the ways in which commands are judged."""

from collections.abc import Callable
from dataclasses import dataclass

from .clock import Command, Samples, Unavailable
from .world import World


@dataclass(frozen=True)
class Outcome:
    """What a row came to: the number that is held against the limit, how it is shown, and the peers beside it."""

    value: float
    ours: str
    peers: str = ""


@dataclass(frozen=True)
class Row:
    """One target; `limit` None where a number is given for information only. `measure` raises `Unavailable`."""

    name: str
    what: str
    limit: float | None
    target: str
    measure: Callable[[World, Samples], Outcome]
    commands: tuple[str, ...] = ()


Maker = Callable[[World], Command]
"""How a command is made; raises `Unavailable`."""


def ratio(name: str, what: str, limit: float | None, pair: tuple[str, str], peers: tuple[str, ...] = ()) -> Row:
    """A row for one command's time as a multiple of another's."""
    ours, base = pair

    def measure(world: World, samples: Samples) -> Outcome:
        times = samples.ratio(ours, base)
        return Outcome(times, f"{times:.2f} × ({_ms(samples.median(ours))})", _beside(samples, base, (base, *peers)))

    target = "" if limit is None else f"≤ {limit:g} × {base}"
    return Row(name, what, limit, target, measure, (*pair, *peers))


def more(name: str, what: str, limit: float | None, pair: tuple[str, str], peers: tuple[str, ...] = ()) -> Row:
    """A row for what one command takes beyond another, in milliseconds."""
    ours, base = pair

    def measure(world: World, samples: Samples) -> Outcome:
        extra = samples.more(ours, base) * 1000
        return Outcome(extra, f"{extra:+.2f} ms ({_ms(samples.median(ours))})", _beside(samples, base, (base, *peers)))

    target = "" if limit is None else f"≤ {limit:g} ms over {base}"
    return Row(name, what, limit, target, measure, (*pair, *peers))


def _beside(samples: Samples, base: str, names: tuple[str, ...]) -> str:
    return "; ".join(_peer(samples, base, name) for name in names)


def _peer(samples: Samples, base: str, name: str) -> str:
    try:
        times = "" if name == base else f" ({samples.ratio(name, base):.2f} ×)"
        return f"{name} {_ms(samples.median(name))}{times}"
    except Unavailable as reason:
        return f"{name}: not measured, {reason}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
