"""`shell init`, `shell unload` and `shell use` in fish, whose language is not that of test_shell_init and test_shell_use."""

from __future__ import annotations

import pytest

from .conftest import COMMAND, Home, Result
from .interactive import Typist, held, made, snapshot
from .shells import require
from .wrapping import CONFIGURED, EVERYBODY, canary, run

LOAD = [". ./{}", "cat {} | source", 'eval "$(cat {})"']
OWN = "alias mine=true; abbr -a my mine; complete -c mine -a x; set -g verbs own; function h --on-event x; end"
"""What somebody has already."""
CODE = "$(touch canary)(touch canary)"
"""What must not be run when it stands in a prompt."""


@pytest.fixture(autouse=True)
def _installed() -> None:
    require("fish")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What there is to load, generated once."""
    home = Home(tmp_path_factory.mktemp("made"))
    home.run("profile", "add", "acme", "--user", "alice", "--meta", "acme")
    calls = {"init": ("init", "fish"), "unload": ("unload", "fish"), "forget": ("unload", "fish", "acme")}
    calls |= {"wrapper": ("wrapper", "acme", "fish", "--profile", "acme"), "pin": ("use", "acme", "--eval", "fish")}
    return {f"{name}.fish": made(home, *words) for name, words in calls.items()}


@pytest.fixture
def loaded(home: Home, texts: dict[str, str]) -> Home:
    """A home with these files in it, and two profiles."""
    for name, text in texts.items():
        (home.folder / name).write_text(text)
    config = home.folder / ".config/prontodb"
    config.mkdir(parents=True)
    (config / "profiles.toml").write_text('[profiles.acme]\nuser = "alice"\nmeta = "acme"\n[profiles.other]\nuser = "bob"\n')
    return home


def fish(home: Home, script: str, *args: str, **feed: object) -> Result:
    """Runs a script behind the functions and the wrapper."""
    return run(home, "fish", f". ./init.fish; . ./wrapper.fish\n{script}", *args, **feed)


# Loading and unloading.


@pytest.mark.parametrize("name", ["init", "unload", "forget", "pin", "wrapper"])
def test_the_tools_find_nothing(loaded: Home, name: str) -> None:
    done = loaded.call("shell", "check", f"{name}.fish")
    assert (done.status, done.lines) == (0, [f"{name}.fish\tfish\tok", f"{name}.fish\tfish_indent\tok"])


@pytest.mark.parametrize("form", LOAD)
def test_it_loads_silently_twice(loaded: Home, form: str) -> None:
    line = f"{form.format('init.fish')}; {form.format('wrapper.fish')}"
    done = run(loaded, "fish", f"{OWN}\n{line}\n{snapshot('fish', 'one')}\n{line}\n{snapshot('fish', 'two')}")
    assert (done.status, done.out, done.err) == (0, b"", "")
    assert held(loaded.folder / "one") == held(loaded.folder / "two")


@pytest.mark.parametrize("unload", ["pronto_unload", ". ./unload.fish"])
def test_unloading_leaves_the_shell_as_it_was(loaded: Home, unload: str) -> None:
    script = (
        f"{OWN}\n{snapshot('fish', 'before')}\n. ./init.fish; . ./wrapper.fish; . ./init.fish\npronto --version; complete -c acme | wc -l"
    )
    done = run(loaded, "fish", f"{script}\n{unload}; . ./forget.fish\n{snapshot('fish', 'after')}")
    assert (done.status, done.err) == (0, "")
    assert done.lines[0].startswith("prontodb ")
    assert done.lines[1].strip() == "2"
    assert held(loaded.folder / "before") == held(loaded.folder / "after")


def test_unloading_where_nothing_is_loaded(loaded: Home) -> None:
    assert run(loaded, "fish", ". ./unload.fish; . ./forget.fish").err == ""


def test_unloading_takes_the_completion_of_wrappers_along(loaded: Home) -> None:
    done = fish(loaded, "complete | grep -c acme; pronto_unload; complete | grep -c __prontodb")
    assert done.lines == ["2", "0"]


NAMES = "pronto pronto_unload printf echo true false complete functions type count contains source"


@pytest.mark.parametrize("form", LOAD[:2])
def test_functions_of_the_same_names_are_no_obstacle(loaded: Home, form: str) -> None:
    functions = "\n".join(f"function {name}; builtin echo hijacked; end" for name in NAMES.split() if name != "source" or form == LOAD[0])
    done = run(
        loaded, "fish", f"{functions}\n{form.format('init.fish')}\npronto set a.b.c v; pronto get a.b.c; pronto_unload; functions -q pronto"
    )
    assert (done.status, done.out, done.err) == (0, b"vhijacked\n", "")
    done = run(loaded, "fish", f"{functions}\n{form.format('init.fish')}\ncomplete -C 'prontodb she' | string replace -r '\\t.*' ''")
    assert done.out == b"hijacked\n"


def test_failing_is_no_success(home: Home) -> None:
    for load in ("prontodb shell init nosuch | source", 'eval "$(prontodb shell init nosuch)"'):
        assert run(home, "fish", f"{load}; echo $status").out == b"1\n"


# The function pronto.


def test_pronto_passes_everything_through(loaded: Home) -> None:
    script = """pronto set a.b.c 'two  words * $HOME
