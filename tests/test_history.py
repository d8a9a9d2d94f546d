"""The verbs of the history: `history`, `log`, `blame`, `undo`, `get --at`, `del --purge`."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from .conftest import COMMAND, Home, Result

NOW = 1_795_435_200
"""2026-11-23T12:00:00Z."""


def by(home: Home, actor: str, *argv: str, at: float = NOW, **options: Any) -> Result:
    """A call of somebody's, which must succeed."""
    done = home.call(*argv, now=at, env={"PRONTO_ACTOR": actor}, **options)
    assert done.status == 0, done.err
    return done


@pytest.fixture
def told(home: Home) -> Home:
    """`p.n.k` by three actors, deleted at last; `p.n.other` by one."""
    by(home, "ann", "set", "p.n.k", "one")
    by(home, "bob", "set", "p.n.k", "three", at=NOW + 60)
    by(home, "bob", "set", "p.n.other", "x", at=NOW + 61.25)
    by(home, "cy", "del", "p.n.k", at=NOW + 120)
    return home


def test_history_lists_the_changes_of_a_key(told: Home) -> None:
    got = told.call("history", "p.n.k", now=NOW + 200)
    assert got.lines == [
        "4\t2026-11-23T12:02:00.000Z\tcy\tdeleted\t-\t-",
        "2\t2026-11-23T12:01:00.000Z\tbob\tchanged\t5\tyes",
        "1\t2026-11-23T12:00:00.000Z\tann\tcreated\t3\tyes",
    ]
    rows = json.loads(told.call("history", "p.n.k", "--json", now=NOW + 200).out)
    assert rows[1] == {
        "address": "p.n.k",
        "revision": 2,
        "time": "2026-11-23T12:01:00.000Z",
        "actor": "bob",
        "change": "changed",
        "size": 5,
        "kept": "yes",
        "expires": None,
    }
    assert [json.loads(line) for line in told.call("history", "p.n.k", "--ndjson", now=NOW + 200).lines] == rows
    assert told.call("history", "p.n.none").status == 2
    assert told.call("history", "p.n.k", "--ndjson", "--json", now=NOW + 200).status == 64


def test_log_lists_the_changes_of_a_place(told: Home) -> None:
    def log(*argv: str) -> list[str]:
        return [line.split("\t", 1)[1] for line in told.call("log", *argv, now=NOW + 200).lines]

    whole = ["4\tcy\tdeleted\tp.n.k", "3\tbob\tcreated\tp.n.other", "2\tbob\tchanged\tp.n.k", "1\tann\tcreated\tp.n.k"]
    assert log("p.n") == log("--all") == log("-p", "p", "-n", "n") == log("p.n", "--limit", "0") == whole
    assert log("p.n.oth") == whole[1:2]
    assert log("p.n", "--limit", "2") == whole[:2]
    assert log() == []
    assert told.call("log", "p.n", "--all").status == 64
    assert told.call("log", "bad..place.x").status == 64
    assert len(json.loads(told.call("log", "p.n", "--json", now=NOW + 200).out)) == 4


def test_blame_tells_who_wrote_a_value(told: Home) -> None:
    assert told.call("blame", "p.n.other", now=NOW + 200).lines == ["bob\t2026-11-23T12:01:01.250Z\t3"]
    gone = told.call("blame", "p.n.k", now=NOW + 200)
    assert (gone.status, "deleted by cy (revision 4)" in gone.err) == (2, True)
    assert told.call("blame", "p.n.none").status == 2


@pytest.mark.parametrize(
    ("when", "value"),
    [
        ("1", b"one"),
        ("2", b"three"),
        ("3", b"three"),
        ("4", None),
        ("0", None),
        ("190s", b"one"),
        ("3m", b"one"),
        ("2m20s", b"three"),
        ("1m", None),
        ("201s", None),
        ("2026-11-23T12:00:30Z", b"one"),
        ("2026-11-23T13:01:30+01:00", b"three"),
        ("2026-11-23T12:01:00.000Z", b"three"),
        (f"@{NOW + 59.5}", b"one"),
        (f"@{NOW + 119}", b"three"),
        (f"@{NOW + 120}", None),
    ],
)
def test_get_at_gives_what_was_there(told: Home, when: str, value: bytes | None) -> None:
    got = told.call("get", "p.n.k", "--at", when, now=NOW + 200)
    assert (got.status, got.out) == ((2, b"") if value is None else (0, value)), got.err
    if value is None:
        assert "prontodb history p.n.k" in got.err


