"""Help on errors: for each kind its name, exit status and meaning, which its class has, how its message reads, and what mends it.

`prontodb help errors` shows it, and docs/reference/errors.md is made of it.
"""

from __future__ import annotations

import re
from importlib import import_module
from textwrap import wrap
from typing import TYPE_CHECKING

from ..errors import ProntoError, UsageError
from ..suggest import nearest
from .statuses import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 96
RESCUED = "rescued"
"""What a rescue is called here: for a script its kind is that of the error which caused it."""
HEAD = """\
Errors

  A message says what is wrong, and after "Cure:" what mends it. With --json, standard error has
  one object with the kind of the error as "error", its exit status as "code" and the message as
  "reason". prontodb help errors KIND tells more of one, prontodb help errors STATUS of all that
  end with a status."""


class Kind:
    """One kind of error: where its class is, how its messages read (the commonest first; capitals stand for what differs), and the cure."""

    __slots__ = ("cure", "shapes", "where")

    def __init__(self, where: str, shapes: str, cure: str) -> None:
        self.where = where
        self.shapes = shapes.splitlines()
        self.cure = cure

    @property
    def error(self) -> type[ProntoError]:
        """The class."""
        module, _, name = self.where.partition(":")
        found: type[ProntoError] = getattr(import_module(f"..{module}", __package__), name)
        return found

    @property
    def name(self) -> str:
        """What `--json` calls it."""
        return RESCUED if self.where.endswith(":Rescued") else self.error.slug

    @property
    def meaning(self) -> str:
        """The first words of the class, which say what it means."""
        said = (self.error.__doc__ or "").partition("\n\n")[0]
        return re.sub(r" \(DESIGN §\d+\)", "", " ".join(said.split())).replace("`", "")

    def calls_itself(self, name: str) -> bool:
        """Whether it is meant by a name: that of --json, or that of its class in Python."""
        return name.lower() in (self.name, self.where.partition(":")[2].lower())


KINDS = (
    Kind(
        "errors:ProntoError", "Internal error: WHY\nCannot read PATH: WHY", "PRONTO_DEBUG=1 shows where an internal error arose; report it"
    ),
    Kind(
        "engines.failures:DamagedDatabase",
        "Database is damaged: PATH\nDatabase is damaged, or no database: PATH",
        "prontodb doctor tells more; prontodb repair, or restore",
    ),
    Kind("engines.failures:ForeignDatabase", "Not a ProntoDB database: PATH", "another file with --database"),
    Kind("engines.failures:NewerDatabase", "Database PATH was made by a newer ProntoDB (schema N)", "upgrade prontodb"),
    Kind(
        "engines.failures:ReadOnlyDatabase",
        "Database is read-only: PATH\nCannot write database PATH: WHY",
        "another one with --database, or make the file and its folder writable",
    ),
    Kind("engines.failures:StorageFull", "Disk is full: PATH", "free some space, and run it again"),
    Kind(
        "errors:StorageError",
        "Cannot use database PATH: WHY\nCannot write database PATH: WHY",
        "look at the file and its folder: do they exist, and whose are they?",
    ),
    Kind(
        "engines.pg_failures:SchemaMissing",
        "No ProntoDB schema at URL\nURL was made by an older ProntoDB (schema N)",
        "prontodb admin postgres init",
    ),
    Kind("engines.pg_failures:NotDurable", "URL could lose what it acknowledges: WHY", "the setting that the message names"),
    Kind("errors:OutputError", "Cannot write standard output: WHY", "free some space where it goes"),
    Kind("formats:Unrepresentable", "Cannot write ADDRESS in this format: WHY", "another format, such as --json; or --var-prefix"),
    Kind("spool:ContentLost", "LOST: N bytes of piped content could not be kept anywhere", "free some space, and make the content again"),
    Kind("ops.archive:DamagedBackup", "Cannot use backup FILE: WHY", "prontodb backup --list shows others"),
    Kind("shellgen:InvalidTemplate", "Template FILE, line N: WHY", "mend the template; prontodb shell check FILE looks at it"),
    Kind("interchange:MalformedImport", "Line N cannot be imported: WHY", "--format names another format; nothing was stored"),
    Kind("ops.variables:NoVariable", "ADDRESS cannot become a variable: WHY", "--var-prefix, --allow-unsafe or another --place"),
    Kind("interchange:Unwritable", "Cannot write ADDRESS as FORMAT: WHY", "--format ndjson, or export-fs"),
    Kind(
        "errors:Miss",
        "No such key: ADDRESS\nNothing rescued as: ADDRESS\nADDRESS had no value at WHEN, or none that is kept",
        "prontodb keys PLACE lists what is there; get --default V prints V instead",
    ),
    Kind(
        "engines.failures:PreconditionFailed",
        "ADDRESS exists already\nADDRESS has another value\nADDRESS does not hold an integer",
        "look at what is there (get, get --rev), and decide anew",
    ),
    Kind("ops.leases:LeaseHeld", "ADDRESS is held by WHOM, for N more seconds at most", "--wait 5m waits for it"),
    Kind("engines.failures:LeaseLost", "ADDRESS is not held with token N", "stop what relies on it, and claim it anew"),
    Kind(
        "salvage:Rescued",
        "WHY - content cached as: pipe.cache.NAME",
        "prontodb copy pipe.cache.NAME ADDRESS; prontodb rescue list shows all there is",
    ),
    Kind(
        "intake:Interrupted",
        "WHY after N bytes - what had come is cached as: pipe.cache.NAME",
        "prontodb copy pipe.cache.NAME ADDRESS, or run it again",
    ),
    Kind("errors:Busy", "Database is busy: PATH", "run it again, or wait longer with PRONTO_BUSY_TIMEOUT=SECONDS"),
    Kind("engines.pg_failures:Unconfirmed", "URL may have stored it, or not: WHY", "look whether it is there; then run it again"),
    Kind("ops.patience:TimedOut", "Waited N seconds: WHY\nNot so: CONDITION", "wait longer, with --wait or --timeout"),
    Kind(
        "errors:Denied",
        "OPTION says WHAT, but it is pinned to WHAT\nStrict mode: no profile allows CONTEXT to 'NAME'\n"
        "User 'NAME' has a password, and there is no session",
        "prontodb where tells what is pinned; prontodb profile list what is allowed; prontodb login opens a session",
    ),
    Kind("ops.secrets:Secret", "ADDRESS is a secret, and standard output is no terminal", "--reveal, where you mean it"),
    Kind("api.seats:ClosedDatabase", "The database is closed", "open it again with prontodb.open()"),
    Kind("features:FeatureOff", "The feature 'NAME' is switched off", "PRONTO_FEATURES=NAME; prontodb features lists them"),
    Kind(
        "errors:InvalidAddress",
        "Invalid address 'TEXT': WHY",
        "prontodb help addresses tells what one looks like: project.namespace.key, or project.namespace.key__context",
    ),
    Kind("errors:InvalidDatabase", "Invalid database 'TEXT': WHY", "--database with a name, a path that starts with / or ./, or a URL"),
    Kind("durations:InvalidDuration", "Invalid lifetime 'TEXT': WHY", "seconds, or 15m, 1h30m, 7d"),
    Kind("tomlfile:InvalidSetting", "Invalid setting NAME: 'TEXT'", "prontodb help settings tells what each takes"),
    Kind("conditions:MalformedCondition", "Malformed condition 'TEXT': column N: WHY", "prontodb wait 'work.jobs.state = done'"),
    Kind("ops.streamed:MalformedStream", "Malformed token stream: line N, column N: WHY", "prontodb help streams tells the form"),
    Kind(
        "errors:NoContent",
        "Nothing came in for ADDRESS\nThere is no token in the stream",
        "--allow-empty stores an empty value; a pipe needs a command that prints something",
    ),
    Kind(
        "errors:UsageError",
        "Unknown verb 'WORD'\nNo such option 'OPTION'\nMissing argument 'NAME'\nOPTION takes WHAT, not 'TEXT'",
        "prontodb help VERB shows what it takes; -- goes before a value that starts with '-'",
    ),
    Kind("cli.many:HoldsNul", "ADDRESS has a NUL in it, which no shell variable can hold", "prontodb get ADDRESS >FILE"),
    Kind("children:NotRun", "Cannot run PROGRAM: WHY", "chmod +x, if it is a program; fewer or smaller entries"),
    Kind("children:NoProgram", "No such command: PROGRAM", "name a program on the PATH, or its path"),
)
"""Every kind, in the order of their statuses."""


