"""What is shipped: the wheel holds it all, and an editable install finds it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from prontodb.paths import resource

from .shells import require

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
    assert "prontodb/shell/zsh/.zshenv" in names
    assert any(name.endswith(".data/scripts/prontodb") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any("/console/" in name or "tests/" in name for name in names)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with that wheel in it and none of the development extras."""
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    install = [sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", "--quiet", wheel]
    subprocess.run(install, check=True, capture_output=True)
    return venv


def test_an_installed_wheel_works_without_the_development_extras(installed: Path, tmp_path: Path) -> None:
    command, env = installed / "bin/prontodb", {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    assert "import re" not in command.read_text()
    assert subprocess.run([command, "set", "a.b.c", "v"], env=env, check=True).returncode == 0
    assert subprocess.run([command, "get", "--raw", "a.b.c"], env=env, check=True, capture_output=True).stdout == b"v"
    assert subprocess.run([command, "self-check"], env=env, check=False, capture_output=True).returncode == 0
    script = "import prontodb; print(prontodb.open().get_text('a.b.c'))"
    assert subprocess.run([installed / "bin/python", "-c", script], env=env, check=True, capture_output=True).stdout == b"v\n"
    assert (next((installed / "lib").glob("python*/site-packages")) / "prontodb/py.typed").exists()
    assert (next((installed / "lib").glob("python*/site-packages")) / "prontodb/templates").is_dir()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_an_installed_wheel_sets_a_shell_up(installed: Path, tmp_path: Path, shell: str) -> None:
    require(shell)
    script = f"""set -eu
eval "$(prontodb shell init {shell})"
eval "$(prontodb shell wrapper acme {shell} --user alice)"
pronto set a.b.c v
pronto get a.b.c
acme get a.b.c || echo "$?"
pronto profile add acme --user alice
prontodb shell use acme --shell {shell} </dev/null
echo 'echo "$PRONTO_FORCE_PROFILE ${{ZDOTDIR-unset}}"' | prontodb shell use acme --shell {shell}
pronto shell doctor | grep -c current
pronto_unload
"""
    env = {"HOME": str(tmp_path), "PATH": f"{installed / 'bin'}:{os.environ['PATH']}"}
    argv = ["zsh", "-f", "-c", script] if shell == "zsh" else ["bash", "-c", script]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout) == ("prontodb: No such key: a.b.c\n", "v2\nacme unset\n1\n")


@pytest.mark.parametrize("name", ["templates", "shell"])
def test_an_editable_install_finds_its_files(name: str) -> None:
    assert Path(resource(name)) == ROOT / name
    assert Path(resource(name)).is_dir()