and ~ a line'
pronto get a.b.c
printf ' | '
printf piped | pronto set a.b.d
pronto get a.b.d | cat
pronto get a.b.none; printf ' | %s' $status
pronto get a.b.e --from 2>err; printf ' | %s' $status
pronto set a.b.f ''; printf ' | %s' $status
printf lost | pronto set a..b 2>err; printf ' | %s' $status
pronto get a.b.c <err | wc -l"""
    done = fish(loaded, script)
    assert done.out.decode() == "two  words * $HOME\nand ~ a line | piped | 2 | 64 | 0 | 41\n"
    assert done.err == "prontodb: No such key: a.b.none\n"


VALUES = [b"", b"x", b"two\nlines\n\n", b"\n", b" a  b ", b"\xff\xfe\x80", "\uf600\ufdd0\u2603".encode(), b"-n", b"x" * 300_000]


@pytest.mark.parametrize("odd", ["", "set IFS ''; set -gx LC_ALL C"])
def test_a_value_in_a_variable_is_the_same_value(loaded: Home, odd: str) -> None:
    for number, value in enumerate(VALUES):
        loaded.call("set", f"a.b.k{number}", "--allow-empty", stdin=value)
    each = "".join(f"pronto get -v value a.b.k{number}; printf '%s\\0' $value\n" for number in range(len(VALUES)))
    done = fish(loaded, f"{odd}\n{each}")
    assert (done.out, done.err) == (b"".join(value + b"\0" for value in VALUES), "")


def test_the_variable_is_the_callers(loaded: Home) -> None:
    """One that is there changes where it is; a new one is the function's that calls; outside of functions it is global."""
    script = """set -g there old; set -U there_too old
function caller
    pronto get -v new a.b.c; pronto get -v there a.b.c
    begin; set -l inner old; pronto get -v inner a.b.c; echo $inner; end
    set -l argv_before $argv
    acme get -v pinned a.b.c; echo $new $pinned $argv
end
pronto set a.b.c v; acme set a.b.c alices
caller its own
echo $there; set -q new; or echo none of ours
pronto get -v outside a.b.c; echo $outside; set -S outside | string match -q '*global*'; and echo global
pronto get -v there_too a.b.c; set -S there_too | string match -q '*universal*'; and echo universal
"""
    done = run(loaded, CONFIGURED, f". ./init.fish; . ./wrapper.fish\n{script}")
    assert done.lines == ["v", "v alices its own", "v", "none of ours", "v", "global", "universal"]
    assert done.err == ""


REFUSED = {
    "none a.b.none": (2, "prontodb: No such key: a.b.none"),
    "none n.u.l": (65, "prontodb: n.u.l has a NUL in it, which no shell variable can hold"),
    "argv a.b.c": (64, "prontodb: Got unexpected extra argument"),
    "'a b' a.b.c": (64, "prontodb: Got unexpected extra argument"),
    "a-b a.b.c": (64, "prontodb: Got unexpected extra argument"),
    "__pronto_end a.b.c": (64, "prontodb: Got unexpected extra argument"),
    "status a.b.c": (1, "set: Tried to change the read-only variable 'status'"),
    "none a..c": (64, "prontodb: Invalid address 'a..c'"),
}


