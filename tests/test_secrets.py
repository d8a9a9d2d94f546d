"""Secrets: kept as such wherever they go, and shown on a terminal only, or where somebody says so."""

from __future__ import annotations

import json
import subprocess
import sys

import pexpect
import pytest

from prontodb.ops.secrets import is_secret

from .conftest import COMMAND, Home
from .helping import script
from .pgserver import Database, Server

VALUE = "hunter2-Zq9"
DENIED = 6


@pytest.fixture
def full(home: Home) -> Home:
    """A home with a secret of each kind, and something that is none."""
    assert home.call("set", "app.sec.token", VALUE).status == 0
    assert home.call("set", "app.config.db-url", VALUE, "--secret").status == 0
    assert home.call("set", "app.config.host", "localhost").status == 0
    return home


def is_hidden(home: Home, address: str) -> bool:
    """Whether `get` refuses to print it, and says it to `--reveal`."""
    done = home.call("get", address)
    shown = home.call("get", address, "--reveal")
    assert shown.status == 0, shown
    assert VALUE not in done.err
    return (done.status, done.out) == (DENIED, b"")


@pytest.mark.parametrize("address", ["app.sec.token", "app.config.db-url"])
def test_a_secret_is_shown_on_a_terminal_only(full: Home, address: str) -> None:
    assert is_hidden(full, address)
    assert full.call("get", address, terminal=True).out == VALUE.encode() + b"\n"
    assert full.call("get", address, "--reveal").out == VALUE.encode()
    done = full.call("get", address)
    assert done.err == f"prontodb: {address} is a secret, and standard output is no terminal\nCure: --reveal, where you mean it\n"
    assert json.loads(full.call("get", address, "--json").err)["error"] == "secret"
    assert full.run("get", address).status == DENIED
    assert full.call("get", "app.config.host").out == b"localhost"


def test_no_verb_prints_one(full: Home) -> None:
    """Every verb that shows something, in every form: the value is in none of what comes out."""
    (full.folder / "names").write_text("app.sec.token\napp.config.db-url\napp.config.host\n")
    calls = [
        *(("scan", place, *form) for place in ("app.config", "app.sec") for form in ((), *((f"--{kind}",) for kind in FORMS), ("-0",))),
        ("get", "app.sec.token", "--json"),
        ("get", "app.sec.token", "-N"),
        ("get", "app.sec.token", "--raw"),
        ("get", "app.sec.token", "--no-nul"),
        ("get", "app.sec.token", "--include-expired"),
        ("get", "--from", "names"),
        ("get", "--from", "names", "-0"),
        ("get", "--from", "names", "--json"),
        ("mget", "app.config.host", "app.sec.token"),
        ("mget", "-0", "app.config.db-url"),
        *(("export", place, "--format", kind) for place in ("app.config", "--all") for kind in ("ndjson", "tsv", "env", "stream")),
        ("export-fs", "--all", "--output", "tree"),
        ("incr", "app.sec.token"),
        ("set", "app.sec.token", "v", "--if-value", "x"),
        ("ls", "app.sec"),
        ("keys", "app.sec"),
        ("__complete", "app.sec."),
        ("rescue", "list"),
        ("where",),
        ("stream", "--from", "app.sec.token"),
        ("stream", "--from", "app.sec.token", "--dry-run"),
    ]
    for call in calls:
        for json_too in ((), ("--json",)):
            if json_too and "--json" in call:
                continue
            done = full.call(*call, *(json_too if call[0] != "__complete" else ()))
            assert VALUE not in done.out.decode() + done.err, call
    assert not (full.folder / "tree").exists()
    assert full.call("get", "app.sec.token", "--reveal").out == VALUE.encode()


FORMS = ("json", "ndjson", "stream", "env", "sh")


