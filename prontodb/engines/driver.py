"""SQLite's driver, loaded as cheaply as Python can, and its errors in our words.

`import sqlite3` costs 5 ms of a 10 ms start: datetime and collections come with it, none of which is used here. The C module below
it needs functools for its statement cache alone, and reads it once while it loads; a cold command runs each statement once, so for
the time of that import something without a cache stands in. Where functools is loaded already, or anything is different in another
Python, the plain module is used.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from types import ModuleType
    from typing import TypeVar

    Connection = sqlite3.Connection
    T = TypeVar("T")


class _NoCache:
    """functools, as far as `_sqlite3` wants it: a cache that keeps nothing."""

    @staticmethod
    def lru_cache(maxsize: int) -> "Callable[[Callable[..., T]], Callable[..., T]]":  # noqa: ARG004 - functools' signature
        return lambda function: function


def _load() -> "ModuleType":
    if "functools" not in sys.modules:
        sys.modules["functools"] = _NoCache  # type: ignore[assignment]
        try:
            import _sqlite3

            return _sqlite3
        except Exception:  # noqa: BLE001, S110 - whatever another Python says to this, the plain module is right
            pass
        finally:
            del sys.modules["functools"]
    import sqlite3

    return sqlite3


if not TYPE_CHECKING:
    sqlite3 = _load()

Error = sqlite3.Error
ERRORS = (Error, UnicodeDecodeError)
"""The second is how the driver fails to quote SQLite, where a damaged schema is no text any more."""
APPLICATION_ID = 0x50524F4E
"""`PRON`: what tells a database of ours from any other SQLite file."""
SCHEMA_VERSION = 2
"""The shape that `schema` makes and migrates to."""

complete_statement = sqlite3.complete_statement
sqlite_version: str = sqlite3.sqlite_version


def connect(path: str, options: str, timeout: float) -> "Connection":
    """A connection in autocommit mode; `options` as in SQLite's file URIs. Raises `Error`."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    uri = f"file:/{quoted.lstrip('/')}?{options}"
    return sqlite3.connect(uri, timeout=timeout, isolation_level=None, uri=True, check_same_thread=False)


def pragma(db: "Connection", name: str) -> int:
    """One of SQLite's numbers about a database."""
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])
