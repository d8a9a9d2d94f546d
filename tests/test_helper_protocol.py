"""What a shell and its helper say to each other: whatever is encoded is decoded, however it is cut, and nonsense is called so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from prontodb.environment import ALWAYS
from prontodb.helper.protocol import (
    CALLER,
    FRAME,
    HEAD,
    LONG,
    NUL,
    PLACE,
    ROOM,
    SHORT,
    UNIT,
    Decoder,
    Garbled,
    Request,
    encode_refusal,
    encode_reply,
    encode_request,
    placed,
)
from prontodb.paths import resource

words = st.binary(max_size=60).map(lambda word: word.replace(b"\0", b""))
requests = st.builds(
    lambda number, terminals, variables, argv: Request(b"%d.1" % number, terminals, tuple(filter(None, variables)), argv),
    st.integers(1, 4_000_000),
    st.sampled_from([b"00", b"01", b"10", b"11"]),
    st.lists(words, max_size=4),
    st.lists(words, max_size=6),
)


def same(one: Request, other: Request) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in Request.__slots__)


@given(st.lists(requests, max_size=4), st.lists(st.integers(1, 50), min_size=1))
def test_requests_are_found_however_the_bytes_are_cut(calls: list[Request], cuts: list[int]) -> None:
    data = b"".join(encode_request(call) for call in calls)
    decoder, found, number = Decoder(), [], 0
    while data:
        size = cuts[number % len(cuts)]
        found += decoder.feed(data[:size])
        data, number = data[size:], number + 1
    assert len(found) == len(calls)
    assert all(same(one, other) for one, other in zip(found, calls, strict=True))


@given(st.binary(max_size=200))
def test_nonsense_is_no_request(data: bytes) -> None:
    """Whatever comes, it is a request, the beginning of one, or `Garbled`; never another error."""
    try:
        Decoder().feed(data)
    except Garbled:
        pass


@pytest.mark.parametrize(
    "data",
    [
        b"P1\x001.1\x0000\x000\x000\0",
        b"P1 1.1 00 0\0\x001.1\0",
        b"P4 1.1 00 x\0\x001.1\0",
        b"P4 1.1 00\0\x001.1\0",
        b"P4 1.1 00 1 1\0\x001.1\0",
        b"P4 " + b"1" * 20 + b" 00 0\0\0" + b"1" * 20 + b"\0",
    ],
)
def test_another_version_and_malformed_heads_are_nonsense(data: bytes) -> None:
    with pytest.raises(Garbled):
        Decoder().feed(data)


@given(requests.filter(lambda call: call.words), requests)
def test_a_request_that_was_cut_never_takes_words_from_the_next(first: Request, second: Request) -> None:
    """A caller that is interrupted in the middle of a write: whatever comes then, nothing is made of both."""
    first.whose, second.whose = b"7.1", b"7.2"
    first.caller = second.caller = b"7"
    assume(first.whose not in second.words)
    whole = encode_request(first)
    for cut in range(1, len(whole)):
        try:
            found = Decoder().feed(whole[:cut] + encode_request(second))
        except Garbled:
            continue
        assert not found or (len(found) == 1 and same(found[0], second)), whole[:cut]


def test_a_request_without_an_end_is_not_waited_for() -> None:
    decoder = Decoder()
    decoder.feed(b"P4 1.1 00 1\0\0")
    for _ in range(15):
        assert decoder.feed(b"x" * 65536) == []
    with pytest.raises(Garbled):
        decoder.feed(b"x" * 65536)


@given(st.integers(0, 255), st.binary(max_size=300), st.binary(max_size=300))
def test_a_reply_tells_its_lengths(status: int, out: bytes, err: bytes) -> None:
    reply, rest = encode_reply(b"12345.678", status, out, err)
    body = out + err
    kind = NUL if b"\0" in body else SHORT if body.isascii() and len(body) <= ROOM else LONG
    assert (reply[1:3], int(reply[3:6]), reply[0] - 48) == (b">" + kind, status, (len(reply) if kind == SHORT else FRAME) / UNIT)
    if kind == NUL:
        assert (len(reply), int(reply[6:16]), int(reply[35:45]), rest) == (FRAME, 0, 0, b"")
    elif kind == SHORT:
        assert (int(reply[6:9]), reply[9:28].rstrip(), int(reply[28:31]), rest) == (len(err), b"12345.678", len(out), b"")
        assert reply[HEAD:].ljust(len(body)) == body.ljust(len(reply) - HEAD)
    else:
        assert (int(reply[6:16]), reply[16:35].rstrip(), int(reply[35:45])) == (len(err), b"12345.678", len(out))
        assert rest == b"12345.678\0" + out + b"\0" + err + b"\0"
        whole = placed(reply, b"4194304/fd/1023")
        assert (whole[:PLACE], whole[PLACE:].rstrip(), len(whole)) == (reply[:PLACE], b"4194304/fd/1023", FRAME)


def test_a_refusal_has_no_body() -> None:
    assert encode_refusal(b"1.1", CALLER)[1:3] == b">" + CALLER
    assert len(encode_refusal(b"1.1", CALLER)) == FRAME


@pytest.mark.parametrize(
    ("out", "err", "kind"),
    [
        (b"x" * ROOM, b"", SHORT),
        (b"x" * ROOM, b"e", LONG),
        (b"", b"e" * (ROOM + 1), LONG),
        (b"\xc3\xa9", b"", LONG),
        (b"x" * 5000, b"\xff", LONG),
        (b"a", b"\0", NUL),
    ],
)
def test_each_reply_is_of_the_kind_that_fits_it(out: bytes, err: bytes, kind: bytes) -> None:
    reply, rest = encode_reply(b"1.1", 0, out, err)
    assert (reply[2:3], int(reply[:1]) * UNIT) == (kind, len(reply) if kind == SHORT else FRAME)
    assert rest == b"1.1\0" + out + b"\0" + err + b"\0" if kind == LONG else not rest


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_shells_send_what_is_always_sent(shell: str) -> None:
    """Every request of theirs, and nothing besides: `environment.ALWAYS` is spelled out where the calls of loops are."""
    text = Path(resource("shell"), f"helper.{shell}").read_text()
    requests = re.findall(r'(\$\{HOME\+.*?)"\$\{__pronto_sent\[@\]\}"', text, re.DOTALL)
    assert len(requests) == 2
    for sent in requests:
        assert re.findall(r'\$\{(\w+)\+"\1=\$\1"\}', sent) == list(ALWAYS)
        assert re.findall(r"\$\{(\w+)", sent) == list(ALWAYS)


def test_bash_notices_when_what_is_always_sent_changes() -> None:
    """By a text that it compares with that of the call before."""
    text = Path(resource("templates"), "gather.j2").read_text()
    assert f"text='{'|'.join(f'${{{name}-}}' for name in ALWAYS)}'" in text
