"""`prontodb shell init` and `shell unload` (DESIGN §9), in the real shells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Home, Result
from .interactive import Typist, compinit, held, made, snapshot
from .shells import require

BIN = Path(sys.executable).parent
STRICT = {
    "bash": ["bash", "-euo", "pipefail"],
    "posix": ["bash", "--posix", "-euo", "pipefail"],
    "zsh": ["zsh", "-f", "-eu", "-o", "pipefail"],
}
HOSTILE = {
    "bash": "shopt -s nocasematch failglob extglob expand_aliases; set -fC; IFS='_b/'",
    "posix": "shopt -s nocasematch failglob extglob expand_aliases; set -f; IFS='_b/'",
    "zsh": """setopt sh_word_split ksh_arrays glob_subst no_unset err_return warn_create_global ksh_glob csh_null_glob no_multi_func_def
        setopt posix_builtins ksh_typeset octal_zeroes typeset_silent rc_quotes no_clobber; IFS='_b/'""",
}
MODES = [(mode, hostile) for mode in STRICT for hostile in ("", HOSTILE[mode])]


def kind(mode: str) -> str:
    """The shell of a mode."""
    return "zsh" if mode == "zsh" else "bash"


def run(home: Home, mode: str, script: str, **options: bytes) -> Result:
    """A script in a strict shell, from a file: aliases that it makes count from the next line on."""
    require(kind(mode))
    file = home.folder / "script"
    file.write_text(script)
    argv = [*STRICT[mode], str(file)]
    done = subprocess.run(argv, capture_output=True, env=home.env, cwd=home.folder, timeout=60, check=False, **{"input": b""} | options)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What there is to load, generated once."""
    home = Home(tmp_path_factory.mktemp("made"))
    home.run("profile", "add", "acme", "--user", "alice", "--meta", "acme")
    calls = {f"{verb}.{shell}": (verb, shell) for verb in ("init", "unload") for shell in ("bash", "zsh")}
    calls |= {f"forget.{shell}": ("unload", shell, "acme") for shell in ("bash", "zsh")}
    calls |= {f"wrapper.{shell}": ("wrapper", "acme", shell, "--profile", "acme") for shell in ("bash", "zsh")}
    calls |= {f"pin.{shell}": ("use", "acme", "--eval", shell) for shell in ("bash", "zsh")}
    return {name: made(home, *words) for name, words in calls.items()}


@pytest.fixture
def loaded(home: Home, texts: dict[str, str]) -> Home:
    """A home with these files in it."""
    for name, text in texts.items():
        (home.folder / name).write_text(text)
    return home


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("name", ["init", "unload", "forget", "pin"])
def test_the_tools_find_nothing(loaded: Home, name: str, shell: str) -> None:
    file = f"{name}.{shell}"
    tools = [["shfmt", "--diff", "--indent=4", f"--language-dialect={shell}"], [shell, "-n"] if shell == "bash" else [shell, "-f", "-n"]]
    tools += [["shellcheck", "--shell=bash"]] if shell == "bash" else []
    require(shell)
    for tool in tools:
        done = loaded.shell(f"exec {' '.join(tool)} {file}")
        assert (done.status, done.out, done.err) == (0, b"", ""), tool
    assert (loaded.folder / file).read_text().startswith("# prontodb-stamp: {")


@pytest.mark.parametrize(("mode", "hostile"), MODES)
@pytest.mark.parametrize("form", ['eval "$(cat init.{})"', ". ./init.{}"])
def test_it_loads_silently_twice(loaded: Home, mode: str, hostile: str, form: str) -> None:
    line, shell = form.format(kind(mode)), kind(mode)
    done = run(loaded, mode, f"{hostile}\n{line}\n{snapshot(shell, 'one')}\n{line}\n{snapshot(shell, 'two')}".replace(" >", " >|"))
    assert (done.status, done.out, done.err) == (0, b"", "")
    assert held(loaded.folder / "one") == held(loaded.folder / "two")


@pytest.mark.parametrize(("mode", "hostile"), MODES)
@pytest.mark.parametrize("unload", ["pronto_unload", 'eval "$(cat unload.{})"'])
def test_unloading_leaves_the_shell_as_it_was(loaded: Home, mode: str, hostile: str, unload: str) -> None:
    shell = kind(mode)
    load = f"""eval "$(cat init.{shell})"\neval "$(cat wrapper.{shell})"\neval "$(cat init.{shell})\""""
    away = f"""{unload.format(shell)}\neval "$(cat forget.{shell})\""""
    own = OWN.format(compinit=compinit(loaded) if shell == "zsh" else ":")
    script = f"{own}\n{hostile}\n{snapshot(shell, 'before')}\n{load}\npronto --version\n{away}\n{snapshot(shell, 'after')}"
    done = run(loaded, mode, script.replace(" >b", " >|b").replace(" >a", " >|a"))
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(b"prontodb ")
    assert held(loaded.folder / "before") == held(loaded.folder / "after")


