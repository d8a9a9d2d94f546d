"""Operators on tokens with their namespaces (`TokenStream`): fork, merge, gate, transform. Incremental where their meaning allows it."""

from base64 import b64decode, b64encode
from fnmatch import fnmatchcase
from itertools import chain
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .tokens import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Test = Callable[[Token], bool]
    Streams = Sequence[Iterable[Token]]


DIRECTIVES = ("meta", "sec")
"""The namespaces whose tokens are no data."""


class Selection:
    """Which tokens a fork takes: those of one of `namespaces` (or below it), whose key starts with `prefix` and matches `pattern`.

    What is empty takes all. The pattern is as a shell's, matched with the key, or where it has a `:` with `namespace:key`.
    """

    def __init__(self, namespaces: "Sequence[str]" = (), prefix: str = "", pattern: str = "") -> None:
        self._namespaces = namespaces
        self._prefix = prefix
        self._pattern = pattern

    def __call__(self, token: Token) -> bool:
        """Whether it takes the token."""
        name = f"{token.namespace}:{token.key}" if ":" in self._pattern else token.key
        return (
            (not self._namespaces or any(_within(token.namespace, wanted) for wanted in self._namespaces))
            and token.key.startswith(self._prefix)
            and (not self._pattern or fnmatchcase(name, self._pattern))
        )


def _within(namespace: str, wanted: str) -> bool:
    return namespace == wanted or namespace.startswith(f"{wanted}.")


def is_directive(token: Token) -> bool:
    """Whether it says something about the tokens after it, and is none of the data."""
    return token.namespace in DIRECTIVES


def fork(tokens: "Iterable[Token]", wanted: "Test") -> "Iterator[tuple[bool, bool, Token]]":
    """Each token, and whether it belongs to those that are wanted, and to the others. A directive belongs to both."""
    for token in tokens:
        taken, both = wanted(token), is_directive(token)
        yield taken or both, both or not taken, token


def concat(streams: "Streams") -> "Iterator[Token]":
    """One stream after the other."""
    return chain.from_iterable(streams)


def interleave(streams: "Streams") -> "Iterator[Token]":
    """A token of each in turn, until all have ended."""
    running = [iter(stream) for stream in streams]
    while running:
        for stream in list(running):
            try:
                yield next(stream)
            except StopIteration:
                running.remove(stream)


def dedupe(streams: "Streams") -> "Iterator[Token]":
    """Each name once, where it first stood, with its last value: what storing all of them would leave."""
    last = {(token.namespace, token.key): token for token in concat(streams)}
    return iter(last.values())


def priority(streams: "Streams") -> "Iterator[Token]":
    """Each name once, from the first stream that has it, with that one's last value."""
    first: dict[tuple[str, str], Token] = {}
    for stream in streams:
        own = {(token.namespace, token.key): token for token in stream}
        first |= {name: token for name, token in own.items() if name not in first}
    return iter(first.values())


def sort(streams: "Streams") -> "Iterator[Token]":
    """By namespace and key, in byte order; equal names stay in their order."""
    return iter(sorted(concat(streams), key=lambda token: (token.namespace.encode(), token.key.encode())))


def by_namespace(streams: "Streams") -> "Iterator[Token]":
    """Namespace by namespace, in the order in which they first come."""
    groups: dict[str, list[Token]] = {}
    for token in concat(streams):
        groups.setdefault(token.namespace, []).append(token)
    return chain.from_iterable(groups.values())


MERGES: "dict[str, Callable[[Streams], Iterator[Token]]]" = {
    "concat": concat,
    "interleave": interleave,
    "dedupe": dedupe,
    "sort": sort,
    "priority": priority,
    "namespace": by_namespace,
}
WHOLE = ("dedupe", "sort", "priority", "namespace")
"""The merges that need all tokens before they can give the first."""


