r"""Formats in which entries leave a store and come back: NDJSON, TSV, dotenv. Each takes any bytes, and its reader gives back the same.

    ndjson   {"address": "p.n.k", "expires": 1767225600, "value": "text"}   or "value_b64"; a large value goes on in further lines, each
             but the last with "more": true
    tsv      address TAB expires TAB value, with \t, \n, \r and \\ for tab, newline, carriage return and backslash; no expiry: empty; for
             a secret a fourth field, `secret`
    env      lines of a dotenv file; what such a line cannot say stands in a comment, `# prontodb: ` and a line as of NDJSON, or what
             holds for the next line

Pure: bytes in, bytes out. Times are Unix seconds.
"""

import json
import re
from base64 import b64decode, b64encode

from .address import Choice, Scope, parse
from .errors import ProntoError
from .model import PIECE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .address import Address

    Numbered = tuple[int, dict[str, object]]

LONGEST = 128 << 20
"""Bytes of a line that are read: more than any format here writes."""
LARGEST = 32 << 20
"""Bytes of a value that a format without further lines takes."""
PART = PIECE * 3 // 4
"""Bytes of a line of NDJSON: divisible by three, so that base64 needs no padding within a value."""
REMARK = b"# prontodb: "
KNOWN = {"address", "key", "context", "size", "revision", "expires", "value", "value_b64", "more", "meta", "secret"}
_ESCAPES = {b"\\": b"\\\\", b"\t": b"\\t", b"\n": b"\\n", b"\r": b"\\r"}
_PLAIN = {shown: raw for raw, shown in _ESCAPES.items()}
_VARIABLE = re.compile(rb"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=")
_BARE = re.compile(rb"[A-Za-z0-9_./:@%+,-]*\Z")
_SINGLE = re.compile(rb"'((?:[^'\\]|\\.)*)'[ \t]*(?:#[^\n]*)?\r?\Z", re.DOTALL)
_DOUBLY = re.compile(rb'"((?:[^"\\]|\\.)*)"[ \t]*(?:#[^\n]*)?\r?\Z', re.DOTALL)
_DOUBLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b'"': b'"', b"\\": b"\\", b"$": b"$", b"`": b"`"}


class MalformedImport(ProntoError):
    """A file that is to be imported is not what it should be. Nothing was stored."""

    slug = "malformed-import"

    def __init__(self, line: int, why: str) -> None:
        """`line` 0: it is not about a line, but about a file of a folder."""
        where, cure = (
            (f"Line {line} cannot be imported", "--format names another format")
            if line
            else ("Cannot import this", "prontodb export-fs makes such a folder")
        )
        super().__init__(f"{where}: {why}", cure=f"{cure}; nothing was stored")


class Unwritable(ProntoError):
    """A value that an export format has no way to write down."""

    slug = "unwritable"


class Item:
    """An entry on its way: `expires` None for ever; `meta` where a record names one; `pieces` are read once; `line`: where it was;
    `secret`: to be kept as one.
    """

    __slots__ = ("address", "expires", "line", "meta", "pieces", "secret", "size")

    def __init__(self, address: "Address", expires: int | None, pieces: "Iterator[bytes]", size: int, line: int = 0) -> None:
        self.address = address
        self.expires = expires
        self.pieces = pieces
        self.size = size
        self.line = line
        self.meta: str | None = None
        self.secret = False


class Format:
    """How one format writes and reads. `read` takes lines without their ends, and the scope that completes names in it."""

    __slots__ = ("read", "write")

    def __init__(
        self, write: "Callable[[Iterable[Item]], Iterator[bytes]]", read: "Callable[[Iterator[bytes], Scope], Iterator[Item]]"
    ) -> None:
        self.write = write
        self.read = read


def lines(pieces: "Iterator[bytes]") -> "Iterator[bytes]":
    """Lines, without their newlines. Raises `MalformedImport` for one that is too long to hold."""
    rest: list[bytes] = []
    held = number = 0
    for piece in pieces:
        *whole, last = piece.split(b"\n")
        for line in whole:
            number += 1
            yield b"".join((*rest, line)) if rest else line
            rest, held = [], 0
        if last:
            rest.append(last)
            held += len(last)
        if held > LONGEST:
            raise MalformedImport(number + 1, f"it is longer than {LONGEST} bytes")
    if rest:
        yield b"".join(rest)


def spelled(text: str, line: int) -> "Address":
    """A full address. Raises `MalformedImport`."""
    nowhere = Choice("", "default")
    try:
        return parse(text, Scope(nowhere, nowhere), piped=True)
    except ProntoError as error:
        raise MalformedImport(line, error.message) from error


# NDJSON


