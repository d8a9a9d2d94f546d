"""The pantheon functions in hostile surroundings: options, aliases, functions and names that could get in their way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Home
from .pantheon import NOTES, SESSIONS, SHELLS, STATIC, Pantheon, made, rendered, tree
from .shells import require


@pytest.fixture(params=list(SHELLS))
def pantheon(request: pytest.FixtureRequest, home: Home) -> Pantheon:
    """Each shell, with nothing made yet."""
    return made(home, request.param)


WORK = r"""
pantheon migrate init --name=keeper
pantheon migrate import --name keeper
pantheon iter save --name=keeper --session=4 <"$1"
pantheon iter --name=keeper
pantheon iter show --name=keeper
pantheon iter 3 --name=keeper
pantheon iter 4 --name=keeper
pantheon iter 77 --name=keeper || \builtin printf 'status %s\n' "$?"
pantheon iter fix pipe.cache.none --session=1 --name=keeper || \builtin printf 'status %s\n' "$?"
pantheon iter archive 2 --name=keeper
secure_pronto_call keeper get iterations.counter.current || \builtin printf 'status %s\n' "$?"
secure_pronto_call keeper get a.b.c || \builtin printf 'status %s\n' "$?"
PANTHEON_ACTIVE_KIN=KEEPER validate_pantheon_permission keeper || \builtin printf 'status %s\n' "$?"
pantheon_secure_iter current keeper
get_secure_pronto_context keeper
pantheon migrate status --name=keeper
"""
DONE = """iterations.sessions.iter1
iterations.sessions.iter3
4
# Notes

- one
- two


