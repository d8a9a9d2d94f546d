"""Backups are consistent while others write, and verified; restoring replaces nothing before all is verified, and keeps what it replaces."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from prontodb.engines import snapshot, upkeep
from prontodb.errors import Busy
from prontodb.model import Content, Write

from .conftest import COMMAND, Home
from .sqlite_base import NOW, Child, at, engine, get, put, sql
from .test_disk_full import on_a_small_disk

LARGE = random.Random(3).randbytes(17_000_000)


def backup(home: Home, *argv: str) -> Path:
    """Makes one; its path, which is all that is printed."""
    done = home.run("backup", *argv)
    assert (done.status, done.err, len(done.lines)) == (0, "", 1), done
    return Path(done.lines[0])


def state(home: Home) -> dict[str, bytes]:
    """Every file of the home's data, and its bytes."""
    return {str(path): path.read_bytes() for path in sorted((home.folder / ".local").rglob("*")) if path.is_file()}


def fill(home: Home) -> None:
    """A little of everything."""
    home.call("set", "a.b.small", "v", "--ttl", "1h")
    home.call("set", "a.b.middling", stdin=b"m" * 3_000_000)
    home.call("set", "a.b.large", stdin=LARGE)
    home.call("set", "a.b.theirs", "tenant", "--meta", "acme")
    home.call("set", "a.b.c", "other", "--database", "other")
    home.call("create-cache", "a.cache", "15m")
    home.call("cursor", "set", "work", "other", "--meta", "acme")
    home.call("profile", "add", "p", "--meta", "acme")


def change(home: Home) -> None:
    """All of it becomes something else."""
    home.call("set", "a.b.small", "changed")
    home.call("set", "a.b.new", "new")
    home.call("set", "a.b.large", stdin=LARGE[::-1])
    home.call("del", "a.b.theirs", "--meta", "acme")
    home.call("set", "a.b.c", "changed", "--database", "other")
    home.call("drop-cache", "a.cache")
    home.call("cursor", "delete", "work")
    home.call("cursor", "set", "later", "other")
    home.call("profile", "remove", "p")


def test_everything_comes_back(home: Home) -> None:
    fill(home)
    before = [home.call("scan", "a.b", "--json", *flags).out for flags in ((), ("--meta", "acme"), ("--database", "other"))]
    file = backup(home)
    assert (file.parent, file.stat().st_mode & 0o777) == (home.database.parent / "backups", 0o600)
    change(home)
    done = home.run("restore", str(file))
    assert (done.status, done.err) == (0, "")
    after = [home.call("scan", "a.b", "--json", *flags).out for flags in ((), ("--meta", "acme"), ("--database", "other"))]
    assert after == before
    assert home.call("get", "a.b.large").out == LARGE
    assert home.call("admin", "caches").lines == ["a.cache\t900"]
    assert [line.split("\t")[1] for line in home.call("cursor", "list").lines] == ["work"]
    assert "p" in home.call("profile", "list").out.decode()
    assert home.run("doctor", "--all").status == 0
    # And what was replaced is kept, and comes back as well.
    kept = done.lines[0]
    assert home.run("restore", kept).status == 0
    assert home.call("get", "a.b.small").out == b"changed"
    assert home.call("get", "a.b.large").out == LARGE[::-1]
    assert [line.split("\t")[1] for line in home.call("cursor", "list").lines] == ["later"]


def test_into_an_empty_home(home: Home, tmp_path: Path) -> None:
    fill(home)
    file = backup(home, "--output", "mine.tar")
    assert file == home.folder / "mine.tar"
    (tmp_path / "second").mkdir()
    second = Home(tmp_path / "second")
    done = second.run("restore", str(file))
    assert (done.status, done.out, done.err) == (0, b"", "")
    assert second.run("get", "a.b.large").out == LARGE
    assert second.run("get", "a.b.c", "--cursor", "work", "--meta", "").status == 64
    assert {path.stat().st_mode & 0o077 for path in second.database.parent.rglob("*")} == {0}


