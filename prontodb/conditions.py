r"""Conditions as `wait` takes them: `p.job.state == done`, `p.build.count >= 8`, `! p.lock.deploy`, `p.job.result`. Pure.

    condition   ADDRESS                      there is such an entry
                ! ADDRESS                    there is none
                ADDRESS == VALUE, != VALUE   it is there, and its text is this one, or another
                ADDRESS < N, <= > >=         it is there, and is a number for which this holds
    VALUE       a word, or text in '…' as it stands, or in "…" with the escapes \" and \\

White space around an operator may be left out. A comparison with what is not there, or a number's with what is none, does not hold.
"""

import re
from decimal import Decimal

from .errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PRESENT, ABSENT = "", "!"
EQUALITIES = ("==", "!=")
_ORDERS: "dict[str, Callable[[Decimal, Decimal], bool]]" = {
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
}
OPERATORS = (*EQUALITIES, *_ORDERS)
"""Longer ones before those that they begin with."""
_MARKS = "=!<>"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
LONGEST = 100
"""Characters of a number; what is longer is none."""
EXAMPLE = "prontodb wait 'work.job.state == done'"
COUNT_EXAMPLE = "prontodb wait --count work.results '>= 8'"


class MalformedCondition(UsageError):
    """A condition of `wait` that cannot be read; the message says from which column on."""

    slug = "malformed-condition"


class Condition:
    """What is to hold of one entry. `operator` is PRESENT, ABSENT or one of OPERATORS, and `operand` what stands behind it."""

    __slots__ = ("address", "operand", "operator")

    def __init__(self, address: str, operator: str, operand: bytes = b"") -> None:
        self.address = address
        self.operator = operator
        self.operand = operand

    @property
    def by_value(self) -> bool:
        """Whether the value matters, and not only that there is one."""
        return self.operator in OPERATORS

    def holds(self, value: bytes | None) -> bool:
        """Whether it holds of an entry with this value; None: there is no entry."""
        if self.operator == ABSENT or value is None:
            return (value is None) is (self.operator == ABSENT)
        if self.operator in EQUALITIES:
            return (_text(value) == _text(self.operand)) is (self.operator == "==")
        if self.operator in _ORDERS:
            left, right = number(value), number(self.operand)
            return left is not None and right is not None and _ORDERS[self.operator](left, right)
        return True

    def __str__(self) -> str:
        if not self.by_value:
            return f"{self.operator} {self.address}".strip()
        return f"{self.address} {self.operator} {_quoted(self.operand.decode('utf-8', 'surrogateescape'))}"


class Amount:
    """What is to hold of a number of entries."""

    __slots__ = ("least", "operator")

    def __init__(self, operator: str, least: int) -> None:
        self.operator = operator
        self.least = least

    def holds(self, count: int) -> bool:
        """Whether it holds of so many."""
        if self.operator in EQUALITIES:
            return (count == self.least) is (self.operator == "==")
        return _ORDERS[self.operator](Decimal(count), Decimal(self.least))

    def __str__(self) -> str:
        return f"{self.operator} {self.least}"


def parse(text: str, delim: str = ".") -> Condition:
    """The condition that `text` spells; the address in it is not looked at yet. Raises `MalformedCondition`."""
    reader = _Reader(text, EXAMPLE)
    if reader.takes(ABSENT, but="!="):
        condition = Condition(reader.address(delim), ABSENT)
    else:
        address = reader.address(delim)
        operator = reader.operator() if reader.more() else PRESENT
        condition = Condition(address, operator, _operand(reader, operator) if operator else b"")
    reader.end()
    return condition


def parse_amount(text: str) -> Amount:
    """What `--count PLACE` is given: an operator and a whole number, such as `>= 8`. Raises `MalformedCondition`."""
    reader = _Reader(text, COUNT_EXAMPLE)
    operator = reader.operator()
    at = reader.at
    digits = reader.value()
    if not (digits.isascii() and digits.isdigit() and len(digits) < LONGEST):
        raise reader.no("a whole number is wanted here", at)
    reader.end()
    return Amount(operator, int(digits))