def test_listings_mark_a_secret_or_tell_of_it(full: Home) -> None:
    [hidden, shown] = json.loads(full.call("scan", "app.config", "--json").out)
    assert (hidden["secret"], "value" in hidden, "value_b64" in hidden, hidden["size"]) == (True, False, False, len(VALUE))
    assert (shown["value"], "secret" in shown) == ("localhost", False)
    assert full.call("scan", "app.config").lines == ["db-url\t<secret; --reveal shows it>", "host\tlocalhost"]
    for form, rest in (("--env", b"host=localhost\n"), ("--sh", b"host='localhost'\n"), ("-0", b"host\0localhost\0")):
        done = full.call("scan", "app.config", form)
        assert (done.status, done.out) == (DENIED, rest)
        assert "app.config.db-url" in done.err
    full.call("set", "app.config.z", VALUE, "--secret")
    assert "app.config.db-url and 1 more" in full.call("scan", "app.config", "--env").err
    [told, _, _] = json.loads(full.call("scan", "app.config", "--json", "--reveal").out)
    assert (told["secret"], told["value"]) == (True, VALUE)
    assert f"db_url={VALUE}\n" in full.call("scan", "app.config", "--env", "--reveal").out.decode()


def test_many_by_name(full: Home) -> None:
    (full.folder / "names").write_text("app.sec.token\napp.config.host\nnot.there.x\n")
    done = full.call("get", "--from", "names")
    assert (done.status, done.out) == (DENIED, b"app.config.host\tlocalhost\n")
    assert "app.sec.token is a secret" in done.err
    done = full.call("mget", "app.config.host", "app.sec.token")
    assert (done.status, done.out) == (DENIED, b"")
    assert full.call("mget", "app.config.host", "app.sec.token", "--reveal").lines == ["localhost", VALUE]


def test_it_stays_a_secret(full: Home) -> None:
    """Copied, moved, overwritten, counted, appended to: always one, until `--no-secret` says otherwise."""
    full.call("copy", "app.sec.token", "app.open.copied")
    full.call("copy", "app.config.db-url", "app.open.too")
    full.call("copy", "app.config.host", "app.open.host")
    full.call("move", "app.open.too", "app.open.moved")
    assert is_hidden(full, "app.open.copied")
    assert is_hidden(full, "app.open.moved")
    assert not is_hidden(full, "app.open.host")
    full.call("set", "app.open.moved", VALUE + "2")
    assert is_hidden(full, "app.open.moved")
    full.call("append", "app.open.moved", VALUE)
    assert is_hidden(full, "app.open.moved")
    assert full.call("get", "app.open.moved", "--reveal").out.decode() == VALUE + "2" + VALUE
    full.call("copy", "app.config.host", "app.open.moved")
    assert is_hidden(full, "app.open.moved")
    full.call("set", "app.open.n", "1", "--secret")
    full.call("incr", "app.open.n")
    assert is_hidden(full, "app.open.n")
    full.call("expire", "app.open.n", "1h")
    assert is_hidden(full, "app.open.n")
    full.call("set", "app.open.moved", "public", "--no-secret")
    assert full.call("get", "app.open.moved").out == b"public"
    full.call("copy", "app.config.db-url", "app.sec.in")
    full.call("set", "app.sec.in", "v", "--no-secret")
    assert is_hidden(full, "app.sec.in")
    assert full.call("set", "app.open.x", "v", "--secret", "--no-secret").status == 64


def test_every_way_in(home: Home) -> None:
    (home.folder / "f").write_text(VALUE)
    home.call("set", "p.n.piped", "--secret", stdin=VALUE.encode())
    home.call("set", "p.n.file", "--file", "f", "--secret")
    home.call("set", "p.n.large", "-", "--secret", stdin=b"x" * 20_000_000)
    home.call("set", "-0", "--secret", stdin=f"p.n.one\0{VALUE}\0p.n.two\0{VALUE}\0".encode())
    for key in ("piped", "file", "large", "one", "two"):
        assert is_hidden(home, f"p.n.{key}"), key
    assert home.call("get", "p.n.large", "--reveal").out == b"x" * 20_000_000


