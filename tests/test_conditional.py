"""Writes that depend on what stands there: `set --if-…`, `get --rev`, `incr`, `decr`, `append`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .conftest import COMMAND, Home


def test_only_where_nothing_is_there(home: Home) -> None:
    assert home.call("set", "a.b.lock", "me", "--if-absent").status == 0
    done = home.call("set", "a.b.lock", "you", "--if-absent")
    assert (done.status, done.err.startswith("prontodb: a.b.lock exists")) == (3, True)
    assert home.call("get", "a.b.lock").out == b"me"
    assert home.call("set", "a.b.short", "me", "--ttl", "1", now=1000).status == 0
    assert home.call("set", "a.b.short", "you", "--if-absent", now=1001).status == 0


def test_only_over_a_revision(home: Home) -> None:
    home.call("set", "a.b.c", "one")
    first = home.call("get", "a.b.c", "--rev")
    assert (first.status, int(first.out) > 0, first.out[-1:]) == (0, True, b"\n")
    assert home.call("set", "a.b.c", "two", "--if-rev", first.out.decode().strip()).status == 0
    assert home.call("set", "a.b.c", "three", "--if-rev", first.out.decode().strip()).status == 3
    assert home.call("set", "a.b.c", "three", "--if-rev", "0").status == 3
    assert home.call("set", "a.b.new", "v", "--if-rev", "0").status == 0
    assert home.call("get", "a.b.none", "--rev").status == 2
    assert home.call("get", "a.b.c").out == b"two"
    for words in (("--if-rev", "x"), ("--if-rev", "-1"), ("--if-rev", "1", "--if-absent"), ("--if-absent", "--if-value", "v")):
        assert home.call("set", "a.b.c", "v", *words).status == 64


def test_only_over_a_value(home: Home) -> None:
    assert home.call("set", "a.b.c", "v", "--if-value", "").status == 3
    home.call("set", "a.b.c", "one")
    assert [home.call("set", "a.b.c", "two", "--if-value", value).status for value in ("on", "one\n", "ONE", "one", "one")] == [
        3,
        3,
        3,
        0,
        3,
    ]
    (home.folder / "file").write_bytes(b"three")
    assert home.call("set", "a.b.c", "--file", "file", "--if-value", "two").status == 0
    assert home.call("get", "a.b.c").out == b"three"


def test_what_was_piped_is_kept_where_the_condition_does_not_hold(home: Home) -> None:
    home.call("set", "a.b.c", "one")
    for words in (("--if-absent",), ("--if-rev", "99999"), ("--if-value", "other")):
        done = home.call("set", "a.b.c", *words, stdin=b"precious")
        assert done.status == 4
        assert home.call("get", done.err.split("cached as: ")[1].split()[0]).out == b"precious"
    assert home.call("set", "a.b.c", "--if-value", "one", stdin=b"piped").status == 0
    assert home.call("get", "a.b.c").out == b"piped"


def test_counting(home: Home) -> None:
    assert [home.call(*words).out for words in (("incr", "a.b.n"), ("incr", "a.b.n", "41"), ("decr", "a.b.n", "2"), ("decr", "a.b.n"))] == [
        b"1\n",
        b"42\n",
        b"40\n",
        b"39\n",
    ]
    assert home.call("incr", "a.b.n", "--", "-40").out == b"-1\n"
    home.call("set", "a.b.text", "seven")
    assert (home.call("incr", "a.b.text").status, home.call("get", "a.b.text").out) == (3, b"seven")
    assert [home.call("incr", "a.b.n", word).status for word in ("x", "1.5", "", "9" * 19, "²")] == [64] * 5
    home.call("set", "a.b.ends", "5", "--ttl", "100", now=1000)
    home.call("incr", "a.b.ends", now=1010)
    assert home.call("ttl", "a.b.ends", now=1010).out == b"90\n"


def test_appending(home: Home) -> None:
    home.call("append", "a.b.log", "one ")
    assert home.call("append", "a.b.log", stdin=bytes(range(256))).status == 0
    assert home.call("get", "a.b.log").out == b"one " + bytes(range(256))
    large = b"x" * 3_000_000
    home.call("append", "a.b.large", stdin=large)
    home.call("append", "a.b.large", stdin=b"end")
    assert home.call("get", "a.b.large").out == large + b"end"
    home.call("set", "a.b.ends", "5", "--ttl", "100", now=1000)
    home.call("append", "a.b.ends", "6", now=1010)
    assert (home.call("ttl", "a.b.ends", now=1010).out, home.call("get", "a.b.ends", now=1010).out) == (b"90\n", b"56")
    assert home.call("append", "a.b.log", stdin=b"").status == 64
    done = home.call("append", "bad..log", stdin=b"precious")
    assert (done.status, home.call("get", done.err.split("cached as: ")[1].split()[0]).out) == (4, b"precious")


@pytest.mark.parametrize("call", ["prontodb incr a.b.n >/dev/null", "prontodb append a.b.n x", "printf x | prontodb append a.b.n"])
def test_many_at_once_lose_nothing(home: Home, call: str) -> None:
    """Eight shells, a few times each: the command as it is."""
    workers = [
        subprocess.Popen(["sh", "-c", f"for i in 1 2 3 4 5; do {call} || echo $?; done"], env=home.env, stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    assert [worker.communicate(timeout=120)[0] for worker in workers] == [b""] * 8
    assert home.run("get", "a.b.n").out == (b"40" if "incr" in call else b"x" * 40)


AGAIN = """
import os, sys, time
from prontodb.dispatch import dispatch
from prontodb.session import Input, Output, Session
verb, piped, *words = sys.argv[1:]
sys.stdin.readline()
for _ in range(25):
    reading, writing = os.pipe()
    os.write(writing, piped.encode())
    os.close(writing)
    session = Session(dict(os.environ), os.getcwd(), time.time, (Input(reading), Output(os.open(os.devnull, os.O_WRONLY), ""), Output(2, "")))
    assert dispatch([verb, "a.b.n", *words], session) == 0
    os.close(reading)
"""


@pytest.mark.parametrize("call", [("incr", ""), ("append", "", "x"), ("append", "x")], ids=" ".join)
def test_many_at_once_without_a_pause_lose_nothing(home: Home, call: tuple[str, ...]) -> None:
    """Eight processes, twenty-five times each, one call upon the other: no start of a program comes in between."""
    argv, pipe = [sys.executable, "-c", AGAIN, *call], subprocess.PIPE
    workers = [subprocess.Popen(argv, env=home.env, cwd=home.folder, stdin=pipe, stderr=pipe) for _ in range(8)]
    for worker in workers:
        assert worker.stdin
        worker.stdin.write(b"\n")
        worker.stdin.flush()
    assert [worker.communicate(timeout=120)[1] for worker in workers] == [b""] * 8
    assert home.run("get", "a.b.n").out == (b"200" if "incr" in call else b"x" * 200)


def test_one_of_many_gets_the_lock(home: Home) -> None:
    script = f"'{COMMAND}' set a.b.lock $$ --if-absent 2>/dev/null; echo $?"
    workers = [subprocess.Popen(["sh", "-c", script], env=home.env, stdout=subprocess.PIPE) for _ in range(12)]
    assert sorted(worker.communicate(timeout=60)[0] for worker in workers) == [b"0\n"] + [b"3\n"] * 11
