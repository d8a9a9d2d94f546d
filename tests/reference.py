"""Writes docs/reference and the manual pages from the code; with --check, only says whether they are up to date."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from prontodb.cli import errorpages, topics
from prontodb.cli.about import _help_on
from prontodb.cli.errorpages import KINDS
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
    """Every error: a table of them all, then each as `prontodb help errors` tells of it."""
    rows = [f"| [`{kind.name}`](#{kind.name}) | {kind.error.code} | {kind.meaning} |" for kind in KINDS]
    table = "\n".join(["| error | exit status | meaning |", "|---|---|---|", *rows])
    parts = [
        "# Errors",
        "Made from the code by `python -m tests.reference`. With `--json`, `error` is the name; `prontodb help errors` shows this, too.",
    ]
    parts += ["`rescued` is no such name: `--json` tells of a rescue by the name of what caused it, with `rescued` as the address.", table]
    parts += [f"## {kind.name}\n\n```text\n{errorpages.page(kind)}\n```" for kind in KINDS]
    return "\n\n".join(parts) + "\n"


PAGES: dict[Path, Callable[[], str]] = {
    REFERENCE / "commands.md": commands,
    REFERENCE / "errors.md": error_pages,
    REFERENCE / "python.md": reference_python.page,
    REFERENCE / "settings.md": reference_pages.settings,
    REFERENCE / "environment.md": reference_pages.environment,
    REFERENCE / "exit-codes.md": reference_pages.exit_codes,
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
