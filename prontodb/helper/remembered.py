"""What a helper knows from the calls before, for as long as all that it came from is as it was."""

import os

from ..environment import Sent
from ..paths import SYSTEM_PROFILES, data_home
from .protocol import ROOM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..resolve import Context
    from .protocol import Request

    Opening = tuple[str, tuple[str, str, str, bool]]

MOST = 1024
"""Answers that are kept."""


class Remembered:
    """The context of the last call, for the next one with the same variables: to work it out is a third of a call."""

    def __init__(self) -> None:
        self._environ: Sent | None = None
        self._context: Context | None = None
        self._opening: Opening | None = None
        self._active = ""

    def find(self, environ: "Mapping[str, str]") -> "tuple[Context | None, Opening | None]":
        """The context, and what follows from it, unless something that is saved may have come into it since."""
        if environ is not self._environ or self._saved():
            return None, None
        return self._context, self._opening

    def keep(self, environ: "Mapping[str, str]", context: "Context | None", opening: "Opening | None", *, flags: bool) -> None:
        """Keeps a context that nothing saved has gone into, and no `flags`."""
        self._environ = None
        if context is None or not isinstance(environ, Sent) or flags:
            return
        modes = environ.get("PRONTO_SECURITY") or environ.get("PANTHEON_SECURITY_MODE")
        self._active = f"{data_home(environ)}/cursors/{context.user.value}"
        if not (context.cursor.value or "profile" in context.pins or modes or self._saved()):
            self._environ, self._context, self._opening = environ, context, opening

    def holds(self, context: "Context | None") -> bool:
        """Whether it is this one that is kept, with all that follows from it."""
        return context is not None and context is self._context and self._environ is not None and self._opening is not None

    def _saved(self) -> bool:
        """Whether there is an active cursor, or root has a say."""
        return os.access(self._active, os.F_OK) or os.access(SYSTEM_PROFILES, os.F_OK)


class Answers:
    """What `get ADDRESS` has said: a loop asks for the same few again and again.

    One holds as long as the variables, the context that follows from them and the database are what they were. So what tells of a
    change is the same as for a database that is read as it lies: it was looked at before this answer was given, and is again.
    """

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered
        self._environ = Sent({}, KeyError)
        self._steady: Callable[[], bool] | None = None
        self._outs: dict[tuple[bytes, bytes], bytes] = {}

    def find(self, request: "Request", environ: Sent) -> bytes | None:
        """Standard output of this very call; None where it has to be made."""
        if environ is not self._environ or len(request.words) != 2 or request.words[0] != b"get":
            return None
        out = self._outs.get((request.words[1], request.terminals))
        return out if out is not None and self._holds() else None

    def keep(self, request: "Request", environ: Sent, out: list[bytes], steady: "Callable[[], Callable[[], bool] | None]") -> None:
        """Keeps the standard output of a call that went well, if it was such a one."""
        if len(request.words) != 2 or request.words[0] != b"get" or not (look := steady()):
            return
        if environ is not self._environ or len(self._outs) >= MOST or not self._holds():
            self._environ, self._steady = environ, look
            self._outs.clear()
        if sum(map(len, out)) <= ROOM:
            self._outs[request.words[1], request.terminals] = b"".join(out)

    def _holds(self) -> bool:
        context, opening = self._remembered.find(self._environ)
        # A user who has a password by now has to be asked for it.
        return bool(context and opening and self._steady and not os.access(opening[0], os.F_OK) and self._steady())
