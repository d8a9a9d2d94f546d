"""The faults of the Rust predecessor that concern the core, each under its number: none may come back."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from .conftest import COMMAND, Home

MANY = 11 << 20
"""Bytes: more than the 10 MiB at which the predecessor cut."""


def test_fault_01_an_overwrite_replaces_the_value(home: Home) -> None:
    for value in ("v1", "v2"):
        assert home.run("set", "a.b.k", value).status == 0
    assert home.run("get", "a.b.k").out == b"v2"
    assert home.run("keys", "a.b").lines == ["k"]


def test_fault_02_a_fresh_value_is_not_hidden_by_an_expired_one(home: Home) -> None:
    home.call("create-cache", "a.b", "5", now=1000)
    home.call("set", "a.b.k", "old", now=1000)
    home.call("set", "a.b.k", "new", now=1006)
    assert home.call("get", "a.b.k", now=1007).out == b"new"
    assert home.call("get", "a.b.k", now=1008).out == b"new"


def test_fault_03_a_large_pipe_is_not_cut(home: Home) -> None:
    content = os.urandom(MANY) + "é".encode()[:1]
    assert home.run("set", "a.b.k", stdin=content).status == 0
    assert home.run("get", "a.b.k").out == content
    bad = home.run("set", "a..k", stdin=content)
    assert bad.status == 4
    assert home.run("get", bad.rescued).out == content


def test_fault_04_bytes_that_are_not_text_are_kept(home: Home) -> None:
    content = bytes(range(256)) * 3
    home.run("set", "a.b.k", stdin=content)
    assert home.run("get", "a.b.k").out == content
    assert home.run("get", home.run("set", "bad", stdin=content).rescued).out == content


@pytest.mark.parametrize("content", [b"x", b"x\n", b"x\n\n", b"\n", b"\r\n", b"\0"])
def test_fault_05_a_round_trip_adds_no_newline(home: Home, content: bytes) -> None:
    home.run("set", "a.b.k", stdin=content)
    assert home.run("get", "a.b.k").out == content


def test_fault_06_a_loop_keeps_its_standard_input(home: Home) -> None:
    done = home.shell("printf '%s\\n' one two three | while read -r x; do prontodb set a.b.$x v; done")
    assert (done.status, done.err) == (0, "")
    assert home.run("keys", "a.b").lines == ["one", "three", "two"]


def test_fault_07_an_idle_pipe_beside_a_value_is_not_waited_for(home: Home) -> None:
    read, write = os.pipe()
    start = time.monotonic()
    done = subprocess.run([COMMAND, "set", "a.b.k", "v"], stdin=read, env=home.env, timeout=30, check=False)
    assert (done.returncode, home.run("get", "a.b.k").out) == (0, b"v")
    bad = subprocess.run(
        [COMMAND, "set", "bad..address", "v"], stdin=read, env=home.env, timeout=30, check=False, stderr=subprocess.DEVNULL
    )
    assert bad.returncode == 64
    assert time.monotonic() - start < 20
    os.close(read)
    os.close(write)


def test_fault_08_a_rescue_is_no_success(home: Home) -> None:
    (home.folder / "precious").write_text("only copy")
    done = home.shell("cat precious | prontodb set BAD..ADDRESS && rm precious")
    assert done.status == 4
    assert (home.folder / "precious").exists()


def test_fault_09_a_rescue_works_under_a_meta_and_stays_there(home: Home) -> None:
    done = home.run("set", "bad..address", "--meta", "acme", stdin=b"x\n")
    assert done.status == 4
    assert home.run("get", done.rescued, "--meta", "acme").out == b"x\n"
    assert home.run("get", done.rescued).status == 2
    assert done.err.splitlines()[1].endswith("<proper.address> --meta acme")


def test_fault_10_without_an_address_content_is_rescued(home: Home) -> None:
    done = home.run("set", stdin=b"x\n")
    assert done.status == 4
    assert done.rescued.endswith("_unaddressed")
    assert home.run("get", done.rescued).out == b"x\n"


@pytest.mark.parametrize("ttl", ["abc", "-5", "0", "", "1x", "1m1h", "5 m", "99999999999999999999", "3153600001", "1e3", "٣"])
def test_fault_11_a_junk_lifetime_is_refused(home: Home, ttl: str) -> None:
    done = home.run("set", "a.b.k", "v", f"--ttl={ttl}")
    assert (done.status, home.run("exists", "a.b.k").status) == (64, 2)
    assert ttl in done.err
    piped = home.run("set", "a.b.k", f"--ttl={ttl}", stdin=b"content")
    assert (piped.status, home.run("get", piped.rescued).out) == (4, b"content")


def test_fault_19_prefixes_are_no_patterns(home: Home) -> None:
    for key in ("a_b", "axb", "Axb", "a%b", "a_c"):
        home.run("set", f"p.n.{key}", "v")
    assert home.run("keys", "p.n.a_").lines == ["a_b", "a_c"]
    assert home.run("keys", "p.n.a%").lines == ["a%b"]
    assert home.run("keys", "p.n.%").lines == []
    assert home.run("keys", "p.n.A").lines == ["Axb"]


@pytest.mark.parametrize("address", ["", ".", "..", "a..c", "a.b.", ".b.c", "a.b", "a.b.c.d", "a.b.c d", "a.b.c=d", "a.b.c;", "_a.b.c"])
def test_fault_21_empty_and_bad_parts_are_refused(home: Home, address: str) -> None:
    done = home.run("set", address, stdin=b"x")
    assert (done.status, home.run("get", done.rescued).out) == (4, b"x")
    assert f"Invalid address '{address}' - content cached as: pipe.cache." in done.err


def test_fault_22_the_context_belongs_to_the_last_part(home: Home) -> None:
    home.run("set", "p__x.n.k", "v")
    assert home.run("projects").lines == ["p__x"]
    assert home.run("get", "p__x.n.k").out == b"v"
    assert home.run("get", "p.n.k__x").status == 2


def test_fault_23_listings_show_the_context(home: Home) -> None:
    home.run("set", "p.n.k", "base")
    home.run("set", "p.n.k__prod", "over")
    assert home.run("keys", "p.n").lines == ["k", "k__prod"]
    assert home.run("scan", "p.n").lines == ["k\tbase", "k__prod\tover"]


@pytest.mark.parametrize("value", ["-5", "--flag", "-h", "--help", "-v", "--version", "--"])
def test_fault_24_values_that_look_like_options(home: Home, value: str) -> None:
    assert home.run("set", "a.b.k", "--", value).status == 0
    assert home.run("get", "a.b.k").out == value.encode()


@pytest.mark.parametrize("value", ["-5", "--flag", "-h", "--help", "--version"])
def test_fault_24_without_dashes_they_are_errors_not_silence(home: Home, value: str) -> None:
    done = home.run("set", "a.b.k", value)
    assert (done.status, done.out) == (64, b"")
    assert "--" in done.err
    assert home.run("exists", "a.b.k").status == 2


@pytest.mark.parametrize(
    "argv", [("set", "a.b.k", "one", "two"), ("get", "a.b.k", "extra"), ("del", "a.b.k", "x"), ("keys", "a.b", "c", "d")]
)
def test_fault_25_extra_arguments_are_refused(home: Home, argv: tuple[str, ...]) -> None:
    done = home.run(*argv)
    assert (done.status, done.out) == (64, b"")
    assert argv[-1] in done.err


def test_fault_29_reads_write_nothing(home: Home) -> None:
    for argv in (("get", "a.b.k"), ("keys", "a.b"), ("exists", "a.b.k"), ("projects",), ("rescue", "list"), ("del", "a.b.k"), ("where",)):
        home.run(*argv)
        assert [path.name for path in home.folder.iterdir()] == ["tmp"], argv


@pytest.mark.parametrize("argv", [("keys", "a.b"), ("scan", "a.b"), ("get", "a.b.k1"), ("help",), ("scan", "a.b", "--json")])
def test_fault_30_a_full_disk_for_output_is_an_error_not_a_panic(home: Home, argv: tuple[str, ...]) -> None:
    home.run("set", "a.b.k1", "v")
    with open("/dev/full", "wb") as full:
        done = home.run(*argv, stdout=full, stderr=subprocess.PIPE)
    assert done.status == 1
    assert "Traceback" not in done.err
    assert "Cannot write standard output: No space left on device" in done.err
    assert "Internal error" not in done.err


def test_fault_30_a_closed_pipe_ends_quietly(home: Home) -> None:
    home.shell("for i in $(seq 1 300); do echo a.b.key-with-a-long-name-$i; done > list; prontodb set a.b.x v")
    home.call("set", "a.b.big", stdin=b"line\n" * 200_000)
    done = home.shell("set -o pipefail; prontodb get a.b.big | head -1; prontodb scan a.b | head -c 5 >/dev/null")
    assert (done.status, done.out, done.err) == (0, b"line\n", "")


@pytest.mark.parametrize(
    "argv", [(b"get", b"\xff.b.c"), (b"set", b"a.b.c", b"\xff\xfe"), (b"\xff",), (b"keys", b"-p", b"\xff"), (b"set", b"\xff")]
)
def test_fault_30_arguments_that_are_not_text(home: Home, argv: tuple[bytes, ...]) -> None:
    done = home.run(*argv)
    assert "Traceback" not in done.err
    assert done.status in (0, 64)
    if argv == (b"set", b"a.b.c", b"\xff\xfe"):
        assert home.run("get", "a.b.c").out == b"\xff\xfe"


@pytest.mark.parametrize("name", ["PRONTO_DB", "PRONTO_PROJECT", "XDG_DATA_HOME", "HOME", "PRONTO_BUSY_TIMEOUT", "LANG"])
def test_fault_30_an_environment_that_is_not_text(home: Home, name: str) -> None:
    env = {key.encode(): value.encode() for key, value in home.env.items()} | {name.encode(): b"\xff\xfe"}
    argv = [COMMAND, "set", "a.b"]
    done = subprocess.run(argv, input=b"x", env=env, capture_output=True, cwd=home.folder, check=False)
    assert b"Traceback" not in done.stderr
    assert done.returncode == 4


def test_fault_31_expired_entries_are_in_no_listing(home: Home) -> None:
    home.call("set", "p.n.k", "v", "--ttl", "5", now=1000)
    for argv in (("keys", "p.n"), ("scan", "p.n"), ("ls", "p.n"), ("projects",), ("namespaces", "p"), ("nss",)):
        assert home.call(*argv, now=1004).out != b"", argv
        assert home.call(*argv, now=1005).out == b"", argv
    for argv in (("get", "p.n.k"), ("exists", "p.n.k"), ("ttl", "p.n.k"), ("del", "p.n.k"), ("copy", "p.n.k", "p.n.l")):
        assert home.call(*argv, now=1005).status == 2, argv


def test_fault_33_standard_output_carries_data_only(home: Home) -> None:
    for argv in (
        ("set", "a.b.k", "v"),
        ("copy", "a.b.k", "a.b.l"),
        ("create-cache", "a.c", "9"),
        ("move", "a.b.l", "a.b.m"),
        ("del", "a.b.m"),
    ):
        done = home.run(*argv)
        assert (done.status, done.out, done.err) == (0, b"", ""), argv
        done = home.run(*argv[:1], "-v", *argv[1:])
        assert done.out == b"", argv


def test_fault_34_the_same_content_to_two_wrong_addresses_in_one_second(home: Home) -> None:
    first, second = (home.call("set", text, stdin=b"same", now=1757569450).rescued for text in ("a..b", "a.-.b"))
    third = home.call("set", "a//b", stdin=b"same", now=1757569450).rescued
    fourth = home.call("set", "a..b", stdin=b"same", now=1757569450).rescued
    assert len({first, second, third, fourth}) == 4
    for address in (first, second, third, fourth):
        assert home.call("get", address, now=1757569451).out == b"same"
