"""export and import: every format gives back what went in, any bytes; all of it is stored or nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prontodb import tree
from prontodb.address import Address, Choice, Scope
from prontodb.interchange import FORMATS, Item, MalformedImport, lines

from .conftest import COMMAND, Home

NOWHERE = Scope(Choice("", "default"), Choice("", "default"))
WORDS = st.text(st.sampled_from("aZ9é_-"), min_size=1, max_size=6).filter(lambda word: word[0] not in "_-")
NAMES = st.text(st.sampled_from("aZ9é_-/@+%"), min_size=1, max_size=12).filter(lambda name: "__" not in name)
VALUES = (
    st.binary(max_size=60)
    | st.text(max_size=30).map(str.encode)
    | st.sampled_from([b"", b"\n", b"\\", b"'", b'"', b"\0", b"\r\n", b"x #y", b" x "])
)
ENTRIES = st.dictionaries(st.builds(Address, WORDS, WORDS, NAMES), st.tuples(VALUES, st.none() | st.integers(0, 2**40)), max_size=8)
CHOSEN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
KINDS = [*FORMATS, "fs"]


def items(entries: dict[Address, tuple[bytes, int | None]]) -> list[Item]:
    """As a store gives them."""
    return [Item(address, expires, iter((value,)), len(value)) for address, (value, expires) in entries.items()]


@CHOSEN
@given(entries=ENTRIES, cut=st.integers(1, 50))
@pytest.mark.parametrize("kind", FORMATS)
def test_any_bytes_come_back(kind: str, entries: dict[Address, tuple[bytes, int | None]], cut: int) -> None:
    text = b"".join(FORMATS[kind].write(items(entries)))
    pieces = (text[at : at + cut] for at in range(0, len(text), cut))
    found = {item.address: (b"".join(item.pieces), item.expires) for item in FORMATS[kind].read(lines(pieces), NOWHERE)}
    assert found == entries


@CHOSEN
@given(entries=ENTRIES, number=st.integers())
def test_any_bytes_come_back_from_a_tree(tmp_path: Path, entries: dict[Address, tuple[bytes, int | None]], number: int) -> None:
    folder = tmp_path / os.urandom(8).hex()
    tree.write(str(folder), items(entries))
    assert {item.address: (b"".join(item.pieces), item.expires) for item in tree.read(str(folder))} == entries


@pytest.mark.parametrize("name", ["k" * 255, "é" * 127, "%" * 255, "/" * 255, "a/b", "/", "%2F", "%-", "k" * 253 + "__" + "c" * 255])
def test_long_and_odd_names_in_a_tree(tmp_path: Path, name: str) -> None:
    address = Address("p", "n", name)
    tree.write(str(tmp_path / "t"), [Item(address, None, iter((b"v",)), 1)])
    assert [item.address for item in tree.read(str(tmp_path / "t"))] == [address]


def filled(home: Home) -> dict[str, bytes]:
    """A place with a little of everything."""
    dice = random.Random(2)
    values = {
        "plain": b"v",
        "QUOTED": b"it's",
        "bin": bytes(range(256)),
        "dir/file%": b"",
        "lines": b"a\nb\n",
        "large": dice.randbytes(3_000_001),
    }
    for name, value in values.items():
        assert home.run("set", f"a.b.{name}", "-", stdin=value).status == 0
    home.run("set", "a.b.ends", "v", "--ttl", "1h")
    home.run("set", "a.c__x.other__ctx", "v")
    return values


@pytest.mark.parametrize("kind", KINDS)
def test_from_one_database_to_another(home: Home, kind: str) -> None:
    filled(home)
    if kind == "fs":
        out, back = home.run("export-fs", "--all", "--output", "out"), home.run("import-fs", "out", "--database", "new")
    else:
        out, back = home.run("export", "--all", "--output", f"out.{kind}"), home.run("import", f"out.{kind}", "--database", "new")
    for done in (out, back):
        assert (done.status, done.out, done.err) == (0, b"", "")
    for place in ("a.b", "a.c__x"):
        ours, theirs = (json.loads(home.run("scan", place, "--json", "--database", name).out) for name in ("main", "new"))
        assert [{**row, "revision": 0} for row in ours] == [{**row, "revision": 0} for row in theirs]
    again = home.run("import-fs", "out", "--dry-run") if kind == "fs" else home.run("import", f"out.{kind}", "--dry-run")
    assert {line.split("\t")[1] for line in again.lines} == {"same"}


def test_as_a_token_stream_from_one_database_to_another(home: Home) -> None:
    """Its lifetimes count from when they are read, so they may end a little later; nothing else differs."""
    filled(home)
    home.run("set", "a.aa.ends", "v", "--ttl", "2h")
    home.run("create-cache", "a.c__x", "1h", "--database", "new")
    assert home.run("export", "--all", "--output", "out.stream").status == 0
    shown = home.run("import", "out.stream", "--database", "new", "--dry-run")
    assert (shown.status, "a.b.plain" in shown.out.decode("utf-8", "replace")) == (0, True)
    assert home.run("keys", "a.b", "--database", "new").out == b""
    done = home.run("import", "out.stream", "--database", "new")
    assert (done.status, done.err) == (0, "")
    for place in ("a.aa", "a.b", "a.c__x"):
        ours, theirs = (json.loads(home.run("scan", place, "--json", "--database", name).out) for name in ("main", "new"))
        assert [{**row, "revision": 0, "expires": 0} for row in ours] == [{**row, "revision": 0, "expires": 0} for row in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert (one["expires"] is None) == (other["expires"] is None)
            assert one["expires"] is None or 0 <= other["expires"] - one["expires"] < 20
    text = (home.folder / "out.stream").read_bytes() + b"bad = token;"
    done = home.run("import", "--format", "stream", "--database", "other", stdin=text)
    assert (done.status, home.run("keys", "a.b", "--database", "other").out) == (4, b"")
    assert home.run("get", done.err.split("cached as: ")[1].split()[0], "--database", "other").out == text


def test_dry_run_shows_what_would_change(home: Home) -> None:
    filled(home)
    home.run("export", "a.b", "--output", "out.ndjson")
    home.run("set", "a.b.plain", "changed")
    home.run("del", "a.b.bin")
    home.run("persist", "a.b.ends")
    with open(home.folder / "out.ndjson", "a") as file:
        file.write('{"address": "a.b.old", "expires": 5, "value": "x"}\n')
    before = home.run("scan", "a.b", "--json").out
    rows = {row["address"]: row["change"] for row in json.loads(home.run("import", "out.ndjson", "--dry-run", "--json").out)}
    assert home.run("scan", "a.b", "--json").out == before
    assert {name: kind for name, kind in rows.items() if kind != "same"} == {
        "a.b.plain": "changed",
        "a.b.bin": "new",
        "a.b.ends": "changed",
        "a.b.old": "expired",
    }
    assert home.run("import", "out.ndjson").status == 0
    assert home.run("exists", "a.b.old").status == 2
    assert home.run("get", "a.b.plain").out == b"v"


def test_from_standard_input_to_standard_output(home: Home) -> None:
    filled(home)
    for kind in FORMATS:
        done = home.shell(f"prontodb export a.b --format {kind} | prontodb import --format {kind} --database {kind}")
        assert (done.status, done.out, done.err) == (0, b"", "")
        assert home.run("get", "a.b.large", "--database", kind).out == home.run("get", "a.b.large").out
    assert home.run("import", stdin=home.run("scan", "a.b", "--ndjson").out).status == 0


BAD = {
    "ndjson": ["x", "[]", "{}", '{"address": "a.b", "value": ""}', '{"address": "a.b.c"}', '{"address": "a.b.c", "value": 1}',
               '{"address": "a.b.c", "value_b64": "*"}', '{"address": "a.b.c", "value": "", "value_b64": ""}',
               '{"address": "a.b.c", "value": "", "expires": "x"}', '{"address": "a.b.c", "value": "", "expires": -1}',
               '{"address": "a.b.c", "value": "", "bogus": 1}', '{"address": "a.b.c", "value_b64": "", "more": true}',
               '{"address": "a.b.c", "value_b64": "", "more": true}\n{"address": "a.b.d", "value": ""}',
               '{"address": "a.b.c", "value": "\\ud800"}', '{"address": "a..c", "value": ""}'],
    "tsv": ["x", "a.b.c\t\t\t", "a.b.c\tx\tv", "a.b.c\t\t\\q", "a.b.c\t\t\\", "a.b\t\tv", "a.b.c\t-5\tv"],
    "env": ["x y", "K='open", 'K="open', "# prontodb: x", '# prontodb: {"address": "a.b", "value": ""}'],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "bad"), [(kind, bad) for kind, lines in BAD.items() for bad in lines])
def test_one_bad_line_and_nothing_is_stored_and_the_pipe_is_kept(home: Home, kind: str, bad: str) -> None:
    good = {"ndjson": '{"address": "a.b.good", "value": "v"}\n', "tsv": "a.b.good\t\tv\n", "env": "good=v\n"}[kind]
    text = (good + bad + "\n").encode()
    done = home.call("-p", "a", "-n", "b", "import", "--format", kind, stdin=text)
    assert (done.status, "Line " in done.err, "Internal" in done.err) == (4, True, False), done
    assert home.call("get", done.rescued).out == text
    (home.folder / "file").write_bytes(text)
    done = home.call("-p", "a", "-n", "b", "import", "file", "--format", kind)
    assert (done.status, home.call("keys", "a.b").lines) == (1, [])


@pytest.mark.parametrize("make", ["mkdir -p t/a; touch t/a/file", "mkdir -p t/a/b/c; touch t/a/b/c/d", "mkdir -p t/a/b; ln -s /etc/passwd t/a/b/c",
                                  "mkdir -p t/a/b; touch 't/a/b/bad key'", "mkdir -p t/a/b; mkfifo t/a/b/k", "mkdir t; echo x >t/.prontodb.ndjson"])  # fmt: skip
def test_a_tree_that_is_none(home: Home, make: str) -> None:
    home.shell(make + "; mkdir -p t/a/b; echo v >t/a/b/good")
    done = home.run("import-fs", "t")
    assert (done.status, "Internal" in done.err) == (1, False), done
    assert home.run("keys", "a.b").lines == []
    assert home.run("import-fs", "nothing").status == 64


def test_dotenv_of_other_making(home: Home) -> None:
    text = b"""# a comment
