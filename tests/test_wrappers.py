"""Generated wrappers at work, in the real shells: they stay in their pin, whatever the shell, its options and its values (DESIGN §9)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import prontodb

from .conftest import Home
from .interactive import held, snapshot
from .shells import require
from .test_terminal import SHELLS, Terminal
from .wrapping import EVERYBODY, HOSTILE, MODES, STUB_SHOWS, canary, databases, kind, rendered, run, shown, stub, wrap

STORED = ("get", "a.b.c", *EVERYBODY)


@pytest.fixture(params=list(MODES))
def mode(request: pytest.FixtureRequest) -> str:
    """Bash, bash as POSIX has it, zsh."""
    require(kind(request.param))
    return str(request.param)


def outside(home: Home) -> None:
    """Nothing is anywhere but in the wrapper's own database."""
    assert set(databases(home)) <= {"main_alice.db"}
    assert home.call("keys", "a.b", "--user", "alice").out == b""


# What a function is for.


def test_it_does_what_the_command_does(home: Home, mode: str) -> None:
    script = f"""{wrap(home, mode)}
acme set a.b.c one
echo "$(acme get a.b.c)" $?
printf two | acme set a.b.pipe
acme get a.b.pipe | cat; echo
acme set a.b.file <input; acme get a.b.file
acme set a.b.here <<E
here $((1 + 1))
E
acme get a.b.here
acme get a.b.nope; echo $?
acme get; echo $?
acme exists a.b.nope || echo miss
acme set a.b.null </dev/null; echo $?
( acme set a.b.sub sub ); acme get a.b.sub; echo
acme set a.b.back back & wait $!; echo $?
acme get a.b.back; echo
printf 'k1\\nk2\\nk3\\n' | while read -r key; do acme set "a.b.$key" "v$key"; done
while read -r key; do acme set "a.c.$key" "w$key"; done <<E
k1
k2
E
acme scan a.b.k; acme scan a.c
for i in 1 2; do acme set a.d.x "$i" || exit; done
! acme exists a.d.y && acme get a.d.x; echo
acme get a.d.nope | cat; echo $?
set -o pipefail; acme get a.d.nope | cat; echo $?
"""
    (home.folder / "input").write_text("from a file\n")
    done = run(home, mode, script)
    assert done.lines == [
        *("one 0", "two", "from a file", "here 2", "2", "64", "miss", "64", "sub", "0", "back"),
        *("k1\tvk1", "k2\tvk2", "k3\tvk3", "k1\twk1", "k2\twk2", "2", "0", "2"),
    ]
    assert done.err.count("prontodb: ") == 5
    outside(home)


def test_standard_input_is_left_alone_where_nothing_reads_it(home: Home, mode: str) -> None:
    done = run(home, mode, f"{wrap(home, mode)}; acme set a.b.c v; acme get a.b.c; acme keys a.b; cat", input=b"\nthe rest")
    assert done.out == b"vc\n\nthe rest"


def test_bytes_pass_unharmed(home: Home, mode: str) -> None:
    data = bytes(range(256)) * 300 + b"\n\n"
    (home.folder / "input").write_bytes(data)
    done = run(home, mode, f"{wrap(home, mode)}; acme set a.b.c <input; cat input | acme set a.b.d; acme get a.b.c; acme get a.b.d")
    assert (done.status, done.out, done.err) == (0, data * 2, "")


def test_a_signal_reaches_the_command_and_its_status_the_caller(home: Home, mode: str) -> None:
    source = wrap(home, mode, program=stub(home, "kill -TERM $$"))
    assert run(home, mode, f"{source}; acme; echo $?").out == b"143\n"


def test_no_process_more_than_the_command(home: Home, mode: str) -> None:
    """The subshell becomes the command: what is killed is the command, and nothing is left."""
    source = wrap(home, mode, program=stub(home, "echo $PPID >parent"))
    done = run(home, mode, f"{source}; acme >/dev/null; echo $$ | diff - parent")
    assert (done.status, done.out) == (0, b"")


