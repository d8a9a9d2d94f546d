"""`prontodb stream`: what a token stream stores, all or nothing, in which place, as whom; and what is rescued."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pexpect
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prontodb.address import Choice, Scope
from prontodb.model import Content
from prontodb.ops.streamed import Entries, Stream
from prontodb.settings import FEATURES, Feature

from .conftest import COMMAND, Home, Result

PASSWORD = "hunter2-secret"


def stream(home: Home, text: str | bytes, *argv: str, **options: object) -> Result:
    data = text.encode() if isinstance(text, str) else text
    return home.call("stream", *argv, stdin=data, **options)


def stored(home: Home, *argv: str) -> dict[str, str]:
    """Everything there is outside the pipe cache, by address."""
    found = {}
    for space in home.call("nss", *argv).lines:
        if space != "pipe.cache":
            found |= {
                record["address"]: record["value"] for record in json.loads(home.call("scan", space, "--json", "--reveal", *argv).out)
            }
    return found


PLACES = {
    "ns=project; key=value;": {"default.project.key": "value"},
    "meta:path=project.namespace; key=data;": {"project.namespace.key": "data"},
    "meta:p=p.n; key=data": {"p.n.key": "data"},
    "meta:path=n; k=1": {"default.n.k": "1"},
    "meta:project=p; meta:namespace=n; k=1": {"p.n.k": "1"},
    "meta:project=p; meta:ns=n; k=1": {"p.n.k": "1"},
    "meta:path=p.n; a=1; ns=x; b=2; q.y:c=3; d=4; ns=global; e=5": {
        "p.n.a": "1",
        "p.x.b": "2",
        "q.y.c": "3",
        "p.x.d": "4",
        "p.n.e": "5",
    },
    "ns=x; a=1; meta:path=p.n; b=2; z:c=3": {"default.x.a": "1", "p.x.b": "2", "p.z.c": "3"},
    "meta:path=p.n; k=1; meta:path=q.n; k=2": {"p.n.k": "1", "q.n.k": "2"},
    "meta:delim=/; meta:path=p/n; a=1; q/m:b=2": {"p.n.a": "1", "q.m.b": "2"},
    "p.n:k=1; p.n:k=2": {"p.n.k": "2"},
    "p.n:ns=data": {"p.n.ns": "data"},
    "meta:path=p.n; global:ns=data; k__prod=over": {"p.n.ns": "data", "p.n.k__prod": "over"},
    "p.meta:k=1; p.sec:k=2": {"p.meta.k": "1", "p.sec.k": "2"},
    "meta:path=p.n; ns=meta; path=q.n; ns=global; k=1": {"q.n.k": "1"},
    "meta:path=p.n;": {},
}


@pytest.mark.parametrize("text", PLACES)
def test_where_tokens_are_stored(home: Home, text: str) -> None:
    done = stream(home, text)
    assert (done.status, done.out, done.err) == (0, b"", "")
    assert stored(home) == PLACES[text]


def test_the_place_comes_from_flags_environment_or_cursor_as_elsewhere(home: Home) -> None:
    assert stream(home, "a=1", "-p", "p", "-n", "n").status == 0
    assert stream(home, "b=1; x:c=2", "-p", "p", "-n", "n").status == 0
    assert stream(home, "d=1", env={"PRONTO_PROJECT": "q", "PRONTO_NAMESPACE": "m"}).status == 0
    home.call("cursor", "set", "work", "main", "-p", "w", "-n", "c")
    assert stream(home, "e=1", "--cursor", "work").status == 0
    assert stream(home, "f/g:h=1", "--ns-delim", "/").status == 0
    assert sorted(stored(home)) == ["f.g.h", "p.n.a", "p.n.b", "p.x.c", "q.m.d", "w.c.e"]


def test_lifetimes_hold_for_what_comes_after_them(home: Home) -> None:
    home.call("create-cache", "p.cached", "500", now=1000)
    text = "meta:path=p.n; a=1; meta:ttl=1h; b=2; cached:c=3; meta:ttl=none; d=4; cached:e=5"
    assert stream(home, text, now=1000).status == 0
    assert stream(home, "p.cached:f=1", now=1000).status == 0
    left = {key: home.call("ttl", f"p.{key}", now=1000).out for key in ("n.a", "n.b", "cached.c", "n.d", "cached.e", "cached.f")}
    assert left == {
        "n.a": left["n.d"],
        "n.b": b"3600\n",
        "cached.c": b"3600\n",
        "n.d": left["cached.e"],
        "cached.e": left["n.a"],
        "cached.f": b"500\n",
    }
    assert home.call("get", "p.n.a", now=999_999_999).out == b"1"


REFUSED = {
    "a.b:k=1; oops": "line 1, column 10: a token without '=': 'oops'",
    "a.b:k=1;\n k =2": "line 2, column 3: a space before '='",
    "a.b:k= 1": "line 1, column 7: a space after '='",
    "a.b:k k=1": "line 1, column 6: a space in a key",
    "a.b:=1": "line 1, column 1: an empty key",
    "a.b:k='1": "line 1, column 7: a quote that is not closed",
    "a.b:k='1'2": "line 1, column 10: something between a value and its ';'",
    "key=value;": "line 1, column 1: nothing names a namespace before this token",
    "a.b.c:k=1": "line 1, column 1: 'a.b.c' is no place",
    "x=1; a.b:k=1": "line 1, column 1: nothing names",
    "a.b:k=1; a.b:x.y=2": "line 1, column 10: Invalid address 'x.y'",
    "a.b:k=1;\n\n  ns=;": "line 3, column 3: ns= names no namespace",
    "a.b:k=1; meta:nonsense=1": "line 1, column 10: an unknown directive 'meta:nonsense'",
    "a.b:k=1; meta:ttl=junk; a.b:l=2": "line 1, column 10: Invalid lifetime 'junk'",
    "a.b:k=1; meta:ttl=0": "line 1, column 10: Invalid lifetime '0'",
    "a.b:k=1; meta:delim=xx": "line 1, column 10: Invalid delimiter 'xx'",
    "meta:path=a.b.c": "line 1, column 1: 'a.b.c' is no place",
    "meta:path=": "line 1, column 1: '' is no place",
    "meta:project=a.b": "line 1, column 1: 'a.b' may hold",
    "a.b:k=1; sec:user=bob": "line 1, column 10: sec: tokens come before the first entry",
    "sec:token=x; a.b:k=1": "line 1, column 1: an unknown token in 'sec'",
    "a.b:k=1; ½.b:k=2": "line 1, column 10: '½.b' is no place",
    "user=bob; sec:pass=123; ns=animals; dog=fido; meta:p=q;": "line 1, column 1: nothing names a namespace",
}


@pytest.mark.parametrize("text", REFUSED)
def test_whatever_is_wrong_nothing_is_stored_and_all_of_it_is_rescued(home: Home, text: str) -> None:
    done = stream(home, text)
    assert (done.status, done.out) == (4, b"")
    assert done.err.startswith(f"Malformed token stream: {REFUSED[text]}")
    assert home.call("get", done.rescued).out == text.encode()
    assert stored(home) == {}
    told = json.loads(stream(home, text, "--json").err)
    assert (told["error"], told["code"]) == ("malformed-stream", 4)


@pytest.mark.parametrize("text", ["", " \n", " ; ;\n"])
def test_no_token_at_all_is_an_error(home: Home, text: str) -> None:
    done = stream(home, text)
    assert done.status == (4 if text else 64)
    assert "There is no token in the stream" in done.err
    assert not home.database.exists() or text


def test_a_bad_token_behind_a_hundred_thousand_stores_nothing(home: Home) -> None:
    text = b"meta:path=p.n;\n" + b"".join(b"k%d='v%d;';\n" % (number, number) for number in range(100_000)) + b"oops"
    done = home.run("stream", stdin=text)
    assert done.status == 4
    assert "line 100002, column 1" in done.err
    assert home.run("get", done.rescued).out == text
    assert home.run("keys", "p.n").out == b""
    assert home.run("stream", stdin=text[:-4]).status == 0
    assert len(home.run("keys", "p.n").lines) == 100_000


def test_two_streams_at_once_never_mix(home: Home) -> None:
    texts = [b"meta:path=p.n;" + b"".join(b"k%d=%d;" % (number, which) for number in range(20_000)) for which in (1, 2, 3)]
    results: list[Result] = []
    running = [threading.Thread(target=lambda text=text: results.append(home.run("stream", stdin=text))) for text in texts]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert [result.status for result in results] == [0, 0, 0]
    values = {line.partition("\t")[2] for line in home.run("scan", "p.n").lines}
    assert len(values) == 1


def test_a_kill_midway_stores_nothing(home: Home) -> None:
    home.run("set", "p.n.before", "there")
    text = b"meta:path=p.n;" + b"".join(b"k%d=%s;" % (number, b"v" * 100) for number in range(300_000))
    source = home.folder / "tokens"
    source.write_bytes(text)
    for pause in (0.3, 0.8, 1.2):
        with source.open("rb") as file:
            process = subprocess.Popen([COMMAND, "stream"], stdin=file, env=home.env)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert home.run("keys", "p.n").lines == ["before"] or process.returncode == 0


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text("abz_-/@+%é9", min_size=1, max_size=6), st.binary(max_size=700), max_size=8))
def test_what_scan_prints_stream_reads_back(home: Home, values: dict[str, bytes]) -> None:
    home.call("del", "--from", "-", stdin="".join(f"p.n.{key}\n" for key in home.call("keys", "p.n").lines).encode())
    for key, value in values.items():
        home.call("set", f"p.n.{key}", "-", stdin=value)
    printed = home.call("scan", "p.n", "--stream").out
    for key in home.call("keys", "p.n").lines:
        home.call("del", f"p.n.{key}")
    assert stream(home, printed).status == 0
    assert home.call("scan", "p.n", "--stream").out == printed


def test_scan_and_stream_keep_awkward_names_large_values_and_lifetimes(home: Home) -> None:
    large = os.urandom(3 << 20) + b'\\";\n' * 1000
    for key, value in (("ns", b"n"), ("k__prod", b"p"), ("big", large), ("nul", b"\0;\n'\""), ("empty", b"")):
        home.call("set", f"meta.global.{key}", "-", stdin=value, now=1000)
    home.call("set", "meta.global.short", "v", "--ttl", "1h", now=1000)
    printed = home.call("scan", "meta.global", "--stream", now=1000).out
    done = stream(home, printed, "--database", "other", now=1000)
    assert (done.status, done.err) == (0, "")
    assert home.call("scan", "meta.global", "--stream", "--database", "other", now=1000).out == printed
    assert home.call("get", "meta.global.big", "--database", "other", now=1000).out == large
    assert home.call("ttl", "meta.global.short", "--database", "other", now=1000).out == b"3600\n"


@pytest.mark.parametrize("quote", [b"'", b'"', b""])
def test_values_of_any_length(home: Home, quote: bytes) -> None:
    value = b"0123456789abcdef" * 300_000
    text = b"meta:path=p.n; a=1; long=" + quote + value + quote + b"; b=2; long2=" + quote + value[1:] + quote
    assert home.run("stream", stdin=text).status == 0
    assert home.run("keys", "p.n").lines == ["a", "b", "long", "long2"]
    assert (home.run("get", "p.n.long").out, home.run("get", "p.n.long2").out) == (value, value[1:])


def test_escapes_in_a_long_value_are_undone(home: Home) -> None:
    value = b'\\";x' * 700_000
    text = b'p.n:k="' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'";'
    assert stream(home, text).status == 0
    assert home.call("get", "p.n.k").out == value


@pytest.mark.parametrize(("count", "size"), [(150_000, 400), (4, 20 << 20)])
def test_memory_stays_constant_whatever_comes_in(home: Home, count: int, size: int) -> None:
    code = f"import sys\nsys.stdout.write('meta:path=p.n;')\nfor n in range({count}): sys.stdout.write(f'k{{n}}=' + 'v' * {size} + ';')"
    measured = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:]).returncode; print(done, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = home.shell(
        f'"{sys.executable}" -c "$CODE" | "{sys.executable}" -c "$MEASURED" prontodb stream', env={"CODE": code, "MEASURED": measured}
    )
    status, most = map(int, done.out.split())
    assert (status, len(home.run("keys", "p.n").lines)) == (0, count)
    assert most < 80 << 10


def test_a_bar_on_a_terminal_and_nowhere_else(home: Home) -> None:
    (home.folder / "tokens").write_bytes(b"meta:path=p.n;" + b"".join(b"k%d=%d;" % (number, number) for number in range(300_000)))
    child = pexpect.spawn(
        "bash", ["-c", "(cat tokens; sleep 1.2; cat tokens) | prontodb stream -v"], env=home.env, cwd=str(home.folder), timeout=60
    )
    child.expect(pexpect.EOF)
    shown = (child.before or b"").decode()
    child.close()
    assert child.exitstatus == 0
    assert re.search(r"\rprontodb: [\d.]+ MiB, [\d.]+ MiB/s\x1b\[K", shown)
    assert re.search(r"\rprontodb: [\d.]+ MiB of 8\.\d MiB \(\d+ %\), [\d.]+ [KM]iB/s\x1b\[K", shown)
    assert shown.endswith("\r\x1b[KStored 600000 entries (3377780 bytes)\r\n")
    assert home.shell("prontodb stream --meta other < tokens").err == ""


def test_a_long_value_can_be_read_again() -> None:
    value, other = b"0123456789abcdef" * 300_000, b"fedcba9876543210" * 300_000
    content = Content.of(b"k='" + value + b"'; l='" + other + b"'")
    first, second = (item[1] for item in Entries(Stream(content), Scope(Choice("p", "flag"), Choice("n", "flag"))))
    assert [b"".join(one.pieces()) for one in (second, first, first, second)] == [other, value, value, other]


# Showing, summing up, and streams that are stored already


def test_a_dry_run_shows_and_stores_nothing(home: Home) -> None:
    text = f"sec:user=default; meta:path=p.n; a='x\ty'; meta:ttl=60; b={'z' * 70000}"
    done = stream(home, text, "--dry-run")
    assert (done.status, done.lines) == (0, ["p.n.a\tx\\ty", "p.n.b\t<70000 bytes>"])
    told = json.loads(stream(home, text, "--dry-run", "--json").out)
    assert [(one["address"], one["size"], one["ttl"]) for one in told] == [("p.n.a", 3, None), ("p.n.b", 70000, 60)]
    assert not home.database.exists()
    assert stream(home, "a.b:k=1; oops", "--dry-run").status == 4


def test_a_summary_for_those_who_ask(home: Home) -> None:
    assert stream(home, "a.b:k=1; ns=x; l=23", "-v").err == "Stored 2 entries (3 bytes)\n"
    told = json.loads(stream(home, "a.b:k=1; ns=x; l=23", "--json").out)
    assert told == {"stored": 2, "bytes": 3, "tokens": 3}


def test_a_stream_from_the_pipe_cache_is_stored_and_has_arrived(home: Home) -> None:
    bad = home.call("set", "bad.address", stdin=b"ns=a; k=v;")
    done = home.call("stream", "--from", bad.rescued)
    assert (done.status, done.err) == (0, "")
    assert home.call("get", "default.a.k").out == b"v"
    assert home.call("exists", bad.rescued).status == 2
    home.call("set", "p.n.kept", "ns=b; k=w;")
    assert home.call("stream", "--from", "p.n.kept", "--dry-run").lines == ["default.b.k\tw"]
    assert home.call("stream", "--from", "p.n.kept").status == 0
    assert home.call("exists", "p.n.kept").status == 0
    assert home.call("stream", "--from", "-", stdin=b"p.n:x=1").status == 0


def test_a_stream_that_is_stored_already_is_not_rescued_again(home: Home) -> None:
    home.call("set", "p.n.bad", "oops")
    done = home.call("stream", "--from", "p.n.bad")
    assert (done.status, "rescued" in done.err, "cached as" in done.err) == (64, False, False)
    assert home.call("stream", "--from", "p.n.none").status == 2
    assert home.call("stream", "--from", "bad..address").status == 64
    assert not list(home.spool.glob("*")) if home.spool.exists() else True


def test_a_large_stream_from_an_address(home: Home) -> None:
    text = b"p.n:k='" + b"x" * (3 << 20) + b"'; p.n:l=2"
    home.call("set", "p.n.source", "-", stdin=text)
    assert home.call("stream", "--from", "p.n.source").status == 0
    assert len(home.call("get", "p.n.k").out) == 3 << 20
    assert not any(home.spool.iterdir())


@pytest.mark.parametrize("argv", [("--bogus",), ("extra",), ("--database", ""), ("--cursor", "none"), ("--user", "not a user")])
def test_a_wrong_call_is_rescued_too(home: Home, argv: tuple[str, ...]) -> None:
    done = home.run("stream", *argv, stdin=b"ns=a; k=1")
    assert done.status == 4
    found = [item for item in home.run("rescue", "list").lines if done.rescued.rpartition(".")[2] in item]
    assert found


def test_a_database_that_cannot_take_it_leaves_it_to_the_spool(home: Home) -> None:
    home.run("set", "p.n.k", "old")
    home.database.write_bytes(b"not a database any more" * 100)
    done = home.run("stream", stdin=b"p.n:k=new")
    assert done.status == 4
    assert home.run("get", done.rescued).out == b"p.n:k=new"


def test_nothing_is_read_where_nothing_is_asked_of_it(home: Home) -> None:
    done = home.shell("script -qec 'prontodb stream' /dev/null </dev/null | cat", env={"TERM": "dumb"})
    assert "No token stream on standard input" in done.out.decode()


# As whom


@pytest.fixture
def alice(home: Home) -> Home:
    (home.folder / "pw").write_text(f"{PASSWORD}\n")
    assert home.call("user", "add", "alice", "--new-password-file", "pw").status == 0
    return home


def test_a_stream_authenticates_itself(alice: Home) -> None:
    done = stream(alice, f"sec:user=alice; sec:pass={PASSWORD}; ns=n; k=1", "-v")
    assert (done.status, done.err) == (0, "Stored 1 entries (1 bytes)\n")
    assert stored(alice) == {}
    assert stored(alice, "--user", "alice", "--password-file", "pw") == {"default.n.k": "1"}
    assert stream(alice, f"sec:pass='{PASSWORD}'; ns=n; l=1", "--user", "alice").status == 0
    assert stream(alice, f"ns=sec; user=alice; pass={PASSWORD}; ns=n; m=1").status == 0
    assert stream(alice, "sec:user=bob; ns=n; k=1").status == 0
    assert stored(alice, "--user", "bob") == {"default.n.k": "1"}


WRONG = [
    "sec:user=alice; sec:pass=wrong-secret; ns=n; k=1",
    "sec:user=alice; ns=n; k=1",
    "sec:user=alice; sec:pass=; ns=n; k=1",
    "sec:user=root; sec:pass=wrong-secret; ns=n; k=1",
    "sec:user='not a user'; ns=n; k=1",
    "sec:user=nobody; sec:pass=wrong-secret; ns=n; k=1",
    "sec:pass=wrong-secret; ns=n; k=1",
]


@pytest.mark.parametrize("text", WRONG)
@pytest.mark.parametrize("argv", [(), ("--dry-run",), ("--json",)])
def test_wrong_credentials_let_nothing_in_and_are_never_shown(alice: Home, text: str, argv: tuple[str, ...]) -> None:
    done = stream(alice, text, *argv)
    assert done.status == 4
    for secret in ("alice", "wrong-secret", "not a user", "nobody", "root"):
        assert secret not in done.err.replace("/root", "")
        assert secret.encode() not in done.out
    assert stored(alice) == stored(alice, "--user", "alice", "--password-file", "pw") == {}
    # Where the call stands, not where the stream would have liked to.
    rescued = done.err.split("pipe.cache.")[1].split()[0].rstrip('",')
    assert alice.call("get", f"pipe.cache.{rescued}").out == text.encode()


def test_the_user_of_a_flag_is_not_contradicted(alice: Home) -> None:
    done = stream(alice, f"sec:user=alice; sec:pass={PASSWORD}; ns=n; k=1", "--user", "bob")
    assert (done.status, "alice" in done.err) == (4, False)
    assert alice.call("get", done.rescued, "--user", "bob").status == 0


SHOWING = [
    f"sec:user=alice; sec:pass={PASSWORD}; ns=n; k=1; oops",
    f"sec:user=alice; sec:pass='{PASSWORD}; ns=n; k=1;",
    f"sec:user=alice; sec:pass={PASSWORD} ns=n; k= 1",
    f"sec:user=alice; sec:pass =x; {PASSWORD};",
    f"sec:user=alice; sec:pass=x;{PASSWORD}; ns=n; k=1",
    f"ns=n; k=1; sec:pass={PASSWORD}",
    f"sec:{PASSWORD}=1; ns=n; k=1",
    f"sec:user=alice; sec:pass={PASSWORD}; ns=n; meta:ttl=junk; k=1",
]


@pytest.mark.parametrize("text", SHOWING)
@pytest.mark.parametrize("verb", [("stream",), ("stream", "--dry-run"), ("stream", "--json"), ("stream", "-v"), ("set", "bad.address")])
def test_no_error_hint_or_summary_shows_a_secret(alice: Home, text: str, verb: tuple[str, ...]) -> None:
    done = alice.call(*verb, stdin=text.encode(), env={"PRONTO_DEBUG": "1"})
    assert done.status == 4
    assert PASSWORD not in done.err
    assert PASSWORD.encode() not in done.out
    assert PASSWORD not in alice.call("rescue", "list").out.decode()


# Pins

PIN = {"PRONTO_FORCE_USER": "keeper", "PRONTO_FORCE_META": "acme"}


@pytest.mark.parametrize(
    "text",
    [
        "meta:path=p.n; k=1",
        "meta:p=acme.n; k=1",
        "ns=globex; k=1",
        "default.n:k=1",
        "meta:delim=/; globex/n:k=1",
        "sec:user=keeper; p.n:k=1",
    ],
)
def test_no_token_leaves_a_pin(home: Home, text: str) -> None:
    for user, meta in (("keeper", "acme"), ("keeper", "globex"), ("default", "acme")):
        home.call("set", "p.n.marker", f"{user} {meta}", "--user", user, "--meta", meta)
    assert stream(home, text, env=PIN).status == 0
    for user, meta in (("keeper", "globex"), ("default", "acme")):
        assert list(stored(home, "--user", user, "--meta", meta)) == ["p.n.marker"]
    assert stored(home) == {}
    assert len(stored(home, "--user", "keeper", "--meta", "acme")) == 2


@pytest.mark.parametrize(
    "text", ["sec:user=default; p.n:k=1", "sec:user=bob; p.n:k=1", "meta:meta=globex; p.n:k=1", "meta:user=bob; p.n:k=1"]
)
def test_a_token_that_contradicts_a_pin_is_refused_and_rescued_inside_it(home: Home, text: str) -> None:
    done = stream(home, text, env=PIN)
    assert done.status == 4
    assert "bob" not in done.err or "meta:user" in text
    assert home.call("get", done.rescued, env=PIN).out == text.encode()
    assert stored(home) == stored(home, "--user", "bob") == {}


# The switch

OFF = {"PRONTO_FEATURES": "-streaming"}


def test_switched_off_it_says_how_to_switch_it_on_and_loses_nothing(home: Home) -> None:
    done = stream(home, "ns=a; k=1", env=OFF)
    assert done.status == 4
    assert "The feature 'streaming' is switched off" in done.err
    assert home.call("get", done.rescued).out == b"ns=a; k=1"
    for argv in (("xstream", "gate"), ("xstream", "fork", "--in", "a"), ("xstream", "merge"), ("xstream", "transform")):
        off = home.call(*argv, stdin=b"ns=a; k=1", env=OFF)
        assert (off.status, off.out, "switched off" in off.err) == (4, b"", True)
    told = json.loads(stream(home, "", "--json", env=OFF).err)
    assert (told["error"], told["code"], told["cure"]) == ("feature-off", 64, "PRONTO_FEATURES=streaming")


def test_the_settings_file_switches_and_the_environment_overrides(home: Home) -> None:
    assert home.call("features").out.startswith(b"streaming\ton\tdefault\t-\t")
    config = home.folder / ".config/prontodb/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("hints = true\n[features]\nstreaming = false\n")
    assert home.call("features").out.startswith(b"streaming\toff\tfile\t-\t")
    off = stream(home, "")
    assert (off.status, "streaming = true below [features] in" in off.err) == (64, True)
    on = {"PRONTO_FEATURES": "+streaming"}
    assert home.call("features", env=on).out.startswith(b"streaming\ton\tenvironment\t-\t")
    assert stream(home, "p.n:k=1", env=on).status == 0
    assert home.call("where").status == 0
    for wrong in ("[features]\nstreaming = 3\n", "[features]\nsteaming = true\n", "features = 1\n"):
        config.write_text(wrong)
        assert home.call("features").status == 64
    config.unlink()
    for wrong in ("streeming", "--streaming", "!streaming"):
        assert home.call("features", env={"PRONTO_FEATURES": wrong}).status == 64
        assert home.call("set", "a.b.k", "v", env={"PRONTO_FEATURES": wrong}).status == 0
        bad = home.call("set", "bad.address", stdin=b"ns=a; k=1;", env={"PRONTO_FEATURES": wrong})
        assert (bad.status, home.call("get", bad.rescued).out) == (4, b"ns=a; k=1;")


def test_what_a_feature_lacks_is_listed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FEATURES, "flying", Feature("wings", "json", "no_such_module_anywhere"))
    assert home.call("features").lines[-1] == "flying\ton\tdefault\tno_such_module_anywhere\twings"
    assert "-flying or flying" in home.call("help", "settings").out.decode()


IMPORTED = "import sys; sys.argv[0] = 'prontodb'; import os; os._exit = sys.exit\nfrom prontodb.__main__ import main\n"
IMPORTED += "try:\n    main()\nexcept SystemExit:\n    print(*(name for name in sys.modules if 'xstream' in name), file=sys.stderr)\n"


@pytest.mark.parametrize(("env", "argv", "text"), [
    (OFF, ("stream",), b"ns=a; k=1"),
    (OFF, ("set", "bad.address"), b"ns=a; k=1;"),
    (OFF, ("help",), b""),
    (OFF, ("scan", "a.b", "--stream"), b""),
    ({}, ("get", "a.b.k"), b""),
    ({}, ("set", "a.b.l"), b"ns=a; k=1;"),
    ({}, ("set", "bad.address"), b"plain text, nothing else"),
])  # fmt: skip
def test_nothing_of_it_is_imported_where_it_is_not_used(home: Home, env: dict[str, str], argv: tuple[str, ...], text: bytes) -> None:
    home.run("set", "a.b.k", "v")
    done = subprocess.run([sys.executable, "-c", IMPORTED, *argv], input=text, env=home.env | env, capture_output=True, check=False)
    assert b"prontodb.xstream" not in done.stderr, done.stderr
    assert b"Traceback" not in done.stderr


# Hints


def hinted(home: Home, text: str, *argv: str, **options: object) -> list[str]:
    done = home.call("set", *(argv or ("bad.address",)), stdin=text.encode(), **options)
    assert done.status == 4
    return done.err.splitlines()[2:]


FORMS = [
    'XStream format: echo "ns=project; key=value;" | prontodb stream',
    'With meta: echo "meta:path=project.namespace; key=data;" | prontodb stream',
]


@pytest.mark.parametrize(
    "text", ["ns=a; k=v;", "meta:path=p.n; k=v", "p.n:k=v;", " \nns=a;\nk='two;\nlines';\n", "sec:user=bob; ns=a; k=v;"]
)
def test_a_stream_that_went_astray_gets_the_command_that_stores_it(home: Home, text: str) -> None:
    shown = hinted(home, text)
    assert shown[1:] == FORMS
    assert shown[0].startswith("It is a token stream: prontodb stream --from pipe.cache.")
    assert home.shell(shown[0].partition(": ")[2]).status == 0


@pytest.mark.parametrize(
    ("text", "place"), [("k=v;", "line 1, column 1"), ("ns=a; k=v;\noops", "line 2, column 1"), ("meta:x=topsecret;", "line 1, column 1")]
)
def test_one_with_a_fault_gets_its_place_and_a_command_that_tells_more(home: Home, text: str, place: str) -> None:
    shown = hinted(home, text)
    assert shown[1:] == FORMS
    assert shown[0].startswith(f"It looks like a token stream with a fault in {place}: prontodb stream --dry-run --from pipe.cache.")
    assert "topsecret" not in "".join(shown)
    told = home.shell(shown[0].rpartition(": ")[2])
    assert (told.status, place in told.err) == (64, True)


@pytest.mark.parametrize(
    "text", ["plain text", "int a=5;", "a,b;c=d", "{'json': 1}", "A=1\nB=2\n", "<p style='a: b;'>", "x" * 5000 + "a=1;", "\0\1;="]
)
def test_other_content_gets_no_such_hint(home: Home, text: str) -> None:
    assert hinted(home, text) == ["Did you mean: default.bad.address"]


def test_hints_can_be_switched_off(home: Home) -> None:
    assert hinted(home, "ns=a; k=v;", env={"PRONTO_HINTS": "0"}) == []
    assert hinted(home, "ns=a; k=v;", env=OFF) == ["Did you mean: default.bad.address"]


@pytest.mark.parametrize("form", FORMS)
def test_the_forms_work_when_pasted(home: Home, form: str) -> None:
    assert home.shell(form.partition(": ")[2]).status == 0
    assert list(stored(home)) in (["default.project.key"], ["project.namespace.key"])


def test_a_hint_under_flags_works_as_it_stands(home: Home) -> None:
    shown = hinted(home, "ns=a; k=v;", "bad.address", "--meta", "acme", "--database", "./other.db")
    assert home.shell(shown[0].partition(": ")[2]).status == 0
    assert stored(home, "--meta", "acme", "--database", "./other.db") == {"default.a.k": "v"}


def test_a_malformed_stream_gets_the_way_to_mend_it(home: Home) -> None:
    done = home.run("stream", stdin=b"ns=a; k=1; oops")
    hint = done.err.splitlines()[2].removeprefix("Mend it: ").replace("FILE", "file")
    get, _, again = hint.partition(", and then ")
    assert home.shell(f"{get} && sed -i s/oops// file && {again}").status == 0
    assert stored(home) == {"default.a.k": "1"}


# The faults of the predecessor


def test_fault_26_directives_act_in_their_order_and_contexts_count(home: Home) -> None:
    text = "a.b:k=before; meta:path=x.y; k=after; meta:ttl=60; l=brief"
    assert stream(home, text, "--user", "alice", "--meta", "acme", "--database", "notes", now=1000).status == 0
    where = ("--user", "alice", "--meta", "acme", "--database", "notes")
    assert stored(home) == {}
    assert {key: home.call("get", key, *where, now=1000).out for key in ("a.b.k", "x.y.k", "x.y.l")} == {
        "a.b.k": b"before",
        "x.y.k": b"after",
        "x.y.l": b"brief",
    }
    assert home.call("get", "x.y.l", *where, now=1061).status == 2
    assert stream(home, "a.b:new=1; a.b:bad", *where).status == 4
    assert home.call("get", "a.b.new", *where).status == 2


def test_fault_27_quotes_hold_semicolons_and_a_last_newline_is_no_error(home: Home) -> None:
    assert home.shell("""echo 'p.n:k="one; two"; p.n:l=last' | prontodb stream""").status == 0
    assert (home.run("get", "p.n.k").out, home.run("get", "p.n.l").out) == (b"one; two", b"last")
    assert home.shell("prontodb scan p.n --stream | prontodb stream --database copy").status == 0
    assert home.run("scan", "p.n", "--database", "copy").out == home.run("scan", "p.n").out


def test_fault_28_passwords_are_not_printed(alice: Home) -> None:
    done = alice.run("stream", "-v", stdin=f"sec:user=alice; sec:pass={PASSWORD}; ns=n; k=1".encode())
    assert (done.status, done.out, done.err) == (0, b"", "Stored 1 entries (1 bytes)\n")
    files = [path for path in alice.folder.rglob("*") if path.is_file() and path.name != "pw"]
    assert not any(PASSWORD.encode() in path.read_bytes() for path in files)
