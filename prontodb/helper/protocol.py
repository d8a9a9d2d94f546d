"""What a shell and its helper say to each other: pure functions on bytes.

A request is fields, each ended by NUL, which no word of a shell can hold:

    "P4 CALLER.NUMBER TERMINALS WORDS"  NAME=value...  ""  WORD...  "CALLER.NUMBER"

CALLER is the caller's process, NUMBER one of its own for the call. TERMINALS is two digits, for standard output and standard error: 1
where it is a terminal. WORDS counts the words of the command line, which come behind the caller's exported variables, as far as ProntoDB
knows them. The last field tells that nothing is missing: a caller may be interrupted while it writes.

A reply is a frame of ASCII, filled up with blanks to a multiple of `UNIT` bytes; how many of them is its first byte, a digit:

    digit `>` KIND; status, 3 wide; length of standard error, 3 wide; CALLER.NUMBER, 19 wide; length of standard output, 3 wide; both
    `1>`      KIND; status, 3 wide; length of standard error, 10 wide; CALLER.NUMBER, 19 wide; length of standard output, 10 wide; PLACE

The first form is that of the kind SHORT: outputs that are ASCII, and fit into the frame. For others the second tells where they lie, as
`PROCESS/fd/NUMBER` in /proc: a file in memory of CALLER.NUMBER, standard output and standard error, each followed by a NUL byte. A length
counts bytes. A frame needs no change of locale for `read -N`.
"""

VERSION = b"P4"
SAME = (b"=",)
"""In place of the variables: those of the last request on this line."""
UNIT = 64
"""Bytes that the length of a frame is counted in."""
HEAD = 31
"""Bytes of what a short reply's frame says before the outputs."""
ROOM = 9 * UNIT - HEAD
"""Bytes of output that fit into a frame."""
FRAME = UNIT
"""Bytes of any other frame."""
PLACE = 45
"""Where in such a frame the place of the outputs begins."""
LONGEST = 1 << 20
"""Bytes that a request may have before its end is seen: a shell sends far shorter ones."""

SHORT = b"s"
"""A reply that is ASCII, and fits into the frame."""
LONG = b"b"
"""A reply of any bytes but NUL, which lies elsewhere."""
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

    __slots__ = ("caller", "terminals", "variables", "whose", "words")

    def __init__(self, whose: bytes, terminals: bytes, variables: tuple[bytes, ...], words: list[bytes]) -> None:
        self.whose = whose
        """The caller's process, a dot, and the number of the call."""
        self.caller = whose.partition(b".")[0]
        self.terminals = terminals
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
        while taken := _taken(fields, at):
            request, at = taken
            found.append(request)
        self._rest = b"\0".join(fields[at:]) if at else self._rest + data
        if len(self._rest) > LONGEST:
            raise Garbled("a request without an end")
        return found


def _taken(fields: list[bytes], at: int) -> "tuple[Request, int] | None":
    """The request that begins at a field, and where the next one does; None where some of it is still to come."""
    last = len(fields) - 1  # which is never complete
    if at >= last:
        return None
    head = fields[at].split(b" ")
    if len(head) != 4 or head[0] != VERSION or not head[3].isdigit():
        raise Garbled(f"not a request of this version: {fields[at][:40]!r}")
    try:
        middle = fields.index(b"", at + 1, last)
    except ValueError:
        return None
    end = middle + 1 + int(head[3])
    if end >= last:
        return None
    if fields[end] != head[1]:
        raise Garbled(f"a request that was cut: {fields[at]!r}")
    if len(head[1]) > 19:
        raise Garbled(f"a caller of that name would not fit a reply: {head[1]!r}")
    return Request(head[1], head[2], tuple(fields[at + 1 : middle]), fields[middle + 1 : end]), end + 1


def encode_request(call: Request) -> bytes:
    """The bytes of a request, as the shells write them."""
    head = b"%b %b %b %d" % (VERSION, call.whose, call.terminals, len(call.words))
    return b"".join(field + b"\0" for field in (head, *call.variables, b"", *call.words, call.whose))


def encode_reply(whose: bytes, status: int, out: bytes, err: bytes) -> tuple[bytes, bytes]:
    """A frame; and what is to be laid down elsewhere, whose place `placed` puts into the frame."""
    body = out + err
    if len(body) <= ROOM and body.isascii() and b"\0" not in body:
        units = (HEAD + len(body) + UNIT - 1) // UNIT
        return (b"%d>%b%3d%3d%-19b%3d%b" % (units, SHORT, status, len(err), whose, len(out), body)).ljust(units * UNIT), b""
    if b"\0" in body:
        return _frame(whose, NUL, status, (0, 0)), b""
    return _frame(whose, LONG, status, (len(out), len(err))), b"%b\0%b\0%b\0" % (whose, out, err)


def placed(frame: bytes, place: bytes) -> bytes:
    """A frame with the place of what belongs to it."""
    return (frame[:PLACE] + place).ljust(FRAME)


def encode_refusal(whose: bytes, kind: bytes) -> bytes:
    """A reply that says who else is to make the call: `CALLER` or `GONE`."""
    return _frame(whose, kind, 0, (0, 0))


def _frame(whose: bytes, kind: bytes, status: int, lengths: tuple[int, int]) -> bytes:
    return (b"1>%b%3d%10d%-19b%10d" % (kind, status, lengths[1], whose, lengths[0])).ljust(FRAME)
