"""Users, databases, cursors and metas: nothing lands in, or leaks from, the wrong one (DESIGN §5)."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from pathlib import Path

import pytest

from prontodb import paths, profiles
from prontodb.errors import Denied
from prontodb.resolve import VARIABLES, Flags, Preset, Saved, resolve

from .conftest import Home

NAMES = ("user", "database", "meta", "project", "namespace")
DEFAULTS = {"user": "default", "database": "main", "meta": "", "project": "default", "namespace": "default"}
SOURCES = ("flag", "environment", "cursor", "pin")
CASES = [
    (name, given)
    for name in NAMES
    for count in range(len(SOURCES) + 1)
    for given in itertools.combinations(SOURCES, count)
    if not ("pin" in given and name in ("project", "namespace")) and not ("cursor" in given and name == "user")
]


@pytest.mark.parametrize("agree", [True, False], ids=["agreeing", "differing"])
@pytest.mark.parametrize(("name", "given"), CASES, ids=lambda value: value if isinstance(value, str) else "+".join(value) or "nothing")
def test_precedence(name: str, given: tuple[str, ...], agree: bool) -> None:
    """Pin over flag over environment over cursor over default; whatever differs from a pin is refused."""
    values = {source: "same" if agree else f"v{source}" for source in SOURCES}
    flags, environ, preset = Flags(), {}, Preset("cursordb")
    if "flag" in given:
        setattr(flags, name, values["flag"])
    if "environment" in given:
        environ[VARIABLES[name]] = values["environment"]
    if "cursor" in given:
        setattr(preset, name, values["cursor"])
    if "pin" in given:
        environ[f"PRONTO_FORCE_{name.upper()}"] = values["pin"]
    saved = Saved(lambda _: "c" if "cursor" in given else "", lambda *_: preset, lambda _: Preset())
    if "pin" in given and not agree and {"flag", "environment"} & set(given):
        with pytest.raises(Denied, match=f"{values['pin']}"):
            resolve(flags, environ, saved)
        return
    context = resolve(flags, environ, saved)
    choice = getattr(context, name, None) or getattr(context.scope, name)
    first = next((source for source in ("pin", "flag", "environment", "cursor") if source in given), None)
    expected = values[first] if first else DEFAULTS[name]
    assert (choice.value, choice.source) == (expected, first or "default")


def test_two_users_have_two_files(home: Home) -> None:
    for user in ("alice", "bob"):
        home.call("set", "a.b.c", user, "--user", user)
    assert home.call("get", "a.b.c", "--user", "alice").out == b"alice"
    assert home.call("--user", "bob", "get", "a.b.c").out == b"bob"
    assert home.call("get", "a.b.c").status == 2
    assert home.call("get", "a.b.c", env={"PRONTO_USER": "bob"}).out == b"bob"
    assert sorted(path.name for path in home.database.parent.iterdir()) == ["main_alice.db", "main_bob.db"]
    home.call("set", "a.b.c", "v", "--user", "keeper", "--database", "pantheon")
    assert (home.database.parent / "pantheon_keeper.db").exists()


def test_a_file_belongs_to_its_owner(home: Home) -> None:
    home.call("set", "a.b.c", "secret", "--user", "alice")
    path = str(home.database.parent / "main_alice.db")
    before = Path(path).read_bytes()
    for argv in (
        ("get", "a.b.c"),
        ("keys", "a.b"),
        ("set", "a.b.c", "x"),
        ("del", "a.b.c"),
        ("projects",),
        ("admin", "share"),
        ("admin", "purge"),
    ):
        done = home.call(*argv, "--user", "bob", "--database", path)
        assert (done.status, b"secret" in done.out, "belongs to user 'alice'" in done.err) == (6, False, True), argv
    piped = home.call("set", "a.b.c", "--user", "bob", "--database", path, stdin=b"content")
    assert (piped.status, home.call("get", piped.rescued, "--user", "bob").out) == (4, b"content")
    assert home.call("get", piped.rescued, "--user", "alice").status == 2
    assert Path(path).read_bytes() == before


def test_sharing_is_a_choice(home: Home) -> None:
    path = str(home.folder / "team.db")
    assert home.call("cursor", "set", "team", "./team.db", "--meta", "acme", "--user", "alice", "--shared").status == 0
    home.call("set", "a.b.c", "alice", "--user", "alice", "--cursor", "team")
    assert home.call("get", "a.b.c", "--user", "bob", "--database", path, "--meta", "acme").out == b"alice"
    assert home.call("get", "a.b.c", "--user", "bob", "--database", path).status == 2
    assert home.call("admin", "unshare", "--user", "bob", "--database", path).status == 6
    assert home.call("admin", "unshare", "--user", "alice", "--database", path).status == 0
    assert home.call("get", "a.b.c", "--user", "bob", "--database", path, "--meta", "acme").status == 6


METAS = ("acme", "acme-inc", "acme_inc", "")


def test_metas_see_nothing_of_each_other(home: Home) -> None:
    def at(meta: str, *argv: str, **options: object) -> object:
        return home.call(*argv, *(["--meta", meta] if meta else []), now=1000, **options)

    for number, meta in enumerate(METAS):
        own = f"only{number}"
        at(meta, "set", "a.b.same", own)
        at(meta, "set", f"{own}.n.k", own, "--ttl", "50")
        at(meta, "create-cache", f"{own}.cache", "9")
        at(meta, "set", "bad..one", stdin=own.encode())
    for number, meta in enumerate(METAS):
        own, others = f"only{number}", [f"only{other}" for other in range(len(METAS)) if other != number]
        assert at(meta, "get", "a.b.same").out == own.encode()
        for kind in ((), ("-0",), ("--json",), ("--ndjson",), ("--stream",), ("--env",), ("--sh",)):
            assert own.encode() in at(meta, "scan", "a.b", *kind).out
        listings = [
            ("projects",),
            ("nss",),
            ("scan", "a.b"),
            ("rescue", "list"),
            ("admin", "caches"),
            ("keys", "pipe.cache"),
            ("scan", "pipe.cache"),
        ]
        shown = b"".join(at(meta, *argv).out for argv in listings).decode()
        assert own in shown
        assert not [other for other in others if other in shown]
        for other in others:
            for argv in (("get", f"{other}.n.k"), ("exists", f"{other}.n.k"), ("ttl", f"{other}.n.k"), ("del", f"{other}.n.k")):
                assert at(meta, *argv).status == 2, argv
            for argv in (
                ("copy", f"{other}.n.k", "x.y.z"),
                ("move", f"{other}.n.k", "x.y.z"),
                ("expire", f"{other}.n.k", "1"),
                ("persist", f"{other}.n.k"),
            ):
                assert at(meta, *argv).status == 2, argv
            assert at(meta, "namespaces", other).out == b""
            assert at(meta, "drop-cache", f"{other}.cache").status == 2


def test_tricks_with_delimiters_and_names_reach_no_other_meta(home: Home) -> None:
    home.call("set", "app.n.k", "secret", "--meta", "org1")
    for argv in (
        ("--ns-delim", "|", "get", "org1.app|n|k"),
        ("get", "org1.app.n"),
        ("get", "org1-app.n.k"),
        ("get", "org1__app.n.k"),
        ("keys", "org1.app.n"),
    ):
        done = home.call(*argv)
        assert (done.status in (0, 2, 64), b"secret" in done.out, done.out) == (True, False, b""), argv


@pytest.mark.parametrize("name", ["alice.b", "a_b", "1a", "", "a" * 33, "é", "a b", "../x", "a/b", "admin", "ROOT", "main", "a-b", "a\n"])
def test_users_that_are_refused(home: Home, name: str) -> None:
    done = home.call("get", "a.b.c", f"--user={name}")
    assert (done.status, "Invalid user" in done.err) == (64, True)


@pytest.mark.parametrize("name", ["", "a.b", "-a", "_a", "a b", "a/b", "é" * 200, "a;b"])
def test_metas_that_are_refused(home: Home, name: str) -> None:
    assert home.call("get", "a.b.c", f"--meta={name}").status == 64


# Cursors


def test_a_cursor_is_used_by_name_or_when_active(home: Home) -> None:
    home.call("cursor", "set", "work", "team", "--meta", "acme", "-p", "p", "-n", "n")
    assert home.call("set", "k", "v", "--cursor", "work").status == 0
    assert home.call("get", "p.n.k", "--database", "team", "--meta", "acme").out == b"v"
    assert home.call("get", "k").status == 2
    for use in (("cursor", "use", "work"), ("cursor", "work")):
        assert home.call(*use).status == 0
        assert home.call("cursor", "active").out == b"work\n"
        assert home.call("get", "k").out == b"v"
        assert home.call("set", "piped", stdin=b"x").status == 0
        assert home.call("keys").out == b"k\npiped\n"
        assert home.call("cursor", "clear").status == 0
        assert home.call("cursor", "active").status == 2
    assert home.call("get", "k", env={"PRONTO_CURSOR": "work"}).out == b"v"
    assert home.call("get", "k", "--cursor", "work", "--meta", "other").status == 2


def test_cursors_are_listed_and_deleted(home: Home) -> None:
    home.call("cursor", "set", "a", "one")
    home.call("cursor", "set", "b", "./two.db", "--meta", "m")
    home.call("cursor", "b")
    rows = json.loads(home.call("cursor", "list", "--json").out)
    assert [(row["active"], row["name"], row["meta"]) for row in rows] == [(None, "a", None), ("*", "b", "m")]
    assert home.call("cursor", "delete", "b").status == 0
    assert home.call("cursor", "active").status == 2
    assert home.call("cursor", "delete", "b").status == 64
    assert {path.stat().st_mode & 0o777 for path in (home.database.parent / "cursors/default").iterdir()} == {0o600}


def test_fault_12_a_cursor_on_a_command_does_not_stick(home: Home) -> None:
    home.call("cursor", "set", "x", "other")
    home.call("set", "a.b.c", "main")
    assert home.call("get", "a.b.c", "--cursor", "x").status == 2
    assert home.call("get", "a.b.c").out == b"main"
    assert home.call("cursor", "active").status == 2


def test_fault_13_an_unknown_cursor_is_an_error(home: Home) -> None:
    home.call("set", "a.b.c", "main")
    home.call("cursor", "set", "work", "other")
    for argv in (
        ("get", "a.b.c", "--cursor", "wrk"),
        ("cursor", "use", "wrk"),
        ("cursor", "wrk"),
        ("cursor", "delete", "wrk"),
        ("get", "x", "--cursor="),
    ):
        done = home.call(*argv)
        assert (done.status, done.out, "Unknown cursor" in done.err) == (64, b"", True), argv
    assert "did you mean work?" in home.call("get", "a.b.c", "--cursor", "wrk").err
    piped = home.call("set", "a.b.c", "--cursor", "wrk", stdin=b"content")
    assert (piped.status, home.call("get", piped.rescued).out) == (4, b"content")


def test_fault_14_a_cursor_does_not_follow_the_working_directory(home: Home) -> None:
    home.call("cursor", "set", "rel", "./rel.db")
    home.call("set", "a.b.c", "v", "--cursor", "rel")
    (home.folder / "elsewhere").mkdir()
    assert home.run("get", "a.b.c", "--cursor", "rel").out == b"v"
    assert home.shell("cd elsewhere && prontodb get a.b.c --cursor rel").out == b"v"


def test_fault_15_a_cursor_that_is_set_again_points_to_the_new_target(home: Home) -> None:
    for target in ("one", "two"):
        home.call("cursor", "set", "c", target)
        home.call("set", "a.b.c", target, "--cursor", "c")
    assert home.call("get", "a.b.c", "--cursor", "c").out == b"two"
    assert home.call("get", "a.b.c", "--database", "one").out == b"one"


@pytest.mark.parametrize(
    "name", ["../x", "w.alice", "a/b", "", ".", "..", "set", "use", "list", "active", "clear", "delete", "help", "a b", "-x"]
)
def test_fault_16_names_that_lead_elsewhere_are_refused(home: Home, name: str) -> None:
    assert home.call("cursor", "set", "--", name, "main").status == 64
    assert home.call("get", "a.b.c", f"--database={name}").status == 64 or name in (
        "set",
        "use",
        "list",
        "active",
        "clear",
        "delete",
        "help",
    )


def test_fault_16_a_file_in_the_working_directory_changes_nothing(home: Home) -> None:
    (home.folder / "prontodb.conf").write_text("database = other\n")
    home.run("set", "a.b.c", "v")
    assert home.database.exists()


def test_fault_17_users_are_apart(home: Home) -> None:
    home.run("set", "a.b.c", "alices", "--user", "alice")
    assert home.run("get", "a.b.c", "--user", "bob").status == 2


def test_fault_18_meta_holds_in_every_verb(home: Home) -> None:
    home.call("set", "a.b.c", "theirs", "--meta", "org1")
    assert home.call("del", "a.b.c", "--meta", "org2").status == 2
    assert home.call("del", "a.b.c").status == 2
    assert home.call("keys", "a.b", "--meta", "org2").out == b""
    assert home.call("get", "a.b.c", "--meta", "org1").out == b"theirs"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_fault_20_files_are_private_whatever_the_umask(home: Home, umask: int) -> None:
    script = f"umask {umask:03o}; prontodb set a.b.c v; prontodb cursor set c main; prontodb cursor c; echo x | prontodb set a.b.c --database ./no/x.db"
    assert home.shell(script).status == 4
    for path in (home.folder / ".local").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user for a moment")
def test_another_operating_system_user_reads_nothing(home: Home) -> None:
    home.run("set", "a.b.c", "secret", "--database", f"{home.folder}/x.db")
    home.folder.chmod(0o755)
    for path in home.folder.parents:
        if path.owner() == "root" and path != Path("/") and path.stat().st_mode & 0o001 == 0:
            path.chmod(path.stat().st_mode | 0o011)
    done = subprocess.run(["cat", home.folder / "x.db"], user=65534, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"Permission denied" in done.stderr


def test_a_damaged_cursor_is_an_error(home: Home) -> None:
    home.call("cursor", "set", "c", "main")
    path = home.database.parent / "cursors/default/c.json"
    for text in ("{", "", "nonsense", "[1]", "\udcff"):
        path.write_text(text, errors="surrogateescape")
        done = home.call("get", "a.b.c", "--cursor", "c")
        assert (done.status, "Internal" in done.err) in ((1, False), (2, False)), done


# Profiles and strict mode


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root's file of profiles, somewhere else."""
    path = tmp_path / "system-profiles.toml"
    monkeypatch.setattr(paths, "SYSTEM_PROFILES", str(path))
    return path