def merge(streams: "Streams", how: str) -> "Iterator[Token]":
    """The streams as one, in one of the ways of `MERGES`.

    All but `concat` change the order of tokens, and directives hold for what comes after them. So these take streams that begin with
    the same directives, which then come first, and have no others; `ValueError` for the rest.
    """
    if how == "concat":
        return concat(streams)
    parted = [_parted(iter(stream)) for stream in streams]
    heads = [head for head, _ in parted]
    if any(head != heads[0] for head in heads):
        raise ValueError(f"the streams begin with different directives, and '{how}' mixes their tokens")
    return chain(heads[0] if heads else (), MERGES[how]([_data(rest, how) for _, rest in parted]))


def _parted(tokens: "Iterator[Token]") -> "tuple[list[Token], Iterator[Token]]":
    """The directives at the beginning, and the rest."""
    head: list[Token] = []
    for token in tokens:
        if not is_directive(token):
            return head, chain((token,), tokens)
        head.append(token)
    return head, iter(())


def _data(tokens: "Iterator[Token]", how: str) -> "Iterator[Token]":
    for token in tokens:
        if is_directive(token):
            raise ValueError(f"'{token.namespace}:{token.key}' stands among the data, and '{how}' changes the order of tokens")
        yield token


class Gate:
    """Conditions that a whole stream has to meet: `fewest` and `most` tokens, `namespaces` that must be there, `contained` in a value.

    Directives do not count.
    """

    def __init__(self, fewest: int = 0, most: int | None = None, namespaces: "Iterable[str]" = (), contained: bytes | None = None) -> None:
        self._fewest = fewest
        self._most = most
        self._missing = dict.fromkeys(namespaces)
        self._contained = contained

    def closed(self, tokens: "Iterable[Token]") -> str:
        """Why the stream may not pass; "" where it may. For one stream."""
        count, found = 0, self._contained is None
        for token in tokens:
            if is_directive(token):
                continue
            count += 1
            self._missing.pop(token.namespace, None)
            found = found or (self._contained or b"") in token.value
        if count < self._fewest:
            return f"{count} tokens, fewer than {self._fewest}"
        if self._most is not None and count > self._most:
            return f"{count} tokens, more than {self._most}"
        if self._missing:
            return f"no token in namespace '{next(iter(self._missing))}'"
        return "" if found else "no value holds what is wanted"


VALUES: "dict[str, Callable[[bytes], bytes]]" = {
    "upper": lambda value: _cased(value, str.upper),
    "lower": lambda value: _cased(value, str.lower),
    "base64": b64encode,
    "unbase64": lambda value: b64decode(value, validate=True),
    "url": lambda value: quote_from_bytes(value, safe="").encode(),
    "unurl": unquote_to_bytes,
}
"""What `transform` can do to values. `unbase64` raises `ValueError`."""
KEYS: "dict[str, Callable[[str], str]]" = {"upper": str.upper, "lower": str.lower}
"""What it can do to keys."""


def transform(tokens: "Iterable[Token]", values: "Sequence[str]" = (), keys: "Sequence[str]" = ()) -> "Iterator[Token]":
    """Each token with its value and its key changed by these steps, in their order; directives as they are.

    Raises `ValueError` where a step cannot be taken.
    """
    for token in tokens:
        yield token if is_directive(token) else Token(token.namespace, _key(token.key, keys), _value(token, values))


def _key(key: str, steps: "Sequence[str]") -> str:
    for step in steps:
        key = KEYS[step](key)
    return key


def _value(token: Token, steps: "Sequence[str]") -> bytes:
    value = token.value
    for step in steps:
        try:
            value = VALUES[step](value)
        except ValueError as error:
            raise ValueError(f"the value of '{token.key}' cannot be taken through {step}") from error
    return value


def _cased(value: bytes, change: "Callable[[str], str]") -> bytes:
    """Text with its case changed; bytes among it that are none stay as they are."""
    return change(value.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
