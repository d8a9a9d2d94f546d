"""Wrappers in fish, where test_wrappers' scripts have another language: they stay in their pin, whatever fish makes of a variable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import Home, Result
from .interactive import Typist, held, poll, snapshot
from .shells import require
from .test_wrappers import FORMS, OTHERWISE, PINS, STORED, outside, prepared
from .wrapping import CONFIGURED, EVERYBODY, HOSTILE, STUB_SHOWS, canary, databases, rendered, run, shown, stub, wrap


@pytest.fixture(autouse=True)
def _installed() -> None:
    require("fish")


def fish(home: Home, script: str, *args: str, **feed: object) -> Result:
    """Runs a script behind the wrapper `acme`."""
    return run(home, CONFIGURED if "-U" in script else "fish", f"{wrap(home, 'fish')}\n{script}", *args, **feed)


# What a function is for.


def test_it_does_what_the_command_does(home: Home) -> None:
    (home.folder / "input").write_text("from a file\n")
    done = fish(home, DOES)
    assert done.lines == [
        *("one 0", "two", "from a file", "2", "64", "miss", "64"),
        *("k1\tvk1", "k2\tvk2", "k3\tvk3", "k1\twk1", "k2\twk2", "2 0", "4 0 4", "2"),
    ]
    assert done.err.count("prontodb: ") == 4
    outside(home)


DOES = """
acme set a.b.c one
echo (acme get a.b.c) $status
printf two | acme set a.b.pipe
acme get a.b.pipe | cat; echo
acme set a.b.file <input; acme get a.b.file
acme get a.b.nope; echo $status
acme get; echo $status
acme exists a.b.nope; or echo miss
acme set a.b.null </dev/null; echo $status
printf 'k1\\nk2\\nk3\\n' | while read -l key; acme set a.b.$key v$key; end
printf 'k1\\nk2\\n' >keys
while read -l key; acme set a.c.$key w$key; end <keys
acme scan a.b.k; acme scan a.c
acme get a.d.nope | cat; echo $pipestatus
printf lost | acme set a..c 2>/dev/null | cat; set seen $pipestatus; printf lost | acme set a..c 2>/dev/null; echo $seen[2..3] $status
for i in 1 2; acme set a.d.x $i; or break; end; acme get a.d.x; echo
"""


def test_standard_input_is_left_alone_where_nothing_reads_it(home: Home) -> None:
    done = fish(home, "acme set a.b.c v; acme get a.b.c; acme keys a.b; cat", input=b"\nthe rest")
    assert done.out == b"vc\n\nthe rest"


def test_bytes_pass_unharmed(home: Home) -> None:
    data = bytes(range(256)) * 3000 + b"\n\n"
    (home.folder / "input").write_bytes(data)
    done = fish(home, "acme set a.b.c <input; cat input | acme set a.b.d; acme get a.b.c; acme get a.b.d | cat")
    assert (done.status, done.out, done.err) == (0, data * 2, "")


def test_a_signal_reaches_the_command_and_its_status_the_caller(home: Home) -> None:
    source = wrap(home, "fish", program=stub(home, "kill -TERM $$"))
    assert run(home, "fish", f"{source}; acme; echo $status").out == b"143\n"


def test_no_process_more_than_the_command(home: Home) -> None:
    source = wrap(home, "fish", program=stub(home, "echo $PPID >parent"))
    done = run(home, "fish", f"{source}; acme >/dev/null; echo $fish_pid | diff - parent")
    assert (done.status, done.out) == (0, b"")


@pytest.mark.parametrize("read", [". ./acme.fish", "cat acme.fish | source", 'eval "$(cat acme.fish)"'])
def test_hostile_arguments_arrive_as_they_are(home: Home, read: str) -> None:
    wrap(home, "fish", program=stub(home))
    done = run(home, "fish", f"{read}; acme $argv; acme; acme ''", *HOSTILE)
    pins = ["alice", "acme", "unset", "main", "unset", "unset", "unset", "unset"]
    assert (done.status, done.err, shown(done.out)) == (0, "", [*pins, *HOSTILE, *pins, *pins, ""])
    assert not canary(home).exists()


def test_hostile_values_come_back_as_they_were(home: Home) -> None:
    script = """
for n in (seq (count $argv))
    acme set -- a.b.k$n $argv[$n]
    set -l value (acme get a.b.k$n | string collect --no-trim-newlines --allow-empty)
    test "$value" = "$argv[$n]"; or printf 'argument %s\\n' $argv[$n]
