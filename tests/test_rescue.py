"""The pipe cache: nothing that was piped in is lost (DESIGN §6)."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import COMMAND, Home, Result

NOW = 1757569450


def rescued(home: Home, *argv: str, content: bytes = b"content", **options: object) -> Result:
    """A call that must end in a rescue, with the content whole."""
    done = home.run(*argv, stdin=content, **options)
    assert done.status == 4, done
    env = options.get("env", {})
    database = [word for word in argv if word.startswith("--database=") and "/" not in word.split("=")[1][:2]]
    assert home.run("get", done.rescued, *database, env=env).out == content
    return done


def test_the_two_lines(home: Home) -> None:
    done = home.shell('echo "test content" | prontodb set "invalid...address" "dummy"')
    key = re.match(
        r"Invalid address 'invalid\.\.\.address' - content cached as: (pipe\.cache\.\d{10}_d6eb3208_invalid___address)\n", done.err
    )
    assert key
    assert done.err == f"{key[0]}Use: prontodb copy {key[1]} <proper.address>\n"
    assert (done.status, done.out) == (4, b"")
    assert home.run("get", key[1]).out == b"test content\n"
    assert home.run("copy", key[1], "project.config.data").status == 0
    assert home.run("get", "project.config.data").out == b"test content\n"
    assert home.run("get", key[1]).status == 2
    assert home.run("keys", "pipe.cache").lines == []


def test_a_short_address_is_for_typed_values(home: Home) -> None:
    done = rescued(home, "set", "invalid.address")
    assert done.err.splitlines()[2] == "Did you mean: default.invalid.address"
    assert home.run("set", "config.debug", "true").status == 0
    assert home.run("get", "default.config.debug").out == b"true"
    assert home.run("-p", "work", "set", "invalid.address", stdin=b"x").status == 0
    assert home.run("get", "work.invalid.address").out == b"x"
    assert home.run("set", "k", stdin=b"y", env={"PRONTO_PROJECT": "p", "PRONTO_NAMESPACE": "n"}).status == 0
    assert home.run("get", "p.n.k").out == b"y"


def test_the_key_is_as_documented(home: Home) -> None:
    assert home.call("set", "invalid...address", stdin=b"x", now=NOW).rescued == f"pipe.cache.{NOW}_9dd4e461_invalid___address"
    assert home.call("set", stdin=b"x", now=NOW).rescued == f"pipe.cache.{NOW}_9dd4e461_unaddressed"
    long = home.call("set", "é" * 100 + "..", stdin=b"x", now=NOW).rescued
    assert long == f"pipe.cache.{NOW}_9dd4e461_" + "_" * 64


@pytest.mark.parametrize("argv", [("set", "a.b.c", "--ttl", "junk"), ("set", "a.b.c", "--bogus"), ("set", "a.b.c", "--database", "../x")])
@pytest.mark.parametrize("json_errors", [(), ("--json",)])
def test_every_mistake_in_a_call_is_a_rescue(home: Home, argv: tuple[str, ...], json_errors: tuple[str, ...]) -> None:
    done = home.run(*argv, *json_errors, stdin=b"content")
    assert done.status == 4
    address = json.loads(done.err)["rescued"] if json_errors else done.rescued
    assert home.run("get", address).out == b"content"


def test_a_rescue_in_json(home: Home) -> None:
    done = home.call("set", "bad..k", "--json", stdin=b"x", now=NOW)
    told = json.loads(done.err)
    assert {name: told[name] for name in ("error", "code", "address")} == {"error": "invalid-address", "code": 4, "address": "bad..k"}
    assert told["rescued"].startswith("pipe.cache.")


def test_it_lives_for_a_quarter_of_an_hour(home: Home) -> None:
    address = home.call("set", "bad", stdin=b"x", now=NOW).rescued
    assert home.call("get", address, now=NOW + 899).status == 0
    assert home.call("get", address, now=NOW + 900).status == 2
    assert home.call("rescue", "list", now=NOW + 900).out == b""


@pytest.mark.parametrize(("ttl", "last"), [("60", 59), ("2h", 7199), ("0", 10**9)])
def test_its_lifetime_can_be_set(home: Home, ttl: str, last: int) -> None:
    address = home.call("set", "bad", stdin=b"x", now=NOW, env={"PRONTO_PIPE_TTL": ttl}).rescued
    assert home.call("get", address, now=NOW + last).status == 0
    assert home.call("get", address, now=NOW + last + 1).status == (0 if ttl == "0" else 2)


def test_settings_from_the_file(home: Home) -> None:
    folder = home.folder / ".config/prontodb"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("pipe_ttl = 60\nrescue_exit = 0\nhints = false\n")
    done = home.call("set", "a.b", stdin=b"x", now=NOW)
    assert (done.status, len(done.err.splitlines())) == (0, 2)
    assert home.call("ttl", done.rescued, now=NOW).out == b"60\n"


@pytest.mark.parametrize("text", ["pipe_ttl = 'soon'", "colour = 1", "not toml", "rescue_exit = 300", "hints = []"])
def test_a_bad_settings_file_does_not_stop_a_rescue(home: Home, text: str) -> None:
    folder = home.folder / ".config/prontodb"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)
    done = home.run("set", "bad..address", stdin=b"x")
    assert done.status == 4
    assert home.run("get", done.rescued).out == b"x" or list(home.spool.iterdir())


def test_another_exit_status(home: Home) -> None:
    assert home.run("set", "bad", stdin=b"x", env={"PRONTO_RESCUE_EXIT": "75"}).status == 75


def test_no_hints(home: Home) -> None:
    assert len(home.run("set", "a..b.c", stdin=b"x").err.splitlines()) == 3
    assert len(home.run("set", "a..b.c", stdin=b"x", env={"PRONTO_HINTS": "0"}).err.splitlines()) == 2


def test_it_goes_to_the_database_that_was_asked_for(home: Home) -> None:
    done = home.run("set", "bad", "--database", "other", stdin=b"x")
    assert done.err.splitlines()[1] == f"Use: prontodb copy {done.rescued} <proper.address> --database other"
    assert home.run("get", done.rescued, "--database", "other").out == b"x"
    assert home.run("get", done.rescued).status == 2


WAYS = {
    "wrapper": ("acme set a..b", " --user alice --meta acme --database shop"),
    "wrapper, quoted": ("odd set a..b", """ --user default --meta o --database '{home}/it'"'"'s.db'"""),
    "wrapper of a cursor": ("byname set a..b", " --user default --meta m1 --cursor cur"),
    "wrapper of a profile": ("kin set a..b", " --user bob --meta bb --database main"),
    "wrapper, denied": ("acme set a.b.c --user bob", " --user alice --meta acme --database shop"),
    "pin": ("PRONTO_FORCE_META=acme prontodb set a..b", " --meta acme --database main"),
    "pinned shell": ("prontodb shell use kinship -- prontodb set a..b", " --user bob --meta bb --database main"),
    "environment": ("prontodb set a..b", ""),
    "flags": ("prontodb set a..b --cursor cur", " --cursor cur"),
    "unknown cursor": ("prontodb set a.b.c --cursor none --meta acme", " --meta acme"),
    "no database": ("prontodb set a.b.c --database bad_name --meta acme", " --meta acme"),
    "unusable database": ("prontodb set a.b.c --database ./folder --meta acme", " --meta acme --database ./folder"),
    "another's database": ("prontodb set a.b.c --database ./alices.db", ""),
    "tokens": ("acme set a..b", " --user alice --meta acme --database shop"),
}
"""How a call comes by its context, and the options without which nobody else finds what it left behind."""
WRAPPERS = {
    "acme": "--user alice --meta acme --database shop",
    "odd": """--user default --meta o --database "./it's.db\"""",
    "byname": "--cursor cur",
    "kin": "--profile kinship",
}
PREPARED = [
    "cursor set cur ./cur.db --meta m1",
    "profile add kinship --user bob --meta bb",
    "set a.b.c v --user alice --database ./alices.db",
]


