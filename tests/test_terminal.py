"""At a real terminal, in real interactive shells."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pexpect
import pytest

from .conftest import Home
from .shells import require

SHELLS = {
    "bash": ["--norc", "--noprofile", "--noediting", "-i"],
    "zsh": ["-f", "-i", "+o", "zle", "-o", "no_prompt_sp", "-o", "no_prompt_cr"],
}
PROMPT = "READY> "


class Terminal:
    """An interactive shell on a pseudo-terminal."""

    def __init__(self, home: Home, shell: str) -> None:
        env = home.env | {"PS1": PROMPT, "TERM": "xterm"}
        self.child = pexpect.spawn(shell, SHELLS[shell], env=env, cwd=str(home.folder), dimensions=(50, 250), timeout=20, encoding="utf-8")
        self.child.setecho(False)
        self.child.expect_exact(PROMPT)

    def run(self, line: str) -> str:
        """What a command prints, with its newlines as the program wrote them."""
        self.child.sendline(line)
        self.child.expect_exact(PROMPT)
        shown = (self.child.before or "").replace("\r\n", "\n")
        return shown.removeprefix(line + "\n")

    def wait_for_child(self) -> None:
        """Until the shell runs a command."""
        while subprocess.run(["pgrep", "-P", str(self.child.pid)], capture_output=True, check=False).returncode:
            assert self.child.isalive()

    def close(self) -> None:
        """Hangs up."""
        self.child.close(force=True)


@pytest.fixture(params=list(SHELLS))
def terminal(request: pytest.FixtureRequest, home: Home) -> Iterator[Terminal]:
    """An interactive shell of each kind."""
    require(request.param)
    shell = Terminal(home, request.param)
    yield shell
    shell.close()


def test_a_value_is_shown_with_a_newline_and_kept_without(terminal: Terminal) -> None:
    assert terminal.run("prontodb set a.b.c hello") == ""
    assert terminal.run("prontodb get a.b.c") == "hello\n"
    assert terminal.run("prontodb get a.b.c | od -An -c | tr -d ' '") == "hello\n"
    assert terminal.run("prontodb get a.b.c > f; wc -c < f") == "5\n"


def test_set_without_a_value_is_an_error_at_once(terminal: Terminal) -> None:
    assert "No value for 'a.b.c'" in terminal.run("prontodb set a.b.c")
    assert terminal.run("echo $?") == "64\n"
    assert terminal.run("prontodb exists a.b.c; echo $?") == "2\n"


def test_a_rescue_at_a_terminal_has_its_signs(terminal: Terminal) -> None:
    shown = terminal.run("echo precious | prontodb set bad.address")
    assert shown.startswith("⚠️  Invalid address 'bad.address' - content cached as: pipe.cache.")
    assert "\n💡 Use: prontodb copy pipe.cache." in shown
    assert "\n💡 Did you mean: default.bad.address\n" in shown
    address = shown.split("cached as: ")[1].split("\n")[0]
    assert terminal.run(f"prontodb copy {address} a.b.c && prontodb get a.b.c") == "precious\n"


def test_here_documents_and_files(terminal: Terminal) -> None:
    terminal.run("printf 'one\\ntwo' > f")
    assert terminal.run("prontodb set a.b.f < f; prontodb get a.b.f") == "one\ntwo\n"
    assert terminal.run("prontodb set a.b.h <<< here; prontodb get a.b.h | wc -c") == "5\n"


def test_bytes_that_are_not_text_are_summarised(terminal: Terminal) -> None:
    assert terminal.run("printf '\\001\\000\\377' | prontodb set a.b.c; prontodb get a.b.c").startswith("<3 bytes that are not text;")


def test_typing_a_value_and_ending_it(terminal: Terminal) -> None:
    terminal.child.sendline("prontodb set a.b.c -")
    terminal.child.sendline("typed")
    terminal.child.sendeof()
    terminal.child.expect_exact(PROMPT)
    assert terminal.run("prontodb get a.b.c") == "typed\n"


def test_interrupting_leaves_the_shell_alone(terminal: Terminal) -> None:
    terminal.child.sendline("prontodb set a.b.c -")
    terminal.child.sendline("typ")
    terminal.wait_for_child()
    terminal.child.sendintr()
    terminal.child.expect_exact(PROMPT)
    assert "Traceback" not in (terminal.child.before or "")
    assert terminal.run("prontodb exists a.b.c; echo $?").endswith("2\n")


def test_a_loop_at_the_prompt(terminal: Terminal) -> None:
    assert terminal.run("for i in 1 2 3; do prontodb set a.b.k$i $i; done; prontodb scan a.b") == "k1\t1\nk2\t2\nk3\t3\n"
    shown = terminal.run("prontodb rescue list; prontodb where")
    assert "name" in shown
    assert "default" in shown
