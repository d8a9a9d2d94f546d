"""From bytes to tokens, incrementally: whole blocks by one regular expression, and with care where that does not match."""

import re
from itertools import chain, repeat

from .tokens import (
    BLANKS,
    CLOSED,
    ESCAPE,
    SECRET,
    SEPARATORS,
    Fault,
    Head,
    Span,
    StreamError,
    Token,
    excerpt,
    read_head,
    read_token,
    unescaped,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import NoReturn

    Found = list[tuple[bytes, bytes, bytes, bytes, bytes, bytes]]
    Triple = tuple[str, str, bytes]

BLOCK = 1 << 14
"""Bytes that are looked at together: hundreds of tokens. Of more, the pieces no longer fit into the processor's cache."""
HELD = 1 << 16
"""Bytes of an unfinished token that are held and looked at again with the next block; a longer value is followed piece by piece."""

_TOKENS = re.compile(
    (
        rb"""([^:=;~]+)(?::([^=;~]+))?="""
        rb"""(?:"([^"\\]*(?:\\.[^"\\]*)*)"|'([^']*)'|([^;"'~][^;~]*(?:[ \t]+[^;~]+)*|(?=;)))"""
        rb"""(?:;|[~]+;)[;~]*|(.+)"""
    ).replace(b"~", BLANKS),
    re.DOTALL,
)
"""A token and what separates it from the next, or all that is left: key, or namespace and key, value of one of three kinds, rest.

Blanks are spelled out, since `\\s` within brackets costs a third more.
"""
_CONTINUING = bytes(range(0x80, 0xC0))


class Position:
    """Where in the input: bytes before it, line, and characters of the line before it."""

    __slots__ = ("before", "line", "offset")

    def __init__(self) -> None:
        self.offset = self.before = 0
        self.line = 1

    def advance(self, data: bytes) -> None:
        """Goes on by `data`. A character that blocks cut in two counts once: by its first byte."""
        self.offset += len(data)
        if lines := data.count(b"\n"):
            self.line += lines
            self.before = 0
            data = data[data.rindex(b"\n") + 1 :]
        self.before += len(data) if data.isascii() else len(data.translate(None, _CONTINUING))

    def beyond(self, data: bytes) -> "Position":
        """The position after `data`."""
        there = Position()
        there.offset, there.before, there.line = self.offset, self.before, self.line
        there.advance(data)
        return there


class Scanner:
    """Tokens from bytes that arrive in blocks: `feed` each, then `close`. Both raise `StreamError`.

    With `spans`, a value of more than `HELD` bytes is not kept, but comes as a `Span`.
    """

    def __init__(self, *, spans: bool = False) -> None:
        self.position = Position()
        self.count = self.fed = 0
        """Tokens, and bytes, so far."""
        self._spans = spans
        self._rest = b""
        self._long: _Long | None = None
        self._secret = False

    @property
    def start(self) -> int:
        """Bytes before the first token that is not complete."""
        return self._long.begin if self._long is not None else self.position.offset

    def feed(self, data: bytes) -> "Iterable[Triple]":
        """The tokens that are complete by now."""
        self.fed += len(data)
        if self._long is not None:
            return self._follow(self._long, data)
        return self._scan(self._rest + data if self._rest else data)

    def close(self) -> "Iterable[Triple]":
        """The last token, where it has no `;`."""
        if self._long is not None:
            if not self._long.ends():
                self._stop("a quote that is not closed", b"", self._long.where)
            return self._taken(self._long.token())
        if not self._rest:
            return []
        found = self._careful(self._rest, final=True)
        return self._taken(found[0]) if found else []

    def _scan(self, block: bytes) -> "Iterable[Triple]":
        started = block.lstrip(SEPARATORS)
        self.position.advance(block[: len(block) - len(started)])
        if not started:
            self._rest = b""
            return []
        # Behind the last ";" nothing is complete: to try it there would go back over a long value byte by byte.
        tail = started[started.rfind(b";") + 1 :].lstrip(SEPARATORS)
        whole = len(started) - len(tail)
        found = _TOKENS.findall(started, 0, whole) if whole else []
        rest = tail
        if found and found[-1][5]:
            rest = found.pop()[5] + tail
        tokens: Iterable[Triple] = self._built(found, started) if found else ()
        self.position.advance(started[: len(started) - len(rest)])
        return self._hold(tokens, rest)

    def _hold(self, tokens: "Iterable[Triple]", rest: bytes) -> "Iterable[Triple]":
        """Keeps what is not complete; a token that has become too long for that is followed from now on."""
        self._rest = rest
        if rest and (found := self._careful(rest, final=False)):  # pragma: no cover - the two readers agree, which a test holds
            self.position.advance(rest[: found[1]])
            return chain(tokens, self._taken(found[0]), self._scan(rest[found[1] :]))
        if len(rest) > HELD:
            head = read_head(rest, final=True)
            assert head is not None
            self._rest = b""
            self._secret = self._secret or head.namespace == "sec"
            self._long = _Long(head, self.position, rest, spans=self._spans)
            return chain(tokens, self._follow(self._long, rest[self._long.skipped :]))
        return tokens

    def _follow(self, long: "_Long", data: bytes) -> "Iterable[Triple]":
        """Goes on with a long value; with whatever comes after it, where it ends in `data`."""
        end = long.feed(data)
        if long.fault and end >= 0:
            self._stop(long.fault, b"", self.position.beyond(data[:end]))
        self.position.advance(data[:end] if end >= 0 else data)
        if end < 0:
            return []
        self._long = None
        return chain(self._taken(long.token()), self._scan(data[end:]))

    def _careful(self, data: bytes, *, final: bool) -> tuple[Token, int] | None:
        if len(data) > HELD and b"=" not in data[:HELD]:
            self._stop(f"a key of more than {HELD} bytes", data, self.position)
        try:
            return read_token(data, final=final)
        except Fault as fault:
            return self._stop(fault.reason, data, self.position.beyond(data[: fault.at]))

    def _taken(self, token: Token) -> "Iterable[Triple]":
        self.count += 1
        return [token]

    def _built(self, found: "Found", block: bytes) -> "Iterable[Triple]":
        """The tokens of a run of matches. Columns are worked on as a whole: Python's own loop would cost as much as the matching."""
        if b"sec" in block and not self._secret:
            self._secret = bool(SECRET.search(block))
        namespaces, keys = self._names(found, block)
        values = [double or bare or single for _, _, double, single, bare, _ in found]
        if b"\\" in block:
            escaped = [(number, match[2]) for number, match in enumerate(found) if b"\\" in match[2]]
            for number, value in escaped:
                values[number] = unescaped(value)
        self.count += len(values)
        return zip(namespaces, keys, values)  # noqa: B905 - `repeat` never ends

    def _names(self, found: "Found", block: bytes) -> "tuple[Iterable[str], list[str]]":
        """Namespaces and keys."""
        firsts, seconds = [match[0] for match in found], [match[1] for match in found]
        try:
            # No name holds a newline: all of them decoded at once cost a third.
            names = b"\n".join(firsts).decode().split("\n")
            if not any(seconds):
                return repeat(""), names
            keys = b"\n".join(seconds).decode().split("\n")
        except UnicodeDecodeError:
            self._blame(block)
            raise  # pragma: no cover - one of the heads is wrong
        prefixes = [name if key else "" for name, key in zip(names, keys, strict=True)]
        return prefixes, [key or name for name, key in zip(names, keys, strict=True)]

    def _blame(self, block: bytes) -> None:
        """Stops at the head that is wrong, where one is."""
        for match in _TOKENS.finditer(block):  # pragma: no branch - one of them is
            try:
                read_head(match[0], final=True)
            except Fault as fault:
                self._stop(fault.reason, match[0], self.position.beyond(block[: match.start() + fault.at]))

    def _stop(self, reason: str, data: bytes, at: Position) -> "NoReturn":
        raise StreamError(reason, at.line, at.before + 1, excerpt(data, secret=self._secret) if data else "")


class _Long:
    """A value that is longer than is held, while it arrives."""

    def __init__(self, head: Head, position: Position, rest: bytes, *, spans: bool) -> None:
        first = rest[head.value : head.value + 1]
        self._head = head
        self.begin = position.offset
        self._quote = first if first in (b"'", b'"') else b""
        self.skipped = head.value + len(self._quote)
        self.where = position.beyond(rest[: head.value])
        self.fault = ""
        position.advance(rest[: self.skipped])
        self._start = self._stop = position.offset
        self._parts: list[bytes] | None = None if spans else []
        self._size = 0
        self._over = False
        self._open = b""
        """The end of what has come so far, which only the next bytes tell the meaning of: a backslash, or blanks in a bare value."""

    def feed(self, data: bytes) -> int:
        """Where the token ends in `data`, or -1. Where what comes there is wrong, `fault` says so."""
        at = 0 if self._over else self._value(data)
        if at < 0:
            return -1
        rest = data[at:].lstrip(BLANKS)
        if not rest:
            return -1
        at = len(data) - len(rest)
        if rest[:1] == b";":
            return at + 1
        self.fault = "something between a value and its ';': quotes, or a ';' before it, are missing"
        return at

    def ends(self) -> bool:
        """Whether it is complete where the input ends."""
        return self._over or not self._quote

    def token(self) -> Token:
        """The token, once it has ended."""
        if self._parts is not None:
            value = b"".join(self._parts)
            return Token(self._head.namespace, self._head.key, unescaped(value) if self._quote == b'"' else value)
        span = Span()
        span.start, span.stop, span.size, span.escaped = self._start, self._stop, self._size, self._quote == b'"'
        return Token(self._head.namespace, self._head.key, span)

    def _value(self, data: bytes) -> int:
        """Takes what belongs to the value; where it is over in `data`, or -1."""
        before, self._open = self._open, b""
        whole = before + data if before else data
        at = {b"'": self._single, b'"': self._double, b"": self._bare}[self._quote](whole)
        return max(at - len(before), 0) if at >= 0 else -1

    def _single(self, data: bytes) -> int:
        end = data.find(b"'")
        self._take(data if end < 0 else data[:end])
        self._over = end >= 0
        return end + 1 if end >= 0 else -1

    def _double(self, data: bytes) -> int:
        inside = CLOSED.match(data)
        end = inside.end() if inside else 0
        self._take(data[:end])
        self._over = data[end : end + 1] == b'"'
        # Nothing but a backslash at the very end stops the expression elsewhere.
        self._open = b"" if self._over else data[end:]
        return end + 1 if self._over else -1

    def _bare(self, data: bytes) -> int:
        end = data.find(b";")
        value = (data if end < 0 else data[:end]).rstrip(BLANKS)
        cut = len(value)
        for line in (b"\n", b"\r", b"\v", b"\f"):
            cut = min(cut, value.find(line) if line in value else cut)
        self._over = end >= 0 or cut < len(value)
        kept = value[:cut].rstrip(BLANKS)
        self._take(kept)
        self._open = data[len(kept) :]
        if len(self._open) > HELD:
            # Whatever comes after so many blanks, the value was over before them.
            self._over = True
        return len(kept) if self._over else -1

    def _take(self, data: bytes) -> None:
        self._stop += len(data)
        if self._parts is not None:
            self._parts.append(data)
        else:
            self._size += len(data) - (len(ESCAPE.findall(data)) if self._quote == b'"' and b"\\" in data else 0)


def tokenize(chunks: "bytes | Iterable[bytes]") -> "Iterator[Token]":
    """The tokens of a stream, incrementally. Raises `StreamError` where it comes to something that is none."""
    for tokens in batches(chunks):
        yield from map(Token._make, tokens)


def batches(chunks: "bytes | Iterable[bytes]", scanner: Scanner | None = None) -> "Iterator[Iterable[Triple]]":
    """The same, as many together as are found together, and as plain tuples, which cost half; with a scanner of the caller's own."""
    scanner = scanner or Scanner()
    for chunk in blocks(chunks):
        yield scanner.feed(chunk)
    yield scanner.close()


def blocks(chunks: "bytes | Iterable[bytes]") -> "Iterator[bytes]":
    """The bytes in blocks of at most `BLOCK`."""
    for chunk in (chunks,) if isinstance(chunks, bytes) else chunks:
        if len(chunk) <= BLOCK:
            yield chunk
        else:
            yield from (chunk[at : at + BLOCK] for at in range(0, len(chunk), BLOCK))


def tokenize_string(text: str) -> list[Token]:
    """The tokens of a text."""
    return list(tokenize(text.encode("utf-8", "surrogateescape")))


class _Locator(Scanner):
    """Looks for the position of one token."""

    def __init__(self, wanted: int) -> None:
        super().__init__(spans=True)
        self._wanted = wanted
        self.found: Position | None = None

    def _built(self, found: "Found", block: bytes) -> "Iterable[Triple]":
        if self.found is None and self.count + len(found) > self._wanted:
            for number, match in enumerate(_TOKENS.finditer(block), self.count):  # pragma: no branch - it is one of these
                if number == self._wanted:
                    self.found = self.position.beyond(block[: match.start()])
                    break
        return super()._built(found, block)

    def _careful(self, data: bytes, *, final: bool) -> tuple[Token, int] | None:
        if self.found is None and self.count == self._wanted:
            self.found = self.position.beyond(b"")
        return super()._careful(data, final=final)


def locate(chunks: "bytes | Iterable[bytes]", number: int) -> tuple[int, int]:
    """Line and column of a token, counted from 0, in a stream that is well formed that far."""
    scanner = _Locator(number)
    for _ in batches(chunks, scanner):
        if scanner.found is not None:
            break
    found = scanner.found or scanner.position
    return found.line, found.before + 1
