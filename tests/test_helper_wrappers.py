"""Wrappers in a shell that has a helper: it answers for them, and the pin holds as everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Home, Result
from .helping import SHELLS, init, script
from .test_helper_subshells import COUNTED
from .wrapping import EVERYBODY, rendered

every_shell = pytest.mark.parametrize("shell", SHELLS)
CALLS = """
acme get a.b.c; echo " $?"
acme get -v V a.b.c; echo "$? $V"
x=$(acme get a.b.c); echo "$? $x"
acme get a.b.none; echo $?
acme get --user bob a.b.c; echo $?
acme get --database other a.b.c; echo $?
acme get --meta globex a.b.c; echo $?
acme set bad..address v; echo $?
acme -p a -n b get c; echo
acme scan a.b
acme scan a.b --json
acme nonsense; echo $?
acme get; echo $?
acme cursor use x; echo $?
acme where
echo piped | acme set a.b.piped; acme get a.b.piped
acme get a.b.c | command cat; echo
(acme get a.b.c); echo
PRONTO_USER=bob acme get a.b.c; echo $?
PRONTO_META=globex acme get -v V a.b.c; echo "$? $V"
PRONTO_FORCE_USER=bob acme get a.b.c; echo $?
PRONTO_FORCE_USER=alice acme get a.b.c; echo $?
PRONTO_FORCE_PROFILE= acme get a.b.c; echo $?
PRONTO_REFUSED= acme get a.b.c; echo $?
set -k; acme get a.b.c; echo $?; acme get -v V a.b.c; set +k
unset IFS; IFS=012345; acme get a.b.c; echo; IFS=' '
[ -z "${PRONTO_FORCE_USER+x}${PRONTO_FORCE_META+x}${PRONTO_FORCE_DATABASE+x}" ] && echo clean
prontodb get a.b.c; echo $?
pronto get a.b.c; echo $?
"""


@pytest.fixture
def wrapped(home: Home) -> Home:
    """A home in which alice has a value in a meta of hers, and everybody else another."""
    home.call("set", "a.b.c", "alice's", *EVERYBODY)
    home.call("set", "a.b.c", "nobody's")
    home.call("set", "a.b.c", "alice's own", "--user", "alice")
    for shell in ("bash", "zsh"):
        (home.folder / f"acme.{shell}").write_bytes(rendered(home, "wrapper", "acme", shell, *EVERYBODY))
    return home


def wrapper(home: Home, shell: str) -> Path:
    """The wrapper's file."""
    return home.folder / f"acme.{'zsh' if shell == 'zsh' else 'bash'}"


@every_shell
def test_it_does_what_it_does_without_a_helper(wrapped: Home, shell: str) -> None:
    """The same calls where the helper cannot start; only `get -v` is known to the functions alone, so it comes from both."""
    source = f". {wrapper(wrapped, shell)}\n"
    helped = script(wrapped, shell, source + CALLS)
    wrapped.call("del", "a.b.piped", *EVERYBODY)
    alone = script(wrapped, shell, "__pronto_start() { return 1; }\n" + source + CALLS)
    assert normal(helped) == normal(alone)
    assert helped.lines[:6] == ["alice's 0", "0 alice's", "0 alice's", "2", "6", "6"]
    assert helped.lines[-3:] == ["clean", "nobody's0", "nobody's0"]


def normal(done: Result) -> tuple[int, bytes, list[str]]:
    """What may not differ. Rescued content has the time in its name."""
    return done.status, done.out, [line for line in done.err.splitlines() if "pipe.cache" not in line]


@every_shell
def test_the_helper_answers_for_it(wrapped: Home, shell: str) -> None:
    text = f"""
    . {wrapper(wrapped, shell)}
    for i in 1 2 3 4 5 6 7 8 9; do
        acme get -v V a.b.c; pronto get -v W a.b.c; x=$(acme get a.b.c); acme set a.b.n$i $i
        [ "$V $W $x" = "alice's nobody's alice's" ] || echo "wrong: $V $W $x"
    done
    acme keys a.b.n | command wc -l
    """
    done = script(wrapped, shell, COUNTED + text)
    assert ([line.strip() for line in done.lines], done.err) == (["9"], "")
    assert (wrapped.folder / "commands").read_text().split() == ["__helper"]


@every_shell
def test_a_wrapper_of_another_installation_runs_that_one(wrapped: Home, shell: str) -> None:
    """A helper of one program does not answer for another."""
    file = wrapper(wrapped, shell)
    text = file.read_text()
    program = wrapped.folder / "elsewhere"
    program.write_text('#!/bin/sh\nprintf "elsewhere %s" "$*"\n')
    program.chmod(0o755)
    start = text.index("&& __pronto_is ") + len("&& __pronto_is ")
    words = text[start : text.index("; then", start)]
    file.write_text(text.replace(words, f"'{program}'"))
    done = script(wrapped, shell, f". {file}; acme get a.b.c; pronto get a.b.c")
    assert (done.out, done.err) == (b"elsewhere get a.b.cnobody's", "")


@every_shell
def test_unloading_the_functions_leaves_the_wrapper_at_work(wrapped: Home, shell: str) -> None:
    done = script(
        wrapped,
        shell,
        f". {wrapper(wrapped, shell)}; acme get a.b.c; pronto_unload; acme get a.b.c; . {init(wrapped, shell)}; acme get a.b.c",
    )
    assert (done.out, done.err) == (b"alice's" * 3, "")
