"""Many values in one call, separated by NUL: `set -0`, `mget`."""

from __future__ import annotations

import pytest

from .conftest import Home

PAIRS = {"a.b.one": b"1", "a.b.two": b"2\n\n", "a.c.empty": b"", "a.c.bytes": bytes(range(1, 256))}


def joined(pairs: dict[str, bytes]) -> bytes:
    return b"".join(name.encode() + b"\0" + value + b"\0" for name, value in pairs.items())


def test_pairs_are_stored_and_fetched(home: Home) -> None:
    assert (home.call("set", "-0", stdin=joined(PAIRS)).status, home.call("mget", "-0", *PAIRS).out) == (
        0,
        joined({"x": b""})[:0] + b"".join(v + b"\0" for v in PAIRS.values()),
    )
    done = home.call("mget", "a.b.one", "a.b.none", "a.c.empty")
    assert (done.status, done.out, done.err) == (2, b"1\n\n\n", "prontodb: No such key: a.b.none\n")


def test_in_a_real_shell_an_array_is_filled(home: Home) -> None:
    home.call("set", "-0", stdin=joined(PAIRS))
    done = home.shell("mapfile -d '' -t v < <(prontodb mget -0 a.b.two a.c.empty a.b.one); printf '[%s]' \"${v[@]}\"", "bash")
    assert done.out == b"[2\n\n][][1]"
    done = home.shell(
        "for i in 1 2 3; do printf '%s\\0' p.n.k$i \"value $i\"; done | prontodb set -0 --ttl 1h -v; prontodb scan p.n; prontodb ttl p.n.k1",
        "bash",
    )
    assert done.out.startswith(b"k1\tvalue 1\nk2\tvalue 2\nk3\tvalue 3\n")
    assert done.err == "Stored 3 values\n"


@pytest.mark.parametrize(
    "data",
    [
        joined(PAIRS | {"bad..key": b"v"}),
        joined(PAIRS) + b"a.b.odd\0",
        joined(PAIRS) + b"a.b.cut\0val",
        joined(PAIRS) + b"short\0v\0",
        b"no nul at all",
        joined(PAIRS) + b"\xff.n.k\0v\0",
    ],
)
def test_all_or_nothing_and_what_came_in_is_rescued(home: Home, data: bytes) -> None:
    done = home.call("set", "-0", stdin=data)
    assert done.status == 4
    name = done.err.split("cached as: ")[1].split()[0]
    assert home.call("get", name).out == data
    assert home.call("keys", "a.b").out == b""


def test_what_makes_no_sense_is_told(home: Home) -> None:
    assert home.call("set", "-0", stdin=b"").status == 64
    for words in (("a.b.c",), ("a.b.c", "v"), ("--trim",), ("--file", "x")):
        done = home.call("set", "-0", *words, stdin=joined(PAIRS))
        assert (done.status, home.call("keys", "a.b").out) == (4, b"")
    home.call("set", "a.b.nul", stdin=b"x\0y")
    home.call("set", "a.b.line", "x\ny")
    assert [home.call("mget", *words).status for words in (("-0", "a.b.nul"), ("a.b.line",), ("-0", "a.b.line"), ("a..b",), ())] == [
        65,
        64,
        0,
        64,
        64,
    ]
    assert home.call("mget", "a.b.line", "-0", "a.b.nul").out == b""
