"""`get` and `del` of many addresses at once, and `get --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..address import Address
    from ..model import Fence
    from ..session import Session

from .. import formats, intake, render
from ..errors import Miss, ProntoError
from ..ops import kv, open_store
from .listings import emit


def get_many(session: Session, source: str, *, null: bool, expired: bool) -> int:
    """Prints address and value of each; those that are not there are told of, and make the status 2."""
    missed: list[Miss] = []
    found = _found(session, addresses(session, source, null=null), missed, expired=expired)
    kind = "json" if session.flags.json else "null" if null else "lines"
    emit(session, formats.records(kind, found, None))
    return _missed(session, missed)


def get_json(session: Session, text: str, *, expired: bool) -> int:
    """Prints one entry as a JSON object."""
    import json

    record = _record(session, session.address(text), expired=expired)
    session.stdout.write(json.dumps(formats.described(record)).encode() + b"\n")
    return 0


class HoldsNul(ProntoError):
    """A value with a NUL in it was wanted for a shell variable, which would lose it and what comes after."""

    code = 65
    slug = "nul"


def refuse_nul(session: Session, text: str, *, expired: bool) -> None:
    """Raises `HoldsNul` for such a value."""
    found = kv.get(open_store(session), session.address(text), expired=expired)
    if any(b"\0" in piece for piece in found.pieces):
        raise HoldsNul(f"{text} has a NUL in it, which no shell variable can hold", cure=f"prontodb get {text} >FILE", address=text)


def delete_many(session: Session, source: str, *, null: bool, purge: bool = False, fence: Fence | None = None) -> int:
    """Deletes all of them in one step."""
    gone = kv.delete(open_store(session), addresses(session, source, null=null), fence, purge=purge)
    return _missed(session, [kv.missing(address) for address in gone])


def addresses(session: Session, source: str, *, null: bool) -> list[Address]:
    """The addresses in a file or, for `-`, on standard input; empty lines do not count."""
    content = intake.read(session) if source == "-" else intake.file_content(source, session.cwd)
    text = content.read().decode("utf-8", "surrogateescape")
    content.discard()
    return [session.address(line) for line in text.split("\0" if null else "\n") if line]


def _found(session: Session, wanted: list[Address], missed: list[Miss], *, expired: bool) -> Iterator[formats.Record]:
    for address in wanted:
        try:
            yield _record(session, address, expired=expired)
        except Miss as miss:
            missed.append(miss)


def _record(session: Session, address: Address, *, expired: bool) -> formats.Record:
    found = kv.get(open_store(session), address, expired=expired)
    found.entry.value = found.read()
    return formats.Record(str(address), address, found.entry)


def _missed(session: Session, missed: list[Miss]) -> int:
    for miss in missed:
        render.report(session, miss)
    return 2 if missed else 0
