"""The commonest mistakes: each has its status, and a message that says what is wrong in words that were chosen for it."""

from __future__ import annotations

import shlex

import pytest

from .conftest import Home
from .mistakes import MISTAKES


@pytest.mark.parametrize(("call", "status", "words", "cure"), MISTAKES, ids=[call for call, *_ in MISTAKES])
def test_a_mistake_is_explained(home: Home, call: str, status: int, words: str, cure: str) -> None:
    home.call("set", "p.n.k", "v")
    done = home.call(*shlex.split(call))
    first, _, rest = done.err.partition("\n")
    assert (done.status, first.startswith("prontodb: ")) == (status, True)
    assert words in first.replace(f"{home.folder}/", "")
    assert cure in rest
    assert "\\x0a" not in done.err
    assert status != 64 or "Cure: " in rest or "same" in first
    assert home.call("get", "p.n.k").out == b"v"


def test_there_are_fifty_of_them() -> None:
    assert len(MISTAKES) >= 50


def test_a_wrong_option_before_a_call_for_shell_code_is_no_success(home: Home) -> None:
    calls = ["--bogus shell init bash", "shell --bogus init bash", "shell init bash --bogus", "--json=x shell init bash", "shell init bsh"]
    calls += ["shel init bash", "shell initt bash", "init bash", "wrapper acme bash", "shell-init bash", "shell init", "shell"]
    for call in calls:
        done = home.shell(f'eval "$(prontodb {call})"; echo $?')
        assert (done.lines, done.err.count("\n")) == (["1"], 1 if "json" in call else 2), call
    assert home.call("--bogus", "set", "p.n.k", "shell").out == b""
