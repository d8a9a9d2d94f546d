"""What a shell pays for ProntoDB: sourcing what `shell init` has printed to a file, and calls of the function in a loop."""

import os
import subprocess

from .clock import Command
from .rows import Maker, Row, more, ratio
from .startup import KEY, SELECT, SMALL, VALUE
from .world import BIN, World

GETS = 5000
"""Calls in the loop, among which the start of the helper counts for little."""
CALLS = 1000
SUBSTITUTIONS = 200
HUNDRED = 100_000
FIRST = f"pronto get -v V a.b.{KEY}"
"""What starts the helper."""
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
    loop = f'for ((i = 0; i < {GETS}; i++)); do pronto get -v V a.b.{KEY}; done; printf %s "$V"'
    return world.tool(shell, *QUIET[shell], "-c", f"export PRONTO_DB='{database}'; . '{_init(world, shell)}'; {loop}", shows=VALUE)


def _peer(world: World, shell: str) -> Command:
    """So many calls of the sqlite3 command that the limit of the row is one."""
    call = f"sqlite3 '{world.database('small', SMALL)}' \"{SELECT}\" >/dev/null"
    return _start(world, shell, f"for ((i = 0; i < {GETS // FASTER}; i++)); do {call}; done")


def _loaded(world: World, shell: str, script: str, count: int = SMALL) -> Command:
    """A script in a shell with the functions, on a database of so many entries."""
    database = world.database(f"helped-{count}", count)
    return _start(world, shell, f"export PRONTO_DB='{database}'; . '{_init(world, shell)}'; {script}")


def _substituting(world: World, shell: str, call: str, count: int) -> Command:
    return _loaded(world, shell, f"{FIRST}; for ((i = 0; i < {count}; i++)); do V=$({call}); done")


def _megabyte(world: World, shell: str) -> Command:
    """A value of 1 MB, read once more than in the command beside it."""
    make = f"head -c 1000000 /dev/zero | tr '\\0' x | '{BIN}/prontodb' set a.b.large"
    return _loaded(
        world, shell, f"{FIRST}; [[ -e '{world.folder}/large' ]] || {{ {make}; : >'{world.folder}/large'; }}; pronto get -v V a.b.large"
    )


def _evaluating(world: World, shell: str) -> Command:
    return _start(world, shell, f"eval \"$('{BIN}/prontodb' shell init {shell})\"")


def _shells(shell: str) -> dict[str, Maker]:
    """What is measured in each of them."""
    asking = f"__prontodb_addresses pronto a.b.key00005 >'{os.devnull}'"
    return {
        f"{shell}, first get": lambda world: _loaded(world, shell, FIRST),
        f"{shell}, 1 MB": lambda world: _megabyte(world, shell),
        f"{shell}, {SUBSTITUTIONS} substitutions": lambda world: _substituting(world, shell, f"pronto get a.b.{KEY}", SUBSTITUTIONS),
        f"{shell}, {2 * SUBSTITUTIONS} printf": lambda world: _substituting(world, shell, "printf v", 2 * SUBSTITUTIONS),
        f"{shell}, first of 100,000": lambda world: _loaded(world, shell, FIRST, HUNDRED),
        f"{shell}, {CALLS} incr": lambda world: _loaded(
            world, shell, f"{FIRST}; for ((i = 0; i < {CALLS}; i++)); do pronto incr a.counters.n; done >/dev/null"
        ),
        f"{shell}, TAB": lambda world: _loaded(world, shell, f"{FIRST}; {asking}", HUNDRED),
    }


def _rows(shell: str) -> tuple[Row, ...]:
    return (
        more(
            f"first-{shell}",
            f"first `pronto get -v` in {shell}, the start of the helper included",
            80,
            (f"{shell}, first get", f"{shell}, sourcing"),
        ),
        more(
            f"incr-{shell}",
            f"loop of {CALLS:,} `pronto incr` in {shell}: 3,000 a second",
            CALLS // 3,
            (f"{shell}, {CALLS} incr", f"{shell}, first get"),
        ),
        more(f"large-{shell}", f"a value of 1 MB into a variable of {shell}", 25, (f"{shell}, 1 MB", f"{shell}, first get")),
        ratio(
            f"subshell-{shell}",
            f"loop of `$(pronto get A)` in {shell}, against two of `$(printf v)`",
            1,
            (f"{shell}, {SUBSTITUTIONS} substitutions", f"{shell}, {2 * SUBSTITUTIONS} printf"),
        ),
        more(f"tab-{shell}", f"completion of an address among 100,000 in {shell}", 50, (f"{shell}, TAB", f"{shell}, first of 100,000")),
    )


COMMANDS: dict[str, Maker] = {
    "bash": lambda world: _start(world, "bash", ":"),
    "bash, sourcing": lambda world: _sourcing(world, "bash"),
    "bash, eval": lambda world: _evaluating(world, "bash"),
    "zsh": lambda world: _start(world, "zsh", ":"),
    "zsh, sourcing": lambda world: _sourcing(world, "zsh"),
    "zsh, eval": lambda world: _evaluating(world, "zsh"),
    f"bash, {GETS} gets": lambda world: _calling(world, "bash"),
    f"zsh, {GETS} gets": lambda world: _calling(world, "zsh"),
    **_shells("bash"),
    **_shells("zsh"),
    f"bash, {GETS // FASTER} sqlite3": lambda world: _peer(world, "bash"),
    f"zsh, {GETS // FASTER} sqlite3": lambda world: _peer(world, "zsh"),
}

ROWS = (
    more("source-bash", "bash that sources the file from `shell init bash`", 5, ("bash, sourcing", "bash"), ("bash, eval",)),
    ratio(
        "helper-bash",
        "loop of `pronto get -v` in bash, a call 25 times as fast",
        1,
        (f"bash, {GETS} gets", f"bash, {GETS // FASTER} sqlite3"),
    ),
    ratio("helper-zsh", "the same in zsh", 1, (f"zsh, {GETS} gets", f"zsh, {GETS // FASTER} sqlite3")),
    *_rows("bash"),
    *_rows("zsh"),
    more("source-zsh", "zsh that sources the file from `shell init zsh`", 5, ("zsh, sourcing", "zsh"), ("zsh, eval",)),
)
