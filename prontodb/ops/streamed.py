"""What the tokens of a stream mean to the store: entries, in their order, each at its address (DESIGN §8)."""

import re

from .. import durations
from ..address import PART_BYTES, Address, Choice, Scope, check_delimiter, is_word, parse
from ..errors import ProntoError, UsageError
from ..model import FOREVER, INHERIT, PIECE, Content
from ..xstream import GLOBAL, Scanner, Span, StreamError, locate
from ..xstream.bucket import switched
from ..xstream.scanner import batches
from ..xstream.tokens import unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn

    Item = tuple[Address, Content, int | None]
    Triple = tuple[str, str, bytes]

DIRECTIVES = {
    "path": "path",
    "p": "path",
    "project": "project",
    "namespace": "namespace",
    "ns": "namespace",
    "ttl": "ttl",
    "delim": "delim",
    "secret": "secret",
}
"""What may follow `meta:`, and what each means."""
NO_LIFETIME = "none"
"""What `meta:ttl` says for entries that live for ever, whatever their namespace says."""
_PLAIN = re.compile(r"[A-Za-z0-9/@+%-]+(?:_[A-Za-z0-9/@+%-]+)*")
"""Keys of which nothing more need be asked: no context, nothing unusual."""


class MalformedStream(UsageError):
    """A token stream that is malformed, or asks for something that cannot be; the message gives line and column."""

    slug = "malformed-stream"
    place = (1, 1)
    """Line and column, both from 1."""


def malformed(place: tuple[int, int], reason: str) -> MalformedStream:
    """The error for what stands at a place of a stream."""
    line, column = place
    cure = "prontodb help streams tells what one looks like"
    error = MalformedStream(f"Malformed token stream: line {line}, column {column}: {reason}", cure=cure)
    error.place = place
    return error


class Stream:
    """A token stream in `content`; `watch` is told how many bytes have been looked at, block by block."""

    def __init__(self, content: Content, watch: "Callable[[int], object] | None" = None) -> None:
        self.content = content
        self._watch = watch

    def tokens(self) -> "Iterator[Triple]":
        """Its tokens; a long value as a `Span`. Raises `MalformedStream`."""
        try:
            for tokens in batches(self._pieces(), Scanner(spans=True)):
                yield from tokens
        except StreamError as error:
            shown = f": {error.token}" if error.token else ""
            raise malformed((error.line, error.column), error.reason + shown) from error

    def blame(self, number: int, reason: str) -> "NoReturn":
        """Raises `MalformedStream` for a token, counted from 0."""
        raise malformed(locate(self.content.pieces(), number), reason)

    def secrets(self) -> dict[str, bytes]:
        """What the `sec:` tokens before the first entry say: `user`, `pass`."""
        active, found = GLOBAL, {}
        for number, (namespace, key, value) in enumerate(self.tokens()):
            if not namespace and key == "ns":
                active = self._switched(number, value)
            elif (namespace or active) == "sec":
                if key not in ("user", "pass"):
                    self.blame(number, "an unknown token in 'sec': there are sec:user and sec:pass")
                found[key] = value
            elif (namespace or active) != "meta":
                break
        return found

    def _switched(self, number: int, value: bytes) -> str:
        try:
            return switched(value)
        except StreamError as error:
            self.blame(number, error.reason)

    def _pieces(self) -> "Iterator[bytes]":
        size = 0
        for piece in self.content.pieces():
            size += len(piece)
            if self._watch:
                self._watch(size)
            yield piece