export HOST=db.example   # where
PORT = 5432
EMPTY=
QUOTED='it\\'s'
DOUBLE="a\\nb \\"c\\""
MANY='one
two'
"""
    assert home.call("import", "--format", "env", stdin=text).status == 4
    done = home.call("-p", "work", "-n", "env", "import", "--format", "env", stdin=text)
    assert (done.status, done.err) == (0, "")
    rows = json.loads(home.call("scan", "work.env", "--json").out)
    assert {row["key"]: row["value"] for row in rows} == {
        "HOST": "db.example", "PORT": "5432", "EMPTY": "", "QUOTED": "it's", "DOUBLE": 'a\nb "c"', "MANY": "one\ntwo",
    }  # fmt: skip


def test_other_readers_of_dotenv_agree(home: Home) -> None:
    import dotenv

    values = {"A": "plain", "B": "two words", "C": "a\nb", "D": "$HOME `x` #y", "E": "", "F": "ünï"}
    for name, value in values.items():
        home.run("set", f"a.b.{name}", "-", stdin=value.encode())
    home.run("export", "a.b", "--output", "x.env")
    assert dotenv.dotenv_values(home.folder / "x.env", interpolate=False) == values


def test_another_tenant_is_not_written(home: Home) -> None:
    line = b'{"address": "a.b.c", "meta": "globex", "value": "v"}\n'
    done = home.run("import", env={"PRONTO_FORCE_META": "acme"}, stdin=line)
    assert done.status == 4
    assert "globex" in done.err
    assert home.run("get", done.rescued, "--meta", "acme").out == line
    assert home.run("import", "--meta", "globex", stdin=line).status == 0
    assert home.run("get", "a.b.c", "--meta", "globex").out == b"v"


def test_an_export_that_fails_leaves_the_old_file(home: Home) -> None:
    filled(home)
    home.run("set", "a.b.huge", stdin=bytes(33 << 20))
    (home.folder / "out.tsv").write_text("old")
    done = home.run("export", "a.b", "--output", "out.tsv")
    assert (done.status, "--format ndjson" in done.err) == (1, True)
    assert (home.folder / "out.tsv").read_text() == "old"
    assert home.run("export", "a.b", "--output", "no/such.ndjson").status == 1
    assert home.run("export-fs", "a.b", "--output", "out.tsv").status == 64
    assert sorted(path.name for path in home.folder.iterdir()) == [".local", "out.tsv", "tmp"]


def test_a_large_value_takes_no_memory(home: Home) -> None:
    from .huge import drain, feed

    size = 150_000_000
    feed(home, size, "set", "a.b.large")
    (home.folder / "run").write_text("#!/bin/sh\n")
    for verb in (
        ("export", "a.b", "--output", "x.ndjson"),
        ("import", "x.ndjson", "--database", "new"),
        ("export-fs", "a.b", "--output", "t"),
    ):
        done = drain(home, *verb)
        assert (done.status, done.err) == (0, "")
        assert done.peak < 64_000, verb
    assert drain(home, "get", "a.b.large", "--database", "new").digest == drain(home, "get", "a.b.large").digest


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ndjson", "stream"])
def test_kill_9_during_an_import_stores_all_or_nothing(home: Home, kind: str) -> None:
    kills = int(os.environ.get("PRONTO_TEST_KILLS", "100")) // 12
    dice = random.Random(4)
    line = b'{"address": "a.b.k%05d", "value": "%s"}\n' if kind == "ndjson" else b"a.b:k%05d=%s;\n"
    file = f"x.{kind}"
    (home.folder / file).write_bytes(b"".join(line % (number, b"v" * 900) for number in range(20_000)))
    began = time.monotonic()
    assert home.run("import", file, "--database", "whole").status == 0
    longest = (time.monotonic() - began) * 1.2
    states = {0}
    for number in range(kills):
        database = ("--database", f"d{number}")
        with open(home.folder / file, "rb") as opened:
            argv = [
                COMMAND,
                *(("import", file) if number % 2 else ("import", "--format", kind) if kind == "ndjson" else ("stream",)),
                *database,
            ]
            process = subprocess.Popen(argv, stdin=opened, env=home.env, cwd=home.folder)
        try:
            process.wait(dice.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        count = len(home.call("keys", "a.b", *database).lines)
        assert count in ((20_000,) if process.returncode == 0 else (0, 20_000))
        assert process.returncode in (0, -signal.SIGKILL)
        states.add(process.returncode)
        for path in home.database.parent.glob("d*"):
            path.unlink()
    assert -signal.SIGKILL in states


def test_a_record_that_is_too_long_to_hold() -> None:
    with pytest.raises(MalformedImport):
        list(lines(iter([bytes(1 << 24)] * 9)))
