r"""Tokens: what they are, how they are read one by one with care, and what is wrong with those that cannot be (DESIGN §8).

    stream  = [ token *( ";" [ token ] ) ]            white space is free around tokens
    token   = [ namespace ":" ] key "=" value         split at the first "=", the part before it at the first ":"
    value   = bare | "'" any bytes "'" | '"' any bytes, in which \" and \\ are escapes '"'

A bare value begins with no quote and no white space, and neither `;` nor a new line is in it.
"""

import re
from typing import NamedTuple

BLANKS = b" \t\n\r\v\f"
SEPARATORS = b";" + BLANKS
HIDDEN = "***"
"""What stands for a token in the messages about a stream that has passwords in it."""
SHOWN = 40
"""Characters of a token that a message shows."""

CLOSED = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
"""What stands between double quotes."""
ESCAPE = re.compile(rb'\\(["\\])')
_BARE = re.compile(rb"[^\s;]+(?:[ \t]+[^\s;]+)*")
_BLANK = re.compile(rb"\s")
_AFTER = re.compile(rb"\s*")
SECRET = re.compile(rb"sec\s*:|ns\s*=\s*[\"']?sec\b")
"""What a stream with passwords has in it somewhere."""


class Token(NamedTuple):
    """One token as it is written: `namespace` is its prefix, "" where it has none; `value` without its quotes."""

    namespace: str
    key: str
    value: bytes


class Span(bytes):
    """A value that was too long to hold: no bytes, but where they are in the input (`start` to `stop`), and how many it is (`size`).

    `escaped`: within double quotes, so that escapes have to be undone. Only a `Scanner` that was asked to makes these.
    """

    start = stop = size = 0
    escaped = False


class StreamError(ValueError):
    """A stream that is malformed, or means nothing. `line` and `column` count from 1, the column in characters.

    `token` is the beginning of what is wrong; `HIDDEN` where the stream has passwords in it.
    """

    def __init__(self, reason: str, line: int, column: int, token: str = "") -> None:
        super().__init__(f"line {line}, column {column}: {reason}" + (f": {token}" if token else ""))
        self.reason = reason
        self.line = line
        self.column = column
        self.token = token


class Fault(Exception):
    """What is wrong with a token, and the byte of it where that shows."""

    def __init__(self, reason: str, at: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


class Head(NamedTuple):
    """The beginning of a token: names, and where its value starts."""

    namespace: str
    key: str
    value: int


def split_head(text: str) -> tuple[str, str]:
    """Namespace and key. Raises `Fault`."""
    namespace, colon, key = text.partition(":")
    if not colon:
        namespace, key = "", text
    if colon and not namespace:
        raise Fault("nothing before the ':'")
    if not key:
        raise Fault("an empty key")
    return namespace, key


def read_head(data: bytes, *, final: bool) -> Head | None:
    """What stands before a token's value; None where more is to come. Raises `Fault`."""
    at, end = data.find(b"="), data.find(b";")
    if at < 0 or 0 <= end < at:
        if end < 0 and not final:
            return None
        raise Fault("a token without '='")
    head = data[:at]
    if blank := _BLANK.search(head):
        raise Fault("a space in a key" if head[blank.start() :].strip(BLANKS) else "a space before '='", blank.start())
    try:
        return Head(*split_head(head.decode()), at + 1)
    except UnicodeDecodeError as error:
        raise Fault("a key that is not UTF-8", error.start) from error


def read_token(data: bytes, *, final: bool) -> tuple[Token, int] | None:
    """The token that `data` begins with, and where it ends, its `;` included; None where more is to come. Raises `Fault`."""
    head = read_head(data, final=final)
    if head is None:
        return None
    found = _read_value(data, head.value, final=final)
    if found is None:
        return None
    value, at = found
    end = _end(data, at, final=final)
    return None if end is None else (Token(head.namespace, head.key, value), end)


def unescaped(value: bytes) -> bytes:
    """A value as it was before it was put between double quotes."""
    if b"\\" not in value:
        return value
    return b"\\".join(part.replace(b'\\"', b'"') for part in value.split(b"\\\\"))


def excerpt(data: bytes, *, secret: bool) -> str:
    """A token's beginning, for a message."""
    if secret or SECRET.search(data):
        return HIDDEN
    text = data[: SHOWN * 4].split(b";")[0].decode("utf-8", "backslashreplace").strip()
    return f"'{text[:SHOWN]}…'" if len(text) > SHOWN else f"'{text}'"


def _read_value(data: bytes, at: int, *, final: bool) -> tuple[bytes, int] | None:
    """A value without its quotes, and where it ends."""
    first = data[at : at + 1]
    if first in (b"'", b'"'):
        return _read_quoted(data, at, final=final)
    blank = _AFTER.match(data, at)
    start = blank.end() if blank else at
    if start == len(data):
        return (b"", start) if final else None
    if start > at:
        raise Fault("a space after '='", at)
    bare = _BARE.match(data, at)
    return (bare[0], bare.end()) if bare else (b"", at)


def _read_quoted(data: bytes, at: int, *, final: bool) -> tuple[bytes, int] | None:
    if data[at : at + 1] == b"'":
        end = data.find(b"'", at + 1)
    else:
        inside = CLOSED.match(data, at + 1)
        end = inside.end() if inside and data[inside.end() : inside.end() + 1] == b'"' else -1
    if end >= 0:
        value = data[at + 1 : end]
        return (unescaped(value) if data[at : at + 1] == b'"' else value), end + 1
    if final:
        raise Fault("a quote that is not closed", at)
    return None


def _end(data: bytes, at: int, *, final: bool) -> int | None:
    """Where a token ends, its value being over at `at`."""
    blank = _AFTER.match(data, at)
    stop = blank.end() if blank else at
    if stop == len(data):
        return stop if final else None
    if data[stop : stop + 1] == b";":
        return stop + 1
    raise Fault("something between a value and its ';': quotes, or a ';' before it, are missing", stop)
