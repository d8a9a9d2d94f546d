"""What a shell pays for ProntoDB: sourcing what `shell init` has printed to a file, and calls of the function in a loop."""

import subprocess

from .clock import Command
from .rows import Maker, more, ratio
from .startup import KEY, SELECT, SMALL, VALUE
from .world import BIN, World

CALLS = 1000
FASTER = 25
"""Times that a call of the function is to be faster than one of the sqlite3 command."""
QUIET = {"bash": ("--norc", "--noprofile"), "zsh": ("-f",)}
"""Options with which a shell starts without the files of its user."""


def _start(world: World, shell: str, script: str) -> Command:
    return world.tool(shell, *QUIET[shell], "-c", script, shows=b"")


def _init(world: World, shell: str) -> str:
    path = f"{world.folder}/init.{shell}"
    with open(path, "wb") as file:
        subprocess.run([f"{BIN}/prontodb", "shell", "init", shell], env=world.env, stdout=file, check=True)
    return path


def _sourcing(world: World, shell: str) -> Command:
    return _start(world, shell, f". '{_init(world, shell)}'")


def _calling(world: World, shell: str) -> Command:
    """A loop of `pronto get -v`, the start of the helper included."""
    database = world.database("small", SMALL)
    loop = f'for ((i = 0; i < {CALLS}; i++)); do pronto get -v V a.b.{KEY}; done; printf %s "$V"'
    return world.tool(shell, *QUIET[shell], "-c", f"export PRONTO_DB='{database}'; . '{_init(world, shell)}'; {loop}", shows=VALUE)


def _peer(world: World, shell: str) -> Command:
    """So many calls of the sqlite3 command that the limit of the row is one."""
    call = f"sqlite3 '{world.database('small', SMALL)}' \"{SELECT}\" >/dev/null"
    return _start(world, shell, f"for ((i = 0; i < {CALLS // FASTER}; i++)); do {call}; done")


def _evaluating(world: World, shell: str) -> Command:
    return _start(world, shell, f"eval \"$('{BIN}/prontodb' shell init {shell})\"")


COMMANDS: dict[str, Maker] = {
    "bash": lambda world: _start(world, "bash", ":"),
    "bash, sourcing": lambda world: _sourcing(world, "bash"),
    "bash, eval": lambda world: _evaluating(world, "bash"),
    "zsh": lambda world: _start(world, "zsh", ":"),
    "zsh, sourcing": lambda world: _sourcing(world, "zsh"),
    "zsh, eval": lambda world: _evaluating(world, "zsh"),
    f"bash, {CALLS} gets": lambda world: _calling(world, "bash"),
    f"zsh, {CALLS} gets": lambda world: _calling(world, "zsh"),
    f"bash, {CALLS // FASTER} sqlite3": lambda world: _peer(world, "bash"),
    f"zsh, {CALLS // FASTER} sqlite3": lambda world: _peer(world, "zsh"),
}

ROWS = (
    more("source-bash", "bash that sources the file from `shell init bash`", 5, ("bash, sourcing", "bash"), ("bash, eval",)),
    ratio(
        "helper-bash",
        "loop of `pronto get -v` in bash, a call 25 times as fast",
        1,
        (f"bash, {CALLS} gets", f"bash, {CALLS // FASTER} sqlite3"),
    ),
    ratio("helper-zsh", "the same in zsh", 1, (f"zsh, {CALLS} gets", f"zsh, {CALLS // FASTER} sqlite3")),
    more("source-zsh", "zsh that sources the file from `shell init zsh`", 5, ("zsh, sourcing", "zsh"), ("zsh, eval",)),
)
