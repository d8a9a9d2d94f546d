"""Verbs that look at generated code: what it can be made from, whether it is sound, whether the shell that runs it is in order."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..session import Session

from .. import render
from ..errors import ProntoError
from ..shellgen import SUFFIX, Templates
from ..shellwords import SHELLS
from . import diagnosis
from .group import verb
from .tables import show

TOOLS = {
    "bash": (("bash", "-n"), ("shellcheck", "--shell=bash"), ("shfmt", "--diff", "--indent=4", "--language-dialect=bash")),
    "zsh": (("zsh", "-f", "-n"), ("shfmt", "--diff", "--indent=4", "--language-dialect=zsh")),
    "fish": (("fish", "--no-config", "--no-execute"), ("fish_indent", "--check")),
}
"""What looks at a file, in each shell's own terms."""
OK, FAILED, MISSING = "ok", "failed", "not installed"


@verb(epilog="Example: prontodb shell templates")
def templates(session: Session) -> int:
    """List what wrappers can be made from, your own templates first."""
    found = Templates(session.environ)
    rows = [
        {"name": name, "whose": whose, "file": file, "shells": shells}
        for shells in ("bash zsh", "fish")
        for name, (file, whose) in found.names(shells.split()[0]).items()
    ]
    return show(session, ("name", "whose", "file", "shells"), rows)


@verb(epilog="Example: prontodb shell check ~/.config/prontodb/acme.bash")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--shell", "kind", metavar="SHELL", type=click.Choice(SHELLS), help="The shell it is for, where the file does not tell.")
def check(session: Session, files: tuple[str, ...], kind: str | None) -> int:
    """Check files of shell code in the real shell, with shellcheck and with shfmt where they are installed; templates by their rules.

    What they find goes to standard error; with --json it is part of the rows. The exit status is 1 where something is wrong.
    """
    rows = [row for file in files for row in _checked(session, file, kind)]
    show(session, ("file", "check", "result"), rows)
    failed = [row for row in rows if row["result"] == FAILED]
    for row in [] if session.flags.json else failed:
        for line in row["output"].split("\n"):
            render.line(session.stderr, line.replace("\t", "    "))
    return int(bool(failed))


@verb(epilog="Example: pronto shell doctor ~/.config/prontodb/*.bash")
@click.argument("files", metavar="[FILE...]", nargs=-1)
def doctor(session: Session, files: tuple[str, ...]) -> int:
    """Tell whether this shell is set up, current and not shadowed; and of each generated FILE, whether it is stale.

    Called as `pronto shell doctor` it knows what only the shell itself can see. The exit status is 1 where something is wrong.
    """
    rows = [*diagnosis.shell(session), *(diagnosis.file(session, file) for file in files)]
    show(session, ("check", "state", "cure"), [row.__dict__ for row in rows])
    return int(any(row.cure for row in rows))


def _checked(session: Session, file: str, kind: str | None) -> Iterator[dict[str, str]]:
    path = os.path.join(session.cwd, file)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as text:
            first = text.readline()
    except OSError as error:
        yield _row(file, "file", f"{file}: cannot be read: {error.strerror}")
        return
    if path.endswith(SUFFIX):
        yield _row(file, "template", _template(session, path))
        return
    for tool in TOOLS[kind or _kind(path, first)]:
        yield _row(file, tool[0], _run(session, (*tool, path)))


def _row(file: str, tool: str, output: str | None) -> dict[str, str]:
    """`output` is what was found wrong, or None where nothing could look."""
    return {"file": file, "check": tool, "result": MISSING if output is None else FAILED if output else OK, "output": output or ""}


def _template(session: Session, path: str) -> str:
    try:
        Templates(session.environ).lint(path)
    except ProntoError as error:
        return f"{error.message}\n{error.cure}".strip()
    return ""


def _run(session: Session, tool: Sequence[str]) -> str | None:
    found = shutil.which(tool[0], path=session.environ.get("PATH", os.defpath))
    if found is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the tools named above, on a file that was named
            [found, *tool[1:]], stdin=subprocess.DEVNULL, capture_output=True, env=dict(session.environ), check=False
        )
    except OSError as error:
        return f"{found}: {error.strerror}"
    said = (done.stdout + done.stderr).decode("utf-8", "surrogateescape").strip()
    return said or (f"{tool[0]} ended with status {done.returncode}" if done.returncode else "")


def _kind(path: str, first: str) -> str:
    """By the stamp, the name, or the first line."""
    spec = diagnosis.spec(first)
    if spec:
        return str(spec["shell"])
    if path.endswith(".fish") or (first.startswith("#!") and "fish" in first):
        return "fish"
    named = path.endswith(".zsh") or os.path.basename(path).startswith((".zsh", ".zprofile", ".zlog"))
    return "zsh" if named or (first.startswith("#!") and "zsh" in first) else "bash"
