"""The pipe cache: where piped content goes when it cannot go where it was sent (DESIGN §6)."""

from ..address import Place
from ..engines.failures import PreconditionFailed
from ..errors import StorageError
from ..intake import plain
from ..model import SECRET

TYPE_CHECKING = False
if TYPE_CHECKING:
    import hashlib

    from ..model import Content
    from . import Store

CACHE = Place("pipe", "cache")


class Lost:
    """What is known of content in need: the address it was sent to (None: none), the slug of what went wrong,
    whether it is a secret, and, for the spool, its home, as `origin.home` tells it: with `database` "" for one that cannot be had at all.
    """

    __slots__ = ("asked", "home", "reason", "secret")

    def __init__(self, asked: str | None, reason: str, *, secret: bool = False) -> None:
        self.asked = asked
        self.reason = reason
        self.secret = secret
        self.home: dict[str, str] = {}

    def note(self) -> bytes:
        """As it is kept beside the content."""
        text = f"{self.reason}\n{self.asked or ''}".encode("utf-8", "surrogateescape")
        return SECRET + text if self.secret else text


def keep(store: "Store", content: "Content", lost: Lost, ttl: int) -> str:
    """Puts content into the store's pipe cache for `ttl` seconds (0: for ever); its address. Never overwrites.

    Raises `StorageError` where the database cannot take it: then `keep_spooled` can.
    """
    from ..model import Write

    name = cache_name(content, lost.asked, int(store.now))
    write = Write(ttl, absent=True, note=lost.note())
    for number in range(1, 1000):
        address = CACHE.address(name if number == 1 else f"{name}_{number}")
        try:
            store.engine.put(address, content, write, store.now)
        except PreconditionFailed:
            continue
        return str(address)
    raise StorageError(f"No free name in the pipe cache: {name}")


def keep_spooled(folders: list[str], content: "Content", lost: Lost, now: int) -> str:
    """Puts content into a spool file instead; its address, which is the same. Raises `ContentLost`."""
    from .. import spool

    name = cache_name(content, lost.asked, now)
    note: dict[str, object] = {"asked": lost.asked, "reason": lost.reason, "created": now, **lost.home}
    if lost.secret:
        note["secret"] = True
    return str(CACHE.address(spool.keep(content, folders, name, note)))


def cache_name(content: "Content", asked: str | None, now: int) -> str:
    """`{unix seconds}_{first 8 hex of md5}_{address}`, where whatever cannot stand in a name is `_`."""
    return f"{now}_{_md5(content)[:8]}_{plain(asked)}"


def _md5(content: "Content") -> str:
    digest = _new_md5()
    for piece in content.pieces():
        digest.update(piece)
    return digest.hexdigest()


def _new_md5() -> "hashlib._Hash":
    try:
        # hashlib would load OpenSSL, for one short hash that protects nothing.
        import _md5 as maker  # type: ignore[import-not-found]
    except ImportError:
        import hashlib as maker
    made: hashlib._Hash = maker.md5(usedforsecurity=False)
    return made
