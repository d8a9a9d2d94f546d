"""Rows with columns: aligned for a person, tab-separated for a script, or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..session import Session

from ..errors import UsageError
from ..render import page


def show(session: Session, columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, ndjson: bool = False) -> int:
    """Prints rows; of each, these columns. JSON has all that a row holds; with `ndjson` a line each."""
    if ndjson:
        if session.flags.json:
            raise UsageError("Two formats: --json and --ndjson", cure="choose one")
        page(session, [json.dumps(dict(row)) for row in rows])
        return 0
    if session.flags.json:
        session.stdout.write(_json(rows))
        return 0
    cells = [[_cell(row[column]) for column in columns] for row in rows]
    if session.stdout.terminal and rows:
        page(session, _aligned([list(columns), *cells]))
    else:
        page(session, ["\t".join(row) for row in cells])
    return 0


def _json(rows: Sequence[Mapping[str, object]]) -> bytes:
    return ("[" + ",\n ".join(json.dumps(dict(row)) for row in rows) + "]\n").encode()


def _cell(value: object) -> str:
    text = "-" if value is None else str(value)
    return "".join(mark if mark.isprintable() else _escaped(mark) for mark in text)


def _escaped(mark: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in mark.encode("utf-8", "surrogateescape"))


def _aligned(table: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
