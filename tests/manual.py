"""The manual pages prontodb(1) and prontodb-stream(5), made from the command tree, the topics and the tables of the code."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

import prontodb
from prontodb.cli import group, statuses, topics
from prontodb.cli.group import Verbs
from prontodb.settings import SETTINGS

from . import reference_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

ESCAPED = {"\\": r"\e", "-": r"\-", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga", "'": r"\(aq", '"': r"\(dq"}
"""What roff would take for something else, or print as something that cannot be typed."""

DATED = "2026-11-23"
"""When somebody last looked at the pages as a whole. Not the day they were made: the same code makes the same text."""

FILES = (
    ("$XDG_DATA_HOME/prontodb/NAME.db", "A database; of a named user, NAME_USER.db. Else below ~/.local/share."),
    ("$XDG_DATA_HOME/prontodb/NAME.db-bulk/", "Its values of 16 MiB and more. Whoever copies a database by hand takes both."),
    ("$XDG_STATE_HOME/prontodb/rescue/", "Rescued content that no database could take. Else below ~/.local/state."),
    ("$XDG_CONFIG_HOME/prontodb/config.toml", "Settings. Else below ~/.config."),
    ("$XDG_CONFIG_HOME/prontodb/profiles.toml", "Profiles; those in /etc/prontodb/profiles.toml win."),
    ("$XDG_CONFIG_HOME/prontodb/templates/", "One's own templates of shell functions."),
)
EXAMPLES = (
    (
        "Any bytes go in through a pipe and come out as they went in.",
        "git log -5 | prontodb set work.notes.log\nprontodb get work.notes.log",
    ),
    ("Many values at once, all of them or none.", 'echo "meta:path=work.config; host=db.example; port=5432" | prontodb stream'),
    ("Settings into variables of a shell.", 'eval "$(prontodb scan work.config --sh)"'),
    ("What waits in the pipe cache, and home with one of them.", "prontodb rescue list\nprontodb copy pipe.cache.KEY work.notes.saved"),
)
STREAM_EXAMPLES = (
    ("A stream that is stored.", """echo "ns=animals; dog=fido; plants:rose='red, white'" | prontodb stream -p work"""),
    ("What it would do.", 'echo "meta:path=work.cache; meta:ttl=15m; token=abc" | prontodb stream --dry-run'),
    ("A namespace, copied to another database.", "prontodb scan work.cache --stream | prontodb stream --database other"),
)
STREAM_FORMAT = """
A token stream is text that a shell script can write, and that still holds any bytes. prontodb stream reads it, scan --stream and
export --format stream write it; what they write reads back to the same entries.

Values are bytes; namespaces and keys are UTF-8. There is no white space within a namespace or a key, nor around the equals sign. A
value without quotes ends at the semicolon; a new line in the middle of it is an error, for a semicolon was probably forgotten.

