"""Completion of addresses (DESIGN §9): segment by segment, from the helper, inside the pin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import Home
from .interactive import Typist, compinit, made
from .shells import require

NAMES = ["work.notes.todo", "work.notes.todo__prod", "work.notes.talk", "work.lock.deploy", "wine.cellar.red", "häuser.straße.öl"]
TYPED = {
    "wor": "work.",
    "w": "w",
    "wi": "wine.",
    "work.n": "work.notes.",
    "work.notes.to": "work.notes.todo",
    "work.notes.ta": "work.notes.talk ",
    "work.lock.": "work.lock.deploy ",
    "hä": "häuser.",
    "häuser.straße.": "häuser.straße.öl ",
    "work.notes.nothing": "work.notes.nothing",
    "other.": "other.",
    "a.b.c.d": "a.b.c.d",
    ".": ".",
    "work..": "work..",
}
PLACES = {
    "{} get ": "{} get ",
    "{} copy work.lock.deploy wi": "{} copy work.lock.deploy wine.",
    "{} keys work.n": "{} keys work.notes.",
    "{} set --ttl 5m work.lo": "{} set --ttl 5m work.lock.",
    "{} -p work get lo": "{} -p work get lock.",
    "{} -pwork get notes.to": "{} -pwork get notes.todo",
    "{} get -n notes --project=work ta": "{} get -n notes --project=work talk ",
    "{} get -n notes ta": "{} get -n notes ta",
    "{} get -p work -n lock work.": "{} get -p work -n lock work.",
    "{} get --user=bob wor": "{} get --user=bob wor",
    "{} get --user alice --meta=acme se": "{} get --user alice --meta=acme secret.",
    "{} --ns-delim / get work/n": "{} --ns-delim / get work/notes/",
    "{} set --ttl=5m --user default work.lo": "{} set --ttl=5m --user default work.lock.",
    "{} get -p $P lo": "{} get -p $P lo",
    "{} get --user 'no such' wor": "{} get --user 'no such' wor",
    "{} set work.lock.deploy wor": "{} set work.lock.deploy wor",
}


@pytest.fixture(params=["bash", "zsh", "fish"])
def typist(request: pytest.FixtureRequest, home: Home) -> Iterator[Typist]:
    """Somebody at a shell with the functions, a wrapper for alice and her meta, and things in both contexts."""
    shell: str = request.param
    require(shell)
    for name in NAMES:
        home.call("set", name, "v")
    home.call("set", "secret.plan.b", "v", "--user", "alice", "--meta", "acme")
    home.call("set", "secret.other.b", "v", "--user", "alice", "--meta", "acme-inc")
    (home.folder / "init").write_text(made(home, "init", shell))
    (home.folder / "acme").write_text(made(home, "wrapper", "acme", shell, "--user", "alice", "--meta", "acme"))
    typing = Typist.at(home, shell, LC_ALL="C.UTF-8")
    typing.record(shell)
    first = compinit(home) if shell == "zsh" else "set +m" if shell == "bash" else ":"
    assert typing.run(f"{first}; . ./init; . ./acme") == ""
    yield typing
    typing.close()


def test_an_address_is_completed_segment_by_segment(typist: Typist) -> None:
    for typed, line in TYPED.items():
        assert typist.completed(f"pronto get {typed}") == f"pronto get {line}"
    for typed, line in PLACES.items():
        for name in ("pronto", "prontodb"):
            assert typist.completed(typed.format(name)) == line.format(name)
    assert typist.run("jobs") in ("", "jobs: There are no jobs\n")


def test_a_wrapper_offers_what_is_in_its_pin(typist: Typist) -> None:
    assert typist.completed("acme get wor") == "acme get wor"
    assert typist.completed("acme get se") == "acme get secret."
    assert typist.completed("acme get secret.") == "acme get secret.plan."
    assert typist.completed("acme -p secret get pl") == "acme -p secret get plan."
    assert typist.completed("acme get --meta acme-inc secret.") == "acme get --meta acme-inc secret."
    assert typist.completed("pronto get se") == "pronto get se"
    assert typist.run("pronto_unload") == ""


def test_names_in_the_place_of_a_cursor_are_offered_as_they_are(typist: Typist) -> None:
    typist.run("prontodb cursor set here main -p work -n notes; prontodb cursor use here")
    assert typist.completed("pronto get ta") == "pronto get talk "
    assert typist.completed("pronto get wor") == "pronto get work."
    typist.run("export PRONTO_PROJECT=work PRONTO_NAMESPACE=lock; prontodb cursor clear")
    assert typist.completed("pronto get de") == "pronto get deploy "


def test_where_something_is_wrong_nothing_is_offered_and_nothing_said(typist: Typist) -> None:
    typist.run("export PRONTO_USER='no such thing'")
    typist.child.send("pronto get wor\t")
    assert typist.completed("") == "pronto get wor"
    assert "prontodb:" not in str(typist.child.before)
