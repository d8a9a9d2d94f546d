"""Options that several verbs have, and that mean the same to each."""

import click

from .kinds import NAMED

from_option = click.option(
    "--from", "source", type=NAMED, metavar="F", help="Take the addresses from file F, a line each; - for standard input."
)
null_option = click.option("-0", "--null", is_flag=True, help="Separate by NUL instead of newline.")
reveal_option = click.option("--reveal", is_flag=True, help="Show secrets also where standard output is no terminal.")
context_option = click.option(
    "--context", "over", metavar="C[,C...]", help="Look under these contexts, the first that is there wins; then at the plain key."
)
ttl_option = click.option("--ttl", metavar="D", help="How long it lives: seconds, or 15m, 1h30m, 7d.")
