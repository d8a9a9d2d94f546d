"""`prontodb shell use`: a shell of its own that is pinned, or the current one (DESIGN §9)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import COMMAND, Home
from .interactive import Typist, held, made, poll, snapshot
from .shells import require
from .test_shell_init import HOSTILE, STRICT, kind, run

SHELLS = ["bash", "zsh"]
CODE = "$(touch canary)`touch canary`${x:=$(touch canary)}"
"""What must not be run when it stands in a prompt."""


@pytest.fixture
def pinned(home: Home) -> Home:
    """A home with two profiles."""
    config = home.folder / ".config/prontodb"
    config.mkdir(parents=True)
    tables = ('[profiles."acme"]\nuser = "alice"\nmeta = "acme"', '[profiles."other"]\nuser = "bob"')
    (config / "profiles.toml").write_text("\n".join(tables) + "\n")
    return home


def rc(home: Home, shell: str, text: str) -> None:
    """The file that an interactive shell of that user reads."""
    (home.folder / f".{shell}rc").write_text(text + "\n")


def use(home: Home, shell: str, *more: str, **env: str) -> Typist:
    """Somebody at a pinned shell."""
    require(shell)
    return Typist(home, [COMMAND, "shell", "use", "acme", *(more or ("--shell", shell))], **env)


# A shell of its own.


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_is_pinned_and_says_so(pinned: Home, shell: str) -> None:
    rc(pinned, shell, f"PS1='mine> '\nREAD={shell}rc")
    typist = use(pinned, shell)
    typist.shown("(acme) mine> ")
    assert typist.run('echo "$READ $PRONTO_FORCE_PROFILE"') == f"{shell}rc acme\n"
    assert typist.run("prontodb set a.b.c v; prontodb get a.b.c --user alice --meta acme") == "v"
    assert "pinned to 'alice'" in typist.run("prontodb get a.b.c --user other; echo $?")
    assert typist.run("prontodb get a.b.c --user other 2>/dev/null; echo $?") == "6\n"
    assert typist.run("pronto_unpin; echo $?").endswith("127\n")
    assert "__pronto" not in typist.run("typeset -f; typeset -p")
    assert typist.leave("exit 7") == 7
    assert (pinned.folder / ".local/share/prontodb/main_alice.db").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_pin_without_a_marker(pinned: Home, shell: str) -> None:
    rc(pinned, shell, "PS1='mine> '")
    typist = use(pinned, shell, PRONTO_DISABLE_PROMPT="1")
    typist.shown("mine> ")
    assert typist.run('echo "$PRONTO_FORCE_PROFILE$PS1"') == "acmemine> \n"
    typist.close()


RCS = {
    "bash": [f"PRONTO_PROMPT='{CODE}'"],
    "zsh": [f"PRONTO_PROMPT='{CODE}%1~%'", f"setopt prompt_subst; PRONTO_PROMPT='{CODE}%1~%'"],
}


@pytest.mark.parametrize(("shell", "text"), [(shell, text) for shell, texts in RCS.items() for text in texts])
def test_the_marker_holds_no_code(pinned: Home, shell: str, text: str) -> None:
    rc(pinned, shell, f"PS1='mine> '\n{text}")
    typist = use(pinned, shell)
    typist.shown("$(touch canary)`touch canary`")
    typist.shown("mine> ")
    assert typist.run(f"PRONTO_PROMPT='{CODE}'; psvar[19]='{CODE}'; :") == ""
    typist.shown("mine> ")
    assert typist.run("ls canary 2>/dev/null") == ""
    typist.close()


ZDOTDIRS = {
    "none": ({}, {".zshenv": "", ".zshrc": ""}),
    "from outside": ({"ZDOTDIR": "{home}/z"}, {"z/.zshenv": "", "z/.zshrc": "", ".zshrc": ""}),
    "from outside, without files": ({"ZDOTDIR": "{home}/z"}, {".zshrc": ""}),
    "by .zshenv": ({}, {".zshenv": "ZDOTDIR=$HOME/z", "z/.zshrc": "", ".zshrc": ""}),
    "by .zshenv, exported": ({}, {".zshenv": "export ZDOTDIR=$HOME/z", "z/.zshrc": "", ".zshrc": ""}),
    "by both": ({"ZDOTDIR": "{home}/z"}, {"z/.zshenv": "ZDOTDIR=$HOME/y", "y/.zshrc": "", "z/.zshrc": ""}),
    "by .zshrc": ({}, {".zshenv": "", ".zshrc": "ZDOTDIR=$HOME/z"}),
    "away by .zshenv": ({"ZDOTDIR": "{home}/z"}, {"z/.zshenv": "unset ZDOTDIR", ".zshrc": "", "z/.zshrc": ""}),
    "with options": ({}, {".zshenv": "setopt ksh_arrays no_unset err_return sh_word_split", ".zshrc": ""}),
    "no further files": ({}, {".zshenv": "setopt no_rcs", ".zshrc": ""}),
}


@pytest.mark.parametrize("case", ZDOTDIRS)
def test_zsh_reads_its_users_files_as_ever(pinned: Home, case: str) -> None:
    """Held against a zsh that nobody has pinned."""
    require("zsh")
    env, files = ZDOTDIRS[case]
    env = {name: value.format(home=pinned.folder) for name, value in env.items()}
    for name, text in files.items():
        path = pinned.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text}\nread_files+=({path})\nPS1='mine> '\n")
    told = []
    for argv in (["zsh", "-i"], [COMMAND, "shell", "use", "acme", "--shell", "zsh"]):
        typist = Typist(pinned, argv, **env)
        told.append(
            typist.run("echo ${read_files[@]-}; echo ${ZDOTDIR-unset} ${(t)ZDOTDIR-}; typeset +; env | grep DOT || :; setopt; alias")
        )
        typist.close()
    ours = ("PRONTO_FORCE_PROFILE", "PRONTO_PROMPT")
    assert [line for line in told[1].splitlines() if not line.endswith(ours)] == told[0].splitlines()
    assert not (Path(COMMAND).parents[2] / "shell/zsh/.zsh_history").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_marker_is_shown_once(pinned: Home, shell: str) -> None:
    """Where the user's own prompt has it, and in a shell in a shell."""
    rc(pinned, shell, "PS1='{}mine> '".format("%19v" if shell == "zsh" else "${PRONTO_PROMPT-}"))
    typist = use(pinned, shell)
    typist.shown("(acme) mine> ")
    typist.child.sendline(f"prontodb shell use acme --shell {shell}")
    typist.shown("(acme) ")
    poll(lambda: typist.run('echo "$SHLVL"') > "1", "the inner shell")
    assert typist.run('printf "%s" "$PS1"').count("19v" if shell == "zsh" else "PRONTO_PROMPT") == 1
    typist.close()