What is malformed is told with line, column and the token; nothing of the stream is stored then, and what was piped is kept in the
pipe cache.
"""


def command() -> str:
    """prontodb(1)."""
    root = group.root()
    return _page(
        ("PRONTODB", "1", "User Commands"),
        ("NAME", _text("prontodb - a namespaced key-value store for the shell")),
        ("SYNOPSIS", ".B prontodb\n[\\fIOPTION\\fR]... \\fIVERB\\fR [\\fIARGUMENT\\fR]..."),
        ("DESCRIPTION", _paragraphs(root.help or "")),
        ("OPTIONS", _text("Before the verb or after it.") + "\n" + _options(root.params)),
        *((section.upper(), "\n".join(_verb(path, item) for path, item in found)) for section, found in _sections(root)),
        ("ADDRESSES", _verbatim(topics.ADDRESSES)),
        ("FORMATS OF LISTINGS", _verbatim(topics.FORMATS)),
        ("EXIT STATUS", "\n".join(_item(str(status), meaning) for status, meaning in statuses.STATUSES.items())),
        ("SETTINGS", _settings()),
        ("ENVIRONMENT", "\n".join(_item(name, _plain(reference_pages.meaning(name))) for name in sorted(reference_pages.variables()))),
        ("FILES", "\n".join(_item(*row) for row in FILES)),
        ("EXAMPLES", "\n.PP\n".join(_example(*row) for row in EXAMPLES)),
        ("SEE ALSO", ".BR prontodb\\-stream (5),\n.BR sqlite3 (1)"),
    )


def stream_format() -> str:
    """prontodb-stream(5)."""
    return _page(
        ("PRONTODB-STREAM", "5", "File Formats"),
        ("NAME", _text("prontodb-stream - the text format of ProntoDB's token streams")),
        ("SYNOPSIS", _verbatim("x\n\n  [NAMESPACE:]KEY=VALUE; ...")),
        ("DESCRIPTION", _paragraphs(STREAM_FORMAT)),
        ("GRAMMAR", _verbatim(topics.STREAMS)),
        ("EXAMPLES", "\n.PP\n".join(_example(*row) for row in STREAM_EXAMPLES)),
        ("SEE ALSO", ".BR prontodb (1)"),
    )


def _page(head: tuple[str, str, str], *sections: tuple[str, str]) -> str:
    name, number, volume = head
    lines = [
        r".\" Made from the code by python -m tests.reference.",
        f'.TH "{_text(name)}" {number} {DATED} "ProntoDB {prontodb.__version__}" "{volume}"',
    ]
    return "\n".join([*lines, ".nh", ".ad l", *(f'.SH "{title}"\n{body}' for title, body in sections)]) + "\n"


def _sections(root: Verbs) -> list[tuple[str, list[tuple[str, click.Command]]]]:
    """The sections of the help, each with its verbs and those below them."""
    found: dict[str, list[tuple[str, click.Command]]] = {}
    for name, row in root.rows.items():
        found.setdefault(row.section, []).extend(_tree(name, _command(root, name)))
    return list(found.items())


def _tree(path: str, item: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield path, item
    for name in item.rows if isinstance(item, Verbs) else ():
        yield from _tree(f"{path} {name}", _command(item, name))


def _command(parent: Verbs, name: str) -> click.Command:
    found = parent.get_command(click.Context(parent), name)
    assert found
    return found


def _verb(path: str, item: click.Command) -> str:
    """One verb: how it is called, what it does, its own options, an example."""
    own = [param for param in item.params[: -len(group.common())] if isinstance(param, click.Option)]
    context = click.Context(item, info_name=path)
    words = [word for word in item.collect_usage_pieces(context) if word != "[OPTIONS]" or own]
    parts = [f".SS {_text(' '.join(['prontodb', path, *words]), fill=False)}", _paragraphs(item.help or "")]
    parts += [_options(own)] if own else []
    if item.epilog:
        parts.append(".PP\n" + _example("Example:", item.epilog.removeprefix("Example:").strip()))
    return "\n".join(parts)


def _options(params: list[click.Parameter] | list[click.Option]) -> str:
    context = click.Context(click.Command("prontodb"))
    records = [record for param in params if isinstance(param, click.Option) and (record := param.get_help_record(context))]
    return "\n".join(_item(*record) for record in records)


def _settings() -> str:
    rows = [_item(name, f"{setting.wanted}. Else {setting.default}.") for name, setting in SETTINGS.items()]
    return "\n".join([_text("In the environment as PRONTO_NAME, or in the file of settings."), *rows])


def _item(term: str, text: str) -> str:
    return f".TP\n.B {_text(term, fill=False)}\n{_text(text)}"


def _example(text: str, lines: str) -> str:
    return f"{_text(text)}\n.PP\n.RS 4\n.nf\n{_lines(lines)}\n.fi\n.RE"


def _verbatim(topic: str) -> str:
    """A topic without its title, line for line."""
    return f".nf\n{_lines(topic.partition(chr(10))[2].strip(chr(10)))}\n.fi"


def _lines(text: str) -> str:
    return "\n".join(_text(line.removeprefix("  "), fill=False) if line else ".sp" for line in text.splitlines())


def _paragraphs(text: str) -> str:
    return "\n.PP\n".join(_text(part) for part in text.replace("\b\n", "").strip().split("\n\n"))


def _plain(text: str) -> str:
    return text.replace("`", "")


def _text(text: str, *, fill: bool = True) -> str:
    """Text that roff prints as it is; with `fill`, as words of a paragraph."""
    lines = textwrap.wrap(text, 64, break_long_words=False, break_on_hyphens=False) if fill else [text]
    return "\n".join(_escaped(line) for line in lines)


def _escaped(line: str) -> str:
    escaped = "".join(ESCAPED.get(char) or (char if char.isascii() else f"\\[u{ord(char):04X}]") for char in line)
    return f"\\&{escaped}" if line.startswith((".", "'")) else escaped