def test_into_another_folder(home: Home) -> None:
    fill(home)
    file = backup(home)
    before = state(home)
    done = home.run("restore", str(file), "--into", "copy")
    assert sorted(done.lines) == [f"{home.folder}/copy/main.db", f"{home.folder}/copy/other.db"]
    assert home.call("get", "a.b.large", "--database", "./copy/main.db").out == LARGE
    assert state(home) == before
    assert home.run("restore", str(file), "--into", "copy").status == 64


def test_one_database_alone(home: Home) -> None:
    fill(home)
    file = backup(home, "--database", "other")
    change(home)
    assert home.run("restore", str(file)).status == 0
    assert home.call("get", "a.b.c", "--database", "other").out == b"other"
    assert home.call("get", "a.b.small").out == b"changed"
    whole = backup(home)
    home.call("set", "a.b.c", "again", "--database", "other")
    home.call("set", "a.b.small", "again")
    assert home.run("restore", str(whole), "--database", "other").status == 0
    assert [home.call("get", *words).out for words in (("a.b.c", "--database", "other"), ("a.b.small",))] == [b"other", b"again"]


def test_a_database_elsewhere_that_a_cursor_points_to(home: Home) -> None:
    home.call("set", "a.b.c", "v", "--database", "./far.db")
    home.call("cursor", "set", "far", "./far.db")
    file = backup(home)
    home.call("set", "a.b.c", "changed", "--database", "./far.db")
    assert home.run("restore", str(file)).status == 0
    assert home.call("get", "a.b.c", "--database", "./far.db").out == b"v"
    home.call("cursor", "delete", "far")
    (home.folder / "far.db").unlink()
    done = home.run("restore", str(file))
    assert (done.status, "far.db is not restored" in done.err, (home.folder / "far.db").exists()) == (0, True, False)
    assert home.run("restore", str(file), "--database", f"{home.folder}/far.db").status == 0
    assert home.call("get", "a.b.c", "--database", "./far.db").out == b"v"


def test_dry_run_changes_nothing(home: Home) -> None:
    fill(home)
    file = backup(home)
    change(home)
    before = state(home)
    rows = {Path(row["what"]).name: row for row in json.loads(home.run("restore", str(file), "--dry-run", "--json").out)}
    assert state(home) == before
    assert (rows["main.db"]["change"], rows["main.db"]["before"], rows["main.db"]["after"]) == ("replaced", 4, 4)
    assert {name: row["change"] for name, row in rows.items()} == {
        "main.db": "replaced",
        "other.db": "replaced",
        "work.json": "made",
        "profiles.toml": "replaced",
        "later.json": "removed",
    }


# PREDECESSOR, fault 32


WRITER = """
number = 0
with closing(SqliteEngine(path, "", lambda: 60)) as db:
    print(flush=True)
    while not os.path.exists(path + ".stop"):
        number += 1
        size = 17_000_000 if number % 20 == 9 else number * 997 % 9000 + 600
        data = b"%08d" % number * (size // 8)
        db.put_many([(at(f"k{i:02}"), Content.of(data)) for i in range(3)] + [(at("n"), Content.of(b"%d" % number))], Write(), NOW)
print(number)
"""


def test_fault_32_a_backup_under_writes_is_consistent(home: Home) -> None:
    """Every backup that is taken while others write is one state between two writes."""
    home.call("set", "p.n.n", "0")
    writers = [Child(WRITER, home.database) for _ in range(2)]
    for writer in writers:
        writer.line()
    files = [backup(home, "--output", f"{number}.tar") for number in range(8)]
    Path(f"{home.database}.stop").touch()
    assert sum(int(writer.end()) for writer in writers) > 10
    seen = set()
    for file in files:
        assert home.run("restore", str(file), "--into", file.stem).status == 0
        copy = f"./{file.stem}/main.db"
        values = {home.call("get", f"p.n.k{number:02}", "--database", copy).out for number in range(3)}
        assert len(values) == 1
        seen.add(home.call("get", "p.n.n", "--database", copy).out)
        assert int(next(iter(values))[:8] or 0) == int(home.call("get", "p.n.n", "--database", copy).out)
        assert home.call("doctor", "--database", copy).status == 0
    assert len(seen) > 3


