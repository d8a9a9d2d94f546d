"""Help beside that on verbs: `help errors`, and what is said where there is no help."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import prontodb
from prontodb.cli.errorpages import KINDS, Kind
from prontodb.cli.statuses import STATUSES

from .conftest import Home
from .test_structure import error_classes

SOURCES = "\n".join(path.read_text() for path in Path(prontodb.__file__).parent.rglob("*.py") if path.name != "errorpages.py")
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^A-Z]+")
"""The parts of a message's shape: what differs, in capitals, and what stands there always."""

PREPARED = """
j() { prontodb --json "$@"; }
prontodb set p.n.k v; prontodb set p.n.secret s --secret; prontodb set p.plain.k v
prontodb claim p.n.held >token; echo junk >f; printf '%5000s' x >f.db; prontodb set p.odd.PATH x
python3 -c 'import sqlite3; db = sqlite3.connect("other.db"); db.execute("CREATE TABLE t (x)"); db.commit()'
"""
MADE = {
    "damaged": "j get a.b.c --database ./f.db",
    "not-a-prontodb-database": "j get a.b.c --database ./other.db",
    "storage-error": "j set a.b.c v --database /proc/x.db",
    "output-error": "j get p.n.k >/dev/full",
    "damaged-backup": "j restore ./f",
    "malformed-import": "j import --format ndjson f",
    "no-variable": "j run --place p.odd -- true",
    "no-such-key": "j get p.n.none",
    "precondition-failed": "j set p.n.k v --if-absent",
    "lease-held": "j claim p.n.held",
    "lease-lost": "j renew p.n.lease --token 1",
    "rescued": "j set a..b <f",
    "timeout": "j wait p.n.none --timeout 0",
    "denied": "PRONTO_FORCE_USER=alice j get p.n.k --user bob",
    "secret": "j get p.n.secret",
    "feature-off": "PRONTO_FEATURES=-streaming j stream --from p.n.k",
    "invalid-address": "j get a..b",
    "invalid-database": "j get a.b.c --database b_b",
    "invalid-duration": "j set a.b.c v --ttl x",
    "invalid-setting": "PRONTO_BUSY_TIMEOUT=x j set a.b.c v",
    "malformed-condition": "j wait 'a.b.c == '",
    "malformed-stream": "j stream --from p.n.k",
    "no-content": "j set a.b.c",
    "usage": "j gett",
    "not-run": "j run --place p.plain -- ./f",
    "no-such-program": "j run --place p.plain -- no-such-program",
}
"""A call that makes an error of a kind, after what `PREPARED` does."""


def pattern(shape: str) -> str:
    """What fits a message of this shape."""
    return "".join(".*" if part.isupper() else re.escape(part) for part in WORDS.findall(shape))


@pytest.mark.parametrize("name", MADE)
def test_messages_read_as_help_says(home: Home, name: str) -> None:
    done = home.shell(f"{PREPARED}exec 2>said; {MADE[name]}")
    said = json.loads((home.folder / "said").read_text())
    kind = next(kind for kind in KINDS if kind.name == name)
    assert done.status == said["code"] == kind.error.code
    assert name in (said["error"], "rescued")
    assert any(re.fullmatch(pattern(shape), said["reason"]) for shape in kind.shapes), said["reason"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name not in MADE], ids=lambda kind: kind.where)
def test_the_words_of_the_other_messages_stand_in_the_code(kind: Kind) -> None:
    for shape in kind.shapes:
        for part in WORDS.findall(shape):
            said = part.strip(" :'(),-.")
            assert part.isupper() or all(words.strip() in SOURCES for words in re.split(r"[:']", said)), part


def test_every_error_and_every_status_has_its_help(home: Home) -> None:
    assert {kind.error for kind in KINDS} == {kind for kind in error_classes() if kind.__name__ != "NeedsWriter"}
    codes = [kind.error.code for kind in KINDS]
    assert codes == sorted(codes)
    page = home.call("help", "errors").out.decode()
    assert all(re.search(rf"^ +{status}  {re.escape(meaning)}$", page, re.MULTILINE) for status, meaning in STATUSES.items())
    assert all(re.search(rf"^ +{kind.name} ", page, re.MULTILINE) for kind in KINDS)
    assert max(map(len, page.splitlines())) <= 100


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.where)
def test_an_error_is_found_by_its_name_its_class_and_its_status(home: Home, kind: Kind) -> None:
    page = home.call("help", "errors", kind.name)
    assert (page.status, page.err) == (0, "")
    assert home.call("help", "errors", kind.error.__name__.upper()).out == page.out
    assert page.out in home.call("help", "errors", str(kind.error.code)).out
    text = " ".join(page.out.decode().split())
    assert all(" ".join(words.split()) in text for words in (kind.meaning, kind.cure, *kind.shapes))
    assert "DESIGN" not in text
    assert max(map(len, page.out.decode().splitlines())) <= 100


@pytest.mark.parametrize(
    ("asked", "cure"),
    [
        ("errors Denid", "did you mean prontodb help errors denied?"),
        ("errors no-such", "did you mean prontodb help errors no-such-key?"),
        ("errors 99", "prontodb help errors lists the kinds and the statuses"),
        ("errros", "did you mean prontodb help errors?"),
        ("adress", "did you mean prontodb help addresses?"),
        ("exit", "did you mean prontodb help exit-codes?"),
        ("rm", "did you mean prontodb help del?"),
        ("shel init", "did you mean prontodb help shell init?"),
        ("shell wraper", "did you mean prontodb help shell wrapper?"),
        ("get extra", "prontodb help get is all there is on it"),
        ("xyzzy", "prontodb help lists the verbs; topics are addresses, "),
    ],
)
def test_where_there_is_no_help_the_nearest_is_offered(home: Home, asked: str, cure: str) -> None:
    done = home.call("help", *asked.split())
    assert (done.status, done.out) == (64, b"")
    assert f"No help on '{asked.partition(':')[0]}'" in done.err
    assert f"Cure: {cure}" in done.err


def test_several_errors_may_be_asked_for_at_once(home: Home) -> None:
    both = home.call("help", "errors", "denied", "2").out
    assert both == home.call("help", "errors", "denied").out + b"\n" + home.call("help", "errors", "2").out
