"""`--fence` and `--lease`: a write that counts only while a lease is held."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..address import Address
    from ..model import Fence, Write
    from ..session import Session

from ..address import Choice, Scope, parse
from ..errors import UsageError

VARIABLE = "PRONTO_LEASE"
DIGITS = 18


class Fenced:
    """The fence that a call asks for, if it does; looked at when its verb knows what is piped in, which no mistake may lose."""

    def __init__(self, session: Session, given: str | None, lease: str | None) -> None:
        self._session = session
        self._token = given
        self._lease = lease

    def __call__(self) -> Fence | None:
        """The lease and its token; None where there is no fence. Raises `UsageError`."""
        if self._token is not None:
            return self._address(), token(self._token)
        if self._lease is not None:
            raise UsageError("--lease alone is no fence", cure='--fence "$PRONTO_TOKEN" --lease ADDRESS')
        return None

    def before(self, write: Write) -> Write:
        """The write, behind the fence."""
        write.fence = self()
        return write

    def _address(self) -> Address:
        if self._lease is not None:
            return self._session.address(self._lease)
        if text := self._session.environ.get(VARIABLE):
            return spelled_out(text)
        raise UsageError("--fence without a lease", cure=f"name it with --lease ADDRESS; below `claim … -- cmd`, {VARIABLE} does")


def spelled_out(text: str) -> Address:
    """The address in a variable, which no option of a call completes or divides. Raises `UsageError`."""
    here = Choice("", "default")
    try:
        return parse(text, Scope(here, here))
    except UsageError as error:
        raise UsageError(f"{VARIABLE} is '{text}', which is no whole address", cure="unset it, or name the lease with --lease") from error


def token(text: str, option: str = "--fence") -> int:
    """A token as it is written after an option. An empty one, as of a variable that is not set, is refused, never taken for none.

    Raises `UsageError`.
    """
    if text.isascii() and text.isdigit() and len(text) <= DIGITS and int(text):
        return int(text)
    raise UsageError(
        f"Invalid token '{text}': {option} takes a number, as claim gives it", cure=f'{option} "$PRONTO_TOKEN", or another variable with it'
    )


def fenced(body: Callable[..., int]) -> Callable[..., int]:
    """Gives a verb the two options; its body gets what they say as `fence`."""

    @click.option("--fence", "given", metavar="N", help="Only while the lease is held with token N; else 3.")
    @click.option("--lease", metavar="ADDRESS", help="The lease that --fence means; without it, PRONTO_LEASE.")
    @wraps(body)
    def wrapped(session: Session, given: str | None, lease: str | None, **rest: Any) -> int:
        return body(session, **rest, fence=Fenced(session, given, lease))

    return wrapped
