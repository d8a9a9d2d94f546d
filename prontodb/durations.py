"""Lifetimes as people write them: `90`, `15m`, `1h30m`, `7d` (DESIGN §7). Pure."""

from .errors import UsageError

UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
LONGEST = 100 * 365 * 86_400
"""Seconds: a hundred years; beyond it a number is a slip, not a lifetime."""


class InvalidDuration(UsageError):
    """Not a lifetime: zero, negative, overflowing or malformed (DESIGN §7)."""

    slug = "invalid-duration"


def parse(text: str, what: str = "lifetime") -> int:
    """Seconds, from a whole number of them or from parts such as `1h30m`; `what` they are for. Raises `InvalidDuration`."""
    seconds = int(text) if _digits(text) else _parts(text)
    why = "seconds, or parts such as 15m, 1h30m, 7d are wanted" if seconds is None else ""
    if seconds == 0:
        why = "it must be longer than zero"
    elif seconds and seconds > LONGEST:
        why = "it is longer than a hundred years"
    if seconds is None or why:
        raise InvalidDuration(f"Invalid {what} '{text}': {why}", cure="use seconds, or 15m, 1h30m, 7d")
    return seconds


def parse_timeout(text: str) -> float:
    """Seconds to wait for something: as `parse`, but also parts of a second, such as 0.5, and 0. Raises `InvalidDuration`."""
    whole, dot, part = text.partition(".")
    if _digits(whole) and (not dot or _digits(part)) and float(text) <= LONGEST:
        return float(text)
    try:
        return parse(text, "time to wait")
    except InvalidDuration as error:
        raise InvalidDuration(error.message, cure="--timeout 30, 0.5, 15m or 1h30m; 0 looks once") from None


def show(seconds: int) -> str:
    """The same the other way: 5400 gives `1h30m`."""
    shown = ""
    for unit, size in UNITS.items():
        count, seconds = divmod(seconds, size)
        shown += f"{count}{unit}" if count else ""
    return shown or "0s"


def _digits(text: str) -> bool:
    # The bound on the length keeps int() from working on a megabyte of digits.
    return text.isascii() and text.isdigit() and len(text) <= 18


def _parts(text: str) -> int | None:
    seconds, number, left = 0, "", list(UNITS)
    for mark in text:
        if mark in left and _digits(number):
            seconds += int(number) * UNITS[mark]
            left, number = left[left.index(mark) + 1 :], ""
        else:
            number += mark
    return None if number or not text else seconds
