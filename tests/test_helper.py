"""The helper in real shells: right answers from wherever it is called, and through whatever happens to it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pexpect
import pytest

from .conftest import Home
from .helping import FLAGS, SHELLS, gone, helpers, init, lock, script
from .shells import require

every_shell = pytest.mark.parametrize("shell", SHELLS)


@every_shell
def test_many_subshells_at_once_get_right_answers(home: Home, shell: str) -> None:
    """Subshells are answered by the command, while the shell itself talks to its helper."""
    for number in range(10):
        home.call("set", f"p.n.k{number}", f"value {number}")
    text = """
    check() { pronto get -v V "p.n.k$1"; [ "$V" = "value $1" ] || echo wrong; }
    check 0
    for i in 1 2 3 4 5 6 7 8 9; do (check "$i"; check "$i"; [ "$(pronto get p.n.k0)" = 'value 0' ] || echo wrong; echo done) & done
    for j in {1..100}; do check $((j % 10)); done
    wait; echo end
    """
    done = script(home, shell, text)
    assert (sorted(done.lines), done.err) == ([*["done"] * 9, "end"], "")


@every_shell
def test_every_way_to_call_it(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    text = """
    echo a b | while read -r one two; do pronto get p.n.k; done; echo
    (pronto get p.n.k; pronto get p.n.k); echo
    { pronto get p.n.k; echo; } & wait
    command cat <(pronto get p.n.k); echo
    x=$(pronto get p.n.k)$(pronto get p.n.k); echo "$x"
    f() { g() { pronto get -v V p.n.k; }; g; echo "$V"; }; f
    inner() { local V=mine; pronto get -v V p.n.k; echo "$V"; }; V=outer; inner; echo "$V"
    pronto get p.n.k | command cat; echo
    pronto keys p.n | command head -1
    for i in 1 2 3; do echo "$i"; done | while read -r i; do pronto set p.n.loop$i "$i"; done; pronto keys p.n.loop
    pronto get p.n.none 2>/dev/null || echo "missed $?"
    """
    done = script(home, shell, text)
    assert done.lines == ["v", "vv", "v", "v", "vv", "v", "v", "outer", "v", "k", "loop1", "loop2", "loop3", "missed 2"]
    assert done.err == ""


@every_shell
def test_a_strict_script_runs_on_and_ends_where_it_should(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    done = script(
        home,
        shell,
        "pronto get p.n.k; x=$(pronto get p.n.k); pronto get p.n.none || echo $?; pronto get p.n.none; echo not here",
        strict=True,
    )
    assert (done.status, done.out) == (2, b"v2\n")


@every_shell
def test_values_come_as_they_are(home: Home, shell: str) -> None:
    """Newlines at the end, control characters, bytes that are no text, empty, 10 MB; a NUL has its own status, and nothing is cut."""
    values = {
        "newlines": b"a\n\nb\n\n\n",
        "bytes": bytes(range(1, 256)) * 3,
        "empty": b"",
        "long": "é\n".encode() * (350_000 if shell == "posix" else 3_500_000),
        "nul": b"a\0b",
    }
    for name, value in values.items():
        home.run("set", f"p.n.{name}", "-", stdin=value)
    text = "\n".join(
        f'V=before; pronto get -v V p.n.{name} 2>err; echo $?; printf %s "$V" >{name}; pronto get p.n.{name} >{name}.out' for name in values
    )
    done = script(home, shell, f"export LC_ALL=C.UTF-8\n{text}")
    assert (done.lines, done.err) == (["0", "0", "0", "0", "65"], "")
    for name, value in values.items():
        assert (home.folder / f"{name}.out").read_bytes() == value
        assert (home.folder / name).read_bytes() == (b"before" if name == "nul" else value), name
    assert "p.n.nul has a NUL in it" in (home.folder / "err").read_text()


@every_shell
@pytest.mark.parametrize("moment", ["before", "first", "between"])
def test_a_killed_helper_is_replaced(home: Home, shell: str, moment: str) -> None:
    """Before a call, in a subshell's call, and between calls of the shell and its subshells: the answers are right, and nothing is said."""
    home.call("set", "p.n.k", "v")
    kill = 'builtin kill -KILL "$(<$__pronto_home/pid)"'
    text = {
        "before": f"pronto get p.n.k; {kill}; pronto get p.n.k; pronto get p.n.k",
        "first": f"pronto get p.n.k; {kill}; x=$(pronto get p.n.k); printf %s $x; pronto get p.n.k",
        "between": f"x=$(pronto get p.n.k); printf %s $x; pronto get p.n.k; {kill}; (pronto get p.n.k); pronto get p.n.k",
    }[moment]
    done = script(home, shell, text)
    assert (done.out, done.err) == (b"v" * (4 if moment == "between" else 3), "")
    assert gone(home)