@pytest.mark.parametrize("form", ["file", "eval"])
def test_hostile_arguments_arrive_as_they_are(home: Home, mode: str, form: str) -> None:
    source = wrap(home, mode, program=stub(home))
    read = source if form == "file" else f'eval "$(cat acme.{kind(mode)})"'
    done = run(home, mode, f'{read}; acme "$@"; acme; acme ""', *HOSTILE)
    pins = ["alice", "acme", "unset", "main", "unset", "unset", "unset", "unset"]
    assert (done.status, done.err, shown(done.out)) == (0, "", [*pins, *HOSTILE, *pins, *pins, ""])
    assert not canary(home).exists()


def test_hostile_values_come_back_as_they_were(home: Home, mode: str) -> None:
    script = f"""{wrap(home, mode)}
n=0
for value; do
    n=$((n + 1))
    case $value in
    -*) acme set -- "a.b.k$n" "$value" ;;
    *) acme set "a.b.k$n" "$value" ;;
    esac
    test "$(acme get "a.b.k$n"; printf x)" = "${{value}}x" || printf 'argument %s\\n' "$value"
done
printf '%s' "$@" | acme set a.b.all
printf '%s' "$@" | cmp - <(acme get a.b.all)
"""
    if mode == "posix":
        script = script.replace("cmp - <(acme get a.b.all)", "{ acme get a.b.all >all; cmp - all; }")
    done = run(home, mode, script, *HOSTILE)
    assert (done.status, done.out, done.err) == (0, b"", "")
    assert not canary(home).exists()


# The shell it is called in.

FUNCTIONS = {
    "posix": "command test unalias true printf prontodb set cat",
    "bash": "command test unalias true printf prontodb export exec set declare complete eval cat",
    "zsh": "command test unalias true printf prontodb export exec set declare typeset eval compdef emulate",
}
"""Names that a user has given to functions of their own. In POSIX mode none can have a special builtin's."""
ALIASES = "command test unalias true printf prontodb export exec set builtin"


def test_functions_and_aliases_of_the_user_are_not_called(home: Home, mode: str) -> None:
    functions = "\n".join(f"function {name} {{ echo hijacked {name} >&2; }}" for name in FUNCTIONS[mode].split() if name != "set")
    aliases = "\n".join(f"alias {name}='echo hijacked {name} >&2; '" for name in ALIASES.split())
    start = "" if kind(mode) == "zsh" else "shopt -s expand_aliases"
    for block in (functions, f"{start}\n{aliases}", f"{functions}\n{start}\n{aliases}"):
        done = run(home, mode, f"{block}\n{wrap(home, mode)}\nacme set a.b.c 'it''s'\nacme get a.b.c")
        assert (done.status, done.out, done.err) == (0, b"its", "")


def test_an_alias_of_its_name_gives_way(home: Home, mode: str) -> None:
    start = "" if kind(mode) == "zsh" else "shopt -s expand_aliases\n"
    source = wrap(home, mode)
    cases = [("alias acme='echo hijacked'", source), ("alias acme='echo hijacked'", f'eval "$(cat acme.{kind(mode)})"')]
    for alias, read in [*cases, ("alias -g acme='echo hijacked'", source)] if mode == "zsh" else cases:
        done = run(home, mode, f"{start}{alias}\n{read}\nacme set a.b.c v\nacme get a.b.c\nalias acme; typeset -f echo")
        assert done.out == b"v", (alias, read)
        assert "hijacked" not in done.err


ODD = {
    "bash": "shopt -s nocasematch extglob nullglob dotglob; set -f; set -a; set -k; set -C",
    "posix": "shopt -s nocasematch extglob nullglob expand_aliases; set -f; set -a; set -k; set -C",
    "zsh": "setopt sh_word_split ksh_arrays glob_subst no_unset err_return warn_create_global extended_glob rc_quotes null_glob all_export",
}