end
printf '%s' $argv | acme set a.b.all
acme get a.b.all >all; printf '%s' $argv | cmp - all
"""
    done = fish(home, script, *HOSTILE)
    assert (done.status, done.out, done.err) == (0, b"", "")
    assert not canary(home).exists()


# The shell it is called in.

SHADOWED = "printf echo true false complete functions type count contains source emit abbr commandline prontodb set_color"


def test_functions_and_abbreviations_of_the_user_are_not_called(home: Home) -> None:
    functions = "\n".join(f"function {name}; builtin echo hijacked >&2; end" for name in SHADOWED.split())
    before = f"alias acme='echo hijacked'\nabbr -a acme 'echo hijacked'\n{functions}"
    done = run(home, "fish", f"{before}\n{wrap(home, 'fish')}\nacme set a.b.c 'it\\'s'\nacme get a.b.c")
    assert (done.out, done.err) == (b"it's", "")


def test_odd_variables_make_no_difference(home: Home) -> None:
    source = wrap(home, "fish", *EVERYBODY, "-p", "proj", "-n", "names")
    odd = "set -gx LC_ALL C; set IFS ''; set CDPATH /; set fish_read_limit 1; set -g argv x; set -gx PRONTO_PROJECT other; set -U t x"
    script = f"{odd}\n{source}\nacme set c 'it\\'s * ~ a b'\nacme get c\nacme get proj.names.c\nacme -p x -n b get c; echo $status"
    done = run(home, "fish", script)
    assert done.out == b"it's * ~ a b" * 2 + b"2\n"
    outside(home)


OPTIONS = ["--features all", "--features no-qmark-noglob,no-stderr-nocaret,no-regex-easyesc,no-ampersand-nobg-in-token", "--private"]


@pytest.mark.parametrize("options", OPTIONS)
def test_no_option_of_fish_makes_a_difference(home: Home, options: str) -> None:
    source = wrap(home, "fish", "--user", "alice", "--database", f"{home.folder}/it's ?^&(touch canary)*.db", program=stub(home))
    done = run(home, "fish", f"{source}; acme 'a?' 'b^c' 'd&e'", options=options.split())
    pins = ["alice", "-", "unset", f"{home.folder}/it's ?^&(touch canary)*.db", "unset", "unset", "unset", "unset"]
    assert (done.err, shown(done.out)) == ("", [*pins, "a?", "b^c", "d&e"])


def test_a_call_leaves_nothing_behind(home: Home) -> None:
    calls = "acme set a.b.c v; acme get a.b.c >/dev/null; echo x | acme set a..c; acme --user bob get a.b.c; set -l v (acme get a.b.c)"
    before, after = (snapshot("fish", name) for name in ("before", "after"))
    done = fish(
        home, f"function on --on-event fish_exit; end\n{before}\nbegin; {calls}; end 2>/dev/null\n{after}\nenv | grep PRONTO; jobs -q"
    )
    assert (done.out, done.err) == (b"", "")
    assert held(home.folder / "before") == held(home.folder / "after")


PAST = ["xargs acme", "env acme", "timeout 5 acme", "command acme", "bash -c 'acme \"$@\"' acme", "fish --no-config -c 'acme $argv'"]


@pytest.mark.parametrize("past", [*PAST, "find . -maxdepth 0 -exec acme"])
def test_no_other_command_runs_it_unpinned(home: Home, past: str) -> None:
    call = f"{past} set a.b.c v" + (" ';'" if past.startswith("find") else "")
    done = fish(home, f"echo loose | {call} 2>&1")
    assert "acme" in done.out.decode() + done.err
    assert (databases(home), list(home.folder.rglob("rescue"))) == ([], [])


# Other pins.


@pytest.mark.parametrize("how", ["-g", "-gx", "-U", "-Ux", "-l", "-lx", "-gx --path"])
def test_another_pin_is_refused_and_keeps_what_was_piped(home: Home, how: str) -> None:
    """Whatever the scope of the variable, and whether or not it is exported."""
    prepared(home)
    script = ""
    for pin, (other, _) in PINS.items():
        script += f"""
begin
    set {how} PRONTO_FORCE_{pin} {other}
    acme set a.b.c argument; echo $status
    echo piped {pin} | acme set a.b.c 2>said; echo $status
    set -lx PRONTO_FORCE_{pin} {other}
    prontodb get (sed -n 's/.*cached as: //p' said)
    set -e PRONTO_FORCE_{pin}; set -e PRONTO_FORCE_{pin}
