"""The examples in the documents do what they show."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from . import reference, reference_pages, tour
from .conftest import Home
from .pgserver import Server
from .shells import require

ROOT = Path(__file__).parent.parent
KEY = re.compile(r"\d{10}_[0-9a-f]{8}_")
DOCUMENTS = [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]
PAGES = [path for path in DOCUMENTS if "```console\n" in path.read_text()]
SERVED = "use-postgresql.md"
"""The page whose examples need a server, which it calls `db1`."""


def sessions(text: str) -> list[str]:
    """The examples of a page: what somebody typed after `$ `, and what came of it."""
    return re.findall(r"```console\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != SERVED], ids=lambda page: page.name)
def test_examples_show_what_happens(home: Home, page: Path) -> None:
    (home.folder / "notes.md").write_text("# Notes\n")
    _examples(home, page.read_text())


def test_examples_on_a_server_show_what_happens(home: Home) -> None:
    page = next(page for page in PAGES if page.name == SERVED)
    server = Server()
    try:
        server.init()
        server.start()
        home.env["PATH"] += f":{server.bin}"
        version = server.sql("SELECT current_setting('server_version_num')::int / 10000")[0][0]
        text = page.read_text().replace("PostgreSQL 15\t", f"PostgreSQL {version}\t")
        _examples(home, text.replace("db1", f"127.0.0.1:{server.port}"))
    finally:
        server.remove()


@pytest.mark.parametrize("page", [path for path in DOCUMENTS if "```pycon\n" in path.read_text()], ids=lambda page: page.name)
def test_examples_in_python_show_what_happens(home: Home, page: Path) -> None:
    """The sessions of a page, one after the other in one interpreter."""
    blocks = re.findall(r"```pycon\n(.*?)```", page.read_text(), re.DOTALL)
    (home.folder / "page.txt").write_text("\n".join(blocks))
    argv = [sys.executable, "-W", "error", "-m", "doctest", "page.txt"]
    done = subprocess.run(argv, env=home.env, cwd=home.folder, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


FISH = [path for path in ROOT.glob("docs/**/*.md") if "```fish-session\n" in path.read_text()]


@pytest.mark.parametrize("page", FISH, ids=lambda page: page.name)
def test_examples_in_fish_show_what_happens(home: Home, page: Path) -> None:
    require("fish")
    for session in re.findall(r"```fish-session\n(.*?)```", page.read_text(), re.DOTALL):
        for part in re.split(r"^(?=\$ )", session, flags=re.MULTILINE)[1:]:
            line, _, shown = part.partition("\n")
            done = home.shell(line[2:], "fish")
            assert _same(done.out.decode() + done.err, shown), done


def _examples(home: Home, text: str) -> None:
    keys: list[str] = []
    for session in sessions(text):
        status = 0
        for part in re.split(r"^(?=\$ )", session, flags=re.MULTILINE)[1:]:
            line = part.split("\n", 1)[0]
            # Whoever copies takes the name that they were told, not the one on the page.
            command = KEY.sub(keys[-1], line[2:]) if keys and "copy" in line else line[2:]
            done = home.shell(f"(exit {status})\n{command}")
            status, shown = done.status, done.out.decode() + done.err
            keys += KEY.findall(shown)
            assert _same(f"{line}\n{shown}", part), done


def _same(happened: str, documented: str) -> bool:
    # A terminal, which is what the documents show, adds the newline that a value lacks.
    return KEY.sub("KEY_", happened).rstrip("\n") == KEY.sub("KEY_", documented).rstrip("\n")


def test_the_reference_is_up_to_date() -> None:
    assert reference.stale() == []


@pytest.mark.parametrize("page", sorted((ROOT / "man").iterdir()), ids=lambda page: page.name)
def test_manual_pages_are_good_roff(page: Path) -> None:
    for checker in (["man", "--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l"], ["mandoc", "-Tlint", "-W", "warning"]):
        if shutil.which(checker[0]):
            done = subprocess.run([*checker, page], capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
            assert (done.stderr, "mandoc:" in done.stdout, done.returncode) == ("", False, 0), done.stdout[:500]


def test_manual_pages_name_every_verb_and_variable() -> None:
    text = (ROOT / "man/prontodb.1").read_text().replace("\\-", "-")
    for words in reference.WORDS[1:]:
        assert re.search(rf"^\.SS prontodb {' '.join(words)}( |$)", text, re.MULTILINE), words
    assert all(f".B {name}\n" in text for name in reference_pages.variables())


def test_the_picture_of_the_tour_shows_the_tour() -> None:
    """Recorded again, it is the same picture: a terminal shows now what it showed then."""
    assert tour.stale() == []
    with tempfile.TemporaryDirectory() as folder:
        assert tour.words(tour.picture(tour.recorded(Path(folder)))) == tour.words(tour.PICTURE.read_text())


def built(folder: Path, config: Path = ROOT / "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    """The site, made as `make site` makes it."""
    argv = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", config, "--site-dir", folder]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT, env=env)


def test_the_site_is_whole_and_fetches_nothing(tmp_path: Path) -> None:
    """Every page is in the menu or named beside it, every link and anchor leads somewhere, and a reader's browser asks nobody else."""
    done = built(tmp_path / "site")
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(list((ROOT / "docs").rglob("*.md")))
    fetched = re.compile(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["'](?:https?:)?//[^"']*""")
    assert [found for page in pages for found in fetched.findall(page.read_text()) if 'rel="canonical"' not in found] == []


def test_a_link_that_leads_nowhere_stops_the_site(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "README.md", tmp_path)
    config = Path(shutil.copy(ROOT / "mkdocs.yml", tmp_path))
    for link in ("nowhere.md", "contributing.md#nowhere"):
        (tmp_path / "docs/not-accepted.md").write_text(f"See [there]({link}).\n")
        done = built(tmp_path / "site", config)
        assert done.returncode, done.stderr
        assert "nowhere" in done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/explanation/durability.md"])
def test_what_a_claim_is_shown_by_is_there(page: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / page).read_text()))
    assert named
    assert [name for name in sorted(named) if not (ROOT / f"tests/{name}.py").exists()] == []


def test_links_lead_somewhere() -> None:
    for page in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
