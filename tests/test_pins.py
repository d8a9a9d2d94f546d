"""A pinned process stays in its pin: a table of attempts to leave it, each denied (6) or a usage error (64), and nothing leaks."""

from __future__ import annotations

import hashlib
import itertools
import json

import pytest

from .conftest import Home

PIN = {"PRONTO_FORCE_USER": "keeper", "PRONTO_FORCE_META": "acme", "PRONTO_FORCE_DATABASE": "pantheon"}
OTHERS = {
    "user": ("bob", "default", "keepe"),
    "meta": ("globex", "acme-inc", "acm"),
    "database": ("main", "other", "pantheo"),
    "cursor": ("out", "bobs"),
}
SECRET = b"SECRET"

VERBS: list[tuple[str, ...]] = [
    ("get", "a.b.c"),
    ("set", "a.b.c", "overwritten"),
    ("set", "a.b.c"),
    ("del", "a.b.c"),
    ("keys", "a.b"),
    ("scan", "a.b", "--json"),
    ("copy", "a.b.c", "x.y.z"),
    ("move", "a.b.c", "x.y.z"),
    ("exists", "a.b.c"),
    ("rescue", "list"),
    ("projects",),
    ("nss",),
    ("create-cache", "a.b", "1"),
    ("expire", "a.b.c", "1"),
    ("where",),
    ("admin", "share"),
]
Attempt = tuple[tuple[str, ...], dict[str, str]]


def flag_attempts() -> list[Attempt]:
    """Each verb with each flag in each form, before the verb and after it."""
    found: list[Attempt] = []
    for (name, values), argv in itertools.product(OTHERS.items(), VERBS):
        value = values[0]
        forms = [(f"--{name}", value), (f"--{name}={value}",)]
        found += [((*argv, *form), {}) for form in forms]
        found.append(((*forms[0], *argv), {}))
    for name, values in OTHERS.items():
        found += [(("get", "a.b.c", f"--{name}", value), {}) for value in values[1:]]
    return found


def environment_attempts() -> list[Attempt]:
    """Each verb under an environment that says otherwise; and pins that are set, but to nothing sensible."""
    found: list[Attempt] = []
    for name, variable in (("user", "PRONTO_USER"), ("meta", "PRONTO_META"), ("database", "PRONTO_DB"), ("cursor", "PRONTO_CURSOR")):
        found += [(argv, {variable: OTHERS[name][0]}) for argv in VERBS]
    for pin in ("USER", "META", "DATABASE", "CURSOR", "PROFILE"):
        bad = ["", " ", "a b", "../x", "-x", "a/b;", "a\n"]
        found += [(("get", "a.b.c"), {f"PRONTO_FORCE_{pin}": value}) for value in bad]
    found += [(("get", "a.b.c"), {"PRONTO_FORCE_CURSOR": "out"}), (("get", "a.b.c"), {"PRONTO_FORCE_PROFILE": "bobs"})]
    return found


def path_attempts(home: Home) -> list[Attempt]:
    """Databases by paths, links and URLs: also to the pinned file itself, under another spelling."""
    folder = home.database.parent
    targets = [f"{folder}/main_bob.db", f"{folder}/pantheon_keeper.db", "./link.db", "./main.db", "../main.db", "./../x.db", "/etc/passwd"]
    targets += [
        f"sqlite://{folder}/main_bob.db",
        "postgresql://h/db",
        "sqlite:///tmp/x.db",
        "pantheon_keeper",
        "pantheon.db",
        "",
        "/dev/null",
    ]
    return [((*argv, "--database", target), {}) for target in targets for argv in VERBS[:4]]


def state_attempts() -> list[Attempt]:
    """Saved state changed while pinned."""
    changes = [
        ("cursor", "set", "c", "main"),
        ("cursor", "set", "c", "./x.db", "--meta", "acme"),
        ("cursor", "use", "mine"),
        ("cursor", "mine"),
    ]
    changes += [("cursor", "clear"), ("cursor", "delete", "mine"), ("cursor", "set", "mine", "pantheon", "--shared")]
    changes += [("profile", "add", "p", "--meta", "globex"), ("profile", "add", "p"), ("profile", "remove", "bobs")]
    changes += [("user", "add", "eve"), ("user", "remove", "bob"), ("user", "passwd", "keeper")]
    return [(argv, {}) for argv in changes]