@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_what_cannot_be_in_a_variable_is_refused(loaded: Home, door: str) -> None:
    for words, (status, said) in REFUSED.items():
        for more in ((), EVERYBODY):
            loaded.call("set", "n.u.l", *more, stdin=b"a\0b")
            loaded.call("set", "a.b.c", "v", *more)
        done = fish(loaded, f"set none before; {door} get -v {words}; echo $status $none")
        assert done.out == f"{status} before\n".encode(), words
        assert done.err.startswith(said), words


def test_options_may_follow(loaded: Home) -> None:
    loaded.call("set", "a.b.c", "v")
    done = fish(
        loaded,
        "pronto get -v v a.b.none --default 'x y'; echo $v; pronto get -v v a.b.c --rev; echo $v; pronto get -v v a.b.c --bogus; echo $status",
    )
    assert done.lines == ["x y", "1", "", "64"]
    assert done.err.startswith("prontodb: No such option '--bogus'")


def test_more_than_fish_takes_is_no_value(loaded: Home) -> None:
    done = fish(
        loaded, "set fish_read_limit 3; set v before; pronto set a.b.c 12345; pronto get -v v a.b.c; echo $status $v; pronto get a.b.c"
    )
    assert done.out == b"1 before\n12345"
    assert "Too much data" in done.err


def test_a_wrapper_puts_what_is_in_its_pin_into_a_variable(loaded: Home) -> None:
    script = "pronto set a.b.c loose; acme get -v v a.b.c; echo $status; acme set a.b.c pinned; acme get -v v a.b.c; echo $v"
    done = fish(loaded, f"{script}; set -g PRONTO_FORCE_USER bob; acme get -v v a.b.c; echo $status $v; env | grep FORCE")
    assert done.lines == ["2", "pinned", "6 pinned"]


# Pinned shells.


def use(home: Home, config: str, **env: str) -> Typist:
    """Somebody at a pinned fish, who has this in their own file."""
    (home.folder / ".config/fish").mkdir(parents=True)
    (home.folder / ".config/fish/config.fish").write_text(config + "\n")
    return Typist(home, [COMMAND, "shell", "use", "acme", "--shell", "fish"], **env)


def test_the_shell_is_pinned_and_says_so(loaded: Home) -> None:
    """The marker stands in front of the user's own prompt, which shows what it would without it."""
    typist = use(loaded, "function fish_prompt; printf '<%s> mine> ' \"$pipestatus $status\"; end; set -g READ yes; set -g fish_greeting")
    typist.shown("(acme) <0 0> mine> ")
    typist.child.sendline("false | true")
    typist.shown("(acme) <1 0 0> mine> ")
    assert typist.run("echo $READ $PRONTO_FORCE_PROFILE") == "yes acme\n"
    assert typist.run("prontodb set a.b.c v; prontodb get a.b.c --user alice --meta acme") == "v"
    assert typist.run("prontodb get a.b.c --user other 2>/dev/null; echo $status") == "6\n"
    assert typist.run("functions -q pronto_unpin; echo $status") == "1\n"
    assert typist.run(f"set PRONTO_PROMPT '{CODE}'") == ""
    typist.shown(CODE)
    assert typist.leave("exit 7") == 7
    assert not canary(loaded).exists()


@pytest.mark.parametrize(
    ("config", "env", "shown"),
    [
        ("function fish_prompt; printf 'mine> '; end", {"PRONTO_DISABLE_PROMPT": "1"}, "\rmine> "),
        ("function fish_prompt; printf '[%s]mine> ' $PRONTO_PROMPT; end", {}, "\r[(acme) ]mine> "),
        ("function fish_prompt; printf 'mine> '; end; function fish_mode_prompt; printf 'mode '; end", {}, "\r(acme) mode mine> "),
    ],
)
def test_a_marker_is_shown_once_or_not_at_all(loaded: Home, config: str, env: dict[str, str], shown: str) -> None:
    typist = use(loaded, f"set -g fish_greeting; {config}", **env)
    typist.child.expect_exact("mine> ")
    before = "\r" + (typist.child.before or "").rpartition("\r")[2] + "mine> "
    assert before.endswith(shown.replace("\r", "")), before
    assert before.count("(acme)") == shown.count("(acme)")
    assert typist.run("echo $PRONTO_FORCE_PROFILE") == "acme\n"
    typist.close()