@pytest.mark.parametrize(
    "argv",
    [
        ("set", "bad..k", "--secret"),
        ("set", "p.n.k", "--secret", "--ttl", "junk"),
        ("set", "p.n.k", "--secret", "--bogus"),
        ("set", "k", "--secret"),
        ("set", "p.sec.bad key"),
        ("set", "p..sec.k"),
        ("set", "-n", "sec", "a..b"),
        ("set", "p.n.k", "--secret", "--if-rev", "77"),
        ("set", "-0", "--secret"),
        ("append", "p.sec.bad key"),
        ("set", "p.sec.k", "--database", "/no/such/x.db"),
        ("set", "p.n.k", "--secret", "--database", "/no/such/x.db"),
    ],
    ids=" ".join,
)
def test_what_is_rescued_of_a_secret_is_one(home: Home, argv: tuple[str, ...]) -> None:
    """In the pipe cache and in the spool, and where it is copied to from there."""
    done = home.call(*argv, stdin=VALUE.encode())
    assert (done.status, VALUE in done.err) == (4, False)
    options = ("--database", "/no/such/x.db") if "--database" in argv else ()
    found = home.call("get", done.rescued, *options)
    assert (found.status, found.out) == (DENIED, b""), found
    assert home.call("rescue", "list", "--json", *options).out.count(b"hunter") == 0
    assert home.call("get", done.rescued, "--reveal", *options).out == VALUE.encode()
    if not options:
        assert home.call("copy", done.rescued, "p.n.arrived").status == 0
        assert is_hidden(home, "p.n.arrived")


@pytest.mark.parametrize("words", [("--if-rev", "777"), ("--if-absent",), ("--if-value", "other")])
def test_what_was_sent_over_a_secret_is_rescued_as_one(full: Home, words: tuple[str, ...]) -> None:
    """It would have become one, though nothing in the call says so."""
    done = full.call("set", "app.config.db-url", *words, stdin=VALUE.encode())
    assert done.status == 4
    assert is_hidden(full, done.rescued)
    done = full.call("set", "app.config.host", *words, stdin=b"open")
    assert full.call("get", done.rescued).out == b"open"


def test_what_is_rescued_of_anything_else_is_none(home: Home) -> None:
    done = home.call("set", "bad..k", stdin=b"open")
    assert home.call("get", done.rescued).out == b"open"
    reason = json.loads(home.call("rescue", "list", "--json").out)[0]["reason"]
    done = home.call("set", "bad..k", "--secret", stdin=b"hidden")
    assert [row["reason"] for row in json.loads(home.call("rescue", "list", "--json").out)] == [reason, reason]


def test_out_of_the_spool_it_is_one_still(home: Home) -> None:
    """Content that no database took is a file; copied from there it is a secret as well."""
    home.call("set", "p.n.k", "v")
    home.database.write_bytes(b"no database at all" * 100)
    done = home.call("set", "p.n.k", "--secret", stdin=VALUE.encode())
    assert done.status == 4
    home.wipe()
    assert home.call("get", done.rescued).status == DENIED
    assert home.call("copy", done.rescued, "p.n.k").status == 0
    assert is_hidden(home, "p.n.k")


@pytest.mark.parametrize("kind", ["ndjson", "tsv", "env", "stream", "fs"])
def test_an_export_wants_to_be_told(full: Home, kind: str) -> None:
    """All or nothing: refused before the first byte; and with --reveal, what comes back are secrets."""
    full.call("set", "app.config.ends", VALUE, "--secret", "--ttl", "1h")
    full.call("set", "app.config.zz", "last")
    # More than is gathered before it is written.
    full.call("set", "app.config.aa", "-", stdin=b"first" * 50_000)
    verb, options = ("export-fs", ()) if kind == "fs" else ("export", ("--format", kind))
    done = full.call(verb, "app.config", *options, "--output", "out")
    assert (done.status, done.out, (full.folder / "out").exists()) == (DENIED, b"", False)
    assert "app.config.db-url is a secret" in done.err
    if kind != "fs":
        assert full.call(verb, "app.config", *options).out == b""
    assert full.call(verb, "app.config", *options, "--output", "out", "--reveal").status == 0
    before = full.call("scan", "app.config", "--json", "--reveal").out
    full.call("set", "app.open.k", "v")
    for key in ("aa", "db-url", "ends", "host", "zz"):
        full.call("del", f"app.config.{key}")
    assert full.call("import-fs" if kind == "fs" else "import", "out", *options).status == 0
    after = full.call("scan", "app.config", "--json", "--reveal").out
    assert told(after) == told(before)
    dry = full.call("import-fs" if kind == "fs" else "import", "out", *options, "--dry-run")
    assert (dry.status, VALUE in dry.out.decode()) == (0, kind == "stream")