def test_without_a_terminal_it_reads_a_script(pinned: Home) -> None:
    (pinned.folder / "script").write_text(
        'echo "$PRONTO_FORCE_PROFILE ${BASH_VERSION:+bash}${ZSH_VERSION:+zsh} ${ZDOTDIR-unset}"\nexit 5\n'
    )
    for env, shell in (({}, "bash"), ({"SHELL": "/bin/bash"}, "bash"), ({"SHELL": "zsh"}, "zsh"), ({"SHELL": "/bin/sh"}, "")):
        done = pinned.shell("prontodb shell use acme <script", env=env)
        assert (done.status, done.out, done.err) == (5, f"acme {shell} unset\n".encode(), "")


# A command of its own.


def test_a_command_runs_pinned_and_its_status_is_returned(pinned: Home) -> None:
    done = pinned.run("shell", "use", "acme", "--", "sh", "-c", 'echo "$PRONTO_FORCE_PROFILE $1 $0"; exit 9', "zero", "-x --y")
    assert (done.status, done.out, done.err) == (9, b"acme -x --y zero\n", "")
    assert pinned.run("shell", "use", "acme", "--", COMMAND, "set", "a.b.c", stdin=b"piped").status == 0
    assert pinned.run("get", "a.b.c", "--user", "alice", "--meta", "acme").out == b"piped"


def test_signals_are_the_commands_own(pinned: Home) -> None:
    done = pinned.run("shell", "use", "acme", "--", "bash", "-c", "yes | head -n 1; exit ${PIPESTATUS[0]}")
    assert (done.status, done.out, done.err) == (128 + 13, b"y\n", "")
    plain = pinned.shell("exec grep Sig[IB] /proc/self/status") if os.path.exists("/proc/self/status") else None
    if plain:
        assert pinned.run("shell", "use", "acme", "--", "grep", "Sig[IB]", "/proc/self/status").out == plain.out


def test_the_command_takes_this_process_over(pinned: Home) -> None:
    done = pinned.shell(
        """echo $$; prontodb shell use acme -- sh -c 'echo $PPID'; prontodb shell use acme -- sh -c 'kill -9 $$'; echo $?"""
    )
    assert done.lines[0] == done.lines[1]
    assert done.lines[2] == "137"


