"""Buckets: what the tokens of a stream collect into, by namespace."""

from collections import defaultdict
from enum import Enum

from .scanner import batches
from .tokens import StreamError, Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Triple = tuple[str, str, bytes]

GLOBAL = "global"
"""The namespace that holds before any `ns=`, and again after `ns=global`."""


class BucketMode(Enum):
    """What a bucket can be asked for: `FLAT` values by namespace and key, `TREE` namespaces by their relations, `HYBRID` both."""

    FLAT = "flat"
    TREE = "tree"
    HYBRID = "hybrid"


class TokenStream:
    """Tokens with the namespace that each is in, from tokens as they are written: `ns=` switches, a prefix counts for one token.

    The switches themselves do not come out. One pass; raises `StreamError` for a switch to nothing.
    """

    def __init__(self, tokens: "Iterable[Token]") -> None:
        self._tokens = tokens
        self.namespace = GLOBAL
        """The active one."""

    def __iter__(self) -> "Iterator[Token]":
        for token in self._tokens:
            if token.namespace:
                yield token
            elif token.key == "ns":
                self.namespace = switched(token.value)
            else:
                yield Token(self.namespace, token.key, token.value)


def switched(value: bytes) -> str:
    """The namespace that an `ns=` switches to. Raises `StreamError`, with no position."""
    try:
        name = value.decode()
    except UnicodeDecodeError:
        name = ""
    if name and not any(mark.isspace() or mark in ":;=" for mark in name):
        return name
    raise StreamError("ns= names no namespace", 0, 0)


class TokenBucket:
    """Values by namespace and key; the last of equal ones counts. Namespaces keep the order in which they came."""

    def __init__(self, mode: BucketMode = BucketMode.FLAT) -> None:
        self.mode = mode
        self.data: dict[str, dict[str, bytes]] = {}

    def add(self, namespace: str, key: str, value: bytes) -> None:
        """Puts one value."""
        self.data.setdefault(namespace, {})[key] = value

    def get(self, namespace: str, key: str) -> bytes | None:
        """A value, or None."""
        return self.data.get(namespace, {}).get(key)

    def namespaces(self) -> list[str]:
        """Those that hold something."""
        return [name for name, held in self.data.items() if held]

    def __len__(self) -> int:
        return sum(map(len, self.data.values()))

    def __iter__(self) -> "Iterator[Token]":
        return (Token(name, key, value) for name, held in self.data.items() for key, value in held.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenBucket) and (self.mode, self.data) == (other.mode, other.data)

    __hash__ = None  # type: ignore[assignment]  # it changes

    # Relations, which modes TREE and HYBRID know: `a.b` is a child of `a`, whether or not `a` itself holds anything.

    def children(self, namespace: str = "") -> list[str]:
        """The namespaces one step below; of "" the topmost."""
        depth = namespace.count(".") + 1 if namespace else 0
        return list(dict.fromkeys(".".join(name.split(".")[: depth + 1]) for name in self.descendants(namespace)))

    def descendants(self, namespace: str = "") -> list[str]:
        """The namespaces that hold something, any number of steps below."""
        self._require_tree()
        start = f"{namespace}." if namespace else ""
        return [name for name in self.namespaces() if name.startswith(start)]

    def siblings(self, namespace: str) -> list[str]:
        """The other children of its parent."""
        return [name for name in self.children(namespace.rpartition(".")[0]) if name != namespace]

    def tree(self) -> "dict[str, object]":
        """Namespaces as nested dictionaries, their values by key; where a key and a namespace below share a name, raises `ValueError`."""
        self._require_tree()
        root: dict[str, object] = {}
        for name, held in self.data.items():
            node = _node(root, name)
            for key, value in held.items():
                if key in node:
                    raise ValueError(f"'{key}' is both a key and a namespace in '{name}'")
                node[key] = value
        return root

    def _require_tree(self) -> None:
        if self.mode is BucketMode.FLAT:
            raise ValueError("a flat bucket has no tree: collect in mode TREE or HYBRID")


def _node(root: "dict[str, object]", name: str) -> "dict[str, object]":
    node = root
    for step in name.split("."):
        below = node.setdefault(step, {})
        if not isinstance(below, dict):
            raise ValueError(f"'{step}' is both a key and a namespace in '{name}'")  # noqa: TRY004 - what is wrong is the data
        node = below
    return node


def collect(tokens: "Iterable[Triple]", mode: BucketMode = BucketMode.FLAT) -> TokenBucket:
    """A bucket of tokens as they are written. Raises `StreamError`."""
    return _collected((tokens,), mode)


def collect_stream(chunks: "bytes | Iterable[bytes]", mode: BucketMode = BucketMode.FLAT) -> TokenBucket:
    """Tokenizes and collects in one: the fast way for a large stream. Raises `StreamError`."""
    return _collected(batches(chunks), mode)


def collect_tokens(tokens: "Iterable[Triple]", mode: BucketMode = BucketMode.FLAT) -> TokenBucket:
    """`collect`, by the name that it has in the original XStream."""
    return collect(tokens, mode)


def _collected(lists: "Iterable[Iterable[Triple]]", mode: BucketMode) -> TokenBucket:
    data: defaultdict[str, dict[str, bytes]] = defaultdict(dict)
    held = data[GLOBAL]
    for tokens in lists:
        for namespace, key, value in tokens:
            if namespace:
                data[namespace][key] = value
            elif key == "ns":
                held = data[switched(value)]
            else:
                held[key] = value
    bucket = TokenBucket(mode)
    bucket.data = {name: values for name, values in data.items() if values}
    return bucket
