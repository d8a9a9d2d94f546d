"""The verb `memo`: a slow command's result, kept for those who ask for it again."""

from __future__ import annotations

import os
import tempfile
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..address import Address
    from ..ops import Store
    from ..session import Session, Sink

from .. import children, durations, outlets, render
from ..errors import OutputError, ProntoError, UsageError
from ..model import PIECE, Content, Write
from ..ops import flight, memos, open_store, secrets
from .group import HELP, Verb
from .inputs import ITEMS, Inputs, items

FAILURE = 5
"""Seconds for which a failure is kept for those who have waited for it."""


class Before(Verb):
    """A verb with options of its own up to `--`, and a command behind it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`Verb`'s. Without `--` an option of the command's would be taken for one of ours."""
        if args and "--" not in args and args[0] not in HELP:
            raise UsageError("No -- before the command", cure="prontodb memo ADDRESS --ttl D -- COMMAND")
        return super().parse_args(ctx, args)


@click.command(cls=Before, epilog="Example: prontodb memo work.cache.report --ttl 10m -- ./report --month 2026-11")
@click.argument("address")
@click.option("--ttl", metavar="D", required=True, help="How long the result is good: seconds, or 15m, 1h30m, 7d.")
@click.option("--on", metavar="ITEMS", multiple=True, help=f"What it depends on: {ITEMS}, separated by commas; args.")
@click.option("--refresh", is_flag=True, help="Run it, whatever is kept.")
@click.option("--keep-failures", "failures", is_flag=True, help="Keep (and take) a result whose status is not 0, too.")
@click.option("--reveal", is_flag=True, help="Show a result that is a secret also where standard output is no terminal.")
@click.argument("command", metavar="-- COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
def memo(
    session: Session, address: str, ttl: str, on: tuple[str, ...], refresh: bool, failures: bool, reveal: bool, command: tuple[str, ...]
) -> int:
    """Run COMMAND, or where its result is kept at ADDRESS, print that: standard output, standard error and status.

    Of many at once, one runs it and the others wait; if that one is killed, the next one runs it. A failure is not kept. What a file:F
    or env:NAME holds counts, not its name alone; with stdin, COMMAND gets all of it when it is complete.
    """
    write = Write(durations.parse(ttl))
    inputs = Inputs(session, [word.encode("utf-8", "surrogateescape") for word in command])
    try:
        depends = [part for item in items(on) for part in inputs.of(item)]
        call = Call(session, memos.address(address, session.scope(), depends), inputs, write)
        call.refresh, call.failures, call.reveal = refresh, failures, reveal
        return call.answer()
    except ProntoError:
        session.piped = inputs.left(address)
        raise
    finally:
        if session.piped is None:
            inputs.close()


class Call:
    """One call of `memo`: the result that is kept, or a run of the command."""

    def __init__(self, session: Session, at: Address, inputs: Inputs, write: Write) -> None:
        self._session = session
        self._store: Store = open_store(session)
        self._at = at
        self._inputs = inputs
        self._write = write
        self._asked = self._store.now
        self._waited = ""
        self.refresh = self.failures = self.reveal = False

    def answer(self) -> int:
        """The status, once the outputs are printed."""
        if not self.reveal:
            secrets.check(self._session, self._at, None)
        lease = flight.Lease(self._store, memos.lease_of(self._at))
        while True:
            if (kept := self._kept()) is not None:
                return self._print(kept)
            if lease.take():
                return self._fly(lease)
            self._waited = flight.wait(self._store, memos.lease_of(self._at))

    def _kept(self) -> memos.Memo | None:
        """The result that answers this call: a failure only to those who have waited for it, or who say so."""
        found = memos.find(self._store, self._at)
        if found and (found.status == 0 or self.failures) and (found.began >= self._asked or not self.refresh):
            return found
        failed = memos.find(self._store, memos.failure_of(self._at)) if self._waited else None
        return failed if failed and failed.flight == self._waited else None

    def _print(self, kept: memos.Memo) -> int:
        if not self.reveal and kept.entry:
            secrets.check(self._session, self._at, kept.entry)
        self._inputs.used = True
        streams = (self._session.stdout, self._session.stderr)
        for number, piece in kept.outputs():
            streams[number].write(piece)
        return kept.status

    def _fly(self, lease: flight.Lease) -> int:
        """Runs the command, unless somebody has just done so."""
        try:
            if (kept := self._kept()) is not None:
                return self._print(kept)
            status = self._run(lease)
        finally:
            self._landed(lease)
        return children.end_as(status)

    def _run(self, lease: flight.Lease) -> int:
        session, argv = self._session, self._inputs.argv
        path = children.find(os.fsdecode(argv[0]), session.environ)
        result = memos.Memo(0, (0, 0), self._store.now, lease.token)
        program = (path, argv, session.environ)
        with closing(Record(session, session.stdout)) as out, closing(Record(session, session.stderr)) as err:
            self._inputs.used = True
            try:
                result.status = outlets.run(program, (out, err), stdin=self._inputs.stdin, tick=lambda: self._renew(lease))
            except children.NotRun:
                self._inputs.used = False
                raise
            if result.status >= 0:
                self._keep(result, (out, err))
        return result.status

    def _renew(self, lease: flight.Lease) -> None:
        # The command runs, and is not stopped where that fails: at worst another one is begun.
        with suppress(flight.Lost, ProntoError):
            lease.renew()

    def _landed(self, lease: flight.Lease) -> None:
        # Where that fails it ends by itself.
        with suppress(ProntoError):
            lease.release()

    def _keep(self, result: memos.Memo, records: tuple[Record, Record]) -> None:
        """Stores the result. Where that fails the command has run all the same, and has said what it had to say."""
        at, write = self._at, self._write
        if result.status and not self.failures:
            at, write = memos.failure_of(self._at), Write(FAILURE)
        try:
            contents = (records[0].content(), records[1].content())
            self._store.engine.put(at, memos.content(result, contents), write, self._store.now)
        except (ProntoError, OSError) as error:
            if not self._session.flags.quiet:
                why = error.message if isinstance(error, ProntoError) else error.strerror
                render.line(self._session.stderr, f"prontodb: The result is not kept at {self._at}: {why}")


class Record:
    """A stream of a program: to ours as it comes, and to a file."""

    fd = -1

    def __init__(self, session: Session, sink: Sink) -> None:
        self._sink = sink
        self._file = tempfile.SpooledTemporaryFile(max_size=PIECE, dir=session.environ.get("TMPDIR") or "/tmp")  # noqa: S108, SIM115
        self._size = 0
        self._whole = False
        self._fault: OSError | None = None

    def write(self, data: bytes) -> None:
        """Passes a piece on. A file that takes no more costs the record, not the output."""
        self._sink.write(data)
        try:
            if self._fault is None:
                self._file.write(data)
                self._size += len(data)
        except OSError as error:
            self._fault = error

    def finish(self) -> None:
        """That was all, and it has got to where it should."""
        self._whole = True

    def close(self) -> None:
        """The record is of no more use; what a full disk did not take of it no longer matters."""
        with suppress(OSError):
            self._file.close()

    def content(self) -> Content:
        """All that was written. Raises what has kept it from being recorded."""
        if self._fault is not None:
            raise self._fault
        if not self._whole:
            raise OutputError("not all of its output was taken")
        return Content(self._size, self._pieces)

    def _pieces(self) -> Iterator[bytes]:
        self._file.seek(0)
        return iter(lambda: self._file.read(PIECE), b"")
