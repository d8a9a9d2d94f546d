"""The pages of docs/reference beside the verbs and errors: settings, variables, exit statuses, tables, and what a shell says to its helper."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import prontodb
from prontodb import environment as known
from prontodb import settings as options
from prontodb.cli import errorpages, statuses
from prontodb.engines import pg_schema
from prontodb.engines import schema as sqlite_schema
from prontodb.helper import protocol as talk
from prontodb.paths import resource
from prontodb.resolve import PINS, VARIABLES

MADE = "Made from the code by `python -m tests.reference`."

MEANINGS = {
    "HOME": "The home folder, below which everything lies that no other variable places.",
    "NO_COLOR": "If set, no colour and no emoji.",
    "PANTHEON_SECURITY_MODE": "`strict` is the same as `PRONTO_SECURITY=strict`.",
    "PANTHEON_ACTIVE_KIN": "Locks the `pantheon` functions to one kin.",
    "PANTHEON_CURRENT_USER": "The kin that calls the `pantheon` functions; must be the one they are for.",
    "PANTH_HOME": "The folder of the `pantheon` flavour: databases, and the files of iterations.",
    "PATH": "Where `prontodb shell` looks for the tools that check shell files, and for a shadowed command.",
    "PGPASSFILE": "The file of passwords of PostgreSQL; else `~/.pgpass`.",
    "PGPASSWORD": "The password of a PostgreSQL login.",
    "PGSSLMODE": "How TLS is used with PostgreSQL, where the URL does not say; else `prefer`.",
    "PGSSLROOTCERT": "The certificates that a server's is checked against; else `~/.postgresql/root.crt`.",
    "PGUSER": "The PostgreSQL login, where the URL does not name one.",
    "PRONTO_ACTOR": "Who acts, as the history and leases tell it; else the user and the calling process.",
    "PRONTO_ADDRESS": "Set for the command of `watch`: the address that the event is about.",
    "PRONTO_CURSOR": "The cursor, as `--cursor`.",
    "PRONTO_DB": "The database, as `--database`.",
    "PRONTO_DEBUG": "If set, an internal error comes with its traceback.",
    "PRONTO_DISABLE_PROMPT": "If set, a pinned shell has no marker in its prompt.",
    "PRONTO_EVENT": "Set for the command of `watch`: `set`, `lifetime`, `deleted` or `expired`.",
    "PRONTO_FEATURES": "Optional parts: `-streaming` switches one off, `streaming` on; several with commas.",
    "PRONTO_ITEM": "Set for the command of `pop`: the address of the item.",
    "PRONTO_LEASE": "Set for the command of `claim` and `pop`: the lease that `--fence` means.",
    "PRONTO_META": "The meta (tenant), as `--meta`.",
    "PRONTO_NAMESPACE": "The namespace, as `-n`.",
    "PRONTO_PROJECT": "The project, as `-p`.",
    "PRONTO_PROMPT": "Set in a pinned shell: the marker that its prompt refers to.",
    "PRONTO_REFUSED": "Set by a generated function whose pin contradicts the one in force: every call is denied.",
    "PRONTO_REVISION": "Set for the command of `watch`: the revision that the event is about.",
    "PRONTO_SECURITY": "`strict`: only what a profile allows may be used.",
    "PRONTO_SHELL_STATE": "What the function `pronto` tells `shell doctor` of its shell. Not for people.",
    "PRONTO_TOKEN": "Set for the command of `claim` and `pop`: the token of its lease, for `--fence`.",
    "PRONTO_USER": "The user, as `--user`.",
    "PRONTO_ZDOTDIR": "Set while `shell use` starts zsh: the `ZDOTDIR` there was. Not for people.",
    "SHELL": "The shell that `shell use` opens, and that `shell doctor` looks at.",
    "TERM": "If `dumb`, no colour and no emoji.",
    "TMPDIR": "Where rescued content goes if the state folder cannot take it; else `/tmp`, then `/dev/shm`.",
    "TZ": "The time zone of times without one in `get --at` and `--since`.",
    "XDG_CONFIG_HOME": "Settings, cursors, profiles and templates are in `prontodb` below it; else `~/.config`.",
    "XDG_DATA_HOME": "Databases are in `prontodb` below it; else `~/.local/share`.",
    "XDG_RUNTIME_DIR": "Sessions of users with a password are in `prontodb` below it.",
    "XDG_STATE_HOME": "Rescued content is in `prontodb/rescue` below it; else `~/.local/state`.",
    "ZDOTDIR": "The folder of zsh's start-up files, handed on to the shell that `shell use` opens.",
}
"""What a variable is for. A variable that the code looks at, and that is not here, is an error when the pages are made."""


PACKAGE = Path(prontodb.__file__).parent
OURS = re.compile(r"\b(?:PRONTO|PANTH|PANTHEON)_[A-Z_]*[A-Z]\b")


PLACEHOLDER = "PRONTO_NAME"
"""How the code speaks of any one of them."""


def settings() -> str:
    """Every setting: where it is looked for, what it takes, and what it is where nobody says."""
    rows = [
        f"| `{name}` | `PRONTO_{name.upper()}` | `{setting.default}` | {_sentence(setting.wanted)} |"
        for name, setting in options.SETTINGS.items()
    ]
    switches = [f"| `{name}` | {feature.summary} |" for name, feature in options.FEATURES.items()]
    return _page(
        "Settings",
        "A setting is looked for in the environment, then in `$XDG_CONFIG_HOME/prontodb/config.toml`; `prontodb where` prints what each is,\n"
        "and which of them said so. A name or a value that cannot be is an error (64), and content that was piped is rescued all the same.",
        "\n".join(["| in the file | variable | default | what it takes |", "|---|---|---|---|", *rows]),
        '```toml\npipe_ttl = "1h"\nhints = false\n\n[features]\nstreaming = false\n```',
        "## Features\n\nParts that can be switched off: in the table `[features]` of the file, or in `PRONTO_FEATURES` (`-name` is off, `name` is on).\n"
        "`prontodb features` tells which are on.",
        "\n".join(["| feature | what it is |", "|---|---|", *switches]),
    )


def environment() -> str:
    """Every variable that the code looks at."""
    rows = [f"| `{name}` | {meaning(name)} | {'yes' if name in known.KNOWN else ''} |" for name in sorted(variables())]
    return _page(
        "Environment",
        "Every variable that ProntoDB looks at. Those marked in the last column go along with each call of the function `pronto`; a call\n"
        "that needs another one is made by the command.",
        "\n".join(["| variable | what it is for | to the helper |", "|---|---|---|", *rows]),
    )


def variables() -> set[str]:
    """The names of variables: those in tables, and each that is written out where an environment is asked."""
    found = {*known.KNOWN, *VARIABLES.values(), *(f"PRONTO_{name.upper()}" for name in options.SETTINGS)}
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        found |= {name for node in ast.walk(ast.parse(text)) for name in _asked(node)} | set(re.findall(r'"(XDG_[A-Z]+_HOME)"', text))
    for path in (*PACKAGE.rglob("*.py"), *(file for name in ("templates", "shell") for file in Path(resource(name)).rglob("*"))):
        found |= set(OURS.findall(path.read_text())) if path.is_file() else set()
    return found - {PLACEHOLDER}


def _asked(node: ast.AST) -> list[str]:
    """The names in `….environ.get("NAME")`, `environ["NAME"]` and `"NAME" in environ`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _environ(node.func.value):
        return _names(node.args[:1])
    if isinstance(node, ast.Subscript) and _environ(node.value):
        return _names([node.slice])
    return _names([node.left]) if isinstance(node, ast.Compare) and _environ(node.comparators[0]) else []


