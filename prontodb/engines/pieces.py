"""Reading a large value of a SQLite database: what is not in the row of its entry."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ..errors import StorageError
    from .bodies import Bodies
    from .driver import Connection

    Row = tuple[str, int, int, int | None, bytes | None, bytes | None, int | None]

    T = TypeVar("T")


def with_rows(db: "Connection", query: str, at: tuple[str | float, ...]) -> "tuple[Row | None, list[tuple[int, bytes]]]":
    """The row of an entry, and its pieces with their numbers, of one moment."""

    def look() -> "tuple[Row | None, list[tuple[int, bytes]]]":
        row: Row | None = db.execute(query, at).fetchone()
        body = row[6] if row else None
        return row, [] if body is None else db.execute("SELECT number, data FROM chunk WHERE body = ? ORDER BY number", (body,)).fetchall()

    return of_one_moment(db, look)


def of_one_moment(db: "Connection", look: "Callable[[], T]") -> "T":
    """What several statements find, in one transaction: from its first look on it sees nothing new."""
    db.execute("BEGIN")
    try:
        return look()
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def missing(bulk: "Bodies", at: tuple[str | float, ...]) -> "StorageError":
    """The error for a value whose file is gone."""
    from .failures import DamagedDatabase

    return DamagedDatabase(
        f"Database is damaged: the content of '{at[3]}' is not in {bulk.folder}",
        cure="where the database was copied or moved, bring that folder along; else restore a backup",
    )


def whole(path: str, row: "Row", rows: list[tuple[int, bytes]]) -> list[bytes]:
    """The pieces, once it is sure that they are all there. Raises `DamagedDatabase`."""
    pieces = [data for _, data in rows]
    if sum(map(len, pieces)) != row[1]:
        from .failures import DamagedDatabase

        raise DamagedDatabase(f"Database is damaged: parts of '{row[0]}' are missing in {path}", cure="prontodb doctor")
    return pieces