@pytest.mark.parametrize(
    "when",
    ["", "junk", "-5", "1.5", "@", "@x", "@1.2.3", "2026-13-01", "2026-11-23T12:00:00Q", "0s", "9" * 30, "2027-01-01", f"@{NOW + 999}"],
)
def test_a_time_that_is_none_is_refused(told: Home, when: str) -> None:
    got = told.call("get", "p.n.k", f"--at={when}", now=NOW + 200)
    assert (got.status, got.out) == (64, b"")
    assert "2026-11-23T12:00" in got.err


def test_a_revision_still_to_come_is_refused(told: Home) -> None:
    """Also where nothing stands at the address; the pipe cache takes revisions, too."""
    for number in range(1, 99):
        if (got := told.call("get", "p.n.k", "--at", str(number), now=NOW + 200)).status == 64:
            break
    last = number - 1
    assert (last > 3, got.err) == (
        True,
        f"prontodb: Revision {number} lies ahead: the last one was {last}\nCure: prontodb log tells of the last changes\n",
    )
    assert told.call("get", "p.n.none", "--at", str(number), now=NOW + 200).status == 64
    assert told.call("get", "p.n.none", "--at", str(last), now=NOW + 200).status == 2
    assert told.call("set", "p.n.else", "v", now=NOW + 200).status == 0
    assert told.call("get", "p.n.k", "--at", str(number), now=NOW + 200).status != 64