def test_without_a_terminal_it_reads_a_script(loaded: Home) -> None:
    done = loaded.run("shell", "use", "acme", stdin=b"echo $PRONTO_FORCE_PROFILE $version\nexit 5\n", env={"SHELL": "/usr/bin/fish"})
    assert (done.status, done.err) == (5, "")
    assert done.lines[0].startswith("acme 3.") or done.lines[0].startswith("acme 4.")


PIN = "env | string match -r '^PRONTO_(?:FORCE_PROFILE|PROMPT)=.*'; prontodb get a.b.c --user other 2>err; echo $status"


@pytest.mark.parametrize("form", [*LOAD, "prontodb shell use acme --eval fish | source; true {}"])
@pytest.mark.parametrize("times", [1, 2])
def test_unpinning_leaves_the_shell_as_it_was(loaded: Home, form: str, times: int) -> None:
    pin = "\n".join([form.format("pin.fish")] * times)
    done = run(
        loaded, "fish", f"{OWN}\n{snapshot('fish', 'before')}\n{pin}\n{PIN}\npronto_unpin; echo $status\n{snapshot('fish', 'after')}"
    )
    assert (done.lines, done.err) == (["PRONTO_FORCE_PROFILE=acme", "PRONTO_PROMPT=(acme) ", "6", "0"], "")
    assert held(loaded.folder / "before") == held(loaded.folder / "after")


def test_pinning_and_unpinning_at_a_prompt(loaded: Home) -> None:
    typist = Typist.at(loaded, "fish")
    typist.run("function fish_prompt; printf 'mine> '; end; function fish_mode_prompt; printf 'mode '; end")
    assert typist.run(snapshot("fish", "before")) == ""
    assert typist.run("prontodb shell use acme --eval fish | source") == ""
    typist.shown("(acme) mode mine> ")
    assert typist.run(f"set PRONTO_PROMPT '{CODE}'") == ""
    typist.shown(CODE)
    assert typist.run(f"pronto_unpin; {snapshot('fish', 'after')}") == ""
    assert sorted(set(held(loaded.folder / "after")) ^ set(held(loaded.folder / "before"))) == []
    assert typist.run("prontodb shell use acme --eval fish | source; function fish_mode_prompt; printf 'new '; end; pronto_unpin") == ""
    typist.shown("new mine> ")
    assert typist.run("functions fish_mode_prompt | string match '*new*'") != ""
    typist.close()
    assert not canary(loaded).exists()


def test_a_pin_that_nobody_has_exported_is_exported_and_another_stays(loaded: Home) -> None:
    done = run(loaded, "fish", f"set -g PRONTO_FORCE_PROFILE acme\n. ./pin.fish\n{PIN}")
    assert (done.lines, done.err) == (["PRONTO_FORCE_PROFILE=acme", "6"], "")
    for other in ("set -g PRONTO_FORCE_PROFILE other", "set -g PRONTO_FORCE_PROFILE", "set -U PRONTO_FORCE_PROFILE other"):
        done = run(loaded, CONFIGURED, f"{other}\n. ./pin.fish; echo $status; functions -a | grep pronto; set -e PRONTO_FORCE_PROFILE")
        assert (done.out, done.err) == (b"1\n", "prontodb: Another profile is pinned here\n")
    # The pin of this shell's own stays whole, and one that came from elsewhere gets no end.
    other = (loaded.folder / "pin.fish").read_text().replace("acme", "other")
    (loaded.folder / "other.fish").write_text(other)
    done = run(loaded, "fish", ". ./pin.fish; . ./other.fish; echo $status; pronto_unpin; set -q PRONTO_FORCE_PROFILE; echo $status")
    assert done.lines == ["1", "1"]
    done = run(loaded, "fish", ". ./pin.fish; functions -a | grep pronto", env={"PRONTO_FORCE_PROFILE": "acme"})
    assert (done.out, done.err) == (b"", "")
    done = run(loaded, "fish", "set -gx PRONTO_FORCE_PROFILE other\nprontodb shell use acme --eval fish | source; echo $status")
    assert done.out == b"1\n"


def test_the_function_pronto_is_pinned_too(loaded: Home) -> None:
    calls = "pronto set a.b.c v; pronto get a.b.c --user alice --meta acme; pronto get a.b.c --user other 2>err; echo $status"
    done = fish(loaded, f"pronto set a.b.c mine; . ./pin.fish; {calls}; pronto_unpin; pronto get a.b.c")
    assert (done.out, done.err) == (b"v6\nmine", "")
