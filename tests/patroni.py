"""Three PostgreSQL servers under Patroni, which keeps its own counsel by Raft: quorum commit, and a new leader when one dies."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from .pgserver import children, folder, free_port, require, send, unprivileged

PACKAGES = ("patroni[raft]>=4", "psycopg2-binary>=2.9.9")
DCS = {
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 3,
    "maximum_lag_on_failover": 0,
    "synchronous_mode": "quorum",
    "synchronous_mode_strict": True,
    "postgresql": {"use_pg_rewind": True, "parameters": {"wal_log_hints": "on", "max_connections": 60, "shared_buffers": "16MB"}},
}
HBA = ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]


class Node:
    """One of the three."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name
        self.port, self.rest, self.raft = free_port(), free_port(), free_port()
        self.data = cluster.folder / name
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, others: list[Node]) -> None:
        """Starts its Patroni, which makes or follows."""
        config = self.cluster.folder / f"{self.name}.json"
        config.write_text(json.dumps(self._config(others)))
        config.chmod(0o644)
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.cluster.library), "HOME": str(self.cluster.folder)}
        with (self.cluster.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.cluster.python, "-m", "patroni", str(config)],
                env=env,
                cwd=self.cluster.folder,
                stdout=log,
                stderr=log,
                **unprivileged(),
            )

    def kill(self) -> None:
        """-9 to Patroni and to every process of its server."""
        own = [self.process.pid] if self.process else []
        server = self.postmaster()
        found = [*own, *[below for number in own for below in children(number)], *([server, *children(server)] if server else [])]
        for number in found:
            send(number, signal.SIGKILL)
        if self.process:
            self.process.wait()
        self.process = None

    def postmaster(self) -> int:
        """The server's first process; 0 where there is none."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return 0

    def _config(self, others: list[Node]) -> dict[str, Any]:
        def here(port: int) -> dict[str, str]:
            return {"listen": f"127.0.0.1:{port}", "connect_address": f"127.0.0.1:{port}"}

        return {
            "scope": "pronto",
            "name": self.name,
            "restapi": here(self.rest),
            "raft": {
                "data_dir": str(self.cluster.folder / f"raft-{self.name}"),
                "self_addr": f"127.0.0.1:{self.raft}",
                "partner_addrs": [f"127.0.0.1:{node.raft}" for node in others],
            },
            "bootstrap": {"dcs": DCS, "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"], "pg_hba": HBA},
            "postgresql": {
                **here(self.port),
                "data_dir": str(self.data),
                "bin_dir": str(self.cluster.bin),
                "pgpass": str(self.cluster.folder / f"pgpass-{self.name}"),
                "authentication": {"superuser": {"username": "postgres"}, "replication": {"username": "replicator"}},
                "parameters": {"unix_socket_directories": str(self.cluster.folder)},
            },
        }


class Cluster:
    """The three, in a folder of their own."""

    def __init__(self) -> None:
        self.bin = require()
        self.folder = folder()
        self.library = self.folder / "library"
        # The server's user must be able to run it, which a Python in root's home is not for.
        self.python = "/usr/bin/python3" if unprivileged() else sys.executable
        self.nodes = [Node(self, name) for name in ("a", "b", "c")]

    def install(self) -> None:
        """Brings Patroni, for the Python that will run it; where it cannot be had, the test is skipped, with a warning in the summary."""
        argv = [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--target", str(self.library), *PACKAGES]
        done = subprocess.run(argv, capture_output=True, check=False)
        if done.returncode:
            warnings.warn(f"Patroni cannot be installed here: {done.stderr.decode(errors='replace')[-300:]}", stacklevel=1)
            pytest.skip("Patroni cannot be installed here")
        subprocess.run(["chmod", "-R", "a+rX", str(self.library)], check=True)

    def start(self) -> None:
        """Starts all three, and waits until there is a leader whom both others follow."""
        for node in self.nodes:
            node.start([other for other in self.nodes if other is not node])
        end = time.monotonic() + 120
        while not self._whole():
            assert time.monotonic() < end, self.logs()
            for node in self.nodes:
                self._again(node)
            time.sleep(0.3)

    def url(self, database: str, user: str = "postgres") -> str:
        """All three, of which the one that takes writes is meant."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://{user}@{hosts}/{database}?target_session_attrs=read-write"

    def leader(self) -> Node:
        """The one that takes writes."""
        for node in self.nodes:
            if self._sql(node, "SELECT NOT pg_is_in_recovery()") == [(True,)]:
                return node
        raise AssertionError(self.logs())

    def logs(self) -> str:
        """The end of what each has said."""
        return "\n".join(f"== {node.name}\n" + (self.folder / f"{node.name}.log").read_text()[-1500:] for node in self.nodes)

    def remove(self) -> None:
        """Ends it all."""
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _again(self, node: Node) -> None:
        """Starts one anew that has given up: on a busy machine another may become the leader before the first has finished making a server."""
        if node.process and node.process.poll() is not None:
            node.kill()
            shutil.rmtree(node.data, ignore_errors=True)
            node.start([other for other in self.nodes if other is not node])

    def _whole(self) -> bool:
        sql = "SELECT current_setting('synchronous_standby_names') LIKE 'ANY 1 (%,%)%', (SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum')"
        return any(self._sql(node, sql) == [(True, 2)] for node in self.nodes)

    def _sql(self, node: Node, statement: str) -> list[Any]:
        import psycopg2

        try:
            db = psycopg2.connect(f"postgresql://postgres@127.0.0.1:{node.port}/postgres", connect_timeout=3)
        except psycopg2.OperationalError:
            return []
        try:
            cursor = db.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            db.close()


if __name__ == "__main__":
    cluster = Cluster()
    try:
        cluster.install()
        cluster.start()
        print(cluster.url("postgres"), Path(cluster.folder))
        input()
    finally:
        cluster.remove()
