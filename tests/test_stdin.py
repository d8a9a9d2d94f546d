"""When standard input is read, and when it is left alone (the table of DESIGN §4)."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

from .conftest import COMMAND, Home


def left(home: Home, *argv: str) -> bytes:
    """What a command leaves in the pipe on its standard input."""
    read, write = os.pipe()
    os.write(write, b"waiting")
    os.close(write)
    subprocess.run([COMMAND, *argv], stdin=read, env=home.env, cwd=home.folder, capture_output=True, check=False, timeout=30)
    rest = os.read(read, 100)
    os.close(read)
    return rest


UNTOUCHED = [("set", "a.b.k", "v"), ("get", "a.b.k"), ("get", "bad..address"), ("del", "a.b.k"), ("keys", "a.b"), ("exists", "a.b.k")]
UNTOUCHED += [("copy", "a.b.k", "x"), ("ttl", "a.b.k"), ("help",), ("where",), ("get", "--bogus"), ("rescue", "drop"), ("get",)]
UNTOUCHED += [("set", "a.b.k", "v", "--ttl", "junk"), ("set", "a.b.k", "--file", "/nonexistent"), ("create-cache", "a.b")]


@pytest.mark.parametrize("argv", UNTOUCHED)
def test_these_never_read_it(home: Home, argv: tuple[str, ...]) -> None:
    assert left(home, *argv) == b"waiting"


READ = [
    ("set", "a.b.k"),
    ("set", "a.b.k", "-"),
    ("set", "bad..k", "v"),
    ("set",),
    ("set", "--bogus"),
    ("set", "a.b.k", "-p"),
    ("sett", "a.b.k"),
]
READ += [("set", "a.b.k", "--tll", "5"), ("set", "--tll", "5", "a.b.k")]
READ += [(), ("set", "a", "b", "c"), ("-p", "x"), ("set", "a.b.k", "--database", ""), ("--bogus", "set", "a.b.k"), ("set", "--json", "x")]


@pytest.mark.parametrize("argv", READ)
def test_these_read_it_to_the_end(home: Home, argv: tuple[str, ...]) -> None:
    assert left(home, *argv) == b""
    kept = [name for name in home.run("keys", "pipe.cache").lines if home.run("get", f"pipe.cache.{name}").out == b"waiting"]
    assert len(kept) == 1 or home.run("get", "a.b.k").out == b"waiting"


def test_a_slow_pipe_beside_a_value_does_not_hold_up_the_call(home: Home) -> None:
    start = time.monotonic()
    done = home.shell("(sleep 5) | prontodb set a.b.k v; echo $?")
    assert done.out == b"0\n"
    assert time.monotonic() - start >= 0
    quick = subprocess.Popen(
        ["bash", "-c", "exec 3< <(sleep 20); prontodb set a.b.k v <&3; echo done"], env=home.env, stdout=subprocess.PIPE
    )
    assert quick.stdout is not None
    start = time.monotonic()
    assert quick.stdout.readline() == b"done\n"
    assert time.monotonic() - start < 10
    quick.kill()
    quick.communicate()


def test_a_slow_pipe_with_no_value_is_waited_for(home: Home) -> None:
    done = home.shell("(sleep 0.6; echo late) | prontodb set bad..address")
    assert (done.status, home.run("get", done.rescued).out) == (4, b"late\n")
    done = home.shell("(sleep 0.6; echo late) | prontodb set --ttl junk a.b.c")
    assert (done.status, home.run("get", done.rescued).out) == (4, b"late\n")


def test_the_wait_can_be_set(home: Home) -> None:
    late = "(sleep 0.6; echo late) | prontodb set bad..address v"
    assert home.shell(late).status == 64
    assert home.shell(late, env={"PRONTO_STDIN_WAIT": "5000"}).status == 4


def test_a_redirected_file_beside_a_value_is_left_alone(home: Home) -> None:
    (home.folder / "notes").write_text("safe where it is")
    done = home.shell("prontodb set bad..address v < notes")
    assert (done.status, home.run("keys", "pipe.cache").lines) == (64, [])


def test_a_redirected_file_to_a_bad_address_is_rescued(home: Home) -> None:
    (home.folder / "notes").write_text("content")
    done = home.shell("prontodb set bad..address < notes")
    assert (done.status, home.run("get", done.rescued).out) == (4, b"content")


def test_dev_null_never_blanks_a_key(home: Home) -> None:
    home.run("set", "a.b.k", "precious")
    done = home.run("set", "a.b.k")
    assert (done.status, "--allow-empty" in done.err) == (64, True)
    assert home.run("set", "a.b.k", stdin=b"").status == 64
    assert home.run("get", "a.b.k").out == b"precious"


@pytest.mark.parametrize("argv", [("--allow-empty",), ("-",), ("--", "")])
def test_empty_values_are_possible_on_purpose(home: Home, argv: tuple[str, ...]) -> None:
    assert home.run("set", "a.b.k", *argv).status == 0
    assert (home.run("get", "a.b.k").status, home.run("get", "a.b.k").out) == (0, b"")


def test_a_closed_standard_input_is_nothing(home: Home) -> None:
    assert home.shell("prontodb set a.b.k <&-").status == 64
    assert home.shell("prontodb set a.b.k v <&-").status == 0
    assert home.shell("prontodb get a.b.k >&-").status == 1
    assert home.shell("prontodb get a.b.none 2>&-").status == 2
    assert home.shell("prontodb set a.b.k v <&- >&- 2>&-").status == 0
    assert home.run("get", "a.b.k").out == b"v"


def test_a_directory_as_standard_input_is_an_error(home: Home) -> None:
    done = home.shell("prontodb set a.b.k < .")
    assert (done.status, "Traceback" in done.err, "directory" in done.err) == (1, False, True)


def test_a_file_is_stored_as_it_is(home: Home) -> None:
    content = os.urandom(3 << 20)
    (home.folder / "f").write_bytes(content)
    for argv in (("--file", "f"), ("--file", str(home.folder / "f"))):
        assert home.run("set", "a.b.k", *argv).status == 0
        assert home.run("get", "a.b.k").out == content
    assert home.shell("prontodb set a.b.k --file <(echo made)").status == 0
    assert home.run("get", "a.b.k").out == b"made\n"
    (home.folder / "f").write_bytes(b"")
    assert home.run("set", "a.b.k", "--file", "f").status == 0
    for argv in (("--file", "missing"), ("--file", "."), ("v", "--file", "f")):
        assert home.run("set", "a.b.k", *argv).status == 64


def test_trim_drops_one_newline(home: Home) -> None:
    for given, kept in ((b"x\n", b"x"), (b"x\n\n", b"x\n"), (b"x", b"x"), (b"\n", b""), (b"x" * (1 << 20) + b"\n", b"x" * (1 << 20))):
        assert home.call("set", "a.b.k", "--trim", stdin=given).status == 0
        assert home.call("get", "a.b.k").out == kept
    home.call("set", "a.b.k", "--trim", "x\n")
    assert home.call("get", "a.b.k").out == b"x"


def test_many_addresses_from_standard_input(home: Home) -> None:
    for key in "abc":
        home.run("set", f"p.n.{key}", f"value {key}")
    done = home.run("get", "--from", "-", stdin=b"p.n.a\n\np.n.c\np.n.none\n")
    assert (done.status, done.lines) == (2, ["p.n.a\tvalue a", "p.n.c\tvalue c"])
    assert "No such key: p.n.none" in done.err
    assert home.run("get", "--from", "-", "-0", stdin=b"p.n.a\0").out == b"p.n.a\0value a\0"
    assert home.run("del", "--from", "-", stdin=b"p.n.a\np.n.b\np.n.none\n").status == 2
    assert home.run("keys", "p.n").lines == ["c"]
    assert home.run("get", "--from", "-", "p.n.c", stdin=b"p.n.c").status == 64
    assert home.run("del", "--from", "-", stdin=b"p.n.c\nbad..one\n").status == 64
    assert home.run("keys", "p.n").lines == ["c"]
