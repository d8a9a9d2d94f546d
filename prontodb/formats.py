"""Listings in the formats of DESIGN §4: lines, NUL-separated, JSON, NDJSON, token stream, dotenv and shell assignments.

Each turns records into bytes; feeding any of them back, to the reader it is meant for, gives the same data.
"""

import json
import re

from .address import Address
from .errors import ProntoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .address import Place
    from .model import Entry

FORMATS = ("lines", "null", "json", "ndjson", "stream", "env", "sh")

MARKING = ("lines", "json", "ndjson")
"""Those that can say of a value that it is not shown; what the others write is taken for the value."""
HIDDEN = b"<secret; --reveal shows it>"

_ESCAPES = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\t", b"\\t"))
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_BARE = re.compile(rb"[A-Za-z0-9_./:@%+,-]+\Z")
# What a shell or the loader acts upon: a stored key must not be able to redirect the program that reads it.
_SPECIAL = re.compile(
    r"(?:PATH|IFS|ENV|HOME|SHELL|USER|LOGNAME|TMPDIR|TERM|PWD|OLDPWD|_|PS[0-4]|PROMPT\w*|BASH\w*|ZDOTDIR|HIST\w*|LD_\w*|DYLD_\w*|"
    r"PYTHON\w*|PERL\w*|RUBY\w*|NODE_\w*|GIT_\w*|PRONTO\w*|SHELLOPTS|SHLVL|UID|EUID|GID|EGID|PPID|OPTIND|OPTARG|RANDOM|SECONDS|LINENO|"
    r"path|cdpath|fpath|manpath|mailpath|module_path|prompt|status|pipestatus|argv|signals|options|functions|aliases|commands|"
    r"widgets|keymaps|history|parameters|psvar|watch|fignore|zsh_\w*|ZSH_\w*|LC_\w*|LANG|CDPATH|FPATH|MAILPATH|EDITOR|VISUAL|PAGER)\Z"
)


class Unrepresentable(ProntoError):
    """A value or a name that the chosen output format has no way to write down."""

    slug = "unrepresentable"


class Record:
    """A value under a name: the name within the place that is listed, or the full address. `secret`: it is one; `hidden`: not shown.

    `layer` is where the value was found, for an address that was looked up under contexts.
    """

    __slots__ = ("address", "entry", "hidden", "layer", "name", "secret")

    def __init__(self, name: str, address: Address, entry: "Entry", layer: Address | None = None, *, secret: bool = False) -> None:
        self.name = name
        self.address = address
        self.entry = entry
        self.layer = layer
        self.secret = secret
        self.hidden = False

    @property
    def value(self) -> bytes:
        """The bytes, which a listing of values always has."""
        return self.entry.value or b""


def names(kind: str, pages: "Iterable[list[str]]") -> "Iterator[bytes]":
    """Names alone, in one of the first four formats."""
    if kind == "json":
        yield from array(json.dumps(name) for page in pages for name in page)
        return
    end = "\0" if kind == "null" else "\n"
    for page in pages:
        shown = [json.dumps(name) for name in page] if kind == "ndjson" else page
        yield (end.join(shown) + end).encode()


def records(kind: str, found: "Iterable[Record]", place: "Place | None", prefix: str = "", *, now: float = 0) -> "Iterator[bytes]":
    """Values with their names. `prefix` goes before the names of variables; `place` is what a token stream starts with, and its lifetimes
    count from `now` (Unix seconds).
    """
    if kind == "json":
        yield from array(json.dumps(described(record)) for record in found)
    elif kind == "stream":
        yield from _stream(found, place, now)
    elif kind in ("env", "sh"):
        yield from _variables(kind, found, prefix)
    else:
        yield from map({"lines": _line, "null": _null, "ndjson": _ndjson}[kind], found)


def described(record: Record) -> dict[str, object]:
    """An entry as JSON tells it: `value` for text, `value_b64` for other bytes."""
    entry = record.entry
    told: dict[str, object] = {"address": str(record.address), "key": record.address.key}
    if record.address.context:
        told["context"] = record.address.context
    if record.layer is not None:
        told["layer"] = str(record.layer)
    told |= {"size": entry.size, "revision": entry.revision, "expires": entry.expires}
    if record.secret:
        told["secret"] = True
    return told if record.hidden else told | valued(record.value)


