"""The Python API: a door beside the command, to the same operations under the same rules. `import prontodb` is how it is reached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

from ..engines.failures import LeaseLost, PreconditionFailed
from ..errors import Busy, Denied, InvalidAddress, Miss, ProntoError, StorageError, UsageError
from ..ops.leases import LeaseHeld
from ..ops.patience import TimedOut
from ..resolve import Flags
from ..salvage import Rescued
from .caller import Maker
from .history import History
from .lease import Lease
from .leases import Leases
from .listings import Lifetimes, Listings, Streams
from .queues import Item, Queues
from .records import Change, Difference, Entry, Event, RescuedContent, Undone, Value
from .running import Running
from .seats import ClosedDatabase
from .values import Values
from .waiting import Waiting, Watch

__all__ = [
    "Busy",
    "Change",
    "ClosedDatabase",
    "Database",
    "Denied",
    "Difference",
    "Entry",
    "Event",
    "InvalidAddress",
    "Item",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "Miss",
    "PreconditionFailed",
    "ProntoError",
    "Rescued",
    "RescuedContent",
    "StorageError",
    "TimedOut",
    "Undone",
    "UsageError",
    "Value",
    "Watch",
    "open",
]


class Database(Values, Listings, Lifetimes, Streams, History, Leases, Queues, Waiting, Running):
    """An open database, in one context: user, meta, default project and namespace. Made by `prontodb.open`; a context manager.

    Many threads may use it at once. In asyncio: `await asyncio.to_thread(db.get, key)`. After a fork, parent and child both go on with
    it, each with connections of its own. Left to the garbage collector unclosed, it warns with `ResourceWarning`.
    """


def open(  # noqa: A001, PLR0913 - it is meant to be written `prontodb.open`; these are the command's options
    database: str | None = None,
    *,
    user: str | None = None,
    meta: str | None = None,
    cursor: str | None = None,
    project: str | None = None,
    namespace: str | None = None,
    password_file: str | None = None,
    actor: str | None = None,
    environ: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.time,
) -> Database:
    """Opens a database: a name, a path (`/…` or `./…`), or a URL. Nothing is created before something is stored.

    The arguments are the options of the command of the same names, and what is left out is found as the command finds it: pin,
    argument, variable (`PRONTO_DB`, `PRONTO_USER`, …), cursor, profile, default. It is found once, now: what changes later changes
    nothing here. `actor` (`PRONTO_ACTOR`) is whom the history and leases name. `environ` stands in for `os.environ`, `clock` for the time.

    Raises `Denied` where a pin is contradicted or a password is needed, `UsageError` for what makes no sense.
    """
    flags = Flags()
    flags.database, flags.user, flags.meta, flags.cursor = database, user, meta, cursor
    flags.project, flags.namespace, flags.password_file = project, namespace, password_file
    return Database(Maker(flags, environ, clock, actor))
