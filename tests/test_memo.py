"""`memo`: a slow command is run once, however many ask, and whoever of them dies; what it said comes back as it was."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prontodb.address import Choice, Scope
from prontodb.errors import ProntoError
from prontodb.ops import memos

from .conftest import COMMAND, Home, Result
from .helping import lock, script
from .pgserver import Database, Server

WAIT = 60
SLOW = "echo begin >>log; sleep 1.5; echo end >>log; echo out; echo err >&2"


def memo(home: Home, *words: str, code: str, **options: Any) -> Result:
    """A shell's code, with the words of the call before `--`."""
    return home.run("memo", "p.c.x", "--ttl", "5m", *words, "--", "sh", "-c", code, **options)


def begin(home: Home, code: str, *words: str, **options: Any) -> subprocess.Popen[bytes]:
    """The same, still running."""
    argv = [COMMAND, "memo", "p.c.x", "--ttl", "5m", *words, "--", "sh", "-c", code]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
    return subprocess.Popen(argv, env=home.env, cwd=home.folder, **options)


def log(home: Home) -> list[str]:
    """What the commands have written down."""
    path = home.folder / "log"
    return path.read_text().split() if path.exists() else []


def logged(home: Home, word: str, count: int = 1) -> None:
    """Waits until it is written down."""
    end = time.monotonic() + WAIT
    while log(home).count(word) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(processes: list[subprocess.Popen[bytes]]) -> list[tuple[int, bytes, bytes]]:
    """Status and outputs of each."""
    outputs = [process.communicate(timeout=WAIT) for process in processes]
    return [(process.returncode, *output) for process, output in zip(processes, outputs, strict=True)]


def test_once_and_then_from_the_store(home: Home) -> None:
    for _ in range(3):
        done = memo(home, code="echo run >>log; printf 'out\\0\\377'; printf err >&2")
        assert (done.status, done.out, done.err) == (0, b"out\0\xff", "err")
    assert log(home) == ["run"]


def test_twenty_at_once_run_it_once(home: Home) -> None:
    assert ended([begin(home, SLOW) for _ in range(20)]) == [(0, b"out\n", b"err\n")] * 20
    assert log(home) == ["begin", "end"]


def test_twenty_at_once_whose_first_is_killed(home: Home) -> None:
    """The command of the one that was killed ends with it; one of the others runs it, and only one."""
    first = begin(home, SLOW)
    logged(home, "begin")
    others = [begin(home, SLOW) for _ in range(19)]
    time.sleep(0.3)
    first.kill()
    first.communicate(timeout=WAIT)
    assert ended(others) == [(0, b"out\n", b"err\n")] * 19
    assert log(home) == ["begin", "begin", "end"]


def test_a_slow_one_keeps_its_lease(home: Home) -> None:
    """Longer than a lease lasts: it is renewed meanwhile."""
    first = begin(home, "echo begin >>log; sleep 6; echo out")
    logged(home, "begin")
    others = [begin(home, "echo begin >>log; sleep 6; echo out") for _ in range(3)]
    assert ended([first, *others]) == [(0, b"out\n", b"")] * 4
    assert log(home) == ["begin"]


def test_one_that_was_stopped_for_long_takes_nothing_away(home: Home) -> None:
    """Its lease is another's when it goes on: both end well, and what is kept is whole."""
    first = begin(home, "echo begin >>log; sleep 0.5; echo out")
    logged(home, "begin")
    first.send_signal(signal.SIGSTOP)
    second = begin(home, "echo begin >>log; sleep 0.5; echo out")
    logged(home, "begin", 2)
    first.send_signal(signal.SIGCONT)
    assert ended([first, second]) == [(0, b"out\n", b"")] * 2
    assert memo(home, code="echo begin >>log; sleep 0.5; echo out").out == b"out\n"
    assert len(log(home)) == 2


