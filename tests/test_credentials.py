"""Passwords, sessions, and what they open (DESIGN §5)."""

from __future__ import annotations

import json

import pexpect
import pytest

from .conftest import COMMAND, Home

NOW = 1_800_000_000


@pytest.fixture
def alice(home: Home) -> Home:
    """A home in which user alice has data and a password."""
    (home.folder / "pw").write_text("correct horse\n")
    (home.folder / "wrong").write_text("battery staple\n")
    home.call("set", "a.b.c", "hers", "--user", "alice", now=NOW)
    assert home.call("user", "add", "alice", "--new-password-file", "pw", now=NOW).status == 0
    return home


def test_without_a_session_nothing_opens(alice: Home) -> None:
    for argv in (
        ("get", "a.b.c"),
        ("set", "a.b.c", "x"),
        ("keys", "a.b"),
        ("rescue", "list"),
        ("del", "a.b.c"),
        ("projects",),
        ("admin", "share"),
    ):
        done = alice.call(*argv, "--user", "alice", now=NOW)
        assert (done.status, done.out, "prontodb login --user alice" in done.err) == (6, b"", True), argv
    assert alice.call("get", "a.b.c", now=NOW).status == 2


def test_a_session_opens_and_ends(alice: Home) -> None:
    assert alice.call("login", "--user", "alice", "--password-file", "wrong", now=NOW).status == 6
    assert alice.call("login", "--user", "alice", "--password-file", "pw", "--ttl", "1h", now=NOW).status == 0
    assert alice.call("get", "a.b.c", "--user", "alice", now=NOW + 3599).out == b"hers"
    assert alice.call("get", "a.b.c", "--user", "alice", now=NOW + 3600).status == 6
    assert json.loads(alice.call("user", "list", "--json", now=NOW).out) == [{"name": "alice", "session": "yes"}]
    assert alice.call("logout", "--user", "alice", now=NOW).status == 0
    assert alice.call("get", "a.b.c", "--user", "alice", now=NOW).status == 6


def test_a_password_file_opens_one_call(alice: Home) -> None:
    assert alice.call("get", "a.b.c", "--user", "alice", "--password-file", "pw", now=NOW).out == b"hers"
    assert alice.call("--password-file", "wrong", "get", "a.b.c", "--user", "alice", now=NOW).status == 6
    assert alice.call("get", "a.b.c", "--user", "alice", "--password-file", "missing", now=NOW).status == 64


def test_another_password_ends_all_sessions(alice: Home) -> None:
    alice.call("login", "--user", "alice", "--password-file", "pw", now=NOW)
    assert alice.call("user", "passwd", "alice", "--new-password-file", "wrong", now=NOW).status == 0
    assert alice.call("get", "a.b.c", "--user", "alice", now=NOW).status == 6
    assert alice.call("user", "passwd", "alice", "--new-password-file", "pw", now=NOW).status == 6
    assert alice.call("user", "passwd", "alice", "--new-password-file", "pw", "--password-file", "wrong", now=NOW).status == 0
    assert alice.call("user", "remove", "alice", now=NOW).status == 6
    assert alice.call("user", "remove", "alice", "--password-file", "pw", now=NOW).status == 0
    assert alice.call("get", "a.b.c", "--user", "alice", now=NOW).out == b"hers"


def test_what_is_piped_to_a_closed_user_is_kept_for_that_user(alice: Home) -> None:
    done = alice.call("set", "a.b.d", "--user", "alice", stdin=b"content", now=NOW)
    assert done.status == 4
    for argv in (("get", done.rescued), ("rescue", "show", done.rescued), ("get", done.rescued, "--user", "bob")):
        assert alice.call(*argv, now=NOW).status == 2
    assert alice.call("get", done.rescued, "--user", "alice", "--password-file", "pw", now=NOW).out == b"content"
    assert alice.call("copy", done.rescued, "a.b.d", "--user", "alice", "--password-file", "pw", now=NOW).status == 0
    assert alice.call("get", "a.b.d", "--user", "alice", "--password-file", "pw", now=NOW).out == b"content"


def test_files_are_private_and_hold_no_password(alice: Home) -> None:
    alice.call("login", "--user", "alice", "--password-file", "pw", now=NOW)
    files = [path for path in (alice.folder / ".local").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not any(b"correct horse" in path.read_bytes() for path in files)
    token = (alice.folder / ".local/state/prontodb/run/alice.token").read_bytes()
    assert not any(token in path.read_bytes() for path in files if path.name != "alice.token")


@pytest.mark.parametrize(
    "argv", [("user", "add", "alice"), ("user", "add", "a.b"), ("user", "passwd", "nobody"), ("user", "remove", "nobody")]
)
def test_refusals(alice: Home, argv: tuple[str, ...]) -> None:
    assert alice.call(*argv, *(["--new-password-file", "pw"] if argv[1] != "remove" else []), now=NOW).status == 64
    assert alice.call("user", "add", "eve", now=NOW).status == 64
    assert alice.call("login", "--user", "eve", "--password-file", "pw", now=NOW).status == 64
    (alice.folder / "empty").write_text("\n")
    assert alice.call("user", "add", "eve", "--new-password-file", "empty", now=NOW).status == 64


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"salt": 1}'])
def test_damaged_credentials_open_nothing(alice: Home, text: str) -> None:
    (alice.database.parent / "users/alice.json").write_text(text)
    done = alice.call("get", "a.b.c", "--user", "alice", "--password-file", "pw", now=NOW)
    assert (done.status, "damaged" in done.err) == (6, True)


def test_at_a_terminal_the_password_is_asked_for_and_not_shown(home: Home) -> None:
    def run(*argv: str, answers: tuple[str, ...]) -> tuple[int, str]:
        child = pexpect.spawn(COMMAND, list(argv), env=home.env, cwd=str(home.folder), timeout=20, encoding="utf-8")
        shown = ""
        for answer in answers:
            child.expect(": ")
            shown += child.before or ""
            child.sendline(answer)
        child.expect(pexpect.EOF)
        shown += child.before or ""
        child.close()
        return int(child.exitstatus or 0), shown

    status, shown = run("user", "add", "alice", answers=("sesame", "sesame"))
    assert (status, "sesame" in shown) == (0, False)
    assert run("user", "add", "bob", answers=("one", "two"))[0] == 64
    assert run("login", "--user", "alice", answers=("wrong",))[0] == 6
    assert run("login", "--user", "alice", answers=("sesame",))[0] == 0
    assert home.run("set", "a.b.c", "v", "--user", "alice").status == 0