def test_odd_options_and_variables_make_no_difference(home: Home, mode: str) -> None:
    variables = "IFS=aeimnor; LC_ALL=C; REPLY=x; CDPATH=/; ENV=/dev/null; BASH_ENV=/dev/null; GLOBIGNORE=*"
    script = f"""set -eu; {ODD[mode]}
{variables}
{wrap(home, mode, *EVERYBODY, "-p", "proj", "-n", "names")}
acme set c "it's * ~ a b"
acme get c
acme set other.b.c 'x=y'
acme get other.b.c
acme get proj.names.c
acme -p other -n b get c
if acme get nope; then echo; else echo " $?"; fi
"""
    done = run(home, mode, script)
    assert (done.status, done.out) == (0, b"it's * ~ a bx=yit's * ~ a bx=y 2\n")
    assert done.err == "prontodb: No such key: proj.names.nope\n"
    outside(home)


def test_a_strict_shell_ends_where_the_command_fails(home: Home, mode: str) -> None:
    source = wrap(home, mode)
    for options in (("-eu",), ("-eu", "-o", "pipefail")):
        done = run(home, mode, f"{source}; acme exists a.b.c; echo still here", options=options)
        assert (done.status, done.out) == (2, b"")
        done = run(
            home, mode, f"{source}; acme set a.b.c v; v=$(acme get a.b.c); acme get a.b.c | cat; echo $v; acme del a.b.c", options=options
        )
        assert (done.status, done.out, done.err) == (0, b"vv\n", "")


def test_a_call_leaves_nothing_behind(home: Home, mode: str) -> None:
    calls = "acme set a.b.c v; acme get a.b.c >/dev/null; echo x | acme set a..c; acme --user bob get a.b.c; REPLY=$(acme get a.b.c)"
    start = "trap 'echo bye' USR1; PS1='$ '; REPLY=v; zmodload zsh/parameter 2>/dev/null"
    script = f"{start}\n{wrap(home, mode, *EVERYBODY, '-p', 'proj')}\n{snapshot(kind(mode), 'before')}\n({calls}) 2>/dev/null\n{calls}\n"
    done = run(home, mode, f"{script}{snapshot(kind(mode), 'after')}\nenv | grep PRONTO; jobs", env={"EDITOR": "vi"})
    assert done.out == b""
    assert held(home.folder / "before") == held(home.folder / "after")


# Names that lead past a function.

PAST = ["xargs acme", "env acme", "timeout 5 acme", "nohup acme", "nice acme", "command acme", "bash -c 'acme \"$@\"' acme"]
PAST += ["\\command acme", "sh -c 'acme \"$@\"' acme", "zsh -f -c 'acme \"$@\"' acme", "setsid -w acme", "find . -maxdepth 0 -exec acme"]


def test_no_other_command_runs_it_unpinned(home: Home, mode: str) -> None:
    """A wrapper's name is no command's: what would run without the pins does not run at all, and says so."""
    calls = [f"{past} set a.b.c v" + (" \\;" if past.startswith("find") else "") for past in PAST]
    script = f"{wrap(home, mode)}\n" + "\n".join(
        f"( echo loose | {call} ) 2>&1 | grep -q acme || echo '{past[:5]} quiet'" for past, call in zip(PAST, calls, strict=True)
    )
    done = run(home, mode, script)
    assert (done.out, databases(home), list(home.folder.rglob("rescue"))) == (b"", [], [])
    script = f"{wrap(home, mode)}\n" + "\n".join(
        f"( {call} </dev/null ) >/dev/null 2>&1 && echo '{past[:5]} is content'" for past, call in zip(PAST, calls, strict=True)
    )
    assert run(home, mode, script).out in (b"", b"xargs is content\n", b"find  is content\n")
    assert databases(home) == []


# Other pins.

