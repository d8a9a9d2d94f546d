"""Token streams on their way through an operator: read as they come, written as soon as there is nothing more to read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..session import Sink
    from ..xstream import Token

from ..errors import ProntoError, UsageError
from ..files import write_all
from ..ops.streamed import malformed
from ..xstream import GLOBAL, Scanner, StreamError
from ..xstream.bucket import switched
from ..xstream.convert import written
from ..xstream.scanner import blocks
from ..xstream.tokens import Token as Made

FULL = 1 << 16
"""Bytes that are gathered before they are written."""
STOPPED = b"xstream-stopped-here;\n"
"""The token that no reader takes."""


class Source:
    """A stream that is read once. `name` is the file it comes from, "" for standard input."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        self._chunks = blocks(chunks)
        self._name = name
        self._scanner = Scanner()
        self._raw = bytearray()
        self._namespace = GLOBAL

    def tokens(self, idle: Callable[[], object]) -> Iterator[Token]:
        """Its tokens with their namespaces; `idle` is called before it waits for more. Raises `MalformedStream`."""
        try:
            for chunk in self._chunks:
                self._raw += chunk
                yield from self._resolved(self._scanner.feed(chunk))
                del self._raw[: len(self._raw) - self._left()]
                idle()
            yield from self._resolved(self._scanner.close())
            self._raw.clear()
        except StreamError as error:
            where = f" in {self._name}" if self._name else ""
            shown = f": {error.token}" if error.token else ""
            raise malformed((error.line, error.column), f"{error.reason}{where}{shown}") from error

    def rest(self) -> Iterator[bytes]:
        """What has not been worked on, as it came; in the namespace that it stands in."""
        if self._namespace != GLOBAL:
            yield f"ns={self._namespace};\n".encode()
        yield bytes(self._raw)
        yield from self._chunks

    def _left(self) -> int:
        """Bytes of what has come that belong to no complete token."""
        return self._scanner.fed - self._scanner.start

    def _resolved(self, tokens: Iterable[tuple[str, str, bytes]]) -> Iterator[Token]:
        for namespace, key, value in tokens:
            if namespace:
                yield Made(namespace, key, value)
            elif key == "ns":
                self._namespace = switched(value)
            else:
                yield Made(self._namespace, key, value)


class Writer:
    """Writes tokens; to nowhere, where `sink` is None."""

    def __init__(self, sink: Sink | File | None, quotes: str = "double") -> None:
        self._sink = sink
        self._quotes = quotes
        self._held: list[bytes] = []
        self._size = 0

    def write(self, token: Token) -> None:
        """A token, on a line of its own."""
        if self._sink is not None:
            self._held.append(written(token, self._quotes) + b"\n")
            self._size += len(self._held[-1])
            if self._size >= FULL:
                self.flush()

    def flush(self) -> None:
        """Writes out what is held."""
        if self._held and self._sink is not None:
            self._sink.write(b"".join(self._held))
            self._held, self._size = [], 0

    def stop(self, rest: Iterator[bytes]) -> None:
        """Ends with what no operator has worked on, so that nothing is lost, and so that no reader takes it for the whole."""
        self.flush()
        if self._sink is not None:
            self._sink.write(STOPPED)
            for piece in rest:
                self._sink.write(piece)


class File:
    """A file of the user's that tokens are written to. Raises `UsageError` where it cannot be made, and `ProntoError` where it is full."""

    terminal = False

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise UsageError(f"Cannot write '{path}': {error.strerror}", cure="name a file that can be written") from error

    def write(self, data: bytes) -> None:
        """All of `data`."""
        try:
            write_all(self._fd, data)
        except OSError as error:
            raise ProntoError(f"Cannot write '{self._path}': {error.strerror}") from error
