"""The commonest mistakes: each has its status, and a message that says what is wrong in words that were chosen for it."""

from __future__ import annotations

import shlex

import pytest

from .conftest import Home
from .mistakes import MISTAKES, Mistake, faults


@pytest.mark.parametrize("mistake", MISTAKES, ids=[call for call, *_ in MISTAKES])
def test_a_mistake_is_explained(home: Home, mistake: Mistake) -> None:
    home.call("set", "p.n.k", "v")
    done = home.call(*shlex.split(mistake[0]))
    assert faults(mistake, done.status, done.err.replace(f"{home.folder}/", "")) == []
    assert home.call("get", "p.n.k").out == b"v"


def test_a_wrong_answer_is_told() -> None:
    mistake: Mistake = ("get x", 2, "No such key: x", "look")
    assert faults(mistake, 2, "prontodb: No such key: x\nCure: look\n") == []
    assert len(faults(mistake, 1, "Traceback\n")) == 5


def test_there_are_fifty_of_them() -> None:
    assert len(MISTAKES) >= 50


def test_a_wrong_option_before_a_call_for_shell_code_is_no_success(home: Home) -> None:
    calls = ["--bogus shell init bash", "shell --bogus init bash", "shell init bash --bogus", "--json=x shell init bash", "shell init bsh"]
    calls += ["shel init bash", "shell initt bash", "init bash", "wrapper acme bash", "shell-init bash", "shell init", "shell"]
    for call in calls:
        done = home.shell(f'eval "$(prontodb {call})"; echo $?')
        assert (done.lines, done.err.count("\n")) == (["1"], 1 if "json" in call else 2), call
    assert home.call("--bogus", "set", "p.n.k", "shell").out == b""