def number(value: bytes) -> Decimal | None:
    """The decimal number that a value spells, white space around it aside; None where it spells none."""
    text = value.strip() if len(value) <= 2 * LONGEST else b""
    shown = text.decode("ascii", "replace")
    return Decimal(shown) if len(shown) <= LONGEST and _NUMBER.match(shown) else None


def _operand(reader: "_Reader", operator: str) -> bytes:
    reader.space()
    at = reader.at
    value = reader.value().encode("utf-8", "surrogateescape")
    if operator in _ORDERS and number(value) is None:
        raise reader.no(f"a number is wanted after {operator}, such as 8, -1 or 2.5", at)
    return value


def _text(value: bytes) -> bytes:
    """A value as `$(…)` gives it: the newlines at its end, which `echo` adds, are not part of what it says."""
    return value.rstrip(b"\n")


def _quoted(text: str) -> str:
    if text and text[0] not in "'\"" and not any(mark.isspace() for mark in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Reader:
    """Goes along a text; `at` is where it stands, counted from 0."""

    def __init__(self, text: str, example: str) -> None:
        self._text = text
        self._example = example
        self.at = 0

    def no(self, why: str, at: int | None = None) -> MalformedCondition:
        """The error for what stands here, or at `at`."""
        at = self.at if at is None else at
        found = f", before {self._text[at : at + 12]!r}" if at < len(self._text) else ", at its end"
        return MalformedCondition(f"Malformed condition '{self._text}': column {at + 1}{found}: {why}", cure=self._example)

    def space(self) -> None:
        """Goes over white space."""
        while self._text[self.at : self.at + 1].isspace():
            self.at += 1

    def more(self) -> bool:
        """Whether anything follows but white space, to which it goes."""
        self.space()
        return self.at < len(self._text)

    def takes(self, word: str, *, but: str) -> bool:
        """Goes over `word`, if it comes next and does not begin `but`."""
        self.space()
        if not self._text.startswith(word, self.at) or self._text.startswith(but, self.at):
            return False
        self.at += len(word)
        return True

    def address(self, delim: str) -> str:
        """The address that comes next: up to white space or an operator."""
        self.space()
        start = self.at
        while self.at < len(self._text) and not self._text[self.at].isspace() and (self._here() == delim or self._here() not in _MARKS):
            self.at += 1
        if start == self.at:
            raise self.no("an address is wanted here")
        return self._text[start : self.at]

    def operator(self) -> str:
        """The operator that comes next."""
        self.space()
        for operator in OPERATORS:
            if self.takes(operator, but="\0"):
                return operator
        equal = "; to be equal is ==" if self._text.startswith("=", self.at) else ""
        raise self.no(f"one of {' '.join(OPERATORS)} is wanted here{equal}")

    def value(self) -> str:
        """The word or the quoted text that comes next."""
        if not self.more():
            raise self.no("a value is wanted here; an empty one is ''")
        if self._here() in "'\"":
            return self._quoted()
        start = self.at
        while self.at < len(self._text) and not self._text[self.at].isspace():
            self.at += 1
        return self._text[start : self.at]

    def end(self) -> None:
        """Raises where anything follows."""
        if self.more():
            raise self.no(
                "nothing is wanted here; a value with spaces in it goes into quotes, and each condition is an argument of its own"
            )

    def _here(self) -> str:
        return self._text[self.at]

    def _quoted(self) -> str:
        start, quote, found = self.at, self._here(), ""
        self.at += 1
        while self.at < len(self._text) and self._here() != quote:
            if quote == '"' and self._text[self.at : self.at + 2] in ('\\"', "\\\\"):
                self.at += 1
            found += self._here()
            self.at += 1
        if self.at == len(self._text):
            raise self.no("this quote is not closed", start)
        self.at += 1
        return found
