"""Traps that call in the middle of a call: neither gets the other's answer, in whatever context either is."""

from __future__ import annotations

import shlex
import sys

import pytest

from .conftest import Home
from .helping import SHELLS, script
from .test_helper_wrappers import wrapped, wrapper
from .wrapping import EVERYBODY, rendered

__all__ = ["wrapped"]
every_shell = pytest.mark.parametrize("shell", SHELLS)
LARGE = 6006
FORMS = {
    "value": ("get -v V a.b.c", "{who}'s"),
    "printed": ("get a.b.c >out; V=$?; V+=$(command cat out)", "0{who}'s"),
    "large": ("get -v V a.b.large; V=${#V}${V: -8}", f"{LARGE}{{letters}}"),
    "error": ("get -v V a.b.none 2>/dev/null; V=$?", "2"),
}


@every_shell
def test_a_call_in_a_trap_in_the_middle_of_a_call(home: Home, shell: str) -> None:
    """The trap's call is the command's, and neither gets the other's answer."""
    for name in ("one", "two"):
        home.call("set", f"p.n.{name}", name)
    text = """
    pronto get -v V p.n.one
    trap 'pronto get -v T p.n.two; [ "$T" = two ] || echo wrong trap' USR1
    me=$$
    (for i in {1..30}; do builtin kill -USR1 $me; command sleep 0.01; done) &
    for i in {1..300}; do pronto get -v V p.n.one; [ "$V" = one ] || echo "wrong: $V"; done
    wait; wait; echo end
    """
    done = script(home, shell, text)
    assert (done.out, done.err) == (b"end\n", "")


@every_shell
def test_a_trap_that_follows_a_failure(home: Home, shell: str) -> None:
    """There "return" without a status would be the failure's in bash, not that of the command before it."""
    home.call("set", "p.n.one", "one")
    text = """
    trap 'pronto get -v T p.n.one --default x; echo "$? $T"; pronto get p.n.one; echo " $?"; pronto get -v T p.n.none; echo "$?"' USR1
    fails() { builtin kill -USR1 $$; return 7; }
    x=$(fails)
    until fails; do break; done
    x=$(fails)
    """
    done = script(home, shell, text)
    assert done.lines == ["0 one", "one 0", "2"] * 3


@every_shell
def test_a_trap_that_is_slow_breaks_into_a_call_that_waits(home: Home, shell: str) -> None:
    """Longer than the function waits at a time: the answer is the call's own, and the trap is run to its end."""
    home.call("set", "p.n.one", "one")
    code = "import sqlite3,sys,time; db=sqlite3.connect(sys.argv[1],isolation_level=None); db.execute('BEGIN IMMEDIATE'); print(flush=True); time.sleep(3.5)"
    text = f"""
    pronto get -v V p.n.one
    trap 'command sleep 2.5; T=$(pronto get p.n.one); echo "trapped $T"' USR1
    {shlex.quote(sys.executable)} -c {shlex.quote(code)} {shlex.quote(str(home.database))} >locked & held=$!
    until [[ -s locked ]]; do command sleep 0.05; done
    (command sleep 0.3; builtin kill -USR1 $$) &
    pronto set p.n.one two; echo "$?"; pronto get -v V p.n.one; echo "$? $V"; wait
    """
    done = script(home, shell, text)
    assert (done.lines, done.err) == (["trapped one", "0", "0 two"], "")


@every_shell
def test_what_a_trap_runs_meanwhile_is_not_pinned(wrapped: Home, shell: str) -> None:
    """Neither the function, nor the command, nor another wrapper; and the wrapper's own answer stays its own."""
    other = wrapped.folder / "other"
    other.write_bytes(rendered(wrapped, "wrapper", "other", "zsh" if shell == "zsh" else "bash", "--user", "alice"))
    text = f"""
    . {wrapper(wrapped, shell)}; . {other}
    trap 'pronto get -v T a.b.c; [ "$T" = "nobody'"'"'s" ] || echo "wrong pronto: $T"; [ "$(prontodb get a.b.c)" = "nobody'"'"'s" ] || echo wrong command
        other get -v O a.b.c; [ "$O" = "alice'"'"'s own" ] || echo "wrong wrapper: $O"' USR1
    me=$$
    (for i in {{1..25}}; do builtin kill -USR1 $me; command sleep 0.02; done) &
    for i in {{1..400}}; do acme get -v V a.b.c; [ "$V" = "alice's" ] || echo "wrong: $V"; done
    wait; wait; echo end
    """
    done = script(wrapped, shell, text)
    assert (done.out, done.err) == (b"end\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(("outer", "form"), [("pronto", "printed"), *(("acme", form) for form in FORMS if form != "printed")])
def test_it_may_come_before_any_command_of_a_call(wrapped: Home, shell: str, outer: str, form: str) -> None:
    """Each of the functions' commands once, with calls in other contexts than the one that is interrupted."""
    wrapped.call("set", "a.b.large", "x" * LARGE)
    wrapped.call("set", "a.b.large", "y" * LARGE, *EVERYBODY)
    who, letter = ("alice", "y") if outer == "acme" else ("nobody", "x")
    call, answer = FORMS[form]
    # Most commands are those of a small value, and the rest come several times.
    step = 2 if form == "large" else 1
    text = f"""
    . {wrapper(wrapped, shell)}
    expected="{answer.format(who=who, letters=letter * 8)}"
    within() {{ pronto get -v T a.b.c; acme get -v O a.b.c; [ "$O $T" = "alice's nobody's" ] || echo "wrong within, at $at: $O $T"; }}
    set -T 2>/dev/null || setopt debug_before_cmd
    pronto get -v V a.b.c
    for ((at = 1, count = 1; count >= at; at += {step})); do
        V='' O='' T='' count=0
        trap '((++count == at)) && within' DEBUG
        {outer} {call}
        trap - DEBUG
        [ "$V" = "$expected" ] || echo "wrong, at $at: $V"
    done
    ((at > 10)) || echo "only $at"; echo "end"
    """
    done = script(wrapped, shell, text)
    assert (done.lines, done.err) == (["end"], "")