def text(words: Sequence[str] = ()) -> str:
    """The page of the kinds and statuses that were named; without any, the one of all. Raises `UsageError`."""
    return "\n\n".join(map(_page, words)) if words else overview()


def overview() -> str:
    """Every status, and below it its kinds with the commonest message of each."""
    return "\n".join([HEAD, "", *(line for status in STATUSES for line in _section(status))])


def _section(status: int) -> list[str]:
    return [f"  {status:4}  {STATUSES[status]}", *(f"          {kind.name:24} {kind.shapes[0]}" for kind in _of(status))]


def _page(word: str) -> str:
    if word.isdecimal() and int(word) in STATUSES:
        return status_page(int(word))
    found = next((kind for kind in KINDS if kind.calls_itself(word)), None)
    if found is None:
        names = [*(kind.where.partition(":")[2] for kind in KINDS), *(kind.name for kind in KINDS)]
        near = nearest(word, names)
        cure = f"did you mean prontodb help errors {near}?" if near else "prontodb help errors lists the kinds and the statuses"
        raise UsageError(f"No help on 'errors {word}': no kind of error is called that, and no exit status", cure=cure)
    return page(found)


def status_page(status: int) -> str:
    """A status, and its kinds in full."""
    return "\n\n".join([f"Exit status {status}: {STATUSES[status]}", *map(page, _of(status))])


def page(kind: Kind) -> str:
    """A kind in full."""
    head = f"{kind.name} (exit status {kind.error.code})"
    reads = [("Reads", kind.shapes[0]), *(("", shape) for shape in kind.shapes[1:])]
    rows = [f"{label:7}{said}" for label, said in [*reads, ("Cure", kind.cure)]]
    lines = [*wrap(kind.meaning, WIDTH), "", *(line for row in rows for line in wrap(row, WIDTH, subsequent_indent=" " * 7))]
    return "\n".join([head, "", *(f"  {line}".rstrip() for line in lines)])


def _of(status: int) -> list[Kind]:
    return [kind for kind in KINDS if kind.error.code == status]
