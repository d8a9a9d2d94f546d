"""A likely address for one that is wrong in a single way (DESIGN §6: did you mean). Pure."""

from .address import PART_BYTES, Address, Scope, parse
from .errors import ProntoError


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
