"""Writes docs/reference and the manual pages from the code; with --check, only says whether they are up to date."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path

import prontodb
from prontodb import errors, salvage
from prontodb.cli import topics
from prontodb.cli.about import _help_on
from prontodb.cli.table import GROUPS, POSTGRES_VERBS, VERBS

from . import manual, reference_pages, reference_python

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs/reference"
WORDS = [(), *((verb,) for verb in VERBS), *((group, verb) for group, rows in GROUPS.items() for verb in rows)]
WORDS += [("admin", "postgres", verb) for verb in POSTGRES_VERBS]


def commands() -> str:
    """Every verb's help, and the topics."""
    parts = ["# Commands", "Made from the code by `python -m tests.reference`."]
    parts += [f"## prontodb {' '.join(words)}".rstrip() + f"\n\n```text\n{_help_on(words)}\n```" for words in WORDS]
    parts += [f"## {name}\n\n```text\n{text()}\n```" for name, text in topics.TOPICS.items()]
    return "\n\n".join(parts) + "\n"


def error_pages() -> str:
    """Every error's slug, exit status and meaning."""
    rows = [f"| `{kind.slug}` | {kind.code} | {' '.join((kind.__doc__ or '').split())} |" for kind in kinds()]
    head = ["# Errors", "", "Made from the code by `python -m tests.reference`. With `--json`, `error` is the slug.", ""]
    return "\n".join([*head, "| slug | exit status | meaning |", "|---|---|---|", *rows]) + "\n"


def kinds() -> list[type[errors.ProntoError]]:
    """The classes of errors that the tree in `errors` shows, wherever they are defined, in the order of their statuses."""
    for module in pkgutil.walk_packages(prontodb.__path__, "prontodb."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found = [errors.ProntoError]
    for kind in found:
        found += [below for below in kind.__subclasses__() if below.__name__ in (errors.__doc__ or "")]
    return sorted((kind for kind in found if kind is not salvage.Rescued), key=lambda kind: (kind.code, kind.slug))


PAGES: dict[Path, Callable[[], str]] = {
    REFERENCE / "commands.md": commands,
    REFERENCE / "errors.md": error_pages,
    REFERENCE / "python.md": reference_python.page,
    REFERENCE / "settings.md": reference_pages.settings,
    REFERENCE / "environment.md": reference_pages.environment,
    REFERENCE / "exit-codes.md": lambda: reference_pages.exit_codes(kinds()),
    REFERENCE / "schema.md": reference_pages.schema,
    REFERENCE / "protocol.md": reference_pages.protocol,
    ROOT / "man/prontodb.1": manual.command,
    ROOT / "man/prontodb-stream.5": manual.stream_format,
}


def stale() -> list[str]:
    """The pages that are not what the code says now."""
    return [str(path.relative_to(ROOT)) for path, text in PAGES.items() if not path.exists() or path.read_text() != text()]


def main() -> int:
    """Writes, or checks; 1 where something is out of date."""
    if "--check" in sys.argv:
        if found := stale():
            print(f"out of date: {', '.join(found)}; run python -m tests.reference", file=sys.stderr)
        return 1 if found else 0
    for path, text in PAGES.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
