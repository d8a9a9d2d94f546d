"""What is no part of token streams works with `streaming` switched off: tests of the core, but the longest, run once more that way."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Home
from .test_contexts import *  # noqa: F403
from .test_faults import *  # noqa: F403
from .test_rescue import *  # noqa: F403
from .test_verbs import *  # noqa: F403

del test_interrupted_it_dies_quietly_of_the_signal, test_100_megabytes_to_a_bad_address, test_memory_stays_constant, test_purge  # noqa: F821
del test_the_offered_command_finds_it_from_any_shell  # noqa: F821


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home in which the feature is off."""
    home = Home(tmp_path)
    home.env["PRONTO_FEATURES"] = "-streaming"
    return home


def test_it_is_off_here(home: Home) -> None:
    assert home.run("features").out.startswith(b"streaming\toff\tenvironment")
    assert home.run("stream", stdin=b"").status == 64