end"""
    done = fish(home, script)
    assert done.lines == [line for pin in PINS for line in ("6", "4", f"piped {pin}")]
    assert done.err.count("prontodb: 'acme' is pinned to another context than the one in force here\n") == len(PINS)
    assert home.call(*STORED).status == 2
    assert "main_alice.db" not in databases(home)


def test_a_pin_of_the_function_that_calls_is_seen(home: Home) -> None:
    """A variable of its own that it does not export, in the function or in a block of it."""
    caller = "function caller; set -l PRONTO_FORCE_USER $argv; begin; acme get a.b.c; echo $status; end; end"
    done = fish(home, f"{caller}; acme set a.b.c v; caller bob; caller alice; caller; caller alice bob; caller ALICE; acme get a.b.c; echo")
    assert done.lines == ["6", "v0", "6", "6", "6", "v"]


@pytest.mark.parametrize("value", ["", "''", "a b"])
def test_a_pin_that_is_set_but_empty_or_a_list_is_refused(home: Home, value: str) -> None:
    script = "".join(
        f"""
set -g PRONTO_FORCE_{pin} {value}; acme set a.b.c argument; echo $status
echo piped {pin} | acme set a.b.c 2>said; echo $status
set -e PRONTO_FORCE_{pin}; prontodb get (sed -n 's/.*cached as: //p' said)"""
        for pin in PINS
    )
    done = fish(home, script)
    assert done.lines == [line for pin in PINS for line in ("6", "4", f"piped {pin}")]
    assert databases(home) == []


def test_the_same_pin_runs(home: Home) -> None:
    same, script = [(pin, value) for pin, (_, value) in PINS.items() if value], "acme set a.b.c v\n"
    for how in ("-g", "-gx", "-U", "-Ux", "-l", "-lx", "-g --path"):
        script += "begin; " + "; ".join(f"set {how} PRONTO_FORCE_{pin} {value}" for pin, value in same) + "; acme get a.b.c; "
        script += "; ".join(f"set -e PRONTO_FORCE_{pin}" for pin, _ in same) + "; end\n"
    script += "PRONTO_FORCE_USER=alice acme get a.b.c"
    done = fish(home, script)
    assert (done.out, done.err) == (b"v" * 8, "")
    outside(home)


def test_its_pins_reach_the_command_over_variables_of_every_scope(home: Home) -> None:
    """Defaults, which may differ, too; and an exported list of the same text is the same."""
    source = wrap(home, "fish", *EVERYBODY, "-p", "proj", program=stub(home))
    for scope in ("-g", "-gx", "-U", "-Ux"):
        done = run(
            home, "fish", f"set {scope} PRONTO_PROJECT other; set {scope} PRONTO_FORCE_META acme; {source}; acme; set -e PRONTO_PROJECT"
        )
        assert shown(done.out)[:-3] == ["alice", "acme", "unset", "main", "unset"]
        assert shown(done.out)[STUB_SHOWS.index("PRONTO_PROJECT")] == "proj"


def test_what_stands_in_the_way_of_a_pin_is_no_way_out(home: Home) -> None:
    """A refusal that nobody exported; somebody who listens to the variables, and changes or erases them."""
    listener = """function listen{0} --on-variable PRONTO_FORCE_{0} --no-scope-shadowing
    test "$PRONTO_FORCE_{0}" != bob; and set -g PRONTO_FORCE_{0} bob; set -el PRONTO_FORCE_{0}; set -e PRONTO_FORCE_{0}
