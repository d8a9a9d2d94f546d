"""The helper's guard: nobody waits for a helper that is stopped, dead or lost; and neither of the two outlives the other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Home
from .helping import gone, helpers, init, script

BASHES = pytest.mark.parametrize("shell", ["bash", "posix"])


def guard(helper: int) -> int:
    """The guard of a helper."""
    return int(Path(f"/proc/{helper}/stat").read_text().rpartition(")")[2].split()[1])


def guarded(helper: int) -> bool:
    """Whether it has its guard: before that it is still being started."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{guard(helper)}/comm").read_text() == "pronto-guard\n"
    return False


@pytest.fixture
def shell(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """A shell that has a helper and reads its commands from us."""
    process = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=home.env, cwd=home.folder)
    assert process.stdin
    assert process.stdout
    process.stdin.write(f". {init(home, 'bash')}; pronto get -v V p.n.k; echo ready\n".encode())
    process.stdin.flush()
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.usefixtures("shell")
def test_it_has_a_name_of_its_own(home: Home) -> None:
    """So that whoever stops or kills by name does not mean it."""
    (helper,) = helpers(home)
    proc = Path(f"/proc/{guard(helper)}")
    assert (proc / "cmdline").read_bytes().rstrip(b"\0") == f"prontodb: guards {helper}".encode()
    assert (proc / "comm").read_text() == "pronto-guard\n"
    assert {os.readlink(fd) for fd in (proc / "fd").iterdir()} == {os.devnull}


@pytest.mark.usefixtures("shell")
def test_neither_outlives_the_other(home: Home) -> None:
    (helper,) = helpers(home)
    os.kill(guard(helper), signal.SIGKILL)
    assert gone(home)


@pytest.mark.usefixtures("shell")
def test_it_ends_with_the_helper_and_ends_one_that_is_stopped(home: Home) -> None:
    (helper,) = helpers(home)
    watcher = guard(helper)
    os.kill(helper, signal.SIGSTOP)
    assert gone(home)
    end = time.monotonic() + 5
    while Path(f"/proc/{watcher}/fd/0").exists():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.usefixtures("shell")
def test_one_that_goes_on_in_time_is_let_be(home: Home) -> None:
    (helper,) = helpers(home)
    os.kill(helper, signal.SIGSTOP)
    time.sleep(0.1)
    os.kill(helper, signal.SIGCONT)
    time.sleep(1)
    assert helpers(home) == [helper]


def test_stopping_helpers_by_name_holds_nobody_up(home: Home) -> None:
    """In the middle of a loop of calls, again and again."""
    home.call("set", "p.n.k", "v")
    text = """
    while [[ ! -e enough ]]; do
        for ((i = 0; i < 300; i++)); do pronto get -v V p.n.k; [[ $V == v ]] || echo "wrong: $V"; done
    done
    echo end
    """
    stopper = threading.Thread(target=stop_all, args=(home,))
    stopper.start()
    done = script(home, "bash", text)
    stopper.join()
    assert (done.lines, done.err) == (["end"], "")


def stop_all(home: Home) -> None:
    """Stops each helper, whose command line tells that it is one, soon after it has begun."""
    for _ in range(4):
        while not (found := [helper for helper in helpers(home) if guarded(helper)]):
            time.sleep(0.02)
        time.sleep(0.3)
        for helper in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(helper, signal.SIGSTOP)
        while set(found) & set(helpers(home)):
            time.sleep(0.02)
    (home.folder / "enough").touch()


LOST = """
import os, sys, time
os.fork = lambda: 0
from prontodb.helper import calls, server
server.LONGEST = 1
calls.Calls.answer = lambda self, request: time.sleep(60)
server.main([str(os.getppid()), sys.argv[1]], "prontodb")
"""


def test_one_that_has_lost_its_way_ends(home: Home) -> None:
    """Whoever waits for it would wait for good."""
    folder = home.folder / "run" / "1.1"
    folder.parent.mkdir(mode=0o700)
    helper = subprocess.Popen([sys.executable, "-c", LOST, str(folder)], env=home.env, stdout=subprocess.PIPE)
    assert helper.stdout
    number = int(helper.stdout.readline())
    with (folder / f"{number}.0.ask").open("wb") as line:
        line.write(b"P4 1.1 00 2\0\0get\0a.b.c\x001.1\0")
    assert helper.wait(20) == -signal.SIGALRM
    helper.stdout.close()


@BASHES
def test_a_function_named_command_is_left_in_peace(home: Home, shell: str) -> None:
    """A wait needs the builtin of that name; where it is hidden there is no helper, and the command answers."""
    home.call("set", "p.n.k", "v")
    text = """
    command() { echo mine; }
    pronto get -v V p.n.k; echo "$V $(pronto get p.n.k)"; command; [[ ! -e $__pronto_home ]] || echo helped
    unset -f command
    pronto get -v V p.n.k; echo "$V"; [[ ! -e $__pronto_home ]] || echo helped
    """
    done = script(home, shell, text)
    assert (done.lines, done.err) == (["v v", "mine", "v", "helped"], "")
