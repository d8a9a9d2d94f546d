"""Real full file systems: the content is rescued elsewhere, or the call fails loudly and names what was not saved."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from .conftest import Home, Result

SIZE = 20_000_000
SMALL = 700_000


@pytest.fixture(scope="module", autouse=True)
def _mounts() -> None:
    """Skips where no file system can be mounted: `test_rescue` limits the size of files there instead."""
    tried = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    if not shutil.which("unshare") or tried.returncode:
        pytest.skip("no right to mount a file system of one's own")


def on_a_small_disk(home: Home, script: str, *, tmp: str = "4m", shm: str = "4m", disk: str = "4m") -> Result:
    """Runs a script where the home is a file system of a few megabytes, and so are `$TMPDIR` and `/dev/shm`."""
    (home.folder / "home").mkdir(exist_ok=True)
    (home.folder / "big").write_bytes(os.urandom(1 << 20) * (SIZE >> 20) + os.urandom(SIZE & (1 << 20) - 1))
    (home.folder / "small").write_bytes(os.urandom(SMALL))
    mounts = "; ".join(
        f"mount -t tmpfs -o size={size},mode=1777 none {at}" for at, size in (("home", disk), ("tmp", tmp), ("/dev/shm", shm))
    )
    (home.folder / "script").write_text(f"set -u; cd {home.folder}; {mounts}; export HOME=$PWD/home\n{script}")
    done = subprocess.run(
        ["unshare", "-m", "bash", str(home.folder / "script")], env=home.env, capture_output=True, timeout=100, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


PIPE = "cat big | prontodb set {address} 2>err; status=$?; cat err >&2; echo $status"


@pytest.mark.parametrize("address", ["a.b.c", "bad..address"])
def test_it_goes_to_the_first_place_with_room(home: Home, address: str) -> None:
    """Spool and database are on the full disk; the content came so far there, and the rest elsewhere: it is whole all the same."""
    for room in ("tmp", "shm"):
        sizes = {room: "60m"}
        script = (
            PIPE.format(address=address) + "\nprontodb get $(sed -n 's/.*cached as: //p' err) | cmp - big && echo same; ls -A home/.local"
        )
        done = on_a_small_disk(home, script, **sizes)
        assert done.lines[:2] == ["4", "same"], done


@pytest.mark.parametrize("address", ["a.b.c", "bad..address"])
@pytest.mark.parametrize("size", ["4m", "16k", "0k"])
def test_where_there_is_room_nowhere_the_loss_is_said(home: Home, address: str, size: str) -> None:
    # A size of 0 means no limit to the kernel.
    size = "4k" if size == "0k" else size
    done = on_a_small_disk(home, PIPE.format(address=address) + "; prontodb exists a.b.c; echo $?", disk=size, tmp=size, shm=size)
    assert done.lines[0] == "1"
    assert f"LOST: {SIZE} bytes" in done.err
    assert "Traceback" not in done.err
    assert done.lines[1] == "2"


def test_a_full_disk_under_small_content(home: Home) -> None:
    script = """
prontodb set a.b.old before
head -c 100000000 /dev/zero >home/fill 2>/dev/null
cat small | prontodb set a.b.c 2>err; echo $?; cat err >&2
prontodb get $(sed -n 's/.*cached as: //p' err) | cmp - small && echo same
prontodb get a.b.old; echo
rm home/fill
prontodb copy $(sed -n 's/.*cached as: //p' err) a.b.c && prontodb get a.b.c | cmp - small && echo home
prontodb doctor >/dev/null; echo $?
"""
    done = on_a_small_disk(home, script)
    assert done.lines[:4] == ["4", "same", "before", "home"], done
    assert "Disk is full" in done.err


def test_a_typed_value_on_a_full_disk_is_an_error(home: Home) -> None:
    done = on_a_small_disk(
        home, "prontodb set a.b.k v; head -c 90000000 /dev/zero >home/fill 2>/dev/null; prontodb set a.b.c --file small; echo $?"
    )
    assert done.lines == ["1"]
    assert "full" in done.err or "No space" in done.err


def test_the_disk_fills_up_at_every_size(home: Home) -> None:
    """From no room at all to room enough: never success without the value, never silence."""
    for free in (0, 30, 60, 200, 690, 720, 1400, 2100, 3000):
        script = f"""
prontodb set a.b.old before
prontodb keys a.b >/dev/null
room=$(df --output=avail -k home | tail -1); head -c $(((room - {free}) * 1024)) /dev/zero >home/fill
cat small | prontodb set a.b.c 2>err; status=$?; echo $status; cat err >&2
case $status in
0) prontodb get a.b.c | cmp - small && echo same ;;
4) prontodb get $(sed -n 's/.*cached as: //p' err) | cmp - small && echo same ;;
1) grep -q LOST err && echo same ;;
esac
prontodb get a.b.old
"""
        done = on_a_small_disk(home, script, tmp="4k", shm="4k")
        assert done.lines[0] in {"0", "1", "4"}
        assert done.lines[1:] == ["same", "before"], (free, done)
