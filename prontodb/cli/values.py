"""Verbs on single values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session

from .. import durations, hot, render
from ..errors import UsageError
from ..model import INHERIT, Write
from ..ops import kv, open_store, overlay
from ..session import Piped
from .group import verb

from_option = click.option("--from", "source", metavar="F", help="Take the addresses from file F, a line each; - for standard input.")
null_option = click.option("-0", "--null", is_flag=True, help="Separate by NUL instead of newline.")
context_option = click.option(
    "--context", "over", metavar="C[,C...]", help="Look under these contexts, the first that is there wins; then at the plain key."
)
ttl_option = click.option("--ttl", metavar="D", help="How long it lives: seconds, or 15m, 1h30m, 7d.")


@verb(epilog="Example: git log -5 | prontodb set work.notes.log")
@click.argument("address", required=False)
@click.argument("value", required=False)
@click.option("--file", "path", metavar="F", help="Store the bytes of file F.")
@ttl_option
@click.option("--allow-empty", is_flag=True, help="Store an empty value where nothing at all comes in.")
@click.option("--trim", is_flag=True, help="Drop one newline at the end of the value.")
@click.option("--if-absent", "absent", is_flag=True, help="Only where nothing is there yet; else 3.")
@click.option(
    "--if-rev", "revision", type=click.IntRange(0), metavar="N", help="Only over revision N (get --rev tells it; 0: none); else 3."
)
@click.option("--if-value", "expected", metavar="V", help="Only over the value V; else 3.")
@click.option("-0", "--null", is_flag=True, help="Take pairs of an address and a value from standard input, each ended by NUL.")
def put(session: Session, address: str | None, value: str | None, null: bool, ttl: str | None, **how: Any) -> int:
    """Store VALUE, or what standard input holds, or with --file a file. `-` as VALUE means standard input, empty or not.

    A value that starts with `-` goes after `--`. With -0, many at once: all of them are stored, or none.
    """
    conditions = {name: how.pop(name) for name in ("absent", "revision", "expected")}
    if null:
        from .batch import put_pairs

        session.piped = Piped(None, patient=True)
        if address is not None or any(how.values()) or _given_of(conditions):
            raise UsageError(
                "With -0, addresses and values come from standard input alone", cure="leave out ADDRESS, --file, --trim and conditions"
            )
        return put_pairs(session, _write(ttl))
    given = _given(address, "give an address, or with -0 pairs on standard input")
    return _put(session, (given, value), lambda: _conditional(_write(ttl), conditions), **how)


def _put(
    session: Session, texts: tuple[str, str | None], write: Callable[[], Write], *, path: str | None, allow_empty: bool, trim: bool
) -> int:
    address, value = texts
    if path is not None:
        return _put_file(session, address, path if value is None else _both(address), write())
    if value is not None and value != "-":
        how = write()
        return hot.put(session, address, value.removesuffix("\n") if trim else value, how)
    if value is None and session.stdin.is_terminal():
        return hot.put_from_pipe(session, address)
    session.piped = Piped(address, patient=True)
    return hot.put_piped(session, address, write(), empty=allow_empty or value == "-", trim=trim)


def _write(ttl: str | None) -> Write:
    return Write(INHERIT if ttl is None else durations.parse(ttl))


def _given_of(conditions: dict[str, Any]) -> list[str]:
    options = {"absent": "--if-absent", "revision": "--if-rev", "expected": "--if-value"}
    return [options[name] for name, value in conditions.items() if value is not None and value is not False]


def _conditional(write: Write, conditions: dict[str, Any]) -> Write:
    given = _given_of(conditions)
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} cannot both hold", cure="give one of them")
    write.absent, write.revision = conditions["absent"], conditions["revision"]
    if conditions["expected"] is not None:
        write.expected = conditions["expected"].encode("utf-8", "surrogateescape")
    return write


def _both(address: str) -> str:
    raise UsageError(f"Two values for '{address}': an argument and --file", cure="give one of them", address=address)


def _put_file(session: Session, text: str, path: str, write: Write) -> int:
    from ..intake import file_content

    address = session.address(text)
    content = file_content(path, session.cwd)
    kv.put(open_store(session), address, content, write)
    render.note(session, f"Stored {address} ({content.size} bytes)")
    return 0


@verb(epilog="Example: prontodb get work.notes.todo > todo.txt")
@click.argument("address", required=False)
@from_option
@null_option
@click.option("-N", "--newline", is_flag=True, help="End with a newline, adding one where there is none.")
@click.option("--include-expired", "expired", is_flag=True, help="Also one that has expired but was not removed yet.")
@click.option("--rev", "revision", is_flag=True, help="Print its revision instead of its value.")
@click.option("--no-nul", "whole", is_flag=True, help="Refuse (65) a value with a NUL in it, which no shell variable can hold.")
@click.option("--default", metavar="V", help="Print V, with status 0, where there is no such key.")
@context_option
@click.option("--explain", is_flag=True, help="Tell on standard error where it was looked for, and what has answered.")
def get(session: Session, address: str | None, source: str | None, null: bool, newline: bool, expired: bool, **how: Any) -> int:
    """Print a value: exactly its bytes, or on a terminal with a newline at the end. With --from, many: name, tab, value.

    With --context prod,eu it is the value of ADDRESS__prod, else of ADDRESS__eu, else of ADDRESS.
    """
    if how["over"] is not None and expired:
        raise UsageError("--include-expired is for a single entry", cure="leave out --context, and give the address with its context")
    if source is not None:
        from .many import get_many

        _none_of(how, "default", "explain")
        return get_many(session, _only(address, source), null=null, expired=expired, over=how["over"])
    if session.flags.json or any(value not in (None, False) for value in how.values()):
        from .lookups import get

        return get(session, _given(address), newline=newline, expired=expired, **how)
    return hot.get(session, _given(address), newline=newline, expired=expired)


@verb(epilog="Example: prontodb del work.notes.todo")
@click.argument("address", required=False)
@from_option
@null_option
def delete(session: Session, address: str | None, source: str | None, null: bool) -> int:
    """Delete an entry; with --from, all that are named there, in one step."""
    if source is not None:
        from .many import delete_many

        return delete_many(session, _only(address, source), null=null)
    return hot.delete(session, _given(address))


@verb(epilog="Example: prontodb exists work.lock.deploy && echo locked")
@click.argument("address")
@context_option
def exists(session: Session, address: str, over: str | None) -> int:
    """Tell by the exit status whether there is such an entry: 0, or 2. Prints nothing. With --context, whether any of its layers is."""
    if over is None:
        return hot.exists(session, address)
    there = overlay.exists(open_store(session), session.address(address), overlay.contexts(over))
    render.note(session, "There" if there else "Not there")
    return 0 if there else 2


@verb(epilog="Example: prontodb copy pipe.cache.1757569450_85e49569_notes work.notes.todo")
@click.argument("source")
@click.argument("destination")
@ttl_option
@click.option("--keep-ttl", is_flag=True, help="Give the copy the time that the source has left.")
def copy(session: Session, source: str, destination: str, ttl: str | None, keep_ttl: bool) -> int:
    """Copy a value. The source stays, but for one in the pipe cache: it has arrived now."""
    return _copied(session, (source, destination), _write(ttl), move=False, keep=keep_ttl)


@verb(epilog="Example: prontodb move work.notes.draft work.notes.final")
@click.argument("source")
@click.argument("destination")
@ttl_option
@click.option("--keep-ttl", is_flag=True, help="Give the moved entry the time that the source has left.")
def move(session: Session, source: str, destination: str, ttl: str | None, keep_ttl: bool) -> int:
    """Move a value: copy it and delete the source, in one step."""
    return _copied(session, (source, destination), _write(ttl), move=True, keep=keep_ttl)


def _copied(session: Session, texts: tuple[str, str], write: Write, *, move: bool, keep: bool) -> int:
    if keep and write.ttl is not INHERIT:
        raise UsageError("--ttl and --keep-ttl contradict each other", cure="give one of them")
    source, target = session.address(texts[0]), session.address(texts[1])
    kv.copy(open_store(session), source, target, write, move=move, keep=keep)
    render.note(session, f"{'Moved' if move or kv.cached(source) else 'Copied'} {source} to {target}")
    return 0


def _given(address: str | None, cure: str = "give an address, or --from") -> str:
    if address is None:
        raise UsageError("Missing argument 'ADDRESS'", cure=cure)
    return address


def _none_of(how: dict[str, Any], *names: str) -> None:
    for name in names:
        if how[name] not in (None, False):
            raise UsageError(f"--{name} is for a single address, not for --from", cure="leave one of them out")


def _only(address: str | None, source: str) -> str:
    if address is not None:
        raise UsageError(f"Both an address, '{address}', and --from", cure="give one of them", address=address)
    return source