def test_other_metas_and_users_have_their_own(home: Home) -> None:
    for words in ((), ("--meta", "acme"), ("--user", "alice"), ("--database", "other")):
        for _ in range(2):
            assert memo(home, *words, code="echo run >>log").status == 0
    assert len(log(home)) == 4
    assert memo(home, code="echo run >>log", env={"PRONTO_FORCE_META": "acme"}).status == 0
    assert len(log(home)) == 4
    assert memo(home, "--meta", "x", code="echo run >>log", env={"PRONTO_FORCE_META": "acme"}).status == 6
    assert len(log(home)) == 4


# What it depends on


def test_on_the_arguments(home: Home) -> None:
    for code in ("echo run >>log; echo 1", "echo run >>log; echo 2", "echo run >>log; echo 1"):
        assert memo(home, code=code).out == code[-1:].encode() + b"\n"
    assert len(log(home)) == 2
    for words in (("a b",), ("a", "b"), ("a b",), ("a", "b", "")):
        home.run("memo", "p.c.y", "--ttl", "5m", "--", "sh", "-c", "echo words >>log", *words)
    assert log(home).count("words") == 3


def test_on_standard_input(home: Home) -> None:
    for content in (b"one", b"two", b"one", b"", b"x" * 3_000_000, b"x" * 3_000_000):
        assert memo(home, "--on", "args,stdin", code="echo run >>log; cat", stdin=content).out == content
    assert len(log(home)) == 4


def test_standard_input_that_nobody_got_is_rescued(home: Home) -> None:
    """It was read, and what it was for could not be done."""
    calls = [
        ("memo", "p.c.x", "--ttl", "5m", "--on", "stdin", "--", "nosuch"),
        ("memo", "bad..x", "--ttl", "5m", "--on", "stdin", "--", "cat"),
        ("memo", "p.sec.x", "--ttl", "5m", "--on", "stdin", "--", "cat"),
        ("memo", "p.c.x", "--ttl", "5m", "--on", "stdin", "--database", "/no/such/x.db", "--", "cat"),
        ("memo", "p.c.x", "--ttl", "5m", "--on", "stdin,bogus", "--", "cat"),
    ]
    for call in calls:
        for content in (b"precious\0", b"p" * 3_000_000):
            done = home.run(*call, stdin=content)
            assert (done.status, done.out) == (4, b""), done
            options = ("--database", "/no/such/x.db") if "--database" in call else ()
            assert home.run("get", done.rescued, "--reveal", *options).out == content
    done = home.run("memo", "p.c.x", "--ttl", "5m", "--", "nosuch", stdin=b"the command's")
    assert (done.status, "cached" in done.err) == (127, False)
    assert home.run("memo", "p.c.x", "--ttl", "5m", "--on", "stdin", "--", "sh", "-c", "cat; exit 3", stdin=b"had").status == 3
    assert home.run("memo", "p.c.x", "--ttl", "5m", "--on", "stdin", "--", "nosuch").status == 127


def test_no_folder_for_standard_input(home: Home) -> None:
    done = home.run("memo", "p.c.x", "--ttl", "5m", "--on", "stdin", "--", "cat", stdin=b"x", env={"TMPDIR": "/no/such/folder"})
    assert (done.status, "Cannot make a file in /no/such/folder" in done.err) == (1, True)
    done = memo(home, code="head -c 2000000 /dev/zero", env={"TMPDIR": "/no/such/folder"})
    assert (done.status, len(done.out), "The result is not kept" in done.err) == (0, 2_000_000, True)


def test_standard_input_that_does_not_matter_is_the_commands(home: Home) -> None:
    assert memo(home, code="head -c 3", stdin=b"onetwo").out == b"one"
    assert memo(home, code="head -c 3", stdin=b"othertwo").out == b"one"
    done = home.shell("printf 'a\\nb\\nc\\n' | while read -r x; do prontodb memo p.c.loop --ttl 5m --on args </dev/null -- echo $x; done")
    assert done.lines == ["a", "b", "c"]


