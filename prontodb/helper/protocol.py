"""What a shell and its helper say to each other: pure functions on bytes.

A request is fields, each ended by NUL, which no word of a shell can hold:

    P1  ID  TERMINALS  VARIABLES  WORDS  NAME=value...  WORD...

ID is the caller's process, a dot and a number of its own, and comes back. TERMINALS is two digits, for standard output and standard
error: 1 where it is a terminal. VARIABLES and WORDS count what follows: the caller's exported variables, as far as ProntoDB knows them,
and the command line.

A reply begins with a frame of `FRAME` bytes, filled up with blanks; then come standard output and standard error, of these lengths:

    `>`; ID, 19 wide; KIND; status, 3 wide; length of standard output, 10 wide; standard error, 10 wide; the helper, 10 wide; newline

A length counts bytes. The frame is ASCII, so that `read -N` needs no change of locale for it, nor for a body of the kind PLAIN. A body
that is PLAIN and fits is in the frame, behind the newline: a short value costs the shell one read less.
"""

import os

VERSION = b"P1"
HEAD = 55
"""Bytes of what a frame says."""
FRAME = 256
"""Bytes of a frame."""
FIELDS = 5
"""Fields of a request before variables and words."""
LONGEST = 1 << 20
"""Bytes that a request may have before its end is seen: a shell sends far shorter ones."""

PLAIN = b"a"
"""A reply that is ASCII."""
BYTES = b"b"
"""A reply of any bytes but NUL."""
NUL = b"n"
"""Standard output has a NUL in it, which no variable can hold: it is left out."""
CALLER = b"c"
"""Nothing was done: this call needs a process of its own."""
GONE = b"v"
"""Nothing was done: the helper is out of date, and ends."""


class Garbled(Exception):
    """Bytes that are no request."""


class Request:
    """One call, as the shell sent it."""

    __slots__ = ("id", "terminals", "variables", "words")

    def __init__(self, head: list[bytes], variables: tuple[bytes, ...], words: list[bytes]) -> None:
        _, self.id, self.terminals, *_ = head
        self.variables = variables
        self.words = words


class Decoder:
    """Requests out of a stream of bytes that may be cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Request]:
        """The requests that are complete now. Raises `Garbled`, after which nothing makes sense any more."""
        fields = (self._rest + data).split(b"\0")
        found = []
        at = 0
        while (request := _taken(fields, at)) is not None:
            found.append(request)
            at += FIELDS + len(request.variables) + len(request.words)
        self._rest = b"\0".join(fields[at:])
        if len(self._rest) > LONGEST:
            raise Garbled("a request without an end")
        return found


def _taken(fields: list[bytes], at: int) -> Request | None:
    """The request that begins at a field; None where some of it is still to come. The last field is never complete."""
    if at < len(fields) - 1 and fields[at] != VERSION:
        raise Garbled(f"not a request of this version: {fields[at][:20]!r}")
    if at + FIELDS >= len(fields):
        return None
    head = fields[at : at + FIELDS]
    if not (head[3].isdigit() and head[4].isdigit() and len(head[1]) < 20):
        raise Garbled(f"not a request: {head!r}")
    middle = at + FIELDS + int(head[3])
    end = middle + int(head[4])
    if end >= len(fields):
        return None
    return Request(head, tuple(fields[at + FIELDS : middle]), fields[middle:end])


def encode_request(call: Request) -> bytes:
    """The bytes of a request, as the shells write them."""
    counts = [b"%d" % len(call.variables), b"%d" % len(call.words)]
    return b"".join(field + b"\0" for field in (VERSION, call.id, call.terminals, *counts, *call.variables, *call.words))


def encode_reply(whose: bytes, status: int, out: bytes, err: bytes) -> bytes:
    """The bytes of a reply."""
    if b"\0" in out or b"\0" in err:
        return _frame(whose, NUL, status, (0, 0))
    body, lengths = out + err, (len(out), len(err))
    if not body.isascii():
        return _frame(whose, BYTES, status, lengths) + body
    if len(body) <= FRAME - HEAD:
        return _frame(whose, PLAIN, status, lengths, body)
    return _frame(whose, PLAIN, status, lengths) + body


def encode_refusal(whose: bytes, kind: bytes) -> bytes:
    """A reply that says who else is to make the call: `CALLER` or `GONE`."""
    return _frame(whose, kind, 0, (0, 0))


def _frame(whose: bytes, kind: bytes, status: int, lengths: tuple[int, int], body: bytes = b"") -> bytes:
    return (b">%-19b%b%3d%10d%10d%10d\n%b" % (whose, kind, status, *lengths, os.getpid(), body)).ljust(FRAME)
