"""The real shells that tests drive."""

from __future__ import annotations

import os
import shutil

import pytest


def require(shell: str) -> None:
    """Skips where a shell is missing; in CI that is an error."""
    if shutil.which(shell):
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{shell} is not installed")
    pytest.skip(f"{shell} is not installed")
