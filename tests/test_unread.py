"""What is piped to a function whose program is gone (uninstalled, or its interpreter removed by an upgrade) is not lost."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .conftest import Home
from .shells import require
from .wrapping import ALL, MODES, kind, run, wrap

CONTENT = b"precious\x00\xff\n" * 20_000
GONE = {
    "uninstalled": lambda program: program.unlink(),
    "without its interpreter": lambda program: program.write_text("#!/no/such/python3 -s\n"),
}


@pytest.fixture(params=list(ALL))
def mode(request: pytest.FixtureRequest) -> str:
    """The shells."""
    require(kind(request.param))
    return str(request.param)


def prepared(home: Home, mode: str, *, spaced: bool = False) -> tuple[Path, str]:
    """A program, and the command that reads the functions `pronto` and `acme`, which were made for it."""
    program = home.folder / ("pro gram" if spaced else "program")
    # White space in an interpreter's path is what a `#!` line cannot have.
    program.write_text(f'#!{"/no where/python" if spaced else "/bin/sh"}\necho called "$@"\n')
    program.chmod(0o755)
    made = home.call("shell", "init", kind(mode), program=str(program))
    assert (made.status, made.err) == (0, "")
    (home.folder / "init").write_bytes(made.out)
    return program, f". ./init; {wrap(home, mode, program=str(program))}"


def kept(home: Home) -> list[Path]:
    """The files with what nobody has read."""
    return sorted((home.folder / ".local/state/prontodb").glob("unread.*"))


@pytest.mark.parametrize("how", list(GONE))
@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_it_goes_to_a_file(home: Home, mode: str, door: str, how: str) -> None:
    program, load = prepared(home, mode)
    (home.folder / "content").write_bytes(CONTENT)
    GONE[how](program)
    done = run(home, mode, f"{load}; cat content | {door} set a.b.c; echo {'$status' if mode == 'fish' else '$?'}")
    (file,) = kept(home)
    assert (done.lines, file.read_bytes(), file.stat().st_mode & 0o777) == (["4"], CONTENT, 0o600)
    assert done.err == (
        f"prontodb: {program} cannot be run; what was piped in is in the file {file}\nCure: install it again, and make the call with < {file}\n"
    )


@pytest.mark.parametrize("door", ["pronto", "acme"])
@pytest.mark.parametrize("words", ["append a.b.c", "push a.b.c", "stream", "import", "import --format tsv", "xstream -v"])
def test_so_it_does_with_every_verb_that_reads(home: Home, mode: str, door: str, words: str) -> None:
    program, load = prepared(home, mode)
    program.unlink()
    done = run(home, mode, f"{load}; echo precious | {door} {words}")
    assert (done.status, [file.read_text() for file in kept(home)]) == (4, ["precious\n"])


@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_what_the_call_would_not_have_read_is_left_alone(home: Home, mode: str, door: str) -> None:
    program, load = prepared(home, mode)
    program.unlink()
    calls = "\n".join(f"{door} {words}" for words in ("get a.b.c", "set a.b.c v", "set a.b.c v --ttl 5m", "keys a.b", "del a.b.c"))
    done = run(
        home,
        mode,
        f"{load}; echo precious | begin_\n{calls} 2>&1 | cat >said; cat\nend_".replace("begin_", brace(mode)[0]).replace(
            "end_", brace(mode)[1]
        ),
    )
    assert (done.lines, kept(home)) == (["precious"], [])
    file = run(home, mode, f"{load}; echo precious >file; {door} set a.b.c <file")
    assert (file.status in (126, 127), kept(home)) == (True, [])


def brace(mode: str) -> tuple[str, str]:
    """Begins and ends a group of commands."""
    return ("begin", "end") if mode == "fish" else ("{", "}")


@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_a_program_that_is_there_gets_it(home: Home, mode: str, door: str) -> None:
    program, load = prepared(home, mode)
    for line in ("#!/bin/sh\ncat", "#! /bin/sh -e\ncat"):
        program.write_text(f"{line}\n")
        done = run(home, mode, f"{load}; echo precious | {door} set a.b.c")
        assert (done.lines, done.err, kept(home)) == (["precious"], "", [])


@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_no_variable_of_the_callers_is_touched(home: Home, mode: str, door: str) -> None:
    program, load = prepared(home, mode)
    names = ("program", "line", "file", "folder", "interpreter", "state", "temporary")
    mine = "; ".join(f"set -g {name} mine" if mode == "fish" else f"{name}=mine" for name in names)
    shown = f"echo {' '.join(f'${name}' for name in names)}"
    call = f"echo precious | {door} set a.b.c"
    there = run(home, mode, f"{load}; {mine}; {call}; {shown}")
    program.unlink()
    gone = run(home, mode, f"{load}; {mine}; {call}; {shown}")
    assert (there.lines, there.err) == (["called set a.b.c", " ".join(["mine"] * len(names))], "")
    assert (gone.lines, len(kept(home))) == ([" ".join(["mine"] * len(names))], 1)


@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_a_script_that_python_runs_may_be_gone_too(home: Home, mode: str, door: str) -> None:
    """Where no `#!` line can name the interpreter, the program is two words."""
    program, load = prepared(home, mode, spaced=True)
    program.unlink()
    done = run(home, mode, f"{load}; echo precious | {door} set a.b.c")
    assert (done.status, [file.read_text() for file in kept(home)], str(program) in done.err) == (4, ["precious\n"], True)


@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_where_there_is_no_home_it_is_a_temporary_file(home: Home, mode: str, door: str) -> None:
    program, load = prepared(home, mode)
    program.unlink()
    temporary = home.folder / "a folder"
    temporary.mkdir()
    done = run(home, mode, f"{load}; echo precious | {door} set a.b.c", env={"XDG_STATE_HOME": "/proc/none", "TMPDIR": str(temporary)})
    (file,) = temporary.glob("unread.*")
    assert (done.status, file.read_text()) == (4, "precious\n")
    again = done.err.partition("with < ")[2].strip()
    assert shlex.split(again) == [str(file)]


@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_what_fits_nowhere_is_said_to_be_lost(home: Home, mode: str, door: str) -> None:
    program, load = prepared(home, mode)
    program.unlink()
    done = run(home, mode, f"{load}; echo precious | {door} set a.b.c", env={"XDG_STATE_HOME": "/proc/none", "TMPDIR": "/proc/none"})
    assert (done.status, "prontodb: LOST: " in done.err) == (1, True)


@pytest.mark.parametrize("mode", list(MODES))
@pytest.mark.parametrize("door", ["pronto", "acme"])
def test_careful_scripts_see_it_through(home: Home, mode: str, door: str) -> None:
    program, load = prepared(home, mode)
    program.unlink()
    done = run(home, mode, f"set -euCo pipefail; {load}; echo precious | {door} set a.b.c || echo $?")
    assert (done.lines, len(kept(home))) == (["4"], 1)
