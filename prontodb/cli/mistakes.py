"""A wrong call in our words: what is wrong, and as its cure what the option takes, or an example of the verb.

click's own words differ from one of its versions to the next.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

from ..errors import UsageError
from ..shellwords import SHELLS
from ..suggest import nearest
from .table import GROUPS, SHELL_VERBS, VERBS

EXAMPLE = "Example: "
OTHER_NAMES = {
    "put": "set",
    "store": "set",
    "rm": "del",
    "remove": "del",
    "list": "keys",
    "cat": "get",
    "show": "get",
    "mv": "move",
    "cp": "copy",
}
"""What other programs call our verbs."""


def explained(error: click.UsageError) -> UsageError:
    """Our error for one of click's."""
    ctx = error.ctx
    message, cure = _told(error, ctx) if ctx else (_flat(error), "")
    return UsageError(message, cure="; ".join(filter(None, (cure, more(ctx)))).replace("?;", "?"))


def more(ctx: click.Context | None) -> str:
    """Where a cure tells more."""
    if ctx is None or ctx.parent is None:
        return "prontodb help lists the verbs, and the options of them all"
    return f"{ctx.command_path.replace('prontodb', 'prontodb help', 1)} shows what it takes"


def choice(words: Sequence[str], last: str = "or") -> str:
    """`a, b or c`."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def option_help(option: click.Parameter | None, ctx: click.Context | None) -> str:
    """What an option takes and does, as its help has it; "" for an argument."""
    record = option.get_help_record(ctx) if isinstance(option, click.Option) and ctx else None
    return f"{record[0]}: {record[1].partition('  [')[0].rstrip('.')}" if record else ""


def name_of(param: click.Parameter | None) -> str:
    """How a person calls an option or an argument: `--ttl`, `SHELL`."""
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    return "it" if param is None else param.metavar or str(param.name).upper()


def likely(word: str, known: Iterable[str]) -> str:
    """What was probably meant: what we call something that others call so, or what is spelled like it; "" for neither."""
    known = list(known)
    other = OTHER_NAMES.get(word.lower(), "")
    return other if other in known else nearest(word, known)


def unknown(args: Sequence[str], rows: Iterable[str], path: str) -> UsageError:
    """The error for words that begin with no verb, with the nearest one: of these, or one of a group, called without its name."""
    word = args[0].lower()
    inside = (f"{group} {verb}" for group, verbs in GROUPS.items() for verb in verbs if verb == word and path == "prontodb")
    near = (word not in OTHER_NAMES and next(inside, "")) or likely(word, rows)
    return UsageError(f"Unknown verb '{args[0]}'", cure=f"did you mean {path} {near}?" if near else f"{path} help lists the verbs")


def for_eval(argv: Sequence[str]) -> bool:
    """Whether a call whose options are wrong asks for shell code."""
    return any(word == "shell" and after in SHELL_VERBS for word, after in pairwise(argv))


def meant_for_eval(args: Sequence[str]) -> bool:
    """Whether a call of an unknown verb was meant to ask for shell code: `shel init`, `shell-init bash`, `init bash`."""
    if args[0] in ("init", "wrapper"):
        return True
    after = args[1] if len(args) > 1 else ""
    return likely(args[0], VERBS) == "shell" and (after in SHELLS or bool(likely(after, SHELL_VERBS)))


def _told(error: click.UsageError, ctx: click.Context) -> tuple[str, str]:
    """The message, and the first words of the cure."""
    if isinstance(error, click.NoSuchOption):
        # Without the dashes: they alone would make everything alike.
        likeliest = nearest(
            error.option_name.lstrip("-"), [name[2:] for param in ctx.command.params for name in param.opts if name[:2] == "--"]
        )
        near = [f"did you mean --{likeliest}?"] if likeliest else []
        return f"No such option '{error.option_name}'", "; ".join([*near, "-- goes before a value that starts with '-'"])
    if isinstance(error, click.BadOptionUsage):
        return _bad_option(error, ctx)
    if isinstance(error, click.MissingParameter):
        return _missing(error, ctx)
    if isinstance(error, click.BadParameter) and error.param and isinstance(error.param.type, click.Choice):
        return _no_choice(error, error.param, ctx)
    return _too_much_or_little(error, ctx)


def _too_much_or_little(error: click.UsageError, ctx: click.Context) -> tuple[str, str]:
    said = _flat(error)
    if "extra argument" in said:
        takes = any(isinstance(param, click.Argument) for param in ctx.command.params)
        if ctx.command.name == "get" and ctx.params.get("verbose"):
            # Not known here: the command cannot set a variable of the shell's.
            return said, "get -v VAR ADDRESS is for the function pronto, and VAR a variable's name"
        return said, "put quotes around what has spaces in it" if takes else f"{ctx.command_path} takes none"
    if isinstance(ctx.command, click.Group):
        return "A verb is missing", "" if ctx.parent is None else f"{ctx.command_path} {choice(ctx.command.list_commands(ctx))}"
    return said, ""


def _bad_option(error: click.BadOptionUsage, ctx: click.Context) -> tuple[str, str]:
    option = next((param for param in ctx.command.params if error.option_name in param.opts), None)
    if isinstance(option, click.Option) and option.is_flag:
        return f"Option '{error.option_name}' takes no value", option_help(option, ctx)
    count = "a value" if option is None or option.nargs == 1 else f"{option.nargs} values"
    return f"Option '{error.option_name}' needs {count}", option_help(option, ctx)


def _missing(error: click.MissingParameter, ctx: click.Context) -> tuple[str, str]:
    if isinstance(error.param, click.Option):
        return f"Missing option '{name_of(error.param)}'", option_help(error.param, ctx)
    of = f"it is {_choices(error.param)}" if error.param and isinstance(error.param.type, click.Choice) else ""
    epilog = ctx.command.epilog or ""
    example = f"for example {epilog.removeprefix(EXAMPLE)}" if epilog.startswith(EXAMPLE) else ""
    return f"Missing argument '{name_of(error.param)}'", "; ".join(filter(None, (of, example)))


def _no_choice(error: click.BadParameter, param: click.Parameter, ctx: click.Context) -> tuple[str, str]:
    given = error.message.partition(" is not one of ")[0]
    return f"{name_of(param)} takes {_choices(param)}, not {given}", option_help(param, ctx)


def _choices(param: click.Parameter) -> str:
    assert isinstance(param.type, click.Choice)
    return choice([str(kind) for kind in param.type.choices])


def _flat(error: click.UsageError) -> str:
    """The words of click, on one line."""
    return " ".join(error.format_message().split()).rstrip(".")
