"""A lease, as the API hands it out."""

from __future__ import annotations

import os
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from typing_extensions import Self

    from ..model import Fence as Held
    from .arguments import Lifetime
    from .core import Core
    from .renewal import Ticking

from ..engines.failures import LeaseLost
from ..errors import ProntoError
from ..ops import leases
from .arguments import seconds


class Lease:
    """A lease: an entry at `address` that one at a time can have, and that ends by itself. `token` tells this holder from all others.

    In a `with` block it is renewed by a thread, and released at the end; where it was lost meanwhile, the end of the block raises
    `LeaseLost`. Writes with `fence=lease` are refused by the store itself from that moment on, whatever this process believes. After a
    fork it is the parent's: at the end of its block the child neither renews nor releases it.
    """

    def __init__(self, core: Core, held: Held, ttl: int, sent: float | None = None) -> None:
        self._core = core
        self.held = held
        self.where = core._make.where
        self._ttl = ttl
        self._sent = sent
        self._thread: Ticking | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self.released = False
        """Whether it was released here."""

    @property
    def address(self) -> str:
        """The whole address."""
        return str(self.held[0])

    @property
    def token(self) -> int:
        """The token: the revision of the entry."""
        return self.held[1]

    @property
    def lost(self) -> bool:
        """Whether a renewal has found that it is over, or somebody else's. False is no promise: only a fence is."""
        return self._thread is not None and self._thread.lost is not None and not self.released

    def renew(self, ttl: Lifetime | None = None) -> None:
        """Lets it last for `ttl` from now, by default for as long as before; in a block it goes on with that. Raises `LeaseLost`."""
        from .renewal import elapsed

        left = self._ttl if ttl is None else seconds(ttl)
        with self._resting():
            sent = elapsed()
            with self._core._change() as store:  # noqa: SLF001 - a lease is a part of its database
                leases.renew(store, self.held, left)
            self._ttl, self._sent = left, sent

    def release(self) -> None:
        """Ends it before its time. Raises `LeaseLost` where it is over already, or somebody else's: theirs stays."""
        with self._core._change() as store:  # noqa: SLF001 - likewise
            leases.release(store, self.held)
        self.released = True

    @contextmanager
    def kept(self) -> Iterator[Lease]:
        """Renews it by a thread in a `with` block, whose end raises `LeaseLost` where it was lost, but does not release it."""
        if self._sent is None or self.released:
            # Nobody knows how long it lasts, or it does not any more.
            self.renew()
        thread = self._begin()
        try:
            yield self
        finally:
            # Not always the one with which it began.
            thread = self._thread or thread
            thread.stop()
        if thread.lost is not None and not self.released:
            raise thread.lost

    def __enter__(self) -> Self:
        self._block = self._whole()
        self._block.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._block.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<prontodb.Lease '{self.address}', token={self.token}>"

    def _begin(self) -> Ticking:
        from .renewal import renewing

        assert self._sent is not None
        self._thread = renewing(self._core._make, self._core._seats, self.held, self._ttl, self._sent)  # noqa: SLF001 - likewise
        self._thread.start()
        return self._thread

    @contextmanager
    def _resting(self) -> Iterator[None]:
        """Without the thread, which goes by what it knows, and would shorten a lease again that is to last longer."""
        with self._lock:
            kept = self._thread is not None and self._thread.is_alive()
            if self._thread is not None:
                self._thread.stop()
            try:
                yield
            finally:
                if kept:
                    self._begin()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            with self.kept():
                yield
        except BaseException:
            self._over(raising=False)
            raise
        self._over(raising=True)

    def _over(self, *, raising: bool) -> None:
        """Releases it. Where that cannot be done it ends by itself."""
        if self._pid != os.getpid() or self.released or self.lost:
            return
        try:
            self.release()
        except LeaseLost:
            if raising:
                raise
        except ProntoError as error:
            warnings.warn(f"The lease {self.address} is left to end by itself: {error.message}", stacklevel=5)