def test_on_files(home: Home) -> None:
    file = home.folder / "in,put"
    for content in ("one", "two", "one"):
        file.write_text(content)
        assert memo(home, "--on", "args,file:in,put", code="echo run >>log; cat in,put").out == content.encode()
    assert len(log(home)) == 2
    (home.folder / "b").write_text("x")
    assert memo(home, "--on", "file:in,put", "--on", "file:b", code="echo run >>log").status == 0
    (home.folder / "b").write_text("y")
    assert memo(home, "--on", "file:in,put", "--on", "file:b", code="echo run >>log").status == 0
    assert len(log(home)) == 4
    done = memo(home, "--on", "file:none", code="echo run >>log")
    assert (done.status, "none" in done.err) == (64, True)
    assert memo(home, "--on", "file:/", code="echo run >>log").status == 64
    assert len(log(home)) == 4


def test_on_folder_and_variables(home: Home) -> None:
    (home.folder / "sub").mkdir()
    for cwd in (".", "sub", "."):
        home.shell(f"cd {cwd}; prontodb memo p.c.x --ttl 5m --on args,cwd -- sh -c 'echo cwd >>$HOME/log'")
    assert log(home).count("cwd") == 2
    for env in ({"X": "1"}, {"X": "2"}, {"X": ""}, {}, {"X": "1"}):
        memo(home, "--on", "env:X", code="echo env >>log", env=env)
    assert log(home).count("env") == 4


def test_not_on_the_arguments(home: Home) -> None:
    (home.folder / "f").write_text("x")
    assert memo(home, "--on", "file:f", code="echo 1").out == memo(home, "--on", "file:f", code="echo 2").out == b"1\n"


@pytest.mark.parametrize("on", ["args,bogus", "bogus", "file:", "env:", "stdin:x"])
def test_an_item_that_is_none(home: Home, on: str) -> None:
    done = memo(home, "--on", on, code="echo run >>log")
    assert (done.status, "Unknown item" in done.err, log(home)) == (64, True, [])


# How long, and which results


def test_it_ends(home: Home) -> None:
    for now, runs in ((1000, 1), (1059, 1), (1060, 2), (1061, 2)):
        done = home.call("memo", "p.c.x", "--ttl", "60", "--", "sh", "-c", f"echo run >>{home.folder}/log; echo out", now=now)
        assert (done.status, done.out, len(log(home))) == (0, b"out\n", runs)


def test_to_run_it_anew(home: Home) -> None:
    for words, runs in (((), 1), (("--refresh",), 2), ((), 2), (("--refresh",), 3)):
        assert memo(home, *words, code="echo run >>log; wc -l <log").out == b"%d\n" % runs


def test_to_run_it_anew_together(home: Home) -> None:
    """One that has begun since one has asked is new enough."""
    code = "echo begin >>log; sleep 3; echo out"
    assert ended([begin(home, code, "--refresh") for _ in range(6)]) == [(0, b"out\n", b"")] * 6
    assert len(log(home)) <= 2


def test_a_failure_is_not_kept(home: Home) -> None:
    for runs in (1, 2):
        done = memo(home, code="echo run >>log; echo out; echo err >&2; exit 3")
        assert (done.status, done.out, done.err, len(log(home))) == (3, b"out\n", "err\n", runs)
    memo(home, code="test -e ok && echo run >>log")
    (home.folder / "ok").touch()
    assert memo(home, code="test -e ok && echo run >>log").status == 0
    assert memo(home, code="test -e ok && echo run >>log").status == 0
    assert len(log(home)) == 3


def test_a_failure_does_not_replace_what_is_kept(home: Home) -> None:
    code = "test ! -e bad && echo good"
    assert memo(home, code=code).out == b"good\n"
    (home.folder / "bad").touch()
    assert memo(home, "--refresh", code=code).status == 1
    assert memo(home, code=code).out == b"good\n"


