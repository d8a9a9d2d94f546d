"""Any size, in constant memory (DESIGN §6)."""

from __future__ import annotations

import os

import pytest

from .conftest import Home
from .huge import drain, feed

HUGE = int(os.environ.get("PRONTO_TEST_HUGE_MIB", "4200")) << 20
"""Bytes: more than 32 bits count, which is 4096 MiB."""
MEMORY = 64_000
"""KiB: what no process may need more of."""


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (16 << 20) - 1, 16 << 20, 150_000_000])
def test_a_good_and_a_bad_address(home: Home, size: int) -> None:
    stored = feed(home, size, "set", "a.b.c", "-")
    assert (stored.status, stored.err) == (0, "")
    bad = feed(home, size, "set", "bad..address", "-")
    assert bad.status == (4 if size else 64)
    rescued = bad.err.split("cached as: ")[-1].split("\n")[0] if size else "a.b.c"
    for address in ("a.b.c", rescued):
        assert drain(home, "get", address).digest == stored.digest == bad.digest
    if size:
        assert home.run("copy", rescued, "a.b.d").status == 0
        assert drain(home, "get", "a.b.d").digest == stored.digest
        assert list(home.spool.iterdir() if home.spool.exists() else ()) == []


@pytest.mark.slow
def test_more_than_four_gibibytes_to_a_bad_address_and_back(home: Home) -> None:
    sent = feed(home, HUGE, "set", "bad..address")
    assert sent.status == 4
    address = sent.err.split("cached as: ")[1].split("\n")[0]
    back = drain(home, "get", address)
    assert (back.status, back.err, back.digest) == (0, "", sent.digest)
    assert home.run("copy", address, "a.b.huge").status == 0
    assert max(sent.peak, back.peak) < MEMORY
    assert home.run("del", "a.b.huge").status == 0
    assert os.listdir(f"{home.database}-bulk") == []
