"""`prontodb self-check`: what it finds in a sound installation, and that it finds what is wrong in one that is not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import prontodb
from prontodb.engines import driver

from .conftest import COMMAND, Home, Result
from .shells import require

ROOT = Path(prontodb.__file__).parent.parent


def told(done: Result) -> dict[str, dict[str, str]]:
    """The rows, by what was checked."""
    return {row["check"]: row for row in json.loads(done.out)}


def test_a_sound_installation(home: Home) -> None:
    require("zsh")
    done = home.run("self-check", "--json")
    assert (done.status, done.err) == (0, "")
    rows = told(done)
    required = ("python", "command", "sqlite", "database", "templates", "data folder", "rescue folder", "bash", "zsh")
    assert [rows[name]["state"] for name in required] == ["ok"] * len(required)
    assert (rows["sqlite"]["found"], rows["command"]["found"]) == (driver.sqlite_version, COMMAND)
    lines = home.run("self-check").lines
    assert len(lines) == len(rows)
    assert lines[0].startswith("python\tok\t")


def test_it_leaves_nothing_behind(home: Home) -> None:
    home.run("self-check")
    assert [path.name for path in home.folder.rglob("*")] == ["tmp"]


def test_what_is_optional_may_be_missing(home: Home) -> None:
    done = home.call("self-check", "--json", env={"PATH": str(home.folder)})
    rows = told(done)
    assert (done.status, rows["bash"]["state"], rows["zsh"]["state"], rows["bash"]["cure"]) == (0, "not installed", "not installed", None)


def test_a_folder_that_cannot_be_made(home: Home) -> None:
    (home.folder / "file").write_text("")
    done = home.call("self-check", "--json", env={"XDG_DATA_HOME": str(home.folder / "file/below")})
    row = told(done)["data folder"]
    assert (done.status, row["state"]) == (1, "failed")
    assert f"{home.folder}/file cannot be written to" in row["found"]
    assert row["cure"]


def test_an_sqlite_that_is_too_old(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prontodb.engines.driver.sqlite_version", "3.9.2")
    done = home.call("self-check", "--json")
    assert (done.status, told(done)["sqlite"]["found"]) == (1, "3.9.2 is too old")


def test_no_room_for_a_database(home: Home) -> None:
    done = home.call("self-check", "--json", env={"TMPDIR": "/no/such/folder"})
    assert (done.status, told(done)["database"]["state"], told(done)["templates"]["state"]) == (1, "failed", "ok")


@pytest.mark.parametrize("gone", ["templates/init.j2", "shell/run.sh", "shell"])
def test_an_installation_that_lacks_something(home: Home, gone: str) -> None:
    """A copy of the package, in which something is missing."""
    for name in ("prontodb", "templates", "shell"):
        shutil.copytree(ROOT / name, home.folder / "copy" / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = home.folder / "copy" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    argv = [sys.executable, "-m", "prontodb", "self-check", "--json"]
    env = home.env | {"PYTHONPATH": str(home.folder / "copy")}
    done = subprocess.run(argv, env=env, cwd=home.folder, capture_output=True, check=False)
    rows = told(Result(done.returncode, done.stdout, done.stderr))
    assert (done.returncode, done.stderr, rows["templates"]["state"], rows["database"]["state"]) == (1, b"", "failed", "ok")
    assert "install prontodb again" in rows["templates"]["cure"]
