"""The pantheon functions: who may work as which kin, and how a call is pinned; in real bash, bash --posix and zsh."""

from __future__ import annotations

import pytest

from .conftest import Home
from .pantheon import BINARY, NOTES, SESSIONS, SHELLS, Pantheon, made, rendered


@pytest.fixture(params=list(SHELLS))
def pantheon(request: pytest.FixtureRequest, home: Home) -> Pantheon:
    """Each shell, with nothing made yet."""
    return made(home, request.param)


def test_a_kin_has_a_cursor_and_a_context_that_splits_into_options(pantheon: Pantheon) -> None:
    pantheon.init().store(3)
    assert pantheon.run("pantheon_cursor_name keeper").out == b"pantheon_keeper\n"
    assert pantheon.run("get_secure_pronto_context keeper").out == b"--user keeper --cursor pantheon_keeper --meta keeper\n"
    got = pantheon.run(f"prontodb $(get_secure_pronto_context keeper) get {SESSIONS}3")
    assert (got.status, got.out) == (0, b"sessions 3")


@pytest.mark.parametrize("function", ["pantheon_cursor_name", "validate_pantheon_permission", "get_secure_pronto_context"])
def test_names_that_no_kin_can_have_are_a_usage_error(pantheon: Pantheon, function: str) -> None:
    script = f'for kin in "" 1kin a_b a-b "a b" a.b é "a;b" a/../b "$1"; do {function} "$kin" >/dev/null 2>&1; printf "%s " "$?"; done'
    assert pantheon.run(script, "a" * 33).out == b"64 " * 10
    assert pantheon.run(f'{function} "$1" >/dev/null', "a" * 32).status == 0
    assert pantheon.run(f"{function}").status == 64


def test_a_refused_context_is_none_that_a_command_could_run_in(pantheon: Pantheon) -> None:
    pantheon.home.call("set", "a.b.c", "outside")
    got = pantheon.run("prontodb $(get_secure_pronto_context prometheus) get a.b.c", env={"PANTHEON_ACTIVE_KIN": "keeper"})
    assert (got.status, got.out) == (64, b"")
    assert pantheon.run("get_secure_pronto_context prometheus", env={"PANTHEON_ACTIVE_KIN": "keeper"}).status == 6


PERMISSIONS = [
    ({}, 0),
    ({"PANTHEON_ACTIVE_KIN": "keeper"}, 0),
    ({"PANTHEON_ACTIVE_KIN": "prometheus"}, 6),
    ({"PANTHEON_ACTIVE_KIN": "Keeper"}, 6),
    ({"PANTHEON_ACTIVE_KIN": ""}, 64),
    ({"PANTHEON_ACTIVE_KIN": "no kin"}, 64),
    ({"PANTHEON_CURRENT_USER": "keeper"}, 0),
    ({"PANTHEON_CURRENT_USER": "prometheus"}, 6),
    ({"PANTHEON_CURRENT_USER": ""}, 64),
    ({"PANTHEON_ACTIVE_KIN": "keeper", "PANTHEON_CURRENT_USER": "prometheus"}, 6),
    ({"PANTHEON_SECURITY_MODE": "normal"}, 0),
    ({"PANTHEON_SECURITY_MODE": "strict"}, 6),
    ({"PANTHEON_SECURITY_MODE": "strict", "PANTHEON_ACTIVE_KIN": "keeper"}, 0),
    ({"PANTHEON_SECURITY_MODE": "strikt", "PANTHEON_ACTIVE_KIN": "keeper"}, 64),
]


def test_who_may_work_as_a_kin(pantheon: Pantheon) -> None:
    for env, status in PERMISSIONS:
        for case in ("", "shopt -s nocasematch" if pantheon.shell != "zsh" else "setopt no_case_match"):
            got = pantheon.run("validate_pantheon_permission keeper", env=env, before=case)
            assert (got.status, got.out, bool(got.err)) == (status, b"", status != 0), (env, got)
            assert pantheon.run("pantheon HELP", before=case).status == 64


def test_a_lock_counts_exported_or_not(pantheon: Pantheon) -> None:
    assert pantheon.run("PANTHEON_ACTIVE_KIN=prometheus\nvalidate_pantheon_permission keeper").status == 6


