"""Ways to run ProntoDB in a test: as the installed command in a process of its own, or `dispatch` in this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from prontodb.dispatch import dispatch
from prontodb.session import Input, Session

from .pgserver import Server

COMMAND = str(Path(sys.executable).with_name("prontodb"))
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        # Started in the background, or under nohup: programs would inherit it, and none of those here could be interrupted. With a
        # handler they do not.
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else lambda *_: None)
# No case is too slow: that would be a test of how busy the machine is.
_patient: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# What CI says of a change must not depend on the dice; elsewhere every run looks at other cases, `make fuzz` at more of them.
settings.register_profile("ci", derandomize=True, **_patient)
settings.register_profile("dice", max_examples=int(os.environ.get("PRONTO_TEST_EXAMPLES", "100")), **_patient)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "dice")

KEPT = ("PATH", "LANG", "LC_ALL", "COVERAGE_PROCESS_CONFIG")
"""Of the environment of the tests, what those of a home begin with: the last one is there under `make coverage`, which measures them too."""


class Result:
    """What a call came to."""

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status = status
        self.out = out
        self.err = err.decode("utf-8", "backslashreplace")

    @property
    def lines(self) -> list[str]:
        """Standard output as lines of text."""
        return self.out.decode().splitlines()

    @property
    def rescued(self) -> str:
        """The address that a rescue names."""
        return self.err.split("cached as: ")[1].split("\n")[0]

    def __repr__(self) -> str:
        return f"Result({self.status}, {self.out[:200]!r}, {self.err!r})"


class Home:
    """A user's home, empty at first, in which commands run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.env |= {"HOME": str(folder), "TMPDIR": str(folder / "tmp"), "TERM": "xterm"}
        self.env["PATH"] = f"{Path(COMMAND).parent}:{self.env['PATH']}"
        (folder / "tmp").mkdir(exist_ok=True)

    @property
    def database(self) -> Path:
        """The file of the database `main`."""
        return self.folder / ".local/share/prontodb/main.db"

    @property
    def spool(self) -> Path:
        """The folder of rescued content."""
        return self.folder / ".local/state/prontodb/rescue"

    def wipe(self) -> None:
        """Takes away the database `main`."""
        self.database.unlink()

    def partial(self) -> list[Path]:
        """The spool files of content that is still arriving, or was cut off."""
        found = self.spool.iterdir() if self.spool.exists() else ()
        return [path for path in found if "+partial" in path.name and not path.name.startswith(".") and path.suffix != ".json"]

    def run(self, *argv: str | bytes, stdin: bytes | None = None, **options: Any) -> Result:
        """Runs the installed command; standard input is a pipe with these bytes, or /dev/null."""
        env = self.env | options.pop("env", {})
        feed: dict[str, Any] = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        feed |= options
        done = subprocess.run(
            [COMMAND, *argv], capture_output="stdout" not in options, env=env, cwd=self.folder, timeout=60, check=False, **feed
        )
        return Result(done.returncode, done.stdout or b"", done.stderr or b"")

    def shell(self, script: str, shell: str = "bash", **options: Any) -> Result:
        """Runs a script in a real shell."""
        env = self.env | options.pop("env", {})
        bare = {"zsh": "-f", "fish": "--no-config"}.get(shell, "--norc")
        feed: dict[str, Any] = {"stdin": subprocess.DEVNULL} | options
        argv = [shell, bare, "-c", script]
        done = subprocess.run(argv, capture_output=True, env=env, cwd=self.folder, timeout=60, check=False, **feed)
        return Result(done.returncode, done.stdout, done.stderr)

    def call(self, *argv: str, stdin: bytes | None = None, **options: Any) -> Result:
        """The same in this process, through `dispatch`; `now` sets the clock, `terminal` what standard output is."""
        out, err = Sink(options.pop("terminal", False)), Sink(options.pop("err_terminal", False))
        with Feed(stdin) as fd:
            clock = options.pop("now", None)
            env = self.env | options.pop("env", {})
            session = Session(env, str(self.folder), (lambda: clock) if clock else _clock, (Input(fd), out, err))
            session.program = options.pop("program", COMMAND)
            assert not options, options
            status = dispatch(argv, session)
        return Result(status, out.data, err.data)


def _clock() -> float:
    import time

    return time.time()


class Sink:
    """Standard output or error that keeps what it is given."""

    def __init__(self, terminal: bool) -> None:
        self.terminal = terminal
        self.data = b""

    def write(self, data: bytes) -> None:
        """Appends."""
        self.data += bytes(data)


class Feed:
    """Standard input as a real pipe with these bytes, or /dev/null."""

    def __init__(self, data: bytes | None) -> None:
        self.data = data

    def __enter__(self) -> int:
        if self.data is None:
            self.fd = os.open(os.devnull, os.O_RDONLY)
            return self.fd
        self.fd, write = os.pipe()
        self.thread = threading.Thread(target=self._feed, args=(write,))
        self.thread.start()
        return self.fd

    def _feed(self, write: int) -> None:
        try:
            with open(write, "wb", buffering=0) as file:
                rest = memoryview(self.data or b"")
                while rest:
                    rest = rest[file.write(rest) :]
        except BrokenPipeError:
            pass

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
        if self.data is not None:
            self.thread.join()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path)


@pytest.fixture(scope="session")
def pg() -> Iterator[Server]:
    """A PostgreSQL server, one for all tests of a process."""
    server = Server()
    try:
        server.init()
        server.start()
        yield server
    finally:
        server.remove()