PINS = {
    "USER": ("bob", "alice"),
    "META": ("globex", "acme"),
    "DATABASE": ("other", "main"),
    "CURSOR": ("work", ""),
    "PROFILE": ("bobs", ""),
}
"""Each pin, set to something else; and as the wrapper has it, if it has."""


def prepared(home: Home) -> None:
    """What those name, for the default user and for the wrapper's."""
    home.call("cursor", "set", "work", "work", "--meta", "globex", "--user", "alice")
    home.call("profile", "add", "bobs", "--user", "bob")
    home.call("cursor", "set", "work", "work", "--meta", "globex")


@pytest.mark.parametrize("how", ["export", "typeset", "readonly"])
def test_another_pin_is_refused_and_keeps_what_was_piped(home: Home, mode: str, how: str) -> None:
    prepared(home)
    script = wrap(home, mode)
    for pin, (other, _) in PINS.items():
        script += f"""
( {how} PRONTO_FORCE_{pin}={other}
acme set a.b.c argument; echo $?
echo piped {pin} | acme set a.b.c 2>said; echo $?
export PRONTO_FORCE_{pin}
prontodb get "$(sed -n 's/.*cached as: //p' said)" )"""
    done = run(home, mode, script)
    assert done.lines == [line for pin in PINS for line in ("6", "4", f"piped {pin}")]
    assert done.err.count("prontodb: 'acme' is pinned to another context than the one in force here\n") == len(PINS)
    assert home.call(*STORED).status == 2
    assert "main_alice.db" not in databases(home)


def test_a_pin_that_is_set_but_empty_is_refused(home: Home, mode: str) -> None:
    script = wrap(home, mode)
    for pin in PINS:
        script += f"""
( export PRONTO_FORCE_{pin}=; acme set a.b.c argument; echo $?
echo piped {pin} | acme set a.b.c 2>said; echo $?
unset PRONTO_FORCE_{pin}; prontodb get "$(sed -n 's/.*cached as: //p' said)" )"""
    done = run(home, mode, script)
    assert done.lines == [line for pin in PINS for line in ("6", "4", f"piped {pin}")]
    assert databases(home) == []


def test_the_same_pin_runs(home: Home, mode: str) -> None:
    script, same = wrap(home, mode), [(pin, value) for pin, (_, value) in PINS.items() if value]
    for how in ("export", "typeset", "readonly", "declare", "export -n" if kind(mode) == "bash" else "typeset +x"):
        script += "\n( " + "; ".join(f"{how} PRONTO_FORCE_{pin}={value}" for pin, value in same) + "; acme set a.b.c v && acme get a.b.c )"
        script += "".join(f"\n( {how} PRONTO_FORCE_{pin}={value}; acme get a.b.c )" for pin, value in same)
        script += "\n( f() { local PRONTO_FORCE_USER=alice; acme get a.b.c; }; f )"
    done = run(home, mode, script)
    assert (done.out, done.err) == (b"v" * 25, "")
    outside(home)


def test_letters_of_another_size_are_another_pin(home: Home, mode: str) -> None:
    option = "setopt no_case_match" if mode == "zsh" else "shopt -s nocasematch"
    done = run(home, mode, f"{option}; {wrap(home, mode)}; PRONTO_FORCE_USER=ALICE; acme set a.b.c v; echo $?")
    assert (done.out, databases(home)) == (b"6\n", [])


def test_a_wrapper_within_a_wrapper(home: Home, mode: str) -> None:
    """In the environment of a pinned command, its own wrapper works and another's is refused."""
    sources = [wrap(home, mode), wrap(home, mode, "--user", "alice", "--meta", "globex", name="globex"), wrap(home, mode, name="again")]
    pins = "PRONTO_FORCE_USER=alice PRONTO_FORCE_META=acme PRONTO_FORCE_DATABASE=main"
    done = run(home, mode, f"{'; '.join(sources)}; export {pins}; acme set a.b.c v; again get a.b.c; globex get a.b.c; echo $?")
    assert done.out == b"v6\n"


