"""What may follow the words of a command line, for completion that starts no process: from the tables of verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .table import Row

    Line = dict[str, Any]

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
    """The values of the template `init`: lines of words, verbs, choices and options; the common options; the options that take a value.
    Under `told` stands what fish shows: each word with a tab and its summary.
    """
    commands = dict(_commands(group.root(), ()))
    lines = [_line(words, command) for words, command in commands.items()]
    # Help takes the words of the verbs as its own.
    lines += [_help(name, rows, rows) for name, rows in GROUPS.items()]
    lines.append(_help("errors", [kind.name for kind in KINDS], {}))
    valued = {name for command in commands.values() for param in command.params if _valued(param) for name in param.opts}
    return {
        "completions": [line for line in lines if line["verbs"] or line["choices"] or line["flags"]],
        "common": " ".join(["", *_flags(group.common()), "--help"]),
        "common_told": [*_flags_told(group.common()), "--help\tTell what it does."],
        "valued": f" {' '.join(sorted(valued))} ",
        "valued_words": sorted(valued),
    }


def _commands(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield words, command
    if isinstance(command, group.Verbs):
        context = click.Context(command)
        for name in command.rows:
            below = command.get_command(context, name)
            assert below is not None
            yield from _commands(below, (*words, name))


def _line(words: tuple[str, ...], command: click.Command) -> Line:
    rows = command.rows if isinstance(command, group.Verbs) else VERBS if words == ("help",) else {}
    verbs = GROUPS if words == ("help",) else rows
    choices = CHOICES.get(words) or " ".join(_choices(command)) or _addresses(command)
    common = _flags(group.common())
    own = [told for told in _flags_told(command.params) if told.split("\t")[0] not in common]
    return {
        "words": " ".join(words),
        "verbs": " ".join(verbs),
        "choices": choices,
        "flags": " ".join(told.split("\t")[0] for told in own),
        "told": {"verbs": _told(verbs, rows), "choices": _told(choices.split(), rows), "flags": own},
    }


def _help(name: str, choices: Iterable[str], rows: Mapping[str, Row]) -> Line:
    told = {"verbs": [], "choices": _told(choices, rows), "flags": []}
    return {"words": f"help {name}", "verbs": "", "choices": " ".join(choices), "flags": "", "told": told}


def _told(names: Iterable[str], rows: Mapping[str, Row]) -> list[str]:
    return [f"{name}\t{rows[name].summary}" if name in rows else name for name in names]


def _choices(command: click.Command) -> list[str]:
    found = (param.type.choices for param in command.params if isinstance(param, click.Argument) and isinstance(param.type, click.Choice))
    return [str(choice) for choices in found for choice in choices]


def _addresses(command: click.Command) -> str:
    taken = [param.name for param in command.params if isinstance(param, click.Argument) and param.name in TAKEN]
    return "" if not taken else ADDRESS if len(taken) == 1 else ADDRESSES


def _flags(params: list[click.Parameter]) -> list[str]:
    return [name for param in params if isinstance(param, click.Option) for name in param.opts if name.startswith("--")]


def _flags_told(params: list[click.Parameter]) -> list[str]:
    options = (param for param in params if isinstance(param, click.Option))
    return [f"{name}\t{option.help or ''}" for option in options for name in _flags([option])]


def _valued(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and not param.is_flag
