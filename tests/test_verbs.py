"""What each verb does, where options may stand, and the exit status of everything."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from .conftest import Home


def test_options_stand_before_or_after_the_verb(home: Home) -> None:
    forms = [("-p", "p", "-n", "n", "set", "k", "v"), ("set", "-p", "p", "-n", "n", "k", "v"), ("set", "k", "v", "-p", "p", "-n", "n")]
    forms += [("-p", "p", "set", "k", "-n", "n", "v"), ("-pp", "set", "--namespace=n", "k", "v"), ("set", "--project", "p", "n.k", "v")]
    for argv in forms:
        assert home.call(*argv).status == 0, argv
        assert home.call("get", "p.n.k").out == b"v"
        home.call("del", "p.n.k")
    assert home.call("-p", "x", "set", "k", "v", "-p", "p", "-n", "n").status == 0
    assert home.call("get", "p.n.k").out == b"v"


def test_another_delimiter_before_and_after_the_verb(home: Home) -> None:
    home.call("set", "p.n.k", "v")
    assert home.call("--ns-delim", "|", "get", "p|n|k").out == b"v"
    assert home.call("get", "p|n|k", "--ns-delim=|").out == b"v"
    assert home.call("get", "p.n.k", "--ns-delim=|").status == 64
    assert home.call("keys", "p|n", "--ns-delim=|").out == b"k\n"
    assert home.call("get", "pxnxk", "--ns-delim=x").status == 64


def test_the_database_that_is_named(home: Home) -> None:
    home.call("set", "a.b.c", "other", "--database", "other")
    home.call("--database", "./here.db", "set", "a.b.c", "here")
    assert home.call("get", "a.b.c").status == 2
    assert home.call("get", "a.b.c", "--database", "other").out == b"other"
    assert home.call("get", "a.b.c", "--database", f"{home.folder}/here.db").out == b"here"
    assert home.call("get", "a.b.c", "--database", f"sqlite://{home.folder}/here.db").out == b"here"
    assert home.call("get", "a.b.c", env={"PRONTO_DB": "other"}).out == b"other"
    assert (home.folder / ".local/share/prontodb/other.db").exists()


@pytest.mark.parametrize(
    "name", ["", "../x", "a_b", "a.b", "1a", "a/b", "./../x", "./x/../../y", "http://x", "a b", "/tmp/", "é", "-a", "a\n"]
)
def test_databases_that_are_refused(home: Home, name: str) -> None:
    done = home.call("get", "a.b.c", f"--database={name}")
    assert (done.status, "Invalid database" in done.err) == (64, True)


def test_del_and_exists(home: Home) -> None:
    home.call("set", "a.b.c", "")
    assert home.call("exists", "a.b.c").status == 0
    assert home.call("delete", "a.b.c").status == 0
    done = home.call("del", "a.b.c")
    assert (done.status, done.err) == (2, "prontodb: No such key: a.b.c\n")
    done = home.call("exists", "a.b.c")
    assert (done.status, done.out, done.err) == (2, b"", "")
    assert home.call("get", "a.b.c", "-q").err == ""


def test_copy_and_move(home: Home) -> None:
    home.call("set", "a.b.c", "v", "--ttl", "100", now=1000)
    assert home.call("copy", "a.b.c", "x.y.z", now=1000).status == 0
    assert (home.call("ttl", "x.y.z", now=1000).out, home.call("ttl", "a.b.c", now=1000).out) == (b"never\n", b"100\n")
    assert home.call("copy", "a.b.c", "x.y.z", "--keep-ttl", now=1010).status == 0
    assert home.call("ttl", "x.y.z", now=1010).out == b"90\n"
    assert home.call("move", "a.b.c", "x.y.w", "--ttl", "7s", now=1010).status == 0
    assert (home.call("ttl", "x.y.w", now=1010).out, home.call("exists", "a.b.c", now=1010).status) == (b"7\n", 2)
    assert home.call("move", "x.y.w", "x.y.w", now=1010).status == 64
    assert home.call("exists", "x.y.w", now=1010).status == 0
    assert home.call("copy", "x.y.w", "x.y.v", "--ttl", "5", "--keep-ttl", now=1010).status == 64


def test_lifetimes(home: Home) -> None:
    home.call("set", "a.b.c", "v", now=1000)
    assert home.call("ttl", "a.b.c", now=1000).out == b"never\n"
    assert home.call("ttl", "a.b.c", "--json", now=1000).out == b'{"ttl": null}\n'
    assert home.call("expire", "a.b.c", "1m", now=1000).status == 0
    assert home.call("ttl", "a.b.c", "--json", now=1001).out == b'{"ttl": 59}\n'
    assert home.call("persist", "a.b.c", now=1001).status == 0
    assert home.call("get", "a.b.c", now=9999).out == b"v"
    assert home.call("expire", "a.b.c", "1", now=2000).status == 0
    assert home.call("get", "a.b.c", "--include-expired", now=2001).out == b"v"
    for argv in (("expire", "a.b.c", "1m"), ("persist", "a.b.c"), ("ttl", "a.b.c"), ("get", "a.b.c")):
        assert home.call(*argv, now=2001).status == 2
    assert home.call("expire", "a.b.c", "never").status == 64


def test_one_second_is_a_second(home: Home) -> None:
    home.call("set", "a.b.c", "v", "--ttl", "1", now=1000.9)
    assert home.call("get", "a.b.c", now=1001.8).status == 0
    assert home.call("ttl", "a.b.c", now=1000.9).out == b"1\n"
    assert home.call("expire", "a.b.c", "1", now=1001.9).status == 0
    assert home.call("get", "a.b.c", now=1002.8).status == 0
    assert home.call("get", "a.b.c", now=1003).status == 2


@pytest.mark.parametrize(
    "argv", [("create-cache", "p.n", "5"), ("create-cache", "p.n", "timeout=5"), ("admin", "create-cache", "p.n", "5s")]
)
def test_caches(home: Home, argv: tuple[str, ...]) -> None:
    assert home.call(*argv, now=1000).status == 0
    assert home.call("admin", "caches").out == b"p.n\t5\n"
    home.call("set", "p.n.k", "v", now=1000)
    home.call("set", "p.n.long", "v", "--ttl", "1h", now=1000)
    assert home.call("keys", "p.n", now=1005).out == b"long\n"
    assert home.call("drop-cache", "p.n", now=1005).status == 0
    assert home.call("drop-cache", "p.n", now=1005).status == 2
    home.call("set", "p.n.k", "v", now=1005)
    assert home.call("ttl", "p.n.k", now=1005).out == b"never\n"


def test_a_cache_named_by_flags(home: Home) -> None:
    assert home.call("-p", "p", "-n", "n", "create-cache", "9").status == 0
    assert home.call("-p", "p", "create-cache", "m", "8").status == 0
    assert home.call("admin", "caches").lines == ["p.m\t8", "p.n\t9"]
    for wrong in (
        ("create-cache",),
        ("create-cache", "9"),
        ("create-cache", "p.n"),
        ("create-cache", "p.n", "x"),
        ("create-cache", "p.n.k", "9"),
    ):
        assert home.call(*wrong).status == 64


def test_purge(home: Home) -> None:
    for number in range(250):
        home.call("set", f"p.n.{number}", "v", "--ttl", "5", now=1000)
    assert "Removed 250 expired" in home.call("admin", "purge", "-v", now=1005).err
    with closing(sqlite3.connect(home.database)) as db:
        assert db.execute("SELECT count(*) FROM entry").fetchone() == (0,)


def test_discovery(home: Home) -> None:
    for address in ("b.z.k", "a.y.k", "a.x.k", "a.x.l"):
        home.call("set", address, "v")
    assert home.call("projects").lines == ["a", "b"]
    assert home.call("namespaces", "a").lines == home.call("namespaces", "-p", "a").lines == ["x", "y"]
    assert home.call("namespaces").lines == []
    assert home.call("nss").lines == ["a.x", "a.y", "b.z"]
    assert home.call("nss", "--json").out == b'["a.x",\n "a.y",\n "b.z"]\n'
    assert home.call("projects", "-0").out == b"a\0b\0"
    assert home.call("ls", "a.x").lines == ["k\tv", "l\tv"]
    assert home.call("keys", "-p", "a", "x").lines == ["k", "l"]
    assert home.call("keys", "-p", "a", "-n", "x", "l").lines == ["l"]
    assert home.call("keys", env={"PRONTO_PROJECT": "a", "PRONTO_NAMESPACE": "x"}).lines == ["k", "l"]


def test_get_json(home: Home) -> None:
    home.call("set", "a.b.c__d", "v", "--ttl", "9", now=1000)
    expected = {"address": "a.b.c__d", "key": "c", "context": "d", "size": 1, "revision": 1, "expires": 1009, "value": "v"}
    assert json.loads(home.call("get", "a.b.c__d", "--json", now=1000).out) == expected


def test_where(home: Home) -> None:
    rows = {
        row["name"]: row
        for row in json.loads(home.call("where", "--json", "-p", "work", env={"PRONTO_NAMESPACE": "n", "PRONTO_HINTS": "0"}).out)
    }
    assert (rows["project"]["value"], rows["project"]["source"]) == ("work", "flag")
    assert (rows["namespace"]["value"], rows["namespace"]["source"]) == ("n", "environment")
    assert (rows["database"]["value"], rows["database"]["source"]) == ("main", "default")
    assert rows["file"]["value"] == str(home.database)
    assert (rows["hints"]["value"], rows["hints"]["source"]) == ("0", "environment")


def test_verbose_speaks_on_standard_error(home: Home) -> None:
    done = home.call("set", "a.b.c", "v", "-v")
    assert (done.out, done.err) == (b"", "Stored a.b.c (1 bytes)\n")
    assert home.call("-v", "del", "a.b.c").err == "Deleted a.b.c\n"


def test_a_value_on_a_terminal(home: Home) -> None:
    home.call("set", "a.b.text", "v")
    home.call("set", "a.b.line", "v\n")
    home.call("set", "a.b.bytes", "-", stdin=b"\0\xff")
    home.call("set", "a.b.empty", "")
    home.call("set", "a.b.cut", "-", stdin=b"x" * ((1 << 20) - 1) + "é".encode())
    assert home.call("get", "a.b.text", terminal=True).out == b"v\n"
    assert home.call("get", "a.b.line", terminal=True).out == b"v\n"
    assert home.call("get", "a.b.empty", terminal=True).out == b""
    assert home.call("get", "a.b.bytes", terminal=True).out.startswith(b"<2 bytes that are not text")
    assert home.call("get", "a.b.bytes", "--raw", terminal=True).out == b"\0\xff"
    assert home.call("get", "a.b.cut", terminal=True).out.endswith("é\n".encode())
    assert home.call("scan", "a.b.bytes", terminal=True).out.startswith(b"bytes\t<2 bytes that are not text")
    assert home.call("scan", "a.b.bytes", "--raw", terminal=True).out == b"bytes\t\0\xff\n"
    assert home.call("get", "a.b.text", "-N").out == b"v\n"
    assert home.call("get", "a.b.line", "-N").out == b"v\n"


def test_emoji_are_for_terminals(home: Home) -> None:
    plain = home.call("set", "bad", stdin=b"x", now=1000).err
    shown = home.call("set", "bad", stdin=b"x", now=2000, err_terminal=True).err
    assert shown.startswith("⚠️  Invalid address 'bad' - content cached as: ")
    assert "\n💡 Use: prontodb copy " in shown
    bare = shown.replace("⚠️  ", "").replace("💡 ", "")
    assert bare.replace("2000_", "1000_") == plain
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "💡" not in home.call("set", "bad", stdin=b"x", err_terminal=True, env=env).err
    assert "💡" not in home.call("set", "bad", "--no-color", stdin=b"x", err_terminal=True).err


def test_messages_cannot_move_the_cursor(home: Home) -> None:
    err = home.call("get", "a.b.\x1b[2Jx\n\udcff").err
    assert "\x1b" not in err
    assert "\\x1b[2Jx\\x0a\\xff" in err
    assert err.count("\n") == 2


@pytest.mark.parametrize(
    "argv", [(), ("-p", "x"), ("nonsense",), ("keyz",), ("get",), ("copy", "a.b.c"), ("rescue",), ("rescue", "x"), ("--bogus",)]
)
def test_a_wrong_call_is_64_and_names_the_cure(home: Home, argv: tuple[str, ...]) -> None:
    done = home.call(*argv)
    assert (done.status, done.out) == (64, b"")
    assert done.err.count("\n") == 2
    assert "\nCure: " in done.err


def test_the_nearest_verb_is_named(home: Home) -> None:
    assert "did you mean prontodb keys?" in home.call("keyz").err
    assert "did you mean prontodb rescue list?" in home.call("rescue", "lst").err


def test_arguments_are_bytes_in_every_locale(home: Home) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert home.run("set", "a.é.ü", "né", env=env).status == 0
    assert home.run("get", "a.é.ü").out == "né".encode()
    assert home.run("keys", "a.é", env=env).out == "ü\n".encode()
    assert "a.é.x" in home.run("get", "a.é.x", env=env).err


def test_errors_in_json(home: Home) -> None:
    for argv, status, slug in ((("get", "a.b.c"), 2, "no-such-key"), (("get", "a..c"), 64, "invalid-address"), (("get",), 64, "usage")):
        done = home.call(*argv, "--json")
        told = json.loads(done.err)
        assert (done.status, told["code"], told["error"]) == (status, status, slug)
        assert told["reason"]


def test_the_version(home: Home) -> None:
    assert home.call("version").out == home.call("--version").out == home.run("--version").out
    assert home.call("version").out.startswith(b"prontodb ")


def test_interrupted_it_dies_quietly_of_the_signal(home: Home) -> None:
    # With job control, as in an interactive shell: without it, a shell makes its background jobs ignore the signal.
    done = home.shell("set -m; exec 3< <(sleep 30 2>/dev/null); prontodb set a.b.c <&3 & sleep 1; kill -INT $!; wait $!; echo $?")
    assert done.out.endswith(b"130\n")
    assert "Traceback" not in done.err
