"""`prontodb xstream`: fork, merge, gate and transform, as filters between real processes."""

from __future__ import annotations

import os
import subprocess

import pytest

from prontodb.xstream import Token, TokenStream, tokenize

from .conftest import COMMAND, Home, Result

MIXED = b"top=0; ns=a; one=1; a.b:two='2;2'; ns=global; ab=3; c:one=4"


def x(home: Home, text: bytes | None, *argv: str) -> Result:
    return home.call("xstream", *argv, stdin=text)


def names(data: bytes) -> list[str]:
    return [f"{token.namespace}:{token.key}" for token in TokenStream(tokenize(data))]


FORKS = {
    ("--in", "a"): ["a:one", "a.b:two"],
    ("--in", "global", "--in", "c"): ["global:top", "global:ab", "c:one"],
    ("--prefix", "o"): ["a:one", "c:one"],
    ("--pattern", "??"): ["global:ab"],
    ("--pattern", "a*:*o*"): ["a:one", "a.b:two"],
    ("--in", "a", "--prefix", "tw"): ["a.b:two"],
    ("--in", "none"): [],
}


@pytest.mark.parametrize("argv", FORKS)
def test_fork_takes_what_meets_all_conditions(home: Home, argv: tuple[str, ...]) -> None:
    done = x(home, MIXED, "fork", *argv, "--others", "rest")
    assert (done.status, names(done.out)) == (0, FORKS[argv])
    rest = names((home.folder / "rest").read_bytes())
    assert sorted(rest + FORKS[argv]) == sorted(names(MIXED))


def test_directives_go_both_ways(home: Home) -> None:
    done = x(home, b"meta:path=p.n; a=1; meta:ttl=60; b=2", "fork", "--prefix", "a", "--others", "rest")
    assert names(done.out) == ["meta:path", "global:a", "meta:ttl"]
    assert names((home.folder / "rest").read_bytes()) == ["meta:path", "meta:ttl", "global:b"]


def test_a_fork_of_nothing_in_particular_is_an_error_and_loses_nothing(home: Home) -> None:
    done = x(home, MIXED, "fork")
    assert (done.status, home.call("get", done.rescued).out) == (4, MIXED)
    done = x(home, MIXED, "fork", "--in", "a", "--others", "no/such/folder/file")
    assert (done.status, home.call("get", done.rescued).out) == (4, MIXED)


def test_filters_give_what_they_have_before_more_comes(home: Home) -> None:
    for argv in (("fork", "--in", "a"), ("transform", "--keys", "upper"), ("merge",), ("merge", "--by", "interleave")):
        process = subprocess.Popen([COMMAND, "xstream", *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=home.env)
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"a:one=1; a:tw")
        process.stdin.flush()
        assert process.stdout.readline().lower() == b'a:one="1";\n'
        process.stdin.write(b"o=2")
        process.stdin.close()
        assert process.stdout.read().lower() == b'a:two="2";\n'
        assert process.wait() == 0
        process.stdout.close()


