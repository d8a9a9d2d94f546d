"""`get` and `del` of many addresses at once, and `get --json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..address import Address
    from ..model import Fence
    from ..session import Session

from .. import formats, intake, render
from ..errors import Miss, ProntoError
from ..ops import kv, open_store, secrets
from .listings import emit


def get_many(session: Session, source: str, *, null: bool, expired: bool, reveal: bool) -> int:
    """Prints address and value of each; of those that are not there, or are secrets, it tells: the status is 2 then, or 6."""
    missed: list[ProntoError] = []
    found = _found(session, addresses(session, source, null=null), missed, expired=expired, reveal=reveal)
    kind = "json" if session.flags.json else "null" if null else "lines"
    emit(session, formats.records(kind, found, None))
    return _missed(session, missed)


def get_json(session: Session, text: str, *, expired: bool, reveal: bool) -> int:
    """Prints one entry as a JSON object."""
    import json

    record = _record(session, session.address(text), expired=expired, reveal=reveal)
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


def _found(session: Session, wanted: list[Address], missed: list[ProntoError], *, expired: bool, reveal: bool) -> Iterator[formats.Record]:
    for address in wanted:
        try:
            yield _record(session, address, expired=expired, reveal=reveal)
        except (Miss, secrets.Secret) as error:
            missed.append(error)


def _record(session: Session, address: Address, *, expired: bool, reveal: bool) -> formats.Record:
    found = kv.get(open_store(session), address, expired=expired)
    if not reveal:
        secrets.check(session, address, found.entry)
    found.entry.value = found.read()
    return formats.Record(str(address), address, found.entry, secret=secrets.is_secret(address, found.entry))


def _missed(session: Session, missed: Sequence[ProntoError]) -> int:
    for error in missed:
        render.report(session, error)
    return max((error.code for error in missed), default=0)
