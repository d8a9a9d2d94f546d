"""What options take besides text: a count, the name of a file, the beginning of variables' names. Each says what is wrong in our words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from ..errors import UsageError
from .mistakes import more, name_of, option_help

if TYPE_CHECKING:
    Base = click.ParamType[Any]
else:
    Base = click.ParamType

DIGITS = 18
"""Of a number at most: more of them do not fit into any store."""


class Kind(Base):
    """What an option takes."""

    def refused(self, why: str, param: click.Parameter | None, ctx: click.Context | None) -> UsageError:
        """The error: the option, and `why` its value will not do."""
        return UsageError(f"{name_of(param)} {why}", cure=option_help(param, ctx) or more(ctx))


class Whole(Kind):
    """A whole number, `least` or more."""

    name = "integer"

    def __init__(self, least: int = 0) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number. Raises `UsageError`."""
        text = str(value)
        if text.isascii() and text.isdigit() and len(text) <= DIGITS and int(text) >= self.least:
            return int(text)
        raise self.refused(f"takes a whole number from {self.least} on, such as 17, not '{text}'", param, ctx)


class Named(Kind):
    """A name, of a file, a folder or a user. An empty one, as of a variable that is not set, is none: as a path it would be a folder."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name. Raises `UsageError`."""
        if not value:
            raise self.refused("takes a name, not ''", param, ctx)
        return str(value)


class Prefix(Kind):
    """What names of variables start with."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The prefix. Raises `UsageError`."""
        if value and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise self.refused(f"takes letters, digits and '_', no digit first, such as APP_, not '{value}'", param, ctx)
        return str(value)


NAMED = Named()
PREFIX = Prefix()
