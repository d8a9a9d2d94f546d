"""The helper and descriptors: what a script opens stays its own, no program inherits anything, and few open files are enough."""

from __future__ import annotations

import pytest

from .conftest import Home
from .helping import SHELLS, script
from .test_helper_subshells import counted

every_shell = pytest.mark.parametrize("shell", SHELLS)
OPEN = {
    "bash": "exec 61<said 62>>asked; say=61 ask=62",
    # Here a script cannot name a number above 9, but it gets the lowest that is free.
    "zsh": """
        before=($__pronto_say $__pronto_ask)
        exec {__pronto_say}<&- {__pronto_ask}>&-
        while exec {say}<said; ((say < before[1])); do :; done
        exec {ask}>>asked
        [[ "$before" == "$say $ask" ]] || echo elsewhere
    """,
}
OPEN["posix"] = OPEN["bash"]


def occupying(shell: str, text: str) -> str:
    """A script that opens files of its own under the numbers that the functions use: after a call, so that they are known."""
    return f"""
    printf 'first\nsecond\nthird\n' >said; printf 'kept\n' >asked
    pronto get -v V p.n.k; [ "$V" = v ] || echo wrong
    {OPEN[shell]}
    read -r line <&$say; echo "$line"
    {text}
    read -r line <&$say; echo "$line"
    echo more >&$ask
    """


@every_shell
@pytest.mark.parametrize(
    "call",
    [
        "pronto get -v V p.n.k; echo $V",
        "pronto get p.n.k; echo",
        "x=$(pronto get p.n.k); echo $x",
        "pronto get p.n.k | command cat; echo",
        "(pronto get -v V p.n.k; pronto get -v V p.n.k; echo $V)",
        "pronto keys p; pronto get -v V p.n.k; echo $V",
    ],
)
def test_what_a_script_has_opened_is_neither_written_to_nor_read_from(home: Home, shell: str, call: str) -> None:
    home.call("set", "p.n.k", "v")
    done = script(home, shell, occupying(shell, call.replace("pronto keys p; ", "pronto keys p.n; ")))
    lines = [line for line in done.lines if line != "k"]
    assert (lines, done.err, done.status) == (["first", "v", "second"], "", 0)
    assert (home.folder / "asked").read_text() == "kept\nmore\n"
    assert (home.folder / "said").read_text() == "first\nsecond\nthird\n"


@every_shell
def test_what_a_script_has_opened_is_not_closed_either(home: Home, shell: str) -> None:
    """By a helper that was killed, and by unloading."""
    home.call("set", "p.n.k", "v")
    kill = 'builtin kill -KILL "$(<$__pronto_home/pid)"'
    done = script(home, shell, occupying(shell, f"{kill}; pronto get p.n.k; pronto get p.n.k; echo; pronto_unload"))
    assert (done.lines, done.err, done.status) == (["first", "vv", "second"], "", 0)
    assert (home.folder / "asked").read_text() == "kept\nmore\n"


@every_shell
def test_a_script_that_closes_every_descriptor_gets_right_answers(home: Home, shell: str) -> None:
    home.call("set", "p.n.k", "v")
    close = "exec {__pronto_say}<&- {__pronto_ask}>&-"
    if shell != "zsh":
        close = " ".join(["exec", *(f"{number}>&-" for number in range(3, 70))])
    text = f"""
    pronto get p.n.k; {close}
    pronto get p.n.k; pronto get -v V p.n.k; echo "$V"; x=$(pronto get p.n.k); echo "$x"; {close}; (pronto get p.n.k); pronto get p.n.k; echo
    """
    if shell != "zsh":
        # bash reads a script through one of these, so it has to have read all of it.
        text = f"eval '{text}'; exit"
    done = script(home, shell, text)
    assert (done.lines, done.err) == (["vvv", "v", "vv"], "")


@every_shell
def test_programs_inherit_nothing(home: Home, shell: str) -> None:
    done = script(
        home,
        shell,
        "pronto get p.n.k 2>/dev/null; command ls -l /proc/self/fd; (pronto get p.n.k 2>/dev/null; command ls -l /proc/self/fd)",
    )
    assert len(done.lines) > 6
    assert not [line for line in done.lines if "pronto" in line]


@every_shell
@pytest.mark.parametrize("limit", [30, 80, 200])
def test_few_open_files_are_enough(home: Home, shell: str, limit: int) -> None:
    """Subshells without a line are answered by the command, and nothing is said."""
    home.call("set", "p.n.k", "v")
    text = f"""
    ulimit -n {limit}
    for ((i = 0; i < 20; i++)); do (x=$(pronto get p.n.k); pronto get -v V p.n.k; echo "$x$V"; command sleep 1) & done
    pronto get -v V p.n.k; echo "$V"; wait; x=$(pronto get p.n.k); echo "$x"; pronto get p.n.k
    """
    done = script(home, shell, text)
    assert (sorted(done.lines), done.err) == (sorted([*["vv"] * 20, "v", "v", "v"]), "")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_255_subshells_at_once_are_answered_by_the_helper(home: Home, shell: str) -> None:
    for number in range(10):
        home.call("set", f"p.n.k{number}", f"value {number}")
    text = """
    pronto get p.n.k0; echo
    for ((i = 0; i < 255; i++)); do
        (
            pronto get -v V p.n.k$((i % 10))
            while [ -z "$__pronto_holder" ] || [ "$__pronto_holder" = "$$" ]; do
                command sleep 0.1; pronto get -v V p.n.k$((i % 10))
            done
            echo "$i" >>up
            while [[ ! -e go ]]; do command sleep 0.5; done
            pronto exists p.n.k$i; there=$?; pronto get -v W p.n.k$(((i + 1) % 10)); echo "$V $W $there" >>answers.$((i % 10))
        ) &
    done
    while (($(command wc -l <up) < 255)); do command sleep 0.2; done
    command sleep 1; : >go; wait; pronto get p.n.k0; echo
    """
    done, commands = counted(home, shell, text)
    assert (done.lines, done.err) == (["value 0", "value 0"], "")
    for number in range(10):
        answers = (home.folder / f"answers.{number}").read_text().splitlines()
        assert set(answers) == {f"value {number} value {(number + 1) % 10} 0", f"value {number} value {(number + 1) % 10} 2"}
        assert len(answers) == (26 if number < 5 else 25)
    # Where they come faster than the helper makes lines, the command answers the first calls.
    assert commands.count("__helper") == 1
    assert "exists" not in commands


@pytest.mark.parametrize("shell", ["bash", "posix"])
def test_what_a_trap_prints_in_the_middle_of_a_call_is_printed(home: Home, shell: str) -> None:
    """And is no part of what the helper is asked: with functrace the trap runs between all the steps of a call."""
    home.call("set", "p.n.k", "v")
    home.call("set", "p.n.long", "v" * 200)
    text = """
    pronto get -v V p.n.k; n=0
    set -T; trap 'n=$((n + 1)); echo trapped' DEBUG
    pronto get -v V p.n.k; pronto get -v L p.n.long; x=$(pronto get p.n.k)
    trap - DEBUG; set +T
    echo "$n $V ${#L} $x" >&2
    """
    done = script(home, shell, text)
    trapped = len(done.lines)
    assert done.lines == ["trapped"] * trapped
    assert done.err.split()[:3] == [str(trapped), "v", "200"]
    assert trapped > 30
