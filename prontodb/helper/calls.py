"""From a request to a reply: the same `dispatch` as the command's, in a process that stays."""

import os
import time

from ..dispatch import dispatch
from ..environment import Sent
from ..model import SECRETS
from ..session import Pool, Session
from . import protocol
from .remembered import Answers, Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..address import Address
    from ..model import Found
    from ..session import Input
    from .protocol import Request

LARGEST = 32 << 20
"""Bytes of output that are held in memory; a call with more is the caller's own."""
KEPT = 16
"""Databases that are kept open."""
OUTSIDE = "shell"
"""The verb that starts programs and becomes them; a key of that name takes the longer way too."""


class NeedsCaller(BaseException):
    """This call wants what only a process of the caller's own has: standard input, a terminal, or a place in the process tree.

    No `Exception`, so that nothing between here and there takes it for a fault. Whoever raises it has changed nothing yet.
    """


class Absent:
    """Standard input, which stays with the caller: whoever asks for it is run there."""

    fd = -1

    def claim(self) -> int:
        """Of use in the caller's own process only."""
        raise NeedsCaller

    def is_terminal(self) -> bool:
        """Not known here."""
        raise NeedsCaller

    def is_pipe(self) -> bool:
        """Likewise."""
        raise NeedsCaller

    def wait(self, _: float) -> bool:
        """Likewise."""
        raise NeedsCaller

    def read(self, _: int) -> bytes:
        """Likewise."""
        raise NeedsCaller


class Held:
    """Standard output or error, held until the reply."""

    __slots__ = ("data", "size", "terminal")

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal
        self.data: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> None:
        """Keeps it."""
        self.size += len(data)
        if self.size > LARGEST:
            raise NeedsCaller
        self.data.append(bytes(data))


class Warm(Pool):
    """Engines that outlive a call, as far as nobody can notice."""

    __slots__ = ()

    def close(self) -> None:
        """The end of a call: what is read as it lies stays open."""
        while len(self.engines) > KEPT:
            self.engines.pop(next(iter(self.engines))).close()
        for engine in self.engines.values():
            engine.rest()


class Resident(Session):
    """The values of one call of a shell's."""

    __slots__ = ("lasting",)

    def found(self, address: "Address", found: "Found") -> None:
        """Whether it may be kept: what ends by itself may not, nor may a secret."""
        entry = found.entry
        self.lasting = entry.expires is None and not entry.note and address.namespace != SECRETS

    def recall(self, remembered: Remembered) -> None:
        """Starts from the last call's context, if it is this one's too."""
        self._context, self.opening = remembered.find(self.environ)

    def own_process(self) -> None:
        """This one is the shell's helper, which others are waiting for."""
        raise NeedsCaller

    def remember(self, remembered: Remembered) -> None:
        """Leaves its context to the next call."""
        if not remembered.holds(self._context):
            remembered.keep(self.environ, self._context, self.opening, flags=self.flags.given())

    def steady(self) -> "Callable[[], bool] | None":
        """What tells whether that which a `get` has found is there still, without asking for it; None where nothing can."""
        engine = self.pool.engines.get(self.opening[1]) if self.lasting and self.opening else None
        return engine.steady() if engine else None


class Calls:
    """Answers requests, one after the other."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._pool = Warm()
        self._environ: tuple[tuple[bytes, ...], Sent] = ((), Sent({}, NeedsCaller))
        self._remembered = Remembered()
        self._answers = Answers(self._remembered)

    def answer(self, request: "Request") -> tuple[bytes, bytes]:
        """The reply, as `encode_reply` has it. Never raises: what cannot be answered here is the caller's."""
        environ = self._variables(request.variables)
        if (out := self._answers.find(request, environ)) is not None:
            return protocol.encode_reply(request.whose, 0, out, b"")
        argv = [word.decode("utf-8", "surrogateescape") for word in request.words]
        if OUTSIDE in argv:
            return protocol.encode_refusal(request.whose, protocol.CALLER), b""
        try:
            return self._answer(request, argv, environ)
        except NeedsCaller:
            return protocol.encode_refusal(request.whose, protocol.CALLER), b""

    def _answer(self, request: "Request", argv: list[str], environ: Sent) -> tuple[bytes, bytes]:
        session, out, err = self._session(request, environ)
        if _local(request):
            session.cwd = _enter(request.caller)
            try:
                status = dispatch(argv, session)
            finally:
                os.chdir("/")
        else:
            session.recall(self._remembered)
            status = dispatch(argv, session)
            session.remember(self._remembered)
            if status == 0 and not err.data:
                self._answers.keep(request, environ, out.data, session.steady)
        return protocol.encode_reply(request.whose, status, b"".join(out.data), b"".join(err.data))

    def _session(self, request: "Request", environ: Sent) -> "tuple[Resident, Held, Held]":
        out, err = (Held(terminal=digit == 0x31) for digit in request.terminals)
        stdin: Input = Absent()  # type: ignore[assignment]
        session = Resident(environ, "", time.time, (stdin, out, err), self._pool)
        session.program = self._program
        session.lasting = False
        session.caller = int(request.caller) if request.caller.isdigit() else 0
        return session, out, err

    def _variables(self, fields: tuple[bytes, ...]) -> Sent:
        """The environment; that of the last call, where nothing has changed."""
        if fields != self._environ[0]:
            pairs = (field.decode("utf-8", "surrogateescape").partition("=") for field in fields)
            self._environ = fields, Sent({name: value for name, _, value in pairs}, NeedsCaller)
        return self._environ[1]


def _local(request: "Request") -> bool:
    """Whether the caller's folder can matter: a path, or any option that may take one."""
    words = b"\0".join((b"", *request.words))
    return b"\0-" in words or b"./" in words or b"./" in b"".join(request.variables)


def _enter(caller: bytes) -> str:
    """Goes where the caller is, whatever its `PWD` says; the folder's path."""
    try:
        os.chdir(b"/proc/%b/cwd" % caller)
        return os.getcwd()
    except OSError as error:
        raise NeedsCaller from error
