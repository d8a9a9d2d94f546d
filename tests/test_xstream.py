"""The library of token streams: what is a token, what is none and where that shows, buckets, and the ways to and from other formats."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prontodb.xstream import (
    BucketMode,
    Scanner,
    Span,
    StreamError,
    Token,
    TokenBucket,
    TokenStream,
    collect,
    collect_stream,
    collect_tokens,
    from_csv,
    from_json,
    locate,
    to_csv,
    to_json,
    to_text,
    tokenize,
    tokenize_string,
)
from prontodb.xstream.scanner import BLOCK, HELD
from prontodb.xstream.tokens import read_token

ROADMAP = "user=bob; sec:pass=123; ns=animals; dog=fido; meta:p=q;"
NAMES = st.text(st.characters(exclude_categories=("Cs", "Zs", "Zl", "Zp", "Cc"), exclude_characters="=;:"), min_size=1, max_size=8)
TOKENS = st.lists(st.builds(Token, st.just("") | NAMES, NAMES, st.binary(max_size=40)), max_size=20)
BLANK = st.text(" \t\n;", max_size=3)


def triples(data: bytes) -> list[tuple[str, str, bytes]]:
    return [tuple(token) for token in tokenize(data)]  # type: ignore[misc]


def quoted(value: bytes, kind: int) -> bytes:
    """A value in one of the ways to write it."""
    if kind == 0 and b"'" not in value:
        return b"'" + value + b"'"
    if kind == 1 and re.fullmatch(rb"[^\s;'\"][^\s;]*(?:[ \t]+[^\s;]+)*", value):
        return value
    if kind == 2:
        # A backslash stands for itself where nothing that it could escape follows.
        return b'"' + re.sub(rb'\\(?=["\\]|\Z)|"', lambda found: b"\\" + found[0], value) + b'"'
    return b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Token], bytes]:
    tokens, text = draw(TOKENS), draw(BLANK).encode()
    for number, token in enumerate(tokens):
        head = f"{token.namespace}:{token.key}" if token.namespace else token.key
        last = number == len(tokens) - 1 and draw(st.booleans())
        text += head.encode() + b"=" + quoted(token.value, draw(st.integers(0, 3)))
        text += draw(st.sampled_from(["", " ", "\n", "\t "])).encode() + (b"" if last else b";" + draw(BLANK).encode())
    return tokens, text


@settings(max_examples=500)
@given(streams(), st.integers(1, 50))
def test_what_is_written_reads_back_however_it_is_cut(stream: tuple[list[Token], bytes], size: int) -> None:
    tokens, text = stream
    assert list(tokenize(text)) == tokens
    assert list(tokenize(text[at : at + size] for at in range(0, len(text), size))) == tokens


def generated(dice: random.Random) -> tuple[list[Token], bytes]:
    """Up to ten tokens with any bytes in their values, written in any of the ways."""
    tokens, text = [], b""
    for _ in range(dice.randrange(10)):
        value = dice.choice((dice.randbytes(dice.randrange(60)), bytes(dice.choices(b"a;\"'\\ \n=:", k=dice.randrange(12)))))
        token = Token(dice.choice(("", "a", "a.b")), dice.choice(("k", "key-1", "é:x" if tokens else "e")), value)
        token = token if token.namespace or ":" not in token.key else Token("n", token.key, value)
        head = f"{token.namespace}:{token.key}" if token.namespace else token.key
        text += (
            dice.choice((b"", b" ", b"\n\t", b";")) + head.encode() + b"=" + quoted(value, dice.randrange(4)) + dice.choice((b";", b" \n;"))
        )
        tokens.append(token)
    return tokens, text[:-1] if text and dice.random() < 0.3 else text


def test_ten_thousand_generated_streams_read_back_and_their_faults_are_found() -> None:
    dice = random.Random(2026)
    for _ in range(10_000):
        tokens, text = generated(dice)
        assert list(tokenize(text)) == tokens, text
        size = dice.randrange(1, 40)
        assert list(tokenize(text[at : at + size] for at in range(0, len(text), size))) == tokens, text
        spoiled = text.rstrip(b"; \n") + b";\n \xc3\xa9\xc3\xa9 =1;"
        with pytest.raises(StreamError) as caught:
            list(tokenize(spoiled))
        assert (caught.value.line, caught.value.column, caught.value.reason) == (spoiled.count(b"\n") + 1, 4, "a space before '='"), spoiled


@given(TOKENS)
def test_text_json_and_csv_read_back(tokens: list[Token]) -> None:
    resolved = list(TokenStream(Token(token.namespace or "a", token.key, token.value) for token in tokens))
    assert list(TokenStream(tokenize(to_text(resolved)))) == resolved
    for quotes in ("single", "least"):
        assert list(TokenStream(tokenize(to_text(resolved, quotes)))) == resolved
    assert list(from_csv(to_csv(resolved))) == resolved
    bucket = collect(resolved)
    assert from_json(to_json(bucket)) == bucket


GOOD = {
    b"a=b": [("", "a", b"b")],
    b"a=b\n": [("", "a", b"b")],
    b" ; ;a=b ;;\n": [("", "a", b"b")],
    b"a=": [("", "a", b"")],
    b"a=\n": [("", "a", b"")],
    b"a=;b=": [("", "a", b""), ("", "b", b"")],
    b"a=b=c": [("", "a", b"b=c")],
    b"n:a:b=c:d": [("n", "a:b", b"c:d")],
    b"a=two words ;": [("", "a", b"two words")],
    b"a=it's;": [("", "a", b"it's")],
    b"a='';b=\"\"": [("", "a", b""), ("", "b", b"")],
    b"a='one;\ntwo';": [("", "a", b"one;\ntwo")],
    b'a="say \\"hi\\" \\\\ \\n";': [("", "a", b'say "hi" \\ \\n')],
    b'a="\\\\";b="x"': [("", "a", b"\\"), ("", "b", b"x")],
    b"a='\\';b=1": [("", "a", b"\\"), ("", "b", b"1")],
    "ä:ö=ü".encode(): [("ä", "ö", "ü".encode())],
    b"a=\xff\x00\xfe": [("", "a", b"\xff\x00\xfe")],
    b"a='x' \n ; b=1": [("", "a", b"x"), ("", "b", b"1")],
    b"": [],
    b" ;\n; ": [],
}


@pytest.mark.parametrize("data", GOOD)
def test_the_grammar(data: bytes) -> None:
    assert triples(data) == GOOD[data]
    assert [tuple(token) for token in tokenize(data[at : at + 1] for at in range(len(data)))] == GOOD[data]


BAD = {
    b"a=1;\n  b": (2, 3, "a token without '='", "'b'"),
    b"a=1; b; c=2": (1, 6, "a token without '='", "'b'"),
    b"a =1": (1, 2, "a space before '='", "'a =1'"),
    b"a=1;b= 2;": (1, 7, "a space after '='", "'b= 2'"),
    b"a= ;": (1, 3, "a space after '='", "'a='"),
    b"a b=1;": (1, 2, "a space in a key", "'a b=1'"),
    b"=1;": (1, 1, "an empty key", "'=1'"),
    b"n:=1;": (1, 1, "an empty key", "'n:=1'"),
    b":k=1;": (1, 1, "nothing before the ':'", "':k=1'"),
    b"a=1;\nb='2": (2, 3, "a quote that is not closed", "'b='2'"),
    b'a=1;\nb="2\\"': (2, 3, "a quote that is not closed", "'b=\"2\\\"'"),
    b"a='1'2;": (1, 6, "something between a value and its ';': quotes, or a ';' before it, are missing", "'a='1'2'"),
    b"a=1\nb=2;": (2, 1, "something between a value and its ';': quotes, or a ';' before it, are missing", "'a=1\nb=2'"),
    b"\xff=1;": (1, 1, "a key that is not UTF-8", "'\\xff=1'"),
    "ä=1; ö".encode(): (1, 6, "a token without '='", "'ö'"),
    b"a='\n\n';b": (3, 3, "a token without '='", "'b'"),
}


@pytest.mark.parametrize("data", BAD)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_is_malformed_is_told_with_its_place(data: bytes, size: int) -> None:
    with pytest.raises(StreamError) as caught:
        list(tokenize(data[at : at + size] for at in range(0, len(data), size)))
    error = caught.value
    line, column, reason, token = BAD[data]
    assert (error.line, error.column, error.reason) == (line, column, reason)
    # Cut into pieces, less of it may be known by then.
    assert error.token == token or (size < 1000 and token.startswith(error.token.rstrip("'…")))


@settings(max_examples=300)
@given(streams(), st.integers(1, 60))
def test_a_fault_behind_anything_is_found_where_it_is(stream: tuple[list[Token], bytes], size: int) -> None:
    text = stream[1].rstrip(b"; \t\n") + b";\n"
    data = text + b"oops; z=1;"
    with pytest.raises(StreamError) as caught:
        list(tokenize(data[at : at + size] for at in range(0, len(data), size)))
    before = text.rpartition(b"\n")[0]
    assert (caught.value.line, caught.value.column) == (before.count(b"\n") + 2, 1)


@settings(max_examples=300)
@given(st.binary(max_size=60), st.integers(1, 60))
@example(b"a=\xc3\xa9;b", 3)
def test_any_bytes_give_tokens_or_one_error_however_they_are_cut(data: bytes, size: int) -> None:
    whole, parts = (outcome(chunks) for chunks in ([data], [data[at : at + size] for at in range(0, len(data), size)]))
    assert whole == parts


def outcome(chunks: list[bytes]) -> object:
    try:
        return list(tokenize(chunks))
    except StreamError as error:
        return error.line, error.column, error.reason


SECRETS = [
    b"sec:pass=hunter2 = x; y",
    b"sec:pass='hunter2",
    b"sec:pass = hunter2",
    b"sec:pass hunter2;",
    b"sec:pass='hunter2'hunter2;",
    b"sec:pass=a;hunter2;",
    b"ns=sec; hunter2;",
    b"ns='sec'; pass=1\nhunter2;",
    b"a=1\nsec:pass=hunter2;",
    b"a='1' sec:pass=hunter2;",
    b"sec :pass=hunter2; x",
    b"sec:pass='" + b"x" * HELD * 3 + b"';hunter2",
]


@pytest.mark.parametrize("data", SECRETS)
def test_no_error_shows_a_password(data: bytes) -> None:
    with pytest.raises(StreamError) as caught:
        list(tokenize([data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]))
    assert "hunter2" not in str(caught.value)


def test_the_example_of_the_roadmap_collects() -> None:
    tokens = tokenize_string(ROADMAP)
    assert len(tokens) == 5
    wanted = {"global": {"user": b"bob"}, "sec": {"pass": b"123"}, "animals": {"dog": b"fido"}, "meta": {"p": b"q"}}
    for bucket in (collect(tokens), collect_tokens(tokens, BucketMode.FLAT), collect_stream(ROADMAP.encode())):
        assert bucket.data == wanted
        assert bucket.namespaces() == list(wanted)
    assert collect(tokens).get("animals", "dog") == b"fido"
    assert collect(tokens).get("plants", "dog") is None


def test_a_prefix_counts_for_one_token_and_global_returns() -> None:
    text = b"ns=a; one=1; b:two=2; three=3; ns=global; four=4; a:five=5"
    assert collect_stream(text).data == {"global": {"four": b"4"}, "a": {"one": b"1", "three": b"3", "five": b"5"}, "b": {"two": b"2"}}
    assert [token.namespace for token in TokenStream(tokenize(text))] == ["a", "b", "a", "global", "a"]


def test_the_last_of_equal_keys_counts_and_a_prefixed_ns_is_data() -> None:
    assert collect_stream(b"a=1; a=2; n:ns=x; b=3").data == {"global": {"a": b"2", "b": b"3"}, "n": {"ns": b"x"}}


@pytest.mark.parametrize("data", [b"ns=;a=1", b"ns='a b';", b"ns=\xff;", b"ns='a:b'"])
def test_a_switch_to_nothing_is_an_error(data: bytes) -> None:
    with pytest.raises(StreamError):
        collect_stream(data)
    with pytest.raises(StreamError):
        list(TokenStream(tokenize(data)))


def test_relations_in_a_tree() -> None:
    text = b"a.b.c:k=1; a.b:k=2; a.d:k=3; e:k=4; top=5"
    for mode in (BucketMode.TREE, BucketMode.HYBRID):
        bucket = collect_stream(text, mode)
        assert bucket.children() == ["a", "e", "global"] or bucket.children() == ["global", "a", "e"]
        assert bucket.children("a") == ["a.b", "a.d"]
        assert bucket.descendants("a") == ["a.b.c", "a.b", "a.d"]
        assert bucket.siblings("a.b") == ["a.d"]
        assert bucket.siblings("e") == [name for name in bucket.children() if name != "e"]
        assert bucket.tree()["a"] == {"b": {"c": {"k": b"1"}, "k": b"2"}, "d": {"k": b"3"}}
    flat = collect_stream(text)
    for question in (flat.children, flat.descendants, flat.tree):
        with pytest.raises(ValueError, match="TREE or HYBRID"):
            question()
    assert len(flat) == 5
    assert from_json(to_json(collect_stream(text, BucketMode.TREE)), BucketMode.TREE).data == collect_stream(text).data


def test_a_tree_in_which_a_key_and_a_namespace_meet_is_an_error() -> None:
    for text in (b"a:b=1; a.b:c=2", b"a.b:c=2; a:b=1"):
        with pytest.raises(ValueError, match="both a key and a namespace"):
            collect_stream(text, BucketMode.TREE).tree()


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', '{"a": {"b": [1]}}', "nonsense", '{"a": {"b": {"value_b64": "!"}}}'])
def test_json_that_is_no_bucket_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_json(text)


def test_json_by_others_is_taken_as_it_is_spelled() -> None:
    assert from_json('{"a": {"n": 1, "t": true, "b": {"c": "d"}}}').data == {"a": {"n": b"1", "t": b"true"}, "a.b": {"c": b"d"}}
    assert list(from_csv("key,value\r\na,1\r\n")) == [Token("global", "a", b"1")]
    with pytest.raises(ValueError, match="columns"):
        list(from_csv("a,b\r\n1,2\r\n"))


@pytest.mark.parametrize("name", [("a=b", "k"), ("a", "k;"), ("a", ""), ("a:b", "k"), ("a", "k k")])
def test_names_that_no_token_can_have_are_not_written(name: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="no token can have the name"):
        list(to_text([Token(*name, b"")]))


LONG = HELD * 5 + 7


@pytest.mark.parametrize("size", [1 << 14, 1000, 65537])
@pytest.mark.parametrize(
    "value", [b"x" * LONG, b"'" + b"a;b\n" * LONG + b"'", b'"' + b'\\"\\\\\\n;' * LONG + b'"', b"two  words " * HELD + b"end", b"'x'"]
)
def test_a_long_value_is_followed_piece_by_piece(value: bytes, size: int) -> None:
    data = b"first=1; n:long=" + value + b" \n ; last=2"
    cut = [data[at : at + size] for at in range(0, len(data), size)]
    tokens = list(tokenize(cut))
    inside = value[1:-1] if value[:1] in b"'\"" else value
    wanted = inside.replace(b"\\\\", b"\0").replace(b'\\"', b'"').replace(b"\0", b"\\") if value[:1] == b'"' else inside
    assert tokens == [("", "first", b"1"), ("n", "long", wanted), ("", "last", b"2")]
    scanner = Scanner(spans=True)
    found = [token for chunk in [*cut, None] for token in (scanner.close() if chunk is None else scanner.feed(chunk))]
    span = found[1][2]
    if isinstance(span, Span):
        assert (span.size, data[span.start : span.stop], span.escaped) == (len(wanted), inside, value[:1] == b'"')
    else:
        assert span == wanted
    assert locate(cut, 2) == (1 + data.count(b"\n"), 4)


@pytest.mark.parametrize(
    ("tail", "reason", "column"),
    [(b"", "a quote that is not closed", 6), (b"' x;", "something between", 6 + LONG + 3), (b"' x", "something between", 6 + LONG + 3)],
)
def test_what_is_wrong_with_a_long_value_is_told_with_its_place(tail: bytes, reason: str, column: int) -> None:
    data = b"a=1\n;\nlong='" + b"x" * LONG + tail
    with pytest.raises(StreamError, match=reason) as caught:
        list(tokenize(data[at : at + BLOCK] for at in range(0, len(data), BLOCK)))
    assert (caught.value.line, caught.value.column) == (3, column)


def test_a_long_bare_value_with_a_new_line_in_it_is_malformed() -> None:
    data = b"long=" + b"x" * LONG + b"\nmore;"
    with pytest.raises(StreamError, match="something between") as caught:
        list(tokenize(data[at : at + BLOCK] for at in range(0, len(data), BLOCK)))
    assert (caught.value.line, caught.value.column) == (2, 1)


@pytest.mark.parametrize("blanks", [b" ", b" \n ", b"\t" * (HELD + 1)])
def test_a_long_bare_value_whose_end_comes_with_the_next_bytes(blanks: bytes) -> None:
    value = b"x" * (HELD + 10)
    assert list(tokenize([b"k=" + value + blanks, b"; b=1;"])) == [("", "k", value), ("", "b", b"1")]
    assert list(tokenize([b"k=" + value + blanks, blanks, b";", b"b=1"])) == [("", "k", value), ("", "b", b"1")]
    assert list(tokenize([b"k=" + value + blanks])) == [("", "k", value)]


def test_a_key_without_end_is_an_error() -> None:
    with pytest.raises(StreamError, match="a key of more than 65536 bytes"):
        list(tokenize(b"x" * BLOCK for _ in range(100)))


def test_an_unclosed_quote_of_any_length_takes_no_memory() -> None:
    scanner = Scanner(spans=True)
    tracemalloc.start()
    scanner.feed(b'k="')
    for _ in range(2000):
        assert not list(scanner.feed(b"x" * BLOCK))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 2 << 20
    with pytest.raises(StreamError, match="not closed"):
        scanner.close()


def test_the_place_of_a_token_is_found_by_its_number() -> None:
    data = b"a=1; b='\n2';\n c=3;" + b"".join(b"k%d=%d;\n" % (number, number) for number in range(5000))
    for number, place in ((0, (1, 1)), (1, (1, 6)), (2, (3, 2)), (3, (3, 6)), (4, (4, 1)), (4999, (4999, 1))):
        assert locate(data, number) == place


def test_the_library_knows_nothing_of_the_store() -> None:
    script = (
        "import sys, prontodb.xstream, prontodb.xstream.operators; print(*(name for name in sys.modules if name.startswith('prontodb')))"
    )
    names = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert all(name == "prontodb" or name.startswith("prontodb.xstream") for name in names)


def test_a_bucket_of_ones_own() -> None:
    bucket = TokenBucket(BucketMode.HYBRID)
    bucket.add("a", "k", b"v")
    assert list(bucket) == [Token("a", "k", b"v")]
    assert bucket != object()


PIECES = [
    b"a=1",
    b"n:b=2",
    b'k="v;w"',
    b"k='x y'",
    b'k="\\"\\\\"',
    b"k=",
    b"k=a b",
    b"ns=x",
    b";",
    b";",
    b";",
    b" ",
    b"\n",
    b'"',
    b"=",
    b":",
    b"\xff",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
@example(b'a="b" ;n:b=2;k=')
def test_the_quick_reader_and_the_careful_one_agree(text: bytes) -> None:
    """What the one expression does not match is given to the careful reader: it must not find a token there that ends."""
    scanner = Scanner()
    try:
        quick = [Token(*triple) for triple in [*scanner.feed(text), *scanner.close()]]
    except StreamError:
        return
    careful, rest = [], text.lstrip(b" \n;")
    while rest:
        found = read_token(rest, final=True)
        assert found
        careful.append(found[0])
        rest = rest[found[1] :].lstrip(b" \n;")
    assert careful == quick


@pytest.mark.parametrize(("number", "place"), [(0, (1, 1)), (1, (2, 1)), (2, (2, 5)), (7, (2, 5))])
def test_a_token_is_located_or_else_the_end(number: int, place: tuple[int, int]) -> None:
    assert locate([b"a=1;\nb=", b"2;c=3"], number) == place


@pytest.mark.parametrize(
    "token", [Token("", "", b"v"), Token("", "a b", b"v"), Token("n:m", "k", b"v"), Token("n", "k;", b"v"), Token("n", "k=", b"")]
)
def test_a_name_that_no_token_can_have_is_not_written(token: Token) -> None:
    with pytest.raises(ValueError, match="no token can have the name"):
        list(to_text([token]))


def test_json_of_a_value_that_is_none() -> None:
    bucket = collect_tokens([Token("", "k", b"v")], BucketMode.FLAT)
    bucket.add("", "k2", {7})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"not a value: \{7\}"):
        to_json(bucket)


def test_a_name_that_would_be_a_directive_says_that_it_is_none() -> None:
    tokens = [Token("", "ns", b"v"), Token("", "meta:path", b"p.n")]
    assert b"".join(to_text(tokens)) == b'global:ns="v";\nglobal:meta:path="p.n";\n'
    assert [(token.namespace, token.key) for token in TokenStream(tokenize(b"".join(to_text(tokens))))] == [
        ("global", "ns"),
        ("global", "meta:path"),
    ]
