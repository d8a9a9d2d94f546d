"""Writes docs/reference/commands.md, errors.md and python.md from the code; with --check, only says whether they are up to date."""

from __future__ import annotations

import sys
from pathlib import Path

from prontodb import api, conditions, errors, features, formats, intake, salvage, shellgen, spool  # noqa: F401 - some of the errors are theirs
from prontodb.cli import many, topics  # noqa: F401 - likewise
from prontodb.cli.about import _help_on
from prontodb.cli.table import GROUPS, POSTGRES_VERBS, VERBS
from prontodb.engines import failures, pg_failures  # noqa: F401 - likewise
from prontodb.ops import leases, patience, streamed  # noqa: F401 - likewise

from . import reference_python

REFERENCE = Path(__file__).parent.parent / "docs/reference"
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
    rows = [f"| `{kind.slug}` | {kind.code} | {' '.join((kind.__doc__ or '').split())} |" for kind in _kinds()]
    head = ["# Errors", "", "Made from the code by `python -m tests.reference`. With `--json`, `error` is the slug.", ""]
    return "\n".join([*head, "| slug | exit status | meaning |", "|---|---|---|", *rows]) + "\n"


def _kinds() -> list[type[errors.ProntoError]]:
    found = [errors.ProntoError]
    for kind in found:
        found += [below for below in kind.__subclasses__() if below.__name__ in (errors.__doc__ or "")]
    return sorted((kind for kind in found if kind is not salvage.Rescued), key=lambda kind: (kind.code, kind.slug))


def main() -> int:
    """Writes, or checks; 1 where something is out of date."""
    stale = []
    for name, text in (("commands.md", commands()), ("errors.md", error_pages()), ("python.md", reference_python.page())):
        path = REFERENCE / name
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(name)
    if stale:
        print(f"out of date: {', '.join(stale)}; run python -m tests.reference", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