class Entries:
    """The entries of a stream, from the place that `scope` names. Each directive holds for the tokens after it.

    Raises `MalformedStream`. `stored` and `size`: how many there were so far, and the bytes of their values.
    """

    def __init__(self, stream: Stream, scope: Scope) -> None:
        self._stream = stream
        self._base = Scope(scope.project, scope.namespace, scope.delim)
        self._namespace = GLOBAL
        self._ttl: int | None = INHERIT
        self._secret_values = False
        self._scopes: dict[str, Scope] = {}
        self._window = Window(stream.content)
        self.tokens = self.stored = self.size = 0

    def __iter__(self) -> "Iterator[Item]":
        for number, (namespace, key, value) in enumerate(self._stream.tokens()):
            self.tokens = number + 1
            scope = self._scopes.get(namespace or self._namespace)
            if scope and (namespace or key != "ns") and len(key) <= PART_BYTES and _PLAIN.fullmatch(key):
                address: Address | None = Address(scope.project.value, scope.namespace.value, key)
            else:
                address = self._blamed(number, namespace, key, value)
            if address is not None:
                content = self._content(value) if isinstance(value, Span) else Content.of(value)
                content.secret = self._secret_values
                self.stored += 1
                self.size += content.size
                yield address, content, self._ttl

    def _blamed(self, number: int, namespace: str, key: str, value: bytes) -> Address | None:
        """Where a token is to be stored, or None; with its place in the message where that cannot be."""
        try:
            return self._address(namespace, key, value)
        except (ProntoError, StreamError) as error:
            self._stream.blame(number, getattr(error, "reason", "") or getattr(error, "message", ""))

    def _address(self, namespace: str, key: str, value: bytes) -> Address | None:
        """Where a token is to be stored; None for one that is obeyed."""
        if not namespace:
            if key == "ns":
                self._namespace = switched(value)
                return None
            namespace = self._namespace
        scope = self._scopes.get(namespace)
        if scope is None:
            if namespace in ("meta", "sec"):
                (self._direct if namespace == "meta" else self._secret)(key, value)
                return None
            scope = self._scopes[namespace] = self._scope(namespace)
        return parse(key, scope)

    def _scope(self, namespace: str) -> Scope:
        """Where a namespace is: `project.namespace`, or a namespace of the base project."""
        if namespace == GLOBAL:
            if self._base.namespace.source == "default":
                raise UsageError("nothing names a namespace before this token: ns=…, meta:path=…, or -p and -n")
            project, name = self._base.project.value, self._base.namespace.value
        else:
            project, name = self._place(namespace)
        return Scope(Choice(project, "flag"), Choice(name, "flag"), self._base.delim)

    def _place(self, text: str) -> tuple[str, str]:
        parts = text.split(self._base.delim)
        if len(parts) > 2 or not all(map(is_word, parts)):
            raise UsageError(f"'{text}' is no place: project{self._base.delim}namespace, or a namespace")
        return (parts[0], parts[1]) if len(parts) == 2 else (self._base.project.value, parts[0])

    def _direct(self, key: str, value: bytes) -> None:
        """Obeys a directive."""
        if key not in DIRECTIVES:
            raise UsageError(f"an unknown directive 'meta:{key}': known are {', '.join(DIRECTIVES)}")
        text = value.decode("utf-8", "surrogateescape")
        if isinstance(value, Span):
            raise UsageError(f"the value of 'meta:{key}' is {value.size} bytes long")
        self._scopes.clear()
        getattr(self, f"_direct_{DIRECTIVES[key]}")(text)

    def _direct_path(self, text: str) -> None:
        project, namespace = self._place(text)
        source = "stream" if self._base.delim in text else self._base.project.source
        self._base.project, self._base.namespace = Choice(project, source), Choice(namespace, "stream")

    def _direct_project(self, text: str) -> None:
        self._base.project = Choice(_word(text), "stream")

    def _direct_namespace(self, text: str) -> None:
        self._base.namespace = Choice(_word(text), "stream")

    def _direct_ttl(self, text: str) -> None:
        self._ttl = FOREVER if text == NO_LIFETIME else durations.parse(text)

    def _direct_delim(self, text: str) -> None:
        self._base.delim = check_delimiter(text)

    def _direct_secret(self, text: str) -> None:
        if text not in ("yes", "no"):
            raise UsageError(f"'{text}' is neither yes nor no")
        self._secret_values = text == "yes"

    def _secret(self, key: str, _: bytes) -> None:
        """Heeded before the first entry, and refused after it: by then something would be stored without them."""
        if self.stored:
            raise UsageError("sec: tokens come before the first entry")
        if key not in ("user", "pass"):
            raise UsageError("an unknown token in 'sec': there are sec:user and sec:pass")

    def _content(self, span: Span) -> Content:
        return Content(span.size, lambda: self._window.read(span))


class Window:
    """Values that are too long to hold, read out of the content a second time. Forwards, which is the order they are asked for in."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._pieces: Iterator[bytes] = iter(())
        self._piece = b""
        self._at: int | None = None

    def read(self, span: Span) -> "Iterator[bytes]":
        """The bytes of a value, in pieces of at most `PIECE`."""
        pieces = self._slices(span.start, span.stop)
        for piece in _without_escapes(pieces) if span.escaped else pieces:
            yield from (piece[at : at + PIECE] for at in range(0, len(piece), PIECE))

    def _slices(self, start: int, stop: int) -> "Iterator[bytes]":
        if self._at is None or start < self._at:
            self._pieces, self._piece, self._at = self._content.pieces(), b"", 0
        while self._at < stop:
            if piece := self._piece[max(start - self._at, 0) : stop - self._at]:
                yield piece
            if stop <= self._at + len(self._piece):
                return
            self._at += len(self._piece)
            self._piece = next(self._pieces)


def _without_escapes(pieces: "Iterator[bytes]") -> "Iterator[bytes]":
    """The same with escapes undone; one that is cut in two waits for its other half."""
    held = b""
    for piece in pieces:
        whole = held + piece
        held = b"\\" if (len(whole) - len(whole.rstrip(b"\\"))) % 2 else b""
        yield unescaped(whole[: len(whole) - len(held)])
    yield held


def _word(text: str) -> str:
    if is_word(text):
        return text
    raise UsageError(f"'{text}' may hold letters, digits, '_' and '-', a letter or digit first")
