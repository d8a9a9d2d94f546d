"""Tokens and buckets as text, JSON and CSV, and back. Whatever is written here reads back to the same data, any bytes."""

import csv
import io
import json
from base64 import b64decode, b64encode

from .bucket import GLOBAL, BucketMode, TokenBucket
from .tokens import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BYTES = "value_b64"
"""The key of a JSON object that stands for a value which is no text."""
_COLUMNS = ("namespace", "key", "value", "encoding")
_QUOTES = {"double": b'"', "single": b"'"}


def written(token: Token, quotes: str = "double") -> bytes:
    r"""A token, with its `;`. `quotes`: `double`; or `single` or `least` where the value allows it, else `double` too.

    Raises `ValueError` for names that no token can have.
    """
    value = token.value
    if quotes == "least" and _is_bare(value):
        shown = value
    elif quotes != "double" and b"'" not in value:
        shown = b"'" + value + b"'"
    else:
        shown = b'"' + value.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return _head(token).encode() + b"=" + shown + b";"


def to_text(tokens: "Iterable[Token]", quotes: str = "double") -> "Iterator[bytes]":
    """A stream, a token a line; `global` is the namespace of those without a prefix."""
    for token in tokens:
        yield written(token, quotes) + b"\n"


def to_json(bucket: TokenBucket) -> str:
    """An object of objects by namespace; nested by `.` in mode TREE. A value that is no text is `{"value_b64": …}`."""
    data: object = bucket.tree() if bucket.mode is BucketMode.TREE else bucket.data
    return json.dumps(data, default=_json_value, ensure_ascii=False)


def from_json(text: str | bytes, mode: BucketMode = BucketMode.FLAT) -> TokenBucket:
    """What `to_json` has written, and other objects of objects. Numbers, true, false and null are taken as JSON spells them.

    Raises `ValueError` for what is no such object.
    """
    bucket = TokenBucket(mode)
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("a JSON object is wanted")  # noqa: TRY004 - what is wrong is the data
    for namespace, held in data.items():
        for name, key, value in _leaves(namespace, held):
            bucket.add(name, key, value)
    return bucket


def to_csv(tokens: "Iterable[Token]") -> str:
    """A table of namespace, key, value and encoding, which is `base64` where the value is no text."""
    file = io.StringIO(newline="")
    table = csv.writer(file)
    table.writerow(_COLUMNS)
    for token in tokens:
        table.writerow((token.namespace, token.key, *_csv_value(token.value)))
    return file.getvalue()


def from_csv(text: str) -> "Iterator[Token]":
    """The tokens of such a table. Raises `ValueError` where it has other columns."""
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not {"key", "value"} <= set(rows.fieldnames or ()):
        raise ValueError("a table with columns key and value is wanted")
    for row in rows:
        value = row["value"] or ""
        data = b64decode(value, validate=True) if row.get("encoding") == "base64" else value.encode()
        yield Token(row.get("namespace") or GLOBAL, row["key"], data)


def _head(token: Token) -> str:
    namespace = "" if token.namespace == GLOBAL else token.namespace
    if not namespace and (token.key == "ns" or ":" in token.key):
        namespace = GLOBAL
    if not token.key or any(mark.isspace() or mark in "=;" for mark in namespace + token.key) or ":" in namespace:
        raise ValueError(f"no token can have the name '{namespace}:{token.key}'")
    return f"{namespace}:{token.key}" if namespace else token.key


def _is_bare(value: bytes) -> bool:
    return (
        bool(value)
        and value[:1] not in (b"'", b'"')
        and not any(mark in value for mark in (b";", *(b" \t\n\r\v\f"[at : at + 1] for at in range(6))))
    )


def _text(value: bytes) -> str | None:
    """The value as text, where it is some that every reader takes."""
    try:
        return None if b"\0" in value else value.decode()
    except UnicodeDecodeError:
        return None


def _json_value(value: object) -> object:
    if not isinstance(value, bytes):
        raise TypeError(f"not a value: {value!r}")
    text = _text(value)
    return {BYTES: b64encode(value).decode()} if text is None else text


def _csv_value(value: bytes) -> tuple[str, str]:
    text = _text(value)
    # The reader of a table takes a lone carriage return for a new line in some versions.
    return (b64encode(value).decode(), "base64") if text is None or "\r" in text else (text, "")


def _leaves(namespace: str, held: object) -> "Iterator[tuple[str, str, bytes]]":
    if not isinstance(held, dict):
        raise ValueError(f"'{namespace}' has no object of keys and values")  # noqa: TRY004 - what is wrong is the data
    for key, value in held.items():
        if isinstance(value, dict) and set(value) != {BYTES}:
            yield from _leaves(f"{namespace}.{key}", value)
        else:
            yield namespace, key, _value(key, value)


def _value(key: str, value: object) -> bytes:
    if isinstance(value, dict):
        return b64decode(str(value[BYTES]), validate=True)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    if isinstance(value, list):
        raise ValueError(f"'{key}' is a list, which no token can hold")  # noqa: TRY004 - what is wrong is the data
    return json.dumps(value).encode()
