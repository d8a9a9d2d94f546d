"""The verb `diff`: what holds under one context and not under another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..ops.overlay import Difference, Effective
    from ..session import Session

from .. import formats
from ..address import parse_place
from ..ops import open_store, overlay, secrets
from ..render import is_text, summary
from .group import verb
from .listings import emit

DIFFERENT = 3
"""The status that --exit-code asks for: 1 would be an error's."""
HIDDEN = b"<hidden; --reveal shows it>"


@verb(epilog="Example: prontodb diff --context dev prod work.config")
@click.argument("place", required=False)
@click.option("--context", "sides", nargs=2, required=True, metavar="C C", help="What is compared: prod, or prod,eu, or - for plain keys.")
@click.option("--exit-code", "telling", is_flag=True, help="End with 3 where something differs, else with 0.")
@click.option("--reveal", is_flag=True, help="Show secrets, too.")
def diff(session: Session, place: str | None, sides: tuple[str, str], telling: bool, reveal: bool) -> int:
    """Tell which keys in PLACE differ between two contexts, each falling through to the plain key as get --context does.

    A line is a mark, the key and the values, with tabs between them: - is there only under the first, + only under the second, ~ under
    both, with the first value and then the second.
    """
    at, store = parse_place(place, session.scope()), open_store(session)
    left, right = map(overlay.contexts, sides)
    found = _Counted(overlay.diff(store, at, left, right))
    show = _Shown(session, reveal=reveal)
    emit(session, formats.array(json.dumps(show.told(each)) for each in found) if session.flags.json else map(show.line, found))
    return DIFFERENT if telling and found.count else 0


class _Counted:
    """Differences, counted as they pass."""

    def __init__(self, found: Iterator[Difference]) -> None:
        self._found = found
        self.count = 0

    def __iter__(self) -> Iterator[Difference]:
        for each in self._found:
            self.count += 1
            yield each


class _Shown:
    """A difference as a line or as JSON, with secrets left out."""

    def __init__(self, session: Session, *, reveal: bool) -> None:
        self._legible = session.stdout.terminal and not session.flags.raw
        self._reveal = reveal

    def line(self, each: Difference) -> bytes:
        """Mark, key and values, separated by tabs."""
        sides = [side for side in (each.left, each.right) if side]
        return b"\t".join((_mark(each).encode(), each.key.encode(), *map(self._cell, sides))) + b"\n"

    def told(self, each: Difference) -> dict[str, object]:
        """`key`, `change`, and what is on either side: null where nothing is."""
        kind = {"-": "removed", "+": "added", "~": "changed"}[_mark(each)]
        return {"key": each.key, "change": kind, "left": self._side(each.left), "right": self._side(each.right)}

    def _side(self, side: Effective | None) -> dict[str, object] | None:
        if side is None:
            return None
        told: dict[str, object] = {"layer": str(side.layer), "size": side.entry.size, "revision": side.entry.revision}
        return told | ({"hidden": True} if self._hides(side) else formats.valued(side.entry.value or b""))

    def _cell(self, side: Effective) -> bytes:
        value = HIDDEN if self._hides(side) else side.entry.value or b""
        if self._legible and not is_text(value):
            value = summary(side.entry.size).encode()
        return formats.escaped(value)

    def _hides(self, side: Effective) -> bool:
        return secrets.is_secret(side.layer, side.entry) and not self._reveal


def _mark(each: Difference) -> str:
    return "+" if each.left is None else "-" if each.right is None else "~"
