"""What a command came to, kept: its standard output, its standard error and its status, as one value (decision 0020).

{"memo": 1, "status": 0, "stdout": 12, "stderr": 0, "began": 1767225600.5, "flight": "…"} and a newline, then the bytes of both
"""

import hashlib
import json

from ..address import PART_BYTES, Address, parse
from ..errors import Miss, UsageError
from ..model import Content
from . import kv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..address import Scope
    from ..model import Entry
    from . import Store

VERSION = 1
HEAD = 4096
"""Bytes that the first line has at most."""
FLIGHT, FAILURE = "/flight", "/failure"
"""What the lease is called, and a failure that is kept for those who have waited for it, behind the name of a memo."""


class Memo:
    """A command's result: `began` in Unix seconds, `flight` the run that it is of, `sizes` of standard output and error."""

    __slots__ = ("began", "entry", "flight", "pieces", "sizes", "status")

    def __init__(self, status: int, sizes: tuple[int, int], began: float, flight: str) -> None:
        self.status = status
        self.sizes = sizes
        self.began = began
        self.flight = flight
        self.entry: Entry | None = None
        self.pieces: Iterator[bytes] = iter(())

    def outputs(self) -> "Iterator[tuple[int, bytes]]":
        """Both outputs, piece by piece: 0 and the bytes of standard output, then 1 and those of standard error."""
        left = self.sizes[0]
        for piece in self.pieces:
            if out := piece[:left]:
                yield 0, out
            if err := piece[len(out) :]:
                yield 1, err
            left -= len(out)


def address(text: str, scope: "Scope", given: "Iterable[bytes]") -> Address:
    """Where the memo of a command is: below the address that `text` spells, by a digest of what it depends on. Raises `InvalidAddress`."""
    base = parse(text, scope)
    digest = hashlib.sha256()
    for part in given:
        digest.update(b"%d:" % len(part) + part)
    name = f"{base.key}/{digest.hexdigest()[:32]}" + (f"__{base.context}" if base.context else "")
    if len(name.encode()) + len(FAILURE) > PART_BYTES:
        raise UsageError(f"'{text}' is too long for a memo: 32 characters are added", cure="a shorter key", address=text)
    return Address(base.project, base.namespace, name)


def lease_of(memo: Address) -> Address:
    """Where the lease is that somebody holds who makes the memo."""
    return _beside(memo, FLIGHT)


def failure_of(memo: Address) -> Address:
    """Where a failure is that is not kept in the memo's place."""
    return _beside(memo, FAILURE)


def _beside(memo: Address, ending: str) -> Address:
    return Address(memo.project, memo.namespace, memo.key + ending + (f"__{memo.context}" if memo.context else ""))


def find(store: "Store", at: Address) -> Memo | None:
    """The memo there; None where there is none, or something else."""
    try:
        found = kv.get(store, at)
    except Miss:
        return None
    head, pieces = _head(found.pieces)
    try:
        told = json.loads(head)
        if told["memo"] != VERSION or told["stdout"] + told["stderr"] + len(head) + 1 != found.entry.size:
            return None
        memo = Memo(int(told["status"]), (int(told["stdout"]), int(told["stderr"])), float(told["began"]), str(told["flight"]))
    except (ValueError, KeyError, TypeError):
        return None
    memo.entry, memo.pieces = found.entry, pieces
    return memo


def content(memo: Memo, outputs: "tuple[Content, Content]") -> Content:
    """What is stored of it."""
    told = {"memo": VERSION, "status": memo.status, "stdout": outputs[0].size, "stderr": outputs[1].size}
    head = json.dumps({**told, "began": memo.began, "flight": memo.flight}).encode() + b"\n"
    return Content(len(head) + outputs[0].size + outputs[1].size, lambda: _all(head, outputs))


def _all(head: bytes, outputs: "tuple[Content, Content]") -> "Iterator[bytes]":
    yield head
    for output in outputs:
        yield from output.pieces()


def _head(pieces: "Iterator[bytes]") -> "tuple[bytes, Iterator[bytes]]":
    """The first line, and the pieces behind it."""
    held = b""
    for piece in pieces:
        held += piece
        if b"\n" in held or len(held) > HEAD:
            break
    head, _, rest = held.partition(b"\n")

    def others() -> "Iterator[bytes]":
        yield rest
        yield from pieces

    return head, others()