def blocked(home: Home, shell: str, calls: str) -> Iterator[subprocess.Popen[bytes]]:
    """A shell whose helper is in the middle of a write, which waits for a lock; it gets the lock when this generator goes on."""
    home.call("set", "p.n.k", "v")
    require(FLAGS[shell][0])
    file = home.folder / "script"
    file.write_text(f". {init(home, shell)}; pronto get p.n.k; {calls}")
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with (
        lock(home) as holder,
        subprocess.Popen([*FLAGS[shell], str(file)], env=home.env | {"PRONTO_BUSY_TIMEOUT": "30"}, **streams) as process,
    ):  # type: ignore[call-overload]
        assert process.stdout.read(1) == b"v"
        poll_until(lambda: bool(helpers(home)))
        # Long enough for the request to arrive.
        time.sleep(0.3)
        yield process
        time.sleep(0.2)
        holder.communicate()
        yield process


@every_shell
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
def test_a_helper_that_dies_or_stops_in_the_middle_of_a_call(home: Home, shell: str, sign: signal.Signals) -> None:
    """A write that waits for a lock: the helper goes, the command waits in its place."""
    for process in (steps := blocked(home, shell, "pronto set p.n.k new; echo $?; pronto get p.n.k")):
        os.kill(helpers(home)[0], sign)
        assert next(steps).communicate(timeout=30) == (b"0\nnew", b"")
        assert process.returncode == 0
    assert gone(home)


ONCE = ("move p.n.k p.n.moved", "set p.n.k v --fence 1 --lease p.n.lock", "claim p.n.lock", "push p.n.jobs v", "pop p.n.jobs")


@every_shell
@pytest.mark.parametrize("call", ONCE, ids=lambda call: call.split()[0])
def test_what_may_have_been_done_is_not_done_twice(home: Home, shell: str, call: str) -> None:
    """A helper that is killed in the middle of a `move`: nobody knows, and the status says so."""
    for process in (steps := blocked(home, shell, f"pronto {call}; echo $?")):
        os.kill(helpers(home)[0], signal.SIGKILL)
        assert next(steps) is process
        out, err = process.communicate(timeout=30)
        assert (out, err.split(b":")[:2]) == (b"5\n", [b"prontodb", b" The helper ended in the middle of the call"])


