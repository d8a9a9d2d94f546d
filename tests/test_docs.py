"""The examples in the documents do what they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import reference
from .conftest import Home
from .pgserver import Server
from .shells import require

ROOT = Path(__file__).parent.parent
KEY = re.compile(r"\d{10}_[0-9a-f]{8}_")
PAGES = [path for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")] if "```console\n" in path.read_text()]
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
    for session in sessions(text):
        shown = ""
        status = 0
        for part in re.split(r"^(?=\$ )", session, flags=re.MULTILINE)[1:]:
            line = part.split("\n", 1)[0]
            command = KEY.sub(lambda _, shown=shown: KEY.search(shown)[0], line[2:]) if "copy" in line else line[2:]  # type: ignore[misc,index]
            done = home.shell(f"(exit {status})\n{command}")
            status, shown = done.status, shown + done.out.decode() + done.err
            assert _same(line + "\n" + done.out.decode() + done.err, part), done


def _same(happened: str, documented: str) -> bool:
    # A terminal, which is what the documents show, adds the newline that a value lacks.
    return KEY.sub("KEY_", happened).rstrip("\n") == KEY.sub("KEY_", documented).rstrip("\n")


def test_the_reference_is_up_to_date() -> None:
    assert (reference.REFERENCE / "commands.md").read_text() == reference.commands()
    assert (reference.REFERENCE / "errors.md").read_text() == reference.error_pages()


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