OWN = """PS1='mine> '
trap 'true' USR1
alias mine='true'
function mine_too {{ true; }}
if test -n "${{BASH_VERSION-}}"; then complete -W 'a b' mine; else zmodload zsh/parameter; {compinit}; compdef _files mine; fi"""
"""What somebody has already."""


def test_unloading_takes_the_completion_of_wrappers_along(loaded: Home) -> None:
    for shell, ask in (("bash", "complete -p"), ("zsh", "print -r -- ${(k)_comps[(R)_prontodb]}")):
        first = "" if shell == "bash" else compinit(loaded)
        script = f"{first}\n. ./init.{shell}\n. ./wrapper.{shell}\n{ask}\npronto_unload\n{ask}"
        done = run(loaded, shell, script)
        assert all(done.out.count(name) == 1 for name in (b"acme", b"pronto\n" if shell == "bash" else b"pronto ")), done
        assert done.err == ""


@pytest.mark.parametrize(("mode", "hostile"), MODES)
def test_pronto_passes_everything_through(loaded: Home, mode: str, hostile: str) -> None:
    script = f"""{hostile}
. ./init.{kind(mode)}
pronto set a.b.c 'two  words * $HOME
and ~ a line'
pronto get a.b.c
printf ' | '
printf piped | pronto set a.b.d
pronto get a.b.d | cat
pronto get a.b.none || printf ' | %s' "$?"
pronto get a.b.e --from 2>|err || printf ' | %s' "$?"
pronto set a.b.f '' || printf ' | %s' "$?"
printf ' | %s' "$(pronto get a.b.f)"
"""
    done = run(loaded, mode, script)
    assert done.out.decode() == "two  words * $HOME\nand ~ a line | piped | 2 | 64 | ", done
    assert done.err == "prontodb: No such key: a.b.none\n"


@pytest.mark.parametrize("mode", STRICT)
def test_the_status_ends_a_strict_script(loaded: Home, mode: str) -> None:
    done = run(loaded, mode, f". ./init.{kind(mode)}\npronto get a.b.none\necho not reached")
    assert (done.status, done.out) == (2, b"")


ALIASES = "pronto pronto_unload local test unset printf read case complete compdef typeset export unalias emulate true false"
FUNCTIONS = "pronto pronto_unload local test unset printf read complete typeset emulate true false command"


@pytest.mark.parametrize("mode", STRICT)
@pytest.mark.parametrize("form", ['eval "$(cat init.{})"', ". ./init.{}"])
def test_aliases_and_functions_of_the_same_names_are_no_obstacle(loaded: Home, mode: str, form: str) -> None:
    aliases = "\n".join(f"alias {name}='echo hijacked; :'" for name in ALIASES.split() if name != "case")
    functions = "" if mode == "posix" else "\n".join(f"function {name} {{ echo hijacked; }}" for name in FUNCTIONS.split())
    expand = "shopt -s expand_aliases" if kind(mode) == "bash" else ":"
    line = form.format(kind(mode))
    script = f"{expand}\n{functions}\n{aliases}\n{line}\npronto set a.b.c v\npronto get a.b.c\n\\pronto get a.b.c\npronto_unload\n"
    script += 'case "$(\\builtin typeset -f)" in *__pronto*) \\builtin printf left ;; esac\n'
    done = run(loaded, mode, script)
    assert (done.status, done.out, done.err) == (0, b"vv", "")


@pytest.mark.parametrize("words", ["init tcsh", "init", "init bash more", "init bash --nonsense", "unload", "unload bash a-b", "nit bash"])
def test_what_cannot_be_made_is_false(home: Home, words: str) -> None:
    done = home.run("shell", *words.split())
    assert (done.status, done.out) == (64, b"false\n")
    assert done.err.startswith("prontodb: ")
    assert home.shell(f'eval "$(prontodb shell {words} 2>/dev/null)"').status == 1


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_unloading_where_nothing_is_loaded(loaded: Home, shell: str) -> None:
    for name in ("unload", "forget"):
        done = run(loaded, shell, f". ./{name}.{shell}")
        assert (done.status, done.out, done.err) == (0, b"", "")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_it_is_evaluated_at_a_prompt(loaded: Home, shell: str) -> None:
    """Where an interactive zsh takes `#` for a word, and `!` means history."""
    require(shell)
    typist = Typist.at(loaded, shell)
    assert typist.run(f'eval "$(prontodb shell init {shell})"') == ""
    assert typist.run("pronto set a.b.c v && pronto get a.b.c") == "v"
    assert typist.run("pronto_unload; pronto get a.b.c; echo $?").endswith("127\n")
    typist.close()
