"""What a person or a script gets to see: values on standard output, notes and errors on standard error (DESIGN §4)."""

from .errors import Miss, ProntoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Found
    from .session import Session, Sink


def value(session: "Session", found: "Found", *, newline: bool = False) -> None:
    """A value as it is; on a terminal with a final newline, and as a summary where it is not text."""
    out = session.stdout
    last = b"\n"
    for number, piece in enumerate(found.pieces):
        if number == 0 and out.terminal and not session.flags.raw and not is_text(piece):
            out.write(summary(found.entry.size).encode() + b"\n")
            return
        out.write(piece)
        last = piece[-1:] or last
    if (newline or (out.terminal and not session.flags.raw)) and last != b"\n":
        out.write(b"\n")


def is_text(data: bytes) -> bool:
    """Whether a terminal can show it: UTF-8 (but for a character that the piece cuts in two) without NUL."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data" or len(data) - error.start > 3:
            return False
    return b"\0" not in data


def summary(size: int) -> str:
    """One line in the place of bytes that are not text."""
    return f"<{size} bytes that are not text; --raw shows them, a pipe or a file gets them as they are>"


def page(session: "Session", lines: list[str]) -> None:
    """Lines of a listing."""
    if lines:
        session.stdout.write("\n".join(lines).encode("utf-8", "surrogateescape") + b"\n")


def note(session: "Session", text: str) -> None:
    """What was done, for those who asked with -v. It is done all the same where nobody can be told."""
    if session.flags.verbose:
        try:
            line(session.stderr, text)
        except ProntoError:
            pass


def notices(session: "Session") -> None:
    """What the engines want known, once each."""
    for engine in session.pool.engines.values():
        while engine.notices:
            warning = engine.notices.pop(0)
            if not session.flags.quiet:
                line(session.stderr, f"{_mark(session, '⚠️  ')}prontodb: {warning}")


def report(session: "Session", error: ProntoError) -> int:
    """Tells of an error; the exit status that it means."""
    if session.flags.json:
        _json(session, error)
    elif error.rescued:
        _rescued(session, error)
    elif not (isinstance(error, Miss) and session.flags.quiet):
        line(session.stderr, f"{_mark(session, '❌ ')}prontodb: {error.message}")
        if error.cure:
            line(session.stderr, f"{_mark(session, '💡 ')}{_cure(error)}")
    return int(session.settings.lenient("rescue_exit")) if error.rescued else error.code


def line(sink: "Sink", text: str) -> None:
    """One line, with nothing in it that could move a cursor or break the line."""
    shown = "".join(mark if mark.isprintable() or mark in "\ufe0f" else _escaped(mark) for mark in text)
    sink.write(shown.encode() + b"\n")


def _escaped(mark: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in mark.encode("utf-8", "surrogateescape"))


def _cure(error: ProntoError) -> str:
    return f"Cure: {error.cure}"


def _rescued(session: "Session", error: ProntoError) -> None:
    line(session.stderr, f"{_mark(session, '⚠️  ')}{error.message}")
    line(session.stderr, f"{_mark(session, '💡 ')}Use: {error.cure}")
    for hint in error.hints:
        line(session.stderr, f"{_mark(session, '💡 ')}{hint}")


def _json(session: "Session", error: ProntoError) -> None:
    import json

    status = int(session.settings.lenient("rescue_exit")) if error.rescued else error.code
    told: dict[str, object] = {"error": error.slug, "code": status, "reason": error.message}
    for name in ("address", "cure", "rescued"):
        if text := getattr(error, name, ""):
            told[name] = text
    session.stderr.write(json.dumps(told).encode() + b"\n")


def _mark(session: "Session", mark: str) -> str:
    """An emoji, for a person at a terminal that shows them."""
    plain = not session.stderr.terminal or not session.flags.color
    return "" if plain or session.environ.get("NO_COLOR") or session.environ.get("TERM") == "dumb" else mark