def test_a_wrapper_made_for_a_kin_is_locked_to_it(pantheon: Pantheon) -> None:
    pantheon.init("keeper", "prometheus").store(4)
    pantheon.text = rendered(pantheon.shell, kin="keeper")
    assert pantheon("iter", "show", "--session=4").out == b"sessions 4"
    assert pantheon("iter", "--name=prometheus").status == 6
    assert pantheon("iter", env={"PANTHEON_ACTIVE_KIN": "prometheus"}).status == 6
    assert pantheon.run("secure_pronto_call prometheus get a.b.c").status == 6
    assert pantheon.run("validate_pantheon_permission keeper", env={"PANTHEON_SECURITY_MODE": "strict"}).status == 0


def test_two_wrappers_in_one_shell_stay_with_their_kin(pantheon: Pantheon) -> None:
    pantheon.init("keeper", "prometheus")
    pantheon.text = rendered(pantheon.shell, "one", "keeper") + rendered(pantheon.shell, "two", "prometheus")
    assert pantheon.run("printf k | one iter save --session=1 && printf p | two iter save --session=2").status == 0
    assert pantheon.ask("keys", "iterations.sessions").lines == ["iter1"]
    assert pantheon.ask("keys", "iterations.sessions", kin="prometheus").lines == ["iter2"]


# The command, pinned


def test_a_call_is_pinned_and_leaves_no_trace(pantheon: Pantheon) -> None:
    pantheon.init()
    got = pantheon.run('secure_pronto_call keeper where; echo "left: ${PRONTO_FORCE_USER-}${PRONTO_FORCE_META-}${PRONTO_FORCE_CURSOR-}"')
    assert [line.split("\t")[:3] for line in got.lines[:3]] == [
        ["user", "keeper", "pin"],
        ["cursor", "pantheon_keeper", "pin"],
        ["database", f"{pantheon.root}/databases/keeper.db", "pin"],
    ]
    assert got.lines[-1] == "left: "


def test_the_status_of_a_call_is_the_commands(pantheon: Pantheon) -> None:
    pantheon.init()
    calls = [f"secure_pronto_call keeper {words} a.b.c 2>/dev/null; echo $?" for words in ("get", "set", "exists")]
    assert pantheon.run("; ".join(calls)).lines == ["2", "64", "2"]
    assert pantheon.run("secure_pronto_call keeper set a.b.c v").status == 0
    assert pantheon.run("secure_pronto_call keeper set a.b.c v --user prometheus").status == 6


ENVIRONMENT = "function __pantheon_command { printf '%s ' \"$@\"; env | grep -a '^PRONTO_' | sort; }\n"


def test_the_pins_of_a_call(pantheon: Pantheon) -> None:
    kin = ["PRONTO_FORCE_CURSOR=pantheon_keeper", "PRONTO_FORCE_META=keeper", "PRONTO_FORCE_USER=keeper"]
    assert pantheon.run(f"{ENVIRONMENT}secure_pronto_call keeper get 'a b'").lines == ["get a b " + kin[0], *kin[1:]]
    for forced in FORCED:
        env = {f"PRONTO_FORCE_{name}": value for name, value in forced.items()}
        seen = sorted([*(f"{name}={value}" for name, value in env.items()), "PRONTO_REFUSED=secure_pronto_call"])
        assert pantheon.run(f"{ENVIRONMENT}secure_pronto_call keeper", env=env).out.decode().split() == seen


FORCED = [{"USER": "prometheus"}, {"META": "acme"}, {"CURSOR": "other"}, {"PROFILE": "keeper"}, {"DATABASE": "main"}, {"USER": ""}]


def test_another_pin_in_force_is_never_replaced(pantheon: Pantheon) -> None:
    pantheon.init("keeper", "prometheus").store(1)
    for forced in FORCED:
        env = {f"PRONTO_FORCE_{name}": value for name, value in forced.items()}
        assigned = "".join(f"{name}='{value}'\n" for name, value in env.items())
        for before, exported in (("", env), (assigned, {})):
            for call in ("secure_pronto_call keeper get iterations.sessions.iter1", "pantheon iter show --session 1 --name keeper"):
                got = pantheon.run(call, before=before, env=exported)
                assert (got.status, got.out) == (6, b""), (env, call, got)


def test_content_for_another_pin_is_rescued_inside_the_one_in_force(pantheon: Pantheon) -> None:
    pantheon.init("keeper", "prometheus")
    env = {"PRONTO_FORCE_USER": "prometheus", "PRONTO_FORCE_CURSOR": "pantheon_prometheus"}
    calls = {"secure_pronto_call keeper set a.b.c": 4, "pantheon iter save --session=5 --name=keeper": 6}
    for call, status in calls.items():
        got = pantheon.run(call, stdin=NOTES, env=env)
        assert (got.status, "iter fix" in got.err) == (status, False), got
        assert pantheon.ask("get", got.rescued, kin="prometheus").out == NOTES
    assert pantheon.ask("keys", "pipe.cache").out == b""


