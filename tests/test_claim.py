"""Leases: `claim`, with a command and without, `renew`, `release`, and writes behind a fence."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import COMMAND, Home
from .helping import lock, script
from .interactive import Typist, made, poll
from .pgproxy import Proxy
from .pgserver import Database, Server, children, send
from .sqlite_base import ROOT

SECONDS = float(os.environ.get("PRONTO_TEST_CLAIM_SECONDS", "8"))
CLAIMERS = 16
LEASE = "p.n.lock"


def start(home: Home, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
    """`prontodb claim` with these arguments, which goes on beside us."""
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    process = subprocess.Popen([COMMAND, "claim", LEASE, *argv], env=home.env, cwd=home.folder, start_new_session=True, **streams)
    STARTED.append(process)
    return process


STARTED: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _started() -> Iterator[None]:
    yield
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


def held(home: Home) -> bool:
    """Whether somebody has the lease."""
    return home.call("exists", LEASE).status == 0


def claimed(home: Home, *argv: str) -> str:
    """The token of a new claim."""
    done = home.call("claim", LEASE, *argv)
    assert (done.status, done.err) == (0, "")
    return done.out.decode().strip()


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except FileNotFoundError:
        return False


# With a command


def test_the_command_runs_under_the_lease(home: Home) -> None:
    done = home.run(
        "claim", LEASE, "--", "sh", "-c", f"cat; echo $PRONTO_LEASE $PRONTO_TOKEN; '{COMMAND}' get {LEASE} >&2; exit 7", stdin=b"in\n"
    )
    text, lease, token = done.out.decode().split()
    assert (done.status, text, lease, int(token) > 0) == (7, "in", LEASE, True)
    told = json.loads(done.err)
    assert (told["host"], sorted(told)) == (os.uname().nodename, ["actor", "host", "pid", "since"])
    assert not held(home)


def test_who_has_it_is_told(home: Home) -> None:
    process = start(home, "--", "sleep", "60")
    try:
        poll(lambda: held(home), "claimed")
        done = home.run("claim", LEASE, "--", "touch", "ran", env={"PRONTO_ACTOR": "nobody"})
        assert (done.status, (home.folder / "ran").exists()) == (3, False)
        assert f"(process {process.pid})" in done.err
        assert json.loads(home.call("claim", LEASE, "--json").err)["error"] == "lease-held"
    finally:
        process.terminate()
    assert process.wait(20) == 128 + signal.SIGTERM
    assert home.call("claim", LEASE, env={"PRONTO_ACTOR": "worker-7"}).status == 0
    assert f"{LEASE} is held by worker-7 on " in home.call("claim", LEASE).err


@pytest.mark.parametrize(
    ("command", "status"),
    [(["true"], 0), (["sh", "-c", "kill -9 $$"], 137), (["no-such-command"], 127), (["/etc/passwd"], 126), (["/etc/passwd/x"], 127)],
)
def test_the_status_is_the_command_s(home: Home, command: list[str], status: int) -> None:
    done = home.run("claim", LEASE, "--", *command)
    assert done.status == status
    assert ("prontodb: " in done.err) == (status in (126, 127))
    assert not held(home)


def test_the_command_has_every_descriptor_and_argument_of_its_caller(home: Home) -> None:
    done = home.shell(f"prontodb claim {LEASE} -- sh -c 'echo \"$@\" >&3' x --ttl '' '*' -h 3>out")
    assert (done.status, done.out, (home.folder / "out").read_text()) == (0, b"", "--ttl  * -h\n")


def test_it_is_renewed_while_the_command_runs(home: Home) -> None:
    process = start(home, "--ttl", "2", "--", "sleep", "5")
    poll(lambda: held(home), "claimed")
    while process.poll() is None:
        if not held(home):
            assert process.wait(5) == 0
            break
        time.sleep(0.1)
    assert process.wait(5) == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(home: Home, signum: int) -> None:
    name = signal.Signals(signum).name.removeprefix("SIG")
    process = start(home, "--", "sh", "-c", f"trap 'echo got; exit 5' {name}; echo ready; while :; do sleep 0.05; done")
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signum)
    assert process.communicate(timeout=20)[0] == b"got\n"
    assert (process.returncode, held(home)) == (5, False)


def test_what_was_ignored_stays_so(home: Home) -> None:
    done = home.shell(f"trap '' HUP; prontodb claim {LEASE} -- sh -c 'kill -HUP $PPID; kill -HUP $$; echo on'")
    assert (done.status, done.out) == (0, b"on\n")


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_lost_lease_ends_the_whole_group(home: Home, stubborn: bool) -> None:
    """Also what does not want to be ended, and what the command has left behind."""
    trap = "trap '' TERM;" if stubborn else ""
    process = start(home, "--ttl", "2", "--", "sh", "-c", f"{trap} sleep 100 & echo $!; sleep 100 & echo $!; wait")
    assert process.stdout
    pids = [int(process.stdout.readline()) for _ in range(2)]
    assert home.call("del", LEASE).status == 0
    theirs = claimed(home)
    err = process.communicate(timeout=20)[1].decode()
    assert process.returncode == 3
    assert "is not held with token" in err
    assert "; 'sh' was ended" in err
    assert not any(alive(pid) for pid in pids)
    assert home.call("release", LEASE, "--token", theirs).status == 0


def test_who_was_stopped_and_wakes_late_finds_it_lost(home: Home) -> None:
    process = start(home, "--ttl", "1", "--", "sh", "-c", "echo $$; exec sleep 100")
    assert process.stdout
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGSTOP)
    token = home.run("claim", LEASE, "--wait", "20s").out
    assert int(token) > 0
    assert alive(child)
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=20)[1].startswith(b"prontodb: p.n.lock is not held with token")
    assert (process.returncode, alive(child), held(home)) == (3, False, True)


def test_a_store_that_is_busy_for_a_while_costs_nothing(home: Home) -> None:
    process = start(home, "--ttl", "6", "--", "sh", "-c", "echo; sleep 5; exit 4")
    assert process.stdout
    process.stdout.readline()
    holder = lock(home)
    time.sleep(3.5)
    holder.communicate(b"")
    assert process.communicate(timeout=20)[1] == b""
    assert (process.returncode, held(home)) == (4, False)


def test_a_store_that_stays_busy_ends_the_command_before_the_lease(home: Home) -> None:
    home.env["PRONTO_BUSY_TIMEOUT"] = "60"
    process = start(home, "--ttl", "6", "--", "sh", "-c", "echo $$; exec sleep 100")
    assert process.stdout
    child = int(process.stdout.readline())
    holder = lock(home)
    try:
        err = process.communicate(timeout=20)[1].decode()
        assert held(home)
        assert (process.returncode, alive(child)) == (3, False)
        assert "could not be renewed in time: Database is busy" in err
    finally:
        holder.communicate(b"")


def test_what_cannot_be_released_ends_by_itself(home: Home) -> None:
    home.env["PRONTO_BUSY_TIMEOUT"] = "0.2"
    process = start(home, "--ttl", "30", "--", "sh", "-c", "echo; sleep 0.5; exit 6")
    assert process.stdout
    process.stdout.readline()
    holder = lock(home)
    err = process.communicate(timeout=20)[1].decode()
    holder.communicate(b"")
    assert (process.returncode, held(home)) == (6, True)
    assert err.startswith("prontodb: The lease is left to end by itself: Database is busy")


def test_a_lease_that_was_lost_unseen_is_told_of_at_the_end(home: Home) -> None:
    done = home.run("claim", LEASE, "--", "sh", "-c", f"'{COMMAND}' del {LEASE}; exit 8")
    assert (done.status, done.err.count("\n")) == (3, 2)
    assert "whose status was 8" in done.err


def test_a_claimer_that_is_killed_takes_its_command_along(home: Home) -> None:
    process = start(home, "--ttl", "1", "--", "sh", "-c", "echo $$; exec sleep 100")
    assert process.stdout
    child = int(process.stdout.readline())
    process.kill()
    process.wait()
    poll(lambda: not alive(child), "ended")
    assert home.run("claim", LEASE, "--wait", "20s", "--", "echo", "mine").out == b"mine\n"


# Waiting


def test_waiting_gets_it_when_it_is_released(home: Home) -> None:
    token = claimed(home, "--ttl", "10m")
    process = start(home, "--wait", "1m", "--", "echo", "mine")
    time.sleep(2)
    assert process.poll() is None
    assert home.call("release", LEASE, "--token", token).status == 0
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process.communicate(timeout=20)[0] == b"mine\n"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # A busy loop would have used the two seconds that it waited for.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.2


def test_waiting_gets_it_when_it_ends_and_not_before(home: Home) -> None:
    claimed(home, "--ttl", "2")
    ends = json.loads(home.call("get", LEASE, "--json").out)["expires"]
    assert home.run("claim", LEASE, "--wait", "20s", "--", "date", "+%s").out >= b"%d\n" % ends


def test_waiting_ends(home: Home) -> None:
    token = claimed(home)
    done = home.run("claim", LEASE, "--wait", "1s", "--", "touch", "ran")
    assert (done.status, (home.folder / "ran").exists()) == (5, False)
    assert done.err.startswith(f"prontodb: Waited 1 seconds: {LEASE} is held by ")
    home.call("release", LEASE, "--token", token)
    home.call("set", LEASE, "for ever")
    done = home.call("claim", LEASE)
    assert (done.status, "no lease" in done.err, "for ever" in done.err) == (3, True, False)


# Without a command


def test_claim_renew_release(home: Home) -> None:
    token = claimed(home, "--ttl", "100")
    assert home.call("claim", LEASE).status == 3
    assert home.call("renew", LEASE, "--token", token, "--ttl", "200").status == 0
    assert 190 < int(home.call("ttl", LEASE).out) <= 201
    assert home.call("get", LEASE, "--rev").out.decode().strip() == token
    for verb in ("renew", "release"):
        done = home.call(verb, LEASE, "--token", str(int(token) + 1))
        assert (done.status, held(home)) == (3, True)
    assert home.call("release", LEASE, "--token", token).status == 0
    assert [home.call(verb, LEASE, "--token", token).status for verb in ("renew", "release")] == [3, 3]
    assert int(claimed(home)) > int(token)


@pytest.mark.parametrize("text", ["", "0", "x", "-1", "1.5", "٣", "9" * 19, " 1", "1 "])
def test_a_malformed_token_is_refused(home: Home, text: str) -> None:
    """Above all an empty one, as of a variable that is not set."""
    home.call("set", "p.n.k", "old")
    for words in (
        ("set", "p.n.k", "v", "--fence", text, "--lease", LEASE),
        ("del", "p.n.k", "--fence", text, "--lease", LEASE),
        ("renew", LEASE, f"--token={text}"),
        ("release", LEASE, f"--token={text}"),
    ):
        done = home.call(*words)
        assert (done.status, "Invalid token" in done.err) == (64, True)
    assert home.call("get", "p.n.k").out == b"old"


@pytest.mark.parametrize("words", [("--ttl", "0"), ("--ttl", "x"), ("--wait", "0"), ("--wait", "x"), ("--bogus",)])
def test_bad_input_claims_nothing(home: Home, words: tuple[str, ...]) -> None:
    assert home.run("claim", LEASE, *words, "--", "touch", "ran").status == 64
    assert home.run("claim", "bad..address", "--", "touch", "ran").status == 64
    assert (held(home), (home.folder / "ran").exists()) == (False, False)


# Fences


FENCED = [
    ("set", "p.n.k", "v"),
    ("set", "p.n.k", "--file", "file"),
    ("set", "p.n.new", "v", "--if-absent"),
    ("set", "p.n.k", "v", "--if-value", "1"),
    ("del", "p.n.k"),
    ("del", "--from", "names"),
    ("incr", "p.n.k"),
    ("decr", "p.n.k"),
    ("append", "p.n.k", "v"),
    ("append", "p.n.new", "v"),
    ("push", "p.n.k", "v"),
]


@pytest.mark.parametrize("words", FENCED, ids=" ".join)
def test_a_fence_is_before_every_write(home: Home, words: tuple[str, ...]) -> None:
    (home.folder / "file").write_text("v")
    (home.folder / "names").write_text("p.n.k\n")
    home.call("set", "p.n.k", "1")
    token = claimed(home, "--ttl", "10m")
    before = home.call("scan", "p.n", "--json").out
    for fence in (("--fence", str(int(token) + 1), "--lease", LEASE), ("--fence", token, "--lease", "p.n.other")):
        done = home.call(*words, *fence)
        assert (done.status, "is not held with token" in done.err) == (3, True)
    # The token of one database or meta is none in another.
    for context in (("--meta", "acme"), ("--database", "other")):
        assert home.call(*words, "--fence", token, "--lease", LEASE, *context).status == 3
    assert home.call("scan", "p.n", "--json").out == before
    assert home.call(*words, "--fence", token, env={"PRONTO_LEASE": LEASE}).status == 0
    assert home.call("scan", "p.n", "--json").out != before


@pytest.mark.parametrize("words", [("set", "p.n.k"), ("append", "p.n.k"), ("push", "p.n.k"), ("set", "-0")], ids=" ".join)
@pytest.mark.parametrize("fence", [("--fence", "99"), ("--fence", ""), ("--fence", "x"), ("--lease", LEASE)], ids=" ".join)
def test_what_is_piped_to_a_fence_is_never_lost(home: Home, words: tuple[str, ...], fence: tuple[str, ...]) -> None:
    content = b"p.n.k\0precious\0"
    done = home.call(*words, *fence, stdin=content, env={"PRONTO_LEASE": LEASE})
    assert (done.status, home.call("get", done.rescued).out) == (4, content)
    assert home.call("keys", "p.n").out == b""


def test_the_lease_of_a_fence(home: Home) -> None:
    """From --lease, completed as any address of the call, or from PRONTO_LEASE, which nothing completes; never from nowhere."""
    token = claimed(home, "--ttl", "10m")
    assert home.call("set", "-p", "p", "-n", "n", "k", "v", "--fence", token, "--lease", "lock").status == 0
    assert home.call("set", "-p", "x", "-n", "y", "k", "v", "--fence", token, env={"PRONTO_LEASE": LEASE}).status == 0
    assert home.call("set", "x/y/k", "v", "--ns-delim", "/", "--fence", token, env={"PRONTO_LEASE": LEASE}).status == 0
    for env in ({}, {"PRONTO_LEASE": ""}, {"PRONTO_LEASE": "lock"}, {"PRONTO_LEASE": "a..b"}):
        assert home.call("set", "-p", "p", "-n", "n", "k", "v", "--fence", token, env=env).status == 64
    assert home.call("set", "p.n.k", "v", "--lease", LEASE).status == 64


def test_the_variables_alone_are_no_fence(home: Home) -> None:
    assert home.call("set", "p.n.k", "v", env={"PRONTO_LEASE": LEASE, "PRONTO_TOKEN": "99"}).status == 0


# Contexts


def test_the_command_is_in_the_context_of_the_call(home: Home) -> None:
    (home.folder / "sub").mkdir()
    inside = f"cd sub; '{COMMAND}' set p.n.k inside --fence $PRONTO_TOKEN"
    flags = ("--meta", "acme", "--user", "alice", "--database", "./x.db")
    assert home.run("claim", LEASE, *flags, "--", "sh", "-c", inside).status == 0
    assert home.call("get", "p.n.k", *flags).out == b"inside"
    assert home.call("get", "p.n.k").status == 2
    home.call("cursor", "set", "work", "./y.db", "--meta", "globex", "-p", "proj")
    assert home.run("claim", "n.lock", "--cursor", "work", "--", "sh", "-c", inside).status == 0
    assert home.call("get", "p.n.k", "--database", "./y.db", "--meta", "globex").out == b"inside"


def test_metas_do_not_meet(home: Home) -> None:
    claimed(home, "--meta", "acme")
    assert home.call("claim", LEASE, "--meta", "globex").status == 0
    done = home.call("claim", LEASE, "--meta", "acme", env={"PRONTO_FORCE_META": "globex"})
    assert done.status == 6


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_through_a_wrapper_the_command_keeps_the_pin(home: Home, shell: str) -> None:
    (home.folder / "acme").write_text(made(home, "wrapper", "acme", shell, "--user", "alice", "--meta", "acme"))
    inside = f"'{COMMAND}' set p.n.k inside --fence $PRONTO_TOKEN; '{COMMAND}' get p.n.k --meta globex"
    done = home.shell(f'. ./acme; acme claim {LEASE} --wait 5s -- sh -c "{inside.replace("$", chr(92) + "$")}"; echo $?', shell)
    assert (done.lines, "pinned" in done.err) == (["6"], True)
    assert home.call("get", "p.n.k", "--user", "alice", "--meta", "acme").out == b"inside"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_through_the_helper(home: Home, shell: str) -> None:
    """What blocks or starts a program is the shell's own, with all of its environment; the rest is the helper's."""
    done = script(
        home,
        shell,
        f"""pronto set p.n.k v
        export MINE=yes
        token=$(pronto claim {LEASE} --ttl 10m)
        pronto set p.n.k fenced --fence "$token" --lease {LEASE} && pronto get p.n.k && echo
        export PRONTO_LEASE={LEASE}
        pronto incr p.n.count --fence "$token"
        pronto set p.n.k no --fence 99 || echo $?
        pronto claim {LEASE} --wait 1s || echo $?
        pronto release {LEASE} --token "$token"
        pronto claim {LEASE} -- sh -c 'echo $MINE; cat; exit 9' <<<input || echo $?
        PRONTO_ACTOR=me pronto claim {LEASE} >token
        pronto claim {LEASE} || echo $?""",
    )
    assert done.lines == ["fenced", "1", "3", "5", "yes", "input", "9", "3"]
    assert "held by me on" in done.err


# At a terminal


@pytest.fixture
def typist(home: Home) -> Any:
    """Somebody at a bash."""
    made = Typist.at(home, "bash", PS1="$ ")
    yield made
    made.close()


def test_ctrl_c_reaches_the_command_and_ends_the_loop(home: Home, typist: Typist) -> None:
    typist.child.sendline(f"for i in 1 2 3; do prontodb claim {LEASE} -- sh -c 'echo run''ning; exec sleep 50'; done; echo st''atus $?")
    typist.shown("running")
    typist.child.sendintr()
    assert typist.child.expect_exact(["$ ", "running"]) == 0
    assert typist.run("echo $?").strip() == "130"
    assert not held(home)


def test_ctrl_c_ends_the_script_too(home: Home, typist: Typist) -> None:
    (home.folder / "s").write_text(f"prontodb claim {LEASE} -- sh -c 'echo run''ning; exec sleep 50'\necho went on\n")
    typist.child.sendline("bash ./s")
    typist.shown("running")
    typist.child.sendintr()
    assert typist.child.expect_exact(["$ ", "went on"]) == 0


def test_the_command_reads_from_the_terminal(home: Home, typist: Typist) -> None:
    typist.child.sendline(f"prontodb claim {LEASE} -- bash -c 'read -rp ask: x; echo got=$x'")
    typist.shown("ask:")
    typist.child.sendline("this")
    typist.shown("got=this")
    # In a pipeline it is not given the terminal until it asks for it.
    typist.child.sendline(f"prontodb claim {LEASE} -- bash -c 'echo ask: >/dev/tty; read x </dev/tty; echo had=$x' | cat")
    typist.shown("ask:")
    typist.child.sendline("that")
    typist.shown("had=that")


def test_ctrl_z_stops_all_and_fg_goes_on(home: Home, typist: Typist) -> None:
    typist.child.sendline(f"prontodb claim {LEASE} --ttl 10m -- bash -c 'echo up; read x; echo got=$x'")
    typist.shown("up\r\n")
    typist.child.sendcontrol("z")
    typist.shown("Stopped")
    assert typist.run("jobs").count("Stopped") == 1
    typist.child.sendline("fg")
    typist.child.sendline("words")
    typist.shown("got=words")
    assert typist.run("jobs") == ""


def test_a_lease_that_ended_while_it_was_stopped_is_lost(home: Home, typist: Typist) -> None:
    typist.child.sendline(f"prontodb claim {LEASE} --ttl 1s -- sh -c 'echo u''p; exec sleep 50'")
    typist.shown("up\r\n")
    typist.child.sendcontrol("z")
    typist.shown("Stopped")
    assert home.run("claim", LEASE, "--wait", "20s").status == 0
    typist.child.sendline("fg; echo st''atus=$?")
    typist.shown("status=3")


def test_the_terminal_is_ours_again_after_a_kill(home: Home, typist: Typist) -> None:
    """Also where its program has changed its modes."""
    lines = [f"prontodb claim {LEASE} --ttl 2s -- sh -c 'stty raw -echo; echo up >up; exec sleep 50'", "stty -a >modes", "echo that is all"]
    (home.folder / "s").write_text("\n".join(lines))
    typist.child.sendline("sh ./s")
    poll((home.folder / "up").exists, "up")
    assert home.call("del", LEASE).status == 0
    typist.shown("that is all")
    assert " icanon" in (home.folder / "modes").read_text()


# PostgreSQL


def test_on_a_server(home: Home, pg: Server) -> None:
    served = Database(pg)
    served.grant()
    home.env["PRONTO_DB"] = served.url()
    process = start(home, "--ttl", "3", "--", "sh", "-c", f"sleep 5; '{COMMAND}' set p.n.k v --fence $PRONTO_TOKEN; exit 4")
    poll(lambda: held(home), "claimed")
    done = home.run("claim", LEASE, "--wait", "30s", "--", COMMAND, "get", "p.n.k")
    assert (done.status, done.out) == (0, b"v")
    assert process.wait(20) == 4
    lost = start(home, "--ttl", "3", "--", "sleep", "50")
    poll(lambda: held(home), "claimed")
    assert home.call("del", LEASE).status == 0
    assert lost.wait(20) == 3


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_connection_that_breaks_at_a_renewal_is_made_anew(home: Home, pg: Server, cut: str) -> None:
    """Whether the server has done it or not."""
    served = Database(pg)
    served.grant()
    proxy = Proxy(pg.port)
    home.env["PRONTO_DB"] = served.url().replace(str(pg.port), str(proxy.port))
    try:
        process = start(home, "--ttl", "6", "--", "sh", "-c", "echo; sleep 7; exit 4")
        assert process.stdout
        process.stdout.readline()
        proxy.cut = cut
        assert process.communicate(timeout=30)[1] == b""
        assert (process.returncode, proxy.cut, held(home)) == (4, "", False)
    finally:
        proxy.close()


def test_a_server_that_falls_silent_ends_the_command_in_time(home: Home, pg: Server) -> None:
    served = Database(pg)
    served.grant()
    proxy = Proxy(pg.port)
    home.env["PRONTO_DB"] = served.url().replace(str(pg.port), str(proxy.port))
    try:
        process = start(home, "--ttl", "12", "--", "sh", "-c", "echo $$; exec sleep 100")
        assert process.stdout
        child = int(process.stdout.readline())
        proxy.silent = True
        err = process.communicate(timeout=60)[1].decode()
        assert (process.returncode, alive(child)) == (3, False)
        assert "could not be renewed in time" in err
        home.env["PRONTO_DB"] = served.url()
        assert held(home)
    finally:
        proxy.close()


# Many


@pytest.mark.slow
def test_no_two_holders_ever_write(home: Home) -> None:
    """Claimers are killed and stopped at random, their commands with them: in the order of the log, tokens only ever grow."""
    dice = random.Random(os.environ.get("PRONTO_TEST_SEED", "1"))
    home.env |= {"PRONTO_BUSY_TIMEOUT": "30", "PYTHONPATH": str(ROOT)}
    home.call("set", "p.n.log", "")
    claimers = [_claimer(home, dice) for _ in range(CLAIMERS)]
    stopped: list[tuple[float, list[int]]] = []
    statuses: list[int] = []
    over = time.monotonic() + SECONDS
    try:
        while time.monotonic() < over:
            time.sleep(dice.uniform(0.02, 0.2))
            for number, claimer in enumerate(claimers):
                if claimer.poll() is not None:
                    statuses.append(claimer.returncode)
                    claimers[number] = _claimer(home, dice)
            _torment(dice, claimers, stopped)
    finally:
        _wake(stopped, float("inf"))
        for claimer in claimers:
            claimer.kill()
            claimer.wait()
    time.sleep(2)
    _judge(home, statuses)


def _claimer(home: Home, dice: random.Random) -> subprocess.Popen[bytes]:
    words = ("--ttl", "1", "--wait", "1h", "--", sys.executable, "-m", "tests.claimant", f"{dice.uniform(0.1, 1.5):.2f}")
    return start(home, *words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _torment(dice: random.Random, claimers: list[subprocess.Popen[bytes]], stopped: list[tuple[float, list[int]]]) -> None:
    """Those that have a command hold the lease, or think so: they are met most often."""
    _wake(stopped, time.monotonic())
    asleep = {pid for _, pids in stopped for pid in pids}
    holders = [claimer for claimer in claimers if claimer.pid not in asleep and children(claimer.pid)]
    if not holders or dice.random() > 0.4:
        return
    claimer = dice.choice(holders)
    below = children(claimer.pid)
    kind = dice.random()
    if kind < 0.35:
        send(claimer.pid, signal.SIGKILL)
    elif kind < 0.5:
        for pid in below:
            send(pid, signal.SIGKILL)
    else:
        pids = [claimer.pid, *(below if kind < 0.8 else ())]
        for pid in pids:
            send(pid, signal.SIGSTOP)
        stopped.append((time.monotonic() + dice.uniform(0.2, 3.5), pids))


def _wake(stopped: list[tuple[float, list[int]]], now: float) -> None:
    for until, pids in [each for each in stopped if each[0] <= now]:
        stopped.remove((until, pids))
        # The command first: it writes before its claimer has looked.
        for pid in reversed(pids):
            send(pid, signal.SIGCONT)


def _judge(home: Home, statuses: list[int]) -> None:
    writes = [tuple(map(int, line.split())) for line in home.call("get", "p.n.log").lines]
    tokens = [token for token, _ in writes]
    assert tokens == sorted(tokens)
    owners: dict[int, set[int]] = {}
    for token, pid in writes:
        owners.setdefault(token, set()).add(pid)
    assert all(len(pids) == 1 for pids in owners.values())
    # However slow the machine is: one after the other has held it.
    assert len(owners) > 2
    assert len(writes) > 5
    print(f"{len(writes)} writes of {len(owners)} holders; {len(statuses)} ended: { {s: statuses.count(s) for s in set(statuses)} }")