def test_profiles_are_added_shown_and_removed(home: Home, system: Path) -> None:
    own = home.folder / ".config/prontodb/profiles.toml"
    assert (
        home.call("profile", "add", "keeper", "--user", "keeper", "--meta", "k", "--database", "pantheon", "--os-user", "nobody").status
        == 0
    )
    own.write_text("# mine\n" + own.read_text())
    assert home.call("profile", "add", "open", "-p", "p").status == 0
    assert home.call("profile", "add", "open").status == 64
    rows = {row["name"]: row for row in json.loads(home.call("profile", "list", "--json").out)}
    assert (rows["keeper"]["allowed"], rows["open"]["allowed"], rows["keeper"]["meta"]) == ("no", "yes", "k")
    assert home.call("profile", "check", "open").status == 0
    assert home.call("profile", "check", "keeper").status == 6
    assert "os_users\tnobody" in home.call("profile", "show", "keeper").lines
    assert home.call("profile", "show", "kepper").err.endswith("did you mean keeper?\n")
    assert home.call("profile", "remove", "keeper").status == 0
    assert own.read_text().startswith("# mine\n")
    assert [row["name"] for row in json.loads(home.call("profile", "list", "--json").out)] == ["open"]


def test_roots_profiles_win(home: Home, system: Path) -> None:
    home.call("profile", "add", "p", "--meta", "own")
    system.write_text('[profiles.p]\nmeta = "roots"\n')
    assert "meta\troots" in home.call("profile", "show", "p").lines
    assert home.call("profile", "remove", "p").status == 64


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "x = 1",
        "[profiles.p]\nx = 1",
        "[profiles.p]\nmeta = 1",
        "[profiles.p]\ncursor='a'\ndatabase='b'",
        "profiles = 1",
        "[profiles.p]\nuser = 'a.b'",
    ],
)
def test_a_malformed_file_of_profiles_is_an_error(home: Home, system: Path, text: str) -> None:
    system.write_text(text)
    done = home.call("profile", "list")
    assert (done.status, "Internal" in done.err) == (64, False)


