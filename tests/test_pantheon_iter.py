"""The pantheon command on iterations: saved, shown, mended, archived; and what is no command."""

from __future__ import annotations

import os
import pty

import pytest

from .conftest import COMMAND, Home
from .pantheon import BINARY, COUNTER, NOTES, SESSIONS, SHELLS, Pantheon, made


@pytest.fixture(params=list(SHELLS))
def pantheon(request: pytest.FixtureRequest, home: Home) -> Pantheon:
    """Each shell, with nothing made yet."""
    return made(home, request.param)


def test_what_is_saved_is_shown_to_the_byte(pantheon: Pantheon) -> None:
    pantheon.init()
    for number, content in enumerate((NOTES, BINARY, b"no newline", b"\n")):
        assert pantheon("iter", "save", "--name=keeper", f"--session={number}", stdin=content).status == 0
        for args in (["--session", str(number)], []):
            got = pantheon("iter", "show", "--name", "keeper", *args)
            assert (got.status, got.out, got.err) == (0, content, "")


def test_a_save_raises_the_counter_and_never_lowers_it(pantheon: Pantheon) -> None:
    pantheon.init()
    for number, current in ((5, "5"), (3, "5"), ("08", "8"), ("0009", "9"), (10, "10"), (9, "10")):
        assert pantheon("iter", "save", f"--session={number}", "--name=keeper", stdin=NOTES).status == 0
        assert pantheon("iter", "--name=keeper").lines == pantheon("iter", "current", "--name=keeper").lines == [current]
    assert pantheon.ask("keys", "iterations.sessions").lines == ["iter10", "iter3", "iter5", "iter8", "iter9"]


def test_of_saves_at_the_same_moment_the_highest_counts(pantheon: Pantheon) -> None:
    pantheon.init()
    saves = "for n in 7 9 8 3; do printf 'notes %s' $n | pantheon iter save --session=$n --name=keeper & done; wait"
    for _ in range(3):
        assert pantheon.run(saves).err == ""
        assert pantheon.ask("get", COUNTER).out == b"9"
        assert len(pantheon.ask("keys", "iterations.sessions").lines) == 4
        pantheon.ask("del", COUNTER)


def test_a_counter_that_rises_meanwhile_is_not_lowered(pantheon: Pantheon) -> None:
    """Between the look at it and its being set: somebody else's save of a higher one."""
    pantheon.init()
    other = f"'{COMMAND}' set {COUNTER} 12 --user keeper --meta keeper --cursor pantheon_keeper"
    rename = (
        "functions[__real_try]=$functions[__pantheon_try]"
        if pantheon.shell == "zsh"
        else 'eval "__real_try () $(declare -f __pantheon_try | tail -n +2)"'
    )
    between = f'{rename}\nfunction __pantheon_try {{ case "$*" in set*counter*) [[ -e raised ]] || {{ : >raised; {other}; }} ;; esac; __real_try "$@"; }}'
    got = pantheon.run(f"{between}\npantheon iter save --session=10 --name=keeper", stdin=NOTES)
    assert (got.status, got.err) == (0, "")
    assert pantheon.ask("get", COUNTER).out == b"12"


def test_a_save_with_nothing_to_save_is_refused(pantheon: Pantheon) -> None:
    pantheon.init()
    for stdin in (b"", None):
        assert pantheon("iter", "save", "--session=5", "--name=keeper", stdin=stdin).status == 64
    master, slave = pty.openpty()
    got = pantheon("iter", "save", "--session=5", "--name=keeper", stdin=slave)
    os.close(master)
    os.close(slave)
    assert got.status == 64
    assert "terminal" in got.err
    assert pantheon.ask("keys", "iterations.sessions").out == b""


def test_the_current_iteration_comes_from_prontodb_and_else_from_the_file(pantheon: Pantheon) -> None:
    pantheon.init()
    assert pantheon("iter", "--name=keeper").status == 2
    pantheon.note("keeper.iter", " 028\r\n")
    assert pantheon("iter", "--name=keeper").lines == ["28"]
    pantheon.ask("set", COUNTER, "30")
    assert pantheon("iter", "--name=keeper").lines == ["30"]
    assert pantheon.run("pantheon_secure_iter current keeper").lines == ["30"]
    pantheon.ask("set", COUNTER, "many")
    assert pantheon("iter", "--name=keeper").status == 1