def test_those_who_waited_share_a_failure(home: Home) -> None:
    code = "echo begin >>log; sleep 4; echo sorry >&2; exit 3"
    assert ended([begin(home, code) for _ in range(8)]) == [(3, b"", b"sorry\n")] * 8
    assert log(home) == ["begin"]
    assert memo(home, code=code).status == 3
    assert log(home) == ["begin", "begin"]


def test_one_who_waited_takes_no_other_runs_failure(home: Home) -> None:
    """One has failed before; the one that is waited for comes to nothing, so whoever has waited runs it."""
    code = "test -e ok || exit 3; echo begin >>log; test -e quick || exec sleep 60; echo out"
    assert memo(home, code=code).status == 3
    (home.folder / "ok").touch()
    first = begin(home, code)
    logged(home, "begin")
    second = begin(home, code)
    time.sleep(1)
    (home.folder / "quick").touch()
    first.terminate()
    assert [status for status, _, _ in ended([first, second])] == [-signal.SIGTERM, 0]


def test_to_keep_a_failure(home: Home) -> None:
    for _ in range(2):
        done = memo(home, "--keep-failures", code="echo run >>log; echo out; echo err >&2; exit 3")
        assert (done.status, done.out, done.err) == (3, b"out\n", "err\n")
    assert log(home) == ["run"]
    assert memo(home, code="echo run >>log; echo out; echo err >&2; exit 3").status == 3
    assert log(home) == ["run", "run"]


def test_one_that_a_signal_ends(home: Home) -> None:
    for words in ((), ("--keep-failures",)):
        for _ in range(2):
            assert memo(home, *words, code="echo run >>log; kill -TERM $$").status == -signal.SIGTERM
    assert len(log(home)) == 4
    assert home.call("keys", "p.c").out == b""


def test_it_ends_when_it_is_told_to(home: Home) -> None:
    process = begin(home, "echo begin >>log; exec sleep 60")
    logged(home, "begin")
    process.terminate()
    assert ended([process]) == [(-signal.SIGTERM, b"", b"")]
    begun = time.monotonic()
    assert memo(home, code="echo begin >>log; exec sleep 0").status == 0
    assert time.monotonic() - begun < 30


def test_what_cannot_be_run(home: Home) -> None:
    (home.folder / "text").write_text("neither")
    for name, status in (("nosuch", 127), ("./text", 126)):
        done = home.run("memo", "p.c.x", "--ttl", "5m", "--", name)
        assert (done.status, done.out) == (status, b"")
    assert home.call("keys", "p.c").out == b""


# Outputs


def test_it_is_shown_as_it_comes(home: Home) -> None:
    process = begin(home, "echo first; read x <fifo; echo second")
    os.mkfifo(home.folder / "fifo")
    assert process.stdout
    assert process.stdout.readline() == b"first\n"
    (home.folder / "fifo").write_text("go\n")
    assert ended([process]) == [(0, b"second\n", b"")]


def test_a_hundred_megabytes_in_little_memory(home: Home) -> None:
    """First as the command says it, then from the store; each in a process that may have 200 MB in all."""
    code = "import sys\nfor _ in range(100): sys.stdout.buffer.write(bytes(range(256)) * 4096)\nsys.stderr.write('e' * 3000000)"
    (home.folder / "big.py").write_text(code)
    digests = []
    for _ in range(2):
        limit = lambda: resource.setrlimit(resource.RLIMIT_DATA, (120 << 20, 120 << 20))
        with open(home.folder / "out", "wb") as out:
            done = home.run(
                "memo", "p.c.big", "--ttl", "5m", "--", sys.executable, "big.py", stdout=out, stderr=subprocess.PIPE, preexec_fn=limit
            )
        assert (done.status, done.err) == (0, "e" * 3_000_000)
        assert (home.folder / "out").stat().st_size == 100 << 20
        digests.append(subprocess.run(["md5sum", home.folder / "out"], capture_output=True, check=True).stdout)
    assert digests[0] == digests[1]
    assert (home.folder / "out").read_bytes()[:1024] == bytes(range(256)) * 4


