"""Scripts for real shells that have sourced `shell init`, and so have a helper."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from .conftest import Home, Result
from .shells import require

FLAGS = {"bash": ("bash", "--norc"), "posix": ("bash", "--norc", "--posix"), "zsh": ("zsh", "-f")}
SHELLS = tuple(FLAGS)
WAIT = 20


def script(home: Home, shell: str, text: str, *, strict: bool = False) -> Result:
    """Runs a script with the functions loaded; `strict` as careful people write them."""
    require(FLAGS[shell][0])
    file = home.folder / f"script.{shell}"
    file.write_text(f"{'set -euo pipefail' if strict else ''}\n. {init(home, shell)}\n{text}\n")
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen([*FLAGS[shell], str(file)], env=home.env, cwd=home.folder, start_new_session=True, **streams)  # type: ignore[call-overload]
    try:
        out, err = process.communicate(timeout=100)
    except BaseException:
        # With all of its subshells: they would go on.
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Result(process.returncode, out, err)


def init(home: Home, shell: str) -> Path:
    """The file to source."""
    kind = "zsh" if shell == "zsh" else "bash"
    file = home.folder / f"init.{kind}"
    if not file.exists():
        made = home.call("shell", "init", kind)
        assert (made.status, made.err) == (0, "")
        file.write_bytes(made.out)
    return file


def helpers(home: Home) -> list[int]:
    """The helpers that were started in this home, by their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _is_ours(entry, f"HOME={home.folder}".encode()):
            found.append(int(entry.name))
    return found


def _is_ours(entry: Path, mark: bytes) -> bool:
    try:
        running = (entry / "stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
        return running and b"\0__helper\0" in (entry / "cmdline").read_bytes() and mark in (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def gone(home: Home, seconds: float = 2.5) -> bool:
    """Whether no helper of this home is left, in time."""
    end = time.monotonic() + seconds
    while helpers(home):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def lock(home: Home) -> subprocess.Popen[bytes]:
    """A process that holds the database's write lock until it is told to let go."""
    code = "import sqlite3,sys; db=sqlite3.connect(sys.argv[1],isolation_level=None); db.execute('BEGIN IMMEDIATE'); print(flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, str(home.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout
    holder.stdout.readline()
    return holder
