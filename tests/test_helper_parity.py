"""One table of calls, good and bad, through the command, `dispatch` in process and the helper: the same status and the same bytes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from .conftest import Home, Result
from .helping import script

BIG = "x" * 9000
NAMES = [
    "p.n.k",
    "p.n.none",
    "p.n.k__ctx",
    "bad..k",
    "",
    "k",
    "n.k",
    "a.b.c.d",
    "p.n.k x",
    "p.n.bin",
    "p.n.huge",
    "é.ü.k",
    "-h",
    "p.n.text",
]
ONE = [(verb, name) for verb in ("get", "exists", "ttl", "keys", "scan") for name in NAMES]
SET = [("set", name, value) for name in ("p.n.new", "bad..k", "k", "é.ü.k") for value in ("v", "", "x\n\n", "é\\n'\"$(touch canary)", BIG)]
OPTIONS: list[tuple[str, ...]] = [
    ("get", "p.n.k", "-N"),
    ("get", "p.n.k", "--json"),
    ("get", "p.n.none", "--json"),
    ("get", "p.n.none", "-q"),
    ("get", "-p", "p", "-n", "n", "k"),
    ("-p", "p", "get", "n.k"),
    ("get", "p/n/k", "--ns-delim", "/"),
    ("get", "p.n.k", "extra"),
    ("get", "p.n.k", "--bogus"),
    ("get",),
    (),
    ("help",),
    ("help", "set"),
    ("help", "exit-codes"),
    ("help", "nonsense"),
    ("help", "errors"),
    ("help", "errors", "4", "denied"),
    ("help", "errors", "denid"),
    ("shel", "init", "bash"),
    ("set", "p.n.k", "v", "--if-rev", "x"),
    ("log", "--limit", "x"),
    ("set", "p.n.k", "v", "--file", ""),
    ("get", "p.n.k", "--default"),
    ("version",),
    ("--version",),
    ("gett", "p.n.k"),
    ("set", "p.n.opt", "v", "--ttl", "1h"),
    ("set", "p.n.opt", "v", "--ttl", "junk"),
    ("set", "p.n.opt", "--", "-v"),
    ("set", "-v", "p.n.opt", "v"),
    ("set", "p.n.file", "--file", "file.txt"),
    ("set", "p.n.file", "--file", "missing.txt"),
    ("get", "p.n.file"),
    ("get", "--from", "names.txt"),
    ("get", "--from", "names.txt", "-0"),
    ("get", "p.n.bin", "--no-nul"),
    ("get", "p.n.k", "--no-nul"),
    ("mget", "p.n.k", "p.n.none", "p.n.k"),
    ("get", "p.n.k", "--rev"),
    ("get", "p.n.none", "--rev"),
    ("get", "p.n.k", "--context", "ctx"),
    ("get", "p.n.k", "--context", "other,ctx", "--explain"),
    ("get", "p.n.k", "--context", "ctx", "--explain", "--json"),
    ("get", "p.n.k__ctx", "--context", "ctx"),
    ("get", "p.n.k", "--context", "a,,b"),
    ("get", "p.n.none", "--context", "ctx"),
    ("get", "p.n.none", "--default", "x\n"),
    ("get", "p.n.none", "--context", "ctx", "--default", "-1", "--json"),
    ("get", "--from", "names.txt", "--default", "x"),
    ("exists", "p.n.k", "--context", "ctx"),
    ("mget", "p.n.k", "p.n.none", "--context", "ctx"),
    ("keys", "p.n", "--context", "ctx"),
    ("scan", "p.n.k", "--context", "ctx", "--json"),
    ("diff", "p.n", "--context", "-", "ctx"),
    ("diff", "p.n", "--context", "-", "ctx", "--json", "--exit-code"),
    ("diff", "p.n"),
    ("set", "p.n.k", "v", "--if-absent"),
    ("set", "p.n.only", "v", "--if-absent"),
    ("set", "p.n.only", "w", "--if-value", "other"),
    ("set", "p.n.only", "w", "--if-rev", "0"),
    ("undo", "p.n.only"),
    ("get", "p.n.only"),
    ("undo", "p.n.only"),
    ("undo", "p.n.never"),
    ("undo",),
    ("get", "p.n.opt", "--at", "1"),
    ("get", "p.n.opt", "--at", "0"),
    ("get", "p.n.opt", "--at", "junk"),
    ("get", "p.n.opt", "--at", "2020-01-01T00:00"),
    ("history", "p.n.none"),
    ("blame", "p.n.none"),
    ("log", "p.none"),
    ("log", "p.n", "--all"),
    ("undo", "--actor", "nobody", "--since", "1h"),
    ("undo", "--actor", "nobody"),
    ("del", "--purge", "p.n.only"),
    ("history", "--drop", "p.n.only"),
    ("incr", "p.n.count"),
    ("incr", "p.n.count", "41"),
    ("decr", "p.n.count", "2"),
    ("incr", "p.n.text"),
    ("incr", "p.n.count", "x"),
    ("claim", "q.n.lock", "--ttl", "10m"),
    ("set", "p.n.fenced", "v", "--fence", "9999", "--lease", "q.n.lock"),
    ("set", "p.n.fenced", "v", "--fence", "", "--lease", "q.n.lock"),
    ("set", "p.n.fenced", "v", "--fence", "1"),
    ("incr", "p.n.count", "--fence", "9999", "--lease", "q.n.lock"),
    ("renew", "q.n.lock", "--token", "9999"),
    ("release", "q.n.lock", "--token", "x"),
    ("claim", "p.n.k"),
    ("claim", "bad..k"),
    ("push", "q.n.jobs", "one"),
    ("push", "q.n.jobs", "two"),
    ("push", "q.n.jobs__prod", "x"),
    ("pop", "q.n.jobs"),
    ("pop", "q.n.jobs", "--lease", "10m", "--json"),
    ("ack", "q.n.jobs", "1-2"),
    ("nack", "q.n.jobs", "junk"),
    ("pop", "q.n.jobs"),
    ("keys", "q.n.jobs"),
    ("append", "p.n.log", "one"),
    ("append", "p.n.log", "two"),
    ("get", "p.n.log"),
    ("mget", "-0", "p.n.k", "p.n.text"),
    ("mget", "p.n.bin"),
    ("mget",),
    ("set", "p.n.secret", "hush", "--secret"),
    ("set", "p.sec.token", "hush"),
    ("get", "p.n.secret"),
    ("get", "p.n.secret", "--reveal"),
    ("get", "p.sec.token", "--json"),
    ("mget", "p.sec.token", "p.n.k"),
    ("scan", "p.sec"),
    ("scan", "p.sec", "--json"),
    ("scan", "p.sec", "--env"),
    ("export", "p.sec"),
    ("copy", "p.sec.token", "p.n.secret2"),
    ("get", "p.n.secret2"),
    ("del", "p.n.secret"),
    ("del", "p.n.secret2"),
    ("run",),
    ("run", "--place", "p.none", "--", "true"),
    ("run", "--place", "p.sec", "--", "nosuch"),
    ("run", "--place", "p.n", "--context", "no such", "--", "true"),
    ("run", "--place", "p.sec", "--mask", "--", "sh", "-c", "echo $TOKEN; echo $TOKEN >&2; exit 7"),
    ("memo", "p.memo.x"),
    ("memo", "p.memo.x", "--ttl", "1h", "true"),
    ("memo", "p.memo.x", "--ttl", "1h", "--", "sh", "-c", "echo out; echo err >&2"),
    ("memo", "p.memo.x", "--ttl", "1h", "--", "sh", "-c", "echo out; echo err >&2"),
    ("memo", "p.memo.y", "--ttl", "1h", "--", "sh", "-c", "exit 9"),
    ("__complete", "p."),
    ("__complete", "p.n.k"),
    ("__complete", "bad..k"),
    ("__complete", ""),
    ("scan", "p.n", "--json"),
    ("scan", "p.n", "--env"),
    ("scan", "p.n", "--sh"),
    ("scan", "p.n", "-0"),
    ("scan", "p.n", "--stream"),
    ("keys", "p.n", "--json"),
    ("keys", "p.n.none"),
    ("ls", "p.n.k"),
    ("projects",),
    ("namespaces", "-p", "p"),
    ("nss",),
    ("nss", "--json"),
    ("wait", "p.n.k"),
    ("wait", "p.n.none", "--timeout", "0"),
    ("wait", "p.n.k = v"),
    ("wait", "--count", "p.n", "> 1", "--json"),
    ("wait",),
    ("watch", "p.n", "--timeout", "0"),
    ("watch", "p.n.huge", "--initial", "--timeout", "0", "--events", "0"),
    ("watch", "p..n"),
    ("watch", "p.none", "--events", "1", "--timeout", "0"),
    ("copy", "p.n.k", "p.n.copy"),
    ("copy", "p.n.none", "p.n.copy"),
    ("copy", "p.n.k", "bad..k"),
    ("move", "p.n.copy", "p.n.moved"),
    ("move", "p.n.copy", "p.n.moved"),
    ("del", "p.n.moved"),
    ("del", "p.n.moved"),
    ("delete", "p.n.none"),
    ("create-cache", "p.cache", "60"),
    ("create-cache", "p.cache", "junk"),
    ("set", "p.cache.x", "v"),
    ("drop-cache", "p.cache"),
    ("drop-cache", "p.cache"),
    ("expire", "p.n.k", "1h"),
    ("persist", "p.n.k"),
    ("expire", "p.n.none", "1h"),
    ("rescue", "list"),
    ("rescue", "show", "nothing"),
    ("where", "--json"),
    ("where", "--user", "bob"),
    ("get", "p.n.k", "--user", "bob"),
    ("set", "p.n.k", "bobs", "--user", "bob"),
    ("get", "p.n.k", "--user", "bob"),
    ("get", "p.n.k", "--user", "not a user"),
    ("get", "p.n.k", "--meta", "acme"),
    ("set", "p.n.k", "acmes", "--meta", "acme"),
    ("get", "p.n.k", "--meta", "acme"),
    ("get", "p.n.k", "--database", "./other.db"),
    ("set", "p.n.k", "others", "--database", "./other.db"),
    ("get", "p.n.k", "--database", "./other.db"),
    ("get", "p.n.k", "--database", "relative.db"),
    ("get", "p.n.k", "--database", "./file.txt"),
    ("get", "p.n.k", "--database", "/no/such/folder/x.db"),
    ("get", "p.n.k", "--cursor", "none"),
    ("cursor", "set", "work", "./work.db", "--meta", "acme"),
    ("cursor", "list"),
    ("set", "p.n.k", "works", "--cursor", "work"),
    ("get", "p.n.k", "--cursor", "work"),
    ("cursor", "work"),
    ("cursor", "active"),
    ("cursor", "clear"),
    ("cursor", "delete", "work"),
    ("admin", "caches"),
    ("admin", "purge"),
    ("profile", "list"),
    ("features",),
    ("features", "--json"),
    ("self-check", "extra"),
    ("help", "streams"),
    ("stream", "--from", "p.n.none"),
    ("xstream", "merge", "missing.txt"),
    ("shell", "templates"),
    ("shell", "nonsense"),
]
PIPED = [("set", name) for name in ("p.n.piped", "bad..k", "k")] + [
    ("set", "p.n.piped", "-"),
    ("set", "p.n.piped", "--fence", "7", "--lease", "q.n.lock"),
    ("push", "q.n.jobs"),
    ("push", "bad..k"),
    ("set", "bad..k", "typed"),
    ("set",),
    ("bogus",),
    ("stream",),
    ("stream", "-p", "p", "-n", "n"),
    ("stream", "--bogus"),
    ("xstream", "transform"),
    ("xstream", "gate", "--min", "1"),
]
CALLS = [
    *((call, None) for call in [*ONE, *SET, *OPTIONS]),
    *((call, b"%d piped\0content\xff\n" % number) for number, call in enumerate(PIPED)),
]
PINNED = [
    (call, None)
    for call in [
        ("get", "p.n.k"),
        ("set", "p.n.k", "v"),
        ("get", "p.n.k"),
        ("keys", "p.n"),
        ("get", "p.n.k", "--user", "bob"),
        ("get", "p.n.k", "--meta", "x"),
        ("run", "--meta", "x", "--place", "p.n", "--", "true"),
        ("memo", "p.c.x", "--ttl", "1h", "--meta", "x", "--", "true"),
        ("memo", "p.c.x", "--ttl", "1h", "--", "sh", "-c", "echo $PRONTO_FORCE_META"),
    ]
] + [(("set", "p.n.k", "--user", "bob"), b"piped"), (("get", "p.n.k", "--database", "main"), None)]
PIN = {"PRONTO_FORCE_USER": "keeper", "PRONTO_FORCE_META": "acme"}
SHELLS = ("bash", "zsh")
CHANGING = re.compile(rb"\d{10}_|\b\d+s\b")


def prepared(folder: Path) -> Home:
    """A home with something in it."""
    folder.mkdir()
    home = Home(folder)
    for name, content in (
        ("p.n.k", b"value"),
        ("p.n.k__ctx", b"over\n"),
        ("p.n.bin", bytes(range(256))),
        ("p.n.huge", b"\xc3\xa9\n" * 100_000),
    ):
        assert home.call("set", name, "-", stdin=content).status == 0
    assert home.call("set", "p.n.text", "\x01\x1e\x1f\t\udcff\udcfe\n\n").status == 0
    (folder / "file.txt").write_text("from a file\n")
    (folder / "names.txt").write_text("p.n.k\np.n.none\np.n.k__ctx\n")
    return home


def told(home: Home, result: Result) -> tuple[int, bytes, bytes]:
    """What counts of a result: not the folder, the second and the moment."""
    here = str(home.folder).encode()
    out, err = (CHANGING.sub(b"T", data.replace(here, b"HOME")) for data in (result.out, result.err.encode()))
    return result.status, out, err


def through_shell(home: Home, shell: str, calls: list[tuple[tuple[str, ...], bytes | None]], env: dict[str, str]) -> list[Result]:
    """Every call by the function, in one shell."""
    lines = [f"export {name}={value}" for name, value in env.items()]
    for number, (argv, stdin) in enumerate(calls):
        feed = "</dev/null" if stdin is None else ""
        if stdin is not None:
            (home.folder / f"in.{number}").write_bytes(stdin)
        before = "" if stdin is None else f"command cat in.{number} | "
        lines.append(f"{before}pronto {shlex.join(argv)} {feed} >out.{number} 2>err.{number}; echo $?")
    done = script(home, shell, "\n".join(lines))
    assert done.err == ""
    return [
        Result(int(status), (home.folder / f"out.{number}").read_bytes(), (home.folder / f"err.{number}").read_bytes())
        for number, status in enumerate(done.lines)
    ]


@pytest.mark.parametrize(("calls", "env"), [(CALLS, {}), (PINNED, PIN)], ids=["free", "pinned"])
def test_every_door_says_the_same(tmp_path: Path, calls: list[tuple[tuple[str, ...], bytes | None]], env: dict[str, str]) -> None:
    assert len(CALLS) + len(PINNED) >= 150
    homes = {name: prepared(tmp_path / name) for name in ("command", "dispatch", *SHELLS)}
    by_helper = {shell: through_shell(homes[shell], shell, calls, env) for shell in SHELLS}
    for number, (argv, stdin) in enumerate(calls):
        command = told(homes["command"], homes["command"].run(*map(_bytes, argv), stdin=stdin, env=env))
        assert told(homes["dispatch"], homes["dispatch"].call(*argv, stdin=stdin, env=env)) == command, argv
        for shell in SHELLS:
            assert told(homes[shell], by_helper[shell][number]) == command, (shell, argv)
    assert not list(tmp_path.glob("*/canary"))


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogateescape")
