"""A likely address for one that is wrong in a single way (DESIGN §6: did you mean), and a likely word. Pure."""

from .address import PART_BYTES, Address, Scope, parse
from .errors import ProntoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: "Iterable[str]") -> str:
    """The known word that was probably meant: one that begins so, else one that is spelled like it, in any case; "" where none is near."""
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    asked = word.lower()
    begun = [name for name in names if len(asked) > 2 and name.startswith(asked)]
    return "".join(names[name] for name in begun[:1] or get_close_matches(asked, names, n=1, cutoff=0.6))


def address_for(text: str, scope: Scope) -> str:
    """The address that was probably meant; "" where more than one thing is wrong, or nothing sensible is left."""
    parts = text.split(scope.delim)
    full = [part for part in parts if part]
    if len(full) != len(parts):
        return _valid(full, scope) if len(full) == 3 else ""
    if len(parts) < 3:
        layers = [scope.project.value, scope.namespace.value]
        return _valid(layers[: 3 - len(parts)] + parts, scope)
    if len(parts) > 3:
        return _valid([*parts[:2], "_".join(parts[2:])], scope)
    return _valid([_mended(part) for part in parts], scope)


def _mended(part: str) -> str:
    mended = "".join(mark if mark.isalnum() or mark in "_-/@+%" else "_" for mark in part.strip())
    return mended if len(mended.encode("utf-8", "replace")) <= PART_BYTES else ""


def _valid(parts: list[str], scope: Scope) -> str:
    try:
        found: Address = parse(".".join(parts), Scope(scope.project, scope.namespace), piped=False)
    except ProntoError:
        return ""
    return str(found)
