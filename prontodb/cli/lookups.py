"""`get` with options: of one address, under contexts, with a default, explained."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..address import Address
    from ..model import Found
    from ..session import Session

from .. import durations, formats, render
from ..errors import Miss, UsageError
from ..model import Entry
from ..ops import open_store, overlay, secrets
from .about import choices
from .many import HoldsNul, looked_up


def get(
    session: Session,
    text: str,
    *,
    newline: bool,
    expired: bool,
    revision: bool,
    whole: bool,
    default: str | None,
    over: str | None,
    explain: bool,
    reveal: bool,
) -> int:
    """Prints what is found at an address, or of it."""
    if revision and default is not None:
        raise UsageError("A default has no revision", cure="give either --rev or --default")
    address = session.address(text)
    answer, missed = _answered(session, address, over, expired=expired)
    if answer and not (reveal or revision):
        secrets.check(session, answer.layer, answer.found.entry)
    if explain:
        _explain(session, _looked(address, over), answer)
    if answer is None and default is None:
        raise missed
    found = answer.found if answer else _standing_in(address, default or "")
    if revision:
        session.stdout.write(b"%d\n" % found.entry.revision)
    elif session.flags.json:
        found.entry.value = found.read()
        layer, secret = (answer.layer if answer and over else None), answer is not None and secrets.is_secret(answer.layer, found.entry)
        told = formats.described(formats.Record(text, address, found.entry, layer, secret=secret))
        session.stdout.write(json.dumps(told if answer else {**told, "default": True}).encode() + b"\n")
    else:
        render.value(session, _without_nul(text, found) if whole else found, newline=newline)
    return 0


def _answered(session: Session, address: Address, over: str | None, *, expired: bool) -> tuple[overlay.Answer | None, Miss]:
    try:
        return looked_up(session, address, over, expired=expired, reveal=True), Miss("")
    except Miss as miss:
        return None, miss


def _looked(address: Address, over: str | None) -> list[Address]:
    return [address] if over is None else overlay.layers(address, overlay.contexts(over))


def _standing_in(address: Address, default: str) -> Found:
    """A default, as if it had been found."""
    from ..model import Found

    value = default.encode("utf-8", "surrogateescape")
    return Found(Entry(address.name, len(value), 0, None, None), iter((value,)))


def _without_nul(text: str, found: Found) -> Found:
    from ..model import Found

    value = found.read()
    if b"\0" in value:
        raise HoldsNul(f"{text} has a NUL in it, which no shell variable can hold", cure=f"prontodb get {text} >FILE", address=text)
    return Found(found.entry, iter((value,)))


def _explain(session: Session, looked: list[Address], answer: overlay.Answer | None) -> None:
    """Where it was looked for, top to bottom, down to the layer that answered; and in which context. Never a value."""
    at = looked.index(answer.layer) if answer else len(looked)
    layers: list[dict[str, object]] = [{"address": str(layer), "found": False} for layer in looked[:at]]
    if answer:
        entry = answer.found.entry
        told = {"revision": entry.revision, "size": entry.size, "expires": entry.expires}
        layers.append({"address": str(answer.layer), "found": True, **told})
    layers += [{"address": str(layer), "found": None} for layer in looked[at + 1 :]]
    chosen: list[dict[str, object]] = [*choices(session), {"name": "file", "value": open_store(session).database, "source": "path"}]
    if session.flags.json:
        _explain_json(session, layers, chosen)
    else:
        _explain_lines(session, layers, chosen)


def _explain_json(session: Session, layers: list[dict[str, object]], chosen: list[dict[str, object]]) -> None:
    told = {"layers": layers, **{str(row["name"]): {"value": row["value"], "source": row["source"]} for row in chosen}}
    session.stderr.write(json.dumps({"explain": told}).encode() + b"\n")


def _explain_lines(session: Session, layers: list[dict[str, object]], chosen: list[dict[str, object]]) -> None:
    now = open_store(session).now
    for layer in layers:
        render.line(session.stderr, f"layer      {layer['address']}  {_state(layer, now)}")
    for row in chosen:
        render.line(session.stderr, f"{row['name']:10} {row['value'] or '-'}  ({row['source']})")


def _state(layer: dict[str, object], now: float) -> str:
    if not layer["found"]:
        return "not there" if layer["found"] is False else "covered"
    left = "does not expire"
    if (expires := layer["expires"]) is not None:
        left = f"expires in {durations.show(max(0, int(str(expires)) - int(now)))}"
    return f"answered: revision {layer['revision']}, {layer['size']} bytes, {left}"
