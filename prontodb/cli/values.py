"""Verbs on single values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session

from .. import durations, hot, render
from ..errors import NoContent, UsageError
from ..model import INHERIT, Write
from ..ops import kv, open_store, overlay
from ..session import Piped
from .fencing import Fenced, fenced
from .group import verb
from .kinds import NAMED, Whole
from .options import context_option, from_option, null_option, reveal_option, ttl_option


@verb(epilog="Example: git log -5 | prontodb set work.notes.log")
@click.argument("address", required=False)
@click.argument("value", required=False)
@click.option("--file", "path", type=NAMED, metavar="F", help="Store the bytes of file F.")
@ttl_option
@click.option("--allow-empty", is_flag=True, help="Store an empty value where nothing at all comes in.")
@click.option("--trim", is_flag=True, help="Drop one newline at the end of the value.")
@click.option("--if-absent", "absent", is_flag=True, help="Only where nothing is there yet; else 3.")
@click.option("--if-rev", "revision", type=Whole(), metavar="N", help="Only over revision N (get --rev tells it; 0: none); else 3.")
@click.option("--if-value", "expected", metavar="V", help="Only over the value V; else 3.")
@click.option("--secret", is_flag=True, help="A secret: get and listings show it on a terminal, or with --reveal. Asked for at a terminal.")
@click.option("--no-secret", "plain", is_flag=True, help="No secret any more: what is stored over one stays one otherwise.")
@fenced
@click.option("-0", "--null", is_flag=True, help="Take pairs of an address and a value from standard input, each ended by NUL.")
def put(session: Session, address: str | None, value: str | None, null: bool, ttl: str | None, fence: Fenced, **how: Any) -> int:
    """Store VALUE, or what standard input holds, or with --file a file. `-` as VALUE means standard input, empty or not.

    A value that starts with `-` goes after `--`. With -0, many at once: all of them are stored, or none.
    """
    conditions = {name: how.pop(name) for name in ("absent", "revision", "expected")}
    secret = _secrecy(secret=how.pop("secret"), plain=how.pop("plain"))
    if null:
        from .batch import put_pairs

        session.piped = Piped(None, patient=True, secret=bool(secret))
        if address is not None or any(how.values()) or _given_of(conditions):
            raise UsageError(
                "With -0, addresses and values come from standard input alone", cure="leave out ADDRESS, --file, --trim and conditions"
            )
        return put_pairs(session, fence.before(_write(ttl, secret=secret)))
    given = _given(address, "give an address, or with -0 pairs on standard input")

    def write() -> Write:
        return fence.before(_conditional(_write(ttl, secret=secret), conditions))

    if secret and value is None and how["path"] is None and session.stdin.is_terminal():
        return hot.put(session, given, _asked(given, empty=how["allow_empty"]), write())
    return _put(session, Piped(given, patient=True, secret=bool(secret)), value, write, **how)


def _asked(address: str, *, empty: bool) -> str:
    """A value typed at the terminal, which does not show it."""
    from getpass import getpass

    try:
        value = getpass(f"Value of {address}: ")
    except EOFError:
        value, empty = "", False
    if not value and not empty:
        raise NoContent(f"Nothing was typed for '{address}'", cure="--allow-empty stores an empty value", address=address)
    return value


def _secrecy(*, secret: bool, plain: bool) -> bool | None:
    if secret and plain:
        raise UsageError("--secret and --no-secret contradict each other", cure="give one of them")
    return True if secret else False if plain else None


def _put(
    session: Session, piped: Piped, value: str | None, write: Callable[[], Write], *, path: str | None, allow_empty: bool, trim: bool
) -> int:
    address = piped.address or ""
    if path is not None:
        return _put_file(session, address, path if value is None else _both(address), write())
    if value is not None and value != "-":
        how = write()
        return hot.put(session, address, value.removesuffix("\n") if trim else value, how)
    if value is None and session.stdin.is_terminal():
        return hot.put_from_pipe(session, address)
    session.piped = piped
    return hot.put_piped(session, address, write(), empty=allow_empty or value == "-", trim=trim)


def _write(ttl: str | None, *, secret: bool | None = None) -> Write:
    write = Write(INHERIT if ttl is None else durations.parse(ttl))
    write.secret = secret
    return write


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
@click.option("--at", metavar="WHEN", help="As it was: at a revision (17), 10m ago, 2026-11-23T12:00, @UNIXSECONDS; as far as it is kept.")
@click.option("--no-nul", "whole", is_flag=True, help="Refuse (65) a value with a NUL in it, which no shell variable can hold.")
@click.option("--default", metavar="V", help="Print V, with status 0, where there is no such key.")
@context_option
@click.option("--explain", is_flag=True, help="Tell on standard error where it was looked for, and what has answered.")
@reveal_option
def get(session: Session, address: str | None, source: str | None, null: bool, newline: bool, expired: bool, **how: Any) -> int:
    """Print a value: exactly its bytes, or on a terminal with a newline at the end. With --from, many: name, tab, value.

    With --context prod,eu it is the value of ADDRESS__prod, else of ADDRESS__eu, else of ADDRESS.
    """
    at, reveal = how.pop("at"), how["reveal"]
    if at is not None:
        return _get_at(session, (address, source, at), newline=newline, odd=null or expired, **how)
    if how["over"] is not None and expired:
        raise UsageError("--include-expired is for a single entry", cure="leave out --context, and give the address with its context")
    if source is not None:
        from .many import get_many

        _none_of(how, "default", "explain")
        return get_many(session, _only(address, source), null=null, expired=expired, over=how["over"], reveal=reveal)
    if session.flags.json or any(value not in (None, False) for name, value in how.items() if name != "reveal"):
        from .lookups import get

        return get(session, _given(address), newline=newline, expired=expired, **how)
    return hot.get(session, _given(address), newline=newline, expired=expired, reveal=reveal)


def _get_at(session: Session, words: tuple[str | None, str | None, str], *, newline: bool, odd: bool, **how: Any) -> int:
    from .history import get_at

    address, source, at = words
    if source is not None or odd or how["whole"] or how["over"] is not None or how["default"] is not None or how["explain"]:
        raise UsageError("--at is for one address, as it was", cure="beside it, give --rev, --json, --newline and --reveal alone")
    return get_at(session, _given(address), at, newline=newline, rev=how["revision"], reveal=how["reveal"])


@verb(epilog="Example: prontodb del work.notes.todo")
@click.argument("address", required=False)
@from_option
@null_option
@click.option("--purge", is_flag=True, help="Keep nothing of it: its history goes too, also that of what is deleted already.")
@fenced
def delete(session: Session, address: str | None, source: str | None, null: bool, purge: bool, fence: Fenced) -> int:
    """Delete an entry; with --from, all that are named there, in one step. Without --purge, its value stays in the history for a while."""
    if source is not None:
        from .many import delete_many

        return delete_many(session, _only(address, source), null=null, purge=purge, fence=fence())
    return hot.delete(session, _given(address), fence(), purge=purge)


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