def valued(value: bytes) -> dict[str, object]:
    """A value as JSON tells it: `value` for text, `value_b64` for other bytes."""
    try:
        return {"value": value.decode()}
    except UnicodeDecodeError:
        from base64 import b64encode

        return {"value_b64": b64encode(value).decode()}


def array(items: "Iterable[str]") -> "Iterator[bytes]":
    """A JSON array of these, one a line."""
    before = "["
    for item in items:
        yield (before + item).encode()
        before = ",\n "
    yield b"[]\n" if before == "[" else b"]\n"


def escaped(value: bytes) -> bytes:
    """A value in one line."""
    for raw, shown in _ESCAPES:
        value = value.replace(raw, shown)
    return value


def _line(record: Record) -> bytes:
    return record.name.encode() + b"\t" + escaped(HIDDEN if record.hidden else record.value) + b"\n"


def _null(record: Record) -> bytes:
    _require(b"\0" not in record.value, record, "its value holds a NUL byte, which ends a record here")
    return record.name.encode() + b"\0" + record.value + b"\0"


def _ndjson(record: Record) -> bytes:
    return json.dumps(described(record)).encode() + b"\n"


def _stream(found: "Iterable[Record]", place: "Place | None", now: float) -> "Iterator[bytes]":
    if place is not None:
        yield f"meta:path={place.project}.{place.namespace};\n".encode()
    ttl, secret = None, False
    for record in found:
        if (left := _left(record, now)) != ttl:
            ttl = left
            yield f"meta:ttl={ttl or 'none'};\n".encode()
        if record.secret != secret:
            secret = record.secret
            yield f"meta:secret={'yes' if secret else 'no'};\n".encode()
        at = record.address
        # A bare `ns` would be read as the directive.
        name = record.name if place is not None and record.name != "ns" else f"{at.project}.{at.namespace}:{at.name}"
        value = record.value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        yield name.encode() + b'="' + value + b'";\n'
    if secret:
        # Whatever is written behind it is none.
        yield b"meta:secret=no;\n"


def _left(record: Record, now: float) -> int | None:
    """Seconds that an entry has left; at least one, since it is still there."""
    expires = record.entry.expires
    return None if expires is None else max(1, expires + int(-now // 1))


def _variables(kind: str, found: "Iterable[Record]", prefix: str) -> "Iterator[bytes]":
    taken: dict[str, Record] = {}
    quote = _sh_quoted if kind == "sh" else _env_quoted
    for record in found:
        name = prefix + record.address.name.replace("-", "_")
        _require(bool(_VARIABLE.match(name)), record, f"'{name}' cannot be the name of a variable")
        _require(not _SPECIAL.match(name), record, f"the variable '{name}' means something to shells or programs", "--var-prefix NAME_")
        _require(name not in taken, record, f"the variable '{name}' stands for {taken.get(name, record).address} already")
        taken[name] = record
        _require(b"\0" not in record.value, record, "its value holds a NUL byte, which no variable can")
        yield name.encode() + b"=" + quote(record) + b"\n"


def _sh_quoted(record: Record) -> bytes:
    return b"'" + record.value.replace(b"'", b"'\\''") + b"'"


def _env_quoted(record: Record) -> bytes:
    """As most readers of dotenv files agree: bare, in single quotes, or in double quotes where those would need an escape."""
    value = record.value
    _require(_utf8(value), record, "its value is not text, which a dotenv file must be")
    if _BARE.match(value):
        return value
    if b"'" not in value and b"\\" not in value:
        return b"'" + value + b"'"
    _require(not value.endswith(b"\\"), record, "dotenv has no way to write a value that ends with a backslash")
    return b"'" + value.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'"


def _utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _require(holds: bool, record: Record, why: str, cure: str = "--json can write it") -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Unrepresentable(f"Cannot write {record.address} in this format: {why}", cure=cure, address=str(record.address))
