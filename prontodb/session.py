"""One call of ProntoDB: its environment, streams, clock and flags, handed down as values so that nothing below reads its own."""

import os

from . import paths
from .address import Address, Scope, parse
from .errors import OutputError
from .resolve import REFUSED, VARIABLES, Context, Flags, Preset, Saved, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from .engines.base import Engine
    from .guard import Guard
    from .model import Content, Found
    from .past import Keeping
    from .settings import Settings

    class Sink(Protocol):
        """Where bytes go: standard output, standard error, or a test's buffer."""

        terminal: bool

        def write(self, data: bytes) -> None:
            """All of `data`."""


class Output:
    """A file descriptor to write to, unbuffered: callers hand over pages, not lines."""

    __slots__ = ("_name", "fd", "terminal")

    def __init__(self, fd: int, name: str) -> None:
        self.fd = fd
        self._name = name
        self.terminal = os.isatty(fd)

    def write(self, data: bytes) -> None:
        """All of `data`. Raises `BrokenPipeError` where nobody reads any more, else `OutputError`."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._some(rest) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(f"Cannot write {self._name}: {error.strerror}") from error

    def closed(self) -> bool:
        """Whether it is a pipe or a socket that nobody reads any more."""
        from select import POLLERR, poll

        look = poll()
        look.register(self.fd, 0)
        return any(event & POLLERR for _, event in look.poll(0))

    def _some(self, rest: memoryview) -> int:
        try:
            return os.write(self.fd, rest)
        except BlockingIOError:
            # Somebody upstream (node, for one) has made the shared description non-blocking.
            from select import select

            select([], [self.fd], [])
            return 0


class Input:
    """Standard input, looked at only by the calls that DESIGN §4 names."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def claim(self) -> int:
        """The descriptor, for a program that is to have it."""
        return self.fd

    def is_terminal(self) -> bool:
        """Whether a person types there."""
        return os.isatty(self.fd)

    def is_pipe(self) -> bool:
        """Whether what is not read there is gone: a pipe or a socket, in contrast to a file."""
        import stat

        mode = os.fstat(self.fd).st_mode
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    def wait(self, seconds: float) -> bool:
        """Whether there is something to read, or the end, within `seconds`."""
        from select import select

        return bool(select([self.fd], [], [], seconds)[0])

    def widen(self) -> None:
        """Lets a pipe hold as much as the kernel allows at once: fewer turns for both ends."""
        try:
            from fcntl import F_SETPIPE_SZ, fcntl  # type: ignore[attr-defined,unused-ignore]

            fcntl(self.fd, F_SETPIPE_SZ, 1 << 20)
        except (ImportError, OSError):
            # No pipe, another system, or a limit reached: it is only slower.
            pass

    def read(self, size: int) -> bytes:
        """At most `size` bytes; b"" at the end."""
        while True:
            try:
                return os.read(self.fd, size)
            except BlockingIOError:
                self.wait(3600)


class Piped:
    """What standard input holds for a verb that has not stored it yet: rescued if the call fails.

    `patient`: read to the end however long it takes; otherwise only where a first byte comes soon. `secret`: it is to be kept as one.
    """

    __slots__ = ("address", "content", "patient", "secret")

    def __init__(self, address: str | None, *, patient: bool, secret: bool = False) -> None:
        self.address = address
        self.patient = patient
        self.secret = secret
        self.content: Content | None = None


class Pool:
    """The engines that are open, by what they were opened for; `session` is the call that uses them."""

    __slots__ = ("engines", "session")

    def __init__(self) -> None:
        self.engines: dict[tuple[str, str, str, bool], Engine] = {}
        self.session: Session | None = None

    def timeout(self) -> float:
        """Seconds that an engine may wait, as the call that uses it has them."""
        assert self.session is not None
        return self.session.settings.number("busy_timeout")

    def keeping(self) -> "Keeping":
        """What becomes of values that are replaced, as the call that replaces them has it. Raises `UsageError`."""
        assert self.session is not None
        return self.session.keeping()

    @property
    def asked(self) -> "tuple[Callable[[], float], Callable[[], Keeping]]":
        """What engines ask the call for."""
        return self.timeout, self.keeping

    def close(self) -> None:
        """Lets go of every engine."""
        while self.engines:
            self.engines.popitem()[1].close()


