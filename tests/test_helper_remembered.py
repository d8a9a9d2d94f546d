"""What the helper remembers of a loop's calls holds for as long as nothing that it came from has changed, and no longer."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from prontodb.helper import remembered
from prontodb.helper.calls import Calls
from prontodb.helper.protocol import Request

from .conftest import Home
from .helping import script


class Loop:
    """A shell's calls of `get`, as its helper gets them."""

    def __init__(self, home: Home, **variables: str) -> None:
        self.calls = Calls("prontodb")
        self.variables = tuple(f"{name}={value}".encode() for name, value in {**home.env, **variables}.items() if name != "PATH")

    def ask(self, *words: str, terminals: bytes = b"00", variables: tuple[bytes, ...] | None = None) -> tuple[bytes, bytes]:
        """The reply, and what belongs to it."""
        wanted = self.variables if variables is None else variables
        return self.calls.answer(Request(b"7.1", terminals, wanted, [word.encode() for word in words]))

    def knows(self, *words: str) -> bool:
        """Whether it would say it without asking the database again."""
        request = Request(b"7.1", b"00", self.variables, [word.encode() for word in words])
        return self.calls._answers.find(request, self.calls._environ[1]) is not None


def shown(reply: tuple[bytes, bytes]) -> str:
    """Status and outputs of a short reply, as text."""
    frame = reply[0].decode()
    errors, size = int(frame[6:9]), int(frame[28:31])
    return f"{int(frame[3:6])} {frame[31 : 31 + size]}{frame[31 + size : 31 + size + errors]}"


def settle() -> None:
    """A file that was written just now is not read as it lies: its time stamp could hide a change."""
    time.sleep(0.02)


@pytest.fixture
def loop(home: Home) -> Loop:
    """One that has asked for a value, and knows it."""
    home.call("set", "p.n.k", "value")
    settle()
    loop = Loop(home)
    assert [shown(loop.ask("get", "p.n.k")) for _ in "12"] == ["0 value"] * 2
    assert loop.knows("get", "p.n.k")
    return loop


def alike(home: Home, loop: Loop) -> bool:
    """Whether it says what the command says."""
    said = home.call("get", "p.n.k")
    reply = loop.ask("get", "p.n.k")
    return shown(reply) == f"{said.status} {said.out.decode()}{said.err}" if reply[0][2:3] == b"s" else said.status > 0


@pytest.mark.parametrize(
    "change", ["set p.n.k other", "set p.m.k other", "del p.n.k", "set p.n.k other --secret", "move p.n.k p.n.l", "incr p.n.i"]
)
def test_a_change_by_another_process_is_seen(home: Home, loop: Loop, change: str) -> None:
    """At once, and once more when nothing happens any longer."""
    assert home.call(*change.split()).status == 0
    assert not loop.knows("get", "p.n.k")
    for _ in "123":
        assert alike(home, loop)
        settle()


def test_its_own_changes_are_seen(home: Home, loop: Loop) -> None:
    for words in (("set", "p.n.k", "2"), ("incr", "p.n.k"), ("append", "p.n.k", "x"), ("del", "p.n.k")):
        assert loop.ask(*words)[0][3:6] == b"  0"
        assert not loop.knows("get", "p.n.k")
        assert alike(home, loop)


def test_another_file_in_its_place_is_seen(home: Home, loop: Loop) -> None:
    """Of the same size, and as old."""
    seen = os.stat(home.database)
    assert home.call("set", "p.n.k", "other", "--database", "./b.db").status == 0
    os.utime(home.folder / "b.db", ns=(seen.st_atime_ns, seen.st_mtime_ns))
    os.rename(home.folder / "b.db", home.database)
    assert shown(loop.ask("get", "p.n.k")) == "0 other"
    home.wipe()
    assert alike(home, loop)


def test_a_log_beside_the_file_is_seen(home: Home, loop: Loop) -> None:
    """Somebody has it open, and what he has written lies there only."""
    with sqlite3.connect(home.database) as other:
        other.execute("UPDATE entry SET value = ?", (b"other",))
    assert Path(f"{home.database}-wal").stat().st_size
    assert [shown(loop.ask("get", "p.n.k")) for _ in "12"] == ["0 other"] * 2
    other.close()


@pytest.mark.parametrize("change", ["cursor set mine ./b.db --meta acme; cursor use mine", "user add default --new-password-file pw"])
def test_what_else_decides_is_looked_at(home: Home, loop: Loop, change: str) -> None:
    """An active cursor, and a user who has a password now."""
    (home.folder / "pw").write_text("secret")
    for words in change.split("; "):
        assert home.call(*words.split()).status == 0
    assert not loop.knows("get", "p.n.k")
    assert home.call("get", "p.n.k").status > 0
    assert loop.ask("get", "p.n.k")[0][2:6] != b"s  0"


def test_other_variables_are_another_call(home: Home, loop: Loop) -> None:
    home.call("set", "p.n.k", "theirs", "--meta", "acme")
    settle()
    pinned = (*loop.variables, b"PRONTO_FORCE_META=acme")
    for _ in "123":
        assert shown(loop.ask("get", "p.n.k", variables=pinned)) == "0 theirs"
        assert shown(loop.ask("get", "p.n.k")) == "0 value"
    assert shown(loop.ask("get", "p.n.k", terminals=b"10")) == "0 value\n"
    assert shown(loop.ask("get", "p.n.k")) == "0 value"


@pytest.mark.parametrize("words", [("p.n.k", "value", "--ttl", "1h"), ("p.n.k", "value", "--secret"), ("p.sec.k", "value")])
def test_what_ends_or_is_secret_is_not_remembered(home: Home, words: tuple[str, ...]) -> None:
    """On a terminal, where secrets are shown."""
    home.call("set", *words)
    home.call("set", "p.n.plain", "value")
    settle()
    loop = Loop(home)
    for _ in "12":
        assert shown(loop.ask("get", words[0], terminals=b"10")) == "0 value\n"
        assert not loop.calls._answers._outs
    loop.ask("get", "p.n.plain", terminals=b"10")
    assert loop.calls._answers._outs


def test_what_lies_in_the_pipe_cache_is_not_remembered(home: Home) -> None:
    """It may lie in a file, too, which comes first: the caller looks."""
    done = home.call("set", "wrong", stdin=b"content")
    settle()
    loop = Loop(home)
    loop.ask("get", done.rescued)
    assert not loop.knows("get", done.rescued)


def test_it_is_little(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many short values at most, whatever is asked for."""
    monkeypatch.setattr(remembered, "MOST", 10)
    for number in range(15):
        home.call("set", f"p.n.k{number}", "v")
    home.call("set", "p.n.large", "x" * 1000)
    settle()
    loop = Loop(home)
    for number in range(15):
        assert shown(loop.ask("get", f"p.n.k{number}")) == "0 v"
        assert loop.knows("get", f"p.n.k{number}")
    loop.ask("get", "p.n.large")
    assert len(loop.calls._answers._outs) == 5
    assert not loop.knows("get", "p.n.large")


def test_a_loop_sees_what_others_write_meanwhile(home: Home) -> None:
    """In a real shell: each answer is at least as new as the last change that had ended before the call."""
    text = """
    pronto set p.n.k 0
    for i in {1..60}; do
        for n in 1 2 3 4 5; do pronto get -v V p.n.k; [[ $V == $((i - 1)) ]] || echo "wrong: $V"; done
        prontodb set p.n.k $i
    done
    """
    for shell in ("bash", "zsh"):
        done = script(home, shell, text)
        assert (done.out, done.err) == (b"", "")
