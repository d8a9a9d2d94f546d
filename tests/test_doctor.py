"""`prontodb shell doctor`, `shell check` and `shell templates` (DESIGN §9)."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from prontodb import __version__
from prontodb.shellgen import STAMP

from .conftest import COMMAND, Home, Result
from .interactive import compinit, made
from .shells import require
from .test_shell_init import MODES, kind, run

PINS = {"user": "alice", "meta": "acme", "database": "main"}
WRAPPER = {
    "prontodb": __version__,
    "make": "wrapper",
    "template": "fx",
    "name": "acme",
    "shell": "bash",
    "kin": "",
    "pins": PINS,
    "defaults": {},
}


def rows(done: Result) -> dict[str, tuple[str, str]]:
    """What the doctor or a check has found, by the first or the second column."""
    return {row[0]: (row[1], row[2]) for row in (line.split("\t") for line in done.lines)}


def write(home: Home, name: str, text: str) -> str:
    """A file in the home."""
    (home.folder / name).write_text(text)
    return name


def stamp(spec: object, rest: str = "\n") -> str:
    """A first line."""
    return f"{STAMP}{spec if isinstance(spec, str) else json.dumps(spec)}{rest}"


def doctor(home: Home, *files: str, **options: Any) -> dict[str, tuple[str, str]]:
    """The doctor's rows; the status follows from them."""
    done = home.call("shell", "doctor", *files, **options)
    found = rows(done)
    assert (done.status, done.err) == (int(any(cure for _, cure in found.values())), "")
    return found


# The shell itself.


def test_where_nothing_is_wrong(home: Home) -> None:
    done = home.run("shell", "doctor")
    assert done.status == 0
    told = 'not told; loaded by eval "$(prontodb shell init bash)", pronto shell doctor tells more'
    assert rows(done) == {"command": (COMMAND, ""), "pins": ("none", ""), "function pronto": (told, "")}
    assert "init zsh" in doctor(home, env={"SHELL": "/usr/bin/zsh"})["function pronto"][0]
    assert "prontodb shell init fish | source" in doctor(home, env={"SHELL": "/usr/bin/fish"})["function pronto"][0]


def first(home: Home, shell: str) -> str:
    """What has to come before."""
    return compinit(home) if shell == "zsh" else ":"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_that_is_set_up(home: Home, shell: str) -> None:
    require(shell)
    write(home, "init", made(home, "init", shell))
    done = home.shell(f"{first(home, shell)}; . ./init; pronto shell doctor", shell)
    found = rows(done)
    version = found.pop("shell")
    assert version[0].startswith(f"{shell} ")
    assert version[1] == ""
    fine = {"command": COMMAND, "pins": "none", "function pronto": "current", "prontodb": "the command", "completion": "yes"}
    assert found == {name: (state, "") for name, state in fine.items()}
    assert (done.status, done.err) == (0, "")