class Session:
    """The values of one call. `piped` and `flags` are set as the command line becomes known."""

    __slots__ = (
        "_context",
        "_settings",
        "caller",
        "clock",
        "cwd",
        "environ",
        "flags",
        "guard",
        "opening",
        "piped",
        "pool",
        "program",
        "stderr",
        "stdin",
        "stdout",
    )

    def __init__(
        self,
        environ: "Mapping[str, str]",
        cwd: str,
        clock: "Callable[[], float]",
        streams: "tuple[Input, Sink, Sink]",
        pool: Pool | None = None,
    ) -> None:
        self.environ = environ
        self.cwd = cwd
        self.clock = clock
        self.stdin, self.stdout, self.stderr = streams
        self.program = ""
        """How this process was called, where it is a process's call: `argv[0]`."""
        self.caller = 0
        """The process that called: whom the history names where nobody is named."""
        self.flags = Flags()
        self.piped: Piped | None = None
        self.guard: Guard | None = None
        """Of content that is in memory only, until the call is over."""
        self.pool = pool or Pool()
        self.pool.session = self
        self._context: Context | None = None
        self._settings: Settings | None = None
        self.opening: tuple[str, tuple[str, str, str, bool]] | None = None
        """What `open_store` has worked out for this context."""

    def found(self, address: Address, found: "Found") -> None:
        """Told of what a `get` has printed."""

    def own_process(self) -> None:
        """To be called before what only a process of the caller's own may do: wait long, or start a program."""

    def now(self) -> int:
        """The time, in Unix seconds."""
        return int(self.clock())

    def context(self) -> Context:
        """Which data this call works on; worked out once, from the flags as they are then."""
        if self._context is None:
            context = resolve(self.flags, self.environ, Saved(self._active, self._cursor, self._profile))
            self._enforce(context)
            self._context = context
        return self._context

    def forget_context(self) -> None:
        """To be called where flags or what is saved have changed."""
        self._context = self.opening = None

    def pinned(self) -> bool:
        """Whether any pin is set, sensible or not."""
        return any(name.startswith("PRONTO_FORCE_") for name in self.environ)

    def may_retreat(self) -> bool:
        """Whether `retreat` leads somewhere: a refusal, or any pin, sensible or not."""
        return self.pinned() or REFUSED in self.environ

    def retreat(self) -> None:
        """Drops what led to a denial: a function's refusal, else whatever flags and environment say of user, meta, cursor and database."""
        self.forget_context()
        if REFUSED in self.environ:
            self.environ = {name: value for name, value in self.environ.items() if name != REFUSED}
            return
        for name in ("user", "meta", "cursor", "database"):
            setattr(self.flags, name, None)
        self.environ = {name: value for name, value in self.environ.items() if name not in VARIABLES.values()}

    def _enforce(self, context: Context) -> None:
        """Strict mode, which is looked into only where something may have asked for it."""
        modes = ("PRONTO_SECURITY", "PANTHEON_SECURITY_MODE")
        if any(self.environ.get(mode) for mode in modes) or os.access(paths.SYSTEM_PROFILES, os.F_OK):
            from .profiles import enforce

            enforce(context, self.environ, self._cursor)

    def _active(self, user: str) -> str:
        if not os.access(f"{paths.data_home(self.environ)}/cursors/{user}", os.F_OK):
            return ""
        from .saved import active

        return active(self.environ, user)

    def _cursor(self, user: str, name: str) -> Preset:
        from .saved import cursor

        return cursor(self.environ, user, name)

    def _profile(self, name: str) -> Preset:
        from .profiles import find

        return find(self.environ, name)

    def scope(self) -> Scope:
        """What completes a short address in this call."""
        return self.context().scope

    def address(self, text: str, *, piped: bool = False) -> Address:
        """The address that `text` spells here. Raises `InvalidAddress`."""
        return parse(text, self.scope(), piped=piped)

    def keeping(self) -> "Keeping":
        """Who acts, and what becomes of the values that are replaced. Raises `UsageError` for an actor or a setting that is none."""
        from .past import Keeping, checked_actor

        user = self.context().user.value
        actor = checked_actor(self.environ.get("PRONTO_ACTOR", "")) or (f"{user}:{self.caller}" if self.caller else user)
        number = self.settings.number
        return Keeping(actor, int(number("history_ttl")), int(number("history_count")), int(number("history_bytes")))

    def close(self) -> None:
        """Lets go of every engine that was opened on the way."""
        self.pool.close()

    @property
    def settings(self) -> "Settings":
        """What the environment and the settings file say; read at first use."""
        if self._settings is None:
            from .settings import Settings

            self._settings = Settings(self.environ)
        return self._settings
