"""A hot form and click's form of the same call: the same status, the same output, to the byte."""

from __future__ import annotations

import pytest

from prontodb.dispatch import HOT

from .conftest import Home

NAMES = [
    "p.n.k",
    "p.n.none",
    "p.n.k__ctx",
    "bad..k",
    "",
    "k",
    "n.k",
    "a.b.c.d",
    "p.n.\udcff",
    "p.n.k x",
    "p.n.bin",
    "p.n.big",
    "é.ü.k",
    "help",
    "p.sec.k",
]
VALUES = ["v", "", "x\n", "\udcff\udcfe", "é" * 400]
CALLS = [(verb, name) for verb, count in HOT if count == 1 for name in NAMES]
CALLS += [("set", name, value) for name in NAMES for value in VALUES]
CALLS += [(verb, *["p.n.k"] * count) for verb, _ in HOT for count in (0, 2, 3) if (verb, count) not in HOT]


def prepared(home: Home) -> Home:
    """A home with something in it."""
    for name, content in (
        ("p.n.k", b"value"),
        ("p.n.k__ctx", b"over\n"),
        ("p.n.bin", bytes(range(256))),
        ("p.n.big", b"x" * 2_000_000),
        ("p.sec.k", b"hush"),
    ):
        assert home.call("set", name, "-", stdin=content, now=1000).status == 0
    return home


@pytest.mark.parametrize("stdin", [None, b"piped content", b""])
@pytest.mark.parametrize("argv", CALLS, ids=lambda argv: " ".join(map(ascii, argv))[:60])
def test_hot_and_cold_say_the_same(home: Home, argv: tuple[str, ...], stdin: bytes | None) -> None:
    prepared(home)
    hot = home.call(*argv, stdin=stdin, now=1100)
    after_hot = home.call("scan", "p.n", "--json", now=1100).out
    home.call("rescue", "drop", "--all", now=1100)
    home.wipe()
    prepared(home)
    cold = home.call(argv[0], "--", *argv[1:], stdin=stdin, now=1100)
    assert (cold.status, cold.out, cold.err) == (hot.status, hot.out, hot.err)
    assert home.call("scan", "p.n", "--json", now=1100).out == after_hot


def test_hot_forms_do_not_import_click(home: Home) -> None:
    import sys

    for verb, count in HOT:
        words = ["p.n.k", "v"][:count]
        script = (
            "import sys, time; from prontodb.dispatch import dispatch; from prontodb.session import *;"
            f"s = Session({home.env!r}, '/', time.time, (Input(0), Output(1, ''), Output(2, ''))); dispatch({[verb, *words]!r}, s);"
            "sys.exit('click' in sys.modules)"
        )
        import subprocess

        done = subprocess.run([sys.executable, "-c", script], input=b"x", capture_output=True, check=False)
        assert (done.returncode, done.stderr[-500:] if done.returncode else b"") == (0, b""), verb
