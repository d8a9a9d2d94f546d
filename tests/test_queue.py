"""Queues: `push`, `pop`, `ack`, `nack`."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import COMMAND, Home
from .helping import lock, script
from .interactive import poll
from .pgserver import Database, Server
from .pgserver import send as kill

QUEUE = "p.n.jobs"
ALL_BYTES = bytes(range(256))


def popped(home: Home) -> list[bytes]:
    """Everything, in its order."""
    found = []
    while (done := home.call("pop", QUEUE)).status == 0:
        found.append(done.out)
    assert done.status == 2
    return found


def leased(home: Home, *argv: str, **options: Any) -> dict[str, Any]:
    """What `pop --lease` tells of an item."""
    done = home.call("pop", QUEUE, "--lease", "60s", "--json", *argv, **options)
    assert (done.status, done.err) == (0, "")
    told: dict[str, Any] = json.loads(done.out)
    return told


@pytest.fixture
def beside(home: Home) -> Iterator[Any]:
    """Starts commands that go on beside us."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, **options: Any) -> subprocess.Popen[bytes]:
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        started.append(subprocess.Popen([COMMAND, *argv], env=home.env, cwd=home.folder, start_new_session=True, **streams))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def test_first_in_first_out(home: Home) -> None:
    for value in ("one", "two"):
        assert home.call("push", QUEUE, value).out == b""
    for content in (ALL_BYTES, b"x" * 3_000_000, b"\n"):
        assert home.call("push", QUEUE, stdin=content).status == 0
    assert popped(home) == [b"one", b"two", ALL_BYTES, b"x" * 3_000_000, b"\n"]
    assert home.call("keys", "p.n").out == b""


def test_items_are_entries(home: Home) -> None:
    """So listings, `del`, lifetimes, export and import know them, and the order stays."""
    for value in "abcd":
        home.call("push", QUEUE, value, *(("--ttl", "100") if value == "c" else ()), now=1000)
    names = home.call("keys", "p.n.jobs/", now=1000).lines
    assert names == sorted(names)
    assert (len(names), len(names[0])) == (4, len("jobs/") + 16)
    assert home.call("del", f"p.n.{names[1]}", now=1000).status == 0
    exported = home.call("export", "p.n", now=1000).out
    assert [home.call("pop", QUEUE, now=2000).out for _ in range(2)] == [b"a", b"d"]
    assert home.call("import", stdin=exported, now=1000).status == 0
    home.call("push", QUEUE, "e", now=1000)
    assert [home.call("pop", QUEUE, now=1050).out for _ in range(4)] == [b"a", b"c", b"d", b"e"]


def test_what_is_piped_is_never_lost(home: Home) -> None:
    for words in (
        ("push", "bad..queue"),
        ("push", "jobs"),
        ("push", "p.n.jobs__prod"),
        ("push",),
        ("push", QUEUE, "--ttl", "x"),
        ("push", QUEUE, "--bogus"),
    ):
        done = home.call(*words, stdin=b"precious")
        assert done.status == 4, words
        assert home.call("get", done.rescued).out == b"precious"
    assert home.call("push", QUEUE, stdin=b"").status == 64
    home.env["PRONTO_BUSY_TIMEOUT"] = "0.1"
    holder = lock(home)
    done = home.call("push", QUEUE, stdin=b"precious")
    holder.communicate(b"")
    assert (done.status, home.call("get", done.rescued).out) == (4, b"precious")


@pytest.mark.parametrize("queue", ["bad..queue", "p.n.jobs__prod", "p.n." + "x" * 240, ""])
def test_what_can_be_no_queue(home: Home, queue: str) -> None:
    for words in (("push", queue, "v"), ("pop", queue), ("ack", queue, "1-2")):
        done = home.call(*words)
        assert (done.status, done.err.startswith("prontodb: Invalid ")) == (64, True)


def test_an_empty_queue_is_a_miss(home: Home) -> None:
    assert home.call("pop", QUEUE).status == 2
    assert not home.database.exists()
    home.call("set", QUEUE, "no item")
    home.call("set", f"{QUEUE}/mine", "no item either")
    assert home.call("pop", QUEUE).status == 2
    assert json.loads(home.call("pop", QUEUE, "--json").err)["error"] == "no-such-key"


def test_done_and_given_back(home: Home) -> None:
    for value in "ab":
        home.call("push", QUEUE, value)
    first, second = leased(home), leased(home)
    assert (first["value"], second["value"]) == ("a", "b")
    assert home.call("pop", QUEUE).status == 2
    assert home.call("nack", QUEUE, first["id"]).status == 0
    assert home.call("ack", QUEUE, first["id"]).status == 3
    again = leased(home)
    assert (again["value"], again["address"]) == ("a", first["address"])
    assert again["token"] > second["token"] > first["token"]
    assert [home.call("ack", QUEUE, each["id"]).status for each in (first, again, second, second)] == [3, 0, 0, 3]
    assert home.call("keys", "p.n").out == b""


