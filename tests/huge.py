"""Large content through real pipes, and what the processes need for it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from .conftest import COMMAND, Home

SOURCE = """
import hashlib, os, random, sys
size, made, block = int(sys.argv[1]), hashlib.sha1(), random.Random(sys.argv[2]).randbytes(1 << 20)
while size:
    piece = (size.to_bytes(8, "big") + block)[:min(size, 1 << 20)]
    made.update(piece)
    size -= len(piece)
    with open(1, "wb", buffering=0, closefd=False) as out:
        rest = memoryview(piece)
        while rest:
            rest = rest[out.write(rest):]
print(made.hexdigest(), file=sys.stderr)
"""
"""Bytes that never repeat at a distance of less than their whole, and their checksum on standard error."""


SINK = """
import hashlib, os, sys
found = hashlib.sha1()
while piece := os.read(0, 1 << 20):
    found.update(piece)
print(found.hexdigest())
"""
"""The checksum of what comes in. SHA-1 because most processors have a command for it: MD5 takes more than twice as long."""


WRAPPER = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
"""
"""Between the test and the command: a process starts with the peak of the one that made it, and the test's is high."""


@dataclass(frozen=True)
class Measured:
    """What became of a command: its status, what it said, the checksum of what went through its pipe, and its peak of memory in KiB."""

    status: int
    err: str
    digest: str
    peak: int


def feed(home: Home, size: int, *argv: str) -> Measured:
    """Runs a command with `size` bytes on its standard input, from a pipe."""
    source = subprocess.Popen(
        [sys.executable, "-c", SOURCE, str(size), "seed"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=home.folder
    )
    command = _start(home, argv, stdin=source.stdout)
    assert source.stdout
    source.stdout.close()
    status, err, peak = _end(command)
    assert source.stderr
    with source:
        digest = source.stderr.read().decode().strip()
    return Measured(status, err, digest, peak)


def drain(home: Home, *argv: str) -> Measured:
    """Runs a command and reads its standard output to the end."""
    command = _start(home, argv, stdout=subprocess.PIPE)
    digest = subprocess.run([sys.executable, "-c", SINK], stdin=command.stdout, capture_output=True, check=True).stdout.decode().strip()
    assert command.stdout
    command.stdout.close()
    status, err, peak = _end(command)
    return Measured(status, err, digest, peak)


def _start(home: Home, argv: tuple[str, ...], **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRAPPER, COMMAND, *argv], stderr=subprocess.PIPE, env=home.env, cwd=home.folder, **streams
    )


def _end(command: subprocess.Popen[bytes]) -> tuple[int, str, int]:
    assert command.stderr
    with command:
        *said, told = command.stderr.read().decode().splitlines(keepends=True)
    status, peak = map(int, told.split())
    return status, "".join(said), peak
