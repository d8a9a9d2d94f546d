"""Whoever does what the README and the tutorial say, in an empty home, sees what they show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from . import newcomer
from .conftest import COMMAND, Home
from .mistakes import MISTAKES


@pytest.mark.slow
def test_a_newcomer_finds_everything_as_it_is_said() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.newcomer"], cwd=newcomer.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for page in newcomer.PAGES:
        assert f"{page}: " in done.stdout
    assert "pip install .: done" in done.stdout
    assert f"{len(MISTAKES)} mistakes made" in done.stdout


def test_every_difference_is_told(home: Home) -> None:
    page = Path(home.folder / "page.md")
    page.write_text("```console\n$ prontodb get a.b.c\nvalue\n$ echo $?\n2\n$ prontodb set a.b.c v\n$ prontodb get a.b.c\nother\n```\n")
    found = newcomer.follow(page, home.folder, f"{Path(COMMAND).parent}:{newcomer.SYSTEM}")
    assert [difference.splitlines()[0] for difference in found] == ["page.md: $ prontodb get a.b.c", "page.md: $ prontodb get a.b.c"]
    assert "No such key: a.b.c" in found[0]


def test_every_wrong_answer_is_told(home: Home) -> None:
    path = f"{Path(COMMAND).parent}:{newcomer.SYSTEM}"
    assert newcomer.err(("get a.b.c", 2, "No such key: a.b.c", ""), home.folder, path) == []
    found = newcomer.err(("get a.b.c", 3, "No such key: a.b.c", "a cure"), home.folder, path)
    assert [difference.splitlines()[0] for difference in found] == ["$ prontodb get a.b.c: the status is 2, not 3; the cure lacks: a cure"]
