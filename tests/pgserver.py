"""PostgreSQL servers that the tests start by themselves: own data folder, loopback only, never as root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

SETTINGS = {"max_connections": "60", "shared_buffers": "16MB", "log_min_messages": "fatal", "autovacuum": "off"}
"""What makes a server small. Nothing here makes it less safe: `fsync` stays on."""
MISSING = "no PostgreSQL server is installed: tests/provision.sh brings one"


def binaries() -> Path | None:
    """The folder of the newest server, or the one that POSTGRES_BIN names; None where there is none."""
    if chosen := os.environ.get("POSTGRES_BIN"):
        return Path(chosen)
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    path = found[-1] if found else Path(on_path).resolve() if on_path else None
    return path.parent if path else None


def require() -> Path:
    """The same, or the test is skipped; where CI=true, it fails."""
    found = binaries()
    if found is None:
        assert os.environ.get("CI") != "true", MISSING
        pytest.skip(MISSING)
    if os.environ.get("CI") != "true":
        pytest.importorskip("psycopg2")
    return found


def unprivileged() -> dict[str, Any]:
    """Options of `subprocess` that take root away, which PostgreSQL refuses to run as."""
    if os.geteuid():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port that nobody listens at, a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def folder() -> Path:
    """A new folder that the server's user can enter: pytest's own are closed to others."""
    made = Path(tempfile.mkdtemp(prefix="prontodb-pg-", dir="/tmp"))
    if who := unprivileged():
        os.chown(made, who["user"], who["group"])
    return made


class Server:
    """One server; its superuser is `postgres`, who needs no password. `settings` go into its configuration."""

    def __init__(self, **settings: str) -> None:
        self.bin = require()
        self.folder = folder()
        self.data = self.folder / "data"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.settings = {**SETTINGS, **settings}

    def init(self, *options: str) -> None:
        """Makes the data folder."""
        self.tool("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync", *options)

    def tool(self, name: str, *arguments: str) -> None:
        """Runs one of the server's programs, as its user."""
        subprocess.run([str(self.bin / name), *arguments], cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **unprivileged())

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        own = {"port": str(self.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder)}
        options = [word for name, value in {**self.settings, **own}.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data), *options], cwd=self.folder, stderr=log, stdout=log, **unprivileged()
            )
        self.wait()

    def wait(self, seconds: float = 30) -> None:
        """Until it answers."""
        import psycopg2

        end = time.monotonic() + seconds
        while True:
            try:
                psycopg2.connect(self.url("postgres")).close()
                return
            except psycopg2.OperationalError as error:
                assert self.process
                assert self.process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < end, error
                time.sleep(0.02)

    def kill(self) -> None:
        """Ends it with -9, all of its processes: they end when the first has gone, but not at once."""
        assert self.process
        group = children(self.process.pid)
        for process in (self.process.pid, *group):
            send(process, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        """Ends it in order. SIGINT does not wait for clients, as SIGTERM does."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
            self.process = None

    def remove(self) -> None:
        """Ends it, and deletes its folder."""
        try:
            self.stop()
        finally:
            if self.process:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, user: str = "postgres", **parameters: str) -> str:
        """How to connect, in the form of `--database`."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}" + (f"?{query}" if query else "")

    def sql(self, statement: str, database: str = "postgres", user: str = "postgres", values: Any = None) -> list[Any]:
        """Runs a statement past ProntoDB; what it gives."""
        import psycopg2

        db = psycopg2.connect(self.url(database, user))
        try:
            db.autocommit = True
            cursor = db.cursor()
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
        finally:
            db.close()


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process:
                found.append(int(entry.name))
    return found


def send(process: int, number: int) -> None:
    """Sends a signal to a process that may be gone already."""
    try:
        os.kill(process, number)
    except ProcessLookupError:
        pass


TABLES = ("chunk", "entry", "past", "cache", "tenant")
EMPTY = f"""
DO $$ BEGIN
    IF {" + ".join(f"pg_total_relation_size('prontodb.{table}')" for table in TABLES)} > 30000000 THEN
        TRUNCATE {", ".join(f"prontodb.{table}" for table in TABLES)};
    ELSE
        {" ".join(f"DELETE FROM prontodb.{table};" for table in TABLES)}
    END IF;
END $$
"""


class Database:
    """A database that `admin postgres init` has been through, with a login `agent` that is granted metas as they are asked for."""

    def __init__(self, server: Server, name: str = "") -> None:
        self.server = server
        self.name = name or f"db{os.urandom(4).hex()}"
        self._granted: set[tuple[str, str]] = set()
        server.sql(f'CREATE DATABASE "{self.name}"')
        self.login("agent")
        admin = self.admin()
        try:
            admin.init()
        finally:
            admin.close()

    def login(self, name: str) -> None:
        """Makes a role that can log in, unless there is one."""
        if not self.server.sql("SELECT 1 FROM pg_roles WHERE rolname = %s", values=(name,)):
            self.server.sql(f'CREATE ROLE "{name}" LOGIN')

    def admin(self) -> Any:
        """With the superuser's rights."""
        from prontodb.engines.pg_admin import Admin
        from prontodb.engines.pg_driver import Target

        return Admin(Target(self.server.url(self.name), ()))

    def url(self, user: str = "agent", **parameters: str) -> str:
        """For `--database`."""
        return self.server.url(self.name, user, **{"durability": "local", **parameters})

    def grant(self, meta: str = "", login: str = "agent") -> str:
        """Lets a login use a meta; the meta's role."""
        from prontodb.engines.pg_roles import role_of

        if (login, meta) not in self._granted:
            admin = self.admin()
            try:
                admin.grant(login, meta)
            finally:
                admin.close()
            self._granted.add((login, meta))
        return role_of(self.name, meta)

    def engine(self, meta: str = "", keeping: Any = None, timeout: float = 10, user: str = "default", **parameters: str) -> Any:
        """The engine of a meta, as `agent`."""
        from prontodb.engines.postgres import PostgresEngine

        self.grant(meta)
        return PostgresEngine(self.url(**parameters), (user, meta), lambda: timeout, keeping)

    def sql(self, statement: str, user: str = "postgres", values: Any = None) -> list[Any]:
        """Runs a statement past ProntoDB; what it gives."""
        return self.server.sql(statement, self.name, user, values)

    def resident(self, statement: str) -> None:
        """Runs a statement by a connection that stays, as the superuser: for what is done before each of many tests."""
        import psycopg2

        try:
            self._resident.cursor().execute(statement)
        except (AttributeError, psycopg2.Error):
            # The first time, or the server has been away.
            self._resident = psycopg2.connect(self.server.url(self.name), options="-c synchronous_commit=off")
            self._resident.autocommit = True
            self._resident.cursor().execute(statement)

    def empty(self) -> None:
        """Takes everything out of it. To delete little is quicker than to truncate, which makes new files and synchronises them."""
        self.resident(EMPTY)
