"""click, bent to DESIGN §4: options before and after the verb, status 64 for a wrong call, nothing printed but through the session."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..session import Session

from .. import __version__
from ..address import check_delimiter
from ..errors import ProntoError
from .kinds import NAMED
from .mistakes import explained, for_eval, meant_for_eval, unknown
from .table import VERBS, XSTREAM_VERBS, Row

HELP = ("--help", "-h")
FALSE = b"false\n"
"""What is printed instead of shell code where there is none to print."""
ROOT_HELP = """A namespaced key-value store for the shell. Addresses are project.namespace.key, or key__context.

What is piped in is never lost: sent to a wrong address, it is kept in the pipe cache, and the message says how to get it from there.
"""


def common() -> list[click.Parameter]:
    """The options that stand before the verb or after it."""
    return [
        click.Option(["-p", "--project"], metavar="P", help="The project; the address is then namespace.key, or key with -n."),
        click.Option(["-n", "--namespace"], metavar="N", help="The namespace; the address is then the key alone."),
        click.Option(["--ns-delim", "delim"], metavar="C", help="The character between the parts of an address, instead of '.'."),
        click.Option(["--user"], metavar="U", help="The user, who has databases and cursors of their own."),
        click.Option(["--meta"], metavar="M", help="The tenant in front of all addresses; none sees another's entries."),
        click.Option(["--cursor"], metavar="C", help="The cursor: a saved database, meta, project and namespace."),
        click.Option(["--database"], metavar="D", help="The database: a name, a path (/… or ./…), or a URL."),
        click.Option(["--password-file"], type=NAMED, metavar="F", help="The user's password, in file F."),
        click.Option(["--json"], is_flag=True, help="JSON on standard output, and errors as JSON on standard error."),
        click.Option(["-q", "--quiet"], is_flag=True, help="No notes, and no word on a miss."),
        click.Option(["-v", "--verbose"], is_flag=True, help="Tell on standard error what was done."),
        click.Option(["--raw"], is_flag=True, help="The bytes as they are, on a terminal too."),
        click.Option(["--no-color", "color"], is_flag=True, flag_value=False, default=True, help="No colour and no emoji."),
    ]


def take_flags(session: Session, params: dict[str, Any]) -> None:
    """Moves the common options from click's parameters into the session; those after the verb come second and win."""
    session.forget_context()
    for name in ("project", "namespace", "user", "meta", "cursor", "database", "password_file"):
        if (value := params.pop(name)) is not None:
            setattr(session.flags, name, value)
    for name in ("json", "quiet", "verbose", "raw"):
        setattr(session.flags, name, params.pop(name) or getattr(session.flags, name))
    session.flags.color = params.pop("color") and session.flags.color
    if (delim := params.pop("delim")) is not None:
        session.flags.delim = check_delimiter(delim)


class Verb(click.Command):
    """A verb: takes the common options, and calls its body with the session. Help is asked for by `--help` alone.

    Among other arguments `--help` may be a value that somebody passes on: printing help then, with status 0, would drop it silently.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "add_help_option": False})
        self.params += common()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """click's, after a look for help."""
        asked = args[:1] == ["help"] and not any(isinstance(param, click.Argument) for param in self.params)
        if len(args) == 1 and (args[0] in HELP or asked):
            raise HelpWanted(ctx)
        with _placed(ctx):
            return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verb's own options; the common ones, which `prontodb help` tells of, by their names."""
        own = [record for param in self.params[: -len(common())] if (record := param.get_help_record(ctx))]
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        with formatter.section("Everywhere (see prontodb help)"):
            formatter.write_text(" ".join(param.opts[0] for param in common()))

    def invoke(self, ctx: click.Context) -> int:
        """Runs the body; the exit status."""
        session: Session = ctx.obj
        take_flags(session, ctx.params)
        assert self.callback is not None
        return int(self.callback(session, **ctx.params) or 0)