def test_strict_mode_allows_what_a_profile_allows(home: Home, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system.write_text('security = "strict"\n[profiles.k]\nuser = "keeper"\nmeta = "k"\ndatabase = "pantheon"\nos_users = ["kin"]\n')
    monkeypatch.setattr(profiles, "identity", lambda: ("kin", []))
    allowed = ("--user", "keeper", "--meta", "k", "--database", "pantheon")
    assert home.call("set", "a.b.c", "v", *allowed).status == 0
    for wrong in (
        (),
        allowed[:4],
        ("--user", "keeper", "--meta", "x", "--database", "pantheon"),
        ("--meta", "k", "--database", "pantheon"),
    ):
        done = home.call("get", "a.b.c", *wrong)
        assert (done.status, "Strict mode" in done.err) == (6, True), wrong
    home.folder.joinpath(".config/prontodb").mkdir(parents=True)
    home.folder.joinpath(".config/prontodb/profiles.toml").write_text('[profiles.mine]\nmeta = "x"\n')
    assert home.call("get", "a.b.c", "--meta", "x").status == 6
    for variable in ("PRONTO_SECURITY", "PANTHEON_SECURITY_MODE"):
        assert home.call("get", "a.b.c", "--meta", "x", env={variable: "normal"}).status == 6
    monkeypatch.setattr(profiles, "identity", lambda: ("other", []))
    assert home.call("get", "a.b.c", *allowed).status == 6


@pytest.mark.parametrize("variable", ["PRONTO_SECURITY", "PANTHEON_SECURITY_MODE"])
def test_strict_mode_by_choice(home: Home, system: Path, variable: str) -> None:
    home.call("profile", "add", "mine", "--meta", "x")
    env = {variable: "strict"}
    assert home.call("set", "a.b.c", "v", "--meta", "x", env=env).status == 0
    assert home.call("set", "a.b.c", "v", "--meta", "y", env=env).status == 6
    assert home.call("set", "a.b.c", "v", "--meta", "x", env={variable: "strickt"}).status == 64
    piped = home.call("set", "a.b.c", "--meta", "y", env=env, stdin=b"content")
    assert (piped.status, home.call("get", piped.rescued).status) == (4, 2)
    assert home.call("get", piped.rescued, "--meta", "y").out == b"content"


def test_where_explains_each_choice(home: Home) -> None:
    home.call("cursor", "set", "work", "team", "--meta", "acme", "-p", "p")
    home.call("cursor", "work")
    rows = {
        row["name"]: (row["value"], row["source"])
        for row in json.loads(home.call("where", "--json", "-n", "n", env={"PRONTO_USER": ""}).out)
    }
    assert rows["user"] == ("default", "default")
    assert rows["cursor"] == ("work", "active")
    assert rows["meta"] == ("acme", "cursor")
    assert rows["database"] == (str(home.database.parent / "team.db"), "cursor")
    assert (rows["project"], rows["namespace"]) == (("p", "cursor"), ("n", "flag"))