def told(listing: bytes) -> list[tuple[object, ...]]:
    """What counts of a listing. Not the second in which an entry ends: a stream has lifetimes from now."""
    return [(entry["address"], entry["value"], entry.get("secret"), entry["expires"] is None) for entry in json.loads(listing)]


def test_a_stream_says_what_is_a_secret(home: Home) -> None:
    done = home.call("stream", stdin=b"meta:path=p.n; a=1; meta:secret=yes; b=2; c=3; meta:secret=no; d=4;")
    assert done.status == 0
    marks = [(entry["key"], entry.get("secret", False)) for entry in json.loads(home.call("scan", "p.n", "--json").out)]
    assert marks == [("a", False), ("b", True), ("c", True), ("d", False)]
    text = home.call("scan", "p.n", "--stream", "--reveal").out
    assert text == b'meta:path=p.n;\na="1";\nmeta:secret=yes;\nb="2";\nc="3";\nmeta:secret=no;\nd="4";\n'
    assert home.call("stream", stdin=b"meta:path=p.n; meta:secret=maybe; b=2;").status == 4


def test_the_history_hides_what_it_hid(full: Home) -> None:
    """Deleted, replaced, taken back; and what stood there before it was called a secret."""
    full.call("set", "app.config.host", VALUE, "--secret")
    for address in ("app.sec.token", "app.config.db-url", "app.config.host"):
        first = full.call("history", address, "--ndjson").out.splitlines()[-1]
        revision = str(json.loads(first)["revision"])
        assert full.call("del", address).status == 0
        if address != "app.config.host":
            assert full.call("get", address, "--at", revision).status == DENIED
        assert full.call("undo", address).status == 0
        assert is_hidden(full, address)
        for form in ((), ("--json",)):
            done = full.call("get", address, "--at", revision, *form)
            assert (done.status, done.out) == (DENIED, b"")
        assert full.call("get", address, "--at", revision, "--reveal").status == 0
        for verb in ("history", "blame"):
            assert VALUE.encode() not in full.call(verb, address, "--json").out
    assert VALUE.encode() not in full.call("log", "--all", "--json").out


def test_a_backup_brings_secrets_back(full: Home) -> None:
    assert full.call("backup", "--output", "kept.tar").status == 0, full.call("help", "backup").out
    full.wipe()
    assert full.call("restore", "kept.tar").status == 0
    assert is_hidden(full, "app.config.db-url")


def test_the_helper_refuses_too(full: Home) -> None:
    for shell in ("bash", "zsh"):
        done = script(
            full,
            shell,
            'pronto get app.config.db-url; echo $?; pronto get -v X app.config.db-url; echo "$?:${X-}"; pronto get --reveal app.config.db-url',
        )
        assert done.lines == ["6", "6:", VALUE]
        assert done.err.count("is a secret") == 2


def test_it_is_asked_for_at_a_terminal_without_being_shown(home: Home) -> None:
    shell = pexpect.spawn(COMMAND, ["set", "p.n.typed", "--secret"], env=home.env, cwd=str(home.folder), encoding="utf-8", timeout=20)
    shell.expect_exact("Value of p.n.typed: ")
    shell.sendline(VALUE)
    shell.expect(pexpect.EOF)
    assert VALUE not in shell.before
    shell.close()
    assert shell.exitstatus == 0
    assert home.call("get", "p.n.typed", "--reveal").out == VALUE.encode()
    assert is_hidden(home, "p.n.typed")


