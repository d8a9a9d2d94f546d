"""The commonest mistakes: each has its status, and a message that says what is wrong in words that were chosen for it."""

from __future__ import annotations

import shlex

import pytest

from .conftest import Home

MISTAKES = [
    ("get", 64, "Missing argument 'ADDRESS'", ""),
    ("set", 64, "Missing argument 'ADDRESS'", ""),
    ("set p.n.k", 64, "Nothing came in for p.n.k", ""),
    ("get p.n.k extra", 64, "Got unexpected extra argument (extra)", ""),
    ("set p.n.k two words", 64, "Got unexpected extra argument (words)", ""),
    ("get p.n.none", 2, "No such key: p.n.none", ""),
    ("gte p.n.k", 64, "Unknown verb 'gte'", "did you mean prontodb get?"),
    ("sett p.n.k v", 64, "Unknown verb 'sett'", "did you mean prontodb set?"),
    ("list", 64, "Unknown verb 'list'", "did you mean prontodb keys?"),
    ("rm p.n.k", 64, "Unknown verb 'rm'", "did you mean prontodb del?"),
    ("delete", 64, "Missing argument 'ADDRESS'", ""),
    ("put p.n.k v", 64, "Unknown verb 'put'", "did you mean prontodb set?"),
    ("get p..k", 64, "Invalid address 'p..k': its namespace is empty", ""),
    ("get a.b.c.d", 64, "Invalid address 'a.b.c.d': it has 4 parts, an address has three: project.namespace.key", ""),
    ("get 'p.n.k x'", 64, "Invalid address 'p.n.k x': the key 'k x' may hold letters, digits and _ - / @ + %", ""),
    ("get p.n.k --ttl 5", 64, "No such option '--ttl'", ""),
    ("set p.n.k v --ttl", 64, "Option '--ttl' requires an argument", ""),
    ("set p.n.k v --ttl 5x", 64, "Invalid lifetime '5x': seconds, or parts such as 15m, 1h30m, 7d are wanted", ""),
    ("set p.n.k v --ttl 0", 64, "Invalid lifetime '0': it must be longer than zero", ""),
    ("set p.n.k v --ttl -5", 64, "Invalid lifetime '-5': seconds, or parts such as 15m, 1h30m, 7d are wanted", ""),
    ("set p.n.k -v", 64, "Nothing came in for p.n.k", ""),
    ("exists", 64, "Missing argument 'ADDRESS'", ""),
    ("keys p.n.k.x", 64, "Invalid address 'p.n.k.x': a place is project.namespace or project.namespace.prefix", ""),
    ("keys p..", 64, "Invalid address 'p..': its namespace is empty", ""),
    ("get p.n.k --cursor none", 64, "Unknown cursor 'none'", ""),
    (
        "get p.n.k --database bad_name",
        64,
        "Invalid database 'bad_name': a name is a letter, then letters, digits and '-'; a path starts with / or ./",
        "",
    ),
    ("get p.n.k --database redis://x", 64, "Invalid database: no engine for 'redis://'", ""),
    ("get p.n.k --user 'a b'", 64, "Invalid user 'a b': letters and digits, a letter first, at most 32", ""),
    ("--bogus get p.n.k", 64, "No such option '--bogus'", ""),
    ("get p.n.k --usr bob", 64, "No such option '--usr'", ""),
    ("shell", 64, "Missing command", ""),
    ("shell init", 64, "Missing argument 'SHELL'. Choose from: bash, zsh", ""),
    ("shell init fish", 64, "Invalid value for 'SHELL': 'fish' is not one of 'bash', 'zsh'", ""),
    ("shell wrapper x", 64, "Missing argument 'SHELL'. Choose from: bash, zsh", ""),
    ("--bogus shell init bash", 64, "No such option '--bogus'", ""),
    ("shell bogus", 64, "Unknown verb 'bogus'", ""),
    ("cursor use none", 64, "Unknown cursor 'none'", ""),
    ("cursor sett x", 64, "Got unexpected extra argument (x)", ""),
    ("profile show none", 64, "Unknown profile 'none'", ""),
    ("help bogus", 64, "No help on 'bogus'", "topics are addresses"),
    ("help sett", 64, "No help on 'sett'", "did you mean prontodb help settings?"),
    ("help shell iniit", 64, "No help on 'shell iniit'", "did you mean prontodb help shell init?"),
    ("help get extra", 64, "No help on 'get extra'", "prontodb help get is all"),
    ("help errors xyzzy", 64, "No help on 'errors xyzzy'", "prontodb help errors lists"),
    ("help errors denid", 64, "No help on 'errors denid'", "did you mean prontodb help errors denied?"),
    ("get help", 2, "No such key: default.default.help", ""),
    ("incr p.n.k", 3, "p.n.k does not hold an integer", ""),
    ("incr p.n.c x", 64, "Invalid number 'x': digits are wanted, at most 18, with or without '-'", ""),
    ("ttl", 64, "Missing argument 'ADDRESS'", ""),
    ("expire p.n.k", 64, "Missing argument 'D'", ""),
    ("expire p.n.none 5", 2, "No such key: p.n.none", ""),
    ("copy p.n.k", 64, "Missing argument 'DESTINATION'", ""),
    ("copy p.n.k p.n.k", 64, "Source and destination are the same: p.n.k", ""),
    ("move p.n.none p.n.x", 2, "No such key: p.n.none", ""),
    ("create-cache p", 64, "Invalid address '': a namespace is project.namespace, or namespace with -p, or given by -n", ""),
    ("drop-cache p.none", 2, "No cache: p.none has no default lifetime", ""),
    ("rescue show none", 2, "Nothing rescued as: pipe.cache.none", ""),
    ("stream --bogus", 64, "No such option '--bogus'", ""),
    ("import nofile", 64, "Cannot read 'nofile': No such file or directory", ""),
    ("get --from nofile", 64, "Cannot read 'nofile': No such file or directory", ""),
    ("set p.n.k --file nofile", 64, "Cannot read 'nofile': No such file or directory", ""),
    ("admin", 64, "Missing command", ""),
    ("admin purg", 64, "Unknown verb 'purg'", "did you mean prontodb admin purge?"),
    ("wait p.n.k = v", 64, "A condition is one argument: quotes go around the whole of it", ""),
    ("mget", 64, "Missing argument 'ADDRESS...'", ""),
    ("restore nofile", 64, "There is no backup nofile", ""),
    ("Get p.n.k", 64, "Unknown verb 'Get'", "did you mean prontodb get?"),
    ("-p p", 64, "Missing command", ""),
    ("set p.n.k v --if-rev x", 64, "Invalid value for '--if-rev': 'x' is not a valid integer range", ""),
    ("set p.n.k v --if-absent", 3, "p.n.k exists already", ""),
]
"""The call, its status, what the first line has in it, and what the cure has."""


@pytest.mark.parametrize(("call", "status", "words", "cure"), MISTAKES, ids=[call for call, *_ in MISTAKES])
def test_a_mistake_is_explained(home: Home, call: str, status: int, words: str, cure: str) -> None:
    home.call("set", "p.n.k", "v")
    done = home.call(*shlex.split(call))
    first, _, rest = done.err.partition("\n")
    assert (done.status, first.startswith("prontodb: ")) == (status, True)
    assert words in first.replace(f"{home.folder}/", "")
    assert cure in rest
    assert "\\x0a" not in done.err
    assert status != 64 or "Cure: " in rest or "same" in first
    assert home.call("get", "p.n.k").out == b"v"


def test_there_are_fifty_of_them() -> None:
    assert len(MISTAKES) >= 50


def test_a_wrong_option_before_a_call_for_shell_code_is_no_success(home: Home) -> None:
    for call in ("prontodb --bogus shell init bash", "prontodb shell --bogus init bash", "prontodb shell init bash --bogus"):
        assert home.shell(f'eval "$({call} 2>/dev/null)"; echo $?').lines == ["1"]
    assert home.call("--bogus", "set", "p.n.k", "shell").out == b""
