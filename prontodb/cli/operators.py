"""Operators on token streams: from standard input, or files, to standard output. They store nothing.

Where one that works as tokens come stops, at something malformed, what it has not worked on is passed on as it came, after a token that
no reader takes: so nothing of it is lost, and whoever reads on refuses all of it, instead of taking half for the whole. One that needs
the whole stream first leaves a malformed one to the pipe cache.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..session import Session
    from ..xstream import Token
    from .tokenflow import Source, Writer

from .. import features, intake
from ..engines.failures import PreconditionFailed
from ..errors import ProntoError, UsageError
from ..model import PIECE
from ..session import Piped
from .group import Verbs, verb
from .kinds import NAMED, Whole
from .table import XSTREAM_VERBS

MERGES = ("concat", "interleave", "dedupe", "sort", "priority", "namespace")
INCREMENTAL = MERGES[:2]
VALUES = ("upper", "lower", "base64", "unbase64", "url", "unurl")
QUOTES = ("double", "single", "least")

xstream = Verbs(XSTREAM_VERBS, name="xstream", help="Operators on token streams. They read standard input and write standard output.")


@verb(epilog="Example: prontodb scan work.config --stream | prontodb xstream fork --prefix db- | prontodb stream")
@click.option("--in", "namespaces", metavar="N", multiple=True, help="Tokens of namespace N and those below it; repeatable.")
@click.option("--prefix", metavar="P", default="", help="Tokens whose key starts with P.")
@click.option("--pattern", metavar="G", default="", help="Tokens whose key matches G, as a shell's pattern; with a : in it, namespace:key.")
@click.option("--others", type=NAMED, metavar="F", help="Write the tokens that are not taken to file F.")
def fork(session: Session, namespaces: tuple[str, ...], prefix: str, pattern: str, others: str | None) -> int:
    """Print the tokens that meet all conditions; the others go to a file, or nowhere. Directives (meta, sec) go both ways."""
    if not (namespaces or prefix or pattern):
        raise UsageError("No condition to fork by", cure="--in N, --prefix P or --pattern G")
    source = _incoming(session)
    from ..xstream.operators import Selection
    from ..xstream.operators import fork as forked
    from .tokenflow import File, Writer

    out, rest = Writer(session.stdout), Writer(File(os.path.join(session.cwd, others)) if others else None)

    def flush() -> None:
        out.flush()
        rest.flush()

    def work() -> None:
        for wanted, unwanted, token in forked(source.tokens(flush), Selection(namespaces, prefix, pattern)):
            if wanted:
                out.write(token)
            if unwanted:
                rest.write(token)

    return _passing([source], [out, rest], work)


@verb(epilog="Example: prontodb xstream merge --by priority mine.stream defaults.stream | prontodb stream")
@click.argument("files", metavar="[FILE...]", nargs=-1, type=NAMED)
@click.option("--by", "how", type=click.Choice(MERGES), default="concat", help=f"How: {', '.join(MERGES)}; concat.")
def merge(session: Session, files: tuple[str, ...], how: str) -> int:
    """Print several streams as one; - and no file at all are standard input.

    Of equal names, dedupe keeps the last value, priority that of the first stream that has it. All ways but concat want streams that
    begin with the same directives (meta, sec) and have no others.
    """
    paths = files or ("-",)
    if paths.count("-") > 1:
        raise UsageError("Standard input can be read once", cure="name - once")
    held = how not in INCREMENTAL
    stdin = _incoming(session, held=held) if "-" in paths else None
    features.require(session.settings, "streaming")
    from ..xstream.operators import merge as merged
    from .tokenflow import Source, Writer

    sources = [stdin if path == "-" and stdin else Source(_file(session, path), path) for path in paths]
    out = Writer(session.stdout)
    work = _writing(lambda: merged([source.tokens(out.flush) for source in sources], how), out)
    return _keeping(session, work) if held else _passing(sources, [out], work)


@verb(epilog="Example: make-stream | prontodb xstream gate --min 1 --in users | prontodb stream")
@click.option("--min", "fewest", metavar="N", type=Whole(), default=0, help="At least N tokens.")
@click.option("--max", "most", metavar="N", type=Whole(), help="At most N tokens.")
@click.option("--in", "namespaces", metavar="N", multiple=True, help="A token in namespace N; repeatable.")
@click.option("--contains", metavar="T", help="A value that contains the text T.")
def gate(session: Session, fewest: int, most: int | None, namespaces: tuple[str, ...], contains: str | None) -> int:
    """Print the stream as it came where it meets all conditions; else nothing, with status 3. Directives (meta, sec) do not count."""
    source = _incoming(session, held=True)
    if most is not None and fewest > most:
        raise UsageError(f"--min {fewest} and --max {most} cannot both hold", cure="a --max that is no smaller")
    from ..xstream.operators import Gate

    wanted = None if contains is None else contains.encode("utf-8", "surrogateescape")

    def work() -> None:
        if reason := Gate(fewest, most, namespaces, wanted).closed(source.tokens(lambda: None)):
            # What a gate keeps out is kept out on purpose: nothing to rescue.
            session.piped = None
            raise PreconditionFailed(f"The gate stays closed: {reason}")
        assert session.piped is not None
        assert session.piped.content is not None
        for piece in session.piped.content.pieces():
            session.stdout.write(piece)

    return _keeping(session, work)


@verb(epilog="Example: prontodb scan work.blobs --stream | prontodb xstream transform --values base64")
@click.option("--values", metavar="STEP", type=click.Choice(VALUES), multiple=True, help=f"Change values: {', '.join(VALUES)}; repeatable.")
@click.option("--keys", metavar="STEP", type=click.Choice(VALUES[:2]), multiple=True, help="Change keys: upper, lower.")
@click.option(
    "--quotes", type=click.Choice(QUOTES), default="double", help="Quotes of values: double; or single or least, where a value allows."
)
def transform(session: Session, values: tuple[str, ...], keys: tuple[str, ...], quotes: str) -> int:
    """Print the stream with its values, keys or quotes changed; directives (meta, sec) keep what they say."""
    source = _incoming(session)
    from ..xstream.operators import transform as transformed
    from .tokenflow import Writer

    out = Writer(session.stdout, quotes)
    work = _writing(lambda: transformed(source.tokens(out.flush), values, keys), out)
    return _passing([source], [out], work)


def _incoming(session: Session, *, held: bool = False) -> Source:
    """Standard input; with `held` all of it is read first, and rescued where the call fails."""
    session.piped = Piped(None, patient=True)
    features.require(session.settings, "streaming")
    from .tokenflow import Source

    if held:
        content = session.piped.content = intake.read(session)
        return Source(content.pieces(), "")
    session.piped = None
    return Source(iter(lambda: session.stdin.read(PIECE), b""), "")


def _file(session: Session, path: str) -> Iterator[bytes]:
    return intake.file_content(path, session.cwd).pieces()


def _writing(tokens: Callable[[], Iterable[Token]], out: Writer) -> Callable[[], None]:
    def work() -> None:
        for token in tokens():
            out.write(token)
        out.flush()

    return work


def _keeping(session: Session, work: Callable[[], None]) -> int:
    """Works on what is held; once that is done, it need not be kept."""
    try:
        work()
    except ValueError as error:
        raise UsageError(f"Cannot merge: {error}", cure="--by concat keeps the order") from error
    piped, session.piped = session.piped, None
    if piped and piped.content:
        piped.content.discard()
    return 0


def _passing(sources: list[Source], outs: list[Writer], work: Callable[[], None]) -> int:
    """Works on tokens as they come; where that ends early, passes on the rest."""
    try:
        work()
    except (ProntoError, ValueError) as error:
        if not isinstance(error, ProntoError) or error.slug == "malformed-stream":
            outs[0].stop(piece for source in sources for piece in source.rest())
            for out in outs[1:]:
                out.stop(iter(()))
        raise (
            error if isinstance(error, ProntoError) else UsageError(f"Stopped: {error}", cure="the rest was passed on as it came")
        ) from error
    for out in outs:
        out.flush()
    return 0
