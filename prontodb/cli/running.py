"""The verb `run`: a program with entries in its environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..ops.variables import Variable
    from ..session import Session, Sink

from .. import children, render
from ..address import parse_place
from ..mask import Mask, forms
from ..ops import open_store, overlay, variables
from .group import verb
from .kinds import PREFIX
from .options import context_option

SHORTEST = 4
"""Bytes from which on a value is masked that is no secret: `1` and `yes` are in any output."""

SETTINGS = {"allow_interspersed_args": False}
"""For click: what follows the command is the command's."""


@verb(epilog="Example: prontodb run --place app.config --place app.sec -- ./server --port 80", context_settings=SETTINGS)
@click.argument("command", metavar="[--] COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--place", "places", metavar="P", multiple=True, help="Take the entries of P; repeatable. By default the current place.")
@click.option("--override", is_flag=True, help="Where two places have a name, the later one counts. Without it that is an error.")
@click.option("--exact", is_flag=True, help="Values with the newline at their end, which is dropped otherwise.")
@click.option("--mask", is_flag=True, help="Show *** for the values in what COMMAND prints.")
@click.option("--var-prefix", type=PREFIX, metavar="P", default="", help="What the names start with.")
@click.option("--allow-unsafe", is_flag=True, help="Also names that can make programs run something else, such as PATH and LD_PRELOAD.")
@click.option("--allow-empty", is_flag=True, help="Also where a place holds nothing.")
@context_option
def run(session: Session, command: tuple[str, ...], places: tuple[str, ...], mask: bool, **how: Any) -> int:
    """Run COMMAND with the entries of a place as environment variables: upper case, with `_` for `-`.

    This process becomes COMMAND, so its status and signals are its own: 127 where there is no such program, 126 where it cannot be run.
    With --mask it is run and its output watched. Secrets are handed over like anything else; entries with a context are not, but those
    that hold under --context.
    """
    stdin = session.stdin.claim()
    found = _variables(session, places, how)
    argv = [word.encode("utf-8", "surrogateescape") for word in command]
    environ = {**session.environ, **{name: os.fsdecode(variable.value) for name, variable in found.items()}}
    path = children.find(os.fsdecode(argv[0]), environ)
    session.close()
    if not mask:
        children.become(path, argv, environ)
    return _masked(session, (path, argv, environ), found, stdin)


def _variables(session: Session, places: tuple[str, ...], how: dict[str, Any]) -> dict[str, Variable]:
    rules = variables.Rules(
        how["var_prefix"], exact=how["exact"], override=how["override"], unsafe=how["allow_unsafe"], empty=how["allow_empty"]
    )
    rules.over = None if how["over"] is None else overlay.contexts(how["over"])
    return variables.variables(open_store(session), [parse_place(text, session.scope()) for text in places or (None,)], rules)


def _masked(session: Session, program: tuple[str, list[bytes], dict[str, str]], found: dict[str, Variable], stdin: int) -> int:
    from .. import outlets

    hidden = [variable for variable in found.values() if variable.secret or len(variable.value) >= SHORTEST]
    short = [str(variable.address) for variable in found.values() if variable not in hidden and variable.value]
    if short and not session.flags.quiet:
        render.line(session.stderr, f"prontodb: Not masked, being no secrets and shorter than {SHORTEST} bytes: {', '.join(short)}")
    values = {form for variable in hidden for form in forms(variable.value.removesuffix(b"\n"))}
    # One terminal is one stream: else what comes by the two would get out of order.
    both = session.stdout.terminal and session.stderr.terminal
    streams = [Masked(session.stdout, values), *([] if both else [Masked(session.stderr, values)])]
    return children.end_as(outlets.run(program, tuple(streams), stdin=stdin))


class Masked:
    """A stream of a program, to a stream of ours, with values hidden."""

    def __init__(self, sink: Sink, values: set[bytes]) -> None:
        self._sink = sink
        self._mask = Mask(values)
        self.fd = getattr(sink, "fd", -1) if sink.terminal else -1

    def write(self, data: bytes) -> None:
        """What can be shown of it."""
        self._sink.write(self._mask.feed(data))

    def finish(self) -> None:
        """What was held back."""
        self._sink.write(self._mask.finish())
