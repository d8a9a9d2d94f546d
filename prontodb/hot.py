"""The verbs that live in loops: what each does once its arguments are known. Both `dispatch`'s hot forms and `cli` end here.

Each returns the exit status.
"""

from . import render
from .errors import InvalidAddress, NoContent, UsageError
from .model import INHERIT, SECRETS, Content, Write
from .ops import kv, open_store
from .session import Piped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .address import Address
    from .model import Fence
    from .session import Session

MOST = 10**18
"""What a number to be added is below."""


def get(session: "Session", text: str, *, newline: bool = False, expired: bool = False, reveal: bool = False) -> int:
    """Prints a value."""
    address = session.address(text)
    found = kv.get(open_store(session), address, expired=expired)
    if not reveal and (found.entry.note or address.namespace == SECRETS):
        from .ops import secrets

        secrets.check(session, address, found.entry)
    render.value(session, found, newline=newline)
    session.found(address, found)
    return 0


def put(session: "Session", text: str, value: str, write: Write | None = None) -> int:
    """Stores a value given as an argument. Standard input matters only where the address is wrong: then it may be the real value."""
    try:
        address = session.address(text)
    except InvalidAddress:
        session.piped = Piped(text, patient=False, secret=bool(write and write.secret))
        raise
    content = Content.of(value.encode("utf-8", "surrogateescape"))
    kv.put(open_store(session), address, content, write or Write(INHERIT))
    return _stored(session, address, content)


def put_piped(session: "Session", text: str, write: Write | None = None, *, empty: bool = False, trim: bool = False) -> int:
    """Stores what standard input holds, to its end."""
    from . import intake

    session.piped = Piped(text, patient=True, secret=bool(write and write.secret))
    session.piped.content = content = intake.read(session)
    address = session.address(text, piped=True)
    if not content.size and not empty:
        raise NoContent(f"Nothing came in for {address}", cure="--allow-empty stores an empty value", address=str(address))
    kv.put(open_store(session), address, intake.trimmed(content) if trim else content, write or Write(INHERIT))
    session.piped = None
    content.discard()
    return _stored(session, address, content)


def put_from_pipe(session: "Session", text: str) -> int:
    """The hot form of `set A`: at a terminal nobody is made to wait for a value that may never be typed."""
    if session.stdin.is_terminal():
        raise NoContent(f"No value for '{text}'", cure=f"prontodb set {text} VALUE, or pipe the value in", address=text)
    return put_piped(session, text)


def delete(session: "Session", text: str, fence: "Fence | None" = None, *, purge: bool = False) -> int:
    """Removes an entry, with `purge` its history too."""
    address = session.address(text)
    if kv.delete(open_store(session), [address], fence, purge=purge):
        raise kv.missing(address)
    render.note(session, f"Deleted {address}")
    return 0


def exists(session: "Session", text: str) -> int:
    """Says by its status whether there is such an entry."""
    there = kv.exists(open_store(session), session.address(text))
    render.note(session, "There" if there else "Not there")
    return 0 if there else 2


def increase(session: "Session", text: str, by: str = "1") -> int:
    """Adds to an integer, and prints the sum."""
    return counted(session, text, number(by, "incr"))


def decrease(session: "Session", text: str, by: str = "1") -> int:
    """Takes from an integer, and prints the difference."""
    return counted(session, text, -number(by, "decr"))


def counted(session: "Session", text: str, by: int, fence: "Fence | None" = None) -> int:
    """Adds a number that is known, and prints the sum."""
    from .ops import conditional

    total = conditional.increment(open_store(session), session.address(text), by, fence)
    session.stdout.write(b"%d\n" % total)
    return 0


def number(text: str, verb: str) -> int:
    """What a verb is to add. Raises `UsageError`."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit() and int(digits) < MOST:
        return int(text)
    raise UsageError(f"Invalid number '{text}': digits are wanted, at most 18, with or without '-'", cure=f"prontodb {verb} ADDRESS 5")


def keys(session: "Session", text: str | None = None) -> int:
    """Prints the names of a place."""
    from .address import parse_place
    from .ops import places

    place = parse_place(text, session.scope())
    for names in places.names(open_store(session), place):
        render.page(session, names)
    return 0


def _stored(session: "Session", address: "Address", content: Content) -> int:
    render.note(session, f"Stored {address} ({content.size} bytes)")
    return 0