def test_a_reader_that_leaves_ends_it_and_nothing_is_kept(home: Home) -> None:
    done = home.shell("prontodb memo p.c.x --ttl 5m -- yes | head -1; echo ${PIPESTATUS[0]}")
    assert (done.lines, done.err) == (["y", "141"], "")
    assert home.call("keys", "p.c").out == b""


def test_half_an_output_is_not_kept(home: Home) -> None:
    """A command that does not mind that nobody reads ends well, and has not been heard to its end."""
    code = "trap '' PIPE; for n in 1 2 3 4 5 6 7 8 9; do seq 20000 2>/dev/null; done; true"
    done = home.shell(f'prontodb memo p.c.x --ttl 5m -- bash -c "{code}" | head -1; echo ${{PIPESTATUS[0]}}')
    assert done.lines == ["1", "0"]
    assert "The result is not kept" in done.err
    assert home.call("keys", "p.c").out == b""


def test_a_store_that_does_not_take_it(home: Home) -> None:
    """Nor a renewal of the lease. The command has run all the same: its output and its status are what they are."""
    os.mkfifo(home.folder / "fifo")
    home.env["PRONTO_BUSY_TIMEOUT"] = "0.2"
    for words, told in (((), True), (("-q",), False)):
        process = begin(home, "echo begin >>log; read x <fifo; echo out; exit 0", *words)
        logged(home, "begin", len(log(home)) + 1)
        holder = lock(home)
        time.sleep(2.5)
        (home.folder / "fifo").write_text("go\n")
        [(status, out, err)] = ended([process])
        assert (status, out) == (0, b"out\n")
        assert (b"prontodb: The result is not kept at p.c.x/" in err, b"locked" in err or b"busy" in err.lower()) == (told, told), err
        holder.communicate(timeout=WAIT)
        time.sleep(4)
    assert home.call("keys", "p.c").out == b""


def test_what_stands_there_and_is_no_memo(home: Home) -> None:
    memo(home, code="echo run >>log; echo out")
    [name] = home.call("keys", "p.c").lines
    for value in (
        "",
        "text",
        "{}\n",
        '{"memo": 1, "status": 0, "stdout": 5, "stderr": 0, "began": 1, "flight": ""}\nout',
        "x" * 9000,
        "[]\n",
    ):
        home.call("set", f"p.c.{name}", "-", stdin=value.encode())
        assert memo(home, code="echo run >>log; echo out").out == b"out\n"
    assert len(log(home)) == 7


# Addresses, doors, engines


def test_wrong_calls(home: Home) -> None:
    calls: list[tuple[str, ...]] = [
        ("memo",),
        ("memo", "p.c.x"),
        ("memo", "p.c.x", "--ttl", "5m"),
        ("memo", "p.c.x", "--ttl", "5m", "--"),
        ("memo", "p.c.x", "--", "touch", "ran"),
        ("memo", "p.c.x", "--ttl", "junk", "--", "touch", "ran"),
        ("memo", "p.c.x", "--ttl", "5m", "touch", "ran"),
        ("memo", "bad..x", "--ttl", "5m", "--", "touch", "ran"),
        ("memo", "p.c." + "x" * 230, "--ttl", "5m", "--", "touch", "ran"),
    ]
    for call in calls:
        assert home.run(*call).status == 64, call
    assert not (home.folder / "ran").exists()
    assert home.run("memo", "p.c.x__ctx", "--ttl", "5m", "--", "echo", "x").status == 0
    assert home.call("keys", "p.c").lines[0].endswith("__ctx")