def test_what_stands_in_the_way_of_a_pin_is_no_way_out(home: Home, mode: str) -> None:
    """A variable that is readonly but unset, or a refusal that nobody exported: denied, not unpinned."""
    source = wrap(home, mode, *EVERYBODY, "-p", "proj")
    tricks = [f"readonly PRONTO_FORCE_{pin}" for pin in PINS]
    tricks += ["PRONTO_REFUSED=x", "export PRONTO_REFUSED=x", "readonly PRONTO_REFUSED=x", "readonly PRONTO_PROJECT=other"]
    script = source + "".join(f"\n( {trick}; acme set a.b.c v; acme get a.b.c; test $? -ne 0 || echo '{trick}' )" for trick in tricks)
    done = run(home, mode, script)
    # A pin that the wrapper leaves out may be readonly.
    allowed = b"" if mode == "zsh" else b"vreadonly PRONTO_FORCE_CURSOR\nvreadonly PRONTO_FORCE_PROFILE\n"
    assert done.out == allowed
    assert databases(home) == (["main_alice.db"] if allowed else [])


# Options and variables that say otherwise.

OTHERWISE = {"user": "bob", "meta": "globex", "database": "other", "cursor": "work"}
FORMS = [
    "acme --{0} {1} get a.b.c",
    "acme get --{0} {1} a.b.c",
    "acme get a.b.c --{0} {1}",
    "acme get a.b.c --{0}={1}",
    "acme set a.b.c x --{0} {1}",
]


def test_options_that_say_otherwise_are_refused(home: Home, mode: str) -> None:
    prepared(home)
    assert home.call("set", "a.b.c", "mine", *EVERYBODY).status == 0
    script = wrap(home, mode)
    for name, other in OTHERWISE.items():
        assert home.call("set", "a.b.c", "SECRET", f"--{name}", other).status == 0
        forms = FORMS if name in ("user", "meta") else FORMS[2:3]
        script += "".join(f"\n{form.format(name, other)}; echo $?" for form in forms)
        script += f"\necho piped | acme set a.b.c --{name} {other} 2>said; echo $?\nacme get \"$(sed -n 's/.*cached as: //p' said)\""
    for variable, other in (("USER", "bob"), ("META", "globex"), ("DB", "other"), ("CURSOR", "work")):
        script += f"\nPRONTO_{variable}={other} acme get a.b.c; echo $?\n( export PRONTO_{variable}={other}; acme get a.b.c; echo $? )"
    done = run(home, mode, script)
    expected = [["6"] * (5 if name in ("user", "meta") else 1) + ["4", "piped"] for name in OTHERWISE]
    assert done.lines == [line for lines in expected for line in lines] + ["6"] * 8
    assert "SECRET" not in done.err
    assert home.call(*STORED).out == b"mine"


def test_options_that_say_the_same_are_none(home: Home, mode: str) -> None:
    script = (
        f"{wrap(home, mode)}; acme set a.b.c v --user alice --meta=acme; acme --database main get a.b.c; PRONTO_USER=alice acme get a.b.c"
    )
    assert run(home, mode, script).out == b"vv"


@pytest.mark.parametrize(
    ("flags", "others"), [(("--user", "alice"), ("--meta", "--database")), (("--database", "./x.db"), ("--user", "--meta"))]
)
def test_what_was_not_named_is_pinned_too(home: Home, mode: str, flags: tuple[str, ...], others: tuple[str, ...]) -> None:
    source = wrap(home, mode, *flags)
    done = run(home, mode, source + "".join(f"; acme get a.b.c {other} bob; echo $?" for other in others))
    assert done.lines == ["6"] * len(others)
    home.call("cursor", "set", "work", "./other.db", "--meta", "globex")
    home.call("cursor", "work")
    assert run(home, mode, f"{source}; acme set a.b.c v; acme get a.b.c").out == b"v"
    assert home.call("get", "a.b.c", *flags, *(("--cursor", "work") if "x" in flags else ())).out in (b"v", b"")
    assert "other.db" not in databases(home)


