"""How an address may go on, segment by segment, in the context of the one who types it."""

from ..address import Place, is_word
from . import open_store, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..address import Scope
    from ..session import Session
    from . import Store

MOST = 200
"""Names that are offered at once; who types on gets others."""


def complete(session: "Session", text: str) -> list[str]:
    """What `text` may become: a project or a namespace with the delimiter behind it, or a whole address."""
    scope, store = session.scope(), open_store(session)
    *layers, last = text.split(scope.delim)
    if len(layers) > 2 or not all(is_word(layer) for layer in layers):
        return []
    if len(layers) == 2:
        return [text[: len(text) - len(last)] + name for name in _names(store, Place(layers[0], layers[1], last))]
    found = places.namespaces(store, layers[0]) if layers else places.projects(store)
    offered = [scope.delim.join((*layers, name)) + scope.delim for name in found if name.startswith(last)]
    return offered + (_short(store, scope, last) if not layers else [])


def _short(store: "Store", scope: "Scope", prefix: str) -> list[str]:
    """Names in the current place, where something has chosen one."""
    if "default" in (scope.project.source, scope.namespace.source):
        return []
    return _names(store, Place(scope.project.value, scope.namespace.value, prefix))


def _names(store: "Store", place: Place) -> list[str]:
    return store.engine.names(place, "", MOST, store.now)