{house}/* [x] iter-3.md
iterations.sessions.iter4
status 2
status 2
iterations.archive.iter1
4status 2
status 6
4
--user keeper --cursor pantheon_keeper --meta keeper
folder\t{house}
sessions: in prontodb\t2
sessions: iteration files\t2
sessions: other files\t0
archive: in prontodb\t1
archive: iteration files\t0
archive: other files\t0
counter: in prontodb\t4
counter: in its file\t3
"""
USED = (
    "test printf local umask read command cat mv mkdir cmp mktemp rm sort date cp chmod emulate setopt shopt prontodb where true false ls"
)
BASH = """set -f
shopt -s nocasematch failglob extglob dotglob xpg_echo
GLOBIGNORE='*.md'
set -C -a"""
ZSH = """setopt sh_word_split ksh_arrays glob_subst no_unset err_return local_options
setopt ksh_glob no_clobber no_glob csh_null_glob glob_dots all_export no_case_match"""
FUNCTIONS = "\n".join(f"function {name} {{ \\builtin echo HIJACKED; \\builtin return 77; }}" for name in USED.split())
ALIASES = "\n".join(f"alias {name}='echo HIJACKED'" for name in [*USED.split(), "pantheon", "secure_pronto_call", "return", "shift", "set"])
HOSTILE = {
    "options": {"bash": BASH, "zsh": ZSH},
    "ifs": "IFS='eiprs/.-=01234'\nREPLY=mine status_=mine\nreadonly kin=other name=other file=other number=other home=other",
    "aliases": {"bash": f"shopt -s expand_aliases\n{ALIASES}", "zsh": ALIASES},
    "functions, strict": f"set -euo pipefail\n{FUNCTIONS}",
}


@pytest.mark.parametrize("hostility", ["calm", *HOSTILE])
def test_it_works_the_same_whatever_surrounds_it(pantheon: Pantheon, hostility: str) -> None:
    before = HOSTILE.get(hostility, "")
    if not isinstance(before, str):
        before = before["zsh" if pantheon.shell == "zsh" else "bash"]
    notes = pantheon.note("../../notes.md", NOTES)
    for name, content in (("iter-1.md", "1"), ("* [x] iter-3.md", "3"), ("keeper.iter", "3\n")):
        pantheon.note(name, content)
    got = pantheon.run(WORK, str(notes), before=before)
    assert got.out.decode() == DONE.format(house=pantheon.house), got
    assert "HIJACKED" not in got.err


def test_a_home_with_an_odd_name_is_a_name(home: Home, request: pytest.FixtureRequest) -> None:
    for shell in SHELLS:
        require(SHELLS[shell][0])
        root = home.folder / shell / 'it\'s $(touch canary) `touch canary` "x" \\ *\n 日本 -n'
        pantheon = Pantheon(home, shell, root)
        pantheon.note("iter-3.md", "3")
        home.call("cursor", "delete", "pantheon_keeper", "--user", "keeper")
        for args in (
            ["migrate", "init"],
            ["migrate", "import"],
            ["iter", "archive", "1"],
            ["iter", "show", "--session=3"],
            ["migrate", "status"],
        ):
            assert pantheon(*args, "--name=keeper").status == 0
        assert pantheon("iter", "3", "--name=keeper").out == f"{root}/city/house/keeper/iter-3.md\n".encode()
        backup = pantheon("migrate", "backup", "--name=keeper").out.decode()[:-1]
        assert tree(Path(backup)) == {"iter-3.md": b"3"}
        assert pantheon.uninstall()("iter", "save", "--session=3", "--name=keeper", stdin=NOTES).status == 0
        assert tree(root / "city/house/keeper") == {"iter-3.md": NOTES, "iter-3.md.old-1": b"3", "keeper.iter": b"3\n"}
    assert not list(home.folder.rglob("canary"))


def test_a_relative_home_starts_at_the_working_directory(pantheon: Pantheon) -> None:
    env = {"PANTH_HOME": "here/"}
    assert pantheon("migrate", "init", "--name=keeper", env=env).status == 0
    assert pantheon("iter", "save", "--session=1", "--name=keeper", stdin=NOTES, env=env).status == 0
    assert (pantheon.home.folder / "here/databases/keeper.db").exists()
    assert pantheon.run("unset PANTH_HOME\npantheon migrate init --name=prometheus").status == 0
    assert (pantheon.home.folder / "repos/realms/pantheon/databases").is_dir()


def test_a_loop_that_reads_keeps_its_input(pantheon: Pantheon) -> None:
    pantheon.init().store(1, 2, 3)
    script = "while read -r n; do pantheon iter show --session=$n --name=keeper; pantheon iter $n --name=keeper; done"
    assert pantheon.run(script, stdin=b"1\n2\n3\n").out.decode() == "".join(f"sessions {n}{SESSIONS}{n}\n" for n in "123")


STATE = {
    "bash": "compgen -v | grep -vx -e _ -e 'BASH_.*' -e PIPESTATUS -e FUNCNAME; set +o; shopt; trap; alias; compgen -A export",
    "zsh": "print -rl -- ${(ok)parameters}; setopt; trap; alias; export | cut -d= -f1",
}


def test_nothing_is_left_behind(pantheon: Pantheon) -> None:
    pantheon.init().store(1)
    state = STATE["zsh" if pantheon.shell == "zsh" else "bash"]
    calls = 'pantheon iter; pantheon migrate status --name=keeper; secure_pronto_call keeper get a.b.c; . "$0"'
    script = f"for run in 1 2; do {calls}; done &>/dev/null\nstate >after"
    pantheon.run(script, before=f"run=0\nfunction state {{ {state}; }}\nstate >before\nstate >before")
    before, after = ((pantheon.home.folder / name).read_text() for name in ("before", "after"))
    assert (before, "keeper" in before) == (after.replace("run=2", "run=0"), False)


def test_sourcing_is_silent_and_twice_is_once(pantheon: Pantheon) -> None:
    seen = set()
    for before in ("", "set -euo pipefail", '. "$0"'):
        got = pantheon.run("typeset -f >functions", before=before)
        assert (got.status, got.out, got.err) == (0, b"", "")
        seen.add((pantheon.home.folder / "functions").read_bytes())
    assert len(seen) == 1


@pytest.mark.parametrize("tool", [("shellcheck", "-s", "bash"), ("shfmt", "--diff", "--indent", "4"), ("bash", "-n"), ("zsh", "-n")])
def test_the_text_is_clean(tool: tuple[str, ...], tmp_path: Path) -> None:
    beside = Path(sys.executable).with_name(tool[0])
    program = str(beside) if beside.exists() else shutil.which(tool[0])
    if not program:
        pytest.skip(f"{tool[0]} is not installed")
    made = tmp_path / "pantheon.bash"
    made.write_text(rendered("bash", kin="keeper"))
    for file in (*STATIC, made):
        done = subprocess.run([program, *tool[1:], str(file)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), file
