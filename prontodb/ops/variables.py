"""Entries as environment variables of a program (decision 0020)."""

import os
import re

from ..errors import Miss, ProntoError
from ..interchange import Item
from . import overlay, secrets, transfer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..address import Address, Place
    from . import Store

LONGEST = 32 * os.sysconf("SC_PAGE_SIZE")
"""Bytes that Linux takes for one variable, its name, `=` and the end included."""
_PLAIN = re.compile(r"[A-Za-z0-9_.-]+\Z")
_NAME = re.compile(r"[A-Z_][A-Z0-9_]*\Z", re.IGNORECASE)
_OURS = re.compile(r"PRONTO_|PANTHEON_SECURITY_MODE\Z")
"""What says which data ProntoDB works on: an entry must not lead the program into another context."""
_UNSAFE = re.compile(
    r"(?:LD_\w+|DYLD_\w+|GLIBC_TUNABLES|GCONV_PATH|NLSPATH|LOCPATH|PATH|HOME|IFS|ENV|SHELL|BASH_\w+|BASHOPTS|SHELLOPTS|PS[0-4]|PROMPT_COMMAND|"
    r"ZDOTDIR|FPATH|CDPATH|PYTHON\w+|PERL5?LIB|PERL5\w+|RUBYOPT|RUBYLIB|NODE_OPTIONS|NODE_PATH|LUA_\w+|PHPRC|PHP_INI_SCAN_DIR|CLASSPATH|"
    r"JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|GIT_(?!AUTHOR_|COMMITTER_)\w+|SSH_ASKPASS|SUDO_ASKPASS|EDITOR|VISUAL|PAGER|MANPAGER|"
    r"BROWSER|LESSOPEN|LESSCLOSE|TERMINFO\w*|XDG_CONFIG_HOME|XDG_DATA_HOME|XDG_CONFIG_DIRS|XDG_DATA_DIRS)\Z"
)
"""What makes loaders, shells and interpreters run something else: whoever may write to a shared place could take the program over."""


class NoVariable(ProntoError):
    """An entry that cannot be, or should not become, an environment variable."""

    slug = "no-variable"


class Variable:
    """The value of a variable, and the entry that it comes from."""

    __slots__ = ("address", "secret", "value")

    def __init__(self, address: "Address", value: bytes, *, secret: bool) -> None:
        self.address = address
        self.value = value
        self.secret = secret


class Rules:
    """How entries become variables: `prefix` before each name; `exact`: with the newline at the end; `override`: of two places that have
    a name the later one counts; `unsafe`: any name but ProntoDB's own; `empty`: a place may hold nothing. `over`: the contexts that are
    laid over plain entries, the first one on top; None: plain entries alone.
    """

    __slots__ = ("empty", "exact", "over", "override", "prefix", "unsafe")

    def __init__(self, prefix: str = "", *, exact: bool = False, override: bool = False, unsafe: bool = False, empty: bool = False) -> None:
        self.prefix = prefix
        self.empty = empty
        self.exact = exact
        self.override = override
        self.unsafe = unsafe
        self.over: Sequence[str] | None = None


def variables(store: "Store", places: "Iterable[Place]", rules: Rules) -> dict[str, Variable]:
    """The variables that the places make, in their order. Entries of contexts that are not laid over are none.

    Raises `NoVariable`, and `Miss` for a place that holds nothing.
    """
    found: dict[str, Variable] = {}
    for place in places:
        own = _of_place(store, place, rules)
        if not own and not rules.empty:
            raise Miss(f"Nothing in {place} to make variables of", cure=f"prontodb keys {place}, or --allow-empty", address=str(place))
        for name, variable in own.items():
            if name in found and not rules.override:
                raise _twice(name, found[name], variable, "--override lets the later place win")
            found[name] = variable
    return found


def _of_place(store: "Store", place: "Place", rules: Rules) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for item in _items(store, place, rules.over):
        name = _name(item.address, rules)
        variable = Variable(item.address, _value(item, name, rules), secret=item.secret)
        if name in found:
            raise _twice(name, found[name], variable, "prontodb move gives one of them another name")
        found[name] = variable
    return found


def _items(store: "Store", place: "Place", over: "Sequence[str] | None") -> "Iterator[Item]":
    """What counts of a place: each key once."""
    if over is None:
        return (item for item in transfer.items(store, [place]) if not item.address.context)
    return (_layer(one) for one in overlay.entries(store, place, over))


def _layer(one: overlay.Effective) -> Item:
    item = Item(one.layer, one.entry.expires, iter((one.entry.value or b"",)), one.entry.size)
    item.secret = secrets.is_secret(one.layer, one.entry)
    return item


def _name(address: "Address", rules: Rules) -> str:
    name = rules.prefix + address.key.upper().replace("-", "_").replace(".", "_")
    if not _PLAIN.match(address.key) or not _NAME.match(name):
        cure = "prontodb move gives it another name" + (", or --var-prefix" if name[:1].isdigit() else "")
        raise _none(address, f"'{name}' is no name of a variable", cure)
    if _OURS.match(name):
        raise _none(address, f"{name} says which data prontodb works on", "set it yourself, where you mean it")
    if _UNSAFE.match(name) and not rules.unsafe:
        raise _none(
            address, f"{name} can make programs run something else", "--allow-unsafe, if you trust all who write there; --var-prefix"
        )
    return name


def _value(item: "Item", name: str, rules: Rules) -> bytes:
    if item.size + len(name) + 2 > LONGEST:
        raise _none(item.address, f"it has {item.size} bytes, and a variable at most {LONGEST}", "let the program read it: prontodb get")
    value = b"".join(item.pieces)
    if b"\0" in value:
        raise _none(item.address, "it has a NUL in it, which no variable can hold", "let the program read it: prontodb get")
    return value if rules.exact else value.removesuffix(b"\n")


def _none(address: "Address", why: str, cure: str) -> NoVariable:
    return NoVariable(f"{address} cannot become a variable: {why}", cure=cure, address=str(address))


def _twice(name: str, first: Variable, second: Variable, cure: str) -> NoVariable:
    return NoVariable(f"{first.address} and {second.address} would both be {name}", cure=cure, address=str(second.address))
