"""`wait` and `watch`: what wakes them, what they tell, how they end; in real processes, on real files."""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import IO, Any

import pytest

from prontodb.address import Place
from prontodb.model import Content, Write
from prontodb.ops.looks import Looks
from prontodb.ops.watching import Wanted, Watcher

from .conftest import COMMAND, Home
from .helping import script
from .sqlite_base import at, engine

LONG = 30
"""Seconds after which something that should have happened counts as never happening."""


@contextmanager
def started(home: Home, *argv: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A command that goes on by itself; killed when the test is through with it."""
    env = home.env | options.pop("env", {})
    pipes = {"bufsize": 0, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    process = subprocess.Popen([COMMAND, *argv], env=env, cwd=home.folder, **pipes)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def watching(home: Home, *argv: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A `watch` that has taken note of what is there."""
    with started(home, "-v", "watch", *argv, **options) as process:
        assert line_of(process.stderr).startswith(b"Watching ")
        yield process


def event(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The next event."""
    told: dict[str, Any] = json.loads(line_of(process.stdout))
    return told


def line_of(stream: IO[bytes] | None) -> bytes:
    """The next line of what a process says (unbuffered), which must come in time."""
    assert stream
    assert select.select([stream], [], [], LONG)[0], "nothing came"
    line = stream.readline()
    assert line.endswith(b"\n"), "it has ended"
    return line


def brief(told: dict[str, Any]) -> tuple[Any, ...]:
    """What of an event does not depend on the moment."""
    return told["event"], told["address"], told.get("value")


def asleep(process: subprocess.Popen[bytes]) -> None:
    """Until a process has started, and sleeps between two looks."""
    deadline = time.monotonic() + LONG
    while not _sleeps(process.pid):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _sleeps(process: int) -> bool:
    return Path(f"/proc/{process}/syscall").read_text().split()[0] in {"35", "230", "115", "101"}


# wait


def test_what_holds_already_is_not_waited_for(home: Home) -> None:
    home.call("set", "p.job.state", "done\n")
    home.call("set", "p.job.count", "8")
    for condition in ("p.job.state", "p.job.state == done", "p.job.state!=failed", "p.job.count>=8", "! p.job.none"):
        done = home.call("wait", condition, "--timeout", "0")
        assert (done.status, done.out, done.err) == (0, b"", "")


def test_what_does_not_hold_runs_out_of_time(home: Home) -> None:
    home.call("set", "p.job.state", "running")
    for condition in ("p.job.none", "p.job.state == done", "p.job.none != done", "p.job.state >= 1", "! p.job.state"):
        done = home.call("wait", condition, "--timeout", "0.1")
        assert (done.status, done.out) == (5, b"")
        assert done.err.startswith(f"prontodb: Not so after 0.1s: {condition}\n")
    told = json.loads(home.call("wait", "p.job.none", "--timeout", "0", "--json").err)
    assert (told["error"], told["code"]) == ("timeout", 5)


def test_all_or_any(home: Home) -> None:
    home.call("set", "p.n.a", "1")
    assert home.call("wait", "p.n.a", "p.n.b", "--timeout", "0").status == 5
    assert home.call("wait", "p.n.a", "p.n.b", "--all", "--timeout", "0").status == 5
    done = home.call("wait", "p.n.b", "p.n.a", "--any", "--timeout", "0", "--json")
    assert (done.status, json.loads(done.out)) == (0, {"holds": ["p.n.a"]})
    home.call("set", "p.n.b", "two words")
    done = home.call("wait", "p.n.b == 'two words'", "p.n.a", "--timeout", "0", "--json")
    assert (done.status, json.loads(done.out)) == (0, {"holds": ['p.n.b == "two words"', "p.n.a"]})


def test_numbers_of_entries(home: Home) -> None:
    for number in range(3):
        home.call("set", f"p.results.{number}", "v")
    home.call("set", "p.other.0", "v")
    home.call("set", "p.results.ended", "v", "--ttl", "1", now=1000)
    counts = {
        test: home.call("wait", "--count", "p.results", test, "--timeout", "0").status
        for test in ("== 3", ">= 3", "> 3", "!= 3", "<4", ">2")
    }
    assert list(counts.values()) == [0, 0, 5, 5, 0, 0]
    for place, test in (("p.results.", "== 3"), ("p.results.1", "== 1"), ("p.none", "== 0")):
        assert home.call("wait", "--count", place, test, "--timeout", "0").status == 0
    both = ("wait", "p.other.0", "--count", "p.results", ">= 3", "--count", "p.other", "== 2", "--timeout", "0")
    assert (home.call(*both).status, home.call(*both, "--any").status) == (5, 0)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), "Nothing to wait for"),
        (("p.j.s", "==", "done"), "prontodb wait 'p.j.s == done'"),
        (("!", "p.j.s"), "quotes go around"),
        (("p.j.s = done",), "column 7"),
        (("p..s == done",), "Invalid address 'p..s'"),
        (("p.j.s", "--timeout", "x"), "Invalid time to wait 'x'"),
        (("p.j.s", "--timeout", "-1"), "Invalid time to wait '-1'"),
        (("p.j.s", "--timeout", "1.x"), "Invalid time to wait"),
        (("p.j.s", "--timeout", "9" * 30), "Invalid time to wait"),
        (("p.j.s", "--any", "--all"), "contradict"),
        (("--count", "p.j"), "--count"),
        (("--count", "p.j", "8"), "column 1"),
        (("--count", "p..j", ">= 8"), "Invalid address"),
        (("p.j.s", "--bogus"), "--bogus"),
    ],
)
def test_wrong_calls_of_wait(home: Home, argv: tuple[str, ...], words: str) -> None:
    done = home.call("wait", *argv)
    assert (done.status, done.out) == (64, b"")
    assert words in done.err
    assert "Cure: " in done.err


CHANGES: dict[str, tuple[str, ...]] = {
    "p.n.new": ("set", "p.n.new", "v"),
    "p.n.k == two": ("set", "p.n.k", "two"),
    "! p.n.k": ("del", "p.n.k"),
    "p.n.count >= 8": ("set", "p.n.count", "8.5"),
}


@pytest.mark.parametrize("condition", CHANGES)
def test_a_change_wakes_it(home: Home, condition: str) -> None:
    home.run("set", "p.n.k", "one")
    with started(home, "wait", condition) as process:
        asleep(process)
        assert home.run(*CHANGES[condition]).status == 0
        assert process.communicate(timeout=LONG) == (b"", b"")
        assert process.returncode == 0


def test_the_first_entry_of_a_database_wakes_it(home: Home) -> None:
    with started(home, "wait", "p.n.k == v") as process:
        asleep(process)
        assert not home.database.exists()
        home.run("set", "p.n.k", "v")
        assert process.wait(LONG) == 0


def test_an_entry_that_expires_wakes_it(home: Home) -> None:
    home.run("set", "p.lock.deploy", "me", "--ttl", "2")
    began = time.time()
    assert home.run("wait", "! p.lock.deploy", "--timeout", str(LONG)).status == 0
    assert time.time() - began < LONG
    assert home.run("exists", "p.lock.deploy").status == 2


@pytest.mark.parametrize("how", ["replaced", "deleted", "restored"])
def test_another_file_in_its_place_is_noticed(home: Home, how: str) -> None:
    home.run("set", "p.n.k", "new")
    home.run("backup", "--output", "saved")
    shutil.copy(home.database, home.folder / "new.db")
    home.run("set", "p.n.k", "old")
    with started(home, "wait", "! p.n.k" if how == "deleted" else "p.n.k == new") as process:
        asleep(process)
        if how == "replaced":
            (home.folder / "new.db").replace(home.database)
        elif how == "deleted":
            home.database.unlink()
        else:
            assert home.run("restore", "saved").status == 0
        assert process.wait(LONG) == 0


def test_a_writer_that_stays_open_wakes_it(home: Home) -> None:
    """Commits that are in the log only, and one that takes its time between writing and committing."""
    home.run("set", "p.n.k", "old")
    db = engine(home.database)
    db._user = "default"
    db._meta = ""
    with started(home, "wait", "p.n.k == new") as process:
        asleep(process)
        for value in (b"other", b"another", b"new"):
            assert process.poll() is None
            db.put(at("k"), Content.of(value), Write(), time.time())
            time.sleep(0.5)
        assert process.wait(LONG) == 0
    db.close()


def test_while_nothing_happens_the_file_lies_alone(home: Home) -> None:
    """No journal, no lock, nothing written: others read the file as it lies."""
    home.run("set", "p.n.k", "v")
    with started(home, "wait", "p.n.none") as process:
        asleep(process)
        home.run("set", "p.n.k", "w")
        deadline = time.monotonic() + LONG
        while len(list(home.database.parent.glob("main.db*"))) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        before = home.database.stat().st_mtime_ns
        time.sleep(0.5)
        assert process.poll() is None
        assert [path.name for path in home.database.parent.glob("main.db*")] == ["main.db"]
        assert f" {process.pid} " not in Path("/proc/locks").read_text()
        assert home.database.stat().st_mtime_ns == before


@pytest.mark.parametrize("flags", [("--meta", "acme"), ("--user", "bob"), ("--database", "other")])
def test_what_happens_in_another_context_does_not_count(home: Home, flags: tuple[str, str]) -> None:
    home.run("set", "p.n.k", "old")
    with started(home, "wait", "p.n.k == new") as process, watching(home, "p.n") as watch:
        asleep(process)
        assert home.run(*flags, "set", "p.n.k", "new").status == 0
        assert home.run(*flags, "del", "p.n.k").status == 0
        time.sleep(0.5)
        assert (process.poll(), watch.poll()) == (None, None)
        home.run("set", "p.n.k", "new")
        assert process.wait(LONG) == 0
        assert brief(event(watch)) == ("set", "p.n.k", "new")


def test_pins_are_kept_to(home: Home) -> None:
    pin = {"PRONTO_FORCE_META": "acme", "PRONTO_FORCE_USER": "bob"}
    with started(home, "wait", "p.n.k", env=pin) as process, watching(home, "p.n", env=pin) as watch:
        asleep(process)
        home.run("set", "p.n.k", "theirs")
        time.sleep(0.3)
        assert (process.poll(), watch.poll()) == (None, None)
        home.run("set", "p.n.k", "ours", env=pin)
        assert process.wait(LONG) == 0
        assert brief(event(watch)) == ("set", "p.n.k", "ours")
    for verb in (("wait", "p.n.k"), ("watch", "p.n")):
        assert home.run(*verb, "--meta", "other", env=pin).status == 6
        assert home.run(*verb, env={"PRONTO_FORCE_META": ""}).status == 64


def test_waiting_takes_next_to_nothing(home: Home) -> None:
    """Four seconds of waiting, in which others write, cost less than a fifth of one; without the start it is far less."""
    home.run("set", "p.n.k", "v")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert home.run("wait", "p.n.none", "--timeout", "0").status == 5
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert home.run("wait", "p.n.none", "--timeout", "4").status == 5
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = [
        after.ru_utime + after.ru_stime - start.ru_utime - start.ru_stime,
        start.ru_utime + start.ru_stime - before.ru_utime - before.ru_stime,
    ]
    assert spent[0] - spent[1] < 0.2, spent


def test_it_wakes_soon(home: Home) -> None:
    """The median of many, with room for a machine that does other things; the bench tells the number."""
    db = engine(home.folder / "here.db")
    db._user, db._meta = "default", ""
    db.put(at("k"), Content.of(b"0"), Write(), time.time())
    took = []
    for number in range(1, 12):
        with started(home, "wait", f"p.n.k == {number}", "--database", "./here.db") as process:
            asleep(process)
            time.sleep(0.05)
            db.put(at("k"), Content.of(b"%d" % number), Write(), time.time())
            began = time.monotonic()
            assert process.wait(LONG) == 0
            took.append(time.monotonic() - began)
    db.close()
    assert median(took) < 0.5, took


@pytest.mark.parametrize("argv", [("wait", "p.n.none"), ("watch", "p.n"), ("watch", "p.n", "--", "cat")])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_quietly(home: Home, argv: tuple[str, ...], signum: int) -> None:
    home.run("set", "p.n.k", "v")
    with started(home, *argv) as process:
        asleep(process)
        process.send_signal(signum)
        assert process.communicate(timeout=LONG) == (b"", b"")
        assert process.returncode == -signum


def test_in_a_script(home: Home) -> None:
    """Standard input stays with the loop; `&&` and the status do what a script expects."""
    done = home.shell(
        """
        (sleep 0.5; prontodb set p.job.state done) &
        printf '%s\\n' one two three | while read -r line; do
            prontodb wait "p.job.state == done" --timeout 30 && prontodb set "p.seen.$line" v
        done
        wait
        prontodb wait p.job.none --timeout 0 2>/dev/null || echo "status $?"
        prontodb keys p.seen
        """
    )
    assert done.lines == ["status 5", "one", "three", "two"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_through_the_helper(home: Home, shell: str) -> None:
    """It waits in a process of its own: the helper goes on answering, also what is waited for."""
    done = script(
        home,
        shell,
        """
        pronto set p.n.count 0
        (pronto wait 'p.n.count == 3' --timeout 30 && echo woken) &
        for i in 1 2 3; do pronto set p.n.count $i; done
        wait
        pronto wait 'p.n.count == 4' --timeout 0 2>/dev/null; echo $?
        pronto get -v V p.n.count; echo "$V"
        (pronto watch p.n --events 1 --timeout 30 >events) &
        i=4; until [ -s events ]; do pronto set p.n.count $((i++)); done
        wait
        pronto wait 'bad..address' 2>/dev/null; echo $?
        """,
    )
    assert (done.lines, done.err) == (["woken", "5", "3", "64"], "")
    assert json.loads((home.folder / "events").read_text())["address"] == "p.n.count"


# watch


def test_every_kind_of_event(home: Home) -> None:
    home.run("set", "p.n.old", "v")
    home.run("set", "p.n.gone", "v")
    home.run("set", "p.other.k", "v")
    with watching(home, "p.n") as process:
        home.run("set", "p.n.k", "one")
        told = event(process)
        assert brief(told) == ("set", "p.n.k", "one")
        assert (told["size"], told["expires"], told["revision"]) == (3, None, int(home.run("get", "p.n.k", "--rev").out))
        assert abs(told["time"] - time.time()) < LONG
        home.run("set", "p.other.k", "unseen")
        home.run("set", "p.n.k", "one")
        assert brief(event(process)) == ("set", "p.n.k", "one")
        home.run("expire", "p.n.k", "1h")
        told = event(process)
        assert (brief(told), told["expires"] > time.time()) == (("lifetime", "p.n.k", None), True)
        home.run("persist", "p.n.k")
        assert event(process)["expires"] is None
        home.run("del", "p.n.gone")
        assert brief(event(process)) == ("deleted", "p.n.gone", None)
        home.run("expire", "p.n.old", "1")
        assert event(process)["event"] == "lifetime"
        told = event(process)
        assert brief(told) == ("expired", "p.n.old", None)
        assert told["time"] <= time.time()
        home.run("set", "p.n.bytes", "-", stdin=b"\xff\0")
        assert event(process)["value_b64"] == "/wA="


def test_a_prefix_and_no_place(home: Home) -> None:
    with watching(home, "p.n.job/") as process, watching(home, "-p", "p", "-n", "n") as all_of_it:
        for name in ("other", "job/1"):
            home.run("set", f"p.n.{name}", name)
        assert brief(event(process)) == ("set", "p.n.job/1", "job/1")
        assert [event(all_of_it)["address"] for _ in range(2)] == ["p.n.other", "p.n.job/1"]


def test_what_is_there_at_first(home: Home) -> None:
    for name in ("b", "a"):
        home.call("set", f"p.n.{name}", name)
    done = home.call("watch", "p.n", "--initial", "--timeout", "0")
    assert [(*brief(json.loads(line)), json.loads(line)["initial"]) for line in done.lines] == [
        ("set", "p.n.b", "b", True),
        ("set", "p.n.a", "a", True),
    ]
    assert home.call("watch", "p.n", "--timeout", "0").out == b""
    with watching(home, "p.n", "--initial", "--events", "3") as process:
        assert [event(process)["initial"] for _ in range(2)] == [True, True]
        home.run("set", "p.n.c", "c")
        assert "initial" not in event(process)
        assert process.wait(LONG) == 0


def test_values_are_told_with_care(home: Home) -> None:
    """Large ones are left out, in the place of a middling one there is the whole; secrets are told to those who ask."""
    sizes = {"small": 3, "middling": 5000, "most": 65536, "large": 65537, "huge": 3_000_000}
    for name, size in sizes.items():
        home.call("set", f"p.n.{name}", "-", stdin=b"x" * size)
    told = [json.loads(line) for line in home.call("watch", "p.n", "--initial", "--timeout", "0").lines]
    assert {one["address"][4:]: one["size"] for one in told} == sizes
    assert [len(one.get("value", "")) for one in told] == [3, 5000, 65536, 0, 0]
    assert not any("value" in json.loads(line) for line in home.call("watch", "p.n", "--initial", "--no-values", "--timeout", "0").lines)
    home.call("set", "p.sec.token", "hunter2")
    for options in ((), ("--events", "1", "--", "cat")):
        done = home.run("watch", "p.sec", "--initial", "--timeout", "0", *options)
        assert b"hunter2" not in done.out
        assert json.loads(done.out)["secret"] is True
    assert b"hunter2" in home.call("watch", "p.sec", "--initial", "--reveal", "--timeout", "0").out


def test_when_watching_ends(home: Home) -> None:
    assert home.call("watch", "p.n", "--timeout", "0.2").status == 0
    done = home.call("watch", "p.n", "--timeout", "0.2", "--events", "1")
    assert (done.status, done.err.startswith("prontodb: 0 events of 1")) == (5, True)
    for argv in (("--events", "0"), ("--events", "x"), ("--timeout", "x"), ("--keep-going",), ("--",), ("--bogus",)):
        done = home.call("watch", "p.n", *argv)
        assert (done.status, done.out) == (64, b""), argv
    assert home.call("watch", "p..n").status == 64
    assert home.call("watch", "p.n", "--", "no-such-command").status == 127


def test_a_reader_that_has_gone_ends_it(home: Home) -> None:
    """Also where nothing happens any more that could be written to it."""
    read, write = os.pipe()
    with watching(home, "p.n", stdout=write) as process:
        os.close(write)
        os.close(read)
        assert process.wait(LONG) == 0
        assert process.stderr
        assert process.stderr.read() == b""


def test_in_a_pipeline_each_event_comes_at_once(home: Home) -> None:
    done = home.shell(
        """
        prontodb -v watch p.n 2>ready | while read -r line; do printf '%s\\n' "$line"; break; done &
        until [ -s ready ]; do sleep 0.05; done
        prontodb set p.n.k v
        wait
        """
    )
    assert (done.status, brief(json.loads(done.out))) == (0, ("set", "p.n.k", "v"))


def test_events_come_in_the_order_of_the_writes(home: Home) -> None:
    """Those of one look too: the flag that was set last is told last, whatever its name."""
    with watching(home, "p.n") as process:
        stream = b"ns=p.n; z=1; m=2; a=3;"
        assert home.run("stream", stdin=stream).status == 0
        assert [event(process)["address"] for _ in range(3)] == ["p.n.z", "p.n.m", "p.n.a"]


def test_nothing_is_lost_between_a_writer_and_a_watcher(home: Home) -> None:
    """Names of their own come all; of one that changes all the time, the last value comes last."""
    count = 40
    with watching(home, "p.n") as process:
        writer = subprocess.Popen(
            ["bash", "-c", f"for i in $(seq {count}); do printf 'ns=p.n; k%s=v; counter=%s;' $i $i | prontodb stream; done"], env=home.env
        )
        names, last = set(), ""
        while len(names) < count or last != str(count):
            told = event(process)
            if told["address"] == "p.n.counter":
                assert int(told["value"]) > int(last or 0)
                last = told["value"]
            else:
                assert told["address"] not in names
                names.add(told["address"])
        assert writer.wait(LONG) == 0


def test_a_command_for_each_event(home: Home) -> None:
    """In order, one after another, and what happens while it runs is told afterwards."""
    command = ("sh", "-c", 'sleep 0.1; printf "%s %s %s " "$PRONTO_EVENT" "$PRONTO_ADDRESS" "$PRONTO_REVISION"; cat')
    with watching(home, "p.n", "--events", "6", "--", *command) as process:
        for number in range(6):
            home.run("set", f"p.n.k{number}", f"v{number}")
        out, err = process.communicate(timeout=LONG)
        assert (process.returncode, err) == (0, b"")
    lines = out.decode().splitlines()
    for number, line in enumerate(lines):
        kind, address, revision, told = line.split(" ", 3)
        assert (kind, address) == ("set", f"p.n.k{number}")
        assert (json.loads(told)["revision"], json.loads(told)["value"]) == (int(revision), f"v{number}")
    assert len(lines) == 6


def test_a_command_that_fails_ends_it(home: Home) -> None:
    home.run("set", "p.n.k", "v")
    home.run("set", "p.n.l", "v")
    assert home.run("watch", "p.n", "--initial", "--", "sh", "-c", "exit 7").status == 7
    assert home.run("watch", "p.n", "--initial", "--", "sh", "-c", "kill -9 $$").status == 137
    done = home.run("watch", "p.n", "--initial", "--keep-going", "--events", "2", "--", "sh", "-c", "echo ran; exit 7")
    assert (done.status, done.out) == (0, b"ran\nran\n")
    assert done.err.count("failed for p.n.") == 2
    # It need not read what it is given.
    assert home.run("watch", "p.n", "--initial", "--events", "2", "--", "true").status == 0
    (home.folder / "not-a-program").write_bytes(b"\x7fELF")
    (home.folder / "not-a-program").chmod(0o755)
    assert home.run("watch", "p.n", "--initial", "--", "./not-a-program").status == 126


def test_options_of_the_command_are_its_own(home: Home) -> None:
    home.run("set", "p.n.k", "v")
    done = home.run("watch", "p.n", "--initial", "--events", "1", "--", "echo", "--events", "-v", "--", "--json")
    assert (done.status, done.out) == (0, b"--events -v -- --json\n")
    assert home.run("watch", "-p", "p", "-n", "n", "--initial", "--events", "1", "--", "echo", "x").out == b"x\n"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_while_a_command_runs(home: Home, signum: int) -> None:
    """It reaches the command (a Ctrl-C does so by itself), which may tidy up; then it ends the watch."""
    home.run("set", "p.n.k", "v")
    command = ("bash", "-c", "trap 'echo tidied; exit 0' TERM HUP INT; echo ready; while :; do sleep 0.05; done")
    with started(home, "watch", "p.n", "--initial", "--", *command, start_new_session=True) as process:
        assert line_of(process.stdout) == b"ready\n"
        if signum == signal.SIGINT:
            os.killpg(process.pid, signum)
        else:
            process.send_signal(signum)
        assert process.communicate(timeout=LONG) == (b"tidied\n", b"")
        assert process.returncode == -signum


def test_a_large_place_is_not_looked_at_all_the_time(home: Home) -> None:
    """After a look that took long there is a rest ten times as long."""
    rests: list[float] = []

    class Slow:
        now = 1000.0

        class engine:  # noqa: N801 - stands for an attribute
            @staticmethod
            def changed(_: float) -> bool:
                return True

    class Resting(Looks):
        def _sleep(self, seconds: float) -> None:
            rests.append(seconds)

    def look(seconds: float) -> Callable[[], None]:
        def work() -> None:
            end = time.process_time() + seconds
            while time.process_time() < end:
                pass

        return work

    looks = Resting(Slow(), None, lambda _: None)  # type: ignore[arg-type]
    for seconds in (0.05, 0.0, 0.05):
        looks.take(look(seconds))
        looks.changed(1)
    assert rests[:2] == [0, 0]
    assert 0.5 <= rests[2] < 5


def test_a_hundred_thousand_names(home: Home) -> None:
    """It is told what has changed among them, and remembers little of each."""
    db = engine(home.folder / "many.db")
    db.load(((at(f"k{number:06}"), Content.of(b"v"), None) for number in range(100_000)), time.time())

    class Store:
        engine = db

        @property
        def now(self) -> float:
            return time.time()

    looks = Looks(Store(), LONG, lambda _: None)  # type: ignore[arg-type]
    watcher = Watcher(Store(), Place("p", "n"), Wanted(), looks)  # type: ignore[arg-type]
    other = engine(home.folder / "many.db")
    other.put(at("k050000"), Content.of(b"new"), Write(), time.time())
    other.delete([at("k000007")], time.time())
    events = watcher.events(lambda: True)
    told = [(one.kind, one.address.name) for one in (next(events), next(events))]
    assert told == [("deleted", "k000007"), ("set", "k050000")]
    events.close()
    other.close()
    db.close()