def test_a_time_without_a_zone_is_the_callers(told: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for zone, hour in (("UTC", "12"), ("UTC-3", "15"), ("UTC", "12")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert told.call("get", "p.n.k", "--at", f"2026-11-23T{hour}:00:30", now=NOW + 200).out == b"one"


def test_get_at_in_other_forms(told: Home) -> None:
    assert told.call("get", "p.n.k", "--at", "3", "--rev", now=NOW + 200).out == b"2\n"
    found = json.loads(told.call("get", "p.n.k", "--at", "1", "--json", now=NOW + 200).out)
    assert (found["value"], found["revision"], found["address"]) == ("one", 1, "p.n.k")
    assert told.call("get", "p.n.k", "--at", "1", "-N", now=NOW + 200).out == b"one\n"
    for wrong in (("--from", "-"), ("-0",), ("--include-expired",), ("--no-nul",)):
        assert told.call("get", "p.n.k", "--at", "1", *wrong, now=NOW + 200).status == 64


def test_undo_takes_back_the_last_change(told: Home) -> None:
    for expected in (b"three", None, b"three"):
        by(told, "dan", "undo", "p.n.k", at=NOW + 130)
        got = told.call("get", "p.n.k", now=NOW + 130)
        assert (got.status, got.out) == ((2, b"") if expected is None else (0, expected))
    by(told, "dan", "undo", "p.n.other", at=NOW + 130)
    assert told.call("get", "p.n.other", now=NOW + 130).status == 2
    assert told.call("blame", "p.n.k", now=NOW + 130).lines[0].startswith("dan\t")
    assert told.call("undo", "p.n.none", now=NOW + 130).status == 2


def test_undo_of_what_is_not_kept_is_refused(home: Home) -> None:
    """A value too large for the history, and one whose time in it is over: nothing is put in their place, nothing deleted."""
    small = {"PRONTO_HISTORY_BYTES": "1k"}
    home.call("set", "p.n.k", "x" * 2000, now=NOW, env=small)
    home.call("set", "p.n.k", "new", now=NOW, env=small)
    got = home.call("undo", "p.n.k", now=NOW)
    assert (got.status, "not kept" in got.err) == (2, True)
    assert home.call("history", "p.n.k", now=NOW).lines[1].endswith("\t2000\tno")
    home.call("set", "p.n.j", "old", now=NOW)
    home.call("set", "p.n.j", "new", now=NOW)
    assert home.call("undo", "p.n.j", now=NOW + 86_400).status == 2
    assert (home.call("get", "p.n.k", now=NOW).out, home.call("get", "p.n.j", now=NOW).out) == (b"new", b"new")


def test_a_lifetime_comes_back_as_it_was(home: Home) -> None:
    by(home, "ann", "set", "p.n.k", "v", "--ttl", "100")
    by(home, "ann", "set", "p.n.k", "w", at=NOW + 10)
    by(home, "ann", "undo", "p.n.k", at=NOW + 20)
    assert home.call("ttl", "p.n.k", now=NOW + 20).lines == ["80"]
    by(home, "ann", "set", "p.n.k", "w", at=NOW + 30)
    by(home, "ann", "undo", "p.n.k", at=NOW + 200)
    assert home.call("get", "p.n.k", now=NOW + 200).status == 2


def test_undoing_an_actor(told: Home) -> None:
    by(told, "bob", "set", "q.m.new", "x", at=NOW + 130)
    by(told, "ann", "set", "q.m.hers", "x", at=NOW + 131)
    rows = told.call("undo", "--actor", "bob", "--since", "5m", "--dry-run", now=NOW + 200).lines
    assert sorted(rows) == ["p.n.k\tchanged by others\t-", "p.n.other\tdeleted\t-", "q.m.new\tdeleted\t-"]
    refused = told.call("undo", "--actor", "bob", "--since", "5m", now=NOW + 200)
    assert (refused.status, "p.n.k" in refused.err, "--skip" in refused.err) == (3, True, True)
    assert told.call("get", "q.m.new", now=NOW + 200).status == 0
    narrowed = by(told, "dan", "undo", "--actor", "bob", "--since", "5m", "-v", "q.m", at=NOW + 200)
    assert "1 keys" in narrowed.err
    assert [told.call("exists", name, now=NOW + 200).status for name in ("q.m.new", "p.n.other", "q.m.hers")] == [2, 0, 0]
    by(told, "dan", "undo", "--actor", "bob", "--since", "5m", "--skip", at=NOW + 200)
    assert [told.call("exists", name, now=NOW + 200).status for name in ("p.n.k", "p.n.other", "q.m.hers")] == [2, 2, 0]
    by(told, "dan", "undo", "--actor", "bob", "--since", "5m", "--force", "-n", "n", "-p", "p", at=NOW + 200)
    assert told.call("get", "p.n.k", now=NOW + 200).out == b"one"
    assert told.call("undo", "--actor", "zoe", "--since", "5m", now=NOW + 200).status == 2
    assert told.call("undo", "--actor", "ann", "--since", "60", now=NOW + 200).status == 2


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("p.n.k", "--since", "5m"),
        ("p.n.k", "--force"),
        ("p.n.k", "--dry-run"),
        ("--actor", "bob"),
        ("--actor", "bob", "--since", "junk"),
        ("--actor", "bob", "--since", "5m", "--force", "--skip"),
        ("bad..k",),
        ("--actor", "bob", "--since", "5m", "bad..place.x"),
    ],
)
def test_wrong_calls_of_undo_change_nothing(told: Home, argv: tuple[str, ...]) -> None:
    got = told.call("undo", *argv, now=NOW + 200)
    assert (got.status, bool(got.err)) == (64, True)
    assert told.call("log", "p.n", now=NOW + 200).lines[0].split("\t")[1] == "4"


def test_a_secret_leaves_nothing_behind(told: Home) -> None:
    """`del --purge` and `history --drop` take the bytes out of the file, also of what was deleted before."""
    by(told, "ann", "set", "p.n.secret", "hunter2hunter2", at=NOW + 130)
    by(told, "ann", "del", "p.n.secret", at=NOW + 131)
    assert told.call("get", "p.n.secret", "--at", "5", now=NOW + 132).out == b"hunter2hunter2"
    by(told, "ann", "del", "--purge", "p.n.secret", at=NOW + 133)
    assert [told.call(*call, "p.n.secret", now=NOW + 134).status for call in (("history",), ("undo",), ("del", "--purge"))] == [2, 2, 2]
    by(told, "ann", "history", "--drop", "p.n.k", at=NOW + 134)
    assert told.call("history", "p.n.k", "--drop", now=NOW + 134).status == 2
    by(told, "ann", "del", "--purge", "--from", "-", stdin=b"p.n.other\n", at=NOW + 135)
    assert told.call("history", "p.n.other", now=NOW + 136).status == 2


