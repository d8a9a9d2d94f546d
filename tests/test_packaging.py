"""What is shipped: the wheel holds it all, and an editable install finds it."""

from __future__ import annotations

import email
import os
import pwd
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from prontodb.paths import resource

from . import newcomer
from .shells import require

ROOT = Path(__file__).parent.parent


EPOCH = "1750000000"


def build(folder: Path, *, umask: int = 0o022) -> dict[str, Path]:
    """Wheel and source archive, built from a copy of this checkout as a clone has it; by their endings."""
    copy = newcomer.checkout(folder)
    for path in copy.rglob("*"):
        os.utime(path, (umask, umask))
    env = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    argv = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", folder / "dist"]
    subprocess.run(argv, cwd=copy, env=env, check=True, capture_output=True, umask=umask)
    return {"wheel" if path.suffix == ".whl" else "sdist": path for path in (folder / "dist").iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What a release consists of."""
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def wheel(built: dict[str, Path]) -> Path:
    """The wheel of it."""
    return built["wheel"]


def test_whoever_builds_it_gets_the_same_bytes(built: dict[str, Path], tmp_path: Path) -> None:
    """In another folder, at another time, with another umask."""
    again = build(tmp_path, umask=0o077)
    assert {kind: path.name for kind, path in again.items()} == {kind: path.name for kind, path in built.items()}
    for kind, path in built.items():
        assert path.read_bytes() == again[kind].read_bytes(), kind


def test_the_source_archive_holds_what_tests_and_pages_need(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    assert [name for name in wanted if name not in names] == []


def test_the_metadata_is_complete(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(next(name for name in archive.namelist() if name.endswith("METADATA"))).decode()
    told = email.message_from_string(text)
    for field in ("Name", "Version", "Summary", "Author", "License-Expression", "Requires-Python", "Keywords", "Description-Content-Type"):
        assert told[field], field
    classifiers = told.get_all("Classifier") or []
    assert all(f"Programming Language :: Python :: {version}" in classifiers for version in VERSIONS)
    assert sorted(told.get_all("Provides-Extra") or []) == ["browse", "dev", "docs", "postgres"]
    assert "# ProntoDB" in told.get_payload()


def test_the_wheel_holds_templates_shell_files_and_the_command(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("templates", "shell"):
        for path in (ROOT / folder).rglob("*"):
            assert path.is_dir() or f"prontodb/{folder}/{path.relative_to(ROOT / folder)}" in names
    assert "prontodb/shell/zsh/.zshenv" in names
    assert any(name.endswith(".data/scripts/prontodb") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not any("/console/" in name or "tests/" in name for name in names)


def install(package: Path, venv: Path, python: str = sys.executable) -> Path:
    """A new environment with that package in it and none of the development extras."""
    subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
    command = [sys.executable, "-m", "pip", "--python", venv / "bin/python", "install", "--quiet", package]
    subprocess.run(command, check=True, capture_output=True)
    return venv


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel."""
    return install(wheel, tmp_path_factory.mktemp("installed") / "venv")


def tour(venv: Path, home: Path) -> None:
    """What the README shows first, by an installed command alone; and its manual pages are there."""
    page, text = home / "page.md", (ROOT / "README.md").read_text()
    page.write_text(text[: text.index("## Install")])
    assert len(list(newcomer.examples(page.read_text()))) > 10
    assert newcomer.follow(page, home, f"{venv}/bin:{newcomer.SYSTEM}") == []
    assert (venv / "share/man/man1/prontodb.1").read_text().startswith('.\\"')
    assert (venv / "share/man/man5/prontodb-stream.5").exists()


def test_the_source_archive_installs_and_does_the_tour(built: dict[str, Path], tmp_path: Path) -> None:
    tour(install(built["sdist"], tmp_path / "venv"), tmp_path)


VERSIONS = ("3.10", "3.11", "3.12", "3.13")


def interpreter(version: str) -> str | None:
    """A Python of that version: on PATH, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path(pwd.getpwuid(os.getuid()).pw_dir, ".pyenv")))
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    for candidate in (shutil.which(f"python{version}"), *map(str, reversed(found))):
        # One of pyenv's shims is there for a version that is not.
        if candidate and subprocess.run([candidate, "-c", "import venv, ssl, sqlite3"], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python_installs_it_and_does_the_tour(wheel: Path, tmp_path: Path, version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} is here")
    venv = install(wheel, tmp_path / "venv", python)
    tour(venv, tmp_path)
    told = subprocess.run([venv / "bin/python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, check=True)
    assert told.stdout.decode().strip() == version


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


def test_it_brings_three_packages_along(installed: Path) -> None:
    """Whoever installs it trusts these, too: the threat model names them."""
    [site] = (installed / "lib").glob("python*/site-packages")
    names = {path.name.split("-")[0].lower() for path in site.glob("*.dist-info")}
    assert names - {"tomli"} == {"prontodb", "click", "jinja2", "markupsafe"}
    page = (ROOT / "docs/explanation/threat-model.md").read_text()
    assert all(f"`{name}`" in page for name in names - {"prontodb"})


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