end
"""
    listeners = "".join(listener.format(pin) for pin in PINS)
    for trick in ("set -g PRONTO_REFUSED x", "set -gx PRONTO_REFUSED x", "set -g PRONTO_REFUSED", "set -U PRONTO_REFUSED x"):
        done = fish(home, f"{trick}; acme set a.b.c v; echo $status; set -e PRONTO_REFUSED")
        assert done.out == b"6\n", trick
    assert databases(home) == []
    fish(home, f"{listeners}\nacme set a.b.c v; acme set a.b.c w")
    outside(home)


def test_a_wrapper_within_a_wrapper(home: Home) -> None:
    wrap(home, "fish", "--user", "alice", "--meta", "globex", name="globex")
    wrap(home, "fish", name="again")
    pins = "set -gx PRONTO_FORCE_USER alice; set -gx PRONTO_FORCE_META acme; set -gx PRONTO_FORCE_DATABASE main"
    done = fish(home, f". ./globex.fish; . ./again.fish; {pins}; acme set a.b.c v; again get a.b.c; globex get a.b.c; echo $status")
    assert done.out == b"v6\n"


def test_options_that_say_otherwise_are_refused(home: Home) -> None:
    prepared(home)
    assert home.call("set", "a.b.c", "mine", *EVERYBODY).status == 0
    script, expected = "", []
    for name, other in OTHERWISE.items():
        assert home.call("set", "a.b.c", "SECRET", f"--{name}", other).status == 0
        forms = FORMS if name in ("user", "meta") else FORMS[2:3]
        script += "".join(f"\n{form.format(name, other)}; echo $status" for form in forms)
        script += f"\necho piped | acme set a.b.c --{name} {other} 2>said; echo $status\nacme get (sed -n 's/.*cached as: //p' said)"
        expected += ["6"] * len(forms) + ["4", "piped"]
    for variable, other in (("USER", "bob"), ("META", "globex"), ("DB", "other"), ("CURSOR", "work")):
        script += f"\nPRONTO_{variable}={other} acme get a.b.c; echo $status"
        expected.append("6")
    done = fish(home, script)
    assert done.lines == expected
    assert "SECRET" not in done.err
    assert home.call(*STORED).out == b"mine"


def test_a_pinned_cursor_and_a_pinned_profile(home: Home) -> None:
    prepared(home)
    home.call("profile", "add", "acme", *EVERYBODY, "-p", "proj", "-n", "names")
    script = f"{wrap(home, 'fish', '--cursor', 'work', name='work')}; {wrap(home, 'fish', '--profile', 'acme')}"
    calls = "work set a.b.c globex; acme set c v; acme get proj.names.c; work get a.b.c; work get a.b.c --meta acme; echo $status"
    done = run(home, "fish", f"{script}; {calls}; set -g PRONTO_FORCE_USER alice; acme get c; echo $status")
    assert done.out == b"vglobex6\n6\n"
    assert home.call("get", "proj.names.c", *EVERYBODY).out == b"v"


# At a terminal.


@pytest.fixture
def typed(home: Home) -> Iterator[Typist]:
    """Somebody at a fish that has read a wrapper."""
    (home.folder / "acme").write_bytes(rendered(home, "wrapper", "acme", "fish", *EVERYBODY))
    typist = Typist.at(home, "fish")
    assert typist.run(". ./acme") == ""
    yield typist
    typist.close()


def test_at_a_terminal(home: Home, typed: Typist) -> None:
    assert typed.run("acme set a.b.c hello; printf piped | acme set a.b.p; acme get a.b.p") == "piped"
    typed.child.sendline("clear; acme get a.b.c; echo EN''D; acme set a.b.d; echo ST''ATUS $status")
    typed.child.expect("hello\r\n.*END")
    typed.child.expect("No value for 'a.b.d'")
    typed.child.expect("STATUS 64")
    typed.child.sendline("echo precious | acme set bad.address")
    typed.child.expect("⚠️ +Invalid address 'bad.address' - content cached as: pipe.cache.")
    assert typed.run("acme get a.b.c; jobs -q; echo $status") == "hello1\n"


def test_an_abbreviation_of_its_name_gives_way(home: Home, typed: Typist) -> None:
    (home.folder / "init").write_bytes(rendered(home, "init", "fish"))
    typed.run("abbr -a acme 'echo hijacked'; abbr -a pronto 'echo hijacked'; abbr -a other 'echo still there'; . ./acme; . ./init")
    assert typed.run("acme set a.b.c v; acme get a.b.c; pronto get a.b.c --user alice --meta acme") == "vv"
    assert typed.run("abbr -q other; echo $status") == "0\n"


def test_typing_and_interrupting(home: Home, typed: Typist) -> None:
    typed.child.sendline("acme set a.b.c -")
    poll(typed.reading, "the command reads")
    typed.child.sendline("typed")
    typed.child.sendeof()
    assert typed.run("acme get a.b.c") == "typed\n"
    typed.child.sendline("acme set a.b.d -")
    poll(typed.reading, "the command reads")
    typed.child.sendintr()
    assert typed.run("acme exists a.b.d; echo $status") == "2\n"
