"""What `prontodb shell wrapper` prints, in every combination of its options: sound, inert, and no code but its own (DESIGN §9)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prontodb import shellwords
from prontodb.cli import specs
from prontodb.errors import UsageError
from prontodb.shellgen import STAMP, Templates

from .conftest import COMMAND, Home
from .interactive import held, snapshot
from .shells import require
from .wrapping import ALL, EVERYBODY, HOSTILE, STATUS, STUB_SHOWS, canary, databases, kind, raw, rendered, run, shown, stub, wrap

KINDS = ("bash", "zsh")
EVERY = (*KINDS, "fish")
TOOLS = Path(sys.executable).parent
NAMES = ("acme", "_a", "A_1", "x" * 64)
OPTIONS = {"": (), " -p": ("-p", "proj"), " -p -n": ("-p", "proj", "-n", "names")}
FORMS = {
    "profile": ("--profile", "acme"),
    "user meta": EVERYBODY,
    "user": ("--user", "alice"),
    "cursor": ("--cursor", "work"),
    "database": ("--database", "./it's $(touch canary).db"),
    "all": ("--user", "alice", "--meta", "acme", "--cursor", "alices", "--database", "./store.db"),
}
KIN_FORMS = {"any kin": (), "user": ("--user", "keeper"), "profile": ("--profile", "keeper")}
"""For a template that chooses user, meta and cursor itself."""
TEMPLATES = {shell: list(Templates({"HOME": "/nonexistent"}).names(shell)) for shell in EVERY}


def cases(template: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Of one template: the form and the options, the function's name, the flags."""
    forms = KIN_FORMS if template == "pantheon" else FORMS
    for name in NAMES:
        for form, flags in forms.items():
            for option, more in OPTIONS.items() if forms is FORMS and form != "profile" else [("", ())]:
                yield form + option, name, (*flags, *more)


