"""Addresses `project.namespace.key__context`, and the places that listings take (DESIGN §3). Pure."""

from .errors import InvalidAddress, UsageError

PART_BYTES = 255
DELIMITER = "."
_KEY_EXTRA = {ord(mark): None for mark in "_-/@+%"}
_WORD_EXTRA = {ord(mark): None for mark in "_-"}


class Choice:
    """A value and the source that chose it: `flag`, `environment` or `default`."""

    __slots__ = ("source", "value")

    def __init__(self, value: str, source: str) -> None:
        self.value = value
        self.source = source


class Scope:
    """What completes a short address: a project, a namespace, and the delimiter between the parts."""

    __slots__ = ("delim", "namespace", "project")

    def __init__(self, project: Choice, namespace: Choice, delim: str = DELIMITER) -> None:
        self.project = project
        self.namespace = namespace
        self.delim = delim


class Address:
    """Where one entry is. `name` is the key, with `__context` where there is one: the two spell each other exactly."""

    __slots__ = ("name", "namespace", "project")

    def __init__(self, project: str, namespace: str, name: str) -> None:
        self.project = project
        self.namespace = namespace
        self.name = name

    def __str__(self) -> str:
        return f"{self.project}.{self.namespace}.{self.name}"

    def __repr__(self) -> str:
        return f"Address({self.project!r}, {self.namespace!r}, {self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash((self.project, self.namespace, self.name))

    @property
    def key(self) -> str:
        """The name without its context."""
        return split_context(self.name)[0]

    @property
    def context(self) -> str:
        """The overlay, such as `prod`; "" where there is none."""
        return split_context(self.name)[1]


class Place:
    """What a listing lists: the names of one namespace that start with `prefix`."""

    __slots__ = ("namespace", "prefix", "project")

    def __init__(self, project: str, namespace: str, prefix: str = "") -> None:
        self.project = project
        self.namespace = namespace
        self.prefix = prefix

    def __str__(self) -> str:
        return f"{self.project}.{self.namespace}" + (f".{self.prefix}" if self.prefix else "")

    def address(self, name: str) -> Address:
        """The address of one of the names that it lists."""
        return Address(self.project, self.namespace, name)


def parse(text: str, scope: Scope, *, piped: bool = False) -> Address:
    """The address that `text` spells, completed from `scope`.

    Raises `InvalidAddress`. With `piped`, a layer that nothing names is not completed from a default: content from a pipe cannot be
    typed again, so it must not land in a place nobody asked for.
    """
    parts = _complete(text, scope)
    if piped:
        _spelled_out(text, scope, len(parts))
    project = parts[-3] if len(parts) > 2 else scope.project.value
    namespace = parts[-2] if len(parts) > 1 else scope.namespace.value
    return Address(_word(project, "project", text), _word(namespace, "namespace", text), _name(parts[-1], text))


def parse_place(text: str | None, scope: Scope) -> Place:
    """The place that `text` names: `project.namespace[.prefix]`, or what the flags leave open of it; None: the current place."""
    flagged = (scope.project.source == "flag", scope.namespace.source == "flag")
    parts = [] if text is None else text.split(scope.delim)
    shown = text or ""
    if flagged == (True, False):
        parts.insert(0, scope.project.value)
        parts[1:] = parts[1:] or [scope.namespace.value]
    elif any(flagged) or len(parts) < 2:
        parts = [scope.project.value, scope.namespace.value, *parts]
    if len(parts) > 3:
        raise _no(shown, _place_shape(flagged, scope.delim))
    prefix = parts[2] if len(parts) > 2 else ""
    place = Place(_word(parts[0], "project", shown), _word(parts[1], "namespace", shown), prefix)
    if prefix:
        _check_key(prefix, shown)
    return place


def parse_namespace(text: str | None, scope: Scope) -> Place:
    """A namespace as a whole: `project.namespace`, `namespace` in the current project, or with -n given nothing at all."""
    flagged = "flag" in (scope.project.source, scope.namespace.source)
    parts = [] if text is None else text.split(scope.delim)
    if scope.namespace.source == "flag" and not parts:
        parts = [scope.namespace.value]
    elif scope.namespace.source == "flag" or not 1 <= len(parts) <= (1 if flagged else 2):
        raise _no(text or "", f"a namespace is project{scope.delim}namespace, or namespace with -p, or given by -n")
    project, namespace = [scope.project.value, *parts][-2:]
    return Place(_word(project, "project", text or ""), _word(namespace, "namespace", text or ""))