def address_attempts() -> list[Attempt]:
    """Addresses and delimiters that try to name another tenant. No meta can be spelled, so these miss, or are no addresses."""
    names = [
        "globex.a.b.c",
        "globex|a.b.c",
        "globex:a.b.c",
        "../globex.b.c",
        "a.b.c;meta=globex",
        "globex/a.b.c",
        "*.b.c",
        "%.b.c",
        "\udcff.b.c",
    ]
    found: list[Attempt] = [((verb, name), {}) for verb in ("get", "keys", "del") for name in names]
    found += [
        (("get", "globex.a|b|c", "--ns-delim", "|"), {}),
        (("get", "a.b.c", "--ns-delim", "\0"[:0]), {}),
        (("keys", "globex.a.b.c.d"), {}),
    ]
    return found


def prepared(home: Home) -> Home:
    """Data of others, and of the pinned one."""
    for argv in (("--user", "bob"), ("--meta", "globex", "--user", "keeper", "--database", "pantheon"), ("--user", "keeper"), ()):
        home.call("set", "a.b.c", SECRET.decode(), *argv)
        home.call("set", "bad..one", *argv, stdin=SECRET)
    home.call("set", "a.b.own", "own", "--user", "keeper", "--meta", "acme", "--database", "pantheon")
    home.call("cursor", "set", "out", "other", "--meta", "globex", "--user", "keeper")
    home.call("cursor", "set", "mine", "pantheon", "--meta", "acme", "--user", "keeper")
    home.call("profile", "add", "bobs", "--user", "bob")
    (home.folder / "link.db").symlink_to(home.database.parent / "main_bob.db")
    return home