def test_the_same_pin_works_readonly_and_unexported(pantheon: Pantheon) -> None:
    pantheon.init().store(1)
    pins = {"USER": "keeper", "META": "keeper", "CURSOR": "pantheon_keeper", "DATABASE": f"{pantheon.root}/databases/keeper.db"}
    before = "".join(f"readonly PRONTO_FORCE_{name}='{value}'\n" for name, value in pins.items())
    assert pantheon.run("secure_pronto_call keeper get iterations.sessions.iter1", before=f"set -eu\n{before}").out == b"sessions 1"
    assert pantheon.run("pantheon iter show --session=1 --name=keeper", before=before).out == b"sessions 1"


def test_kin_never_see_each_other(pantheon: Pantheon) -> None:
    pantheon.init("keeper", "prometheus")
    for kin in ("keeper", "prometheus"):
        assert pantheon("iter", "save", f"--name={kin}", "--session=1", stdin=f"secret of {kin}".encode()).status == 0
        assert pantheon("iter", "show", f"--name={kin}").out == f"secret of {kin}".encode()
    stored = {path.name: path.read_bytes() for path in (pantheon.root / "databases").iterdir()}
    assert set(stored) >= {"keeper.db", "prometheus.db"}
    for name, data in stored.items():
        other = "prometheus" if name.startswith("keeper") else "keeper"
        assert f"secret of {other}".encode() not in data
    assert all(path.stat().st_mode & 0o77 == 0 for path in (pantheon.root / "databases").iterdir())


def test_a_save_for_another_kin_is_refused_and_kept_inside_the_lock(pantheon: Pantheon) -> None:
    pantheon.init("keeper", "prometheus")
    for env in ({"PANTHEON_ACTIVE_KIN": "keeper"}, {"PANTHEON_ACTIVE_KIN": "keeper", "PANTHEON_CURRENT_USER": "keeper"}):
        got = pantheon("iter", "save", "--name=prometheus", "--session=5", stdin=BINARY, env=env)
        assert got.status == 6
        assert pantheon.ask("get", got.rescued).out == BINARY
        assert f"Use: pantheon iter fix {got.rescued} --session=5 --name=keeper" in got.err
    assert pantheon.ask("keys", "iterations.sessions", kin="prometheus").out == pantheon.ask("keys", "iterations.sessions").out == b""
    got = pantheon.run("secure_pronto_call prometheus set a.b.c", stdin=BINARY, env=env)
    assert (got.status, pantheon.ask("get", got.rescued).out) == (6, BINARY)


def test_whatever_is_wrong_with_a_save_its_content_is_kept(pantheon: Pantheon) -> None:
    pantheon.init()
    wrong: list[tuple[list[str], dict[str, str], int]] = [
        (["iter", "save", "--name=keeper"], {}, 64),
        (["iter", "save", "--session=5"], {}, 64),
        (["iter", "save", "--session=x", "--name=keeper"], {}, 64),
        (["iter", "save", "--session=5", "--name=no kin"], {}, 64),
        (["iter", "save", "--session=5", "--nmae=keeper"], {}, 64),
        (["iter", "sav", "--session=5", "--name=keeper"], {}, 64),
        (["save", "--session=5", "--name=keeper"], {}, 64),
        (["iter", "save", "5", "--name=keeper"], {}, 64),
        (["iter", "save", "--session=5", "--name=keeper"], {"PANTHEON_CURRENT_USER": ""}, 64),
        (["iter", "save", "--session=5", "--name=keeper"], {"PANTHEON_CURRENT_USER": "bob"}, 6),
        (["iter", "save", "--session=5", "--name=keeper"], {"PANTHEON_SECURITY_MODE": "strict"}, 6),
        (["iter", "save", "--session=5", "--name=keeper"], {"PANTHEON_ACTIVE_KIN": "bob"}, 6),
    ]
    for args, env, status in wrong:
        got = pantheon(*args, stdin=NOTES, env=env)
        assert (got.status, got.out) == (status, b""), got
        assert pantheon.home.call("get", got.rescued).out == NOTES, (args, got)
    assert pantheon.ask("keys", "iterations.sessions").out == b""
