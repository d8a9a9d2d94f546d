"""Verbs whose output is evaluated by a shell: where they fail they print `false`, since `eval ""` is a success."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import Session

from .group import FALSE, HelpWanted, Verb, Verbs

EVALUATED = f"{__name__}.evaluated"
"""Whether a shell evaluates what this call prints."""


class Generator(Verb):
    """A verb whose body returns the text to print, or an exit status where it has done something else."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`Verb`'s."""
        ctx.meta[EVALUATED] = self.name != "use" or any(word.startswith("--eval") for word in args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> int:
        """Prints the text, all at once."""
        body, self.callback = self.callback, lambda session, **params: _printed(session, body, params)
        try:
            return super().invoke(ctx)
        finally:
            self.callback = body


class Generators(Verbs):
    """A group of them, and of verbs whose output nobody evaluates."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`Verbs`'s."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError:
            _failed(ctx)
            raise

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """`Verbs`'s."""
        found = super().resolve_command(ctx, args)
        ctx.meta[EVALUATED] = isinstance(found[1], Generator)
        return found

    def invoke(self, ctx: click.Context) -> int:
        """`Verbs`'s; `false` where it fails."""
        try:
            return super().invoke(ctx)
        except HelpWanted:
            raise
        except Exception:
            _failed(ctx)
            raise


def generator(**kwargs: Any) -> Callable[[Callable[..., str | int]], click.Command]:
    """Makes such a verb of its body."""
    return click.command(cls=Generator, **kwargs)


def _printed(session: Session, body: Callable[..., str | int] | None, params: dict[str, Any]) -> int:
    assert body is not None
    made = body(session, **params)
    if isinstance(made, int):
        return made
    session.stdout.write(made.encode("utf-8", "surrogateescape"))
    return 0


def _failed(ctx: click.Context) -> None:
    if ctx.meta.get(EVALUATED, True):
        session: Session = ctx.obj
        session.stdout.write(FALSE)