def _write_ndjson(items: "Iterable[Item]") -> "Iterator[bytes]":
    for item in items:
        for record in _records(item):
            yield json.dumps(record).encode() + b"\n"


def _records(item: Item) -> "Iterator[dict[str, object]]":
    """The value in parts, only the last of which has no `more`."""
    told: dict[str, object] = {"address": str(item.address), "expires": item.expires, **({"secret": True} if item.secret else {})}
    held = bytearray()
    for piece in item.pieces:
        held += piece
        while len(held) > PART:
            yield {**told, "value_b64": b64encode(bytes(held[:PART])).decode(), "more": True}
            told = {"address": str(item.address)}
            del held[:PART]
    yield told | _valued(bytes(held), text=item.size <= PART)


def _valued(value: bytes, *, text: bool) -> dict[str, object]:
    try:
        if text:
            return {"value": value.decode()}
    except UnicodeDecodeError:
        pass
    return {"value_b64": b64encode(value).decode()}


def _read_ndjson(source: "Iterator[bytes]", _: Scope) -> "Iterator[Item]":
    yield from _from_records((number, _record(line, number)) for number, line in enumerate(source, 1) if line.strip())


def _from_records(records: "Iterator[tuple[int, dict[str, object]]]") -> "Iterator[Item]":
    for number, record in records:
        address = spelled(str(record.get("address")), number)
        item = Item(address, _expiry(record.get("expires"), number), _parts(address, (number, record), records), 0, number)
        item.meta = None if record.get("meta") is None else str(record["meta"])
        item.secret = _switch(record.get("secret", False), number)
        yield item
        # What the receiver has left must not be taken for the next entry.
        for _piece in item.pieces:
            pass


def _parts(address: "Address", first: "Numbered", records: "Iterator[Numbered]") -> "Iterator[bytes]":
    number, record = first
    yield _value(record, number)
    while record.get("more"):
        number, record = next(records, (number + 1, {}))
        if record.get("address") != str(address):
            raise MalformedImport(number, f"the rest of {address} is missing")
        yield _value(record, number)


def _record(line: bytes, number: int) -> dict[str, object]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise MalformedImport(number, f"no JSON: {error}") from error
    if not isinstance(record, dict) or "address" not in record:
        raise MalformedImport(number, "a JSON object with an address is wanted")
    if unknown := set(record) - KNOWN:
        raise MalformedImport(number, f"unknown field '{min(unknown)}'")
    return record


def _value(record: dict[str, object], number: int) -> bytes:
    text, coded = record.get("value"), record.get("value_b64")
    if isinstance(text, str) and coded is None:
        try:
            return text.encode()
        except UnicodeEncodeError as error:
            raise MalformedImport(number, "its value is no text that UTF-8 can write") from error
    if not isinstance(coded, str) or text is not None:
        raise MalformedImport(number, "one of value and value_b64 is wanted, and text")
    try:
        return b64decode(coded, validate=True)
    except ValueError as error:
        raise MalformedImport(number, f"its value_b64 is no base64: {error}") from error


def _expiry(value: object, number: int) -> int | None:
    if value is None or (type(value) is int and 0 <= value < 1 << 62):
        return value
    raise MalformedImport(number, "expires takes Unix seconds or null")


def _switch(value: object, number: int) -> bool:
    if isinstance(value, bool):
        return value
    raise MalformedImport(number, "secret takes true or false")


# TSV


def _write_tsv(items: "Iterable[Item]") -> "Iterator[bytes]":
    for item in items:
        value = _small(item, "tsv")
        for raw, shown in _ESCAPES.items():
            value = value.replace(raw, shown)
        marked = b"\tsecret" if item.secret else b""
        yield f"{item.address}\t{'' if item.expires is None else item.expires}\t".encode() + value + marked + b"\n"


def _small(item: Item, name: str) -> bytes:
    if item.size > LARGEST:
        raise Unwritable(f"Cannot write {item.address} as {name}: it has {item.size} bytes", cure="--format ndjson, or export-fs")
    return b"".join(item.pieces)


def _read_tsv(source: "Iterator[bytes]", _: Scope) -> "Iterator[Item]":
    for number, line in enumerate(source, 1):
        fields = line.split(b"\t")
        if not line:
            continue
        if len(fields) != 3 and fields[3:] != [b"secret"]:
            raise MalformedImport(number, f"{len(fields)} fields, where address, expiry and value are wanted, and 'secret' for one")
        address = spelled(fields[0].decode("utf-8", "surrogateescape"), number)
        if fields[1] and not (fields[1].isdigit() and len(fields[1]) < 19):
            raise MalformedImport(number, "the second field takes Unix seconds, or nothing")
        value = _unescaped(fields[2], number)
        item = Item(address, int(fields[1]) if fields[1] else None, iter((value,)), len(value), number)
        item.secret = len(fields) > 3
        yield item