def test_secrets_are_not_shown(home: Home) -> None:
    call = ("memo", "p.sec.x", "--ttl", "5m", "--", "sh", "-c", "echo run >>log; echo hunter2")
    done = home.run(*call)
    assert (done.status, done.out, log(home)) == (6, b"", [])
    for _ in range(2):
        assert home.run(*call[:4], "--reveal", *call[4:]).out == b"hunter2\n"
    assert log(home) == ["run"]
    memo(home, code="echo hunter2")
    [name] = home.call("keys", "p.c").lines
    home.call("set", f"p.c.{name}", "--secret", stdin=home.call("get", f"p.c.{name}").out)
    done = memo(home, code="echo hunter2")
    assert (done.status, done.out) == (6, b"")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_through_the_helper_and_a_wrapper(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    kind = f'eval "$(prontodb shell wrapper acme {shell} --user default --meta acme)"'
    done = script(
        home,
        shell,
        f"{kind}\nfor i in 1 2; do echo in | pronto memo p.c.x --ttl 5m -- sh -c 'echo run >>log; cat; exit 0'; echo $?; done\n"
        "for i in 1 2; do acme memo p.c.x --ttl 5m -- sh -c 'echo acme >>log; prontodb where | grep acme | wc -l'; done",
    )
    assert (done.lines, done.err) == (["in", "0", "in", "0", "1", "1"], "")
    assert log(home) == ["run", "acme"]


def test_on_a_server(home: Home, pg: Server) -> None:
    served = Database(pg)
    served.grant("")
    home.env["PRONTO_DB"] = served.url()
    assert ended([begin(home, SLOW) for _ in range(6)]) == [(0, b"out\n", b"err\n")] * 6
    assert log(home) == ["begin", "end"]
    first = begin(home, SLOW + "; true")
    logged(home, "begin", 2)
    others = [begin(home, SLOW + "; true") for _ in range(4)]
    first.kill()
    first.communicate(timeout=WAIT)
    assert ended(others) == [(0, b"out\n", b"err\n")] * 4
    assert log(home) == ["begin", "end", "begin", "begin", "end"]


# The parts


@given(out=st.binary(max_size=50), err=st.binary(max_size=50), cut=st.integers(1, 60))
def test_both_outputs_come_back(out: bytes, err: bytes, cut: int) -> None:
    made = memos.Memo(0, (len(out), len(err)), 1.5, "f")
    whole = out + err
    made.pieces = (whole[at : at + cut] for at in range(0, len(whole), cut))
    found = [b"", b""]
    for number, piece in made.outputs():
        assert piece
        found[number] += piece
    assert found == [out, err]


@given(st.lists(st.binary(max_size=3), max_size=4), st.lists(st.binary(max_size=3), max_size=4))
def test_no_two_inputs_share_an_address(one: list[bytes], other: list[bytes]) -> None:
    scope = Scope(Choice("p", "flag"), Choice("n", "flag"))
    assert (memos.address("k", scope, one) == memos.address("k", scope, other)) == (one == other)


def test_the_lease_is_the_holders_alone(tmp_path: Path) -> None:
    from prontodb.address import Address
    from prontodb.engines.memory import MemoryEngine
    from prontodb.ops.flight import LEASE, Lease, Lost, holder

    class Timed:
        """A store whose clock the test sets."""

        engine = MemoryEngine("")
        now = 1000.0

    store: Any = Timed()
    at = Address("p", "n", "k")
    one, other = Lease(store, at), Lease(store, at)
    assert (one.take(), other.take(), holder(store, at)) == (True, False, one.token)
    store.now += LEASE - 1
    one.renew()
    store.now += LEASE - 1
    assert not other.take()
    store.now += 2
    assert (other.take(), holder(store, at)) == (True, other.token)
    with pytest.raises(Lost):
        one.renew()
    one.release()
    assert holder(store, at) == other.token
    other.release()
    assert (holder(store, at), one.take()) == ("", True)
    assert issubclass(Lost, Exception)
    assert not issubclass(Lost, ProntoError)