@pytest.mark.parametrize("active", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_the_offered_command_finds_it_from_any_shell(home: Home, way: str, active: bool) -> None:
    """As it stands, but for the address; also where a cursor is active that has nothing to do with it."""
    call, options = WAYS[way]
    options = " --meta m1" if active and way == "another's database" else options.replace("{home}", str(home.folder))
    content = "k=v; l=w;" if way == "tokens" else "content"
    exported = "export PRONTO_USER=bob PRONTO_META=acme PRONTO_DB=other\n" if way == "environment" else ""
    for line in PREPARED + ["cursor use cur"] * active:
        assert home.call(*line.split()).status == 0
    home.folder.joinpath("folder").mkdir()
    name = call.split()[0]
    wrapper = f'eval "$(prontodb shell wrapper {name} bash {WRAPPERS[name]})"\n' if name in WRAPPERS else ""
    done = home.shell(f"{wrapper}{exported}printf %s '{content}' | {call}")
    assert done.status == 4, done
    offered = done.err.splitlines()[1].removeprefix("Use: ")
    assert offered == f"prontodb copy {done.rescued} <proper.address>{options}"
    assert all(options in line for line in done.err.splitlines()[2:] if done.rescued in line)
    if way == "unusable database":
        home.folder.joinpath("folder").rmdir()
    copied = home.shell(f"{exported}{offered.replace('<proper.address>', 'z.z.saved')} && prontodb get z.z.saved{options}")
    assert (copied.status, copied.out.decode(), copied.err) == (0, content, "")


def test_list_show_drop(home: Home) -> None:
    first = home.call("set", "a b.c", stdin=b"one", now=NOW).rescued
    second = home.call("set", "x.y.z", "--ttl", "junk", stdin=b"three", now=NOW + 60).rescued
    rows = json.loads(home.call("rescue", "list", "--json", now=NOW + 100).out)
    name = first.removeprefix("pipe.cache.")
    assert rows[0] == {
        "name": name,
        "age": "1m40s",
        "left": "13m20s",
        "size": 3,
        "state": "cached",
        "reason": "invalid-address",
        "asked": "a b.c",
    }
    assert (rows[1]["reason"], rows[1]["asked"]) == ("invalid-duration", "x.y.z")
    shown = home.call("rescue", "show", first, now=NOW + 100)
    assert (shown.status, "asked\ta b.c" in shown.lines, "reason\tinvalid-address" in shown.lines) == (0, True, True)
    assert home.call("rescue", "show", name, now=NOW + 100).out == shown.out
    assert home.call("rescue", "drop", first, now=NOW + 100).status == 0
    assert home.call("rescue", "drop", first, now=NOW + 100).status == 2
    assert home.call("rescue", "drop", now=NOW).status == 64
    assert home.call("rescue", "drop", "--all", now=NOW + 100).status == 0
    assert home.call("get", second, now=NOW + 100).status == 2


def test_copy_out_of_the_cache(home: Home) -> None:
    address = rescued(home, "set", "bad").rescued
    for wrong in ("bad..address", "a.b.c.d", ""):
        assert home.run("copy", address, wrong).status == 64
        assert home.run("get", address).out == b"content"
    assert home.run("copy", address, address).status == 64
    assert home.run("copy", "pipe.cache.none", "a.b.c").status == 2
    assert home.run("copy", address, "a.b.c").status == 0
    assert home.run("ttl", "a.b.c").out == b"never\n"
    address = rescued(home, "set", "bad").rescued
    assert home.run("copy", address, "a.b.d", "--keep-ttl").status == 0
    assert 0 < int(home.run("ttl", "a.b.d").out) <= 900


# Where the database cannot take it


def spooled(home: Home, *argv: str, reason: str, content: bytes = b"content", **options: object) -> Result:
    """A call whose content must end in the spool, be listed, read, copied to another database, and be gone then."""
    done = home.run(*argv, stdin=content, **options)
    assert done.status == 4, done
    assert reason in done.err
    name = done.rescued.removeprefix("pipe.cache.")
    folder = home.spool
    assert (folder / name).read_bytes() == content
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(home.partial())
    return done


def test_a_locked_database(home: Home) -> None:
    home.run("set", "a.b.c", "before")
    lock = sqlite3.connect(home.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    done = spooled(home, "set", "a.b.c", reason="Database is busy", env={"PRONTO_BUSY_TIMEOUT": "0.2"})
    assert home.run("set", "a.b.c", "v", env={"PRONTO_BUSY_TIMEOUT": "0.2"}).status == 5
    lock.execute("ROLLBACK")
    lock.close()
    assert home.run("get", done.rescued).out == b"content"
    assert home.run("keys", "pipe.cache").lines == [done.rescued.removeprefix("pipe.cache.")]
    assert home.run("scan", "pipe.cache").lines == [done.rescued.removeprefix("pipe.cache.") + "\tcontent"]
    row = json.loads(home.run("rescue", "list", "--json").out)[0]
    assert (row["state"], row["reason"], row["asked"], row["left"]) == ("spooled", "busy", "a.b.c", None)
    assert home.run("copy", done.rescued, "a.b.c").status == 0
    assert home.run("get", "a.b.c").out == b"content"
    assert list(home.spool.iterdir()) == []


def test_a_damaged_database(home: Home) -> None:
    home.run("set", "a.b.c", "before")
    home.database.write_bytes(b"no database at all" * 1000)
    done = spooled(home, "set", "a.b.c", reason="damaged")
    assert home.database.read_bytes() == b"no database at all" * 1000
    assert home.run("get", "a.b.c").status == 1
    assert home.run("get", done.rescued).out == b"content"
    listed = home.run("rescue", "list")
    assert (listed.status, "a.b.c" in listed.lines[0], "damaged" in listed.err) == (0, True, True)
    home.database.unlink()
    assert home.run("copy", done.rescued, "a.b.c").status == 0
    assert home.run("get", "a.b.c").out == b"content"


def test_a_foreign_database(home: Home) -> None:
    with closing(sqlite3.connect(home.folder / "other.db")) as db:
        db.execute("CREATE TABLE theirs (a)")
    before = (home.folder / "other.db").read_bytes()
    done = home.run("set", "a.b.c", "--database", "./other.db", stdin=b"content")
    assert (done.status, "Not a ProntoDB database" in done.err) == (4, True)
    assert (home.folder / "other.db").read_bytes() == before


def test_a_folder_that_is_missing(home: Home) -> None:
    done = home.run("set", "a.b.c", "--database", "./no/such/x.db", stdin=b"content")
    assert done.status == 4
    assert (home.spool / done.rescued.removeprefix("pipe.cache.")).read_bytes() == b"content"
    assert not (home.folder / "no").exists()


def test_a_database_that_is_a_folder(home: Home) -> None:
    home.database.mkdir(parents=True)
    spooled(home, "set", "a.b.c", reason="Cannot")
    assert home.run("get", "a.b.c").status == 1


def test_the_spool_falls_back(home: Home) -> None:
    (home.folder / ".local").write_text("in the way of data and state alike")
    done = home.run("set", "a.b.c", stdin=b"content" * 400_000)
    assert done.status == 4
    folder = home.folder / f"tmp/prontodb-rescue-{os.getuid()}"
    assert (folder / done.rescued.removeprefix("pipe.cache.")).read_bytes() == b"content" * 400_000
    (home.folder / ".local").unlink()
    assert home.run("copy", done.rescued, "a.b.c").status == 0
    assert home.run("get", "a.b.c").out == b"content" * 400_000


@pytest.fixture
def last_resort() -> Iterator[None]:
    """Leaves nothing behind in the one place of the spool that does not depend on the home."""
    yield
    for part in Path(f"/dev/shm/prontodb-rescue-{os.getuid()}").glob("*+partial*"):
        part.unlink()


def test_where_nothing_takes_it_the_loss_is_said_plainly(home: Home, last_resort: None) -> None:
    # A limit on the size of files stands for a full disk: it holds for every folder at once.
    script = "trap '' XFSZ; ulimit -f 0; head -c 3000000 /dev/zero | prontodb set a.b.c"
    done = home.shell(script)
    assert done.status == 1
    assert "LOST: 3000000 bytes" in done.err
    assert home.run("exists", "a.b.c").status == 2


@pytest.mark.parametrize("limit", [1, 64, 1024, 2047])
def test_a_disk_that_fills_up_midway_loses_nothing_silently(home: Home, last_resort: None, limit: int) -> None:
    home.run("set", "a.b.other", "v")
    script = f"trap '' XFSZ; ulimit -f {limit}; head -c 2500000 /dev/urandom | tee /dev/stderr 2>&3 | prontodb set a.b.c"
    done = home.shell(f"exec 3>copy; {script}")
    assert done.status in (0, 1, 4)
    if done.status == 1:
        assert "LOST" in done.err
    else:
        assert home.run("get", "a.b.c" if done.status == 0 else done.rescued).out == (home.folder / "copy").read_bytes()
    assert home.run("get", "a.b.other").out == b"v"


def test_100_megabytes_to_a_bad_address(home: Home) -> None:
    (home.folder / "big").write_bytes(os.urandom(1 << 20) * 100)
    done = home.shell("cat big | prontodb set bad..address; echo $?")
    assert done.out == b"4\n"
    assert home.shell(f"prontodb get {done.rescued} | cmp - big").status == 0
    assert home.shell(f"prontodb copy {done.rescued} a.b.big && prontodb get a.b.big | cmp - big").status == 0
    assert list(home.spool.iterdir()) == []


def test_memory_stays_constant(home: Home) -> None:
    script = f"head -c 150000000 /dev/zero | python3 -c \"import os,resource,subprocess as s; s.run(['{COMMAND}','set','a.b.c']); "
    done = home.shell(script + 'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"')
    assert int(done.out) < 64_000
    assert home.run("del", "a.b.c").status == 0


def test_a_killed_reader_leaves_a_partial_spool(home: Home) -> None:
    process = subprocess.Popen([COMMAND, "set", "a.b.c"], stdin=subprocess.PIPE, env=home.env, cwd=home.folder)
    assert process.stdin is not None
    process.stdin.write(b"x" * (3 << 20))
    process.stdin.flush()
    while not home.partial() or sum(path.stat().st_size for path in home.partial()) < 2 << 20:
        assert process.poll() is None
    process.kill()
    process.wait()
    rows = json.loads(home.run("rescue", "list", "--json").out)
    assert [row["state"] for row in rows if row["size"] >= 2 << 20] == ["partial"], rows
    assert home.run("exists", "a.b.c").status == 2
    process.stdin.close()


def test_a_fault_of_the_rescue_itself_goes_to_the_spool(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("prontodb.ops.rescue.keep", broken)
    done = home.call("set", "bad..address", stdin=b"content")
    assert (done.status, home.call("get", done.rescued).out) == (4, b"content")
    monkeypatch.setattr("prontodb.ops.rescue.keep_spooled", broken)
    done = home.call("set", "bad..address", stdin=b"content")
    assert (done.status, "Internal error: ZeroDivisionError: a bug" in done.err) == (1, True)


def test_an_internal_error_is_a_rescue_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("prontodb.ops.kv.put", broken)
    done = home.call("set", "a.b.c", stdin=b"content")
    assert (done.status, "Internal error: ZeroDivisionError: a bug - content cached as" in done.err) == (4, True)
    assert home.call("get", done.rescued).out == b"content"


def test_a_note_that_cannot_be_written_makes_no_rescue_of_a_stored_value(home: Home) -> None:
    for script in ("echo x | prontodb set a.b.c -v 2>/dev/full", "prontodb set a.b.c x -v 2>/dev/full"):
        assert home.shell(script).status == 0
        assert home.run("exists", "a.b.c").status == 0
    assert home.run("keys", "pipe.cache").lines == []
