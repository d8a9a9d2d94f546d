"""What the history is made of: who changes something, and how long and how much of what a change replaces is kept. Plain values.

A *version* is a value as it stood from one change to the next. The live entry is the last version of its key; the others are the
history. A *change* has a revision, a time and an actor; a deletion is one too.
"""

from .errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .address import Address

OVERHEAD = 100
"""Bytes that a version of the history counts beyond its value, so that a bound on bytes bounds tiny values too."""
LONGEST = 128
"""Bytes of an actor's name."""


class Keeping:
    """What a call says of the history: its `actor`, how many seconds (`ttl`, 0: not at all), how many versions of a key (`count`) and how
    many bytes of a meta (`size`) are kept.
    """

    __slots__ = ("actor", "count", "size", "ttl")

    def __init__(self, actor: str, ttl: int, count: int, size: int) -> None:
        self.actor = actor
        self.ttl = ttl
        self.count = count
        self.size = size


OFF = Keeping("", 0, 0, 0)
"""No history, by nobody."""


class Change:
    """One change: its revision, when (Unix seconds) and by whom. `time` is None and `actor` "" from before a history was kept."""

    __slots__ = ("actor", "revision", "time")

    def __init__(self, revision: int, time: float | None, actor: str) -> None:
        self.revision = revision
        self.time = time
        self.actor = actor


class Version:
    """A value as it stood, without its bytes.

    `previous` is the revision of what it replaced, 0 where nothing stood there, None where that is not known. `kept`: the bytes can be
    had. `ended` is the change that replaced it, or with `deleted` deleted it; None for the live entry.
    """

    __slots__ = ("address", "deleted", "ended", "expires", "kept", "made", "previous", "size")

    def __init__(self, address: "Address", made: Change, size: int, expires: int | None) -> None:
        self.address = address
        self.made = made
        self.size = size
        self.expires = expires
        self.previous: int | None = None
        self.kept = True
        self.ended: Change | None = None
        self.deleted = False


class Step:
    """A key on its way back: to the version `to`, or with 0 to nothing, if `standing` is still the revision of its last change."""

    __slots__ = ("address", "standing", "to")

    def __init__(self, address: "Address", standing: int, to: int) -> None:
        self.address = address
        self.standing = standing
        self.to = to


def checked_actor(text: str) -> str:
    """Who acts, as `PRONTO_ACTOR` says. Raises `UsageError` for a name that no listing could show."""
    if len(text.encode("utf-8", "surrogateescape")) <= LONGEST and text.isprintable() and text == text.strip():
        return text
    raise UsageError(
        f"Invalid actor {text[:LONGEST]!a}: at most {LONGEST} bytes that can be printed, without space around them",
        cure="set PRONTO_ACTOR to a name such as deploy or agent-7",
    )


def milliseconds(now: float) -> int:
    """A time as engines keep it."""
    return int(now * 1000 // 1)


def seconds(kept: int | None) -> float | None:
    """The same the other way."""
    return None if kept is None else kept / 1000