def test_a_lease_can_be_renewed_and_fences_what_is_written(home: Home) -> None:
    home.call("push", QUEUE, "a", now=1000)
    told = leased(home, now=1000)
    fence = ("--fence", str(told["token"]), "--lease", told["lease"])
    assert home.call("renew", told["lease"], "--token", str(told["token"]), "--ttl", "100", now=1050).status == 0
    assert home.call("set", "p.n.result", "v", *fence, now=1149).status == 0
    assert home.call("pop", QUEUE, now=1149).status == 2
    assert home.call("set", "p.n.result", "late", *fence, now=1150).status == 3
    assert home.call("pop", QUEUE, now=1150).out == b"a"
    assert home.call("ack", QUEUE, told["id"], now=1150).status == 3


@pytest.mark.parametrize("text", ["", "17", "17-", "-42", "a-b", "17-42-1", "1" * 19 + "-1", "17 42"])
def test_a_malformed_id(home: Home, text: str) -> None:
    for verb in ("ack", "nack"):
        assert home.call(verb, QUEUE, "--", text).status == 64


def test_bytes_in_json(home: Home) -> None:
    home.call("push", QUEUE, stdin=ALL_BYTES)
    assert "value_b64" in leased(home)


def test_an_item_that_cannot_be_printed_stays(home: Home) -> None:
    """In its place: on a full disk, and where the reader has gone."""
    home.call("push", QUEUE, "first")
    home.call("push", QUEUE, "second")
    with open("/dev/full", "wb") as full:
        assert home.run("pop", QUEUE, stdout=full, stderr=subprocess.PIPE).status == 1
    read, write = os.pipe()
    os.close(read)
    assert home.run("pop", QUEUE, stdout=write, stderr=subprocess.PIPE).status == 0
    os.close(write)
    assert popped(home) == [b"first", b"second"]


def test_waiting_for_an_item(home: Home, beside: Any) -> None:
    assert home.run("pop", QUEUE, "--wait", "1s").status == 5
    process = beside("pop", QUEUE, "--wait", "60s")
    time.sleep(0.5)
    home.call("push", QUEUE, "here")
    assert process.communicate(timeout=20)[0] == b"here"


# With a command


def test_the_item_is_the_command_s_input(home: Home) -> None:
    for content in (ALL_BYTES, b"y" * 3_000_000):
        home.call("push", QUEUE, stdin=content)
        done = home.run("pop", QUEUE, "--", "cat", stdin=b"not this")
        assert (done.status, done.out) == (0, content)
    assert home.call("keys", "p.n").out == b""
    home.call("push", QUEUE, "v")
    inside = f"'{COMMAND}' get $PRONTO_ITEM; '{COMMAND}' set p.n.result done --fence $PRONTO_TOKEN"
    assert home.run("pop", QUEUE, "--", "sh", "-c", inside).out == b"v"
    assert home.call("get", "p.n.result").out == b"done"


def test_an_item_whose_command_fails_comes_back(home: Home) -> None:
    """When its lease is over, so that it does not keep others waiting; at once where nothing was started."""
    for value in "ab":
        home.call("push", QUEUE, value)
    assert home.run("pop", QUEUE, "--lease", "2s", "--", "no-such-command").status == 127
    assert home.run("pop", QUEUE, "--lease", "2s", "--", "sh", "-c", "exit 7").status == 7
    assert home.run("pop", QUEUE, "--", "cat").out == b"b"
    assert home.run("pop", QUEUE, "--wait", "20s", "--", "cat").out == b"a"


def test_the_lease_is_renewed_while_the_command_runs(home: Home, beside: Any) -> None:
    home.call("push", QUEUE, "a")
    process = beside("pop", QUEUE, "--lease", "2s", "--", "sleep", "5")
    poll(lambda: b"@lease" in home.call("keys", "p.n").out, "leased")
    while process.poll() is None:
        # Where it may come free, its owner has just ended.
        assert home.call("pop", QUEUE).status == 2
        time.sleep(0.1)
    assert (process.returncode, home.call("keys", "p.n").out) == (0, b"")


def test_what_a_killed_popper_had_comes_back(home: Home, beside: Any) -> None:
    home.call("push", QUEUE, "a")
    process = beside("pop", QUEUE, "--lease", "2s", "--", "sleep", "50")
    poll(lambda: b"@lease" in home.call("keys", "p.n").out, "leased")
    process.kill()
    assert home.call("pop", QUEUE).status == 2
    assert home.run("pop", QUEUE, "--wait", "20s").out == b"a"


def test_an_item_that_was_deleted_ends_nothing_but_itself(home: Home) -> None:
    """Its lease is still there; the command is not ended, and there is nothing more to delete."""
    home.call("push", QUEUE, "a")
    done = home.run("pop", QUEUE, "--", "sh", "-c", f"'{COMMAND}' del $PRONTO_ITEM; exit 0")
    assert (done.status, done.err, home.call("keys", "p.n").out) == (0, "", b"")


# Contexts


