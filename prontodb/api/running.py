"""The API's verbs that help programs run: their environment, and results that are kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .arguments import Contexts, Data, Key, Lifetime

from .arguments import writing
from .caller import contexts
from .core import Core


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
        from ..ops import variables

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
        from .memos import Flight

        address, write = self._address(key), writing(ttl)
        with self._steps() as store:
            return Flight(store, address).value(make, write)
