"""What the helper knows of the environment from the call before: whatever changes in the shell counts with the next call."""

from __future__ import annotations

import pytest

from .conftest import Home
from .helping import SHELLS, script

CHANGES = """
look() { V=none; pronto get -v V p.n.k 2>/dev/null || V="$V $?"; printf '%s\\n' "$V"; }
look; look
PRONTO_USER=alice; look
export PRONTO_USER; look; look
PRONTO_USER=bob; look; look
typeset +x PRONTO_USER; look
PRONTO_USER=alice look; look
unset PRONTO_USER; look
PRONTO_FORCE_USER=; look
export PRONTO_FORCE_USER; look
PRONTO_FORCE_USER=bob; look; PRONTO_USER=alice look
unset PRONTO_FORCE_USER; look
f() { local -x PRONTO_USER=bob; look; (look); echo "$(look)"; }; f; look
pronto set p.n.other x; look; PRONTO_USER=alice pronto set p.n.k changed; look; PRONTO_USER=alice look
HOME=/nowhere look; look
"""
SAID = [
    *["default"] * 3,
    *["alice"] * 2,
    *["bob"] * 2,
    "default",
    *["alice", "default"],
    *["default"] * 2,
    "none 64",
    *["bob", "none 6"],
    "default",
    *["bob"] * 3,
    "default",
    *["default", "default", "changed"],
    *["none 2", "default"],
]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("shell", SHELLS)
def test_what_changes_counts_with_the_next_call(home: Home, shell: str, strict: bool) -> None:
    for user in ("default", "alice", "bob"):
        home.call("set", "p.n.k", user, "--user", user)
    home.env.pop("XDG_DATA_HOME", None)
    text = CHANGES
    if shell == "posix":
        # Here what stands before a function's name stays behind.
        text = text.replace("PRONTO_USER=alice look", "(export PRONTO_USER=alice; look)").replace(
            "HOME=/nowhere look", "(HOME=/nowhere; look)"
        )
        text = text.replace("PRONTO_USER=alice pronto", "(export PRONTO_USER=alice; pronto").replace("k changed;", "k changed);")
    done = script(home, shell, f"{'set -u' if strict else ''}\n{text}")
    assert (done.lines, done.err) == (SAID, "")
