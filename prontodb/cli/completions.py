"""What may follow the words of a command line, for completion that starts no process: from the tables of verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

from . import group
from .errorpages import KINDS
from .table import GROUPS, VERBS
from .topics import TOPICS

FILES = "<files>"
ADDRESS = "<address>"
"""One address, or a place."""
ADDRESSES = "<addresses>"
CHOICES = {
    ("help",): " ".join([*(verb for verb in VERBS if verb not in GROUPS), *TOPICS]),
    ("shell", "check"): FILES,
    ("shell", "doctor"): FILES,
}
"""What these verbs take, where it is no choice that click knows."""
TAKEN = {"address", "source", "destination", "place"}
"""What arguments are called that are addresses, or the beginning of one."""


def completions() -> dict[str, object]:
    """The values of the template `init`: lines of words, verbs, choices and options; the common options; the options that take a value."""
    commands = dict(_commands(group.root(), ()))
    lines = [_line(words, command) for words, command in commands.items()]
    # Help takes the words of the verbs as its own.
    helped = {**GROUPS, "errors": [kind.name for kind in KINDS]}
    lines += [{"words": f"help {name}", "verbs": "", "choices": " ".join(rows), "flags": ""} for name, rows in helped.items()]
    valued = {name for command in commands.values() for param in command.params if _valued(param) for name in param.opts}
    return {
        "completions": [line for line in lines if line["verbs"] or line["choices"] or line["flags"]],
        "common": " ".join(["", *_flags(group.common()), "--help"]),
        "valued": f" {' '.join(sorted(valued))} ",
    }


def _commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield words, command
    if isinstance(command, group.Verbs):
        context = click.Context(command)
        for name in command.rows:
            below = command.get_command(context, name)
            assert below is not None
            yield from _commands(below, (*words, name))


def _line(words: tuple[str, ...], command: click.Command) -> dict[str, str]:
    verbs = command.rows if isinstance(command, group.Verbs) else GROUPS if words == ("help",) else {}
    choices = CHOICES.get(words) or " ".join(_choices(command)) or _addresses(command)
    return {"words": " ".join(words), "verbs": " ".join(verbs), "choices": choices, "flags": " ".join(_own(command))}


def _choices(command: click.Command) -> list[str]:
    found = (param.type.choices for param in command.params if isinstance(param, click.Argument) and isinstance(param.type, click.Choice))
    return [str(choice) for choices in found for choice in choices]


def _addresses(command: click.Command) -> str:
    taken = [param.name for param in command.params if isinstance(param, click.Argument) and param.name in TAKEN]
    return "" if not taken else ADDRESS if len(taken) == 1 else ADDRESSES


def _flags(params: list[click.Parameter]) -> list[str]:
    return [name for param in params if isinstance(param, click.Option) for name in param.opts if name.startswith("--")]


def _own(command: click.Command) -> list[str]:
    common = _flags(group.common())
    return [name for name in _flags(command.params) if name not in common]


def _valued(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and not param.is_flag
