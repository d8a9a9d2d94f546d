"""The picker: driven as its library drives it, and at a real terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets import DataTable, Static, Tree

from prontodb import preview
from prontodb.address import Place
from prontodb.browser import PAGE, Browser
from prontodb.ops import open_store
from prontodb.session import Input, Session

from .conftest import COMMAND, Feed, Home, Sink

Steps = Callable[[Pilot[Any]], Awaitable[None]]


def browse(home: Home, steps: Steps, place: Place | None = None) -> str | None:
    """What was picked, once `steps` were done."""
    with Feed(None) as fd:
        session = Session(home.env, str(home.folder), time.time, (Input(fd), Sink(terminal=True), Sink(terminal=True)))
    app = Browser(open_store(session), place, session.scope())

    async def run() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            await steps(pilot)

    asyncio.run(run())
    session.close()
    return app.return_value


def keys(pilot: Pilot[Any]) -> list[str]:
    """The keys in the table."""
    table = pilot.app.query_one(DataTable)
    return [str(table.get_row_at(row)[0]) for row in range(table.row_count)]


def value(pilot: Pilot[Any]) -> str:
    """The preview."""
    return str(pilot.app.query_one("#value", Static).render())


@pytest.fixture
def stored(home: Home) -> Home:
    for address, text in {"a.b.one": "first", "a.b.two": "second", "a.b.two-more": "x", "c.d.three": "third"}.items():
        home.run("set", address, text)
    return home


def test_enter_picks_the_address_under_the_cursor(stored: Home) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        assert keys(pilot) == ["one", "two", "two-more"]
        assert value(pilot) == "first"
        await pilot.press("down")
        assert value(pilot) == "second"
        await pilot.press("enter")

    assert browse(stored, steps) == "a.b.two"


def test_leaving_picks_nothing(stored: Home) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press("q")

    assert browse(stored, steps) is None


def test_the_tree_leads_to_other_namespaces(stored: Home) -> None:
    stored.run("set", "a.c.other", "1")

    async def steps(pilot: Pilot[Any]) -> None:
        shown = [(str(top.label), [str(leaf.label) for leaf in top.children]) for top in pilot.app.query_one(Tree).root.children]
        assert shown == [("a", ["b", "c"]), ("c", ["d"])]
        await pilot.press("shift+tab", "end")
        await pilot.pause()
        assert keys(pilot) == ["three"]
        await pilot.press("tab", "enter")

    assert browse(stored, steps) == "c.d.three"


def test_a_prefix_keeps_its_keys(stored: Home) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press("slash", *"two", "enter")
        await pilot.pause()
        assert keys(pilot) == ["two", "two-more"]
        await pilot.press("slash", "escape")
        await pilot.pause()
        assert keys(pilot) == ["two", "two-more"]
        await pilot.press("slash", "ctrl+u", "enter")
        await pilot.pause()
        assert keys(pilot) == ["one", "two", "two-more"]

    browse(stored, steps)


def test_copies_to_a_free_address_and_to_no_other(stored: Home) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        for target in ("c.d.copied", "c.d.three", "no such address"):
            await pilot.press("c", "ctrl+u", *target, "enter")
            await pilot.pause()

    browse(stored, steps)
    assert stored.run("get", "c.d.copied").out == b"first"
    assert stored.run("get", "c.d.three").out == b"third"


def test_deletes_once_yes_is_written(stored: Home) -> None:
    async def steps(pilot: Pilot[Any]) -> None:
        await pilot.press("d", *"no", "enter")
        await pilot.press("d", "escape")
        await pilot.pause()
        assert keys(pilot) == ["one", "two", "two-more"]
        await pilot.press("d", *"yes", "enter")
        await pilot.pause()
        assert keys(pilot) == ["two", "two-more"]

    browse(stored, steps)
    assert stored.run("get", "a.b.one").status == 2


def test_a_secret_is_hidden_until_it_is_asked_for(home: Home) -> None:
    home.run("set", "a.sec.password", "hunter2")

    async def steps(pilot: Pilot[Any]) -> None:
        assert "hunter2" not in value(pilot)
        await pilot.press("s")
        assert value(pilot) == "hunter2"

    browse(home, steps)


def test_many_keys_come_page_by_page(home: Home) -> None:
    home.run("set", "-0", stdin=b"".join(b"a.b.k%05d\0v\0" % number for number in range(PAGE + 5)))

    async def steps(pilot: Pilot[Any]) -> None:
        assert len(keys(pilot)) == PAGE
        await pilot.press("ctrl+end")
        await pilot.pause()
        assert keys(pilot) == [f"k{number:05}" for number in range(PAGE + 5)]

    browse(home, steps)


def test_nothing_stored_and_gone_meanwhile_are_no_faults(home: Home) -> None:
    async def empty(pilot: Pilot[Any]) -> None:
        await pilot.press("enter", "c", "d", "s", "slash", "r")

    assert browse(home, empty) is None
    home.run("set", "a.b.one", "1")
    home.run("set", "a.b.two", "2")

    async def gone(pilot: Pilot[Any]) -> None:
        home.run("del", "a.b.two")
        await pilot.press("down")
        assert value(pilot) == ""

    browse(home, gone)


def test_another_meta_is_not_seen(stored: Home) -> None:
    stored.run("--meta", "acme", "set", "a.b.theirs", "1")

    async def steps(pilot: Pilot[Any]) -> None:
        assert "theirs" not in keys(pilot)

    browse(stored, steps)


@given(st.text())
def test_what_is_shown_moves_no_cursor(text: str) -> None:
    shown = preview.shown(text)
    assert all(mark.isprintable() or mark in "\t\n" for mark in shown)
    assert len(shown) == len(text)
    if all(mark.isprintable() for mark in text):
        assert shown == text


def test_bytes_and_long_values_are_told_of(home: Home) -> None:
    home.run("set", "a.b.bytes", stdin=b"\xff\x00")
    home.run("set", "a.b.long", stdin=b"x" * (preview.SHOWN + 1))

    async def steps(pilot: Pilot[Any]) -> None:
        assert "2 bytes that are not text" in value(pilot)
        await pilot.press("down")
        assert value(pilot).endswith("x\n…")

    browse(home, steps)


def test_at_a_terminal_standard_output_holds_the_address_alone(stored: Home) -> None:
    env = stored.env | {"TERM": "xterm", "PS1": "READY> "}
    child = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "--noediting", "-i"], env=env, dimensions=(40, 120), timeout=30, encoding="utf-8"
    )
    child.expect_exact("READY> ")
    child.sendline('got=$(prontodb browse a.b); echo "status $? got=$got."')
    child.expect_exact("first")
    child.send("\r")
    child.expect_exact("status 0 got=a.b.one.")
    child.sendline('prontodb browse; echo "status $?"')
    child.expect_exact("first")
    child.send("q")
    child.expect_exact("status 2")
    child.close(force=True)


def test_without_a_terminal_it_says_so(stored: Home) -> None:
    done = stored.run("browse")
    assert done.status == 64
    assert "needs a terminal" in done.err


def test_without_its_library_it_says_so(stored: Home, tmp_path: Any) -> None:
    """A module of that name that cannot be found, as where the extra was not installed."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfound = u.find_spec\nu.find_spec = lambda name, *rest: None if name == 'textual' else found(name, *rest)\n"
    )
    env = stored.env | {"PYTHONPATH": str(tmp_path)}
    child = pexpect.spawn(COMMAND, ["browse"], env=env, timeout=30, encoding="utf-8")
    child.expect_exact("pip install 'prontodb[browse]'")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1


def test_switched_off_it_says_so(stored: Home) -> None:
    env = stored.env | {"PRONTO_FEATURES": "-browse"}
    child = pexpect.spawn(COMMAND, ["browse"], env=env, timeout=30, encoding="utf-8")
    child.expect_exact("switched off")
    child.close()