REFUSED = [
    (["nobody"], {}, 64, "Unknown profile 'nobody'"),
    (["other"], {"PRONTO_FORCE_PROFILE": "acme"}, 6, "Profile 'other' is not what is pinned here"),
    (["acme"], {"PRONTO_FORCE_USER": "alice"}, 6, "Profile 'acme' is not what is pinned here"),
    (["acme"], {"PRONTO_FORCE_PROFILE": ""}, 64, "which pins nothing"),
    (["acme"], {"PRONTO_USER": "bob"}, 6, "PRONTO_USER says user 'bob', but it is pinned to 'alice'"),
    (["acme", "--meta", "globex"], {}, 6, "--meta says meta 'globex', but it is pinned to 'acme'"),
]


@pytest.mark.parametrize(("words", "env", "status", "reason"), REFUSED)
def test_what_contradicts_the_profile_is_refused(pinned: Home, words: list[str], env: dict[str, str], status: int, reason: str) -> None:
    done = pinned.run("shell", "use", *words, "--", "echo", "ran", env=env)
    assert (done.status, done.out) == (status, b"")
    assert reason in done.err


def test_the_same_pin_runs(pinned: Home) -> None:
    done = pinned.run(
        "shell", "use", "acme", "--user", "alice", "--", "echo", "ran", env={"PRONTO_FORCE_PROFILE": "acme", "PRONTO_META": "acme"}
    )
    assert (done.status, done.out, done.err) == (0, b"ran\n", "")


def test_what_cannot_be_run(pinned: Home) -> None:
    (pinned.folder / "text").write_text("neither script nor program")
    (pinned.folder / "text").chmod(0o755)
    for command, status, reason in (
        ("nosuch", 127, "No such command: nosuch"),
        ("./text", 126, "Exec format error"),
        ("/", 127, "No such"),
    ):
        done = pinned.run("shell", "use", "acme", "--", command)
        assert (done.status, done.out) == (status, b"")
        assert reason in done.err
    assert "No such command: /nosuch" in pinned.run("shell", "use", "acme", env={"SHELL": "/nosuch"}).err


# The current shell.


@pytest.fixture
def loaded(pinned: Home) -> Iterator[Home]:
    """The same home, with what pins the current shell to acme."""
    for shell in SHELLS:
        (pinned.folder / f"pin.{shell}").write_text(made(pinned, "use", "acme", "--eval", shell))
    yield pinned
    assert not (pinned.folder / "canary").exists()


MODES = [(mode, hostile) for mode in STRICT for hostile in ("", HOSTILE[mode])]
OWN = "PS1='mine> %m \\h'; unset PRONTO_PROMPT; test -z \"${ZSH_VERSION-}\" || psvar=(one '' three)"


@pytest.mark.parametrize(("mode", "hostile"), MODES)
@pytest.mark.parametrize("times", [1, 2])
def test_unpinning_leaves_the_shell_as_it_was(loaded: Home, mode: str, hostile: str, times: int) -> None:
    shell = kind(mode)
    pin = "\n".join([f'eval "$(cat pin.{shell})"'] * times)
    script = f"{OWN}\n{hostile}\n{snapshot(shell, 'before')}\n{pin}\n{TELL}\npronto_unpin\n{snapshot(shell, 'after')}"
    done = run(loaded, mode, script.replace(" >b", " >|b").replace(" >a", " >|a"))
    assert (done.status, done.err) == (0, "")
    assert done.out == b"acme (acme)  6 ", done
    before = held(loaded.folder / "before")
    assert held(loaded.folder / "after") == before
    assert any("mine" in line for line in before)


TELL = """(
    env | grep PRONTO_ >|env
    { IFS='' read -r one; IFS='' read -r two; } <env
    printf '%s ' "${one#*=}" "${two#*=}"
    prontodb get a.b.c --user other 2>err || printf '%s ' "$?"
)"""


@pytest.mark.parametrize("mode", STRICT)
def test_what_was_changed_in_between_stays(loaded: Home, mode: str) -> None:
    for change, prompt in (("PS1='new> '", "new> "), ('PS1="a $PS1"', "a old> "), ("unset PS1", "" if mode == "zsh" else "unset")):
        zsh = "psvar[2]=two; psvar[25]=last" if mode == "zsh" else ":"
        told = 'printf "%s|" "${PS1-unset}"' + ("; typeset -p psvar" if mode == "zsh" else "")
        done = run(loaded, mode, f"PS1='old> '\n. ./pin.{kind(mode)}\n{change}\n{zsh}\npronto_unpin\n{told}")
        expected = "typeset -aT PSVAR psvar=( '' two" + " ''" * 22 + " last )\n" if mode == "zsh" else ""
        assert done.out.decode() == f"{prompt}|{expected}", done


