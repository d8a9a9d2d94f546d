"""The page docs/reference/python.md: the Python API, from its docstrings."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from typing import Any

import prontodb
from prontodb.api.core import Core
from prontodb.api.history import History
from prontodb.api.leases import Leases
from prontodb.api.listings import Lifetimes, Listings, Streams
from prontodb.api.queues import Queues
from prontodb.api.running import Running
from prontodb.api.values import Values
from prontodb.api.waiting import Waiting
from prontodb.errors import ProntoError

HEAD = """# The Python API

Made from the code by `python -m tests.reference`. How it is used: [use it from Python](../how-to/use-from-python.md).

What the arguments may be:

| | |
|---|---|
| `Key` | an address or a place, `str` or UTF-8 `bytes`; a short one is completed from `project` and `namespace` |
| `Data` | `bytes`, `bytearray`, `memoryview`, or `str`, which is stored as UTF-8 |
| `Source` | `Data`, a binary file, or an iterable of `bytes` |
| `Lifetime` | seconds, a text such as `"1h30m"`, or a `timedelta` of whole seconds |
| `Timeout` | seconds, also parts of one, a text such as `"1h30m"`, or a `timedelta` |
| `Fence` | a `Lease`, or the address and the token of one: `("work.lock.deploy", 42)` |
| `Test` | a condition as `prontodb wait` takes it, or in parts: `("work.job.state", "==", "done")`, `("!", "work.lock.deploy")` |
| `Moment` | a revision, a `datetime`, how long ago as a `timedelta` or `"10m"`, or a text as `prontodb get --at` takes it |
| `Contexts` | `"prod,eu"`, or `["prod", "eu"]`: the first that is there wins, then the plain key |"""
TOPICS = {
    "Opening and closing": Core,
    "Values": Values,
    "Listings": Listings,
    "Lifetimes": Lifetimes,
    "Streams and rescue": Streams,
    "History": History,
    "Leases": Leases,
    "Queues": Queues,
    "Waiting": Waiting,
    "Programs and results": Running,
}
RECORDS: list[Any] = [
    prontodb.Entry,
    prontodb.Difference,
    prontodb.Event,
    prontodb.Change,
    prontodb.Undone,
    prontodb.RescuedContent,
    prontodb.Value,
]
OBJECTS: list[Any] = [prontodb.Lease, prontodb.Item, prontodb.Watch]


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## open", _described(prontodb.open, "prontodb.open"), "## Database", _text(prontodb.Database)]
    for title, topic in TOPICS.items():
        parts.append(f"### {title}")
        parts += [_member(name, member, "db") for name, member in vars(topic).items() if _told(name, member)]
    for record in RECORDS:
        parts += [f"## {record.__name__}", _text(record), *_members(record)]
    for each in OBJECTS:
        parts += [f"## {each.__name__}", _text(each)]
        parts += [_member(name, member, each.__name__.lower()) for name, member in vars(each).items() if _told(name, member)]
    return "\n\n".join([*parts, _errors()]) + "\n"


def _told(name: str, member: Any) -> bool:
    return not name.startswith("_") and bool(getattr(member, "__doc__", ""))


def _member(name: str, member: Any, owner: str) -> str:
    if isinstance(member, property):
        return f"`{name}`: {_text(member)}"
    return _described(member, f"{owner}.{name}")


def _members(record: Any) -> list[str]:
    names = [field.name for field in fields(record)] if is_dataclass(record) else []
    found = [f"Fields: {', '.join(f'`{name}`' for name in names)}."] if names else []
    return found + [
        f"`{name}`: {_text(member)}" for name, member in vars(record).items() if isinstance(member, property) and not name.startswith("_")
    ]


def _described(function: Any, name: str) -> str:
    signature = inspect.signature(function)
    given = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
    call = f"{name}{signature.replace(parameters=given)}".replace("'", "").replace("<built-in function time>", "time.time")
    return f"```text\n{_wrapped(call)}\n```\n\n{_text(function)}"


def _wrapped(call: str) -> str:
    """A signature, an argument a line where it is long."""
    if len(call) <= 100:
        return call
    name, _, rest = call.partition("(")
    arguments, _, result = rest.rpartition(") -> ")
    return f"{name}(\n    " + ",\n    ".join(_split(arguments)) + f",\n) -> {result}"


def _split(arguments: str) -> list[str]:
    """At the commas that are in no brackets."""
    found, depth = [""], 0
    for mark in arguments:
        depth += (mark == "[") - (mark == "]")
        if mark == "," and not depth:
            found.append("")
        else:
            found[-1] += mark
    return [each.strip() for each in found]


def _text(documented: Any) -> str:
    return inspect.cleandoc(documented.__doc__ or "")


def _errors() -> str:
    kinds = [getattr(prontodb, name) for name in prontodb.__all__]
    kinds = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, ProntoError)]
    rows = [f"| `prontodb.{kind.__name__}` | {' '.join((kind.__doc__ or '').split())} |" for kind in kinds]
    head = (
        "## Errors\n\nEach has `message`, `cure`, `address` and `slug`; [all of them](errors.md), which are kinds of these, by their slugs."
    )
    return "\n".join([head, "", "| | |", "|---|---|", *rows])