@every_shell
def test_a_helper_that_was_stopped_between_calls_costs_a_moment(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    done = script(
        home,
        shell,
        'pronto get p.n.k; builtin kill -STOP "$(<$__pronto_home/pid)"; pronto get p.n.k; pronto move p.n.k p.n.m; pronto get p.n.m',
    )
    assert (done.out, done.err, done.status) == (b"vvv", "", 0)
    assert gone(home)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("breakage", ["exit 1", "kill -KILL $$", "sleep 0"])
def test_without_a_helper_the_command_answers_and_soon(home: Home, shell: str, breakage: str) -> None:
    """A helper that cannot start: every answer is right, and the delay is short."""
    home.call("set", "p.n.k", "v")
    broken = home.folder / "broken"
    broken.write_text(f'#!/bin/sh\n[ "$1" != __helper ] || {{ {breakage}; exit 3; }}\nexec prontodb "$@"\n')
    broken.chmod(0o755)
    clock = "$EPOCHREALTIME"
    load = "zmodload zsh/datetime; " if shell == "zsh" else ""
    text = f"""
    __pronto_command() {{ {broken} "$@"; }}
    {load}pronto get p.n.k; s={clock}; x=$(pronto get p.n.k); pronto get p.n.k; e={clock}; printf ' %s %s %s' "$x" "$s" "$e"
    """
    done = script(home, shell, text)
    got, x, start, end = done.out.decode().split(" ")
    assert (got, x, done.err) == ("vv", "v", "")
    assert float(end.replace(",", ".")) - float(start.replace(",", ".")) < 3
    assert helpers(home) == []


@every_shell
def test_a_replaced_or_deleted_database_is_noticed(home: Home, shell: str) -> None:
    """And so is whatever another process writes."""
    home.call("set", "p.n.k", "one")
    other = home.folder / "other.db"
    home.call("set", "p.n.k", "other", "--database", str(other))
    db = home.database
    text = f"""
    pronto get p.n.k; prontodb set p.n.k two; pronto get p.n.k
    command mv {db} {db}.old; pronto get p.n.k 2>/dev/null; echo " $?"
    command cp {other} {db}; pronto get p.n.k
    command mv {db}.old {db}; pronto get p.n.k
    pronto set p.n.k three; pronto get p.n.k; prontodb get p.n.k
    """
    done = script(home, shell, text)
    assert (done.out, done.err) == (b"onetwo 2\nothertwothreethree", "")


@every_shell
def test_what_is_piped_streams_to_the_command(home: Home, shell: str) -> None:
    data = os.urandom(3_000_000)
    (home.folder / "data").write_bytes(data)
    text = "command cat data | pronto set p.n.k; echo $?; command cat data | pronto set bad..k 2>err; echo $?; pronto set p.n.file <data; pronto get p.n.k >copy"
    done = script(home, shell, text)
    assert (done.lines, done.err) == (["0", "4"], "")
    assert (home.folder / "copy").read_bytes() == data
    rescued = (home.folder / "err").read_text().split("cached as: ")[1].split("\n")[0]
    assert home.run("get", rescued).out == home.run("get", "p.n.file").out == data


@every_shell
def test_variables_count_only_where_they_are_exported(home: Home, shell: str) -> None:
    for user in ("default", "alice"):
        home.call("set", "p.n.k", user, "--user", user)
    text = """
    pronto get p.n.k
    PRONTO_USER=alice; pronto get p.n.k
    export PRONTO_USER; pronto get p.n.k
    unset PRONTO_USER; pronto get p.n.k
    PRONTO_USER=alice pronto get p.n.k
    pronto get p.n.k
    f() { local -x PRONTO_USER=alice; pronto get p.n.k; }; f; pronto get p.n.k
    XDG_DATA_HOME=/nowhere; pronto get p.n.k; export XDG_DATA_HOME; pronto get p.n.k 2>/dev/null || echo $?
    """
    done = script(home, "bash" if shell == "posix" else shell, text)
    assert (done.out, done.err) == (b"defaultdefaultalicedefaultalicedefaultalicedefaultdefault2\n", "")


@every_shell
def test_a_path_means_what_it_means_where_the_caller_is(home: Home, shell: str) -> None:
    """Also in a subshell's folder, and where `PWD` lies."""
    for name in ("one", "two"):
        (home.folder / name).mkdir()
        home.run("set", "p.n.k", name, "--database", f"{home.folder}/{name}/x.db")
    text = """
    cd one; pronto get p.n.k --database ./x.db; (cd ../two; pronto get p.n.k --database ./x.db)
    PWD=/nowhere; pronto get p.n.k --database ./x.db; export PRONTO_DB=./x.db; cd ../two; pronto get p.n.k
    command mv ../two ../moved; pronto get p.n.k
    """
    done = script(home, shell, text)
    assert (done.out, done.err) == (b"onetwoonetwotwo", "")


def poll_until(found: object) -> None:
    end = time.monotonic() + 20
    while not found():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


class Interactive:
    """An interactive shell with the functions loaded."""

    def __init__(self, home: Home, shell: str) -> None:
        require(FLAGS[shell][0])
        flags = (
            ["--norc", "--noprofile", "--noediting", "-i"]
            if shell != "zsh"
            else ["-f", "-i", "+o", "zle", "-o", "no_prompt_sp", "-o", "no_prompt_cr"]
        )
        argv = [*FLAGS[shell][:1], *(["--posix"] if shell == "posix" else []), *flags]
        self.child = pexpect.spawn(
            argv[0], argv[1:], env=home.env | {"PS1": "READY> "}, cwd=str(home.folder), dimensions=(50, 250), timeout=20, encoding="utf-8"
        )
        self.child.setecho(False)
        self.child.expect_exact("READY> ")
        assert self.run(f". {init(home, shell)}") == ""

    def run(self, line: str) -> str:
        """What a line prints."""
        self.child.sendline(line)
        self.child.expect_exact("READY> ")
        return (self.child.before or "").replace("\r\n", "\n").removeprefix(line + "\n")


@every_shell
def test_an_interactive_shell_has_no_job_and_survives_its_helper(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    terminal = Interactive(home, shell)
    assert terminal.run("pronto get p.n.k") == "v\n"
    assert terminal.run("jobs; wait; jobs") == ""
    assert len(helpers(home)) == 1
    os.kill(helpers(home)[0], signal.SIGKILL)
    assert terminal.run("pronto get p.n.k") == "v\n"
    assert terminal.run("pronto get -v V p.n.k; echo $V") == "v\n"
    terminal.child.sendline("exit")
    terminal.child.expect(pexpect.EOF)
    assert gone(home)


@every_shell
def test_after_an_interrupted_call_the_next_one_is_right(home: Home, shell: str) -> None:
    for name in ("one", "two"):
        home.call("set", f"p.n.{name}", name)
    terminal = Interactive(home, shell)
    assert terminal.run("pronto get p.n.one") == "one\n"
    holder = lock(home)
    assert holder.stdout
    for call in ("pronto set p.n.one changed", "x=$(pronto set p.n.one changed)"):
        terminal.child.sendline(call)
        time.sleep(0.3)
        terminal.child.sendintr()
        terminal.child.expect_exact("READY> ")
        assert "two" in terminal.run("pronto get p.n.two")
        assert terminal.run("pronto get -v V p.n.two; echo $V") == "two\n"
    holder.communicate()
    holder.stdout.close()
    assert terminal.run("x=$(pronto get p.n.two); echo $x") == "two\n"
    terminal.child.close(force=True)
    assert gone(home)


@every_shell
@pytest.mark.parametrize("end", ["exit", "kill", "hang up", "exec", "background"])
def test_the_helper_goes_with_its_shell(home: Home, shell: str, end: str) -> None:
    home.call("set", "p.n.k", "v")
    terminal = Interactive(home, shell)
    assert terminal.run("pronto get p.n.k") == "v\n"
    assert len(helpers(home)) == 1
    if end == "kill":
        os.kill(terminal.child.pid, signal.SIGKILL)
    elif end == "hang up":
        terminal.child.close(force=False)
    elif end == "exec":
        terminal.child.sendline("exec sleep 30")
    elif end == "background":
        terminal.run("sleep 30 </dev/null >/dev/null 2>&1 &")
        terminal.child.sendline("kill -KILL $$")
    else:
        terminal.child.sendline("exit")
    assert gone(home)
    terminal.child.close(force=True)


@every_shell
def test_two_shells_have_two_helpers_which_hold_nothing_of_theirs(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    (home.folder / "held").touch()
    one, two = Interactive(home, shell), Interactive(home, shell)
    for terminal in (one, two):
        terminal.run("exec 3<held")
        assert terminal.run("pronto get p.n.k") == "v\n"
    found = helpers(home)
    assert len(found) == 2
    for pid in found:
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
        assert os.getsid(pid) != os.getsid(one.child.pid)
        assert not [link for link in links if link.endswith("held") or "pts" in link], links
    one.child.close(force=True)
    two.child.close(force=True)
    assert gone(home)


def test_zsh_programs_inherit_nothing(home: Home) -> None:
    done = script(home, "zsh", "pronto get p.n.k 2>/dev/null; command ls -l /proc/self/fd")
    assert not [line for line in done.lines if "pronto" in line]


@every_shell
def test_a_helper_of_another_version_is_replaced_or_left_aside(home: Home, shell: str) -> None:
    """Somebody else's bytes on the line, or a version that this shell does not know: the command answers, never a wrong value."""
    home.call("set", "p.n.k", "v")
    for junk in ("P1|1.1|00|0|0|", "garbage|without any sense|", "P4 1.1 00 1||x|2.1|", "P4 1.1 00 1||x|"):
        data = junk.replace("|", "\\0")
        send = f"print -rn -u $__pronto_ask -- $'{data}'" if shell == "zsh" else f"printf '{data}' 1<>$__pronto_line.ask"
        done = script(home, shell, f"pronto get p.n.k; {send}; pronto get p.n.k; pronto get p.n.k; (pronto get p.n.k)")
        assert (done.out, done.err) == (b"vvvv", ""), junk
    answer = "1>s  0  01.1                  5wrong".ljust(64)
    for line in (answer, answer + answer, answer[:-1], "x"):
        done = script(home, shell, f"pronto get p.n.k; printf %s '{line}' >$__pronto_line.say; pronto get p.n.k; pronto get p.n.k")
        assert (done.out, done.err) == (b"vvv", ""), line


@every_shell
@pytest.mark.parametrize("kind", ["s", "b", "n"])
def test_half_a_frame_of_somebody_elses_before_the_answer_is_none(home: Home, shell: str, kind: str) -> None:
    """The shell reads while the helper clears the line: what it gets may be the beginning of the one and of the other."""
    wide = 3 if kind == "s" else 10
    head = f"1>{kind}  0{0:{wide}}"
    frames = [f"{head}{whose:19}{5:{wide}}{word}".ljust(64) for whose, word in (("1.1", "wrong"), ("77.7", "right"))]
    heads = [frames[1], *(frames[0][:cut] + frames[1][: 64 - cut] for cut in (1, 9, 13, 31, 32, 45))]
    text = "".join(f"__pronto_id=77.7 __pronto_head='{head}'; __pronto_heard; echo $? $__pronto_kind\n" for head in heads)
    done = script(home, shell, f"__pronto_body() {{ :; }}\n{text}")
    assert done.lines == [f"0 {kind}", *["1"] * 6]


@every_shell
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_an_answer_that_cannot_be_written_is_an_error(home: Home, shell: str, where: str) -> None:
    """As by the command; and what was done is not done twice."""
    home.call("set", "p.n.k", "v")
    home.call("set", "p.n.large", "x" * 100_000)
    calls = ("pronto get p.n.k", "pronto get p.n.large", "pronto incr p.n.count")
    text = "\n".join(f"{call} {where}; echo $?; ({call} {where}); echo $?" for call in calls)
    done = script(home, shell, f"pronto get -v V p.n.k\n{text}\npronto get p.n.count; echo; pronto get p.n.none {where}; echo $?")
    assert done.lines == [*["1"] * 6, "2", "2"]
    assert done.err == "prontodb: Cannot write standard output\n" * 6 + "prontodb: No such key: p.n.none\n"