def _environ(node: ast.AST) -> bool:
    return (node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "") == "environ"


def _names(nodes: "list[ast.expr]") -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def meaning(name: str) -> str:
    """What a variable is for. Raises `KeyError` where nobody has said so."""
    setting = name.removeprefix("PRONTO_").lower()
    if setting in options.SETTINGS:
        return f"The setting `{setting}`: {options.SETTINGS[setting].wanted}."
    pin = name.removeprefix("PRONTO_FORCE_").lower()
    if pin in PINS:
        return f"Pins the {pin}: no flag, variable, cursor or token may say otherwise (6)."
    return MEANINGS[name]


def exit_codes() -> str:
    """Every status, its meaning, and the errors that have it."""
    rows = []
    for status, text in statuses.STATUSES.items():
        names = ", ".join(f"[`{kind.name}`](errors.md#{kind.name})" for kind in errorpages.KINDS if kind.error.code == status)
        rows.append(f"| {status} | {text} | {names} |")
    return _page(
        "Exit statuses",
        "Published and stable: a script may rely on them. The setting `rescue_exit` changes the 4. With `--json`, the error on standard error\n"
        "has the status as `code` and the slug as `error`; [errors](errors.md) tells what each of these means.",
        "\n".join(["| status | meaning | errors |", "|---|---|---|", *rows]),
        "A command that a signal ends, ends by that signal: 130 for Ctrl-C in the eyes of a shell. Where content came in that could be kept,\n"
        "the message that says where has been printed before.",
    )


