"""Passwords of users, and the sessions that a login gives (DESIGN §5).

What is kept: `users/NAME.json` beside the databases, with salt, scrypt hash and its costs, and the SHA-256 of each session's token
with its end; the token itself in `$XDG_RUNTIME_DIR/prontodb/NAME.token`, gone when the machine or the login session ends. All 0600.
They keep users of one operating-system account apart by mistake only: whoever is that account can read the files.
"""

import os

from .errors import Denied, UsageError
from .files import make_folders, replace_file, unlink
from .paths import data_home, state_home
from .saved import parse_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environ = Mapping[str, str]
    Record = dict[str, object]

COSTS = {"n": 1 << 14, "r": 8, "p": 1}
"""Of scrypt: 16 MiB and about 50 ms a guess."""


def protected(environ: "Environ", user: str) -> bool:
    """Whether a user has a password."""
    return os.path.exists(_path(environ, user))


def names(environ: "Environ") -> list[str]:
    """The users who have a password."""
    try:
        return sorted(name.removesuffix(".json") for name in os.listdir(_folder(environ)) if name.endswith(".json"))
    except FileNotFoundError:
        return []


def store(environ: "Environ", user: str, password: bytes) -> None:
    """Gives a user a password, and ends all sessions under an old one."""
    if not password:
        raise UsageError(f"An empty password for user '{user}'", cure="give one, or none: prontodb user remove")
    salt = os.urandom(16)
    _save(environ, user, {"salt": salt.hex(), "hash": _hash(password, salt, COSTS).hex(), **COSTS, "sessions": {}})


def remove(environ: "Environ", user: str) -> None:
    """Takes a user's password away; the data stays, open from then on. Raises `UsageError` where there is none."""
    _load(environ, user)
    unlink(_path(environ, user))
    unlink(_token_path(environ, user))


def verify(environ: "Environ", user: str, password: bytes) -> None:
    """Raises `Denied` for a wrong password."""
    from hmac import compare_digest

    record = _load(environ, user)
    costs = {name: int(str(record[name])) for name in COSTS}
    if not compare_digest(_hash(password, bytes.fromhex(str(record["salt"])), costs).hex(), str(record["hash"])):
        raise Denied(f"Wrong password for user '{user}'", cure="prontodb login asks for it again")


def login(environ: "Environ", user: str, expires: int, now: int) -> None:
    """Opens a session until `expires` (Unix seconds); forgets those that are over."""
    record, token = _load(environ, user), os.urandom(32).hex()
    kept = {digest: end for digest, end in _sessions(record).items() if end > now}
    _save(environ, user, record | {"sessions": kept | {_digest(token): expires}})
    path = _token_path(environ, user)
    make_folders(os.path.dirname(path))
    replace_file(path, token.encode())


def logout(environ: "Environ", user: str) -> None:
    """Ends this session."""
    record, digest = _load(environ, user), _digest(_token(environ, user))
    _save(environ, user, record | {"sessions": {known: end for known, end in _sessions(record).items() if known != digest}})
    unlink(_token_path(environ, user))


def logged_in(environ: "Environ", user: str, now: int) -> bool:
    """Whether there is a session that is not over."""
    return _sessions(_load(environ, user)).get(_digest(_token(environ, user)), 0) > now


def _sessions(record: "Record") -> dict[str, int]:
    found = record.get("sessions")
    return {str(digest): int(end) for digest, end in found.items()} if isinstance(found, dict) else {}


def _folder(environ: "Environ") -> str:
    return f"{data_home(environ)}/users"


def _path(environ: "Environ", user: str) -> str:
    return f"{_folder(environ)}/{user}.json"


def _token_path(environ: "Environ", user: str) -> str:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    return f"{runtime}/prontodb/{user}.token" if runtime.startswith("/") else f"{state_home(environ)}/run/{user}.token"


def _token(environ: "Environ", user: str) -> str:
    try:
        with open(_token_path(environ, user), encoding="ascii") as file:
            return file.read()
    except (OSError, ValueError):
        return ""


def _digest(token: str) -> str:
    from hashlib import sha256

    return sha256(token.encode()).hexdigest()


def _hash(password: bytes, salt: bytes, costs: dict[str, int]) -> bytes:
    from hashlib import scrypt

    return scrypt(password, salt=salt, n=costs["n"], r=costs["r"], p=costs["p"], maxmem=1 << 26)


def _load(environ: "Environ", user: str) -> "Record":
    try:
        with open(_path(environ, user), encoding="utf-8") as file:
            record = parse_json(file.read())
    except FileNotFoundError:
        raise UsageError(f"User '{user}' has no password", cure=f"prontodb user add {user} sets one") from None
    except ValueError as error:
        raise Denied(f"The credentials of user '{user}' are damaged", cure=f"look at {_path(environ, user)}") from error
    if isinstance(record, dict) and {"salt", "hash", *COSTS} <= record.keys():
        return record
    raise Denied(f"The credentials of user '{user}' are damaged", cure=f"look at {_path(environ, user)}")


def _save(environ: "Environ", user: str, record: "Record") -> None:
    import json

    make_folders(_folder(environ))
    replace_file(_path(environ, user), json.dumps(record).encode())