def test_a_pinned_cursor_and_a_pinned_profile(home: Home, mode: str) -> None:
    prepared(home)
    home.call("profile", "add", "acme", *EVERYBODY, "-p", "proj", "-n", "names")
    script = (
        f"{wrap(home, mode, '--cursor', 'work', name='work')}; {wrap(home, mode, '--profile', 'acme')}; work set a.b.c globex; acme set c v"
    )
    calls = ["acme get proj.names.c", "acme get c", "work get a.b.c", "work get a.b.c --meta acme", "work get a.b.c --user bob"]
    done = run(home, mode, "\n".join([script, *calls, "acme get c --meta globex", "PRONTO_FORCE_USER=alice; acme get c; echo $?"]))
    assert done.out == b"vvglobex6\n"
    assert done.err.count("prontodb: ") == 4
    assert home.call("get", "proj.names.c", *EVERYBODY).out == b"v"
    assert home.call("get", "a.b.c", "--cursor", "work").out == b"globex"
    assert home.call("cursor", "delete", "work").status == 0
    assert run(home, mode, ". ./work." + kind(mode) + "; work get a.b.c").status == 64


# At a terminal.


@pytest.fixture(params=list(SHELLS))
def typed(request: pytest.FixtureRequest, home: Home) -> Iterator[Terminal]:
    """An interactive shell that has read a wrapper."""
    require(request.param)
    (home.folder / "acme").write_bytes(rendered(home, "wrapper", "acme", request.param, *EVERYBODY))
    shell = Terminal(home, request.param)
    assert shell.run(". ./acme") == ""
    yield shell
    shell.close()


def test_values_from_everywhere_at_a_terminal(typed: Terminal) -> None:
    assert typed.run("acme set a.b.c hello") == ""
    assert typed.run("printf piped | acme set a.b.p; acme get a.b.p") == "piped\n"
    assert typed.run("printf 'one\\ntwo' >f; acme set a.b.f <f; acme get a.b.f") == "one\ntwo\n"
    assert typed.run("acme set a.b.h <<< here; acme get a.b.h | wc -c") == "5\n"
    typed.run("acme set a.b.d <<E\nfirst\nsecond\nE")
    assert typed.run("acme get a.b.d") == "first\nsecond\n"
    assert "Nothing came in for a.b.n" in typed.run("acme set a.b.n </dev/null")
    assert typed.run("acme exists a.b.n; echo $?") == "2\n"


def test_values_to_a_terminal_and_to_a_pipe(typed: Terminal) -> None:
    typed.run("acme set a.b.c hello")
    assert typed.run("acme get a.b.c") == "hello\n"
    assert typed.run("acme get a.b.c | od -An -c | tr -d ' '") == "hello\n"
    assert typed.run('echo "[$(acme get a.b.c)]"; acme get a.b.c >f; wc -c <f') == "[hello]\n5\n"
    assert typed.run("printf '\\001\\377' | acme set a.b.x; acme get a.b.x").startswith("<2 bytes that are not text;")
    assert typed.run("acme get a.b.x | wc -c") == "2\n"


def test_set_without_a_value_is_an_error_at_once_at_a_terminal(typed: Terminal) -> None:
    assert "No value for 'a.b.c'" in typed.run("acme set a.b.c")
    assert typed.run("acme set a.b.c; echo $?").endswith("64\n")
    assert typed.run("acme exists a.b.c; echo $?") == "2\n"


def test_signs_stand_on_a_terminal_only(typed: Terminal) -> None:
    shown_ = typed.run("echo precious | acme set bad.address")
    assert shown_.startswith("⚠️  Invalid address 'bad.address' - content cached as: pipe.cache.")
    assert "\n💡 Use: prontodb copy pipe.cache." in shown_
    plain = typed.run("echo precious | acme set bad.address 2>&1 | cat; echo precious | NO_COLOR=1 acme set bad.address")
    assert "⚠" not in plain
    assert plain.count("content cached as") == 2
    assert "\x1b" not in plain


