"""Subshells share their shell's helper, each on a line of its own: right answers, however many, and whatever becomes of them."""

from __future__ import annotations

import os
import threading
import time

import pytest

from prontodb.helper.lines import MORE, MOST

from .conftest import Home, Result
from .helping import SHELLS, gone, helpers, script
from .test_helper import poll_until

every_shell = pytest.mark.parametrize("shell", SHELLS)
COUNTED = """
function __pronto_command { builtin echo "$1" >>commands; prontodb "$@"; }
"""
"""Keeps count of what the command was called for; the calls that the helper answers are not among them."""


def counted(home: Home, shell: str, text: str) -> tuple[Result, list[str]]:
    """What a script does, and the verbs that it left to the command; starting a helper is one of them."""
    done = script(home, shell, COUNTED + text)
    file = home.folder / "commands"
    return done, file.read_text().split() if file.exists() else []


@every_shell
def test_fifty_subshells_get_ten_thousand_right_answers_from_one_helper(home: Home, shell: str) -> None:
    for number in range(10):
        home.call("set", f"p.n.k{number}", f"value {number}")
    text = """
    check() { pronto get -v V "p.n.k$1"; [ "$V" = "value $1" ] || echo "wrong: $V"; }
    check 0
    for ((i = 0; i < 50; i++)); do
        (for ((j = 0; j < 200; j++)); do check $((j % 10)); done; [ "$(pronto get p.n.k1)" = 'value 1' ] || echo wrong; echo done) &
    done
    for ((k = 0; k < 300; k++)); do check $((k % 10)); done
    wait; echo end
    """
    done, commands = counted(home, shell, text)
    assert (sorted(done.lines), done.err) == ([*["done"] * 50, "end"], "")
    assert commands == ["__helper"]


@every_shell
def test_every_kind_of_subshell_is_answered_by_the_helper(home: Home, shell: str) -> None:
    """Also where the first of them starts it: the shell then goes on with the same one."""
    home.call("set", "p.n.k", "v")
    text = """
    x=$(pronto get p.n.k); echo "$x"
    echo a | while read -r one; do pronto get p.n.k; done; echo
    (pronto get p.n.k; (pronto get p.n.k); x=$(pronto get p.n.k); echo "$x")
    { pronto get p.n.k; } & wait; echo
    command cat <(pronto get p.n.k); echo
    pronto get p.n.k | command cat; echo
    pronto set p.n.k w; pronto get -v V p.n.k; echo "$V$(pronto get p.n.none 2>/dev/null || echo " $?")"
    """
    done, commands = counted(home, shell, text)
    assert (done.lines, done.err) == (["v", "v", "vvv", "v", "v", "v", "w 2"], "")
    assert commands == ["__helper"]


FIRST = {
    "a value": "pronto get p.n.k",
    "one with newlines": "pronto get p.n.lines",
    "one that is empty": "pronto get p.n.empty",
    "one of any bytes": "pronto get p.n.bytes",
    "a large one": "pronto get p.n.large | command cksum",
    "one that nobody reads on": "pronto get p.n.large | command head -c 3",
    "one that nobody reads": "{ command sleep 0.2; pronto get p.n.k; echo $? >&2; } | command true",
    "help": "pronto get --help | command cksum",
    "none": "pronto get p.n.none",
    "a bad address": "pronto get p..k",
    "no address": "pronto get",
    "an option": "pronto get p.n.k -N",
    "an option first": "pronto get -N p.n.k",
    "an address like an option": "pronto get -- p.n.k",
    "a long address": f"pronto get p.n.{'k' * 5000}",
    "variables of its own": "export PRONTO_PROJECT=p PRONTO_NAMESPACE=n; pronto get k",
    "another user": "PRONTO_USER=alice; export PRONTO_USER; pronto get p.n.k",
    "another variable, not exported": "PRONTO_PROJECT=p; pronto get n.k",
    "no HOME": "HOME=/nonexistent; pronto get p.n.k",
    "no clobbering": "set -C; pronto get p.n.k; [[ $- == *C* ]] && echo still",
    "clobbering": "pronto get p.n.k; [[ $- == *C* ]] || echo still; echo 1 >clobbered; echo 2 >clobbered",
    "unset variables": "set -u; pronto get p.n.k",
    "closed output": "pronto get p.n.k >&- 2>/dev/null",
    "a full disk": "pronto get p.n.k >/dev/full 2>/dev/null",
    "twice": "pronto get p.n.k; pronto get p.n.lines; pronto get -v V p.n.k; echo $V",
    "after a write": "pronto set p.n.w 1; pronto get p.n.w; pronto incr p.n.w; pronto get p.n.w",
    "a trap of its own": "trap 'echo bye' EXIT; pronto get p.n.k",
}
"""What a subshell may do first. A call that is made there in one go must not be told from others."""


