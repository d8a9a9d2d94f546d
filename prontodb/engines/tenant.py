"""What the memory engine holds of one meta."""

from threading import Condition

from ..past import OVERHEAD, Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..address import Address
    from ..model import Entry

    State = tuple[dict[Address, Entry], dict[Address, Version], "dict[Address, list[Past]]", int]


class Past:
    """A version of the history with its bytes and its note, kept until the Unix second `until`."""

    __slots__ = ("note", "until", "value", "version")

    def __init__(self, version: Version, value: bytes, note: bytes, until: int) -> None:
        self.version = version
        self.value = value
        self.note = note
        self.until = until

    @property
    def cost(self) -> int:
        """Bytes that it counts."""
        return OVERHEAD + (self.version.size if self.version.kept else 0)

    @property
    def successor(self) -> int:
        """The revision of the change that ended it."""
        assert self.version.ended
        return self.version.ended.revision


class Tenant:
    """What one meta has: entries with their values, default lifetimes, the last revision given out, and the history.

    `live` tells of each entry what the history will say of it; `past` has the earlier versions of a key, the oldest first;
    `changes` counts for `changed`.
    """

    __slots__ = ("changes", "entries", "live", "news", "past", "revision", "ttls")

    def __init__(self) -> None:
        self.entries: dict[Address, Entry] = {}
        self.live: dict[Address, Version] = {}
        self.past: dict[Address, list[Past]] = {}
        self.ttls: dict[tuple[str, str], int] = {}
        self.revision = 0
        self.changes = 0
        self.news = Condition()

    def tell(self) -> None:
        """Wakes those who wait for a change."""
        with self.news:
            self.changes += 1
            self.news.notify_all()

    def state(self) -> "State":
        """All that a change may have to be undone to."""
        return dict(self.entries), dict(self.live), {address: list(those) for address, those in self.past.items()}, self.revision

    def undo(self, state: "State") -> None:
        """Goes back to it."""
        self.entries, self.live, self.past, self.revision = state