class Verbs(click.Group):
    """A group whose commands are imported when they are called; `rows` is its table."""

    def __init__(self, rows: dict[str, Row], **kwargs: Any) -> None:
        super().__init__(**kwargs, add_help_option=False, no_args_is_help=False)
        self.rows = rows
        self.params += common()

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The verbs, in the order of the table."""
        return list(self.rows)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of a verb."""
        row = self.rows.get(name)
        if row is None:
            return None
        return _command(row)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """click's, after a look for help."""
        if args and (args[0] in HELP or (args[0] == "help" and "help" not in self.rows)):
            raise HelpWanted(ctx)
        with _placed(ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """click's, with the nearest verb where there is none of that name."""
        if args[0] not in self.rows:
            if ctx.parent is None and meant_for_eval(args):
                # What asks for shell code is evaluated, and nothing at all would be a success.
                ctx.obj.stdout.write(FALSE)
            raise unknown(args, self.rows, ctx.command_path)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> int:
        """Takes the options before the verb, then runs it; the exit status."""
        take_flags(ctx.obj, ctx.params)
        if ctx.params.pop("version", False):
            return print_version(ctx.obj)
        return int(super().invoke(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs in sections, from the table; then the options."""
        for section in dict.fromkeys(row.section for row in self.rows.values()):
            with formatter.section(section):
                formatter.write_dl([(verb, row.summary) for verb, row in self.rows.items() if row.section == section])
        click.Command.format_options(self, ctx, formatter)


@contextmanager
def _placed(ctx: click.Context) -> Iterator[None]:
    """Tells a mistake in an option where it was made, which click's parser leaves out."""
    try:
        yield
    except click.UsageError as error:
        error.ctx = error.ctx or ctx
        raise


def print_version(session: Session) -> int:
    """The version, on standard output."""
    session.stdout.write(f"prontodb {__version__}\n".encode())
    return 0


class HelpWanted(Exception):
    """Somebody asked for help on the command of this context."""

    def __init__(self, ctx: click.Context) -> None:
        super().__init__()
        self.ctx = ctx


def _command(row: Row) -> click.Command:
    command: click.Command = getattr(import_module(f".{row.module}", __package__), row.name)
    return command


def verb(cls: type[Verb] = Verb, **kwargs: Any) -> Callable[[Callable[..., int]], click.Command]:
    """Makes a verb of its body. The body's docstring is the help; its arguments are the session and click's parameters."""
    return click.command(cls=cls, **kwargs)


@cache
def root() -> Verbs:
    """The command tree: made once in a process, since a call leaves nothing in it."""
    group = Verbs(
        VERBS,
        name="prontodb",
        help=ROOT_HELP,
        epilog="prontodb help VERB tells more; prontodb help addresses, formats, errors, exit-codes too.",
    )
    group.params.append(click.Option(["--version"], is_flag=True, help="Print the version."))
    return group


def run(argv: Sequence[str], session: Session) -> int:
    """Runs a command line; the exit status. Raises `ProntoError` and nothing of click's."""
    try:
        if not argv and session.stdin.is_terminal():
            argv = HELP[:1]
        with root().make_context("prontodb", list(argv), obj=session, max_content_width=100) as ctx:
            return int(ctx.command.invoke(ctx))
    except HelpWanted as wanted:
        session.stdout.write(wanted.ctx.get_help().encode() + b"\n")
        return 0
    except click.UsageError as error:
        if error.ctx is not None and error.ctx.parent is None and for_eval(argv):
            session.stdout.write(FALSE)
        raise _looked_at(session, argv, explained(error)) from error
    except ProntoError as error:
        raise _looked_at(session, argv, error) from error


def _looked_at(session: Session, argv: Sequence[str], error: ProntoError) -> ProntoError:
    """The error, once it is known whether something was piped to a call that never came to read it."""
    from .leftover import look

    if session.piped is None:
        look(session, argv, lambda name: _command(VERBS.get(name) or XSTREAM_VERBS[name]).params)
    return error
