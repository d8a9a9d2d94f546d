"""`get` and `del` of many addresses at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..address import Address
    from ..session import Session

from .. import formats, intake, render
from ..errors import Miss, ProntoError
from ..ops import kv, open_store, overlay
from .listings import emit


def get_many(session: Session, source: str, *, null: bool, expired: bool, over: str | None) -> int:
    """Prints address and value of each; those that are not there are told of, and make the status 2."""
    missed: list[Miss] = []
    found = _found(addresses(session, source, null=null), missed, lambda address: record(session, address, over, expired=expired))
    kind = "json" if session.flags.json else "null" if null else "lines"
    emit(session, formats.records(kind, found, None))
    return _missed(session, missed)


class HoldsNul(ProntoError):
    """A value with a NUL in it was wanted for a shell variable, which would lose it and what comes after."""

    code = 65
    slug = "nul"


def delete_many(session: Session, source: str, *, null: bool) -> int:
    """Deletes all of them in one step."""
    gone = kv.delete(open_store(session), addresses(session, source, null=null))
    return _missed(session, [kv.missing(address) for address in gone])


def addresses(session: Session, source: str, *, null: bool) -> list[Address]:
    """The addresses in a file or, for `-`, on standard input; empty lines do not count."""
    content = intake.read(session) if source == "-" else intake.file_content(source, session.cwd)
    text = content.read().decode("utf-8", "surrogateescape")
    content.discard()
    return [session.address(line) for line in text.split("\0" if null else "\n") if line]


def record(session: Session, address: Address, over: str | None, *, expired: bool = False) -> formats.Record:
    """An entry with its value; with `over`, what holds of the address under these contexts. Raises `Miss`."""
    answer = looked_up(session, address, over, expired=expired)
    answer.found.entry.value = answer.found.read()
    return formats.Record(str(address), address, answer.found.entry, None if over is None else answer.layer)


def looked_up(session: Session, address: Address, over: str | None, *, expired: bool = False) -> overlay.Answer:
    """What is found at an address, and where. Raises `Miss`."""
    if over is None:
        return overlay.Answer(kv.get(open_store(session), address, expired=expired), address, [address])
    return overlay.get(open_store(session), address, overlay.contexts(over))


def _found(wanted: list[Address], missed: list[Miss], look: Callable[[Address], formats.Record]) -> Iterator[formats.Record]:
    for address in wanted:
        try:
            yield look(address)
        except Miss as miss:
            missed.append(miss)


def _missed(session: Session, missed: list[Miss]) -> int:
    for miss in missed:
        render.report(session, miss)
    return 2 if missed else 0
