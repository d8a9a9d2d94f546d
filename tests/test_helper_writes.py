"""What the helper has written is in the file, whoever copies it, moves it away or kills the helper behind the call."""

from __future__ import annotations

import os
import time

import pytest

from .conftest import Home
from .helping import SHELLS, script

every_shell = pytest.mark.parametrize("shell", SHELLS)


@every_shell
def test_a_file_that_is_copied_behind_a_call_is_whole(home: Home, shell: str) -> None:
    """Without the log beside it."""
    text = f"""
    for i in 1 2 3 4 5 6 7 8; do
        pronto set p.n.k $i; command cp {home.database} copy$i.db
        pronto incr p.n.count >/dev/null; pronto incr p.n.count >/dev/null; command cp {home.database} count$i.db
    done
    """
    assert script(home, shell, text).err == ""
    for number in range(1, 9):
        assert home.call("get", "p.n.k", "--database", f"./copy{number}.db").out == b"%d" % number
        assert home.call("get", "p.n.count", "--database", f"./count{number}.db").out == b"%d" % (2 * number)


@every_shell
def test_a_file_that_is_moved_behind_a_call_takes_all_along(home: Home, shell: str) -> None:
    text = f"""
    for i in 1 2 3 4 5; do
        pronto set p.n.k $i; command mv {home.database} old$i.db
        pronto set p.n.other $i; pronto get p.n.k 2>/dev/null; echo $?
        prontodb set p.n.third $i; command mv {home.database} new$i.db; prontodb set p.n.fourth $i
    done
    """
    done = script(home, shell, text)
    assert (done.lines, done.err) == (["2"] * 5, "")
    for number in range(1, 6):
        old, new = (("--database", f"./{name}{number}.db") for name in ("old", "new"))
        assert home.call("keys", "p.n", *old).lines == (["k"] if number == 1 else ["fourth", "k"])
        assert home.call("get", "p.n.k", *old).out == b"%d" % number
        assert home.call("keys", "p.n", *new).lines == ["other", "third"]


@every_shell
def test_nothing_is_left_beside_the_file_a_moment_later(home: Home, shell: str) -> None:
    folder = os.path.dirname(home.database)
    text = f"pronto set p.n.k v; pronto incr p.n.count; for i in 1 2 3 4 5 6 7 8 9 10; do command sleep 0.1; done; command ls {folder}"
    assert script(home, shell, text).lines == ["1", "main.db"]


@every_shell
def test_what_was_written_is_there_when_the_helper_is_killed_at_once(home: Home, shell: str) -> None:
    text = """
    for i in 1 2 3 4 5 6; do
        pronto incr p.n.count >/dev/null; pronto set p.n.k $i; builtin kill -KILL "$(<$__pronto_home/pid)"
        prontodb get p.n.k; pronto get p.n.count; echo
    done
    """
    done = script(home, shell, text)
    assert (done.lines, done.err) == ([f"{number}{number}" for number in range(1, 7)], "")


def test_loops_of_eight_shells_count_exactly(home: Home) -> None:
    """Each with a helper of its own, and the command between them."""
    loop = "for ((i = 0; i < 40; i++)); do pronto incr p.n.count >/dev/null || exit; ((i % 10)) || prontodb incr p.n.count >/dev/null || exit; done"
    text = "source ./init.bash; " + loop
    (home.folder / "one.sh").write_text(text)
    done = script(home, "bash", "for n in 1 2 3 4 5 6 7 8; do bash one.sh & done; wait; pronto get p.n.count; echo; command ls")
    assert done.lines[0] == str(8 * 44), done
    assert done.err == ""
    time.sleep(0.5)
    # Where several close it in the same moment, SQLite may leave an empty log.
    log = f"{home.database}-wal"
    assert not os.path.exists(log) or not os.path.getsize(log)
