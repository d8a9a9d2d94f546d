"""How an address may go on, segment by segment, in the context of the one who types it."""

from ..address import Place, check_delimiter, is_word
from . import open_store, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..address import Scope
    from ..session import Session
    from . import Store

OPTIONS = {
    "-p": "project",
    "--project": "project",
    "-n": "namespace",
    "--namespace": "namespace",
    "--ns-delim": "delim",
    "--user": "user",
    "--database": "database",
    "--meta": "meta",
    "--cursor": "cursor",
    "--password-file": "password_file",
}
"""Those that say where an address is, and what they are called among the flags."""
MOST = 200
"""Names that are offered at once; who types on gets others."""


def complete(session: "Session", words: "Sequence[str]") -> list[str]:
    """What the last word may become: a project or a namespace with the delimiter behind it, or a whole address.

    The words before it are options that say where it is. Nothing where they make no sense.
    """
    if not _taken(session, words[:-1]):
        return []
    text, scope, store = "".join(words[-1:]), session.scope(), open_store(session)
    *layers, last = text.split(scope.delim)
    above = _above(session, scope)
    if len(above) + len(layers) > 2 or not all(is_word(layer) for layer in layers):
        return []
    stem, path = text[: len(text) - len(last)], [*above, *layers]
    if len(path) == 2:
        return [stem + name for name in _names(store, Place(path[0], path[1], last))]
    found = places.namespaces(store, path[0]) if path else places.projects(store)
    offered = [stem + name + scope.delim for name in found if name.startswith(last)]
    return offered + (_short(store, scope, last) if not path else [])


def _taken(session: "Session", words: "Sequence[str]") -> bool:
    """Gives the session the options before a word; whether they are such, each with its value."""
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        if name not in OPTIONS:
            return False
        given = value if equals else next(rest, None)
        if given is None:
            return False
        setattr(session.flags, OPTIONS[name], check_delimiter(given) if OPTIONS[name] == "delim" else given)
    session.forget_context()
    return True


def _above(session: "Session", scope: "Scope") -> list[str]:
    """The parts of an address that options have said already: it goes on behind them."""
    if session.flags.namespace is not None:
        return [scope.project.value, scope.namespace.value]
    return [scope.project.value] if session.flags.project is not None else []


def _short(store: "Store", scope: "Scope", prefix: str) -> list[str]:
    """Names in the current place, where something has chosen one."""
    if "default" in (scope.project.source, scope.namespace.source):
        return []
    return _names(store, Place(scope.project.value, scope.namespace.value, prefix))


def _names(store: "Store", place: Place) -> list[str]:
    return store.engine.names(place, "", MOST, store.now)