def streams(home: Home, *texts: bytes) -> list[str]:
    paths = [f"s{number}" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        (home.folder / path).write_bytes(text)
    return paths


MERGED = {
    "concat": "b=1 a=1 n:x=1 a=2 c=2 n:x=2",
    "interleave": "b=1 a=2 a=1 c=2 n:x=1 n:x=2",
    "dedupe": "b=1 a=2 n:x=2 c=2",
    "priority": "b=1 a=1 n:x=1 c=2",
    "sort": "a=1 a=2 b=1 c=2 n:x=1 n:x=2",
    "namespace": "b=1 a=1 a=2 c=2 n:x=1 n:x=2",
}


@pytest.mark.parametrize("how", MERGED)
def test_merge(home: Home, how: str) -> None:
    paths = streams(home, b"b=1; a=1; n:x=1", b"a=2; ns=global; c=2; n:x=2")
    done = x(home, None, "merge", "--by", how, *paths)
    assert done.status == 0
    assert " ".join(done.out.decode().replace('"', "").replace(";", "").split()) == MERGED[how]
    piped = x(home, (home.folder / "s0").read_bytes(), "merge", "--by", how, "-", "s1")
    assert piped.out == done.out


@pytest.mark.parametrize("how", ["interleave", "dedupe", "priority", "sort", "namespace"])
def test_a_merge_that_changes_the_order_minds_directives(home: Home, how: str) -> None:
    same = streams(home, b"meta:path=p.n; b=1", b"meta:path=p.n; a=2")
    done = x(home, None, "merge", "--by", how, *same)
    assert (done.status, names(done.out)[0], sorted(names(done.out)[1:])) == (0, "meta:path", ["global:a", "global:b"])
    other = streams(home, b"meta:path=p.n; b=1", b"meta:path=q.n; a=2")
    done = x(home, None, "merge", "--by", how, *other)
    assert (done.status, done.out.replace(b"xstream-stopped-here;", b"")[:1] in (b"", b"\n")) == (64, True)
    inside = streams(home, b"a=1; meta:ttl=5; b=2", b"c=1; d=2; e=3; f=4; g=5")
    assert x(home, None, "merge", "--by", how, *inside).status == 64


def test_merge_of_a_file_that_is_not_there_or_malformed(home: Home) -> None:
    assert x(home, None, "merge", "missing").status == 64
    paths = streams(home, b"a=1", b"b=2; oops")
    done = x(home, None, "merge", *paths)
    assert (done.status, "in s1: 'oops'" in done.err) == (64, True)
    assert done.out.endswith(b"stopped-here;\noops")
    done = x(home, MIXED, "merge", "-", "-")
    assert done.status == 4


def test_a_merge_of_files_leaves_standard_input_alone(home: Home) -> None:
    streams(home, b"a=1", b"oops")
    done = home.shell("printf '%s\\n' 1 2 3 | while read -r n; do prontodb xstream merge s0 s1 --by sort >/dev/null 2>&1; echo $n; done")
    assert done.lines == ["1", "2", "3"]


GATES = {
    ("--min", "5"): "",
    ("--min", "6"): "5 tokens, fewer than 6",
    ("--max", "5"): "",
    ("--max", "4"): "5 tokens, more than 4",
    ("--in", "a", "--in", "c"): "",
    ("--in", "a", "--in", "d"): "no token in namespace 'd'",
    ("--contains", "2;"): "",
    ("--contains", "none"): "no value holds what is wanted",
    (): "",
}


@pytest.mark.parametrize("argv", GATES)
def test_a_gate_lets_all_through_as_it_came_or_nothing(home: Home, argv: tuple[str, ...]) -> None:
    done = x(home, MIXED, "gate", *argv)
    if GATES[argv]:
        assert (done.status, done.out) == (3, b"")
        assert f"The gate stays closed: {GATES[argv]}" in done.err
    else:
        assert (done.status, done.out, done.err) == (0, MIXED, "")


def test_a_gate_does_not_count_directives_and_keeps_a_malformed_stream(home: Home) -> None:
    assert x(home, b"meta:path=p.n; sec:user=u; a=1", "gate", "--min", "2").status == 3
    done = x(home, b"a=1; oops", "gate")
    assert (done.status, done.out, home.call("get", done.rescued).out) == (4, b"", b"a=1; oops")
    large = b"a='" + b"x" * (3 << 20) + b"';"
    assert x(home, large, "gate", "--max", "1").out == large
    assert not any(home.spool.iterdir())


STEPS = {
    ("--values", "upper"): b"A\xff\xc3\x89",
    ("--values", "lower"): b"a\xff\xc3\xa9",
    ("--values", "base64"): b"Yf/DqQ==",
    ("--values", "base64", "--values", "unbase64"): b"a\xff\xc3\xa9",
    ("--values", "url"): b"a%FF%C3%A9",
    ("--values", "url", "--values", "unurl"): b"a\xff\xc3\xa9",
}


@pytest.mark.parametrize("argv", STEPS)
def test_transform_values(home: Home, argv: tuple[str, ...]) -> None:
    done = x(home, b"n:key='a\xff\xc3\xa9'", "transform", *argv)
    assert list(tokenize(done.out)) == [Token("n", "key", STEPS[argv])]


def test_transform_keys_and_quotes_and_leaves_directives(home: Home) -> None:
    text = b"""meta:path=p.n; a=bare; b='it"s'; c="it's"; d=''; e='x y'"""
    assert x(home, text, "transform", "--keys", "upper").out.startswith(b'meta:path="p.n";\nA="bare";\n')
    wanted = {
        "double": b'meta:path="p.n";\na="bare";\nb="it\\"s";\nc="it\'s";\nd="";\ne="x y";\n',
        "single": b"meta:path='p.n';\na='bare';\nb='it\"s';\nc=\"it's\";\nd='';\ne='x y';\n",
        "least": b"meta:path=p.n;\na=bare;\nb=it\"s;\nc=it's;\nd='';\ne='x y';\n",
    }
    for quotes, shown in wanted.items():
        assert x(home, text, "transform", "--quotes", quotes).out == shown


@pytest.mark.parametrize(
    "argv", [("fork", "--in", "a"), ("merge",), ("transform", "--keys", "upper"), ("transform", "--values", "unbase64")]
)
def test_whoever_reads_a_stream_that_stopped_refuses_all_of_it(home: Home, argv: tuple[str, ...]) -> None:
    text = b"ns=a; one=YQ==; two=YQ==; " + b"".join(b"k%d=YWJj; " % number for number in range(5000)) + b"three=!; a:last=YQ==;"
    text = text if "unbase64" in argv else text + b"oops; more=1"
    (home.folder / "in").write_bytes(text)
    done = home.shell(f"prontodb xstream {' '.join(argv)} < in | tee out | prontodb stream; echo ${{PIPESTATUS[@]}}")
    assert done.lines == ["64 0 4"]
    assert home.run("nss").lines == ["pipe.cache"]
    out = (home.folder / "out").read_bytes()
    assert b"xstream-stopped-here" in out
    assert out.endswith(text[-30:])
    kept = [home.run("get", f"pipe.cache.{name}").out for name in home.run("keys", "pipe.cache").lines]
    assert kept == [out]


def test_a_full_disk_and_a_closed_pipe(home: Home) -> None:
    with open("/dev/full", "wb") as full:
        done = home.run("xstream", "merge", stdin=MIXED, stdout=full, stderr=subprocess.PIPE)
    assert (done.status, "Cannot write standard output" in done.err) == (1, True)
    done = home.run("xstream", "fork", "--in", "a", "--others", "/dev/full", stdin=MIXED)
    assert (done.status, "Cannot write '/dev/full'" in done.err) == (1, True)
    (home.folder / "in").write_bytes(b"a=1;" * 100_000)
    done = home.shell("set -o pipefail; prontodb xstream merge < in | head -1")
    assert (done.status, done.err, done.out) == (0, "", b'a="1";\n')


@pytest.mark.parametrize(
    "argv", [("nonsense",), ("merge", "--by", "nonsense"), ("gate", "--min", "x"), ("transform", "--values", "rot13"), ()]
)
def test_wrong_calls_keep_what_was_piped(home: Home, argv: tuple[str, ...]) -> None:
    done = x(home, MIXED, *argv)
    assert (done.status, home.call("get", done.rescued).out) == (4, MIXED)


def test_a_large_stream_through_all_of_them(home: Home) -> None:
    text = b"".join(b"n%d:k%d='%s';\n" % (number % 3, number, os.urandom(4).hex().encode()) for number in range(20_000))
    (home.folder / "in").write_bytes(text)
    line = "prontodb xstream fork --in n1 < in | prontodb xstream transform --values base64 | prontodb xstream gate --min 6000"
    done = home.shell(f"set -o pipefail; {line} | prontodb xstream transform --values unbase64 | prontodb xstream merge --by sort | md5sum")
    assert done.status == 0
    wanted = b"".join(b'n1:%s="%s";\n' % (token.key.encode(), token.value) for token in tokenize(text) if token.namespace == "n1")
    (home.folder / "wanted").write_bytes(b"".join(sorted(wanted.splitlines(keepends=True), key=lambda line: line.partition(b"=")[0])))
    assert home.shell("md5sum < wanted").out == done.out


@pytest.mark.parametrize("how", ["concat", "interleave", "sort"])
def test_streams_of_directives_alone_are_merged(home: Home, how: str) -> None:
    """What stands before the first entry stays, also where there is none."""
    (home.folder / "empty").write_bytes(b"meta:path=p.n;")
    done = x(home, b"", "merge", "--by", how, "empty", "empty")
    assert (done.status, done.err) == (0, "")
    assert {(token.namespace, token.key, token.value) for token in tokenize(done.out)} == {("meta", "path", b"p.n")}