def test_an_element_of_zsh_that_was_in_use_comes_back(loaded: Home) -> None:
    done = run(loaded, "zsh", "PS1='%19v> '; psvar[19]=mine\n. ./pin.zsh\nprint -P $PS1\npronto_unpin\nprint -P $PS1; print $#psvar")
    assert done.out == b"(acme) (acme) > \nmine> \n19\n"


@pytest.mark.parametrize("mode", STRICT)
def test_a_pin_that_nobody_has_exported_is_exported(loaded: Home, mode: str) -> None:
    done = run(loaded, mode, f"PRONTO_FORCE_PROFILE=acme\n. ./pin.{kind(mode)}\nprontodb get a.b.c --user other || echo $?")
    assert (done.status, done.out) == (0, b"6\n")


@pytest.mark.parametrize("mode", STRICT)
def test_another_pin_stays(loaded: Home, mode: str) -> None:
    script = "PRONTO_FORCE_PROFILE=other\n. ./pin.{}\necho not reached"
    done = run(loaded, mode, script.format(kind(mode)))
    assert (done.status, done.out, done.err) == (1, b"", "prontodb: Another profile is pinned here\n")
    refused = f'eval "$(prontodb shell use acme --eval {kind(mode)})"'
    done = run(loaded, mode, f"export PRONTO_FORCE_PROFILE=other\n{refused}\necho not reached")
    assert (done.status, done.out) == (1, b"")
    assert "is not what is pinned here" in done.err


@pytest.mark.parametrize("words", [["nobody"], ["acme", "--shell", "zsh"], ["acme", "ls"], []])
def test_what_cannot_be_pinned_is_false(loaded: Home, words: list[str]) -> None:
    done = loaded.run("shell", "use", *words, "--eval", "bash")
    assert (done.status, done.out) == (64, b"false\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_at_a_prompt(loaded: Home, shell: str) -> None:
    typist = Typist.at(loaded, shell)
    assert typist.run(f"PS1='mine> '; {'setopt prompt_subst' if shell == 'zsh' else ':'}; {snapshot(shell, 'before')}") == ""
    assert typist.run(f'eval "$(prontodb shell use acme --eval {shell})"') == ""
    typist.shown("(acme) mine> ")
    assert typist.run(f"PRONTO_PROMPT='{CODE}'; test -z \"${{ZSH_VERSION-}}\" || psvar[19]='{CODE}%1~'") == ""
    typist.shown("$(touch canary)`touch canary`")
    assert typist.run(f"pronto_unpin; {snapshot(shell, 'after')}") == ""
    assert sorted(set(held(loaded.folder / "after")) ^ set(held(loaded.folder / "before"))) == []
    typist.close()


@pytest.mark.parametrize(
    ("shell", "first"),
    [
        ("bash", "shopt -u promptvars"),
        ("zsh", "setopt no_prompt_percent"),
        ("bash", "PRONTO_DISABLE_PROMPT=1"),
        ("zsh", "PRONTO_DISABLE_PROMPT=1"),
    ],
)
def test_no_marker_where_none_can_be_or_shall_be(loaded: Home, shell: str, first: str) -> None:
    done = run(loaded, shell, f"PS1='mine> '\n{first}\n. ./pin.{shell}\nprintf '%s' \"$PS1\"\npronto_unpin\nprintf '%s' \"$PS1\"")
    assert (done.status, done.out, done.err) == (0, b"mine> mine> ", "")


@pytest.mark.parametrize("mode", STRICT)
def test_the_function_pronto_is_pinned_too(loaded: Home, mode: str) -> None:
    (loaded.folder / "init").write_text(made(loaded, "init", kind(mode)))
    calls = "pronto set a.b.c v\npronto get a.b.c --user alice --meta acme\npronto get a.b.c --user other || printf '%s' \"$?\""
    done = run(loaded, mode, f". ./init\npronto set a.b.c mine\n. ./pin.{kind(mode)}\n{calls}\npronto_unpin\npronto get a.b.c")
    assert done.out == b"v6mine"


def test_a_pinned_command_in_the_background_has_no_helper(pinned: Home) -> None:
    process = subprocess.Popen([COMMAND, "shell", "use", "acme", "--", "sleep", "60"], env=pinned.env)
    path = Path(f"/proc/{process.pid}/cmdline")
    if path.exists():
        poll(lambda: path.read_bytes() == b"sleep\x0060\x00", "the process is sleep itself")
        assert subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, check=False).stdout == b""
    process.kill()
    process.wait()
