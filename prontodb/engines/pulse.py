"""Noticing that others have changed a SQLite file, without reading what is in it.

A database that nobody has open lies there as a file without a journal: then its time, its size and its number in the file system tell,
and looking at these leaves it alone. While somebody has it open for writing, commits go into the log, which a file's time shows too
early: before they are to be seen. So a connection is opened that counts them (`PRAGMA data_version`). It is closed again when nothing
happens for a while: as the last one it tidies the log away, and the file can be read as it lies again.
"""

import os
import time

from .connect import COARSE_TICK, TICK, journaled
from .driver import Error, connect, pragma
from .writer import refuse_foreign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .driver import Connection

INTERVAL = 0.025
"""Seconds between two looks: 40 a second are some 0.6 % of a core."""
IDLE = 0.25
"""Seconds without a commit after which the connection is closed."""


class Pulse:
    """Of one file, which may be absent, made, replaced and deleted meanwhile."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._db: Connection | None = None
        self._file: tuple[int, int] | None = None
        """The file that the connection is to."""
        self._count = (0, 0)
        """Which connection this is, and how many commits it has seen."""
        self._seen: object = None
        """What the last look came to; never None after one."""
        self._changed = 0.0
        self._held = False
        """Whether the connection was closed in vain since the last commit: others have the file open, so that nothing was tidied away."""
        self._remote: dict[int, bool] = {}

    def wait(self, timeout: float) -> bool:
        """As `Engine.changed`."""
        end = time.monotonic() + timeout
        while not self._beats():
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(INTERVAL, left))
        return True

    def close(self) -> None:
        """Lets go of the file; the next look says that something may have changed."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _beats(self) -> bool:
        """Whether something may have changed since the look before."""
        seen, self._seen = self._seen, self._look()
        if self._seen == seen:
            return False
        self._changed = time.monotonic()
        return True

    def _look(self) -> object:
        if self._db is not None and not self._held and time.monotonic() - self._changed > IDLE:
            self.close()
            self._held = True
        try:
            status = os.stat(self._path)
            lying = self._lies(status.st_dev)
        except OSError:
            status = None
        if status is None or not status.st_size:
            self.close()
            return "no database"
        if not lying:
            return self._commits((status.st_dev, status.st_ino))
        self.close()
        self._held = False
        return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, _fresh(status.st_mtime_ns)

    def _lies(self, device: int) -> bool:
        """Whether the file is complete by itself, and what is done to it on other machines shows at once."""
        if device not in self._remote:
            from .mounts import on_network

            self._remote[device] = on_network(self._path)
        return not (journaled(self._path) or self._remote[device])

    def _commits(self, file: tuple[int, int]) -> object:
        """Which connection it is, and how many commits it has seen."""
        try:
            if self._db is None or self._file != file:
                self._open(file)
            assert self._db is not None
            count = (self._count[0], pragma(self._db, "data_version"))
        except Error:
            # Locked, or damaged, which whoever looks is told of. Another connection is another count, so nothing is missed.
            self.close()
            return self._seen or "no answer"
        if count != self._count and self._count[1]:
            self._held = False
        self._count = count
        return count

    def _open(self, file: tuple[int, int]) -> None:
        self.close()
        refuse_foreign(self._path)
        # Only one that may write can tidy up; it writes nothing else.
        mode = "rw" if os.access(self._path, os.W_OK) else "ro"
        self._db = connect(self._path, f"mode={mode}", 0)
        self._file = file
        self._count = (self._count[0] + 1, 0)


def _fresh(changed: int) -> float:
    """Another number each time while the file is so new that its time, in nanoseconds, could hide a further change; then 0."""
    now = time.time()
    tick = TICK if changed % 1_000_000 else COARSE_TICK
    return now if 0 <= now - changed / 1e9 < tick else 0.0
