"""Who may open a user's data: passwords and sessions."""

from .. import credentials
from ..errors import Denied, UsageError
from ..intake import file_content
from ..resolve import check_user
from .cursors import unpinned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..session import Session


def admit(session: "Session", user: str) -> None:
    """Raises `Denied` unless the user has no password, or the call brings it, or there is a session."""
    if user == session.flags.admitted or not credentials.protected(session.environ, user):
        return
    if session.flags.password_file is not None:
        credentials.verify(session.environ, user, password_in(session, session.flags.password_file))
    elif not credentials.logged_in(session.environ, user, session.now()):
        raise Denied(f"User '{user}' has a password, and there is no session", cure=f"prontodb login --user {user}")


def add(session: "Session", user: str, password: bytes) -> None:
    """Gives a user a first password. Raises `UsageError` where there is one."""
    unpinned(session.context(), "users")
    if credentials.protected(session.environ, check_user(user)):
        raise UsageError(f"User '{user}' has a password already", cure=f"prontodb user passwd {user}")
    credentials.store(session.environ, user, password)


def change(session: "Session", user: str, password: bytes) -> None:
    """Gives a user another password; the old one, or a session, is needed."""
    unpinned(session.context(), "users")
    _known(session, user)
    credentials.store(session.environ, user, password)


def remove(session: "Session", user: str) -> None:
    """Takes a user's password away; it, or a session, is needed."""
    unpinned(session.context(), "users")
    _known(session, user)
    credentials.remove(session.environ, user)


def password_in(session: "Session", path: str) -> bytes:
    """The password in a file, without the newline at its end."""
    return file_content(path, session.cwd).read().rstrip(b"\r\n")


def _known(session: "Session", user: str) -> None:
    if not credentials.protected(session.environ, check_user(user)):
        raise UsageError(f"User '{user}' has no password", cure=f"prontodb user add {user} sets one; prontodb user list shows who has one")
    admit(session, user)
