"""Storing a token stream: as the user that it names, and all of it in one transaction (DESIGN §8)."""

from .. import credentials
from ..errors import Denied, NoContent, ProntoError
from ..resolve import check_user
from . import open_store, users
from .streamed import Entries, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from ..session import Session
    from .streamed import Item

    T = TypeVar("T")


def store(session: "Session", stream: Stream) -> Entries:
    """Stores all entries of a stream, or none; what it came to.

    Raises `MalformedStream`, `NoContent` where there is not one token, `Denied` for wrong credentials.
    """
    entries = _as_named(session, stream.secrets(), lambda: _load(session, stream))
    if not entries.tokens:
        raise NoContent("There is no token in the stream", cure="prontodb help streams tells what one looks like")
    return entries


def preview(session: "Session", stream: Stream, look: "Callable[[Entries], object]") -> None:
    """Lets `look` go over the entries as they would be stored, by the same rules."""
    _as_named(session, stream.secrets(), lambda: look(Entries(stream, session.scope())))


def _load(session: "Session", stream: Stream) -> Entries:
    entries = Entries(stream, session.scope())
    items = iter(entries)
    first = next(items, None)
    if first is None:
        return entries

    def all_of_them() -> "Iterator[Item]":
        yield first
        yield from items

    target = open_store(session)
    target.engine.load(all_of_them(), target.now)
    return entries


def _as_named(session: "Session", secrets: dict[str, bytes], work: "Callable[[], T]") -> "T":
    """Does the work as the user whom the stream names and gives the password of.

    The call itself stays as it was: where the work fails, the stream is rescued where the call stands. A stream that fails may not
    choose where it is kept.
    """
    if not secrets:
        return work()
    flags, before = session.flags, session.flags.user
    try:
        _enter(session, secrets)
        return work()
    finally:
        flags.user, flags.admitted = before, None
        session.forget_context()


def _enter(session: "Session", secrets: dict[str, bytes]) -> None:
    """Raises `Denied`, in words that repeat nothing of what the tokens say."""
    flags = session.flags
    try:
        if "user" in secrets:
            name = check_user(secrets["user"].decode())
            if flags.user not in (None, name):
                raise Denied("another user")
            flags.user = name
            session.forget_context()
        user = session.context().user.value
        if "pass" in secrets:
            credentials.verify(session.environ, user, secrets["pass"])
            flags.admitted = user
        users.admit(session, user)
    except (ProntoError, UnicodeDecodeError) as error:
        raise Denied(_refusal(session), cure="mend its sec: tokens, or leave them out and log in: prontodb login") from error


def _refusal(session: "Session") -> str:
    if session.pinned():
        return "The sec: tokens of the stream do not let it in: a pin names another user, or the password is wrong"
    return "The sec: tokens of the stream do not let it in: they contradict --user, or user and password do not fit"
