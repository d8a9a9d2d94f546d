"""Leases: an entry that one of many gets and that ends by itself. Its revision is the token, which no earlier or later holder has.

A fence (`Write.fence`) is a lease and its token: a write behind it is refused once the lease is over or somebody else's, whatever its
holder believes. So a holder that was stopped, or whose clock stood still, does no harm when it wakes.
"""

import json
import time

from ..engines.failures import PreconditionFailed
from ..errors import ProntoError
from ..model import Content, Write, end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..address import Address
    from ..model import Entry, Fence
    from . import Store

LONGEST = 4096
"""Bytes up to which what stands at an address may be what `described` has written."""


class LeaseHeld(ProntoError):
    """Somebody else has the lease.

    `left`: for how many seconds at most, None where what stands there does not end.
    """

    code = 3
    slug = "lease-held"
    left: "float | None" = None


def described(actor: str, host: str, pid: int, now: float) -> Content:
    """What a lease holds: for people who wonder who has it."""
    told = {"actor": actor, "host": host, "pid": pid, "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))}
    return Content.of(json.dumps(told).encode())


def claim(store: "Store", address: "Address", holder: Content, ttl: int) -> int:
    """Gets the lease for `ttl` seconds; its token. Raises `LeaseHeld`."""
    while True:
        # A look first: it takes no lock, and most of those who wait get no further.
        found = store.engine.get(address, store.now)
        if found is not None:
            raise _held(address, found.entry, found.read() if found.entry.size <= LONGEST else b"", store.now)
        try:
            return store.engine.put(address, holder, Write(ttl, absent=True), store.now)
        except PreconditionFailed:
            # Somebody was quicker: the next look tells who.
            continue


def renew(store: "Store", lease: "Fence", ttl: int) -> None:
    """Lets a lease last for `ttl` seconds from now; its token stays. Raises `LeaseLost`."""
    now = store.now
    store.engine.expire(lease[0], end(now, ttl), now, fence=lease)


def release(store: "Store", lease: "Fence", *done: "Address") -> None:
    """Ends a lease, and deletes what was done under it, in one step. Raises `LeaseLost`."""
    store.engine.delete([*done, lease[0]], store.now, fence=lease)


def _held(address: "Address", entry: "Entry", value: bytes, now: float) -> LeaseHeld:
    if entry.expires is None:
        return LeaseHeld(f"{address} holds an entry that does not end: no lease", cure="claim another address", address=str(address))
    left = max(0.0, entry.expires - now)
    error = LeaseHeld(
        f"{address} is held{_by(value)}, for {int(left) + 1} more seconds at most",
        cure="--wait 5m waits for it",
        address=str(address),
    )
    error.left = left
    return error


def _by(value: bytes) -> str:
    """Who it is, where that is told; nothing else of a value is shown."""
    try:
        told = json.loads(value)
        return f" by {told['actor']} on {told['host']} (process {told['pid']}) since {told['since']}"
    except (ValueError, TypeError, KeyError):
        return ""