def test_a_terminal_that_says_nothing_stores_nothing(home: Home) -> None:
    shell = pexpect.spawn(COMMAND, ["set", "p.n.typed", "--secret"], env=home.env, cwd=str(home.folder), encoding="utf-8", timeout=20)
    shell.expect_exact("Value of p.n.typed: ")
    shell.sendeof()
    shell.expect(pexpect.EOF)
    shell.close()
    assert shell.exitstatus == 64
    assert home.call("exists", "p.n.typed").status == 2


def test_metas_and_pins(full: Home) -> None:
    """A mark belongs to the entry of one meta."""
    full.call("set", "app.config.db-url", "open", "--meta", "acme")
    assert full.call("get", "app.config.db-url", "--meta", "acme").out == b"open"
    full.call("set", "app.config.host", VALUE, "--meta", "acme", "--secret")
    assert full.call("get", "app.config.host").out == b"localhost"
    assert full.call("get", "app.config.host", env={"PRONTO_FORCE_META": "acme"}).status == DENIED
    assert is_hidden(full, "app.config.db-url")


def test_on_a_server(home: Home, pg: Server) -> None:
    served = Database(pg)
    served.grant("")
    home.env["PRONTO_DB"] = served.url()
    home.call("set", "p.n.k", VALUE, "--secret")
    home.call("copy", "p.n.k", "p.n.copied")
    home.call("set", "p.n.k", VALUE + "2")
    assert is_hidden(home, "p.n.k")
    assert is_hidden(home, "p.n.copied")
    assert home.call("export", "p.n").status == DENIED
    done = home.call("set", "bad..k", "--secret", stdin=VALUE.encode())
    assert is_hidden(home, done.rescued)


def test_an_ordinary_get_does_not_load_what_secrets_need(home: Home) -> None:
    home.call("set", "p.n.k", "v")
    code = "import sys; sys.argv = ['prontodb', 'get', 'p.n.k']; import os; os._exit = sys.exit\nfrom prontodb.__main__ import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    print('prontodb.ops.secrets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=home.env, capture_output=True, check=True)
    assert done.stdout == b"vFalse\n"


def test_is_secret() -> None:
    from prontodb.address import Address
    from prontodb.model import SECRET, Entry

    entry = Entry("k", 1, 1, None, b"v")
    assert (is_secret(Address("p", "n", "k"), entry), is_secret(Address("p", "sec", "k"), entry)) == (False, True)
    assert not is_secret(Address("sec", "secs", "sec"), entry)
    entry.note = b"invalid-address\np.n.k"
    assert not is_secret(Address("p", "n", "k"), entry)
    entry.note = SECRET + entry.note
    assert is_secret(Address("p", "n", "k"), entry)


def test_under_contexts_too(full: Home) -> None:
    """`get` with options, `mget`, `scan` and `diff`: a layer that is a secret is one, whatever its key is otherwise."""
    full.call("set", "app.config.host__prod", VALUE, "--secret")
    full.call("set", "app.sec.token__prod", VALUE)
    for address in ("app.config.host", "app.sec.token"):
        for options in ((), ("--json",), ("--explain",), ("--default", "x"), ("--no-nul",)):
            done = full.call("get", address, "--context", "prod", *options)
            assert (done.status, done.out) == (DENIED, b"")
            assert VALUE not in done.err
        assert full.call("mget", address, "--context", "prod").status == DENIED
        assert full.call("get", address, "--context", "prod", "--reveal").out == VALUE.encode()
    for words in (("scan", "--context", "prod"), ("diff", "--context", "prod", "-")):
        for form in ((), ("--json",)):
            done = full.call(*words, "app.config", *form)
            assert done.status == 0
            assert VALUE.encode() not in done.out
            assert VALUE.encode() in full.call(*words, "app.config", "--reveal", *form).out
    assert full.call("get", "app.config.db-url", "--default", "x").status == DENIED
