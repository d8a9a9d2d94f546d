"""What was piped to a call that failed before its verb could look: a wrong option, a missing address, a mistyped verb."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import click

    from ..session import Session

    Params = Callable[[str], Sequence[click.Parameter]]

from ..errors import ProntoError
from ..session import Piped
from .table import READERS, STREAM_READERS, VERBS


def look(session: Session, argv: Sequence[str], params: Params) -> None:
    """Sets what is to be rescued, if anything; and the format of the error, which click had no time to set.

    `params` gives the options of a verb, of which a few matter here.
    """
    words, options = split(argv, params("set"))
    session.flags.json = session.flags.json or "--json" in options
    verb = words[0] if words else ""
    if verb in STREAM_READERS:
        session.piped = Piped(None, patient=True) if _reads_stream(argv, params) else None
        return
    if verb in VERBS and verb not in READERS:
        return
    known = {name for param in params("set") for name in param.opts}
    doubtful = any(option not in known and option[:2] not in known for option in options)
    session.piped = _piped(session, (verb, *words[1:]), options, doubtful=doubtful)
    if session.piped:
        session.piped.secret = "--secret" in options


def _reads_stream(argv: Sequence[str], params: Params) -> bool:
    """Whether a verb on token streams was to read standard input: not where an address or files are named instead."""
    words, options = split(argv, [*params("stream"), *params("merge")])
    elsewhere = "--from" in options or (words[:2] == ["xstream", "merge"] and len(words) > 2)
    return not elsewhere or "-" in argv


def split(argv: Sequence[str], params: Sequence[click.Parameter]) -> tuple[list[str], list[str]]:
    """The words of a command line that does not parse, and its options, by what is known of each option."""
    valued = {name for param in params if not getattr(param, "is_flag", True) for name in param.opts}
    words: list[str] = []
    options: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word == "--":
            words += rest
        elif word.startswith("-") and word != "-":
            options.append(word.partition("=")[0])
            if word in valued:
                next(rest, None)
        else:
            words.append(word)
    return words, options


def _piped(session: Session, call: tuple[str, ...], options: list[str], *, doubtful: bool) -> Piped | None:
    """What is to be rescued; `doubtful` where an unknown option may have had one of the words for its value."""
    verb, *words = call
    address = words[0] if words else None
    if verb == "import":
        return Piped(None, patient=not words or words[0] == "-")
    if verb not in READERS or len(words) > 2:
        return Piped(address, patient=False)
    if "--file" in options:
        return None
    if len(words) < 2 or words[1] == "-":
        return Piped(address, patient=True)
    return None if _sound(session, words[0]) and not doubtful else Piped(address, patient=False)


def _sound(session: Session, text: str) -> bool:
    try:
        session.address(text)
    except ProntoError:
        return False
    return True
