"""Which role of the server stands for which meta."""

from ..address import is_word
from ..resolve import NO_META

LONGEST = 63
"""Bytes of a name in PostgreSQL; it cuts longer ones without a word."""


def role_of(database: str, meta: str) -> str:
    """The role of a meta: `DATABASE:META`. Roles belong to the whole server, so the database is part of the name.

    A meta has no `:` and a database's name is refused if it has one, so no two of them meet. One too long, or no word at all, is a hash.
    """
    name = f"{database}:{meta or NO_META}"
    if (not meta or is_word(meta)) and len(name.encode()) <= LONGEST:
        return name
    return f"~{_digest(database, meta)}"


def owner_of(database: str) -> str:
    """The role that owns the tables; nobody logs in as it."""
    name = f"{database}::owner"
    return name if len(name.encode()) <= LONGEST else f"~~{_digest(database, '')}"


def _digest(database: str, meta: str) -> str:
    from hashlib import sha256

    return f"{sha256(f'{database}:{meta}'.encode('utf-8', 'surrogateescape')).hexdigest()[:48]}"


def quoted(name: str) -> str:
    """An identifier, as SQL has it."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
