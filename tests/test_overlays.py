"""Overlays: `--context` in get, exists, mget, keys and scan; `diff`; `get --explain` and `get --default`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prontodb.address import Address, Place
from prontodb.engines.memory import MemoryEngine
from prontodb.errors import Busy, ProntoError
from prontodb.model import Content, Write
from prontodb.ops import overlay

from .conftest import Home
from .helping import SHELLS, script

LARGE = "x" * 3_000_000


@pytest.fixture
def layered(home: Home) -> Home:
    """A base with two overlays, the way configuration has them."""
    for name, value in {
        "host": "db.local",
        "host__prod": "db.prod",
        "host__eu": "db.eu",
        "port": "5432",
        "only__eu": "eu",
        "a": "1",
        "a-b": "2",
        "a__prod": "3",
        "debug__dev": "yes",
    }.items():
        assert home.call("set", f"work.config.{name}", value).status == 0
    return home


def test_the_first_context_that_is_there_wins(layered: Home) -> None:
    for over, value in {"prod,eu": b"db.prod", "eu,prod": b"db.eu", "dev,eu": b"db.eu", "dev": b"db.local", "-": b"db.local"}.items():
        done = layered.call("get", "work.config.host", "--context", over)
        assert (done.status, done.out, done.err) == (0, value, ""), over
    assert layered.call("get", "-p", "work", "-n", "config", "only", "--context", "prod,eu").out == b"eu"


def test_a_miss_names_every_layer(layered: Home) -> None:
    done = layered.call("get", "work.config.only", "--context", "prod,dev")
    assert (done.status, done.out) == (2, b"")
    assert done.err == "prontodb: No such key: work.config.only (nor only__prod, only__dev)\n"


def test_what_has_expired_is_fallen_through(layered: Home) -> None:
    layered.call("set", "work.config.port__prod", "1", "--ttl", "10", now=1000)
    assert layered.call("get", "work.config.port", "--context", "prod", now=1009).out == b"1"
    assert layered.call("get", "work.config.port", "--context", "prod", now=1010).out == b"5432"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("work.config.host__prod", "--context", "eu"), "has a context already"),
        (("work.config.host", "--context", ""), "Invalid context ''"),
        (("work.config.host", "--context", "prod,"), "Invalid context ''"),
        (("work.config.host", "--context", "a b"), "Invalid context 'a b'"),
        (("work.config.host", "--context", "prod__eu"), "Invalid context 'prod__eu'"),
        (("work.config.host", "--context", "_x"), "Invalid context '_x'"),
        (("work.config.host", "--context", "eu,prod,eu"), "twice"),
        (("work.config.host", "--context", "eu", "--include-expired"), "single entry"),
        (("pipe.cache.x", "--context", "eu"), "no overlays"),
        (("work.config.none", "--rev", "--default", "x"), "no revision"),
        (("--from", "names", "--default", "x"), "single address"),
        (("--from", "names", "--explain"), "single address"),
    ],
)
def test_what_makes_no_sense_is_refused(layered: Home, words: tuple[str, ...], said: str) -> None:
    done = layered.call("get", *words)
    assert (done.status, done.out) == (64, b"")
    assert said in done.err


def test_other_verbs_look_under_contexts_too(layered: Home) -> None:
    assert [layered.call("exists", "work.config.only", "--context", over).status for over in ("eu", "prod", "-", "prod,eu")] == [0, 2, 2, 0]
    assert layered.call("mget", "work.config.host", "work.config.port", "--context", "prod").lines == ["db.prod", "5432"]
    (layered.folder / "names").write_text("work.config.host\nwork.config.none\n")
    many = layered.call("get", "--from", "names", "--context", "eu")
    assert (many.status, many.lines) == (2, ["work.config.host\tdb.eu"])
    assert (
        layered.call("get", "work.config.host", "--context", "prod", "--rev").out
        == layered.call("get", "work.config.host__prod", "--rev").out
    )
    assert layered.call("get", "work.config.port", "--context", "prod", "--no-nul", "-N").out == b"5432\n"


def test_listings_have_each_key_once_in_byte_order(layered: Home) -> None:
    assert layered.call("keys", "work.config", "--context", "prod,eu").lines == ["a", "a-b", "host", "only", "port"]
    assert layered.call("keys", "work.config.a", "--context", "prod").lines == ["a", "a-b"]
    assert layered.call("scan", "work.config", "--context", "prod,eu").lines == [
        "a\t3",
        "a-b\t2",
        "host\tdb.prod",
        "only\teu",
        "port\t5432",
    ]
    assert layered.call("scan", "work.config.a", "--context", "-").lines == ["a\t1", "a-b\t2"]
    assert layered.call("scan", "work.config.host", "--context", "eu", "--sh").lines == ["host='db.eu'"]
    assert layered.call("keys", "pipe.cache", "--context", "eu").status == 64


def test_a_listing_as_json_names_the_layer(layered: Home) -> None:
    first, *_ = json.loads(layered.call("scan", "work.config.host", "--context", "eu", "--json").out)
    assert (first["address"], first["key"], first["layer"], first["value"]) == (
        "work.config.host",
        "host",
        "work.config.host__eu",
        "db.eu",
    )
    one = json.loads(layered.call("get", "work.config.port", "--context", "eu", "--json").out)
    assert (one["layer"], one["value"]) == ("work.config.port", "5432")


def test_a_listing_flattens_into_a_stream(layered: Home) -> None:
    stream = layered.call("scan", "work.config", "--context", "prod", "--stream").out
    assert layered.call("stream", "--database", "flat", stdin=stream).status == 0
    assert layered.call("scan", "work.config", "--database", "flat").out == layered.call("scan", "work.config", "--context", "prod").out


def test_large_values_come_through(home: Home) -> None:
    home.call("set", "p.n.big", "-", stdin=b"small")
    home.call("set", "p.n.big__x", "-", stdin=LARGE.encode())
    assert home.call("get", "p.n.big", "--context", "x").out == LARGE.encode()
    assert home.call("scan", "p.n", "--context", "x").lines == [f"big\t{LARGE}"]
    home.call("copy", "p.n.big__x", "p.n.big__y")
    assert home.call("diff", "p.n", "--context", "x", "y").out == b""
    home.call("append", "p.n.big__y", "end")
    assert home.call("diff", "p.n", "--context", "x", "y").lines == [f"~\tbig\t{LARGE}\t{LARGE}end"]


def test_diff_tells_what_differs(layered: Home) -> None:
    done = layered.call("diff", "--context", "dev", "prod,eu", "work.config")
    assert (done.status, done.lines) == (0, ["~\ta\t1\t3", "-\tdebug\tyes", "~\thost\tdb.local\tdb.prod", "+\tonly\teu"])
    assert layered.call("diff", "--context", "prod", "eu", "work.config.host").lines == ["~\thost\tdb.prod\tdb.eu"]
    assert layered.call("diff", "--context", "-", "-", "work.config").out == b""
    told = json.loads(layered.call("diff", "--context", "dev", "eu", "work.config", "--json").out)
    assert [(each["key"], each["change"]) for each in told] == [("debug", "removed"), ("host", "changed"), ("only", "added")]
    assert (told[0]["right"], told[1]["left"]["layer"], told[2]["right"]["value"]) == (None, "work.config.host", "eu")
    assert json.loads(layered.call("diff", "--context", "x", "y", "work.config", "--json").out) == []


def test_diff_tells_by_its_status_only_where_asked(layered: Home) -> None:
    assert layered.call("diff", "--context", "dev", "prod", "work.config", "--exit-code").status == 3
    assert layered.call("diff", "--context", "x", "y", "work.config", "--exit-code").status == 0
    assert layered.call("diff", "work.config").status == 64
    assert layered.call("diff", "--context", "dev").status == 64
    assert layered.call("diff", "--context", "dev", "pr od", "work.config").status == 64


def test_a_value_that_is_the_same_is_no_difference(home: Home) -> None:
    home.call("set", "p.n.k", "same")
    home.call("set", "p.n.k__x", "same", "--ttl", "1h")
    assert home.call("diff", "--context", "-", "x", "p.n").out == b""


def test_diff_keeps_secrets(home: Home) -> None:
    home.call("set", "work.sec.token", "hunter2")
    home.call("set", "work.sec.token__prod", "hunter3")
    for words in ((), ("--json",)):
        shown = home.call("diff", "--context", "-", "prod", "work.sec", *words)
        assert b"token" in shown.out
        assert b"hunter" not in shown.out
    assert home.call("diff", "--context", "-", "prod", "work.sec", "--reveal").lines == ["~\ttoken\thunter2\thunter3"]


def test_explain_says_which_layer_and_which_context(layered: Home) -> None:
    done = layered.call("get", "work.config.host", "--context", "dev,eu", "--explain", "--meta", "acme", "--default", "none")
    assert done.out == b"none"
    assert "host__dev  not there" in done.err
    assert "meta       acme  (flag)" in done.err
    layered.call("set", "work.config.host__eu", "x", "--ttl", "1h", now=1000)
    done = layered.call("get", "work.config.host", "--context", "dev,eu,prod", "--explain", now=1000)
    assert done.out == b"x"
    shown = done.err.splitlines()
    assert shown[0] == "layer      work.config.host__dev  not there"
    assert shown[1].startswith("layer      work.config.host__eu  answered: revision ")
    assert shown[1].endswith(", 1 bytes, expires in 1h")
    assert shown[2:4] == ["layer      work.config.host__prod  covered", "layer      work.config.host  covered"]
    assert f"file       {layered.database}  (path)" in shown


def test_explain_as_json_and_of_a_miss(layered: Home) -> None:
    done = layered.call("get", "work.config.port", "--context", "eu", "--explain", "--json")
    told = json.loads(done.err)["explain"]
    assert [(layer["address"], layer["found"]) for layer in told["layers"]] == [("work.config.port__eu", False), ("work.config.port", True)]
    assert told["database"] == {"value": "main", "source": "default"}
    assert json.loads(done.out)["value"] == "5432"
    done = layered.call("get", "work.config.none", "--explain")
    assert (done.status, done.out) == (2, b"")
    assert done.err.startswith("layer      work.config.none  not there\n")
    assert done.err.endswith("prontodb: No such key: work.config.none\n")


def test_a_default_stands_in_for_a_miss_and_for_nothing_else(layered: Home) -> None:
    for default in ("v", "", "-1", "two\nlines\n", "\udcff"):
        done = layered.call("get", "work.config.none", "--default", default)
        assert (done.status, done.out, done.err) == (0, default.encode("utf-8", "surrogateescape"), "")
    assert layered.call("get", "work.config.port", "--default", "v").out == b"5432"
    layered.call("set", "work.config.short", "v", "--ttl", "1", now=1000)
    assert layered.call("get", "work.config.short", "--default", "gone", now=1001).out == b"gone"
    for words, status in ((("bad..k",), 64), (("a.b.c", "--cursor", "none"), 64), (("a.b.c", "--database", "/no/such.db"), 0)):
        assert layered.call("get", *words, "--default", "v").status == status
    layered.database.write_bytes(b"no database at all" * 1000)
    done = layered.call("get", "work.config.none", "--default", "v")
    assert (done.status, done.out) == (1, b"")


def test_a_default_on_a_terminal_and_as_json(home: Home) -> None:
    assert home.call("get", "a.b.c", "--default", "v", terminal=True).out == b"v\n"
    assert home.call("get", "a.b.c", "--default", "v", "-N").out == b"v\n"
    told = json.loads(home.call("get", "a.b.c", "--default", "v", "--json").out)
    assert (told["value"], told["default"]) == ("v", True)
    home.call("set", "a.b.c", "w")
    assert "default" not in json.loads(home.call("get", "a.b.c", "--default", "v", "--json").out)


def test_overlays_stay_in_their_meta_and_their_pin(layered: Home) -> None:
    layered.call("set", "work.config.host__prod", "acmes", "--meta", "acme")
    assert layered.call("get", "work.config.host", "--context", "prod", "--meta", "acme").out == b"acmes"
    assert layered.call("get", "work.config.host", "--context", "eu", "--meta", "acme").status == 2
    pin = {"PRONTO_FORCE_META": "acme"}
    assert layered.call("scan", "work.config", "--context", "prod,eu", env=pin).lines == ["host\tacmes"]
    assert layered.call("diff", "--context", "prod", "eu", "work.config", env=pin).lines == ["-\thost\tacmes"]
    assert layered.call("diff", "--context", "prod", "eu", "work.config", "--meta", "other", env=pin).status == 6


def test_no_variable_chooses_a_context(layered: Home) -> None:
    assert layered.call("get", "work.config.host", env={"PRONTO_CONTEXT": "prod"}).out == b"db.local"


@pytest.mark.parametrize("value", [b"small", LARGE.encode()], ids=len)
def test_a_key_that_moves_between_its_layers_is_never_missed(value: bytes) -> None:
    """After each look, the entry goes from the plain key to the overlay or back; for a large one, a few times only."""
    store = Stored({"k": value})
    store.engine = engine = Restless(store.engine, 3)
    for _ in range(4):
        assert overlay.get(store, Address("p", "n", "k"), ["x"]).found.read() == value  # type: ignore[arg-type]
        engine.moves = 3
    engine.moves = 1000
    if value == b"small":
        assert overlay.get(store, Address("p", "n", "k"), ["x"]).found.read() == value  # type: ignore[arg-type]
    else:
        with pytest.raises(Busy):
            overlay.get(store, Address("p", "n", "k"), ["x"])  # type: ignore[arg-type]


class Restless:
    """An engine whose one entry moves after each look, so many times."""

    def __init__(self, engine: MemoryEngine, moves: int) -> None:
        self.engine = engine
        self.moves = moves

    def get(self, *args: Any) -> Any:
        return self._moved(self.engine.get(*args))

    def get_many(self, *args: Any) -> Any:
        return self._moved(self.engine.get_many(*args))

    def _moved(self, found: Any) -> Any:
        if self.moves:
            self.moves -= 1
            ends = [Address("p", "n", "k"), Address("p", "n", "k__x")]
            for source, target in (ends, ends[::-1]):
                if self.engine.copy(source, target, Write(), Stored.now, move=True):
                    break
        return found


@pytest.mark.parametrize("shell", SHELLS)
def test_a_variable_gets_a_layer_or_a_default(layered: Home, shell: str) -> None:
    layered.call("set", "work.config.lines__prod", "two\nlines\n\n")
    layered.call("set", "work.config.nul__prod", "-", stdin=b"a\0b")
    done = script(layered, shell, VARIABLES)
    assert (done.lines, done.err.count("No such key: work.config.none (nor none__prod)")) == (
        ["0 [db.prod]", "0 [two", "lines", "", "]", "0 [-d", "]", "0 []", "0 [5432]", "2 [kept]", "65 [kept]", "64 [kept]"],
        1,
    )


VARIABLES = r"""
show() { echo "$? [$V]"; }
pronto get -v V work.config.host --context prod; show
pronto get -v V work.config.lines --context prod --default x; show
pronto get -v V work.config.none --default $'-d\n'; show
pronto get -v V work.config.none --default ''; show
pronto get -v V work.config.port --context prod --default 1; show
V=kept
pronto get -v V work.config.none --context prod; show
pronto get -v V work.config.nul --context prod; show
pronto get -v V work.config.host --context 'a b'; show
"""


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_wrapper_takes_options_behind_the_address(layered: Home, shell: str) -> None:
    layered.call("set", "work.config.host__prod", "acmes", "--meta", "acme")
    wrapper = layered.call("shell", "wrapper", "acme", shell, "--meta", "acme")
    (layered.folder / "acme").write_bytes(wrapper.out)
    calls = ". ./acme; acme get -v V work.config.host --context eu,prod; echo $V; acme get -v V work.config.port --default none; echo $V"
    assert script(layered, shell, calls).lines == ["acmes", "none"]


KEYS = st.sampled_from(["a", "a-b", "a_", "a_b", "ab", "A", "a__", "b"])
CONTEXTS = st.sampled_from(["x", "y", "x-y", "x_", "0"])


@settings(deadline=None)
@given(st.dictionaries(st.tuples(KEYS, st.none() | CONTEXTS), st.binary(max_size=3)), st.lists(CONTEXTS, unique=True, max_size=3))
def test_listings_agree_with_get(held: dict[tuple[str, str | None], bytes], over: list[str]) -> None:
    store = Stored({f"{key}__{context}" if context else key: value for (key, context), value in held.items()})
    expected = {}
    for key in sorted({key for key, _ in held}, key=str.encode):
        layers = [held[key, context] for context in (*over, None) if (key, context) in held]
        if layers:
            expected[key] = layers[0]
    listed = {one.key: one.entry.value for one in overlay.entries(store, Place("p", "n"), over)}  # type: ignore[arg-type]
    assert list(listed.items()) == list(expected.items())
    assert [name for page in overlay.names(store, Place("p", "n"), over) for name in page] == list(expected)  # type: ignore[arg-type]
    for key in {key for key, _ in held}:
        assert _value(store, key, over) == expected.get(key)


class Stored:
    """As much of `ops.Store` as overlays ask for."""

    now = 1000.0

    def __init__(self, held: dict[str, bytes]) -> None:
        self.engine: Any = MemoryEngine("")
        for name, value in held.items():
            self.engine.put(Address("p", "n", name), Content.of(value), Write(), self.now)


def _value(store: Stored, key: str, over: list[str]) -> bytes | None:
    try:
        return overlay.get(store, Address("p", "n", key), over).found.read()  # type: ignore[arg-type]
    except ProntoError:
        return None
