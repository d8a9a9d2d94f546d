"""Shells as people have them: what a shell holds, and what it does when somebody types."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pexpect

from .conftest import Home

SNAPSHOTS = {
    "bash": "{ declare -p; declare -f; alias; set -o; shopt; trap; complete -p; }",
    "zsh": "{ typeset -p; typeset -f; alias -L; set -o; trap; }",
    "fish": """begin; set -L; functions -a -n; complete; abbr; bind; for name in (functions -a -n)
        test -e $__fish_data_dir/functions/$name.fish; or functions --no-details $name; end; end""",
}
"""What a shell holds. In zsh completions are variables."""
FLEETING = re.compile(
    r"(declare|typeset|export) (\S+ )?(_|RANDOM|SRANDOM|SECONDS|LINENO|EPOCH\w+|BASH_ARG[CV]|BASHPID|FUNCNAME|PIPESTATUS|pipestatus|status|\?)(=|$)"
    r"|(status|status_generation|pipestatus|name|history|CMD_DURATION|__fish_last_bind_mode|last_pid|fish_kill_signal)( |$)"
)
"""Variables that change by themselves, or come into being when somebody looks at them."""
WAIT = 20
LINES = itertools.count()
BARE = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"], "fish": ["--no-config", "-i"]}


def made(home: Home, *words: str) -> str:
    """What `prontodb shell` prints."""
    done = home.call("shell", *words)
    assert (done.status, done.err) == (0, ""), done
    return done.out.decode()


def compinit(home: Home) -> str:
    """A line of zsh that loads its completion, from a dump that is made once: without it, that takes half a second."""
    dump = home.folder.parent / "zcompdump"
    if not dump.exists():
        made = home.shell(f"autoload -Uz compinit; compinit -u -d {dump}.new", "zsh")
        assert (made.status, made.err) == (0, "")
        dump.with_suffix(".new").rename(dump)
    return f"autoload -Uz compinit; compinit -C -d {dump}"


def snapshot(shell: str, file: str) -> str:
    """A line of shell that writes to a file what the shell holds."""
    return f"{SNAPSHOTS[shell]} >{file} 2>&1 || :"


def held(path: Path) -> list[str]:
    """A snapshot's lines, but for what changes from one moment to the next."""
    lines = path.read_text(errors="surrogateescape").splitlines()
    assert len(lines) > 20
    return [line for line in lines if not FLEETING.match(line)]


def poll(found: Callable[[], bool], what: object = "") -> None:
    """Waits until something is so."""
    end = time.monotonic() + WAIT
    while not found():
        assert time.monotonic() < end, f"still not: {what}"
        time.sleep(0.005)


class Typist:
    """Somebody who types into an interactive shell: with readline in bash, with zle in zsh, with fish's own in fish."""

    def __init__(self, home: Home, argv: list[str], **env: str) -> None:
        self.folder = home.folder
        self.fish = "fish" in argv
        terminal = {"INPUTRC": "/dev/null", "TERM": "xterm", "COLUMNS": "250", "LINES": "50"}
        self.child = pexpect.spawn(
            argv[0], argv[1:], env=home.env | terminal | env, cwd=str(home.folder), dimensions=(50, 250), timeout=WAIT, encoding="utf-8"
        )

    @classmethod
    def at(cls, home: Home, shell: str, **env: str) -> Typist:
        """In a shell of that kind, which reads no files at its start."""
        return cls(home, [shell, *BARE[shell]], **env)

    def run(self, line: str) -> str:
        """What a command prints, to whichever of its outputs."""
        number = next(LINES)
        out, ready = self.folder / f"typed.{number}", self.folder / f"typed.{number}.done"
        begin, end = ("begin", "end") if self.fish else ("{", "}")
        self.child.sendline(f"{begin} {line}\n{end} >{out} 2>&1; : >{ready}")
        poll(ready.exists, line)
        return out.read_text(errors="surrogateescape")

    def completed(self, typed: str) -> str:
        """What the line has become after TAB. The shell's key ^T writes it to a file and empties the line; see `record`."""
        path = self.folder / "line"
        path.unlink(missing_ok=True)
        self.child.send(f"{typed}\t\x14")
        poll(lambda: path.exists() and path.read_bytes().endswith(b"\n"), typed)
        return path.read_text().removesuffix("\n")

    def record(self, shell: str) -> None:
        """Binds the key."""
        if shell == "bash":
            self.run("""function dump { printf '%s\\n' "$READLINE_LINE" >line; READLINE_LINE=; }; bind -x '"\\C-t": dump'""")
        elif shell == "fish":
            self.run("""function dump; commandline >line; commandline ''; end; bind \\ct dump""")
        else:
            self.run("""function dump { print -r -- "$BUFFER" >line; BUFFER=; }; zle -N dump; bindkey '^T' dump""")

    def reading(self) -> bool:
        """Whether the terminal is a command's, not the shell's."""
        return os.tcgetpgrp(self.child.child_fd) != self.child.pid

    def shown(self, text: str) -> None:
        """Waits for a text on the screen."""
        self.child.expect_exact(text)

    def leave(self, line: str) -> int:
        """Ends the shell; its exit status."""
        self.child.sendline(line)
        self.child.expect(pexpect.EOF)
        self.child.close()
        return int(self.child.exitstatus or 0)

    def close(self) -> None:
        """Hangs up."""
        self.child.close(force=True)
