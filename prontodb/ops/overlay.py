"""Overlays: entries of several contexts laid over the plain one (docs/decisions/0021-overlays.md).

Under the contexts `prod,eu`, what holds of `A` is `A__prod`, else `A__eu`, else `A`: the first that is there.
"""

from ..address import Address, Place, is_word, split_context
from ..errors import Busy, Miss, UsageError
from ..model import Found
from . import kv, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..model import Entry
    from . import Store

NONE = "-"
"""What is written for no overlay at all."""
KEYS = 200
"""Whose layers are looked up at once."""
LOOKS = 8
"""Times that a large value is asked for which others keep replacing meanwhile."""


class Answer:
    """What holds of an address: the entry at `layer`, one of those that were `looked` at, first to last."""

    __slots__ = ("found", "layer", "looked")

    def __init__(self, found: Found, layer: Address, looked: list[Address]) -> None:
        self.found = found
        self.layer = layer
        self.looked = looked


class Effective:
    """What holds of a key: the entry, its value included, and the layer where it is."""

    __slots__ = ("entry", "key", "layer")

    def __init__(self, key: str, layer: Address, entry: "Entry") -> None:
        self.key = key
        self.layer = layer
        self.entry = entry


class Difference:
    """A key of which something else holds on the `left` than on the `right`; None where nothing does."""

    __slots__ = ("key", "left", "right")

    def __init__(self, key: str, left: Effective | None, right: Effective | None) -> None:
        self.key = key
        self.left = left
        self.right = right


def contexts(text: str) -> list[str]:
    """The contexts that `prod,eu` names, the first one on top; none for `-`. Raises `UsageError`."""
    if text == NONE:
        return []
    found = text.split(",")
    for context in found:
        if not is_word(context) or "__" in context:
            raise UsageError(
                f"Invalid context '{context}' in '{text}': letters, digits, '_' (not two together) and '-', a letter or digit first",
                cure="--context prod, or --context prod,eu, the one that wins first",
            )
    if len(set(found)) < len(found):
        raise UsageError(f"A context stands twice in '{text}'", cure="name each once, the one that wins first")
    return found


def layers(address: Address, over: "Sequence[str]") -> list[Address]:
    """Where an address is looked up under these contexts, first to last. Raises `UsageError` where it has a context already."""
    if address.context:
        raise UsageError(
            f"{address} has a context already",
            cure=f"leave it out, {Address(address.project, address.namespace, address.key)}, or --context",
            address=str(address),
        )
    _not_cached(Place(address.project, address.namespace))
    return _layers(address, over)


def get(store: "Store", address: Address, over: "Sequence[str]") -> Answer:
    """What holds of an address, all layers looked at in one moment. Raises `Miss`."""
    looked = layers(address, over)
    for _ in range(LOOKS):
        there = store.engine.get_many(looked, store.now)
        layer = next((layer for layer in looked if layer in there), None)
        if layer is None:
            raise _missing(looked)
        found = _whole(store, layer, there[layer])
        if found is not None:
            return Answer(found, layer, looked)
    raise Busy(f"{address} changes faster than it can be read", cure="run it again", address=str(address))


def exists(store: "Store", address: Address, over: "Sequence[str]") -> bool:
    """Whether any of the layers is there."""
    return bool(store.engine.get_many(layers(address, over), store.now))


def names(store: "Store", place: Place, over: "Sequence[str]") -> "Iterator[list[str]]":
    """The keys of a place of which something holds, each once, in byte order, a page at a time."""
    keys = _keys(store, place, over)
    return (keys[at : at + places.NAMES] for at in range(0, len(keys), places.NAMES))


def entries(store: "Store", place: Place, over: "Sequence[str]") -> "Iterator[Effective]":
    """What holds of each key of a place. Of each key, all layers are of one moment; the keys are as they were at the beginning."""
    for page in _pages(_keys(store, place, over)):
        there = _there(store, place, page, over)
        for key in page:
            if (effective := _effective(store, place.address(key), there, over)) is not None:
                yield effective


def diff(store: "Store", place: Place, left: "Sequence[str]", right: "Sequence[str]") -> "Iterator[Difference]":
    """The keys of a place whose values differ between two sets of contexts, in byte order; of each key, both are of one moment."""
    every = list(dict.fromkeys([*left, *right]))
    for page in _pages(_keys(store, place, every)):
        there = _there(store, place, page, every)
        for key in page:
            one, other = (_effective(store, place.address(key), there, over) for over in (left, right))
            if _value(one) != _value(other):
                yield Difference(key, one, other)


def _layers(address: Address, over: "Iterable[str]") -> list[Address]:
    named = [Address(address.project, address.namespace, f"{address.name}__{context}") for context in over]
    return [*named, address]


def _not_cached(place: Place) -> None:
    if kv.cached(place.address("")):
        raise UsageError("The pipe cache has no overlays", cure="leave out --context", address=str(place))


def _missing(looked: list[Address]) -> Miss:
    *over, plain = looked
    nor = f" (nor {', '.join(layer.name for layer in over)})" if over else ""
    return Miss(kv.missing(plain).message + nor, address=str(plain))


def _whole(store: "Store", layer: Address, entry: "Entry") -> Found | None:
    """An entry with its value; None where it is not any more what it was."""
    if entry.value is not None:
        return Found(entry, iter((entry.value,)))
    found = store.engine.get(layer, store.now)
    return found if found is not None and found.entry.revision == entry.revision else None


def _keys(store: "Store", place: Place, over: "Sequence[str]") -> list[str]:
    """The keys that have a layer in a place. All of them at once: `a` comes before `a-b`, but `a__prod` after it."""
    _not_cached(place)
    wanted, keys = {"", *over}, set()
    for page in places.names(store, place):
        for name in page:
            key, context = split_context(name)
            if context in wanted and key.startswith(place.prefix):
                keys.add(key)
    return sorted(keys, key=str.encode)


def _pages(keys: list[str]) -> "Iterator[list[str]]":
    return (keys[at : at + KEYS] for at in range(0, len(keys), KEYS))


def _there(store: "Store", place: Place, keys: list[str], over: "Sequence[str]") -> "dict[Address, Entry]":
    """All layers of these keys that are there."""
    return store.engine.get_many([layer for key in keys for layer in _layers(place.address(key), over)], store.now)


def _effective(store: "Store", address: Address, there: "dict[Address, Entry]", over: "Sequence[str]") -> Effective | None:
    """What holds of a key; a large value is read when its turn comes. None where nothing does, or not any more."""
    layer = next((layer for layer in _layers(address, over) if layer in there), None)
    if layer is None:
        return None
    entry = there[layer]
    if entry.value is None:
        try:
            answer = get(store, address, over)
        except Miss:
            return None
        layer, entry = answer.layer, answer.found.entry
        entry.value = answer.found.read()
    return Effective(address.name, layer, entry)


def _value(one: Effective | None) -> bytes | None:
    return None if one is None else one.entry.value