def _unescaped(value: bytes, number: int) -> bytes:
    def raw(found: re.Match[bytes]) -> bytes:
        if found[0] not in _PLAIN:
            raise MalformedImport(number, f"unknown escape {found[0].decode('utf-8', 'replace')!r}")
        return _PLAIN[found[0]]

    return re.sub(rb"\\(?:.|$)", raw, value, flags=re.DOTALL)


# dotenv


def _write_env(items: "Iterable[Item]") -> "Iterator[bytes]":
    place = ""
    for item in items:
        at = item.address
        if item.expires is None and item.size <= PIECE and _VARIABLE.fullmatch(f"{at.name}=".encode()):
            value = b"".join(item.pieces)
            if (quoted := _quoted(value)) is not None:
                if place != f"{at.project}.{at.namespace}":
                    place = f"{at.project}.{at.namespace}"
                    yield REMARK + json.dumps({"place": place}).encode() + b"\n"
                if item.secret:
                    yield REMARK + json.dumps({"secret": True}).encode() + b"\n"
                yield at.name.encode() + b"=" + quoted + b"\n"
                continue
            item.pieces = iter((value,))
        for record in _records(item):
            yield REMARK + json.dumps(record).encode() + b"\n"


def _quoted(value: bytes) -> bytes | None:
    """As most readers of dotenv files agree: bare, or in single quotes; None where they do not."""
    if _BARE.match(value):
        return value
    try:
        value.decode()
    except UnicodeDecodeError:
        return None
    return None if b"'" in value or b"\\" in value or b"\0" in value or b"\r" in value else b"'" + value + b"'"


def _read_env(source: "Iterator[bytes]", scope: Scope) -> "Iterator[Item]":
    numbered = enumerate(source, 1)
    records = _remarks(numbered, scope)
    yield from _from_records(records)


def _remarks(numbered: "Iterator[tuple[int, bytes]]", scope: Scope) -> "Iterator[tuple[int, dict[str, object]]]":
    """Everything in the file as records of NDJSON."""
    place = f"{scope.project.value}.{scope.namespace.value}" if "default" not in (scope.project.source, scope.namespace.source) else ""
    marked: dict[str, object] = {}
    for number, line in numbered:
        if line.startswith(REMARK):
            told = _json(line[len(REMARK) :], number)
            if set(told) == {"place"}:
                place = str(told["place"])
                continue
            if set(told) == {"secret"}:
                marked = told
                continue
            yield number, _record(line[len(REMARK) :], number)
            continue
        bare = line.strip()
        if not bare or bare.startswith(b"#"):
            continue
        found = _VARIABLE.match(bare)
        if not found:
            raise MalformedImport(number, "neither NAME=value nor a comment")
        if not place:
            raise MalformedImport(number, "it names no place: say where with -p and -n")
        value = _unquoted(line.lstrip()[found.end() :], number, numbered)
        yield number, {"address": f"{place}.{found[1].decode()}", "value_b64": b64encode(value).decode(), **marked}
        marked = {}


def _json(line: bytes, number: int) -> dict[str, object]:
    try:
        told = json.loads(line)
    except ValueError as error:
        raise MalformedImport(number, f"no JSON: {error}") from error
    return told if isinstance(told, dict) else {}


def _unquoted(text: bytes, number: int, more: "Iterator[tuple[int, bytes]]") -> bytes:
    """A value in the dialect that readers of dotenv files agree on; a quoted one may go on in the next lines."""
    text = text.lstrip(b" \t")
    mark = text[:1]
    if mark not in (b"'", b'"'):
        return re.split(rb"[ \t]+#", text)[0].strip()
    pattern = _SINGLE if mark == b"'" else _DOUBLY
    while not (found := pattern.match(text)):
        _, line = next(more, (0, None))
        if line is None or len(text) > LARGEST:
            raise MalformedImport(number, "its quote is never closed")
        text += b"\n" + line
    known = {b"'": b"'", b"\\": b"\\"} if mark == b"'" else _DOUBLE
    return re.sub(rb"\\(.)", lambda pair: known.get(pair[1], pair[0]), found[1], flags=re.DOTALL)


FORMATS = {
    "ndjson": Format(_write_ndjson, _read_ndjson),
    "tsv": Format(_write_tsv, _read_tsv),
    "env": Format(_write_env, _read_env),
}
"""By name. A further format is a further row."""
ENDINGS = {".ndjson": "ndjson", ".jsonl": "ndjson", ".tsv": "tsv", ".env": "env", ".stream": "stream"}
"""What the name of a file says of its format."""
