"""Hiding values in what a program prints. Pure: bytes in, bytes out, wherever the pieces are cut."""

import json
import re
from base64 import b64encode
from urllib.parse import quote_from_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASK = b"***"
LINE = 8
"""Bytes from which on a line of a value of several lines is hidden for itself."""


class Mask:
    """Replaces each occurrence of the values by `MASK`; occurrences that overlap, all of them together, by one.

    `feed` holds back no more than may be the beginning of a value, so at most one byte less than the longest has.
    """

    def __init__(self, values: "Iterable[bytes]") -> None:
        self._values = sorted({value for value in values if value}, key=lambda value: (-len(value), value))
        # A look ahead finds what begins within another; the longest comes first.
        self._pattern = re.compile(b"(?=(" + b"|".join(map(re.escape, self._values)) + b"))", re.DOTALL) if self._values else None
        self._held = b""
        self._covered = 0
        """Bytes at the beginning of `_held` that belong to an occurrence whose mask is out already."""

    def feed(self, data: bytes) -> bytes:
        """What can be shown by now."""
        text = self._held + data
        return self._shown(text, _open_end(text, self._values))

    def finish(self) -> bytes:
        """The rest: nothing follows that could make a value of it."""
        return self._shown(self._held, len(self._held))

    def _shown(self, text: bytes, end: int) -> bytes:
        """The text before `end`, masked; what is behind it is held back. No value that begins before `end` is cut off."""
        out: list[bytes] = []
        at = covered = self._covered
        for start, stop in self._found(text, end):
            if start >= covered:
                out += (text[at:start], MASK)
            at = covered = max(covered, stop)
        if at < end:
            out.append(text[at:end])
        self._held, self._covered = text[end:], max(covered - end, 0)
        return b"".join(out)

    def _found(self, text: bytes, end: int) -> "Iterator[tuple[int, int]]":
        """Where values stand that begin before `end`: the longest at each place, in order."""
        if self._pattern is None or not any(value in text for value in self._values):
            return
        for found in self._pattern.finditer(text, 0, len(text)):
            if found.start() >= end:
                return
            yield found.start(), found.end(1)


def _open_end(text: bytes, values: list[bytes]) -> int:
    """Where the first value may begin that goes on behind the end of the text; the end, where none does."""
    first = len(text)
    for value in values:
        at = text.find(value[:1], max(0, len(text) - len(value) + 1))
        while 0 <= at < first:
            if value.startswith(text[at:]):
                first = at
            at = text.find(value[:1], at + 1)
    return first


def forms(value: bytes) -> "set[bytes]":
    """A value as programs print it: as it is, line by line, in JSON, in base64, in a URL."""
    found = {value, b64encode(value), quote_from_bytes(value, safe="").encode()}
    found |= {line for line in value.splitlines() if len(line) >= LINE}
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return found
    return found | {json.dumps(text, ensure_ascii=plain)[1:-1].encode() for plain in (True, False)}
