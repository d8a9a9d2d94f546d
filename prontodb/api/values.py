"""The API's verbs on single values, and on many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeVar

    from ..model import Write
    from .arguments import Contexts, Data, Key, Lifetime, Source
    from .core import Fence
    from .records import Entry, Value

    T = TypeVar("T")

from ..errors import Miss, UsageError
from ..model import Content
from ..ops import conditional, kv, open_store, overlay, places
from . import records
from .arguments import MOST, data, writing
from .caller import contexts, text
from .core import Core


class Values(Core):
    """See the module."""

    @overload
    def get(self, key: Key, default: None = None, *, context: Contexts | None = None) -> bytes | None: ...
    @overload
    def get(self, key: Key, default: T, *, context: Contexts | None = None) -> bytes | T: ...
    def get(self, key: Key, default: object = None, *, context: Contexts | None = None) -> object:
        """The value, or `default` where there is none. With `context="prod,eu"`, that of `key__prod`, else `key__eu`, else `key`."""
        try:
            return self.entry(key, context=context).value
        except Miss:
            return default

    @overload
    def get_text(self, key: Key, default: None = None, *, context: Contexts | None = None) -> str | None: ...
    @overload
    def get_text(self, key: Key, default: T, *, context: Contexts | None = None) -> str | T: ...
    def get_text(self, key: Key, default: object = None, *, context: Contexts | None = None) -> object:
        """The same as text. Raises `UnicodeDecodeError` where it is not UTF-8."""
        try:
            return self.entry(key, context=context).text
        except Miss:
            return default

    def get_many(self, keys: Iterable[Key]) -> dict[str, bytes]:
        """The values of those that are there, by address: which these are is of one moment, and so are all that are not large."""
        wanted = [self._address(key) for key in keys]
        with self._call() as store:
            return {str(address): value for address, value in places.many(store, wanted)}

    def entry(self, key: Key, *, context: Contexts | None = None) -> Entry:
        """The value with its revision and its end. Raises `Miss`."""
        address, over = self._address(key), contexts(context)
        with self._call() as store:
            if context is None:
                found = kv.get(store, address)
                return records.entry(address, found.entry, found.read())
            answer = overlay.get(store, address, over)
            return records.entry(address, answer.found.entry, answer.found.read(), answer.layer)

    def open_value(self, key: Key) -> Value:
        """The value as a binary file, to be read in constant memory and closed. Raises `Miss`."""
        address, seat = self._address(key), self._seats.take()
        try:
            with self._seats.at_work(seat) as session:
                found = kv.get(open_store(session), address)
            return records.Value(records.Pieces(self._seats, seat, found.pieces, found.entry.size), found.entry)
        except BaseException:
            self._seats.give(seat)
            raise

    def exists(self, key: Key, *, context: Contexts | None = None) -> bool:
        """Whether it is there; with `context`, whether any of its layers is."""
        address, over = self._address(key), contexts(context)
        with self._call() as store:
            return kv.exists(store, address) if context is None else overlay.exists(store, address, over)

    def __contains__(self, key: Key) -> bool:
        return self.exists(key)

    def set(  # noqa: PLR0913 - the options of the command
        self,
        key: Key,
        value: Source,
        *,
        ttl: Lifetime | None = None,
        if_absent: bool = False,
        if_rev: int | None = None,
        if_value: Data | None = None,
        fence: Fence | None = None,
        secret: bool | None = None,
    ) -> int:
        """Stores a value: bytes, text, a binary file, or an iterable of bytes; the new revision.

        `ttl`: seconds, `"15m"`, or a `timedelta`. At most one condition: nothing there yet, this revision (0: none), this value.
        Raises `PreconditionFailed` where it does not hold. `fence`: only while this lease is held, see `claim`; raises `LeaseLost`.
        `secret`: marks the entry as one; False takes the mark away, None leaves it.

        Bytes and text that could not be stored are still yours; what can be read only once, a file or an iterable, is kept in the pipe
        cache: raises `Rescued`, whose `rescued` is the address.
        """
        address = self._address(key)
        write = _conditional(writing(ttl), absent=if_absent, revision=if_rev, expected=if_value)
        write.fence, write.secret = self._fence(fence), secret
        with self._content(value, text(key), secret=secret is True) as content, self._change() as store:
            return kv.put(store, address, content, write)

    def set_many(
        self, values: Mapping[Key, Data] | Iterable[tuple[Key, Data]], *, ttl: Lifetime | None = None, fence: Fence | None = None
    ) -> int:
        """Stores all of them or none; how many. `fence` as in `set`."""
        pairs = values.items() if hasattr(values, "items") else values
        items = [(self._address(key), Content.of(data(value))) for key, value in pairs]
        write = writing(ttl)
        write.fence = self._fence(fence)
        with self._change() as store:
            return store.engine.put_many(items, write, store.now)

    def delete(self, *keys: Key, fence: Fence | None = None, purge: bool = False) -> int:
        """Deletes those that are there, in one step; how many that were. `purge`: their history, too. `fence` as in `set`."""
        wanted, held = list(dict.fromkeys(self._address(key) for key in keys)), self._fence(fence)
        with self._change() as store:
            return len(wanted) - len(kv.delete(store, wanted, held, purge=purge))

    def incr(self, key: Key, by: int = 1, *, fence: Fence | None = None) -> int:
        """Adds to an integer, which counts as 0 where there is none; the sum. Raises `PreconditionFailed` for what is no integer.

        `fence` as in `set`.
        """
        address = self._address(key)
        if isinstance(by, bool) or not isinstance(by, int) or abs(by) >= MOST:
            raise UsageError(f"Invalid number {by!r}: a whole one of at most 18 digits is wanted")
        held = self._fence(fence)
        with self._change() as store:
            return conditional.increment(store, address, by, held)

    def decr(self, key: Key, by: int = 1, *, fence: Fence | None = None) -> int:
        """Takes from an integer; the difference. `fence` as in `set`."""
        return self.incr(key, -by, fence=fence)

    def append(self, key: Key, value: Source, *, fence: Fence | None = None) -> None:
        """Adds to the end of a value, or makes it; its lifetime stays. Nothing is lost where many do. `fence` as in `set`."""
        address, held = self._address(key), self._fence(fence)
        with self._content(value, text(key)) as content, self._change() as store:
            conditional.append(store, address, content, held)

    def copy(self, source: Key, target: Key, *, ttl: Lifetime | None = None, keep_ttl: bool = False) -> None:
        """Copies a value; one out of the pipe cache is moved. `keep_ttl`: with the time that it has left. Raises `Miss`."""
        self._copied(source, target, ttl, keep_ttl=keep_ttl)

    def move(self, source: Key, target: Key, *, ttl: Lifetime | None = None, keep_ttl: bool = False) -> None:
        """Moves a value, in one step. Raises `Miss`."""
        self._copied(source, target, ttl, keep_ttl=keep_ttl, move=True)

    def _copied(self, source: Key, target: Key, ttl: Lifetime | None, *, keep_ttl: bool, move: bool = False) -> None:
        if keep_ttl and ttl is not None:
            raise UsageError("ttl and keep_ttl contradict each other", cure="give one of them")
        ends = self._address(source), self._address(target)
        with self._change() as store:
            kv.copy(store, *ends, writing(ttl), move=move, keep=keep_ttl)


def _conditional(write: Write, *, absent: bool, revision: int | None, expected: Data | None) -> Write:
    given = [absent, revision is not None, expected is not None]
    if sum(given) > 1:
        raise UsageError("Two conditions cannot both hold", cure="give one of if_absent, if_rev and if_value")
    write.absent, write.revision = absent, revision
    write.expected = None if expected is None else data(expected)
    return write