HIDDEN = {
    "alias": ("alias prontodb=true", "unalias prontodb"),
    "function": ("function prontodb { true; }", "unset -f prontodb"),
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_command_that_is_hidden(home: Home, shell: str, hidden: str) -> None:
    require(shell)
    write(home, "init", made(home, "init", shell))
    hide, cure = HIDDEN[hidden]
    expand = "shopt -s expand_aliases" if shell == "bash" else ":"
    done = home.shell(f"{first(home, shell)}\n{expand}\n{hide}\n. ./init\npronto shell doctor", shell)
    assert rows(done)["prontodb"] == (hidden, f"the {hidden} hides the command: {cure}")
    assert done.status == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_that_is_missing(home: Home, shell: str) -> None:
    require(shell)
    write(home, "init", made(home, "init", shell))
    away = {"bash": "complete -r prontodb", "zsh": ":", "fish": "complete -c prontodb -e"}[shell]
    done = home.shell(f". ./init; {away}; pronto shell doctor", shell)
    cure = "run compinit before prontodb's part" if shell == "zsh" else "load prontodb's part again"
    assert rows(done)["completion"] == ("no", cure)
    assert done.status == 1


def test_a_command_that_is_hidden_in_fish(home: Home) -> None:
    require("fish")
    write(home, "init", made(home, "init", "fish"))
    for hide in ("alias prontodb=true", "function prontodb; end"):
        done = home.shell(f". ./init\n{hide}\npronto shell doctor", "fish")
        assert rows(done)["prontodb"] == ("function", "the function hides the command: functions -e prontodb")
        assert done.status == 1


@pytest.mark.parametrize(("mode", "hostile"), MODES)
def test_strict_shells_ask_the_doctor_too(home: Home, mode: str, hostile: str) -> None:
    write(home, "init", made(home, "init", kind(mode)))
    ask = 'pronto shell doctor --json nosuch && true\nprintf %s "$? ${PRONTO_SHELL_STATE-unset}"'
    done = run(home, mode, f"{hostile}\n. ./init\n{ask}\n")
    assert done.err == ""
    out, _, last = done.out.decode().rpartition("\n")
    assert last == "1 unset"
    assert json.loads(out)[2:5:2] == [
        {"check": "function pronto", "state": "current", "cure": ""},
        {"check": "prontodb", "state": "the command", "cure": ""},
    ]


def test_a_shell_with_an_older_function(home: Home) -> None:
    require("bash")
    write(home, "init", made(home, "init", "bash").replace(f'"prontodb": "{__version__}"', '"prontodb": "0.0.1"'))
    done = home.shell(". ./init; pronto shell doctor")
    assert rows(done)["function pronto"][0] == "stale: of version 0.0.1"
    assert done.status == 1


TOLD = {
    f'{{"prontodb": "{__version__}", "make": "init", "shell": "zsh"}}\nzsh 5.9\ncommand\nyes\n': {},
    f'{{"prontodb": "{__version__}", "make": "init", "shell": "zsh"}}\nzsh 5.3.1\nhashed\nyes\n': {"shell": "zsh 5.4 or newer is needed"},
    f'{{"prontodb": "{__version__}", "make": "init", "shell": "bash"}}\nbash 4.3.0(1)\nnone\nyes\n': {
        "shell": "bash 4.4 or newer is needed",
        "prontodb": "put its folder on PATH",
    },
    "nonsense\n\n\nyes\n": {"function pronto": "open", "shell": "bash, zsh, fish is needed", "prontodb": "put its folder on PATH"},
    "[1]\nfish 3.6\nfile\n\udcff\n": {"function pronto": "open", "completion": "load"},
    "[1]\nfish 3.3.1\nfunction\nyes\n": {
        "function pronto": "open",
        "shell": "fish 3.4 or newer is needed",
        "prontodb": "the function hides the command: functions -e prontodb",
    },
    "[1]\ntcsh 6\nfile\nyes\n": {"function pronto": "open", "shell": "bash, zsh, fish is needed"},
    "only\ntwo": {},
}


@pytest.mark.parametrize("told", TOLD)
def test_what_a_shell_may_tell(home: Home, told: str) -> None:
    found = doctor(home, env={"PRONTO_SHELL_STATE": told})
    wrong = {name: cure for name, (_, cure) in found.items() if cure}
    assert wrong.keys() == TOLD[told].keys()
    assert all(cure.startswith(TOLD[told][name]) for name, cure in wrong.items())


# The command.


def test_a_command_that_is_not_on_path(home: Home) -> None:
    found = doctor(home, env={"PATH": "/nowhere"})
    assert found["command"] == (f"{COMMAND}, not on PATH", f"PATH={Path(COMMAND).parent}:$PATH")


def test_another_command_that_comes_first(home: Home) -> None:
    other = home.folder / "bin/prontodb"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    state, cure = doctor(home, env={"PATH": f"{other.parent}:{home.env['PATH']}"})["command"]
    assert state == f"{COMMAND}, but PATH has {other}"
    assert cure
    other.unlink()
    other.symlink_to(COMMAND)
    assert doctor(home, env={"PATH": f"{other.parent}:{home.env['PATH']}"})["command"] == (str(other), "")


def test_no_command_at_all(home: Home) -> None:
    state, cure = doctor(home, program="-c")["command"]
    assert state.startswith("There is no command ")
    assert cure


# Pins.


@pytest.mark.parametrize(
    ("env", "state", "cure"),
    [
        ({"PRONTO_FORCE_USER": "alice", "PRONTO_FORCE_META": "-"}, "user alice, meta none", False),
        ({"PRONTO_FORCE_USER": ""}, "PRONTO_FORCE_USER is set to '', which pins nothing", True),
        ({"PRONTO_FORCE_META": "a b"}, "PRONTO_FORCE_META is set to 'a b', which pins nothing", True),
        ({"PRONTO_FORCE_PROFILE": "nobody"}, "Unknown profile 'nobody'", True),
        ({"PRONTO_FORCE_USER": "alice", "PRONTO_USER": "bob"}, "PRONTO_USER says user 'bob', but it is pinned to 'alice'", True),
    ],
)
def test_pins(home: Home, env: dict[str, str], state: str, cure: bool) -> None:
    found = doctor(home, env=env)["pins"]
    assert (found[0], bool(found[1])) == (state, cure)


# Files.


def test_a_current_file(home: Home) -> None:
    for number, words in enumerate(
        (["init", "bash"], ["init", "zsh"], ["wrapper", "acme", "zsh", "--user", "alice"], ["unload", "bash", "x"], ["init", "fish"])
    ):
        name = write(home, f"file{number}", made(home, *words))
        assert doctor(home, name)[name] == ("current", "")


def test_a_file_that_was_edited(home: Home) -> None:
    text = made(home, "init", "bash")
    for edited, line in (
        (text.replace("builtin unset", "builtin  unset", 1), text[: text.index("builtin unset")].count("\n") + 1),
        (text + "x\n", text.count("\n") + 1),
        (text[: len(text) // 2].rpartition("\n")[0] + "\n", text[: len(text) // 2].count("\n") + 1),
        (text.replace("\n", "\r\n"), 1),
    ):
        (home.folder / "i n").write_bytes(edited.encode())
        assert doctor(home, "i n")["i n"] == (f"stale: line {line} is not what would be made now", "prontodb shell init bash >'i n'")


def test_a_file_of_another_installation(home: Home) -> None:
    name = write(home, "file", made(home, "wrapper", "acme", "bash", "--user", "alice").replace(COMMAND, "/opt/prontodb/bin/prontodb"))
    state, cure = doctor(home, name)[name]
    assert state.startswith("stale: line ")
    assert cure == "prontodb shell wrapper acme bash --user alice --database main >file"


def test_a_file_whose_template_has_changed(home: Home) -> None:
    folder = home.folder / ".config/prontodb/templates"
    folder.mkdir(parents=True)
    own = '<% extends "layout.j2" %>\n<% block functions %>\nfunction <{ name | name }> { true; }\n<% endblock %>\n'
    (folder / "mine.j2").write_text(own)
    name = write(home, "file", made(home, "wrapper", "acme", "bash", "--user", "alice", "--template", "mine"))
    assert doctor(home, name)[name] == ("current", "")
    (folder / "mine.j2").write_text(own.replace("true", "false"))
    assert doctor(home, name)[name][0].startswith("stale: line ")
    (folder / "mine.j2").unlink()
    assert doctor(home, name)[name][0] == "cannot be made again: Unknown template 'mine'"


AGAIN = {
    "init zsh": {"make": "init", "shell": "zsh"},
    "wrapper acme bash --user alice --meta acme --database main": WRAPPER,
    "wrapper acme bash --user a --database 'it'\"'\"'s'": {**WRAPPER, "pins": {"user": "a", "meta": "-", "database": "it's"}},
    "wrapper acme bash --profile p": {**WRAPPER, "pins": {"profile": "p"}},
    "wrapper acme bash --user a --project x --namespace y": {
        **WRAPPER,
        "pins": {"user": "a"},
        "defaults": {"project": "x", "namespace": "y"},
    },
    "wrapper acme zsh --template pantheon --user kin": {**WRAPPER, "shell": "zsh", "template": "pantheon", "kin": "kin", "pins": {}},
    "unload zsh one two": {"make": "unload", "shell": "zsh", "names": ["one", "two"], "functions": ["one", "two"]},
    "use acme --eval bash": {"make": "pin", "shell": "bash", "profile": "acme"},
}


@pytest.mark.parametrize(("words", "spec"), AGAIN.items())
def test_the_cure_of_an_older_file_makes_it_again(home: Home, words: str, spec: dict[str, object]) -> None:
    name = write(home, "file", stamp({**spec, "prontodb": "0.0.1"}))
    assert doctor(home, name)[name] == ("stale: of version 0.0.1", f"prontodb shell {words} >file")


def test_a_cure_works_as_it_stands(home: Home) -> None:
    home.call("profile", "add", "acme", "--user", "alice")
    calls = [("init", "zsh"), ("wrapper", "w", "zsh", "--profile", "acme"), ("wrapper", "w", "bash", "--user", "bob", "-p", "x")]
    calls += [("init", "fish"), ("wrapper", "w", "fish", "--profile", "acme"), ("use", "acme", "--eval", "fish"), ("unload", "fish", "w")]
    for words in [*calls, ("use", "acme", "--eval", "bash"), ("unload", "zsh", "w")]:
        name = write(home, "file", made(home, *words).replace(f'"prontodb": "{__version__}"', '"prontodb": "0.0.1"'))
        cure = doctor(home, name)[name][1]
        assert home.shell(cure).err == ""
        assert doctor(home, name)[name] == ("current", "")


NONSENSE = [
    "not json",
    "{",
    "null",
    "[]",
    '"text"',
    "3",
    "[" * 50_000,
    '{"a":' * 50_000,
    '{"make": "init"}',
    f'{{"prontodb": "{__version__}", "make": "init"}}',
    f'{{"prontodb": "{__version__}", "make": ["init"], "shell": "bash"}}',
    f'{{"prontodb": "{__version__}", "make": {{}}, "shell": "bash"}}',
    f'{{"prontodb": "{__version__}", "make": "init", "shell": "tcsh"}}',
    f'{{"prontodb": "{__version__}", "make": "init", "shell": ["bash"]}}',
    f'{{"prontodb": {__version__[0]}, "make": "init", "shell": "bash"}}',
    f'{{"prontodb": "{__version__}\\\\ud800", "make": "init", "shell": "bash"}}',
    "\\",
    "\\u12",
    '"',
]


@pytest.mark.parametrize("text", NONSENSE, ids=range(len(NONSENSE)))
def test_a_stamp_that_makes_no_sense(home: Home, text: str) -> None:
    name = write(home, "file", stamp(text))
    assert doctor(home, name)[name] == ("not generated by prontodb", "prontodb shell wrapper, or shell init, makes one")
    assert "Traceback" not in home.call("shell", "check", name).err


CHANGES: list[dict[str, object]] = [
    {"pins": 3},
    {"pins": ["user"]},
    {"pins": {"nobody": "x"}},
    {"pins": {"user": 3}},
    {"pins": {"user": None}},
    {"name": "a;b"},
    {"name": 3},
    {"name": ["acme"]},
    {"template": "../fx"},
    {"template": ["fx"]},
    {"template": {}},
    {"defaults": None},
    {"defaults": {"x y": "z"}},
    {"kin": 3},
    {"make": "unload"},
    {"make": "pin"},
    {"make": "pin", "profile": 3},
    {"make": "unload", "names": 3, "functions": 3},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("version", [__version__, "0.0.1"])
def test_a_stamp_with_nonsense_in_it(home: Home, change: dict[str, object], version: str) -> None:
    name = write(home, "file", stamp({**WRAPPER, **change, "prontodb": version}))
    state, cure = doctor(home, name)[name]
    assert state.startswith(("cannot be made again: ", "stale: "))
    assert cure
    assert "Internal" not in state


def test_files_that_are_not_generated_or_cannot_be_read(home: Home) -> None:
    write(home, "script", "echo hello\n")
    write(home, "empty", "")
    (home.folder / "bytes").write_bytes(b"\xff\xfe\0" * 100)
    (home.folder / "stamped").write_bytes(stamp(WRAPPER).encode() + b"\xff\xfe\0")
    (home.folder / "folder").mkdir()
    found = doctor(home, "script", "empty", "bytes", "stamped", "folder", "nosuch")
    other = ("not generated by prontodb", "prontodb shell wrapper, or shell init, makes one")
    assert found["script"] == found["empty"] == found["bytes"] == other
    assert found["stamped"][0] == "stale: line 2 is not what would be made now"
    assert found["folder"] == ("cannot be read: Is a directory", "name a file that can be")
    assert found["nosuch"] == ("cannot be read: No such file or directory", "name a file that can be")
    if os.path.exists("/proc/self/mem"):
        assert doctor(home, "/proc/self/mem")["/proc/self/mem"][0] == "cannot be read: Input/output error"


def test_the_doctor_in_json(home: Home) -> None:
    done = home.call("shell", "doctor", write(home, "file", "x"), "--json")
    last = {"check": "file", "state": "not generated by prontodb", "cure": "prontodb shell wrapper, or shell init, makes one"}
    assert json.loads(done.out)[-1] == last
    assert (done.status, done.err) == (1, "")


# Checks.


def check(home: Home, *words: str, **options: Any) -> tuple[list[list[str]], Result]:
    """Its rows, and all of it."""
    done = home.call("shell", "check", *words, **options)
    found = [line.split("\t") for line in done.lines]
    assert done.status == int(any(result == "failed" for _, _, result in found))
    return found, done


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_file_in_which_nothing_is_wrong(home: Home, shell: str) -> None:
    require(shell)
    tools = {"bash": ["bash", "shellcheck", "shfmt"], "zsh": ["zsh", "shfmt"], "fish": ["fish", "fish_indent"]}[shell]
    for words in (["init", shell], ["wrapper", "acme", shell, "--user", "alice"], ["unload", shell], ["unload", shell, "acme"]):
        name = write(home, "file", made(home, *words))
        found, done = check(home, name)
        assert found == [["file", tool, "ok"] for tool in tools]
        assert done.err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_an_error_of_syntax(home: Home, shell: str) -> None:
    require(shell)
    name = write(home, f"file.{shell}", "echo fine\nif true; then\n    echo 'it\n")
    found, done = check(home, name)
    assert found[0] == [name, shell, "failed"]
    assert re.search(rf"{name}(: line 3: |:4: | \(line 2\): )", done.err)


def test_what_the_tools_find_is_told_in_lines(home: Home) -> None:
    name = write(home, "file", "for x in $1; do\n  cd $x\ndone\n")
    done = home.call("shell", "check", name, terminal=True)
    table = [line.split() for line in done.lines]
    assert table == [["file", "check", "result"], ["file", "bash", "ok"], ["file", "shellcheck", "failed"], ["file", "shfmt", "failed"]]
    assert "\\x0a" not in done.out.decode() + done.err
    assert "SC2086" in done.err
    assert "\n-  cd $x\n+    cd $x\n" in done.err


def test_checks_in_json(home: Home) -> None:
    name = write(home, "file", "echo $1\n")
    done = home.call("shell", "check", name, "--json")
    found = json.loads(done.out)
    assert [(row["file"], row["check"], row["result"]) for row in found] == [
        ("file", "bash", "ok"),
        ("file", "shellcheck", "failed"),
        ("file", "shfmt", "ok"),
    ]
    assert "SC2086" in found[1]["output"]
    assert (done.status, done.err) == (1, "")


def test_the_shell_is_known_by_stamp_name_or_first_line(home: Home) -> None:
    zsh = "print ${(k)path}\n"
    files = {"one.zsh": zsh, ".zshrc": zsh, "script": f"#!/usr/bin/env zsh\n{zsh}", "stamped": stamp({**WRAPPER, "shell": "zsh"})}
    for name, text in files.items():
        assert check(home, write(home, name, text))[0][0][1] == "zsh"
    for name, text in {"one.fish": "echo\n", "script": "#!/usr/bin/env fish\n", "stamped": stamp({**WRAPPER, "shell": "fish"})}.items():
        assert check(home, write(home, name, text))[0][0][1] == "fish"
    assert check(home, write(home, "plain", "echo\n"))[0][0][1] == "bash"
    assert check(home, "plain", "--shell", "zsh")[0][0][1] == "zsh"


def test_tools_that_are_not_there(home: Home) -> None:
    name = write(home, "file", "echo fine\n")
    assert check(home, name, env={"PATH": "/nowhere"})[0] == [["file", tool, "not installed"] for tool in ("bash", "shellcheck", "shfmt")]
    broken = home.folder / "bin/shfmt"
    broken.parent.mkdir()
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    found, done = check(home, name, env={"PATH": str(broken.parent)})
    assert found[2] == ["file", "shfmt", "failed"]
    assert done.err == f"{broken}: Exec format error\n"


def test_files_that_cannot_be_checked(home: Home) -> None:
    write(home, "good", "echo fine\n")
    (home.folder / "folder.j2").mkdir()
    (home.folder / "bytes").write_bytes(b"echo '\xff'\x1b[31m\n")
    found, done = check(home, "nosuch", "folder.j2", "good", "bytes")
    assert found[:3] == [["nosuch", "file", "failed"], ["folder.j2", "file", "failed"], ["good", "bash", "ok"]]
    assert "nosuch: cannot be read: No such file or directory\n" in done.err
    assert "\x1b" not in done.err


def test_templates_are_checked_by_their_rules(home: Home) -> None:
    write(home, "good.j2", "function <{ name | name }> {\n    echo <{ label | quote }>\n}\n")
    write(home, "quoted.j2", 'echo\necho "<{ label | quote }>"\n')
    write(home, "broken.j2", "<% if %>\n")
    (home.folder / "bytes.j2").write_bytes(b"echo \xff\n")
    found, done = check(home, "good.j2", "quoted.j2", "broken.j2", "bytes.j2")
    assert [row[1:] for row in found] == [["template", "ok"], *[["template", "failed"]] * 3]
    said = done.err.splitlines()
    assert said[0].endswith("quoted.j2, line 2: a placeholder stands within double quotes: the filter `quote` brings its own quotes")
    assert any("broken.j2, line 1: " in line for line in said)
    assert said[-1].endswith("can't decode byte 0xff in position 5: invalid start byte")


def test_the_templates_there_are(home: Home) -> None:
    found = [line.split("\t") for line in home.call("shell", "templates").lines]
    assert {(name, whose, shells) for name, whose, _, shells in found} == {
        ("fx", "built-in", "bash zsh"),
        ("pantheon", "built-in", "bash zsh"),
        ("fx", "built-in", "fish"),
    }
    folder = home.folder / ".config/prontodb/templates"
    folder.mkdir(parents=True)
    for name in ("mine.j2", "fx.j2", ".hidden.j2", "_part.j2", "notes.txt"):
        (folder / name).write_text("\n")
    told = json.loads(home.call("shell", "templates", "--json").out)
    listed = [("fx", "own"), ("mine", "own"), ("pantheon", "built-in"), ("fx", "built-in")]
    assert [(row["name"], row["whose"]) for row in told] == listed
    assert told[0]["file"] == str(folder / "fx.j2")
