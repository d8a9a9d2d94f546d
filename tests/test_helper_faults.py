"""A fault in the helper itself: it ends with a status of its own, and says where it was to whoever asks, but nothing of any value.

And what a shell says of a helper that goes away while it is being looked at: nothing.
"""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from .conftest import Home
from .helping import SHELLS, script

FAULT = """
import os, sys
os.fork = lambda: 0
from prontodb.helper import server
def run(_: object) -> None:
    raise {fault}
server.Server.run = run
server.main([str(os.getppid()), sys.argv[1]], "prontodb")
"""
"""A helper that stays the child of whoever starts it, so that its status can be seen, and has a fault that it should not have."""


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("fault", ["KeyError('a secret')", "OSError(24, 'a secret')"])
def test_it_ends_with_another_status_and_tells_where_it_was(home: Home, fault: str, debug: bool) -> None:
    folder = home.folder / "run" / "1.1"
    folder.parent.mkdir(mode=0o700)
    env = home.env | ({"PRONTO_DEBUG": "1"} if debug else {})
    done = subprocess.run(
        [sys.executable, "-c", FAULT.format(fault=fault), str(folder)], check=False, env=env, capture_output=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert not folder.exists()
    logs = list(home.folder.rglob("helper.log"))
    assert len(logs) == debug
    for log in logs:
        text = log.read_text()
        assert fault.partition("(")[0] in text
        assert "server.py" in text
        assert "a secret" not in text
        assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("gone", ["pid", "stat", "cmdline"])
def test_nothing_is_said_of_a_helper_that_is_gone_before_it_is_read_of(home: Home, shell: str, gone: str) -> None:
    """A file that is there when it is asked for and cannot be opened, as /proc has them for a process that ends just now: a socket is one."""
    home.call("set", "p.n.k", "v")
    (home.folder / "proc").mkdir()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(home.folder / "proc" / gone))
        there = f"../{home.folder}/proc" if gone != "pid" else ""
        text = f"""
        pronto get p.n.k
        [ -n "{there}" ] && printf '%s\\n' {there} >"$__pronto_home/pid" ||
            {{ rm "$__pronto_home/pid"; ln -s "{home.folder}/proc/pid" "$__pronto_home/pid"; }}
        __pronto_signal STOP; __pronto_works || true; __pronto_find || true; __pronto_mend
        pronto get p.n.k
        """
        done = script(home, shell, text)
    assert (done.out, done.err) == (b"vv", "")
