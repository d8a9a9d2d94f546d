"""What a picker shows of an entry: a few lines about it, and the beginning of its value. Nothing in it can move a cursor."""

from .render import is_text, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import Entry, Found

SHOWN = 1 << 16
"""Bytes of a value that are read and shown."""
ESCAPE = {code: 0x2400 + code for code in range(0x20) if code not in {0x09, 0x0A}} | {0x7F: 0x2421}
"""Control characters but for tab and newline, as the pictures that Unicode has of them."""
UNSEEN = "•" * 8


def value(found: "Found") -> str:
    """The beginning of a value as text; one line about it, where it is none."""
    data, cut = _beginning(found)
    if not is_text(data):
        return summary(found.entry.size)
    return shown(data.decode("utf-8", "replace")) + ("\n…" if cut else "")


def facts(entry: "Entry", now: float) -> list[str]:
    """What there is to know besides the value."""
    left = "for ever" if entry.expires is None else f"{max(0, int(entry.expires - now))} s left"
    return [f"{entry.size} byte{'s' * (entry.size != 1)}", f"revision {entry.revision}", left]


def shown(text: str) -> str:
    """Text without anything that a terminal would act upon."""
    visible = text.translate(ESCAPE)
    return "".join(mark if mark.isprintable() or mark in "\t\n" else "\ufffd" for mark in visible)


def _beginning(found: "Found") -> tuple[bytes, bool]:
    data = b""
    for piece in found.pieces:
        data += piece
        if len(data) > SHOWN:
            return data[:SHOWN], True
    return data, False