def schema() -> str:
    """The tables of both engines, and the history of each."""
    steps = [f"### Version {number}\n\n```sql\n{_flush(script)}\n```" for number, script in enumerate(sqlite_schema.MIGRATIONS, start=1)]
    return _page(
        "Schema",
        "What lies in a database, for whoever looks into one with another tool. Reading is safe at any time; what is written past ProntoDB is\n"
        "on one's own account. The version is in `PRAGMA user_version` of a SQLite file, and in `prontodb.state` on PostgreSQL: an older one is\n"
        "brought forward on the first write, a newer one refused (`newer-schema`).",
        f"## SQLite\n\nThe file has the application id `0x{sqlite_schema.APPLICATION_ID:08X}`, and is in WAL mode unless it lies on a network. Each\n"
        "version below is what was added to the one before it.",
        "\n\n".join(steps),
        "Values of 16 MiB and more are files in the folder `NAME.db-bulk` beside the database; the row in `chunk` names them\n"
        "([decision 0015](../decisions/0015-bulk.md)).",
        "## PostgreSQL\n\n`prontodb admin postgres init` makes the schema `prontodb`. Each row belongs to a role, and row-level security lets each see\n"
        f"its own. The tables are {', '.join(f'`{name}`' for name in ('state', *pg_schema.TABLES))}.",
        f"```sql\n{_flush(pg_schema.SCHEMA.format(key='meta'))}\n```",
        f"For each of them but `state`:\n\n```sql\n{_flush(pg_schema.GUARD)}\n```",
    )


def protocol() -> str:
    """What a shell and its helper say to each other, and one exchange as it goes over the line."""
    asked = talk.encode_request(talk.Request(b"4711.1", b"01", (b"HOME=/home/ada",), [b"get", b"work.config.host"]))
    replies = {
        "a value, short and ASCII": talk.encode_reply(b"4711.1", 0, b"db.example", b"")[0],
        "a miss": talk.encode_reply(b"4711.2", 2, b"", b"prontodb: No such key: a.b.c\n")[0],
        "the call needs a process of its own": talk.encode_refusal(b"4711.3", talk.CALLER),
    }
    shown = "\n".join(f"{what}:\n    {data!r}" for what, data in {"the request": asked, **replies}.items())
    kinds = [("s", talk.SHORT), ("b", talk.LONG), ("n", talk.NUL), ("c", talk.CALLER), ("v", talk.GONE)]
    assert all(letter.encode() == kind for letter, kind in kinds)
    return _page(
        "The helper's protocol",
        "Between the functions of a shell and [its helper](../explanation/helper.md), over two FIFOs. It is no public interface: both sides\n"
        f"come from one installation, and the version ({talk.VERSION.decode()}) changes with any change.",
        f"```text\n{_flush(talk.__doc__ or '')}\n```",
        f"| kind | meaning |\n|---|---|\n{_kinds()}",
        f"A frame is counted in units of {talk.UNIT} bytes; a short reply has at most {talk.ROOM} bytes of output. A request whose end is not seen in\n"
        f"{talk.LONGEST} bytes is refused.",
        f"## An exchange\n\n```text\n{shown}\n```",
    )


def _kinds() -> str:
    """The kinds of a reply, with the lines that stand below them in the code."""
    text = Path(talk.__file__).read_text()
    rows = re.findall(r'^[A-Z]+ = b"([a-z])"\n"""(.+?)"""', text, re.MULTILINE)
    return "\n".join(f"| `{kind}` | {meaning} |" for kind, meaning in rows)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _flush(text: str) -> str:
    """A text without the indentation that all of its lines share."""
    lines = text.strip("\n").rstrip().splitlines()
    common = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[common:] for line in lines)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", MADE, *parts]) + "\n"
