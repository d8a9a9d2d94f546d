"""The API's verbs that help programs run: their environment, and results that are kept."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..address import Address
    from ..model import Write
    from ..ops import Store
    from .core import Contexts, Data, Key, Lifetime

from ..address import Choice, Scope, parse
from ..errors import Miss, ProntoError
from ..model import Content
from ..ops import flight, kv, memos, variables
from .caller import contexts
from .core import Core, data, writing

TICK = flight.LEASE / 3
"""Seconds between two renewals while a function runs."""


class Running(Core):
    """See the module."""

    def environment(
        self,
        *places: Key,
        context: Contexts | None = None,
        prefix: str = "",
        exact: bool = False,
        override: bool = False,
        unsafe: bool = False,
        empty: bool = False,
    ) -> dict[str, str]:
        """The entries of places as variables, as `run` gives them to a program: `{**os.environ, **db.environment("app.config")}`.

        Upper case behind `prefix`, with `_` for `-`, secrets too; bytes as `os.environ` has them. With `context`, what holds under these
        contexts, else plain entries alone. `exact` leaves the newline at the end of a value. Raises `ProntoError` for two entries of one
        name, but where `override` lets the later of two places count; and for a name that can make programs run something else, such as
        PATH, but with `unsafe`. Raises `Miss` for a place that holds nothing, but with `empty`.
        """
        rules = variables.Rules(prefix, exact=exact, override=override, unsafe=unsafe, empty=empty)
        rules.over = None if context is None else contexts(context)
        at = [self._place(place) for place in places or (None,)]
        with self._call() as store:
            return {name: os.fsdecode(variable.value) for name, variable in variables.variables(store, at, rules).items()}

    def memo(self, key: Key, make: Callable[[], Data], *, ttl: Lifetime) -> bytes:
        """The value at an address; where there is none, what `make` returns, which is stored there for `ttl`.

        Of many threads, processes and machines at once, one calls `make`, and the others wait for what comes of it. It may take its time;
        if its process dies, the next one begins within seconds. Where it raises, nothing is kept, and the next one calls its own. `delete`
        makes it be called anew. What the value depends on belongs into the address.
        """
        address, write = self._address(key), writing(ttl)
        lease = memos.lease_of(address)
        # Longer than what was given: it may be too long.
        parse(str(lease), Scope(Choice("", "default"), Choice("", "default")))
        with self._steps() as store:
            return _Flight(store, address, lease).value(make, write)


class _Flight:
    """One call of `memo`."""

    def __init__(self, store: Store, address: Address, lease: Address) -> None:
        self._store = store
        self._address = address
        self._lease = lease

    def value(self, make: Callable[[], Data], write: Write) -> bytes:
        lease = flight.Lease(self._store, self._lease)
        while True:
            if (kept := self._kept()) is not None:
                return kept
            if lease.take():
                return self._fly(lease, make, write)
            flight.wait(self._store, self._lease)

    def _kept(self) -> bytes | None:
        try:
            return kv.get(self._store, self._address).read()
        except Miss:
            return None

    def _fly(self, lease: flight.Lease, make: Callable[[], Data], write: Write) -> bytes:
        """Calls the function, unless somebody has just done so."""
        try:
            if (kept := self._kept()) is not None:
                return kept
            made = data(_renewed(lease, make))
            self._keep(made, write)
            return made
        finally:
            # Where that fails it ends by itself.
            with suppress(ProntoError):
                lease.release()

    def _keep(self, made: bytes, write: Write) -> None:
        """Stores the result. Where that fails, it has been made all the same."""
        try:
            kv.put(self._store, self._address, Content.of(made), write)
        except ProntoError as error:
            warnings.warn(f"The result is not kept at {self._address}: {error.message}", stacklevel=5)


def _renewed(lease: flight.Lease, make: Callable[[], Data]) -> Data:
    from .renewal import Ticking

    def renew() -> None:
        # The function goes on where that fails: at worst another one is begun.
        with suppress(flight.Lost, ProntoError):
            lease.renew()

    thread = Ticking(renew, lambda: TICK)
    thread.start()
    try:
        return make()
    finally:
        thread.stop()
