"""What a shell's start pays for ProntoDB: sourcing what `shell init` has printed to a file."""

import subprocess

from .clock import Command
from .rows import Maker, more
from .world import BIN, World

QUIET = {"bash": ("--norc", "--noprofile"), "zsh": ("-f",)}
"""Options with which a shell starts without the files of its user."""


def _start(world: World, shell: str, script: str) -> Command:
    return world.tool(shell, *QUIET[shell], "-c", script, shows=b"")


def _sourcing(world: World, shell: str) -> Command:
    path = f"{world.folder}/init.{shell}"
    with open(path, "wb") as file:
        subprocess.run([f"{BIN}/prontodb", "shell", "init", shell], env=world.env, stdout=file, check=True)
    return _start(world, shell, f". '{path}'")


def _evaluating(world: World, shell: str) -> Command:
    return _start(world, shell, f"eval \"$('{BIN}/prontodb' shell init {shell})\"")


COMMANDS: dict[str, Maker] = {
    "bash": lambda world: _start(world, "bash", ":"),
    "bash, sourcing": lambda world: _sourcing(world, "bash"),
    "bash, eval": lambda world: _evaluating(world, "bash"),
    "zsh": lambda world: _start(world, "zsh", ":"),
    "zsh, sourcing": lambda world: _sourcing(world, "zsh"),
    "zsh, eval": lambda world: _evaluating(world, "zsh"),
}

ROWS = (
    more("source-bash", "bash that sources the file from `shell init bash`", 5, ("bash, sourcing", "bash"), ("bash, eval",)),
    more("source-zsh", "zsh that sources the file from `shell init zsh`", 5, ("zsh, sourcing", "zsh"), ("zsh, eval",)),
)