def test_fault_32_a_restore_reaches_the_process_that_has_it_open(home: Home) -> None:
    """The predecessor unlinked the file under the other process, which went on with the old one."""
    put(home.database.parent.parent.parent.parent / "unused.db", "k")
    home.call("set", "p.n.k", "old")
    file = backup(home)
    home.call("set", "p.n.k", "new")
    script = """
with closing(SqliteEngine(path, "", lambda: 60)) as db:
    db.put(at("mine"), Content.of(b"v"), Write(), NOW)
    print(value(db, "k").decode(), flush=True)
    sys.stdin.readline()
    print(value(db, "k").decode())
    db.put(at("later"), Content.of(b"v"), Write(), NOW)
"""
    child = Child(script, home.database)
    assert child.line() == "new"
    assert home.run("restore", str(file)).status == 0
    assert child.end() == "old\n"
    assert home.call("keys", "p.n").lines == ["k", "later"]


def test_fault_32_a_backup_that_fails_leaves_no_archive(home: Home) -> None:
    fill(home)
    (home.database.parent / "other.db").write_bytes(b"damaged" * 5000)
    done = home.run("backup")
    assert (done.status, done.out, "damaged" in done.err) == (1, b"", True)
    assert list((home.database.parent / "backups").iterdir()) == []
    assert home.run("backup", "--output", "/proc/none/x.tar").status == 64
    assert home.run("backup", "--output", "/proc").status == 1


def test_fault_32_a_full_disk_leaves_no_archive(home: Home) -> None:
    script = "head -c 1500000 big | prontodb set a.b.c; prontodb backup; echo $?; ls -A home/.local/share/prontodb/backups; prontodb get a.b.c | wc -c"
    done = on_a_small_disk(home, script)
    assert done.lines == ["1", "1500000"], done


