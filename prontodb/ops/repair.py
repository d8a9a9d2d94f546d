"""Making a sound database of a damaged one, as far as it can be read."""

import os
import time

from ..engines import recover, upkeep
from ..errors import UsageError
from .cursors import unpinned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..session import Session
    from . import Store


def repair(session: "Session", store: "Store", *, force: bool = False) -> "recover.Recovered | None":
    """Salvages what is readable into a new file and keeps the old one; None where there is nothing to mend. Not while pinned.

    Raises `UsageError` where there is no database, `Denied`, `Busy`, and `StorageError` for a file that is none of ours.
    """
    unpinned(session.context(), "whole databases")
    if not os.path.exists(store.database):
        raise UsageError(f"There is no database {store.database}", cure="prontodb doctor shows those that there are")
    recover.check_repairable(store.database)
    health = upkeep.look(store.database, store.whose, session.pool.timeout, store.now)
    if not (health.faults or health.missing or force):
        return None
    store.engine.close()
    return recover.recover(store.database, store.whose[0], stamp(store.now), session.pool.timeout())


def stamp(now: float) -> str:
    """A moment in the name of a file, in UTC: 20260131T235959Z."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
