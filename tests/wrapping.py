"""Wrappers for tests: rendered in this process, sourced in the real shells."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .conftest import Home, Result

MODES = {
    "bash": ("bash", "--norc", "--noprofile"),
    "posix": ("bash", "--norc", "--noprofile", "--posix"),
    "zsh": ("zsh", "-f"),
}
"""Ways to run a script: in bash, in bash as POSIX has it, in zsh."""
ALL = MODES | {"fish": ("fish", "--no-config")}
"""And in fish, whose language is another."""
CONFIGURED = "fish with its files"
"""As people have it: universal variables are kept, which they are not without."""
STATUS = dict.fromkeys(MODES, "$?") | {"fish": "$status"}
"""The status of the last command."""
EVERYBODY = ("--user", "alice", "--meta", "acme")

HOSTILE = [
    "it's $(touch canary)",
    "$(touch canary)",
    "`touch canary`",
    "';touch canary;'",
    '";touch canary;"',
    '"$(touch canary)"',
    "\n touch canary\n",
    "x\ntouch canary #",
    "a\\",
    "\\'; touch canary; \\'",
    "!! !x !$",
    "%s %n %(e.x.y)",
    "-n",
    "--help",
    "<{ name }>",
    "<% raw %><# x #>",
    "<{ name | quote }>",
    "{{ name }} {% name %}",
    "ünïcödé ☃ 日本 \u202e",
    "b\udcff\udc80",
    " ; & | > x < y * ? [a] ~ # $HOME ${x:?} {a,b} =ls ^x",
    "\x01\x1b[31m\x7f\t\r",
    "it''s ''",
    "$'x\\n' $\"x\"",
    "",
]
"""What may not be taken for code, whoever reads it."""


def kind(mode: str) -> str:
    """The shell that it is."""
    return mode if mode == "zsh" else "fish" if mode.startswith("fish") else "bash"


def raw(text: str) -> bytes:
    """As the operating system has it."""
    return text.encode("utf-8", "surrogateescape")


def run(home: Home, mode: str, script: str, *args: str, options: Sequence[str] = (), **feed: Any) -> Result:
    """Runs a script with arguments; its standard input is /dev/null unless `input` or `stdin` says otherwise."""
    env = home.env | feed.pop("env", {})
    feed = feed if "input" in feed else {"stdin": subprocess.DEVNULL} | feed
    argv = [*(ALL | {CONFIGURED: ("fish",)})[mode], *options, "-c", script, *(() if kind(mode) == "fish" else ("shell",)), *args]
    done = subprocess.run([raw(word) for word in argv], capture_output=True, env=env, cwd=home.folder, timeout=60, check=False, **feed)
    return Result(done.returncode, done.stdout, done.stderr)


def rendered(home: Home, *argv: str, **options: Any) -> bytes:
    """What `prontodb shell` prints."""
    done = home.call("shell", *argv, **options)
    assert (done.status, done.err) == (0, ""), done
    return done.out


def wrap(home: Home, mode: str, *flags: str, name: str = "acme", file: str = "", **options: Any) -> str:
    """Writes a wrapper to a file; the command that reads it."""
    path = home.folder / (file or f"{name}.{kind(mode)}")
    path.write_bytes(rendered(home, "wrapper", name, kind(mode), *(flags or EVERYBODY), **options))
    return f". ./{path.name}"


def databases(home: Home) -> list[str]:
    """The files of data that there are."""
    return sorted(path.name for path in home.folder.rglob("*.db"))


def stub(home: Home, lines: str = "") -> str:
    """A program in place of prontodb's command, which prints the pins it was given, and its arguments, each ended by NUL."""
    path = home.folder / "stub"
    pins = " ".join(f'"${{{name}-unset}}"' for name in STUB_SHOWS)
    path.write_text(f"#!/bin/sh\n{lines}\nprintf '%s\\0' {pins} \"$@\"\n")
    path.chmod(0o755)
    return str(path)


STUB_SHOWS = (
    "PRONTO_FORCE_USER",
    "PRONTO_FORCE_META",
    "PRONTO_FORCE_CURSOR",
    "PRONTO_FORCE_DATABASE",
    "PRONTO_FORCE_PROFILE",
    "PRONTO_PROJECT",
    "PRONTO_NAMESPACE",
    "PRONTO_REFUSED",
)


def shown(out: bytes) -> list[str]:
    """What the stub has printed."""
    return out.decode("utf-8", "surrogateescape").split("\0")[:-1]


def canary(home: Home) -> Path:
    """What no hostile value may bring into being."""
    return home.folder / "canary"