def test_history_off_leaves_blame(home: Home) -> None:
    off = {"PRONTO_HISTORY_TTL": "0", "PRONTO_ACTOR": "ann"}
    for value in ("one", "two"):
        assert home.call("set", "p.n.k", value, now=NOW, env=off).status == 0
    assert [line.split("\t")[2:] for line in home.call("history", "p.n.k", now=NOW).lines] == [["ann", "changed", "3", "yes"]]
    assert home.call("blame", "p.n.k", now=NOW).lines[0].startswith("ann\t")
    assert home.call("undo", "p.n.k", now=NOW).status == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PRONTO_ACTOR", "a\nb"),
        ("PRONTO_ACTOR", " a"),
        ("PRONTO_ACTOR", "x" * 129),
        ("PRONTO_ACTOR", "\udcff"),
        ("PRONTO_HISTORY_TTL", "soon"),
        ("PRONTO_HISTORY_COUNT", "0"),
        ("PRONTO_HISTORY_BYTES", "12q"),
        ("PRONTO_HISTORY_BYTES", "-1"),
    ],
)
def test_bad_variables_are_refused_and_lose_nothing(home: Home, name: str, value: str) -> None:
    got = home.call("set", "p.n.k", "v", env={name: value})
    assert (got.status, name in got.err) == (64, True)
    piped = home.call("set", "p.n.k", stdin=b"content", env={name: value})
    assert piped.status == 4
    assert home.call("get", piped.rescued).out == b"content"
    assert home.call("exists", "p.n.k").status == 2


def test_whoever_is_not_named_is_the_user_and_the_calling_process(home: Home) -> None:
    got = home.shell(f"{COMMAND} set p.n.k v; {COMMAND} blame p.n.k; echo $$")
    blamed, shell = got.lines
    assert blamed.split("\t")[0] == f"default:{shell}"


@pytest.mark.parametrize("verb", ["incr", "append", "stream", "import", "move"])
def test_every_verb_that_replaces_can_be_undone(home: Home, verb: str) -> None:
    by(home, "ann", "set", "p.n.k", "7")
    by(home, "ann", "set", "p.n.src", "8")
    calls: dict[str, tuple[tuple[str, ...], bytes | None]] = {
        "incr": (("incr", "p.n.k"), None),
        "append": (("append", "p.n.k", "8"), None),
        "stream": (("stream", "-p", "p", "-n", "n"), b"k=8;"),
        "import": (("import", "-", "--format", "tsv"), b"p.n.k\t\t8\n"),
        "move": (("move", "p.n.src", "p.n.k"), None),
    }
    argv, stdin = calls[verb]
    by(home, "bob", *argv, stdin=stdin, at=NOW + 1)
    assert home.call("get", "p.n.k", now=NOW + 1).out != b"7"
    by(home, "dan", "undo", "--actor", "bob", "--since", "10", at=NOW + 2)
    assert (home.call("get", "p.n.k", now=NOW + 2).out, home.call("get", "p.n.src", now=NOW + 2).out) == (b"7", b"8")


def test_a_meta_and_a_pin_keep_their_history_apart(home: Home) -> None:
    for meta in ("acme", "acme-inc"):
        for value in ("one", "two"):
            by(home, f"{meta}-bot", "set", "p.n.k", value, "--meta", meta)
    pinned = {"PRONTO_FORCE_META": "acme"}
    assert [line.split("\t")[2] for line in home.call("log", "--all", now=NOW, env=pinned).lines] == ["acme-bot"] * 2
    assert home.call("log", "--all", now=NOW).lines == []
    assert home.call("log", "--all", "--meta", "acme-inc", now=NOW, env=pinned).status == 6
    assert home.call("undo", "p.n.k", "--meta", "acme-inc", now=NOW, env=pinned).status == 6
    assert home.call("undo", "--actor", "acme-inc-bot", "--since", "5m", now=NOW, env=pinned).status == 2
    assert home.call("undo", "--actor", "acme-bot", "--since", "5m", now=NOW, env=pinned).status == 0
    assert home.call("get", "p.n.k", now=NOW, env=pinned).status == 2
    assert home.call("get", "p.n.k", "--meta", "acme-inc", now=NOW).out == b"two"
    assert home.call("history", "p.n.k", now=NOW, env={"PRONTO_FORCE_META": ""}).status != 0