@pytest.mark.slow
def test_fault_32_a_backup_that_is_killed_leaves_no_archive(home: Home) -> None:
    fill(home)
    dice = random.Random(5)
    began = time.monotonic()
    backup(home, "--output", "whole.tar")
    longest = time.monotonic() - began
    for _ in range(10):
        process = subprocess.Popen([COMMAND, "backup"], env=home.env, cwd=home.folder, stdout=subprocess.DEVNULL)
        try:
            process.wait(dice.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.returncode in (0, -signal.SIGKILL)
    for row in json.loads(home.run("backup", "--list", "--json").out):
        assert row["state"] == "sealed"
        assert home.run("restore", row["file"], "--dry-run").status == 0
    assert home.call("get", "a.b.large").out == LARGE


def test_fault_32_a_restore_that_is_killed_loses_nothing(home: Home) -> None:
    """Each database has its old content or the backup's, and the old one is in a backup of its own by then."""
    fill(home)
    file = backup(home)
    change(home)
    dice = random.Random(6)
    for _ in range(8):
        process = subprocess.Popen([COMMAND, "restore", str(file)], env=home.env, cwd=home.folder, stdout=subprocess.DEVNULL)
        try:
            process.wait(dice.uniform(0, 1.5))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        large = home.call("get", "a.b.large").out
        small = home.call("get", "a.b.small").out
        assert (small, large) in ((b"v", LARGE), (b"changed", LARGE[::-1]))
        assert sql(home.database, "PRAGMA integrity_check") == [("ok",)]
    assert home.run("restore", str(file)).status == 0
    assert home.call("admin", "purge").status == 0
    assert [row for row in json.loads(home.run("doctor", "--json").out) if row["cure"]] == []


# Archives that are not what they seem


def refused(home: Home, file: Path, said: str = "") -> None:
    """Restoring is refused, and nothing has changed."""
    before = state(home)
    for argv in (("restore", str(file)), ("restore", str(file), "--dry-run"), ("restore", str(file), "--into", "new")):
        done = home.run(*argv, "--json")
        told = json.loads(done.err)
        assert (done.status, told["error"]) == (1, "damaged-backup"), done
        assert said in told["reason"]
    assert state(home) == before
    assert not (home.folder / "new").exists()
    assert not [path for path in home.folder.rglob("*") if path.name.endswith(".restored")]


@pytest.fixture
def small(home: Home) -> Path:
    """A backup of a small database, which has changed since."""
    home.call("set", "a.b.c", "v")
    file = backup(home, "--output", "small.tar")
    home.call("set", "a.b.c", "changed")
    return file


def test_a_truncated_archive(home: Home, small: Path) -> None:
    whole = small.read_bytes()
    for size in (0, 1, 511, 512, 700, 4096, len(whole) // 2, len(whole) - 10240, len(whole) - 10241):
        (home.folder / "cut.tar").write_bytes(whole[:size])
        if size <= 700 or size % 512 or size < len(whole) - 10240:
            refused(home, home.folder / "cut.tar")


def test_a_changed_archive(home: Home, small: Path) -> None:
    whole = small.read_bytes()
    dice = random.Random(1)
    end = max(block for block in range(0, len(whole), 512) if whole[block : block + 512].strip(b"\0"))
    for place in [0, 600, 5000, *(dice.randrange(end) for _ in range(25))]:
        changed = bytearray(whole)
        changed[place] ^= 0x41
        (home.folder / "changed.tar").write_bytes(changed)
        done = home.run("restore", "changed.tar", "--dry-run")
        assert done.status == 1 or _same(home.folder / "changed.tar", small), place


def _same(one: Path, other: Path) -> bool:
    """Whether two archives hold the same: padding, dates and modes of members do not count."""
    with tarfile.open(one) as first, tarfile.open(other) as second:
        pairs = list(zip(first, second, strict=True))
        return all(a.name == b.name and first.extractfile(a).read() == second.extractfile(b).read() for a, b in pairs)  # type: ignore[union-attr]


def test_a_foreign_file(home: Home, small: Path) -> None:
    (home.folder / "text").write_text("not a backup\n" * 500)
    refused(home, home.folder / "text", "no backup")
    with tarfile.open(home.folder / "foreign.tar", "w") as tar:
        tar.add(small, "some/file")
    refused(home, home.folder / "foreign.tar", "which no backup does")
    assert home.run("restore", "missing.tar").status == 64
    assert home.run("restore", ".").status == 1


def remade(home: Home, small: Path, edit: Callable[[dict[str, bytes], dict[str, object]], None], *, kind: bytes = tarfile.REGTYPE) -> Path:
    """The archive with changed members and manifest, sealed as if it were a good one."""
    with tarfile.open(small) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    told = json.loads(members.pop("manifest.json"))
    del members["manifest.sha256"]
    edit(members, told)
    told["members"] = [{"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in members.items()]
    manifest = json.dumps(told).encode()
    members |= {"manifest.json": manifest, "manifest.sha256": hashlib.sha256(manifest).hexdigest().encode()}
    with tarfile.open(home.folder / "remade.tar", "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if "evil" in name:
                info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info, io.BytesIO(data))
    return home.folder / "remade.tar"


ESCAPES = ["../evil", "/tmp/evil", "databases/../../evil.db", "databases/0-evil/../../x.db", "cursors/default/../../../evil.json"]
ESCAPES += ["databases/0-main.db-bulk/../evil", "users/evil/x.json", "cursors/../evil.json", "evil", "databases/evil.db"]


@pytest.mark.parametrize("name", ESCAPES)
def test_members_that_lead_elsewhere(home: Home, small: Path, name: str) -> None:
    refused(home, remade(home, small, lambda members, _: members.update({name: b"x"})), "which no backup does")
    assert not list(home.folder.parent.glob("*evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_members_that_are_no_files(home: Home, small: Path, kind: bytes) -> None:
    refused(home, remade(home, small, lambda members, _: members.update({"databases/0-evil.db": b""}), kind=kind), "which no backup does")


EDITS: dict[str, Callable[[dict[str, object], dict[str, object]], None]] = {
    "name": lambda told, item: item.update(name="../../x"),
    "user": lambda told, item: item.update(user="../x"),
    "path": lambda told, item: item.update(name="", path="etc/passwd"),
    "member": lambda told, item: item.update(member="../../main.db"),
    "entries": lambda told, item: item.update(entries="many"),
    "nothing": lambda told, item: item.clear(),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_manifest_with_bad_intent(home: Home, small: Path, name: str) -> None:
    def edit(_: dict[str, bytes], told: dict[str, object]) -> None:
        EDITS[name](told, told["databases"][0])  # type: ignore[index]

    refused(home, remade(home, small, edit), "makes no sense")


def test_a_newer_archive(home: Home, small: Path) -> None:
    refused(home, remade(home, small, lambda _, told: told.update(format=2)), "newer ProntoDB")


@pytest.mark.parametrize(("statement", "said"), [("PRAGMA user_version = 99", "newer"), ("PRAGMA application_id = 1", "not a ProntoDB")])
def test_a_database_in_it_that_is_newer_or_foreign(home: Home, small: Path, statement: str, said: str) -> None:
    def edit(members: dict[str, bytes], _: dict[str, object]) -> None:
        (home.folder / "inner.db").write_bytes(members["databases/0-main.db"])
        sql(home.folder / "inner.db", statement)
        members["databases/0-main.db"] = (home.folder / "inner.db").read_bytes()

    refused(home, remade(home, small, edit), said)


def test_a_database_in_it_that_is_damaged(home: Home, small: Path) -> None:
    def edit(members: dict[str, bytes], _: dict[str, object]) -> None:
        data = bytearray(members["databases/0-main.db"])
        data[4096:8192] = bytes(4096)
        members["databases/0-main.db"] = bytes(data)

    refused(home, remade(home, small, edit))


# Whose


def test_users_and_pins(home: Home) -> None:
    for user in ("default", "alice"):
        home.call("set", "a.b.c", user, "--user", user)
    mine, hers = backup(home), backup(home, "--user", "alice")
    assert home.run("restore", str(hers)).status == 6
    assert [row["databases"] for row in json.loads(home.run("backup", "--list", "--json").out)] == [1, 1]
    every = backup(home, "--all")
    for user in ("default", "alice"):
        home.call("set", "a.b.c", "changed", "--user", user)
    assert home.run("restore", str(hers), "--user", "alice").status == 0
    assert [home.call("get", "a.b.c", "--user", user).out for user in ("default", "alice")] == [b"changed", b"alice"]
    assert home.run("restore", str(every)).status == 0
    assert [home.call("get", "a.b.c", "--user", user).out for user in ("default", "alice")] == [b"default", b"alice"]
    pin = {"PRONTO_FORCE_META": "acme"}
    for argv in (("backup",), ("restore", str(mine)), ("restore", str(mine), "--into", "x"), ("backup", "--list")):
        assert home.run(*argv, env=pin).status == (0 if "--list" in argv else 6), argv


def test_a_user_with_a_password(home: Home) -> None:
    (home.folder / "pw").write_text("secret\n")
    home.call("set", "a.b.c", "v", "--user", "alice")
    assert home.run("user", "add", "alice", "--new-password-file", "pw").status == 0
    assert home.run("backup", "--user", "alice").status == 6
    assert home.run("backup", "--all").status == 6
    file = backup(home, "--user", "alice", "--password-file", "pw")
    assert home.run("restore", str(file), "--user", "alice").status == 6


def test_list_and_prune(home: Home) -> None:
    assert home.run("backup").status == 64
    assert home.run("backup", "--list").out == b""
    home.call("set", "a.b.c", "v")
    for _ in range(3):
        backup(home)
    (home.database.parent / "backups/mine.tar").write_bytes(b"cut off")
    rows = json.loads(home.run("backup", "--list", "--json").out)
    assert [row["state"] for row in rows][:3] == ["sealed"] * 3
    assert rows[3]["state"] != "sealed"
    home.call("set", "a.b.c", "v", "--user", "alice")
    hers = backup(home, "--user", "alice")
    last = backup(home, "--prune", "2")
    left = {path.name for path in (home.database.parent / "backups").iterdir()}
    assert left == {"mine.tar", hers.name, last.name, Path(rows[2]["file"]).name}
    for wrong in ("0", "-1", "x"):
        assert home.run("backup", "--prune", wrong).status == 64
    assert home.run("backup", "--output", "x.tar").status == 0
    assert home.run("backup", "--output", "x.tar").status == 64


def test_a_damaged_database_is_set_aside(home: Home) -> None:
    fill(home)
    file = backup(home)
    home.database.write_bytes(b"damaged" * 5000)
    done = home.run("restore", str(file))
    assert done.status == 0, done
    assert home.call("get", "a.b.large").out == LARGE
    kept = [path for path in home.database.parent.iterdir() if ".damaged-" in path.name and path.is_file()]
    assert [path.read_bytes() for path in kept] == [b"damaged" * 5000]


def test_numbers_go_on_after_a_restore(home: Home) -> None:
    """A revision that was seen before means the same content for ever."""
    home.call("set", "a.b.c", "v")
    file = backup(home)
    for _ in range(5):
        home.call("set", "a.b.c", "later")
    home.run("restore", str(file))
    home.call("set", "a.b.c", "after")
    assert json.loads(home.call("get", "a.b.c", "--json").out)["revision"] == 7


def test_a_backup_from_a_folder_that_may_only_be_read(home: Home) -> None:
    from .sqlite_base import unprivileged

    home.call("set", "a.b.c", "v")
    home.database.parent.chmod(0o500)
    done = subprocess.run(
        [*unprivileged(), COMMAND, "backup", "--output", "x.tar"], env=home.env, cwd=home.folder, capture_output=True, check=False
    )
    home.database.parent.chmod(0o700)
    assert done.returncode == 0, done
    assert home.run("restore", "x.tar").status == 0


def test_nothing_changes_between_the_steps_of_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large values are listed and opened under the lock; what is written after that, before the copy, is not in it."""
    path, said = tmp_path / "main.db", []
    put(path, "k", LARGE)
    listing, copying = snapshot.files, snapshot._copy

    def listed(db: sqlite3.Connection) -> list[tuple[str, int, int]]:
        found = listing(db)
        with closing(engine(path, 0.1)) as other, pytest.raises(Busy):
            other.put(at("k"), Content.of(LARGE[::-1]), Write(), NOW)
        said.append("listed")
        return found

    def copied(db: sqlite3.Connection, target: str) -> None:
        put(path, "k", LARGE[::-1])
        said.append("copied")
        copying(db, target)

    monkeypatch.setattr(snapshot, "files", listed)
    monkeypatch.setattr(snapshot, "_copy", copied)
    taken = snapshot.take(str(path), str(tmp_path / "copy"), "default", lambda: 5.0)
    assert said == ["listed", "copied"]
    fd, size = next(iter(taken.bulk.values()))
    assert os.pread(fd, size, 0) == LARGE
    assert upkeep.sound(taken.file, {body: size for body, (_, size) in taken.bulk.items()}) == []
    taken.close()
    assert sorted(os.listdir(tmp_path)) == ["main.db", "main.db-bulk"]
    assert get(path, "k") == LARGE[::-1]
