"""Cursors as they are kept: a small JSON file each, in a folder per user, replaced atomically (DESIGN §5)."""

import os

from .address import is_word
from .errors import StorageError, UsageError
from .paths import data_home
from .resolve import Preset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Environ = Mapping[str, str]

ACTIVE = ".active"
ENDING = ".json"
FIELDS = ("database", "meta", "project", "namespace")


def folder(environ: "Environ", user: str) -> str:
    """Where a user's cursors are."""
    return f"{data_home(environ)}/cursors/{user}"


def active(environ: "Environ", user: str) -> str:
    """The name of a user's active cursor; "" where there is none."""
    data = _read(f"{folder(environ, user)}/{ACTIVE}")
    return "" if data is None else data.decode("utf-8", "surrogateescape").strip()


def cursor(environ: "Environ", user: str, name: str) -> Preset:
    """One of a user's cursors. Raises `UsageError` where there is none of that name."""
    data = _read(f"{folder(environ, user)}/{name}{ENDING}") if is_word(name) else None
    if data is None:
        raise UsageError(f"Unknown cursor '{name}'", cure=_nearest(environ, user, name))
    found = _parsed(data, f"{folder(environ, user)}/{name}{ENDING}")
    return Preset(*(str(found.get(field) or "") for field in FIELDS))


def names(environ: "Environ", user: str) -> list[str]:
    """The names of a user's cursors, in order."""
    try:
        files = os.listdir(folder(environ, user))
    except FileNotFoundError:
        return []
    return sorted(file.removesuffix(ENDING) for file in files if file.endswith(ENDING))


def parse_json(text: str) -> object:
    """JSON, without the module `json`: it loads `re`, which costs a cold command more than all else that a cursor does."""
    try:
        from _json import make_scanner

        value, end = make_scanner(_Rules)(text, 0)  # type: ignore[arg-type]
        if end == len(text):
            return value
    except Exception:  # noqa: BLE001, S110 - it is private, and does not say well what is wrong: `json` does, with `ValueError`
        pass
    import json

    return json.loads(text)


class _Rules:
    """What the scanner of the standard library asks of its decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner's own


def _parsed(data: bytes, path: str) -> dict[str, object]:
    try:
        found = parse_json(data.decode().strip())
    except ValueError as error:
        raise StorageError(f"Cannot read {path}: it is damaged", cure="set the cursor again") from error
    return found if isinstance(found, dict) else {}


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"Cannot read {path}: {error.strerror}") from error


def _nearest(environ: "Environ", user: str, name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names(environ, user), n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else "prontodb cursor list shows them"
