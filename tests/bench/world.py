"""A temporary home for the commands that are timed: an environment of its own, databases, a wheel in a venv, a Redis."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from prontodb.address import Address
from prontodb.engines import open_sqlite
from prontodb.model import Content, Write
from prontodb.past import OFF

from .clock import Command, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from prontodb.engines.base import Engine
    from tests.pgserver import Database

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.dirname(sys.executable)
MADE, ENDED, NOW = 1_000, 2_000, 3_000
"""Moments, in seconds: entries are stored at the first, those with an end have it at the second, the third is now."""


class World:
    """Everything below one temporary folder, gone when the run is over."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.folder = self._stack.enter_context(TemporaryDirectory(prefix="prontodb-bench-"))
        self._made: set[str] = set()
        self.served: Database | None = None
        """The PostgreSQL database of this run, once there is one."""
        os.makedirs(f"{self.folder}/data/prontodb", mode=0o700)
        os.mkdir(f"{self.folder}/tmp")

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def at_end(self, close: "Callable[[], object]") -> None:
        """Calls it when the run is over."""
        self._stack.callback(close)

    @property
    def env(self) -> dict[str, str]:
        """For every command: nothing of the caller's, who may forbid byte code or name another database."""
        folders = {f"XDG_{kind.upper()}_HOME": f"{self.folder}/{kind}" for kind in ("data", "state", "config")}
        return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": self.folder, "TMPDIR": f"{self.folder}/tmp", **folders}

    def prontodb(self, database: str, *words: str, folder: str = BIN, **expected: Any) -> Command:
        """A call of the script that is installed in `folder`; `expected` as in `Command`."""
        return Command([f"{folder}/prontodb", *words], {**self.env, "PRONTO_DB": database}, **expected)

    def tool(self, name: str, *words: str, **expected: Any) -> Command:
        """A call of a peer. Raises `Unavailable`."""
        path = shutil.which(name)
        if path is None:
            raise Unavailable(f"{name} is not installed")
        return Command([path, *words], self.env, **expected)

    def database(self, name: str, count: int, *, ended: bool = False) -> str:
        """The path of a database with `count` entries `a.b.key0000000`…, made at first use; with `ended` they have expired by now."""
        path = f"{self.folder}/data/prontodb/{name}.db"
        if name not in self._made:
            self._made.add(name)
            fill(path, count, ended=ended)
        return path

    @cached_property
    def wheel_bin(self) -> str:
        """The `bin` of a venv into which pip 23 has installed a wheel of the project. Raises `Unavailable`."""
        venv, wheels = f"{self.folder}/venv", f"{self.folder}/wheels"
        self._run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", wheels, ROOT)
        self._run(sys.executable, "-m", "venv", venv)
        pip = (f"{venv}/bin/python", "-m", "pip", "--disable-pip-version-check")
        if " 23." not in self._run(*pip, "--version"):
            self._run(*pip, "install", "pip>=23,<24")
        self._run(*pip, "install", f"{wheels}/{os.listdir(wheels)[0]}")
        return f"{venv}/bin"

    @cached_property
    def redis(self) -> str:
        """The port of a Redis that holds `key0000500`. Raises `Unavailable`."""
        server, cli = self.tool("redis-server"), self.tool("redis-cli")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        options = ("--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", self.folder)
        running = subprocess.Popen([*server.argv, *options], env=self.env, stdout=subprocess.DEVNULL)
        self._stack.callback(running.wait)
        self._stack.callback(running.terminate)
        for _ in range(100):
            if subprocess.run([*cli.argv, "-p", port, "SET", "key0000500", "v500"], capture_output=True, check=False).returncode == 0:
                return port
            time.sleep(0.05)
        raise Unavailable("does not start")

    def _run(self, *argv: str) -> str:
        """Output of a preparation, which may need the network. Raises `Unavailable`."""
        done = subprocess.run([*argv], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"{' '.join(argv[1:4])}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        return done.stdout


def engine(path: str) -> "Engine":
    """The engine on one file."""
    return open_sqlite(path, ("default", ""), (lambda: 5.0, lambda: OFF), folders=False)


def fill(path: str, count: int, *, ended: bool) -> None:
    """Makes a database of `count` entries in one transaction."""
    write = Write()
    write.expires = ENDED if ended else None
    store = engine(path)
    store.put_many(((Address("a", "b", f"key{number:07d}"), Content.of(b"v%d" % number)) for number in range(count)), write, MADE)
    store.close()
