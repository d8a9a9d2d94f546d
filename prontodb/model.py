"""The values that engines store and hand back. Written by hand: `dataclasses` alone costs 8 ms at start-up."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .address import Address

    Fence = tuple[Address, int]

INHERIT = None
"""A lifetime: the default of the entry's namespace, or none where it has no default."""
FOREVER = 0
"""A lifetime: none, whatever the namespace says."""

PIECE = 1 << 20
"""Bytes of one piece of a large value: read, written and stored in rows of this size."""


SECRET = b"\0"
"""What the note of a secret begins with. No reason for a rescue does."""
SECRETS = "sec"
"""The namespace, of any project, in which everything is a secret."""


class Content:
    """Bytes on their way in, of a known `size`; `pieces()` gives them in pieces of at most `PIECE` bytes, repeatably.

    `secret`: to be marked as one, whatever the write says; for contents that share a write.
    """

    __slots__ = ("_data", "_pieces", "secret", "size")

    def __init__(self, size: int, pieces: "Callable[[], Iterator[bytes]] | None", data: bytes | None = None) -> None:
        self.size = size
        self._pieces = pieces
        self._data = data
        self.secret = False

    @classmethod
    def of(cls, data: bytes) -> "Content":
        """Content that is in memory already."""
        return cls(len(data), None, data)

    def pieces(self) -> "Iterator[bytes]":
        """A fresh pass over the bytes."""
        if self._pieces:
            return self._pieces()
        data = self._data or b""
        return (data[at : at + PIECE] for at in range(0, len(data), PIECE))

    def read(self) -> bytes:
        """All of it, for content known to be small."""
        return b"".join(self.pieces()) if self._data is None else self._data

    @property
    def file(self) -> str:
        """The path of a durable file of ours that holds just these bytes and may be given further names; "" where there is none."""
        return ""

    def discard(self) -> None:
        """Lets go of what holds the bytes, once they are stored elsewhere. Nothing to do for memory."""


class Entry:
    """One stored value.

    `name` is the key, with `__context` where there is one; `expires` is in Unix seconds, None for ever; `value` is None where a
    listing leaves out a large one; `note` is what the pipe cache remembers of it, else b""; that of a secret begins with `SECRET`.
    """

    __slots__ = ("expires", "name", "note", "revision", "size", "value")

    def __init__(self, name: str, size: int, revision: int, expires: int | None, value: bytes | None) -> None:
        self.name = name
        self.size = size
        self.revision = revision
        self.expires = expires
        self.value = value
        self.note = b""

    @property
    def marked(self) -> bool:
        """Whether it was stored as a secret; `ops.secrets` knows of others."""
        return self.note[:1] == SECRET


class Found:
    """What `get` hands back: the entry without its value, and the value in pieces, all of one revision."""

    __slots__ = ("entry", "pieces")

    def __init__(self, entry: Entry, pieces: "Iterator[bytes]") -> None:
        self.entry = entry
        self.pieces = pieces

    def read(self) -> bytes:
        """The whole value."""
        return b"".join(self.pieces)


class Write:
    """How a value is to be put.

    `ttl` in seconds, or INHERIT or FOREVER; `expires` (Unix seconds) overrides it; `absent` puts only where nothing live stands;
    `revision` puts only over that revision, `expected` only over that value; `fence`, the address of a lease and its token, puts only
    while that entry lives at that revision. `numbered` puts a new item into a queue, see `Engine.put`. `note` as in `Entry`. `secret` marks
    it as one; None leaves it to what stands there: over a live secret, a value without a note is one too.
    """

    __slots__ = ("absent", "expected", "expires", "fence", "note", "numbered", "revision", "secret", "ttl")

    def __init__(self, ttl: int | None = INHERIT, *, absent: bool = False, revision: int | None = None, note: bytes = b"") -> None:
        self.ttl = ttl
        self.absent = absent
        self.revision = revision
        self.note = note
        self.secret: bool | None = None
        self.expires: int | None = None
        self.expected: bytes | None = None
        self.fence: Fence | None = None
        self.numbered = False

    def note_for(self, content: Content) -> bytes:
        """What is to be noted of a content that is put so."""
        return SECRET + self.note if self.secret or content.secret else self.note


def end(now: float, ttl: int) -> int:
    """The Unix second in which a lifetime of `ttl` seconds is over: rounded up, so that one second is never a tenth of one."""
    return ttl - int(-now // 1)


class Space:
    """A namespace that holds live entries, with its default lifetime in seconds (None: none)."""

    __slots__ = ("namespace", "project", "ttl")

    def __init__(self, project: str, namespace: str, ttl: int | None) -> None:
        self.project = project
        self.namespace = namespace
        self.ttl = ttl