@every_shell
def test_what_a_subshell_asks_first_is_answered_as_by_the_command(home: Home, shell: str) -> None:
    """Whether its shell has called before or not."""
    for name, value in {"k": b"v", "lines": b"a\nb\n\n", "empty": b"", "bytes": bytes(range(1, 256)), "large": b"x" * 3_000_000}.items():
        assert home.call("set", f"p.n.{name}", "--allow-empty", stdin=value).status == 0
    assert home.call("set", "p.n.k", "alice's", "--user", "alice").status == 0
    calls = "\n".join(f"echo '{what}:'; ({call}); echo \" $?\"" for what, call in FIRST.items())
    wanted = script(home, shell, f'function pronto {{ prontodb "$@"; }}\n{calls}'.replace("get -v V p.n.k", "get p.n.k >v; V=$(<v)"))
    for before in ("", "pronto get -v V p.n.k"):
        done, commands = counted(home, shell, f"{before}\n{calls}")
        assert (done.out, done.err) == (wanted.out, wanted.err)
        assert commands == ["__helper"]
        (home.folder / "commands").unlink()


@every_shell
def test_subshells_that_are_the_first_and_start_at_once_start_one_helper(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    text = (
        'for i in 1 2 3 4 5 6; do (x=$(pronto get p.n.k); echo "$x"; command sleep 3) & done; command sleep 2; pronto get p.n.k; echo; wait'
    )
    counts: list[int] = []
    watcher = threading.Thread(target=lambda: (time.sleep(2.5), counts.append(len(helpers(home)))))
    watcher.start()
    done = script(home, shell, text)
    watcher.join()
    assert (done.lines, done.err, counts) == (["v"] * 7, "", [1])
    assert gone(home)


@every_shell
def test_subshells_that_are_killed_give_their_lines_back(home: Home, shell: str) -> None:
    """In the middle of calls, more of them than there are lines."""
    home.call("set", "p.n.k", "v")
    text = f"""
    pronto get p.n.k; echo
    for ((i = 0; i < {MORE * 3}; i++)); do
        (while :; do pronto get -v V p.n.k; done) & held=$!
        [ $((i % 3)) = 0 ] || command sleep 0.01
        builtin kill -KILL $held
        wait $held
        x=$(pronto get p.n.k); [ "$x" = v ] || echo wrong
    done 2>/dev/null
    for ((i = 0; i < 150; i++)); do
        left=$(command ls $__pronto_home | command grep -c taken)
        [ "$left" != 0 ] || break
        command sleep 0.1
    done
    echo "$left"
    """
    done, commands = counted(home, shell, text)
    assert (done.lines, done.err) == (["v", "0"], "")
    assert commands == ["__helper"]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_where_there_are_no_lines_left_the_command_answers(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    text = f"""
    pronto get p.n.k; echo
    for ((i = 1; i < {MOST}; i++)); do echo $$ >$__pronto_home/$__pronto_helper.$i.taken; done
    x=$(pronto get p.n.k); echo "$x"
    (pronto get p.n.k; pronto get p.n.k); echo
    """
    done, commands = counted(home, shell, text)
    assert (done.lines, done.err) == (["v", "v", "vv"], "")
    assert commands == ["__helper", "get", "get", "get"]


@every_shell
def test_a_subshell_that_ends_as_soon_as_it_is_answered_gives_its_line_back_at_once(home: Home, shell: str) -> None:
    """Before the helper can watch it; also while it is never idle. So a loop of `$(pronto get A)` does not run out of lines."""
    home.call("set", "p.n.k", "v")
    text = """
    pronto get -v V p.n.k
    for i in 1 2 3 4 5 6 7 8; do
        printf 999999999 >$__pronto_home/$__pronto_helper.$i.taken
        printf '%s\\0' 'P4 999999999.1 00 2' "HOME=$HOME" '' get p.n.k 999999999.1 >$__pronto_home/$__pronto_helper.$i.ask
    done
    for ((i = 0; i < 200; i++)); do pronto get -v V p.n.k; done
    command ls $__pronto_home | command grep -c taken
    """
    done, commands = counted(home, shell, text)
    assert (done.lines, done.err) == (["0"], "")
    assert commands == ["__helper"]


BUSY = "e=$((SECONDS + 4)); while ((SECONDS < e)) && [[ -e $__pronto_home/$__pronto_helper.1.taken ]]; do pronto get -v V p.n.k; done"


@every_shell
@pytest.mark.parametrize("meanwhile", ["command sleep 1.3", BUSY], ids=["idle", "busy"])
def test_a_line_that_somebody_took_and_never_used_is_free_again(home: Home, shell: str, meanwhile: str) -> None:
    home.call("set", "p.n.k", "v")
    text = f"""
    pronto get p.n.k; echo
    for ((i = 1; i < {MORE}; i++)); do printf 999999999 >$__pronto_home/$__pronto_helper.$i.taken; done
    {meanwhile}; x=$(pronto get p.n.k); echo "$x"
    """
    done, commands = counted(home, shell, text)
    assert (done.lines, done.err) == (["v", "v"], "")
    assert commands == ["__helper"]


@every_shell
def test_the_shell_and_its_subshells_go_on_after_each_others_restarts(home: Home, shell: str) -> None:
    """Whoever notices that the helper was killed starts another; the others find it."""
    home.call("set", "p.n.k", "v")
    kill = 'builtin kill -KILL "$(<$__pronto_home/pid)"'
    text = f"""
    pronto get p.n.k; {kill}; (pronto get p.n.k; pronto get p.n.k); pronto get p.n.k; pronto get p.n.k
    (pronto get p.n.k; {kill}; pronto get p.n.k; pronto get p.n.k); x=$(pronto get p.n.k); echo "$x"
    pronto get -v V p.n.k; echo "$V"; x=$(pronto get p.n.k); echo "$x"
    """
    done = script(home, shell, text)
    assert (done.lines, done.err) == (["v" * 9, "v", "v"], "")
    assert gone(home)


@every_shell
def test_a_subshell_that_outlives_the_shell_is_answered(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    text = "pronto get p.n.k >late; (command sleep 2.5; pronto get p.n.k >late; pronto set p.n.late done) >/dev/null 2>&1 & exit"
    assert script(home, shell, text).status == 0
    poll_until(lambda: home.call("get", "p.n.late").out == b"done")
    assert (home.folder / "late").read_bytes() == b"v"
    assert gone(home)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_nothing_is_left_behind(home: Home, shell: str) -> None:
    """Neither by a shell that ends, nor, once the next helper starts, by one that was killed together with its helper."""
    home.call("set", "p.n.k", "v")
    done = script(home, shell, "pronto get p.n.k; echo; echo ${__pronto_home}")
    folder = done.lines[1]
    poll_until(lambda: not os.path.exists(folder))
    done = script(home, shell, 'pronto get p.n.k; echo; echo ${__pronto_home}; builtin kill -KILL "$(<$__pronto_home/pid)" $$')
    left = done.lines[1]
    assert os.path.exists(left)
    time.sleep(0.1)
    script(home, shell, "pronto get p.n.k")
    assert not os.path.exists(left)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_folder_that_is_not_ours_alone_is_not_used(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    place = home.folder / "run"
    (place / f"prontodb-{os.getuid()}").mkdir(parents=True)
    (place / f"prontodb-{os.getuid()}").chmod(0o777)
    home.env["XDG_RUNTIME_DIR"] = str(place)
    done, commands = counted(home, shell, "pronto get p.n.k; pronto get p.n.k; echo; x=$(pronto get p.n.k); echo $x")
    assert (done.lines, done.err) == (["vv", "v"], "")
    assert commands == ["__helper", "get", "get", "get"]
    assert helpers(home) == []
