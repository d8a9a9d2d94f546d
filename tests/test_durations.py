"""Lifetimes as people write them (DESIGN §7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prontodb.durations import LONGEST, InvalidDuration, parse, show


@given(st.integers(1, LONGEST))
def test_what_is_shown_reads_back(seconds: int) -> None:
    assert parse(show(seconds)) == parse(str(seconds)) == seconds


@pytest.mark.parametrize(("text", "seconds"), [("1", 1), ("15m", 900), ("1h30m", 5400), ("7d", 604800), ("1w2d", 777600), ("90s", 90)])
def test_these_are_lifetimes(text: str, seconds: int) -> None:
    assert parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-1", "+1", "1.5h", "m", "1h1h", "1m1h", "h1", "1 h", "1y", "²", "1_000", "9" * 19, "36501d", "9" * 5000 + "d"]
)
def test_these_are_not(text: str) -> None:
    with pytest.raises(InvalidDuration, match="Invalid lifetime"):
        parse(text)


@given(st.text(st.sampled_from("0123456789smhdw. -"), max_size=12))
def test_any_text_is_a_positive_number_or_a_clear_refusal(text: str) -> None:
    try:
        assert 0 < parse(text) <= LONGEST
    except InvalidDuration:
        pass
