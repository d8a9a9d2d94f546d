"""A session that no command line belongs to: without standard streams, and of one context for good."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..resolve import Context, Flags

    Opening = tuple[str, tuple[str, str, str, bool]]

from ..address import Choice, Scope
from ..errors import UsageError
from ..ops import open_store
from ..past import checked_actor
from ..session import Input, Pool, Session


class Silence:
    """Standard output and error: nothing is printed."""

    terminal = False

    def write(self, data: bytes) -> None:
        """Drops it."""


class Nothing(Input):
    """Standard input: belongs to the program, and is not read."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(-1)

    def is_terminal(self) -> bool:
        """Never."""
        return False

    def is_pipe(self) -> bool:
        """Never."""
        return False

    def read(self, size: int) -> bytes:  # noqa: ARG002 - the signature of `Input`
        """Its end."""
        return b""


class Patience(Pool):
    """Engines that may be told to wait for no longer than `limit` seconds, for one call."""

    __slots__ = ("limit",)

    def __init__(self) -> None:
        super().__init__()
        self.limit: float | None = None

    def timeout(self) -> float:
        """Seconds."""
        own = super().timeout()
        return own if self.limit is None else min(self.limit, own)


class Caller(Session):
    """The values of one call at a time; `begin` puts back what the one before may have changed."""

    __slots__ = ("_fixed",)

    _fixed: tuple[Context, Opening | None]
    pool: Patience

    def begin(self) -> None:
        """Starts from the context that was found when the database was opened."""
        self._context, self.opening = self._fixed
        self.pool.limit = None

    def hurry(self, seconds: float) -> None:
        """Lets this call wait for locks for no longer than that."""
        self.pool.limit = seconds

    def fix(self, context: Context, opening: Opening | None) -> None:
        """Takes a context for good, and what `open_store` makes of it."""
        self._fixed = context, opening
        self.begin()

    def rest(self) -> None:
        """Closes what is open; the next call opens it again."""
        for engine in self.pool.engines.values():
            engine.close()


class Maker:
    """Makes sessions that are all of one context, whatever becomes of cursors, profiles and variables meanwhile."""

    def __init__(self, flags: Flags, environ: Mapping[str, str] | None, clock: Callable[[], float], actor: str | None = None) -> None:
        self._flags = flags
        self._environ = dict(os.environ if environ is None else environ)
        if actor is not None:
            self._environ["PRONTO_ACTOR"] = checked_actor(actor)
        self._clock = clock
        self._cwd = _cwd()
        session = self._new()
        # Says what is wrong with a name, a path or a password; makes and opens nothing.
        open_store(session)
        self.context, self._opening = session.context(), session.opening
        self.context.scope = _completing(self.context.scope)
        if flags.password_file is not None:
            # It was right, and to look again takes as long as a password should.
            flags.admitted = self.context.user.value
        session.close()

    @property
    def scope(self) -> Scope:
        """What completes a short address."""
        return self.context.scope

    @property
    def where(self) -> tuple[str, str, str]:
        """File or URL, user and meta: what two have in common that work on the same data."""
        assert self._opening is not None
        path, user, meta, _ = self._opening[1]
        return os.path.realpath(path) if path.startswith("/") else path, user, meta

    def __call__(self) -> Caller:
        """A session."""
        session = self._new()
        session.fix(self.context, self._opening)
        return session

    def _new(self) -> Caller:
        from copy import copy

        session = Caller(self._environ, self._cwd, self._clock, (Nothing(), Silence(), Silence()), Patience())
        session.flags = copy(self._flags)
        return session


def _completing(scope: Scope) -> Scope:
    """Project and namespace as what completes short addresses. The options of the command also forbid whole ones; but whoever holds a
    whole address, from a listing or a rescue, must be able to use it.
    """
    project, namespace = (
        Choice(choice.value, "argument" if choice.source == "flag" else choice.source) for choice in (scope.project, scope.namespace)
    )
    return Scope(project, namespace, scope.delim)


def _cwd() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return ""


def text(key: str | bytes, what: str = "an address") -> str:
    """An address as text. Raises `TypeError` for what is none, `InvalidAddress` later for bytes that are not UTF-8."""
    if isinstance(key, bytes):
        return key.decode("utf-8", "surrogateescape")
    if not isinstance(key, str):
        raise TypeError(f"{what} is str or bytes, not {type(key).__name__}")
    return key


def contexts(given: str | list[str] | tuple[str, ...] | None) -> list[str]:
    """Contexts as the option --context takes them, or as a sequence. Raises `UsageError`."""
    from ..ops import overlay

    if given is None or (not isinstance(given, str) and not given):
        return []
    if not isinstance(given, (str, list, tuple)):
        raise UsageError(f"Invalid context {given!r}", cure='context="prod,eu", or ["prod", "eu"]')
    return overlay.contexts(given if isinstance(given, str) else ",".join(given))