def test_where_an_iteration_is(pantheon: Pantheon) -> None:
    pantheon.init().store(7)
    pantheon.store(6, kind="archive")
    paths = [pantheon.note("session-iter065.md", "65"), pantheon.note("archive/iter-2.md", "2")]
    assert pantheon("iter", "65", "--name=keeper").lines == pantheon("iter", "0065", "--name=keeper").lines == [str(paths[0])]
    assert pantheon("iter", "2", "--name=keeper").lines == [str(paths[1])]
    assert pantheon("iter", "7", "--name=keeper").lines == [f"{SESSIONS}7"]
    assert pantheon("iter", "6", "--name=keeper").lines == ["iterations.archive.iter6"]
    got = pantheon("iter", "8", "--name=keeper")
    assert (got.status, got.out, got.err) == (2, b"", "pantheon: keeper has no iteration 8\n")


def test_show_asks_prontodb_first_and_then_the_files(pantheon: Pantheon) -> None:
    pantheon.init().store(1)
    pantheon.store(2, kind="archive")
    for number in (1, 2, 3):
        pantheon.note(f"iter-{number}.md", b"file %d\0\n" % number)
    shown = [pantheon("iter", "show", "--name=keeper", f"--session={number}").out for number in (1, 2, 3)]
    assert shown == [b"sessions 1", b"archive 2", b"file 3\0\n"]
    assert pantheon("iter", "show", "--name=keeper", "--session=4").status == 2
    assert pantheon("iter", "show", "--name=keeper").status == 2


def test_an_empty_iteration_is_a_hit(pantheon: Pantheon) -> None:
    pantheon.init().note("iter-1.md", "not this")
    pantheon.ask("set", f"{SESSIONS}1", "-", stdin=b"")
    got = pantheon("iter", "show", "--name=keeper", "--session=1")
    assert (got.status, got.out) == (0, b"")


def test_the_functions_behind_the_command(pantheon: Pantheon) -> None:
    pantheon.init()
    assert pantheon.run("pantheon_secure_iter save keeper 12", stdin=BINARY).status == 0
    assert pantheon.run("pantheon_secure_iter show keeper 12").out == pantheon.run("pantheon_secure_iter show keeper").out == BINARY
    for wrong in ("save keeper", "fix keeper", "current keeper 3", "save", "", "show 'no kin'"):
        assert pantheon.run(f"pantheon_secure_iter {wrong}").status == 64, wrong


def test_before_init_it_says_what_to_do_and_keeps_what_was_piped(pantheon: Pantheon) -> None:
    for args in (
        ["iter"],
        ["iter", "show", "--session=1"],
        ["iter", "archive", "1"],
        ["migrate", "import"],
        ["migrate", "status"],
        ["migrate", "backup"],
    ):
        got = pantheon(*args, "--name=keeper")
        assert got.status == 64, got
        assert got.err.endswith("\nUse: pantheon migrate init --name=keeper\n")
    saved = pantheon("iter", "save", "--session=3", "--name=keeper", stdin=BINARY)
    assert saved.status == 4
    assert "Use: pantheon migrate init --name=keeper" in saved.err
    assert f"Use: pantheon iter fix {saved.rescued} --session=3 --name=keeper" in saved.err
    assert pantheon("migrate", "init", "--name=keeper").status == 0
    assert pantheon("iter", "fix", saved.rescued, "--session=3", "--name=keeper").status == 0
    assert pantheon("iter", "show", "--name=keeper").out == BINARY


def test_fix_brings_home_what_was_rescued_within_the_kin(pantheon: Pantheon) -> None:
    pantheon.init()
    rescued = pantheon.run("secure_pronto_call keeper set bad..address", stdin=BINARY).rescued
    assert pantheon("iter", "fix", rescued, "--session=21", "--name=keeper").status == 0
    assert pantheon("iter", "show", "--name=keeper").out == BINARY
    assert pantheon.ask("keys", "pipe.cache").out == b""


def test_fix_brings_home_what_was_rescued_outside_of_any_pin(pantheon: Pantheon) -> None:
    pantheon.init()
    for number, content in enumerate((NOTES, BINARY)):
        rescued = pantheon.run("prontodb set bad..address", stdin=content).rescued
        assert pantheon("iter", "fix", "--name=keeper", f"--session={number}", rescued).status == 0
        assert pantheon("iter", "show", "--name=keeper").out == content
        assert pantheon.home.call("keys", "pipe.cache").out == b""
    assert not list((pantheon.root / "databases").glob(".pantheon*"))


def test_fix_deletes_nothing_that_has_not_arrived(pantheon: Pantheon) -> None:
    pantheon.init()
    rescued = pantheon.run("prontodb set bad..address", stdin=NOTES).rescued
    broken = f'function __pantheon_command {{ case $1 in set) {COMMAND} set "$2" else ;; *) {COMMAND} "$@" ;; esac }}\n'
    got = pantheon.run(f"{broken}pantheon iter fix {rescued} --session=1 --name=keeper")
    assert got.status == 1
    assert pantheon.home.call("get", rescued).out == NOTES