def outside(home: Home) -> dict[str, str]:
    """Everything on disk but the pinned file and the spool."""
    found = {}
    for path in sorted(home.folder.rglob("*")):
        if path.is_file() and "pantheon_keeper.db" not in path.name and home.spool not in path.parents:
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def others_inside(home: Home) -> bytes:
    """What another tenant has in the pinned file."""
    return home.call("scan", "a.b", "--user", "keeper", "--meta", "globex", "--database", "pantheon").out


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One home for the whole table: every attempt must leave it as it was."""
    return prepared(Home(tmp_path_factory.mktemp("pinned")))


ATTEMPTS = [*flag_attempts(), *environment_attempts(), *state_attempts()]


def test_the_table_is_long_enough() -> None:
    assert len({json.dumps(attempt) for attempt in ATTEMPTS}) + 56 + 30 >= 300


def attempt(home: Home, argv: tuple[str, ...], env: dict[str, str]) -> None:
    """Tries, with content piped in, and holds the outcome to the promise."""
    before, inside = outside(home), others_inside(home)
    done = home.call(*argv, env=PIN | env, stdin=b"piped")
    assert done.status in (6, 64) or (done.status == 4 and argv[0] in ("set", "--user", "--meta", "--database", "--cursor")), done
    assert SECRET not in done.out
    assert SECRET.decode() not in done.err
    assert (outside(home), others_inside(home)) == (before, inside)
    if done.status == 4 and env.keys() <= {"PRONTO_USER", "PRONTO_META", "PRONTO_DB", "PRONTO_CURSOR"}:
        assert home.call("get", done.rescued, env=PIN).out == b"piped"


@pytest.mark.parametrize(("argv", "env"), ATTEMPTS, ids=lambda value: (" ".join(value) if isinstance(value, tuple) else str(value))[:50])
def test_no_attempt_leaves_the_pin(stage: Home, argv: tuple[str, ...], env: dict[str, str]) -> None:
    attempt(stage, argv, env)


def test_no_path_leaves_the_pin(stage: Home) -> None:
    attempts = path_attempts(stage)
    assert len(attempts) >= 56
    for argv, env in attempts:
        attempt(stage, argv, env)


def test_no_address_leaves_the_pin(stage: Home) -> None:
    before, inside = outside(stage), others_inside(stage)
    attempts = address_attempts()
    assert len(attempts) >= 30
    for argv, env in attempts:
        done = stage.call(*argv, env=PIN | env)
        assert (done.status in (2, 64) or done.out == b"", SECRET in done.out) == (True, False), argv
    assert (outside(stage), others_inside(stage)) == (before, inside)


def test_within_the_pin_everything_works(home: Home) -> None:
    prepared(home)
    assert home.call("get", "a.b.own", env=PIN).out == b"own"
    assert home.call("get", "a.b.own", "--user", "keeper", "--meta=acme", "--database", "pantheon", env=PIN).out == b"own"
    assert home.call("get", "a.b.own", env=PIN | {"PRONTO_USER": "keeper", "PRONTO_META": "acme"}).out == b"own"
    assert (
        home.call(
            "get", "own", "--cursor", "mine", "-p", "a", "-n", "b", env={"PRONTO_FORCE_USER": "keeper", "PRONTO_FORCE_META": "acme"}
        ).out
        == b"own"
    )
    assert home.call("projects", env=PIN).lines == ["a"]
    assert home.call("cursor", "list", env=PIN).status == 0
    piped = home.call("set", "bad..one", env=PIN, stdin=b"content")
    assert (piped.status, home.call("get", piped.rescued, env=PIN).out) == (4, b"content")
    assert home.call("copy", piped.rescued, "a.b.saved", env=PIN).status == 0


def test_an_active_cursor_does_not_lead_out_of_a_pin(home: Home) -> None:
    prepared(home)
    home.call("cursor", "out", "--user", "keeper")
    assert home.call("get", "a.b.own", env=PIN).out == b"own"


def test_a_pinned_cursor_pins_what_it_says(home: Home) -> None:
    prepared(home)
    pin = {"PRONTO_FORCE_USER": "keeper", "PRONTO_FORCE_CURSOR": "mine"}
    assert home.call("get", "a.b.own", env=pin).out == b"own"
    for argv in (("--meta", "globex"), ("--database", "main"), ("--cursor", "out"), ("--user", "bob")):
        assert home.call("get", "a.b.c", *argv, env=pin).status == 6, argv
    home.call("cursor", "set", "bare", "pantheon", "--user", "keeper")
    assert home.call("get", "a.b.c", "--meta", "globex", env=pin | {"PRONTO_FORCE_CURSOR": "bare"}).status == 6


def test_a_pinned_profile_pins_what_it_says(home: Home) -> None:
    prepared(home)
    home.call("profile", "add", "kin", "--user", "keeper", "--meta", "acme", "--database", "pantheon", "-p", "a", "-n", "b")
    pin = {"PRONTO_FORCE_PROFILE": "kin"}
    assert home.call("get", "own", env=pin).out == b"own"
    assert home.call("set", "piped", stdin=b"x", env=pin).status == 0
    assert home.call("get", "a.b.piped", env=PIN).out == b"x"
    for argv in (("--meta", "globex"), ("--database", "main"), ("--cursor", "out"), ("--user", "bob")):
        assert home.call("get", "a.b.c", *argv, env=pin).status == 6, argv
    assert home.call("get", "a.b.c", env=pin | {"PRONTO_FORCE_META": "globex"}).status == 6
    assert home.call("get", "own", env={"PRONTO_FORCE_PROFILE": "kim"}).err.endswith("did you mean kin?\n")


def test_a_message_names_both_sides(home: Home) -> None:
    done = home.call("get", "a.b.c", "--meta", "globex", env=PIN)
    assert ("'globex'" in done.err, "'acme'" in done.err, done.status) == (True, True, 6)


def test_an_unexported_pin_is_no_pin_and_an_exported_one_reaches_children(home: Home) -> None:
    prepared(home)
    assignments = " ".join(f"{name}={value}" for name, value in PIN.items())
    assert home.shell(f"export {assignments}; echo a.b.own | xargs prontodb get").out == b"own"
    assert home.shell(f"{assignments} bash -c 'prontodb get a.b.c --user bob'").status == 6


def test_a_pin_may_say_that_there_is_no_meta(home: Home) -> None:
    """`PRONTO_FORCE_META=-`: whatever names one is denied, and what is stored is what a call without any meta finds."""
    pinned = {"PRONTO_FORCE_META": "-"}
    assert home.call("set", "a.b.c", "v", env=pinned).status == 0
    assert home.call("get", "a.b.c").out == b"v"
    denied = home.call("get", "a.b.c", "--meta", "acme", env=pinned)
    assert (denied.status, denied.err.split("\n")[0]) == (6, "prontodb: --meta says meta 'acme', but it is pinned to none")
    assert home.call("get", "a.b.c", env=pinned | {"PRONTO_META": "acme"}).status == 6
    home.call("cursor", "set", "work", str(home.folder / "w.db"), "--meta", "acme")
    assert home.call("get", "a.b.c", "--cursor", "work", env=pinned).status == 6
    assert home.call("where", "--json", env=pinned).out.count(b'"name": "meta", "value": null, "source": "pin"') == 1


@pytest.mark.parametrize("argv", VERBS)
def test_a_function_that_may_not_run_is_denied_by_the_core(home: Home, argv: tuple[str, ...]) -> None:
    """`PRONTO_REFUSED` denies every verb that touches data."""
    home.call("set", "a.b.c", "v")
    denied = home.call(*argv, env={"PRONTO_REFUSED": "acme"})
    assert denied.status == 6
    assert "'acme' is pinned to another context" in denied.err
    assert home.call("scan", "a.b").out == b"c\tv\n"


@pytest.mark.parametrize("pin", [{}, PIN])
@pytest.mark.parametrize("flags", [(), ("--user", "bob"), ("--meta", "globex")])
def test_what_is_piped_to_a_refused_function_is_rescued_inside_the_pin_in_force(
    home: Home, pin: dict[str, str], flags: tuple[str, ...]
) -> None:
    refused = home.call("set", "a.b.c", *flags, stdin=SECRET, env=pin | {"PRONTO_REFUSED": "acme"})
    assert refused.status == 4
    assert home.call("get", refused.rescued, *(() if pin else flags), env=pin).out == SECRET
    assert home.call("get", "a.b.c", env=pin).status == 2


def test_a_pinned_profile_with_a_cursor_pins_both(home: Home) -> None:
    home.call("cursor", "set", "work", "shop", "--meta", "acme", "--user", "keeper")
    home.call("profile", "add", "both", "--user", "keeper", "--cursor", "work", "--meta", "acme")
    env = {"PRONTO_FORCE_PROFILE": "both"}
    assert home.call("set", "a.b.c", "v", env=env).status == 0
    assert home.call("get", "a.b.c", "--user", "keeper", "--meta", "acme", "--database", "shop").out == b"v"
    for flags in (("--meta", "globex"), ("--database", "main"), ("--cursor", "other"), ("--user", "bob")):
        assert home.call("get", "a.b.c", *flags, env=env).status == 6, flags


@pytest.mark.parametrize("meta", ["acme", ""])
def test_a_pinned_profile_that_names_no_meta_pins_that_of_its_cursor(home: Home, meta: str) -> None:
    home.call("cursor", "set", "work", "shop", *(("--meta", meta) if meta else ()))
    home.call("profile", "add", "kin", "--cursor", "work")
    env = {"PRONTO_FORCE_PROFILE": "kin"}
    assert home.call("set", "a.b.c", "v", env=env).status == 0
    assert home.call("get", "a.b.c", "--cursor", "work").out == b"v"
    for argv, more in ((("--meta", "globex"), {}), ((), {"PRONTO_META": "globex"})):
        denied = home.call("set", "a.b.c", "w", *argv, env=env | more)
        assert (denied.status, f"it is pinned to {repr(meta) if meta else 'none'}" in denied.err) == (6, True), denied