def test_typing_and_interrupting(typed: Terminal) -> None:
    typed.child.sendline("acme set a.b.c -")
    typed.child.sendline("typed")
    typed.child.sendeof()
    typed.child.expect_exact("READY> ")
    assert typed.run("acme get a.b.c") == "typed\n"
    typed.child.sendline("acme set a.b.d -")
    typed.child.sendline("typ")
    typed.wait_for_child()
    typed.child.sendintr()
    typed.child.expect_exact("READY> ")
    assert typed.run("acme exists a.b.d; echo $?").endswith("2\n")
    assert typed.run("acme get a.b.c; jobs") == "typed\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_evaluating_at_the_prompt(home: Home, shell: str) -> None:
    """Comments, exclamation marks and all: an interactive shell reads some of it in another way than a script."""
    require(shell)
    terminal = Terminal(home, shell)
    terminal.run("wow() { :; }; PATH=$PATH:.")
    call = f"""eval "$(prontodb shell wrapper acme {shell} --database '{home.folder}/it$(touch canary)!wow.db')"; echo $?"""
    assert terminal.run(call.replace("!", "'\\!'") if shell == "none" else "set +H 2>/dev/null; setopt no_bang_hist 2>/dev/null; :") == ""
    assert terminal.run(call) == "0\n"
    assert terminal.run("set -H 2>/dev/null; setopt bang_hist 2>/dev/null; acme set a.b.c v; acme get a.b.c") == "v\n"
    assert databases(home) == ["it$(touch canary)!wow.db"]
    assert terminal.run("type acme | head -1") == ("acme is a function\n" if shell == "bash" else "acme is a shell function\n")
    terminal.close()
    assert not canary(home).exists()


# The program's own path.

HOSTILE_FOLDER = 'it\'s $(touch canary) "x" ;&\\ `touch canary` ünï %s'


def environment(folder: Path) -> Path:
    """A virtual environment with ProntoDB in it as pip would have put it there; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(folder)], check=True)
    python = folder / "bin/python"
    site = next(folder.glob("lib/python*/site-packages"))
    here = [str(Path(prontodb.__file__).parent.parent), *(path for path in sys.path if path.endswith("-packages"))]
    (site / "here.pth").write_text("\n".join(here) + "\n")
    script = (Path(prontodb.__file__).parent / "console/prontodb").read_text()
    command = folder / "bin/prontodb"
    command.write_text(script.replace("#!python", f"#!{python}"))
    command.chmod(0o755)
    return python


@pytest.mark.parametrize("name", [HOSTILE_FOLDER, "plain", "x" * 130])
def test_a_command_under_any_path_is_called(home: Home, name: str) -> None:
    folder = home.folder / name
    python = environment(folder)
    for mode in MODES:
        require(kind(mode))
        done = subprocess.run(
            [python, "-m", "prontodb", "shell", "wrapper", "acme", kind(mode), *EVERYBODY],
            env=home.env,
            cwd=home.folder,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        (home.folder / "acme").write_bytes(done.stdout)
        assert f"{folder}/bin/".replace("'", "'\\''").encode() in done.stdout
        called = run(
            home, mode, f'. ./acme; acme set a.b.c {mode}; acme get a.b.c; eval "$(cat acme)"; acme version', env={"PATH": "/usr/bin:/bin"}
        )
        assert (called.out, called.err) == (f"{mode}prontodb {prontodb.__version__}\n".encode(), "")
    assert not canary(home).exists()


def test_the_stub_shows_what_it_should(home: Home) -> None:
    assert len(STUB_SHOWS) == 8
    assert shown(run(home, "bash", f"{stub(home)} x").out) == ["unset"] * 8 + ["x"]