def prepared(home: Home) -> Home:
    """Profiles and cursors for all forms."""
    home.call("profile", "add", "acme", *EVERYBODY, "--database", "store", "-p", "proj")
    home.call("profile", "add", "keeper", "--user", "keeper")
    home.call("cursor", "set", "work", "store", "--meta", "acme")
    home.call("cursor", "set", "alices", "./store.db", "--meta", "acme", "--user", "alice")
    return home


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One home for the whole matrix."""
    return prepared(Home(tmp_path_factory.mktemp("matrix")))


@pytest.fixture(params=[(template, shell) for shell in EVERY for template in TEMPLATES[shell]], ids=" ".join, scope="module")
def matrix(request: pytest.FixtureRequest, stage: Home) -> tuple[str, str, dict[str, Path]]:
    """A template and a shell; and all files that come of them."""
    template, shell = request.param
    require(shell)
    folder = stage.folder / f"{template}.{shell}"
    folder.mkdir()
    files = {}
    for number, (label, name, flags) in enumerate(cases(template)):
        path = files[f"{name} {label}"] = folder / f"{number}.{name[:5]}.{shell}"
        path.write_bytes(rendered(stage, "wrapper", name, shell, "--template", template, *flags))
    return template, shell, files


Matrix = tuple[str, str, dict[str, Path]]


def quiet(stage: Home, *argv: str | Path) -> None:
    """Runs a command that must have nothing to say."""
    done = subprocess.run([str(word) for word in argv], capture_output=True, env=stage.env, cwd=stage.folder, timeout=120, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), argv


def test_every_template_is_in_the_matrix() -> None:
    assert {shell: {*names} for shell, names in TEMPLATES.items()} == {
        "bash": {"fx", "pantheon"},
        "zsh": {"fx", "pantheon"},
        "fish": {"fx"},
    }
    assert all(list(cases(template)) for template in TEMPLATES["bash"])


def test_the_text_is_sound(stage: Home, matrix: Matrix) -> None:
    _, shell, files = matrix
    if shell == "fish":
        quiet(stage, "fish_indent", "--check", *files.values())
    else:
        quiet(stage, TOOLS / "shfmt", "--diff", "--indent", "4", "-ln", shell, *files.values())
    for path in files.values():
        quiet(stage, *ALL[shell], "-n", path)
    if shell == "bash":
        # Names change nothing; a long template takes a second.
        quiet(stage, TOOLS / "shellcheck", "--shell=bash", *(path for label, path in files.items() if label.startswith("acme ")))


def test_reading_it_in_a_strict_shell_says_nothing(stage: Home, matrix: Matrix) -> None:
    _, shell, files = matrix
    for mode in ALL:
        strict = () if mode == "fish" else ("-eu", "-o", "pipefail")
        if kind(mode) == shell:
            for path in files.values():
                quiet(stage, *ALL[mode], *strict, path)
                quiet(stage, *ALL[mode], *strict, "-c", f'eval "$(cat {path})"')
                quiet(stage, *ALL[mode], *strict, "-c", f"cat {path} | source" if shell == "fish" else ":")
    assert not canary(stage).exists()


OWN = dict.fromkeys(KINDS, "alias ll='ls -l'; trap 'echo bye' USR1; PS1='$ '; zmodload zsh/parameter 2>/dev/null")
OWN["fish"] = "alias mine='ls -l'; abbr -a my mine; complete -c mine -a x; function h --on-variable X; echo changed; end"
"""What somebody has already."""


def test_reading_it_twice_changes_nothing_and_unloading_undoes_it(stage: Home, matrix: Matrix) -> None:
    template, shell, files = matrix
    away = {name: stage.folder / f"away.{name}" for name in NAMES}
    for name, path in away.items():
        path.write_bytes(rendered(stage, "unload", shell, name, "--template", template))
    for mode in (mode for mode in ALL if kind(mode) == shell):
        apart = "begin; {}; end" if shell == "fish" else "( {} )"
        lines = [OWN[shell]]
        for path, (_, name, _) in zip(files.values(), cases(template), strict=True):
            steps = [f". {path}", f". {path}", f". {away[name]}"]
            taken = [snapshot(shell, f"{path}.{number}") for number in range(4)]
            lines.append(apart.format(f"{taken[0]}; " + "; ".join(f"{step}; {taken[number + 1]}" for number, step in enumerate(steps))))
        done = run(stage, mode, "\n".join(lines))
        assert (done.status, done.out, done.err) == (0, b"", "")
        for label, path in files.items():
            before, once, twice, after = (held(Path(f"{path}.{number}")) for number in range(4))
            assert before != once, label
            assert once == twice, label
            assert before == after, label


def test_sections_stand_in_the_same_order(matrix: Matrix) -> None:
    template, _, files = matrix
    for path, (_, name, _) in zip(files.values(), cases(template), strict=True):
        lines = path.read_text().splitlines()
        functions = [number for number, line in enumerate(lines) if line.startswith("function ")]
        completion = [number for number, line in enumerate(lines) if re.match(r"(if|    ).*(compdef|complete -F|complete_for)", line)]
        assert lines[0].startswith(STAMP)
        assert lines[1].startswith(f"# {name}: ")
        assert functions
        assert all(number > functions[-1] for number in completion)
        assert specs.stamped(lines[0])


@pytest.mark.parametrize("shell", EVERY)
def test_unloading_takes_completion_away(home: Home, shell: str) -> None:
    require(shell)
    (home.folder / "init").write_bytes(rendered(home, "init", shell))
    (home.folder / "away").write_bytes(rendered(home, "unload", shell, "acme"))
    start = "autoload -Uz compinit; compinit -u -D; zmodload zsh/parameter" if shell == "zsh" else ":"
    # zsh hides what is completed from listings.
    registered = {
        "bash": "complete -p acme &>/dev/null",
        "zsh": "[[ ${_comps[acme]-} == _prontodb ]]",
        "fish": "complete -c acme | string match -q '*__prontodb_complete*'",
    }[shell]
    still = f"{registered} && echo still" if shell == "fish" else f"if {registered}; then echo still; fi"
    steps = [
        snapshot(shell, "before"),
        wrap(home, shell),
        registered,
        ". ./away",
        still,
        snapshot(shell, "after"),
    ]
    done = run(
        home,
        shell,
        "\n".join([start, ". ./init", *steps]),
        options=() if shell == "fish" else ("-e",),
    )
    assert (done.status, done.out, done.err) == (0, b"", "")
    assert held(home.folder / "before") == held(home.folder / "after")


# Options of the shells.

KEPT_FROM = {
    "bash": "noexec onecmd restricted_shell restricted verbose xtrace",
    "zsh": "noexec exec singlecommand onecmd interactive shinstdin stdin restricted monitor zle verbose xtrace sourcetrace",
}
"""Options that no script can have or change; that forbid what the function does; that show what is read and done."""
LISTED = {"bash": "set -o; shopt", "zsh": "for o in ${(k)options}; print $o $options[$o]"}
SWITCHES = {"bash": ("set -o {0}", "set +o {0}", "shopt -s {0}", "shopt -u {0}"), "zsh": ("setopt {0}", "unsetopt {0}")}
ARGUMENTS = ["a b", "", "*", "x=y", "it's", "$(touch canary)", "~", "-n", "!!"]


@pytest.mark.parametrize("shell", KINDS)
def test_no_option_of_the_shell_makes_a_difference(home: Home, shell: str) -> None:
    require(shell)
    source = wrap(home, shell, "--user", "alice", "--database", f"{home.folder}/it's $(touch canary)*.db", "-p", "proj", program=stub(home))
    listed = run(home, shell, LISTED[shell]).lines
    names = [name for name in (line.split()[0] for line in listed) if name not in KEPT_FROM[shell].split()]
    assert len(names) > 60
    switches = [switch.format(name) for name in names for switch in SWITCHES[shell]]
    switches += [f"emulate {other}" for other in ("sh", "ksh", "csh", "zsh")] if shell == "zsh" else []
    script = (
        'for switch; do printf "%s\\0" "[$switch]"; (eval "$switch" 2>/dev/null || exit; ' + source + '; acme "${words[@]}" 2>&1); done'
    )
    words = " ".join(shellwords.quote(word) for word in ARGUMENTS)
    done = run(home, shell, f"words=({words})\n{script}", *switches)
    found = re.findall(r"\[([^\0]*)\]\0((?:(?!\[(?:set|shopt|setopt|unsetopt|emulate))[^\0]*\0)*)", done.out.decode())
    pins = ["alice", "-", "unset", f"{home.folder}/it's $(touch canary)*.db", "unset", "proj", "unset", "unset"]
    assert [switch for switch, _ in found] == switches
    assert {switch: out for switch, out in found if out and shown(out.encode()) != [*pins, *ARGUMENTS]} == {}
    assert sum(bool(out) for _, out in found) > len(names), "most of them can be set"
    assert not canary(home).exists()


# Values that look like code.


@pytest.mark.parametrize("mode", ALL)
def test_hostile_paths_are_no_code(home: Home, mode: str) -> None:
    require(kind(mode))
    paths = [f"{home.folder}/{value}/x.db" for value in HOSTILE]
    program, script = stub(home), ""
    for number, path in enumerate(paths):
        source = wrap(home, mode, "--database", path, "-p", "p", name=f"acme{number}", program=program)
        script += f'{source}\nacme{number}\neval "$(cat acme{number}.{kind(mode)})"\nacme{number}\n'
    done = run(home, mode, script)
    seen = shown(done.out)[STUB_SHOWS.index("PRONTO_FORCE_DATABASE") :: len(STUB_SHOWS)]
    assert (done.status, done.err, seen) == (0, "", [path for path in paths for _ in "..,"[:2]])
    assert not canary(home).exists()


def test_a_hostile_path_holds_the_data(home: Home) -> None:
    for number, value in enumerate(HOSTILE):
        folder = home.folder / "data" / f"{number}{value}"
        Path(str(folder)).mkdir(parents=True)
        source = wrap(home, "bash", "--database", f"{folder}/x.db")
        done = run(home, "bash", f"{source}; acme set a.b.c {number} && acme get a.b.c")
        assert (done.status, done.out, done.err) == (0, str(number).encode(), ""), value
        assert (folder / "x.db").exists()
    assert not canary(home).exists()


@pytest.mark.parametrize("mode", ALL)
def test_hostile_template_values_are_no_code(home: Home, mode: str) -> None:
    """All at once, and the program too: what finds its way into a value may come from anywhere."""
    require(kind(mode))
    script, expected = "", []
    for number, value in enumerate(filter(None, HOSTILE)):
        folder = home.folder / "bin" / value
        folder.mkdir(parents=True)
        Path(stub(home)).rename(folder / "prog ram")
        spec = {"make": "wrapper", "template": "fx", "name": "acme", "shell": kind(mode), "kin": value}
        spec |= {"pins": {"user": value, "meta": value, "database": value}, "defaults": {"project": value, "namespace": value}}
        values = {**specs.VALUES["wrapper"](spec), "shell": kind(mode), "stamp": value, "program": (str(folder / "prog ram"), value)}
        (home.folder / f"{number}").write_bytes(raw(Templates(home.env).wrapper("fx", values)))
        script += f". ./{number}\nacme\n"
        expected += [value, value, "unset", value, "unset", value, value, "unset", value]
    done = run(home, mode, script)
    assert (done.status, done.err, shown(done.out)) == (0, "", expected)
    assert not canary(home).exists()


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_a_stamp_is_one_line_and_says_the_same(spec: dict[str, object]) -> None:
    line = STAMP + shellwords.remark(json.dumps(wanted := {**spec, "make": "wrapper"}))
    assert line.isprintable()
    assert line.isascii()
    assert specs.stamped(line + "\n") == wanted


# What is refused.

BAD_NAMES = [
    "",
    "1a",
    "a-b",
    "a b",
    "a\n",
    "a;b",
    "$(x)",
    "ä",
    "x" * 65,
    "a.b",
    "-x",
    "if",
    "for",
    "function",
    "test",
    "cd",
    "local",
    "repeat",
]
BAD_NAMES += ["prontodb", "pronto", "pronto_unload", "__pronto_x", "_prontodb", "precmd", "TRAPEXIT", "command_not_found_handle"]
BAD = [
    (64, "Nothing to pin", ("acme", "bash")),
    (64, "Nothing to pin", ("acme", "bash", "-p", "proj")),
    (64, "Unknown profile 'nope'", ("acme", "bash", "--profile", "nope")),
    (64, "Unknown template 'nope'", ("acme", "bash", *EVERYBODY, "--template", "nope")),
    (64, "Unknown template '../layout'", ("acme", "bash", *EVERYBODY, "--template", "../layout")),
    (64, "cursor 'nope'", ("acme", "bash", "--cursor", "nope")),
    (64, "'tcsh'", ("acme", "tcsh", *EVERYBODY)),
    (64, "Template 'pantheon' is not for fish", ("acme", "fish", "--template", "pantheon")),
    (64, "Unknown template 'nope'", ("acme", "fish", *EVERYBODY, "--template", "nope")),
    (64, "Missing argument", ("acme",)),
    (64, "Missing argument", ()),
    (64, "No such option", ("acme", "bash", "--usr", "alice")),
    (64, "extra argument", ("acme", "bash", "more", *EVERYBODY)),
    (64, "Both --profile", ("acme", "bash", "--profile", "acme", "--user", "bob")),
    (64, "Both --profile", ("acme", "bash", "--profile", "acme", "-p", "other")),
    (64, "Invalid user", ("acme", "bash", "--user", "a b")),
    (64, "Invalid meta", ("acme", "bash", "--meta", "$(x)")),
    (64, "Invalid database", ("acme", "bash", "--database", "../x.db")),
    (64, "Invalid database", ("acme", "bash", "--database", "a_b")),
    (64, "no engine", ("acme", "bash", "--database", "nosuch://host/db")),
    (64, "Invalid project 'a b'", ("acme", "bash", *EVERYBODY, "-p", "a b")),
    (64, "Invalid namespace ''", ("acme", "bash", *EVERYBODY, "-n", "")),
]
PINNED = [
    (6, "pinned", ("acme", "bash", "--user", "bob")),
    (6, "pinned", ("acme", "bash", "--profile", "keeper")),
    (6, "pinned", ("acme", "bash", "--meta", "globex")),
]


def refused(home: Home, *argv: str, status: int, why: str, **options: dict[str, str]) -> None:
    """A call that must give the shell nothing but a failure to evaluate."""
    done = home.call(*argv, **options)
    assert (done.status, done.out) == (status, b"false\n"), (argv, done)
    assert why in done.err, (argv, done)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_are_refused(stage: Home, name: str) -> None:
    for verb in (("wrapper", name, "bash", *EVERYBODY), ("unload", "bash", name)):
        refused(stage, "shell", *(("--", *verb) if name == "-x" else verb), status=64, why="" if name == "-x" else "Invalid function name")


@pytest.mark.parametrize("name", ["if", "end", "begin", "string", "fish_prompt", "__fish_config", "psub", "pronto", "_"])
def test_bad_names_in_fish_are_refused(stage: Home, name: str) -> None:
    for verb in (("wrapper", name, "fish", *EVERYBODY), ("unload", "fish", name)):
        refused(stage, "shell", *verb, status=64, why="Invalid function name")


@pytest.mark.parametrize(("status", "why", "argv"), BAD, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_bad_calls_are_refused(stage: Home, status: int, why: str, argv: tuple[str, ...]) -> None:
    refused(stage, "shell", "wrapper", *argv, status=status, why=why)


def test_other_bad_calls_are_refused(stage: Home) -> None:
    refused(stage, "shell", status=64, why="A verb is missing")
    refused(stage, "shell", "warpper", status=64, why="Unknown verb 'warpper'")
    refused(stage, "shell", "--bogus", "wrapper", "acme", "bash", status=64, why="No such option")
    refused(stage, "shell", "unload", "bash", "acme", "--template", "nope", status=64, why="Unknown template")
    refused(stage, "shell", "init", "tcsh", status=64, why="'tcsh'")
    assert stage.call("shell", "templates", "--bogus").out == b""


@pytest.mark.parametrize(("status", "why", "argv"), PINNED)
def test_a_pin_in_force_is_not_widened(stage: Home, status: int, why: str, argv: tuple[str, ...]) -> None:
    pins = {"PRONTO_FORCE_USER": "alice", "PRONTO_FORCE_META": "acme"}
    refused(stage, "shell", "wrapper", *argv, status=status, why=why, env=pins)
    assert stage.call("shell", "wrapper", "acme", "bash", *EVERYBODY, env=pins).status == 0


def test_a_cursor_and_options_that_contradict_it_are_refused(stage: Home) -> None:
    refused(stage, "shell", "wrapper", "acme", "bash", "--cursor", "work", "--database", "other", status=6, why="'other'")
    refused(stage, "shell", "wrapper", "acme", "bash", "--cursor", "work", "--meta", "globex", status=6, why="'globex'")


@pytest.mark.parametrize("mode", ALL)
def test_evaluating_what_failed_fails(home: Home, mode: str) -> None:
    require(kind(mode))
    done = run(
        home,
        mode,
        f'eval "$(prontodb shell wrapper if {kind(mode)} --user alice)"; echo {STATUS[mode]}; eval "$(prontodb shell)" || echo no',
    )
    assert done.out == b"1\nno\n"
    assert "Invalid function name 'if'" in done.err


def test_no_function_takes_the_place_of_a_shells_own() -> None:
    require("zsh")
    builtins = "print -l ${(k)builtins} ${(k)reswords} ${(k)dis_builtins} ${(k)dis_reswords}"
    listed = subprocess.run(["bash", "-c", "compgen -b -k"], capture_output=True, text=True, check=True).stdout.split()
    listed += subprocess.run(
        ["zsh", "-f", "-c", f"zmodload zsh/parameter; {builtins}"], capture_output=True, text=True, check=True
    ).stdout.split()
    missed = {name for name in listed if shellwords.NAME.match(name) and name not in shellwords.RESERVED}
    assert len(set(listed)) > 100
    assert missed == set()


def test_no_function_takes_the_place_of_one_of_fishs_own() -> None:
    require("fish")
    done = subprocess.run(["fish", "--no-config", "-c", "builtin -n; functions -a -n"], capture_output=True, text=True, check=True)
    names = [name for name in done.stdout.split() if shellwords.NAME.match(name)]
    assert len(names) > 200
    for name in names:
        with pytest.raises(UsageError, match="Invalid function name"):
            shellwords.function_name(name, "fish")


ROOT = Path(__file__).parent.parent
SOURCES = [*(ROOT / "shell").glob("*.*sh"), *(ROOT / "templates").rglob("*.j2")]


@pytest.mark.parametrize("path", sorted(SOURCES), ids=lambda path: str(path.name))
def test_no_function_returns_without_a_status(path: Path) -> None:
    """In a trap, "return" without one would be what bash was at before the trap: a failure, or the opposite."""
    if ".fish" not in path.name:
        assert re.findall(r".*\breturn *(?:$|[;}&|].*)", path.read_text(), re.M) == []


# Where the text leads.


def test_a_relative_database_is_pinned_from_anywhere(home: Home) -> None:
    for target in ("./x.db", "sqlite://./x.db"):
        source = wrap(home, "bash", "--database", target)
        assert run(home, "bash", f"{source}; mkdir -p elsewhere; cd elsewhere; acme set a.b.c {target[:4]}").status == 0
        assert databases(home) == ["x.db"]
        assert home.call("get", "a.b.c", "--database", "./x.db").out == target[:4].encode()


def test_the_same_call_prints_the_same_text_and_the_command_is_absolute(home: Home) -> None:
    texts = {rendered(home, "wrapper", "acme", "zsh", *EVERYBODY) for _ in range(2)}
    texts.add(home.run("shell", "wrapper", "acme", "zsh", *EVERYBODY).out)
    texts.add(run(home, "bash", f"cd {Path(COMMAND).parent}; ./prontodb shell wrapper acme zsh {' '.join(EVERYBODY)}").out)
    assert len(texts) == 1
    assert f"\\builtin exec '{COMMAND}' \"$@\"" in texts.pop().decode()


def test_quoted_words_are_text_only() -> None:
    with pytest.raises(UsageError, match="NUL"):
        shellwords.quote("a\0b")
    for bad in (3, None, b"x", ["x"]):
        with pytest.raises(UsageError, match="Only text"):
            shellwords.quote(bad)
    with pytest.raises(UsageError, match="Only a list"):
        shellwords.words("abc")