def test_fix_takes_from_the_pipe_cache_only(pantheon: Pantheon) -> None:
    pantheon.init()
    pantheon.home.call("set", "a.b.c", "precious")
    for address in ("a.b.c", "pipe.cache.", "", "xpipe.cache.y"):
        assert pantheon("iter", "fix", address, "--session=1", "--name=keeper").status == 64
    assert pantheon("iter", "fix", "pipe.cache.nothing", "--session=1", "--name=keeper").status == 2
    assert pantheon("iter", "fix", "pipe.cache.nothing", "--name=keeper").status == 64
    assert pantheon.ask("keys", "iterations.sessions").out == b""


def test_a_rescue_is_known_by_its_words_whatever_its_status(pantheon: Pantheon) -> None:
    for status in (0, 2, 6, 64):
        env = {"PRONTO_RESCUE_EXIT": str(status)}
        saved = pantheon("iter", "save", "--name=keeper", "--session=5", stdin=NOTES, env=env)
        assert (saved.status, f"iter fix {saved.rescued} --session=5" in saved.err) == (status, True)
        wrong = pantheon("iter", "save", "--name=keeper", stdin=NOTES, env=env)
        assert (wrong.status, pantheon.home.call("get", wrong.rescued).out) == (64, NOTES)
    assert pantheon.init()("iter", "--name=keeper").status == 2


def test_archive_moves_all_but_the_last(pantheon: Pantheon) -> None:
    pantheon.init().store(1, 2, 3, 9, 10, 11)
    pantheon.ask("set", "iterations.sessions.draft", "no iteration")
    assert pantheon("iter", "archive", "7", "--name=keeper").out == b""
    got = pantheon("iter", "archive", "2", "--name=keeper")
    assert (got.status, got.lines) == (0, [f"iterations.archive.iter{number}" for number in (1, 2, 3, 9)])
    assert pantheon.ask("keys", "iterations.sessions").lines == ["draft", "iter10", "iter11"]
    assert pantheon.ask("get", "iterations.archive.iter9").out == b"sessions 9"
    assert pantheon("iter", "archive", "0", "--name=keeper").lines == ["iterations.archive.iter10", "iterations.archive.iter11"]


def test_archive_never_overwrites(pantheon: Pantheon) -> None:
    pantheon.init().store(1, 2, 3)
    pantheon.store(1, kind="archive")
    pantheon.ask("set", "iterations.archive.iter2", "sessions 2")
    got = pantheon("iter", "archive", "0", "--name=keeper")
    assert (got.status, got.lines) == (3, ["iterations.archive.iter2", "iterations.archive.iter3"])
    assert pantheon.ask("keys", "iterations.sessions").lines == ["iter1"]
    assert pantheon.ask("get", "iterations.archive.iter1").out == b"archive 1"


WRONG = [
    "",
    "itr --name=keeper",
    "iter",
    "iter --name",
    "iter --name=",
    "iter current 3 --name=keeper",
    "iter 3x --name=keeper",
    "iter -3 --name=keeper",
    "iter 9999999999999999999 --name=keeper",
    "iter show --session= --name=keeper",
    "iter show --session=1.5 --name=keeper",
    "iter archive --name=keeper",
    "iter archive all --name=keeper",
    "iter archive 3 --session=3 --name=keeper",
    "iter --from=x --name=keeper",
    "iter --bogus --name=keeper",
    "migrate --name=keeper",
    "migrate all --name=keeper",
    "migrate init extra --name=keeper",
    "'iter show' --name=keeper",
]


def test_what_makes_no_sense_is_a_usage_error(pantheon: Pantheon) -> None:
    pantheon.init()
    for words in WRONG:
        got = pantheon.run(f"pantheon {words}")
        assert (got.status, got.out) == (64, b""), words
        assert got.err.startswith("pantheon: ")


def test_options_may_stand_anywhere(pantheon: Pantheon) -> None:
    pantheon.init().store(4)
    for words in ("--name=keeper iter --session 4 show", "iter --session=4 --name keeper show", "--session 04 iter show --name=keeper"):
        assert pantheon.run(f"pantheon {words}").out == b"sessions 4"
    assert pantheon("iter", "show", "--session=4", env={"PANTHEON_ACTIVE_KIN": "keeper"}).out == b"sessions 4"


def test_help_goes_to_standard_output(pantheon: Pantheon) -> None:
    for words in ("help", "--help", "iter -h", "iter save --help"):
        got = pantheon.run(f"pantheon {words}")
        assert (got.status, got.err) == (0, "")
        assert all(word in got.out for word in (b"pantheon", b"save", b"archive", b"migrate backup"))
