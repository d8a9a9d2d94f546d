"""What is shipped: the wheel holds it all, and an editable install finds it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from prontodb.paths import resource

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_templates_shell_files_and_the_command(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "shell"):
        for path in (ROOT / folder).rglob("*"):
            assert path.is_dir() or f"prontodb/{folder}/{path.relative_to(ROOT / folder)}" in names
    assert any(name.endswith(".data/scripts/prontodb") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any("/console/" in name or "tests/" in name for name in names)


def test_an_installed_wheel_works_without_the_development_extras(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    site = next((tmp_path / "venv/lib").glob("python*/site-packages"))
    install = [sys.executable, "-m", "pip", "--python", tmp_path / "venv/bin/python", "install", "--quiet", wheel]
    subprocess.run(install, check=True, capture_output=True)
    command, env = tmp_path / "venv/bin/prontodb", {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    assert "import re" not in command.read_text()
    assert subprocess.run([command, "set", "a.b.c", "v"], env=env, check=True).returncode == 0
    assert subprocess.run([command, "get", "--raw", "a.b.c"], env=env, check=True, capture_output=True).stdout == b"v"
    assert (site / "prontodb/templates").is_dir()


@pytest.mark.parametrize("name", ["templates", "shell"])
def test_an_editable_install_finds_its_files(name: str) -> None:
    assert Path(resource(name)) == ROOT / name
    assert Path(resource(name)).is_dir()
