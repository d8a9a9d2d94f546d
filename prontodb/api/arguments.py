"""What callers of the API give: its types, and what they are turned into. A wrong type is a `TypeError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta
    from typing import IO

    from ..model import Write

    Key = str | bytes
    Data = bytes | bytearray | memoryview | str
    Source = Data | IO[bytes] | Iterable[bytes]
    Lifetime = int | str | timedelta
    Timeout = float | str | timedelta
    Contexts = str | list[str] | tuple[str, ...]

from ..errors import UsageError
from ..model import INHERIT, PIECE

MOST = 10**18
"""What numbers that are stored or named stay below."""


def data(value: Data) -> bytes:
    """The bytes of a value; text as UTF-8."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"a value is bytes or str, not {type(value).__name__}")


def pieces(source: IO[bytes] | Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of a binary file, or of an iterable of bytes, in pieces."""
    read = getattr(source, "read", None)
    if read is None and isinstance(source, (int, float, dict)):
        raise TypeError(f"a value is bytes, str, a binary file or an iterable of bytes, not {type(source).__name__}")
    for piece in iter(lambda: read(PIECE), b"") if read else source:
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            raise TypeError(f"a piece of a value is bytes, not {type(piece).__name__}")
        whole = bytes(piece)
        yield from (whole[at : at + PIECE] for at in range(0, len(whole), PIECE))


def seconds(lifetime: Lifetime) -> int:
    """A lifetime in seconds, from a number of them, `15m`, or a `timedelta` of whole seconds. Raises `InvalidDuration`."""
    from datetime import timedelta

    from .. import durations

    if isinstance(lifetime, timedelta):
        whole = lifetime // timedelta(seconds=1)
        return durations.parse(str(whole) if whole * timedelta(seconds=1) == lifetime else str(lifetime))
    if isinstance(lifetime, bool) or not isinstance(lifetime, (int, str)):
        raise TypeError(f"a lifetime is int, str or timedelta, not {type(lifetime).__name__}")
    return durations.parse(str(lifetime))


def timeout(wait: Timeout) -> float:
    """Seconds to wait, from a number of them, `"15m"`, or a `timedelta`. Raises `InvalidDuration`."""
    from datetime import timedelta

    from .. import durations

    if isinstance(wait, timedelta):
        wait = wait.total_seconds()
    if isinstance(wait, bool) or not isinstance(wait, (int, float, str)):
        raise TypeError(f"a time to wait is int, float, str or timedelta, not {type(wait).__name__}")
    return durations.parse_timeout(wait if isinstance(wait, str) else f"{wait:f}")


def token(number: int) -> int:
    """A token of a lease, which is a revision. Raises `UsageError`."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"a token is int, not {type(number).__name__}")
    if not 0 < number < MOST:
        raise UsageError(f"Invalid token {number}", cure="the token that claim gave")
    return number


def writing(ttl: Lifetime | None) -> Write:
    """A write with a lifetime; None: that of the namespace."""
    from ..model import Write

    return Write(INHERIT if ttl is None else seconds(ttl))