def split_context(name: str) -> tuple[str, str]:
    """Key and context of a name: the context starts after the last `__`, where a letter or digit follows and anything precedes."""
    at = name.rfind("__")
    if at > 0 and at + 2 < len(name) and is_word(name[at + 2]):
        return name[:at], name[at + 2 :]
    return name, ""


def check_delimiter(delim: str) -> str:
    """A delimiter that cannot be mistaken for a part: one printable character, no letter, digit, `_`, `-` or space."""
    if len(delim) == 1 and delim.isprintable() and not (delim.isalnum() or delim in "_- "):
        return delim
    raise UsageError(
        f"Invalid delimiter '{delim}': it must be one character that is no letter, digit, '_', '-' or space",
        cure="--ns-delim '|'",
    )


def check_project(text: str) -> str:
    """A project's name as it stands."""
    return _word(text, "project", text)


def _complete(text: str, scope: Scope) -> list[str]:
    """The parts of `text`, as many as the flags leave open."""
    parts = text.split(scope.delim)
    allowed = 1 if scope.namespace.source == "flag" else 2 if scope.project.source == "flag" else 3
    if len(parts) > allowed:
        raise _no(text, _shape(allowed, len(parts), scope.delim))
    return parts


def _shape(allowed: int, count: int, delim: str) -> str:
    whole = delim.join(("project", "namespace", "key"))
    if allowed == 3:
        return f"it has {count} parts, an address has three: {whole}"
    left = "the key alone" if allowed == 1 else delim.join(("namespace", "key"))
    return f"with the flags given, the address is {left}"


def _place_shape(flagged: tuple[bool, bool], delim: str) -> str:
    if flagged[1]:
        return "with -n given, only a prefix of keys may follow"
    if flagged[0]:
        return f"with -p given, it is namespace or namespace{delim}prefix"
    return f"a place is project{delim}namespace or project{delim}namespace{delim}prefix"


def _spelled_out(text: str, scope: Scope, count: int) -> None:
    for layer, choice, needed in (("project", scope.project, 3), ("namespace", scope.namespace, 2)):
        if count < needed and choice.source == "default":
            raise _no(text, f"piped content needs its {layer} spelled out (project.namespace.key, or -p and -n)")


def _word(part: str, layer: str, text: str) -> str:
    if not is_word(part):
        raise _no(text, _blame(part, layer, "letters, digits, '_' and '-', a letter or digit first"))
    return part


def _name(part: str, text: str) -> str:
    _check_key(part, text)
    key, context = split_context(part)
    if not _fits(key):
        raise _no(text, _blame(key, "key", ""))
    if context:
        _word(context, "context", text)
    return part


def _check_key(part: str, text: str) -> None:
    if not part or not _alphanumeric(part.translate(_KEY_EXTRA)):
        raise _no(text, _blame(part, "key", "letters, digits and _ - / @ + %"))


def is_word(part: str) -> bool:
    """Whether it could be a project: a letter or digit, then letters, digits, `_` and `-`."""
    return bool(part) and part[0] not in "_-" and _alphanumeric(part.translate(_WORD_EXTRA)) and _fits(part)


def _fits(part: str) -> bool:
    return len(part) * 4 <= PART_BYTES or len(part.encode()) <= PART_BYTES


def _alphanumeric(bare: str) -> bool:
    """Only letters and decimal digits; `isalnum` alone would let through `½` and `²`."""
    if bare.isascii():
        return not bare or bare.isalnum()
    return all(mark.isalpha() or mark.isdecimal() for mark in bare)


def _blame(part: str, layer: str, allowed: str) -> str:
    if not part:
        return f"its {layer} is empty"
    if len(part.encode("utf-8", "replace")) > PART_BYTES:
        return f"its {layer} is longer than {PART_BYTES} bytes"
    return f"the {layer} '{part}' may hold {allowed}"


def _no(text: str, why: str) -> InvalidAddress:
    return InvalidAddress(text, why)
