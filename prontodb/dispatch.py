"""From a command line to an exit status: the only place where an exception becomes one.

The verbs that live in loops have hot forms, purely positional: a call of that shape goes straight to its operation and never
imports click, which alone costs three times the start of Python. Anything that starts with `-` goes to click.
"""

from . import hot, render
from .errors import ProntoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .session import Session

HOT: "dict[tuple[str, int], Callable[..., int]]" = {
    ("get", 1): hot.get,
    ("set", 1): hot.put_from_pipe,
    ("set", 2): hot.put,
    ("del", 1): hot.delete,
    ("delete", 1): hot.delete,
    ("exists", 1): hot.exists,
    ("keys", 1): hot.keys,
    ("incr", 1): hot.increase,
    ("incr", 2): hot.increase,
    ("decr", 1): hot.decrease,
    ("decr", 2): hot.decrease,
}
COMPLETE = "__complete"
"""What completion asks with: no verb, nobody is meant to type it."""
INTERRUPTED = 130
"""As shells count it: 128 and the number of SIGINT."""


def dispatch(argv: "Sequence[str]", session: "Session") -> int:
    """Runs one command line (without the program's name); the exit status (DESIGN §4)."""
    try:
        return _guarded(argv, session)
    except BrokenPipeError:
        # Nobody reads any more: they have what they wanted.
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        session.close()
        if session.guard:
            # What came in is stored or kept by now: a signal that was held back acts.
            session.guard.release()


def _guarded(argv: "Sequence[str]", session: "Session") -> int:
    try:
        status = _run(argv, session)
    except ProntoError as error:
        status = _failed(session, error)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001 - never a traceback, and what was piped in is rescued whatever the fault
        status = _failed(session, _unexpected(session, error))
    render.notices(session)
    return status


def _run(argv: "Sequence[str]", session: "Session") -> int:
    verb = argv[0] if argv else ""
    form = HOT.get((verb, len(argv) - 1))
    if form and not any(word.startswith("-") for word in argv[1:]):
        return form(session, *argv[1:])
    if verb == COMPLETE:
        from .ops.completion import complete

        render.page(session, complete(session, argv[1:]))
        return 0
    from .cli import run

    return run(argv, session)


def _failed(session: "Session", error: ProntoError) -> int:
    if session.piped:
        from .salvage import salvage

        try:
            error = salvage(session, error)
        except ProntoError as worse:
            error = worse
        except Exception as worse:  # noqa: BLE001 - never a traceback, here least of all
            error = _unexpected(session, worse)
    try:
        return render.report(session, error)
    except (ProntoError, BrokenPipeError):
        # Standard error takes nothing either; the status still tells.
        return error.code


def _unexpected(session: "Session", error: Exception) -> ProntoError:
    if session.environ.get("PRONTO_DEBUG"):
        import traceback

        render.line(session.stderr, traceback.format_exc())
    return ProntoError(f"Internal error: {type(error).__name__}: {error}", cure="PRONTO_DEBUG=1 shows where; please report it")