def test_metas_do_not_meet(home: Home) -> None:
    home.call("push", QUEUE, "mine", "--meta", "acme")
    told = json.loads(home.call("pop", QUEUE, "--lease", "60", "--json", "--meta", "acme").out)
    assert home.call("pop", QUEUE).status == 2
    assert home.call("pop", QUEUE, "--meta", "globex").status == 2
    assert home.call("ack", QUEUE, told["id"], "--meta", "globex").status == 3
    assert home.call("pop", QUEUE, "--meta", "acme", env={"PRONTO_FORCE_META": "globex"}).status == 6
    assert home.call("ack", QUEUE, told["id"], env={"PRONTO_FORCE_META": "acme"}).status == 0


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_through_the_helper(home: Home, shell: str) -> None:
    text = f"""for i in 1 2 3 4; do pronto push {QUEUE} "item $i"; done
    echo piped | pronto push {QUEUE}
    pronto pop {QUEUE}; echo
    pronto pop {QUEUE} -- sh -c 'echo "got $(cat)"'
    pronto pop {QUEUE} --lease 60s --json
    x=$(pronto pop {QUEUE}); echo "$x"
    pronto pop {QUEUE} --wait 1s
    pronto pop {QUEUE} --wait 1s || echo $?"""
    lines = script(home, shell, text).lines
    assert [*lines[:2], *lines[3:]] == ["item 1", "got item 2", "item 4", "piped", "5"]
    assert json.loads(lines[2])["value"] == "item 3"


def test_what_the_helper_does_not_print_is_given_back_first(home: Home) -> None:
    """More than it holds: the command pops it then, and it is the same item."""
    home.call("push", QUEUE, stdin=b"x" * 40_000_000)
    home.call("push", QUEUE, "second")
    done = script(
        home,
        "bash",
        f"pronto get p.n.none; pronto pop {QUEUE} | cksum; head -c 40000000 /dev/zero | tr '\\0' x | cksum; pronto pop {QUEUE}",
    )
    assert done.lines[0] == done.lines[1]
    assert done.lines[2] == "second"


def test_on_a_server(home: Home, pg: Server) -> None:
    served = Database(pg)
    served.grant()
    home.env["PRONTO_DB"] = served.url()
    for value in ("a", "b", "c"):
        assert home.call("push", QUEUE, value).status == 0
    told = leased(home)
    assert home.run("pop", QUEUE, "--", "cat").out == b"b"
    assert home.call("nack", QUEUE, told["id"]).status == 0
    assert popped(home) == [b"a", b"c"]


# Many


@pytest.mark.parametrize("where", ["sqlite", "postgres"])
def test_each_item_is_delivered(home: Home, where: str, request: pytest.FixtureRequest) -> None:
    """Four push, four work, which are killed at random: every item is done, in the end, and none gets lost."""
    if where == "postgres":
        served = Database(request.getfixturevalue("pg"))
        served.grant()
        home.env["PRONTO_DB"] = served.url()
    home.env["PRONTO_BUSY_TIMEOUT"] = "60"
    dice = random.Random(os.environ.get("PRONTO_TEST_SEED", "1"))
    count = 6
    # Done, for a worker, is a line in a file: written before the item is acknowledged, so an item may be done twice, and never not at all.
    work = f"while '{COMMAND}' pop {QUEUE} --lease 2s --wait 12s -- sh -c 'cat >>done.$$; echo >>done.$$; sleep 0.2'; do :; done"
    pushing = f"for i in $(seq {count}); do '{COMMAND}' push {QUEUE} \"$0.$i\" || echo $0.$i >>failed; done"
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def start(*argv: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(argv, env=home.env, cwd=home.folder, start_new_session=True, **streams)

    pushers = [start("sh", "-c", pushing, str(number)) for number in range(4)]
    workers = [start("sh", "-c", work) for _ in range(4)]
    killed = []
    try:
        for _ in range(8):
            time.sleep(dice.uniform(0.1, 0.6))
            number = dice.randrange(len(workers))
            killed.append(workers[number])
            os.killpg(workers[number].pid, signal.SIGKILL)
            workers[number] = start("sh", "-c", work)
        assert [pusher.wait(60) for pusher in pushers] == [0] * 4
        for worker in workers:
            worker.wait(120)
    finally:
        for process in [*pushers, *workers, *killed]:
            if process.poll() is None:
                kill(-process.pid, signal.SIGKILL)
            process.wait()
    assert not (home.folder / "failed").exists()
    found = [line for file in home.folder.glob("done.*") for line in file.read_text().split()]
    assert set(found) == {f"{pusher}.{number}" for pusher in range(4) for number in range(1, count + 1)}
    # An item is done again only where somebody was killed over it.
    assert len(found) - len(set(found)) <= len(killed)
    assert home.call("keys", "p.n").out == b""


def test_no_item_goes_to_two(home: Home) -> None:
    items = [b"%d" % number for number in range(40)]
    for item in items:
        home.call("push", QUEUE, item.decode())
    text = f"while '{COMMAND}' pop {QUEUE} 2>/dev/null; do echo; done"
    poppers = [subprocess.Popen(["sh", "-c", text], env=home.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) for _ in range(4)]
    found = [item for popper in poppers for item in popper.communicate(timeout=120)[0].split()]
    assert sorted(found, key=int) == items
