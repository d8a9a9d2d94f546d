"""Masking is the same wherever the pieces of the output are cut."""

from __future__ import annotations

import json
from base64 import b64encode
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prontodb.mask import MASK, Mask, forms

FEW = st.binary(max_size=40).map(lambda data: bytes(b"ab"[byte % 2] for byte in data))
VALUES = st.lists(FEW.map(lambda data: data[:6]), max_size=4)


def masked(values: list[bytes], pieces: list[bytes]) -> bytes:
    """All of it, fed in these pieces."""
    mask = Mask(values)
    return b"".join([*map(mask.feed, pieces), mask.finish()])


def plainly(values: list[bytes], text: bytes) -> bytes:
    """The same by the definition: whatever byte belongs to an occurrence is hidden; what overlaps is one mask."""
    spans = sorted(
        (at, at + max(len(value) for value in values if value and text.startswith(value, at)))
        for at in range(len(text))
        if any(value and text.startswith(value, at) for value in values)
    )
    merged: list[list[int]] = []
    for start, stop in spans:
        if merged and start < merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], stop)
        else:
            merged.append([start, stop])
    out, at = b"", 0
    for start, stop in merged:
        out, at = out + text[at:start] + MASK, stop
    return out + text[at:]


@given(values=VALUES, text=FEW, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_wherever_it_is_cut(values: list[bytes], text: bytes, cuts: list[int]) -> None:
    pieces = [text[start:stop] for start, stop in pairwise([0, *sorted(min(cut, len(text)) for cut in cuts), len(text)])]
    assert masked(values, pieces) == plainly(values, text)


@given(values=VALUES, text=FEW)
def test_byte_by_byte(values: list[bytes], text: bytes) -> None:
    assert masked(values, [text[at : at + 1] for at in range(len(text))]) == plainly(values, text)


@given(values=VALUES, pieces=st.lists(FEW, max_size=5))
def test_no_more_is_held_back_than_may_begin_a_value(values: list[bytes], pieces: list[bytes]) -> None:
    mask, seen = Mask(values), b""
    for piece in pieces:
        mask.feed(piece)
        seen += piece
        held = mask._held
        assert not held or any(value.startswith(held) and value != held for value in values if value)
        assert seen.endswith(held)


def test_what_begins_no_value_is_shown_at_once() -> None:
    mask = Mask([b"hunter2"])
    assert mask.feed(b"Password: ") == b"Password: "
    assert mask.feed(b"hun") == b""
    assert mask.feed(b"gry? ") == b"hungry? "
    assert mask.feed(b"a hunter") == b"a "
    assert mask.feed(b"2 b") == b"*** b"
    assert (mask.feed(b"hunt"), mask.finish()) == (b"", b"hunt")


@pytest.mark.parametrize(
    ("values", "text", "shown"),
    [
        ([b"abcd", b"abc"], b"abcd abc abx", b"*** *** abx"),
        ([b"abcd", b"cdef"], b"xabcdefx", b"x***x"),
        ([b"abc"], b"abcabc", b"******"),
        ([b"aa"], b"aaaaa", b"***"),
        ([], b"abc", b"abc"),
        ([b""], b"abc", b"abc"),
        ([b"\n", b"."], b"a.\nb", b"a******b"),
        ([b"a" * 5000, b"b"], b"a" * 4999 + b"b" + b"a" * 5000, b"a" * 4999 + b"***" + b"***"),
    ],
)
def test_values_that_meet(values: list[bytes], text: bytes, shown: bytes) -> None:
    assert masked(values, [text]) == shown
    assert masked(values, [text[at : at + 7] for at in range(0, len(text), 7)]) == shown


def test_as_programs_print_them() -> None:
    value = b'a "quoted"\nvalu\xc3\xa9/of lines'
    found = forms(value)
    assert {value, b64encode(value), b'a "quoted"', b"valu\xc3\xa9/of lines"} <= found
    assert json.dumps(value.decode()).encode()[1:-1] in found
    assert b"a%20%22quoted%22%0Avalu%C3%A9%2Fof%20lines" in found
    assert b64encode(b"\xff\xfe") in forms(b"\xff\xfe")
    assert b"short" not in forms(b"short\nlong enough")
