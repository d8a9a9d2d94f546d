"""`get` and `del` of many addresses at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..address import Address
    from ..model import Fence
    from ..session import Session

from .. import formats, intake, render
from ..errors import Miss, ProntoError
from ..ops import kv, open_store, overlay, secrets
from .listings import emit


def get_many(session: Session, source: str, *, null: bool, expired: bool, over: str | None, reveal: bool) -> int:
    """Prints address and value of each; of those that are not there, or are secrets, it tells: the status is 2 then, or 6."""
    missed: list[ProntoError] = []
    wanted = addresses(session, source, null=null)
    found = _found(wanted, missed, lambda address: record(session, address, over, expired=expired, reveal=reveal))
    kind = "json" if session.flags.json else "null" if null else "lines"
    emit(session, formats.records(kind, found, None))
    return _missed(session, missed)


class HoldsNul(ProntoError):
    """A value with a NUL in it was wanted for a shell variable, which would lose it and what comes after."""

    code = 65
    slug = "nul"


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


def record(session: Session, address: Address, over: str | None, *, expired: bool = False, reveal: bool = False) -> formats.Record:
    """An entry with its value; with `over`, what holds of the address under these contexts. Raises `Miss` and `Secret`."""
    answer = looked_up(session, address, over, expired=expired, reveal=reveal)
    entry = answer.found.entry
    entry.value = answer.found.read()
    secret = secrets.is_secret(answer.layer, entry)
    return formats.Record(str(address), address, entry, None if over is None else answer.layer, secret=secret)


def looked_up(session: Session, address: Address, over: str | None, *, expired: bool = False, reveal: bool = False) -> overlay.Answer:
    """What is found at an address, and where. Raises `Miss`, and `Secret` for one that may not be shown."""
    if over is None:
        answer = overlay.Answer(kv.get(open_store(session), address, expired=expired), address, [address])
    else:
        answer = overlay.get(open_store(session), address, overlay.contexts(over))
    if not reveal:
        secrets.check(session, answer.layer, answer.found.entry)
    return answer


def _found(wanted: list[Address], missed: list[ProntoError], look: Callable[[Address], formats.Record]) -> Iterator[formats.Record]:
    for address in wanted:
        try:
            yield look(address)
        except (Miss, secrets.Secret) as error:
            missed.append(error)


def _missed(session: Session, missed: Sequence[ProntoError]) -> int:
    for error in missed:
        render.report(session, error)
    return max((error.code for error in missed), default=0)
