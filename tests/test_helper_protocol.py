"""What a shell and its helper say to each other: whatever is encoded is decoded, however it is cut, and nonsense is called so."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prontodb.helper.protocol import (
    BYTES,
    CALLER,
    FRAME,
    HEAD,
    NUL,
    PLAIN,
    Decoder,
    Garbled,
    Request,
    encode_refusal,
    encode_reply,
    encode_request,
)

words = st.binary(max_size=60).map(lambda word: word.replace(b"\0", b""))
requests = st.builds(
    lambda number, terminals, variables, argv: Request([b"P1", b"%d.1" % number, terminals], tuple(variables), argv),
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
    "data", [b"P2\x001.1\x0000\x000\x000\0", b"P1\x001.1\x0000\0x\x000\0", b"P1\x00" + b"1" * 21 + b"\x0000\x000\x000\0"]
)
def test_another_version_and_malformed_counts_are_nonsense(data: bytes) -> None:
    with pytest.raises(Garbled):
        Decoder().feed(data)


def test_a_request_without_an_end_is_not_waited_for() -> None:
    decoder = Decoder()
    decoder.feed(b"P1\x001.1\x0000\x000\x001\0")
    for _ in range(15):
        assert decoder.feed(b"x" * 65536) == []
    with pytest.raises(Garbled):
        decoder.feed(b"x" * 65536)


@given(st.integers(0, 255), st.binary(max_size=300), st.binary(max_size=300))
def test_a_reply_tells_its_lengths(status: int, out: bytes, err: bytes) -> None:
    reply = encode_reply(b"12345.678", status, out, err)
    head = reply[:HEAD]
    assert (head[:20].rstrip(), int(head[21:24]), int(head[44:54]), head[54:]) == (b">12345.678", status, os.getpid(), b"\n")
    if b"\0" in out + err:
        assert (head[20:21], reply[HEAD:]) == (NUL, b" " * (FRAME - HEAD))
        return
    body = out + err
    assert head[20:21] == (PLAIN if body.isascii() else BYTES)
    inside = body.isascii() and len(body) <= FRAME - HEAD
    assert reply[HEAD:] == (body.ljust(FRAME - HEAD) if inside else b" " * (FRAME - HEAD) + body)
    assert (int(head[24:34]), int(head[34:44])) == (len(out), len(err))


def test_a_refusal_has_no_body() -> None:
    assert encode_refusal(b"1.1", CALLER)[20:21] == CALLER
    assert len(encode_refusal(b"1.1", CALLER)) == FRAME
