"""Points in the history as people write them: a revision, a time, or how long ago."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..session import Session

from .. import durations
from ..errors import UsageError
from .history import Moment

CURE = "a revision such as 17, or a time: 10m (ago), 2026-11-23T12:00, @1795435200"


def moment(session: Session, text: str, now: float) -> Moment:
    """What `--at` takes: digits alone are a revision. Raises `UsageError`, also for a time that lies ahead."""
    if text.isascii() and text.isdigit() and len(text) <= 18:
        return Moment(f"revision {int(text)}", revision=int(text))
    return Moment(text, time=_past(session, text, now))


def since(session: Session, text: str, now: float) -> float:
    """What `--since` takes, in Unix seconds: digits alone are seconds, as in every lifetime. Raises `UsageError`."""
    return _past(session, text, now)


def show(moment: float | None) -> str | None:
    """A time as it may be given again, in UTC; None for one that is not known."""
    if moment is None:
        return None
    whole = int(moment // 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int(moment * 1000 // 1) - whole * 1000:03}Z"


def _past(session: Session, text: str, now: float) -> float:
    found = _time(session, text, now)
    if found > now:
        raise UsageError(f"'{text}' lies ahead", cure=f"give {CURE}")
    return found


def _time(session: Session, text: str, now: float) -> float:
    try:
        if text.startswith("@"):
            return float(text[1:]) if text[1:].replace(".", "", 1).isdigit() else _no(text)
        if "-" in text or ":" in text:
            return _calendar(session, text)
        return now - durations.parse(text)
    except (ValueError, OverflowError, OSError, durations.InvalidDuration):
        return _no(text)


def _calendar(session: Session, text: str) -> float:
    found = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    if found.tzinfo is None:
        # The caller's own time: a helper, which has another's environment, leaves the call to the caller.
        session.environ.get("TZ")
        found = found.astimezone()
    return found.astimezone(timezone.utc).timestamp()


def _no(text: str) -> float:
    raise UsageError(f"Invalid time '{text}': it is neither a time nor how long ago", cure=f"give {CURE}")
