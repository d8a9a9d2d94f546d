"""The conditions of `wait`, as text and as what they mean."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prontodb.conditions import ABSENT, OPERATORS, PRESENT, Amount, Condition, MalformedCondition, number, parse, parse_amount

ADDRESSES = st.from_regex(r"[a-z]{1,3}(\.[a-z0-9_/@+%-]{1,4}){0,2}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9)


@given(ADDRESSES, st.sampled_from(["==", "!="]), TEXTS)
def test_what_is_written_reads_back(address: str, operator: str, operand: str) -> None:
    found = parse(str(Condition(address, operator, operand.encode())))
    assert (found.address, found.operator, found.operand) == (address, operator, operand.encode())


@given(ADDRESSES, st.sampled_from([PRESENT, ABSENT]))
def test_conditions_without_a_value_read_back(address: str, operator: str) -> None:
    found = parse(str(Condition(address, operator)))
    assert (found.address, found.operator, found.operand) == (address, operator, b"")


@given(ADDRESSES, st.sampled_from(OPERATORS), st.integers(), st.sampled_from(["", " ", "  ", "\t"]))
def test_white_space_is_free(address: str, operator: str, operand: int, space: str) -> None:
    tight, loose = parse(f"{address}{operator}{operand}"), parse(f"{space}{address}{space}{operator}{space}{operand}{space}")
    assert str(tight) == str(loose) == f"{address} {operator} {operand}"


@given(st.text(max_size=40))
def test_any_text_is_a_condition_or_an_error_with_a_column(text: str) -> None:
    try:
        assert str(parse(str(parse(text)))) == str(parse(text))
    except MalformedCondition as error:
        assert "column " in error.message
        assert error.cure


@given(NUMBERS, NUMBERS)
def test_orders_are_those_of_numbers(left: Decimal, right: Decimal) -> None:
    held = {operator for operator in ("<", "<=", ">", ">=") if parse(f"a {operator} {right:f}").holds(f" {left:f}\n".encode())}
    assert held == ({"<", "<="} if left < right else {">", ">="} if left > right else {"<=", ">="})


@pytest.mark.parametrize(
    ("text", "true", "false"),
    [
        ("a", [b"", b"v"], [None]),
        ("! a", [None], [b"", b"v"]),
        ("a == v", [b"v", b"v\n", b"v\n\n"], [None, b"", b"V", b"v ", b"\nv", b"vv"]),
        ("a == ''", [b"", b"\n"], [None, b" "]),
        ("a != v", [b"", b"w"], [None, b"v", b"v\n"]),
        ('a == "two words"', [b"two words"], [b"two"]),
        ("a == 'it''s'", [], []),
        (r'a == "say \"no\" \\ \n"', [rb'say "no" \ \n'], []),
        ("a == =", [b"="], [b""]),
        ("a==b=c", [b"b=c"], []),
        ("a != !", [b""], [b"!"]),
        ("a >= 8", [b"8", b" 9\n", b"8.0", b"10", b"9" * 90], [None, b"", b"7", b"7.999", b"eight", b"8x", b"1e9", b"+9", b"0x9", b"\xd9\xa9", b"9" * 101]),
        ("a < -1.5", [b"-2", b"-1.51"], [b"-1.5", b"0", b"-", b"--2"]),
        ("a > 0.1", [b"0.10000000000000000000000000000000000000001"], [b"0.1", b"0.10"]),
    ],
)  # fmt: skip
def test_when_it_holds(text: str, true: list[bytes | None], false: list[bytes | None]) -> None:
    if not true and not false:
        with pytest.raises(MalformedCondition):
            parse(text)
        return
    condition = parse(text)
    assert [condition.holds(value) for value in true] == [True] * len(true)
    assert [condition.holds(value) for value in false] == [False] * len(false)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "an address"),
        ("   ", 4, "an address"),
        ("!", 2, "an address"),
        ("== done", 1, "an address"),
        ("a.b.c = done", 7, "to be equal is =="),
        ("a.b.c is done", 7, "one of =="),
        ("a.b.c ==", 9, "a value is wanted"),
        ("a.b.c == two words", 14, "goes into quotes"),
        ("a.b.c == 'open", 10, "not closed"),
        ('a.b.c == "open\\"', 10, "not closed"),
        ("a.b.c < many", 9, "a number"),
        ("a.b.c >= ''", 10, "a number"),
        ("! a.b.c == x", 9, "nothing is wanted"),
        ("a.b.c => 8", 7, "one of =="),
    ],
)
def test_an_error_says_where(text: str, column: int, words: str) -> None:
    with pytest.raises(MalformedCondition) as caught:
        parse(text)
    assert f"column {column}," in caught.value.message
    assert words in caught.value.message
    assert caught.value.cure.startswith("prontodb wait '")


def test_amounts() -> None:
    held = {
        text: [count for count in range(5) if parse_amount(text).holds(count)] for text in ("== 2", "!=2", " < 2 ", "<=2", ">2", ">= 2")
    }
    assert list(held.values()) == [[2], [0, 1, 3, 4], [0, 1], [0, 1, 2], [3, 4], [2, 3, 4]]
    assert str(Amount(">=", 8)) == str(parse_amount(">=8")) == ">= 8"
    for text in ("8", ">= -1", ">= x", ">= 1.5", ">=", "", ">= 8 9", ">= ²", "= 8"):
        with pytest.raises(MalformedCondition, match="column"):
            parse_amount(text)


def test_a_delimiter_may_be_a_mark_of_operators() -> None:
    assert parse("a=b=c == v", "=").address == "a=b=c"
    assert parse("a!b!c", "!").address == "a!b!c"


def test_numbers_are_exact_and_bounded() -> None:
    assert number(b"0.1") == Decimal("0.1")
    assert number(b" -12 \n") == -12
    assert [number(text) for text in (b"", b"1.", b".5", b"1_0", b"NaN", b"Infinity", b"1" * 10_000)] == [None] * 7
