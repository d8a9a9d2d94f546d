"""The pantheon command between files and ProntoDB, and without ProntoDB."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import COMMAND, Home
from .pantheon import BINARY, COUNTER, NOTES, SESSIONS, SHELLS, Pantheon, made, tree


@pytest.fixture(params=list(SHELLS))
def pantheon(request: pytest.FixtureRequest, home: Home) -> Pantheon:
    """Each shell, with nothing made yet."""
    return made(home, request.param)


def test_init_makes_a_private_folder_and_a_cursor_once_and_again(pantheon: Pantheon) -> None:
    for _ in "12":
        got = pantheon("migrate", "init", "--name=keeper")
        assert (got.status, got.out, got.err) == (0, b"", "")
    assert (pantheon.root / "databases").stat().st_mode & 0o777 == 0o700
    assert pantheon("iter", "save", "--name=keeper", "--session=1", stdin=NOTES).status == 0
    assert pantheon("migrate", "init", "--name=keeper").status == 0
    assert pantheon("iter", "show", "--name=keeper").out == NOTES


def test_init_does_not_point_a_cursor_elsewhere(pantheon: Pantheon) -> None:
    pantheon.init().store(1)
    pantheon.root = pantheon.home.folder / "another"
    got = pantheon("migrate", "init", "--name=keeper")
    assert got.status == 3
    assert "prontodb cursor delete pantheon_keeper --user keeper" in got.err
    assert pantheon.ask("get", f"{SESSIONS}1").out == b"sessions 1"


def test_strict_mode_needs_a_profile(pantheon: Pantheon) -> None:
    env = {"PANTHEON_SECURITY_MODE": "strict", "PANTHEON_ACTIVE_KIN": "keeper"}
    assert pantheon("migrate", "init", env=env).status == 6
    database = f"{pantheon.root}/databases/keeper.db"
    pantheon.home.call("profile", "add", "keeper", "--user", "keeper", "--meta", "keeper", "--database", database)
    assert pantheon("migrate", "init", env=env).status == 0
    strict = 'PANTHEON_SECURITY_MODE=strict PANTHEON_ACTIVE_KIN=keeper\npantheon "$@"'
    assert pantheon.run(strict, "iter", "save", "--session=2", stdin=NOTES).status == 0
    assert pantheon.run(strict, "iter", "show").out == NOTES
    pantheon.home.call("profile", "remove", "keeper")
    assert pantheon.run(strict, "iter", "show").status == 6


def odd_names(pantheon: Pantheon) -> dict[int, bytes]:
    """Thirty files, as they pile up over the years: number to content."""
    forms = [
        "iter-{}.md",
        "iter{:02}.md",
        "session-iter{}.md",
        "keeper.iter-{:03}.md",
        "Iter_{}.md",
        "KEEPER ITER{}.md",
        "re-iterated iter {}.md",
        "é 'q' \"x\" iter-{}.md",
    ]
    contents = {number: b"# %d\n" % number * number + b"\0\xff" * (number % 3) for number in range(1, 31)}
    for number, content in contents.items():
        pantheon.note(forms[number % len(forms)].replace("iter {", "iter{").format(number), content)
    for other in ("notes.md", "iteration-5.md", "iter-5.md.bak", "iter-.md", "iter-7-draft.md", ".iter-9.md.swp"):
        pantheon.note(other, "no iteration")
    pantheon.note("keeper.iter", "30\n")
    (pantheon.house / "iter-99.md").mkdir()
    return contents


def test_import_brings_in_a_grown_tree(pantheon: Pantheon) -> None:
    contents = odd_names(pantheon.init())
    before = tree(pantheon.house)
    got = pantheon("migrate", "import", "--name=keeper")
    assert (got.status, got.lines, got.err) == (0, [f"{SESSIONS}{number}" for number in contents], "")
    for number in contents:
        assert pantheon.ask("get", f"{SESSIONS}{number}").out == contents[number], number
    assert pantheon.ask("get", COUNTER).out == b"30"
    again = pantheon("migrate", "import", "--name=keeper")
    assert (again.status, again.out, again.err) == (0, b"", "")
    assert tree(pantheon.house) == before


def test_import_leaves_alone_what_differs_and_what_is_there_twice(pantheon: Pantheon) -> None:
    pantheon.init().store(1, 2)
    pantheon.store(3, kind="archive")
    pantheon.files(
        iter_1_md="another",
        iter_2_md="sessions 2",
        iter_3_md="archive 3",
        iter_4_md="x",
        iter4_md="y",
        iter_5_md="z",
        iter5_md="z",
        iter_0_md="",
    )
    got = pantheon("migrate", "import", "--name", "keeper")
    assert (got.status, got.lines) == (3, [f"{SESSIONS}0", f"{SESSIONS}5"])
    assert f"{pantheon.house}/iter_1.md" in got.err
    assert (
        f"{pantheon.house}/iter4.md and {pantheon.house}/iter_4.md" in got.err
        or f"{pantheon.house}/iter_4.md and {pantheon.house}/iter4.md" in got.err
    )
    assert pantheon.ask("get", f"{SESSIONS}1").out == b"sessions 1"
    assert pantheon.ask("keys", "iterations.sessions").lines == ["iter0", "iter1", "iter2", "iter5"]


def test_import_tells_of_a_file_that_does_not_arrive_whole(pantheon: Pantheon) -> None:
    pantheon.init().note("iter-1.md", NOTES)
    broken = f'function __pantheon_command {{ case $1 in set) {COMMAND} set "$2" else ;; *) {COMMAND} "$@" ;; esac }}\n'
    assert pantheon.run(f"{broken}pantheon migrate import --name=keeper").status == 1


def test_status_tells_what_differs_and_what_is_missing(pantheon: Pantheon) -> None:
    pantheon.init().store(1, 2, 9)
    pantheon.ask("set", COUNTER, "9")
    pantheon.files(
        iter_1_md="another", iter_2_md="sessions 2", iter_4_md="x", iter4_md="y", iter_5_md="new", notes_1_md="", keeper_iter="5\n"
    )
    got = pantheon("migrate", "status", "--name=keeper")
    assert (got.status, got.err) == (0, "")
    shown = {line.split("\t")[0]: line.split("\t")[1:] for line in got.lines}
    assert shown["sessions: in prontodb"] == ["3"]
    assert shown["sessions: iteration files"] == ["4"]
    assert shown["sessions: other files"] == ["1"]
    assert shown["differs"] == [f"{pantheon.house}/iter_1.md"]
    assert shown["missing"] == [f"{pantheon.house}/iter_5.md"]
    assert sorted(shown["twice"]) == sorted(f"{pantheon.house}/{name}" for name in ("iter4.md", "iter_4.md"))
    assert (shown["counter: in prontodb"], shown["counter: in its file"]) == (["9"], ["5"])


def test_a_backup_is_complete_private_and_comes_back(pantheon: Pantheon) -> None:
    pantheon.init().store(1, 12)
    pantheon.store(1, 3, kind="archive")
    pantheon.ask("set", f"{SESSIONS}2", stdin=BINARY)
    pantheon.ask("set", "iterations.sessions.draft", "left out")
    pantheon.ask("set", COUNTER, "12")
    got = pantheon("migrate", "backup", "--name=keeper")
    assert (got.status, got.err) == (0, "pantheon: not an iteration, and left out: iterations.sessions.draft\n")
    folder = Path(got.lines[0])
    assert folder.parent == pantheon.root / "backups/keeper"
    contents = {
        "archive/iter-1.md": b"archive 1",
        "archive/iter-3.md": b"archive 3",
        "iter-1.md": b"sessions 1",
        "iter-12.md": b"sessions 12",
    }
    assert tree(folder) == {**contents, "iter-2.md": BINARY, "keeper.iter": b"12\n"}
    assert all(path.stat().st_mode & 0o77 == 0 for path in [folder, *folder.rglob("*")])
    pantheon.root = pantheon.home.folder / "restored"
    back = pantheon.init()("migrate", "import", "--from", str(folder), "--name=keeper")
    assert (back.status, len(back.lines)) == (0, 5)
    assert tree(Path(pantheon("migrate", "backup", "--name=keeper").lines[0])) == tree(folder)


def test_two_backups_in_one_second_are_two(pantheon: Pantheon) -> None:
    pantheon.init().store(1)
    got = pantheon.run("for n in 1 2 3; do pantheon migrate backup --name=keeper & done; wait")
    assert len(set(got.lines)) == 3
    assert all(tree(Path(line)) == {"iter-1.md": b"sessions 1"} for line in got.lines)


def test_a_backup_that_fails_leaves_none(pantheon: Pantheon) -> None:
    pantheon.init().store(1, 2)
    broken = f'function __pantheon_command {{ case $* in *get*iter2) date +%N ;; esac; {COMMAND} "$@"; }}\n'
    got = pantheon.run(f"{broken}pantheon migrate backup --name=keeper")
    assert (got.status, got.out) == (1, b"")
    assert tree(pantheon.root / "backups") == {}
    assert list((pantheon.root / "backups/keeper").iterdir()) == []


def test_without_prontodb_iterations_are_files(pantheon: Pantheon) -> None:
    pantheon.uninstall()
    assert pantheon("iter", "--name=keeper").status == 2
    saved = pantheon("iter", "save", "--name=keeper", "--session=07", stdin=BINARY)
    assert (saved.status, saved.out, saved.err.count("not installed")) == (0, b"", 1)
    assert tree(pantheon.house) == {"iter-7.md": BINARY, "keeper.iter": b"7\n"}
    assert pantheon("iter", "--name=keeper").lines == pantheon("iter", "current", "--name=keeper").lines == ["7"]
    shown = pantheon("iter", "show", "--name=keeper")
    assert (shown.out, shown.err.count("\n")) == (BINARY, 1)
    assert pantheon("iter", "7", "--name=keeper").lines == [f"{pantheon.house}/iter-7.md"]
    assert pantheon("iter", "8", "--name=keeper").status == pantheon("iter", "show", "--session=8", "--name=keeper").status == 2


def test_without_prontodb_no_content_is_overwritten_or_lost(pantheon: Pantheon) -> None:
    pantheon.uninstall().note("session-iter07.md", "first")
    pantheon.note("keeper.iter", "9")
    for content in (b"second", b"second", b"third"):
        assert pantheon("iter", "save", "--name=keeper", "--session=7", stdin=content).status == 0
    kept = {"session-iter07.md": b"third", "session-iter07.md.old-1": b"first", "session-iter07.md.old-2": b"second", "keeper.iter": b"9"}
    assert tree(pantheon.house) == kept
    assert pantheon("iter", "save", "--name=keeper", "--session=7", stdin=b"").status == 64
    pantheon.note("iter-7.md", "which one?")
    got = pantheon("iter", "save", "--name=keeper", "--session=7", stdin=b"fourth")
    assert got.status == 4
    assert Path(got.err.split("is kept in ")[1].strip()).read_bytes() == b"fourth"


def test_without_prontodb_a_refused_save_is_kept_in_a_file(pantheon: Pantheon) -> None:
    pantheon.uninstall()
    calls = [(["--name=prometheus", "--session=1"], 6), (["--name=keeper"], 64)]
    for args, status in calls:
        got = pantheon("iter", "save", *args, stdin=BINARY, env={"PANTHEON_ACTIVE_KIN": "keeper"})
        assert got.status == status
        assert Path(got.err.split("is kept in ")[1].strip()).read_bytes() == BINARY
    pantheon.house.parent.mkdir(parents=True)
    pantheon.house.write_text("in the way")
    got = pantheon("iter", "save", "--name=keeper", "--session=1", stdin=BINARY)
    assert got.status == 4
    assert Path(got.err.split("is kept in ")[1].strip()).read_bytes() == BINARY


def test_without_prontodb_archive_moves_files(pantheon: Pantheon) -> None:
    pantheon.uninstall()
    for name in ("iter-1.md", "iter02.md", "iter-9.md", "keeper.iter-10.md"):
        pantheon.note(name, name)
    pantheon.note("archive/iter-1.md", "differs")
    got = pantheon("iter", "archive", "2", "--name=keeper")
    assert (got.status, got.lines) == (3, [f"{pantheon.house}/archive/iter02.md"])
    assert sorted(tree(pantheon.house)) == ["archive/iter-1.md", "archive/iter02.md", "iter-1.md", "iter-9.md", "keeper.iter-10.md"]
    assert pantheon("iter", "show", "--session=2", "--name=keeper").out == b"iter02.md"


def test_without_prontodb_the_rest_is_an_error(pantheon: Pantheon) -> None:
    pantheon.uninstall().note("iter-1.md", "x")
    before = tree(pantheon.root)
    for args in (
        ["iter", "fix", "pipe.cache.x", "--session=1"],
        ["migrate", "init"],
        ["migrate", "import"],
        ["migrate", "status"],
        ["migrate", "backup"],
    ):
        got = pantheon(*args, "--name=keeper")
        assert (got.status, got.out) == (1, b""), args
        assert "not installed" in got.err
    assert tree(pantheon.root) == before


def test_a_command_that_cannot_be_started_counts_as_missing(pantheon: Pantheon) -> None:
    broken = pantheon.home.folder / "broken"
    broken.write_text("#!/nonexistent/python\n")
    pantheon.text = pantheon.text.replace(COMMAND, str(broken))
    pantheon.note("iter-3.md", NOTES)
    for mode in (0o644, 0o755):
        broken.chmod(mode)
        assert pantheon("iter", "show", "--session=3", "--name=keeper").out == NOTES
        assert pantheon("iter", "save", "--session=4", "--name=keeper", stdin=BINARY).status == 0
    assert (pantheon.house / "iter-4.md").read_bytes() == BINARY
