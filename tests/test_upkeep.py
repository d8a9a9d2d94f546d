"""doctor finds what is wrong and says the cure, and the cure works; repair saves what can be read, and nothing that is not whole."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from prontodb.engines.driver import SCHEMA_VERSION
from prontodb.engines.sqlite import SqliteEngine
from prontodb.model import Content, Write

from .conftest import COMMAND, Home
from .sqlite_base import at, sql, unprivileged

NOW = 1757569450


def wrong(home: Home, *flags: str, **options: object) -> list[dict[str, str]]:
    """The rows of doctor that have a cure; the exit status must agree."""
    done = home.run("doctor", "--json", *flags, **options)
    rows = [row for row in json.loads(done.out) if row["cure"]]
    assert (done.status, done.err) == (int(bool(rows)), "")
    return rows


def filled(home: Home, count: int = 300) -> dict[str, bytes]:
    """A database of small, middling and large values; what is in it, by name."""
    dice = random.Random(count)
    values = {f"k{number:04}": dice.randbytes(dice.choice((3, 20, 200))) for number in range(count)}
    values["large"] = dice.randbytes(17_000_000)
    with closing(SqliteEngine(str(home.database), "", lambda: 5, folders=True)) as db:
        db.put_many(((at(name), Content.of(value)) for name, value in values.items()), Write(), NOW)
    return values


def test_all_is_well(home: Home) -> None:
    assert wrong(home) == []
    assert [path.name for path in home.folder.iterdir()] == ["tmp"], "it made something"
    home.run("set", "a.b.c", "v")
    assert wrong(home) == []


@pytest.mark.parametrize("what", ["main.db", ""])
def test_open_modes(home: Home, what: str) -> None:
    home.run("set", "a.b.c", "v")
    path = home.database.parent / what
    path.chmod(0o755)
    row = wrong(home)[0]
    assert "open to others" in row["state"]
    assert home.shell(row["cure"]).status == 0
    assert wrong(home) == []


def test_read_only(home: Home) -> None:
    home.run("set", "a.b.c", "v")
    home.database.chmod(0o400)
    done = subprocess.run([*unprivileged(), COMMAND, "doctor"], env=home.env, capture_output=True, text=True, check=False)
    assert (done.returncode, f"chmod u+w {home.database}" in done.stdout) == (1, True)


def test_expired_entries_and_files_that_nothing_needs(home: Home) -> None:
    home.call("set", "a.b.small", "v", "--ttl", "5", now=NOW)
    assert wrong(home) == [], "later writes remove it"
    home.call("set", "a.b.c", "--ttl", "5", stdin=bytes(65 << 20), now=NOW)
    (home.database.parent / "main.db-bulk/7").write_bytes(b"left")
    rows = wrong(home)
    assert [row["cure"] for row in rows] == ["prontodb admin purge"] * 2, rows
    assert "2 expired entries, 68157441 bytes" in rows[1]["state"]
    assert wrong(home, "--meta", "acme") == rows[:1], "another tenant's entries showed"
    assert home.shell(rows[0]["cure"]).status == 0
    assert wrong(home) == []


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_large_value_without_its_file(home: Home, damage: str) -> None:
    filled(home, 3)
    file = next(Path(f"{home.database}-bulk").iterdir())
    file.unlink() if damage == "gone" else os.truncate(file, 5)
    assert "of 'large'" in wrong(home)[0]["state"]
    done = home.run("repair")
    assert (done.status, "Lost: the content of p.n.large" in done.err) == (1, True)
    assert wrong(home) == []
    assert home.run("keys", "p.n").lines == ["k0000", "k0001", "k0002"]


def test_what_lies_in_the_spool(home: Home) -> None:
    home.run("set", "a.b.c", "--database", "./no/such.db", stdin=b"content")
    assert "1 contents that no database took, 7 bytes" in wrong(home, "--database", "./no/such.db")[0]["state"]
    assert wrong(home) == []


def test_left_over_drafts(home: Home) -> None:
    home.run("set", "a.b.c", "v")
    draft = home.database.parent / "main.db.1-ab.new"
    draft.write_bytes(b"")
    assert wrong(home) == []
    os.utime(draft, (NOW, NOW))
    assert home.shell(wrong(home)[0]["cure"]).status == 0
    assert wrong(home) == []


def test_a_bad_setting(home: Home) -> None:
    assert "PRONTO_PIPE_TTL" in wrong(home, env={"PRONTO_PIPE_TTL": "soon"})[0]["state"]


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 99])
def test_a_newer_and_a_foreign_database_are_left_alone(home: Home, version: int) -> None:
    home.run("set", "a.b.c", "v")
    sql(home.database, f"PRAGMA user_version = {version}")
    assert wrong(home)[0]["cure"] == "upgrade prontodb"
    before = home.database.read_bytes()
    assert "newer" in home.run("repair", "--force").err
    sql(home.database, "PRAGMA application_id = 5")
    done = home.run("repair")
    assert (done.status, "Not a ProntoDB database" in done.err) == (1, True)
    assert len(before) == home.database.stat().st_size


def test_all_databases_of_the_user_and_nobody_elses(home: Home) -> None:
    for flags in ((), ("--database", "other"), ("--user", "alice")):
        home.run("set", "a.b.c", "v", *flags)
    for name in ("other.db", "main_alice.db"):
        (home.database.parent / name).write_bytes(b"damaged" * 1000)
    assert wrong(home) == []
    assert [Path(row["check"]).name for row in wrong(home, "--all")] == ["other.db"]
    assert [Path(row["check"]).name for row in wrong(home, "--user", "alice")] == ["main_alice.db"]
    assert home.run("doctor", "--all", env={"PRONTO_FORCE_USER": "alice"}).status == 6


def test_nothing_to_repair(home: Home) -> None:
    assert home.run("repair").status == 64
    home.run("set", "a.b.c", "v")
    done = home.run("repair", "-v")
    assert (done.status, "Nothing to repair" in done.err) == (0, True)
    assert [path.name for path in home.database.parent.iterdir()] == ["main.db"]
    assert home.run("repair", "--force").status == 0
    assert home.run("get", "a.b.c").out == b"v"


def test_repair_keeps_everything_of_a_sound_database(home: Home) -> None:
    home.run("set", "a.b.c", "v", "--meta", "acme", "--ttl", "1h")
    home.run("create-cache", "a.cache", "15m")
    home.run("admin", "share")
    values = filled(home)
    before = home.run("scan", "a.b", "--json", "--meta", "acme").out
    assert home.run("repair", "--force").status == 0
    assert home.run("scan", "a.b", "--json", "--meta", "acme").out == before
    assert home.run("admin", "caches").lines == ["a.cache\t900"]
    assert home.run("get", "p.n.large").out == values["large"]
    assert home.run("get", "p.n.k0001", "--database", str(home.database), "--user", "bob").status == 0, "it is not shared any more"


def test_not_while_another_process_has_it_open(home: Home) -> None:
    home.run("set", "a.b.c", "v")
    other = sqlite3.connect(home.database)
    other.execute("SELECT * FROM entry").fetchall()
    done = home.run("repair", "--force", env={"PRONTO_BUSY_TIMEOUT": "0.2"})
    other.close()
    assert (done.status, "Another process has" in done.err) == (5, True)
    assert [path.name for path in home.database.parent.iterdir()] == ["main.db"]


def test_not_under_a_pin_and_not_anothers(home: Home) -> None:
    home.run("set", "a.b.c", "v")
    assert home.run("repair", "--force", env={"PRONTO_FORCE_META": "acme"}).status == 6
    assert home.run("repair", "--force", "--user", "bob", "--database", str(home.database)).status == 6


@pytest.mark.parametrize("seed", range(12))
def test_pages_that_are_damaged(home: Home, seed: int) -> None:
    """Whatever is overwritten: what repair saves is whole and right, the rest is named, and the old file stays as it was.

    Damage within the bytes of a value cannot be told: SQLite keeps no checksums. So it is done where the structure is.
    """
    values = filled(home, 1000)
    dice = random.Random(seed)
    size = home.database.stat().st_size
    with open(home.database, "r+b") as file:
        for _ in range(dice.choice((1, 1, 3))):
            file.seek(0 if seed < 2 else dice.randrange(size // 4096) * 4096)
            file.write(dice.choice((bytes(100), dice.randbytes(100), bytes(4096))))
    damaged = home.database.read_bytes()
    done = home.run("repair")
    assert "Traceback" not in done.err
    assert "Internal" not in done.err
    assert done.status in (0, 1), done
    if done.err:
        kept = next(path for path in home.database.parent.iterdir() if ".damaged-" in path.name and path.is_file())
        assert kept.read_bytes() == damaged
    assert sql(home.database, "PRAGMA integrity_check") == [("ok",)]
    assert wrong(home) == []
    found = 0
    for name in home.call("keys", "p.n").lines:
        assert home.call("get", f"p.n.{name}").out == values[name]
        found += 1
    if done.status == 0:
        assert found == len(values)
    else:
        assert "Lost" in done.err or "could not be read" in done.err
    assert home.run("set", "p.n.after", "v").status == 0


def test_a_file_that_is_no_database_at_all(home: Home) -> None:
    home.database.parent.mkdir(parents=True)
    home.database.write_bytes(b"no database at all" * 1000)
    done = home.run("repair")
    assert (done.status, "Saved 0 entries" in done.err) == (1, True), done
    assert home.run("set", "a.b.c", "v").status == 0
